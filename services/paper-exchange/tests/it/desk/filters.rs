//! `filters.md`: each filter's failure in its words, and the filters as `exchangeInfo` lists them.

use super::stage::{Stage, d, rules};
use domain::{InstrumentRules, Side, rules::PriceRange};
use paper_exchange::endpoint::Endpoint::{MyFilters, OcoPlace, OrderPlace};

fn strict() -> InstrumentRules {
    let range = Some(PriceRange { down: d("0.5"), up: d("2") });
    InstrumentRules {
        min_price: Some(d("0.01")),
        buy_price_range: range,
        sell_price_range: range,
        market_max_quantity: Some(d("3")),
        max_notional: Some(d("50000")),
        max_orders: Some(4),
        max_algo_orders: Some(2),
        max_position: Some(d("20")),
        ..rules()
    }
}

fn stage() -> Stage {
    let mut stage = Stage::silent(strict());
    stage.trade("100", "1", Side::Buy);
    stage.book("99.99 100", "100.01 100");
    stage.frames();
    stage
}

fn check(query: &str, filter: &str) {
    assert_eq!(stage().refused(OrderPlace, query), format!("-1013 Filter failure: {filter}"), "{query}");
}

#[test]
fn price_filter() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99.001", "PRICE_FILTER");
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=1000001", "PRICE_FILTER");
    check("side=SELL&type=STOP_LOSS&quantity=1&stopPrice=90.001", "PRICE_FILTER");
}

#[test]
fn percent_price_by_side() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=49", "PERCENT_PRICE_BY_SIDE");
    check("side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=201", "PERCENT_PRICE_BY_SIDE");
}

#[test]
fn lot_size() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1.000001&price=99", "LOT_SIZE");
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=9001&price=99", "LOT_SIZE");
}

#[test]
fn market_lot_size() {
    check("side=BUY&type=MARKET&quantity=4", "MARKET_LOT_SIZE");
}

#[test]
fn notional() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.05&price=99", "NOTIONAL");
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=600&price=99", "NOTIONAL");
    check("side=BUY&type=MARKET&quoteOrderQty=4", "NOTIONAL");
}

#[test]
fn iceberg_parts() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=5&price=99&icebergQty=0.01", "ICEBERG_PARTS");
}

#[test]
fn trailing_delta() {
    check("side=SELL&type=STOP_LOSS&quantity=1&trailingDelta=9", "TRAILING_DELTA");
    check("side=SELL&type=STOP_LOSS&quantity=1&trailingDelta=2001", "TRAILING_DELTA");
}

#[test]
fn max_num_orders() {
    let mut stage = stage();
    for _ in 0..4 {
        stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99");
    }
    let fifth = stage.refused(OrderPlace, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99");
    assert_eq!(fifth, "-1013 Filter failure: MAX_NUM_ORDERS");
}

#[test]
fn max_num_algo_orders() {
    let mut stage = stage();
    for _ in 0..2 {
        stage.place("side=SELL&type=STOP_LOSS&quantity=1&stopPrice=90");
    }
    let third = stage.refused(OrderPlace, "side=SELL&type=STOP_LOSS&quantity=1&stopPrice=90");
    assert_eq!(third, "-1013 Filter failure: MAX_NUM_ALGO_ORDERS");
}

#[test]
fn max_position() {
    check("side=BUY&type=LIMIT&timeInForce=GTC&quantity=11&price=99", "MAX_POSITION");
}

#[test]
fn max_num_order_lists() {
    let mut stage = Stage::new();
    let list = "side=SELL&quantity=0.1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS_LIMIT&\
                belowStopPrice=90&belowPrice=89&belowTimeInForce=GTC";
    for _ in 0..5 {
        stage.ok(OcoPlace, list);
    }
    // Five orders with a trigger are the most that usual rules allow, long before twenty lists.
    assert_eq!(stage.refused(OcoPlace, list), "-1013 Filter failure: MAX_NUM_ALGO_ORDERS");
}

#[test]
fn query_relevant_filters() {
    let answer = stage().ok(MyFilters, "");
    let kinds: Vec<_> = answer["symbolFilters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["filterType"].as_str().unwrap())
        .collect();
    for kind in
        ["PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "MAX_NUM_ORDERS", "MAX_POSITION", "MAX_NUM_ORDER_AMENDS"]
    {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}
