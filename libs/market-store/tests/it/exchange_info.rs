use crate::data;
use flate2::read::GzDecoder;
use market_store::{parse_exchange_info, split_symbol};
use std::{fs::File, io::Read};

fn rules_of(filters: &str) -> Result<domain::InstrumentRules, String> {
    let text = format!(
        r#"{{"timezone":"UTC","symbols":[{{"symbol":"AB","status":"NOT_INVENTED_YET","baseAsset":"A","quoteAsset":"B",
            "baseAssetPrecision":2,"quotePrecision":4,"quoteAssetPrecision":6,"ocoAllowed":true,"new":[1],
            "filters":[{filters}]}}]}}"#
    );
    let info = parse_exchange_info(&text).unwrap();
    info.of("AB".parse().unwrap()).map(|r| r.cloned().unwrap()).map_err(|e| e.to_string())
}

#[test]
fn unknown_filters_fields_and_statuses_are_harmless() {
    let rules = rules_of(
        r#"{"filterType":"FROM_2030","x":{}},{"odd":1},
           {"filterType":"PRICE_FILTER","tickSize":"0.0100","minPrice":"0.00","maxPrice":"","later":true}"#,
    )
    .unwrap();
    assert_eq!(rules.tick_size.to_string(), "0.01");
    assert_eq!((rules.min_price, rules.max_price, rules.max_orders), (None, None, None));
    assert_eq!((rules.base_precision, rules.quote_precision), (2, 6));
    assert!(rules.oco_allowed && !rules.quote_quantity_allowed);
}

#[test]
fn both_names_of_the_notional_filter_are_known() {
    let old = rules_of(r#"{"filterType":"MIN_NOTIONAL","minNotional":"10.0","applyToMarket":true}"#).unwrap();
    assert_eq!((old.min_notional.to_string(), old.min_notional_applies_to_market), ("10".to_owned(), true));
    let new = rules_of(
        r#"{"filterType":"NOTIONAL","minNotional":"5","applyMinToMarket":false,"maxNotional":"900","applyMaxToMarket":true}"#,
    )
    .unwrap();
    assert_eq!((new.min_notional.to_string(), new.min_notional_applies_to_market), ("5".to_owned(), false));
    assert_eq!(
        (new.max_notional.unwrap().to_string(), new.max_notional_applies_to_market),
        ("900".to_owned(), true)
    );
}

#[test]
fn both_percent_price_filters_are_known() {
    let both =
        rules_of(r#"{"filterType":"PERCENT_PRICE","multiplierUp":"5","multiplierDown":"0.2"}"#).unwrap();
    assert_eq!(both.buy_price_range, both.sell_price_range);
    assert_eq!(both.buy_price_range.unwrap().down.to_string(), "0.2");
    let by_side = rules_of(
        r#"{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"7","askMultiplierDown":"0.3"}"#,
    )
    .unwrap();
    assert_eq!(by_side.buy_price_range.unwrap().up.to_string(), "5");
    assert_eq!(by_side.sell_price_range.unwrap().up.to_string(), "7");
}

#[test]
fn rules_that_cannot_be_read_are_refused_by_name_and_hide_no_other() {
    let why = rules_of(r#"{"filterType":"LOT_SIZE","stepSize":"many"}"#).unwrap_err();
    assert_eq!(why, "the rules of AB cannot be read: LOT_SIZE.stepSize 'many' is not a decimal number");
    let info = parse_exchange_info(
        r#"{"symbols":[{"symbol":"NO BASE"},{"symbol":"AB","baseAsset":"A","quoteAsset":"B"}]}"#,
    )
    .unwrap();
    assert_eq!(info.refused.len(), 1);
    assert_eq!(info.rules.len(), 1);
}

#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn todays_filters_of_a_real_symbol_are_read() {
    let text =
        std::fs::read_to_string(data("exchangeinfo/binance_spot_1symbol_20250823_jading-go.json")).unwrap();
    let info = parse_exchange_info(&text).unwrap();
    let r = info.of("BTCUSDT".parse().unwrap()).unwrap().unwrap();
    let figure = |d: Option<domain::Decimal>| d.map_or("-".to_owned(), |d| d.to_string());
    assert_eq!(
        format!(
            "{} {} tick {} {}..{} lot {} {}..{} market {} {}..{} notional {} {} max {} {} orders {:?} {:?}",
            r.base,
            r.quote,
            r.tick_size,
            figure(r.min_price),
            figure(r.max_price),
            r.lot_size,
            r.min_quantity,
            figure(r.max_quantity),
            figure(r.market_lot_size),
            figure(r.market_min_quantity),
            figure(r.market_max_quantity),
            r.min_notional,
            r.min_notional_applies_to_market,
            figure(r.max_notional),
            r.max_notional_applies_to_market,
            r.max_orders,
            r.max_algo_orders
        ),
        "BTC USDT tick 0.01 0.01..1000000 lot 0.00001 0.00001..9000 market - -..88.09927941 \
         notional 5 true max 9000000 false orders Some(200) Some(5)"
    );
    assert_eq!(r.sell_price_range.unwrap().up.to_string(), "5");
}

#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn a_whole_real_exchange_info_is_read() {
    let mut text = String::new();
    let file = File::open(data("exchangeinfo/binance_spot_full_20211012_cryptofeed.json.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let info = parse_exchange_info(&text).unwrap();
    assert_eq!(info.rules.len(), 1_695);
    assert!(info.refused.is_empty());
    let limited = info.rules.values().filter(|r| r.max_position.is_some()).count();
    assert_eq!(limited, 40);
    assert!(info.rules.values().all(|r| !r.tick_size.is_zero() && !r.lot_size.is_zero()));
    // What the names alone would say is what Binance says.
    let wrong: Vec<_> = info
        .rules
        .iter()
        .filter(|(symbol, r)| split_symbol(symbol) != Some((r.base.as_str(), r.quote.as_str())))
        .map(|(symbol, r)| format!("{symbol} is {}/{}", r.base, r.quote))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
