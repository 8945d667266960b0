//! `rest-api.md`, "Exchange information".

use super::stage::{Stage, assert_fields, d, rules};
use domain::{InstrumentRules, Quantity, rules::PriceRange};
use paper_exchange::{
    endpoint::Endpoint::{ExchangeInfo, Ping, Time},
    params::{Params, TimeUnit},
};
use serde_json::json;

#[test]
fn exchange_information_has_every_field_of_the_documentation() {
    let mut stage = Stage::new();
    let info = stage.raw(ExchangeInfo, "").unwrap();
    assert_fields(&info, "timezone serverTime rateLimits exchangeFilters symbols");
    assert_fields(
        &info["symbols"][0],
        "symbol status baseAsset baseAssetPrecision quoteAsset quotePrecision quoteAssetPrecision \
         baseCommissionPrecision quoteCommissionPrecision orderTypes icebergAllowed ocoAllowed otoAllowed opoAllowed \
         quoteOrderQtyMarketAllowed allowTrailingStop cancelReplaceAllowed amendAllowed pegInstructionsAllowed \
         isSpotTradingAllowed isMarginTradingAllowed filters permissions permissionSets \
         defaultSelfTradePreventionMode allowedSelfTradePreventionModes",
    );
    assert_eq!(info["symbols"][0]["permissionSets"], json!([["SPOT"]]));
    let hidden = stage.raw(ExchangeInfo, "showPermissionSets=false").unwrap();
    assert!(hidden["symbols"][0].get("permissionSets").is_none());
}

#[test]
fn exchange_information_is_read_as_the_rules_that_it_was_made_from() {
    let range = Some(PriceRange { down: d("0.2"), up: d("5") });
    // Where Binance sends a number for "as much as you like", there is one here too.
    let given = InstrumentRules {
        buy_price_range: range,
        sell_price_range: range,
        min_price: Some(d("0.01")),
        market_max_quantity: Some(Quantity::MOST),
        max_notional: Some(domain::Price::MOST),
        max_position: Some(d("12")),
        // As many as most symbols have.
        max_order_lists: Some(20),
        listing: None,
        ..rules()
    };
    let mut stage = Stage::silent(given.clone());
    let info = stage.raw(ExchangeInfo, "symbol=BTCUSDT").unwrap().to_string();
    let read = venue_binance::rules::parse(info.as_bytes()).unwrap();
    assert!(read.refused.is_empty(), "{:?}", read.refused);
    let listing = &read.listings["BTCUSDT"];
    assert_eq!(listing.rules, given);
    assert!(listing.is_trading() && listing.amend_allowed && listing.cancel_replace_allowed);
}

#[test]
fn what_nothing_limits_has_limits_that_nobody_meets() {
    let unlimited = InstrumentRules {
        tick_size: d("0.05"),
        min_price: None,
        max_price: None,
        max_quantity: None,
        market_max_quantity: None,
        max_notional: None,
        ..rules()
    };
    let mut stage = Stage::silent(unlimited);
    let info = stage.raw(ExchangeInfo, "symbol=BTCUSDT").unwrap();
    let filters = info["symbols"][0]["filters"].as_array().unwrap();
    let filter = |kind: &str| filters.iter().find(|one| one["filterType"] == kind).unwrap();
    let price = filter("PRICE_FILTER");
    assert_eq!([&price["minPrice"], &price["maxPrice"]], ["0.05000000", "92233720368.00000000"]);
    for (kind, name) in [("LOT_SIZE", "maxQty"), ("MARKET_LOT_SIZE", "maxQty"), ("NOTIONAL", "maxNotional")] {
        assert_eq!(filter(kind)[name], "92233720368.00000000", "{kind}");
    }
}

#[test]
fn exchange_information_by_symbol_symbols_permissions_and_status() {
    let mut stage = Stage::new();
    let symbols = |stage: &mut Stage, query: &str| {
        stage.raw(ExchangeInfo, query).unwrap()["symbols"].as_array().unwrap().len()
    };
    for (query, found) in [
        ("symbol=BTCUSDT", 1),
        (r#"symbols=["BTCUSDT"]"#, 1),
        ("permissions=SPOT", 1),
        (r#"permissions=["MARGIN","SPOT"]"#, 1),
        ("permissions=MARGIN", 0),
        ("symbolStatus=TRADING", 1),
        ("symbolStatus=HALT", 0),
    ] {
        assert_eq!(symbols(&mut stage, query), found, "{query}");
    }
    stage.exchange.set_status("BTCUSDT", "CANCEL_ONLY").unwrap();
    assert_eq!(stage.raw(ExchangeInfo, "").unwrap()["symbols"][0]["status"], "CANCEL_ONLY");
}

#[test]
fn symbols_outside_ascii() {
    let mut stage = Stage::new();
    let instrument = "binance:spot:币安人生USDT".parse().unwrap();
    let rules = InstrumentRules { base: "币安人生".parse().unwrap(), ..rules() };
    stage.exchange.hear(stage.now, &events::InstrumentListed { instrument, rules: Box::new(rules) }.into());
    let info = stage.raw(ExchangeInfo, "symbol=币安人生USDT").unwrap();
    assert_eq!(info["symbols"][0]["baseAsset"], "币安人生");
}

#[test]
fn test_connectivity_and_check_server_time() {
    let mut stage = Stage::new();
    assert_eq!(stage.raw(Ping, "").unwrap(), json!({}));
    let now = stage.raw(Time, "").unwrap()["serverTime"].as_i64().unwrap();
    assert_eq!(now, stage.now.millis());
    let micro = stage.exchange.call(Time, &Params::default(), TimeUnit::Micro).unwrap();
    assert_eq!(micro, json!({ "serverTime": stage.now.micros() }));
}
