//! `filters.md`, and `rest-api.md`, "Exchange information".

use crate::{d, data};
use domain::{InstrumentRules, Symbol, rules::PriceRange};
use flate2::read::GzDecoder;
use market_store::parse_exchange_info;
use std::{
    fs::{self, File},
    io::Read as _,
    time::Duration,
};
use venue_binance::rules::{self, ExchangeInfo};
use venue_net::budget::LimitKind;

fn recent() -> String {
    fs::read_to_string(data("exchangeinfo/binance_spot_1symbol_20250823_jading-go.json")).unwrap()
}

fn of_2021() -> String {
    let mut text = String::new();
    let file = File::open(data("exchangeinfo/binance_spot_full_20211012_cryptofeed.json.gz")).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

fn one(filters: &str, more: &str) -> String {
    format!(
        "{{\"symbols\":[{{\"symbol\":\"ETHBTC\",\"baseAsset\":\"ETH\",\"quoteAsset\":\"BTC\",{more}\"filters\":[{filters}]}}]}}"
    )
}

fn parse(text: &str) -> ExchangeInfo {
    rules::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn exchange_information_of_real_days_reads_whole_and_as_the_market_store_reads_it() {
    for (text, most) in [(recent(), 1), (of_2021(), 1_700)] {
        let ours = parse(&text);
        assert!(ours.refused.is_empty(), "{:?}", ours.refused);
        assert!(!ours.listings.is_empty() && ours.listings.len() <= most, "{}", ours.listings.len());
        let theirs = parse_exchange_info(&text).unwrap();
        assert_eq!(ours.listings.len(), theirs.rules.len());
        for (symbol, listing) in &ours.listings {
            // What only an exchange has to keep is not asked of the venue.
            let theirs =
                theirs.rules.get(symbol).map(|rules| InstrumentRules { listing: None, ..rules.clone() });
            assert_eq!(Some(&listing.rules), theirs.as_ref(), "{symbol}");
        }
        let weights = ours.limits.iter().find(|limit| limit.kind == LimitKind::Weight).unwrap();
        assert_eq!(weights.interval, Duration::from_secs(60));
        assert!(ours.listings.values().any(|listing| listing.is_trading()));
    }
}

#[test]
fn filters_of_each_kind() {
    let filters = r#"
        {"filterType":"PRICE_FILTER","minPrice":"0.00000100","maxPrice":"100000.00000000","tickSize":"0.00000100"},
        {"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"1.2","bidMultiplierDown":"0.2","askMultiplierUp":"5","askMultiplierDown":"0.8","avgPriceMins":1},
        {"filterType":"LOT_SIZE","minQty":"0.00100000","maxQty":"100000.00000000","stepSize":"0.00100000"},
        {"filterType":"NOTIONAL","minNotional":"10.00000000","applyMinToMarket":false,"maxNotional":"10000.00000000","applyMaxToMarket":true,"avgPriceMins":5},
        {"filterType":"ICEBERG_PARTS","limit":10},
        {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100000.00000000","stepSize":"0.00000000"},
        {"filterType":"MAX_NUM_ORDERS","maxNumOrders":25},
        {"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5},
        {"filterType":"MAX_POSITION","maxPosition":"10.00000000"},
        {"filterType":"A_FILTER_OF_TOMORROW","tickSize":{"of":["another",1.5]},"limit":-0.5}"#;
    let info = parse(&one(
        filters,
        "\"ocoAllowed\":true,\"status\":\"CANCEL_ONLY\",\"orderTypes\":[\"LIMIT\",\"NEW_TYPE\"],",
    ));
    let listing = &info.listings[&"ETHBTC".parse::<Symbol>().unwrap()];
    let rules = &listing.rules;
    assert_eq!((rules.tick_size, rules.lot_size), (d("0.000001"), d("0.001")));
    assert_eq!((rules.min_price, rules.max_quantity), (Some(d("0.000001")), Some(d("100000"))));
    assert_eq!(rules.buy_price_range, Some(PriceRange { down: d("0.2"), up: d("1.2") }));
    assert_eq!(rules.sell_price_range, Some(PriceRange { down: d("0.8"), up: d("5") }));
    assert_eq!((rules.min_notional, rules.max_notional), (d("10"), Some(d("10000"))));
    assert_eq!((rules.min_notional_applies_to_market, rules.max_notional_applies_to_market), (false, true));
    assert_eq!((rules.market_lot_size, rules.market_max_quantity), (None, Some(d("100000"))));
    assert_eq!(
        (rules.max_orders, rules.max_algo_orders, rules.max_position),
        (Some(25), Some(5), Some(d("10")))
    );
    assert!(rules.oco_allowed && !listing.is_trading());
    assert_eq!((listing.status.as_str(), listing.order_types.len()), ("CANCEL_ONLY", 2));
}

#[test]
fn no_filters_no_limits() {
    let info = parse(&one("", ""));
    let rules = &info.listings.values().next().unwrap().rules;
    assert_eq!((rules.max_orders, rules.max_algo_orders, rules.min_notional), (None, None, d("0")));
}

#[test]
fn one_odd_listing_does_not_hide_the_others() {
    let odd = one(r#"{"filterType":"LOT_SIZE","stepSize":"a lot"}"#, "");
    let odd = odd.strip_prefix("{\"symbols\":[").unwrap().strip_suffix("]}").unwrap();
    let text = format!(
        "{{\"symbols\":[{odd},5,{{\"symbol\":\"币安人生USDT\",\"baseAsset\":\"币安人生\",\"quoteAsset\":\"USDT\"}},{{\"symbol\":\"NOBASE\"}}]}}"
    );
    let info = parse(&text);
    assert!(info.listings.contains_key("币安人生USDT"), "{info:?}");
    assert_eq!(info.listings.len(), 1);
    assert!(info.refused["ETHBTC"].contains("LOT_SIZE.stepSize"), "{:?}", info.refused);
    assert!(info.refused["NOBASE"].contains("baseAsset"), "{:?}", info.refused);
    assert!(info.refused.contains_key("(symbol 1 of the list)"), "{:?}", info.refused);
    let fraction = one(r#"{"filterType":"MAX_NUM_ORDERS","maxNumOrders":"2.5"}"#, "");
    assert!(parse(&fraction).refused["ETHBTC"].contains("no whole number"));
}

#[test]
fn what_is_no_exchange_information_says_so() {
    for text in ["", "[]", "{}", "{\"symbols\":5}", "<html>"] {
        assert!(rules::parse(text.as_bytes()).is_err(), "{text}");
    }
}
