//! `rest-api.md`, "New order using SOR", "Test new order using SOR", "Query Allocations".

use super::stage::{Stage, assert_fields, assert_has, d, rules};
use domain::{Instrument, InstrumentRules, Side};
use events::InstrumentListed;
use paper_exchange::endpoint::Endpoint::{
    ExchangeInfo, MyAllocations, MyTrades, OrderQuery, OtoPlace, SorPlace, SorTest,
};
use serde_json::json;
use venue_paper::engine::Book;

/// BTCUSDC beside BTCUSDT, with 1 at 99 and 1 at 100 to be had of it.
fn stage() -> Stage {
    let mut stage = Stage::new();
    let instrument: Instrument = "binance:spot:BTCUSDC".parse().unwrap();
    let rules = InstrumentRules { quote: "USDC".parse().unwrap(), ..rules() };
    stage.exchange.hear(stage.now, &InstrumentListed { instrument, rules: Box::new(rules) }.into());
    let level = |price: &str| (price.parse().unwrap(), "1".parse().unwrap());
    let book = Book { bids: vec![level("98")], asks: vec![level("99"), level("100")] };
    stage.exchange.see_book(stage.now, instrument, &book);
    stage.frames();
    stage
}

#[test]
fn an_order_is_filled_by_allocations_and_tells_where() {
    let mut stage = stage();
    let placed = stage
        .ok(SorPlace, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1.5&price=100.01&newClientOrderId=sor");
    assert_fields(
        &placed,
        "symbol orderId orderListId clientOrderId transactTime price origQty executedQty origQuoteOrderQty \
         cummulativeQuoteQty status timeInForce type side workingTime fills workingFloor selfTradePreventionMode usedSor",
    );
    assert_has(
        &placed,
        json!({ "status": "FILLED", "cummulativeQuoteQty": "149.00000000", "workingFloor": "SOR", "usedSor": true }),
    );
    assert_has(
        &placed["fills"][1],
        json!({
            "matchType": "ONE_PARTY_TRADE_REPORT",
            "price": "100.00000000",
            "qty": "0.50000000",
            "commissionAsset": "BTC",
            "tradeId": -1,
            "allocId": 1,
        }),
    );
    let frames = stage.frames();
    assert_has(&frames[0], json!({ "x": "NEW", "k": "EXCHANGE", "uS": true }));
    let filled = json!({ "x": "TRADE", "X": "FILLED", "t": -1, "a": 1, "b": "ONE_PARTY_TRADE_REPORT", "k": "SOR", "uS": true });
    assert_has(&frames[2], filled);
    for frame in &frames {
        let text = frame.to_string();
        venue_binance::frame::parse("binance:main".parse().unwrap(), text.as_bytes()).unwrap();
    }
    assert_eq!(stage.balance("USDT"), (d("99851"), d("0")));
    assert_has(
        &stage.ok(OrderQuery, "origClientOrderId=sor"),
        json!({ "workingFloor": "SOR", "usedSor": true }),
    );
    assert_eq!(stage.ok(MyTrades, ""), json!([]));
    let allocations = stage.ok(MyAllocations, "");
    assert_fields(
        &allocations[0],
        "symbol allocationId allocationType orderId orderListId price qty quoteQty commission commissionAsset time \
         isBuyer isMaker isAllocator",
    );
    assert_has(
        &allocations[0],
        json!({ "symbol": "BTCUSDT", "allocationId": 0, "allocationType": "SOR", "price": "99.00000000", "quoteQty": "99.00000000" }),
    );
    assert_eq!(stage.ok(MyAllocations, "orderId=1&fromAllocationId=1").as_array().unwrap().len(), 1);
    assert_eq!(
        stage.refused(MyAllocations, "orderId=1&startTime=1"),
        "-1128 Combination of optional parameters invalid."
    );
    let answer =
        json!({ "order": stage.ok(OrderQuery, "origClientOrderId=sor"), "allocations": allocations });
    let read =
        venue_binance::rows::parse_order("binance:main".parse().unwrap(), answer.to_string().as_bytes());
    assert_eq!(read.unwrap().len(), 4);
}

#[test]
fn what_rests_of_a_routed_order_trades_on_its_own_book() {
    let mut stage = stage();
    let placed =
        stage.ok(SorPlace, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=2&price=99&newClientOrderId=sor");
    assert_has(&placed, json!({ "status": "PARTIALLY_FILLED", "executedQty": "1.00000000" }));
    stage.trade("98", "1", Side::Sell);
    let order = stage.ok(OrderQuery, "origClientOrderId=sor");
    assert_has(&order, json!({ "status": "FILLED", "workingFloor": "EXCHANGE", "usedSor": true }));
    assert_eq!(stage.ok(MyTrades, "").as_array().unwrap().len(), 1);
}

#[test]
fn symbols_are_routed_where_others_of_their_base_are_paid_in_dollars() {
    let mut alone = Stage::new();
    let query = "side=BUY&type=MARKET&quantity=1";
    assert_eq!(alone.refused(SorPlace, query), "-1013 This symbol has no SOR.");
    assert_eq!(alone.refused(SorTest, query), "-1013 This symbol has no SOR.");
    assert!(alone.raw(ExchangeInfo, "").unwrap().get("sors").is_none());
    let mut stage = stage();
    assert_eq!(
        stage.raw(ExchangeInfo, "").unwrap()["sors"],
        json!([{ "baseAsset": "BTC", "symbols": ["BTCUSDC", "BTCUSDT"] }])
    );
    assert_eq!(stage.ok(SorTest, query), json!({}));
    assert_fields(
        &stage.ok(SorTest, &format!("{query}&computeCommissionRates=true")),
        "standardCommissionForOrder taxCommissionForOrder discount",
    );
    assert_eq!(stage.news(), "");
}

#[test]
fn what_is_wrong_with_a_routed_order_is_said() {
    for (query, expected) in [
        (
            "side=BUY&type=STOP_LOSS&quantity=1&stopPrice=110",
            "-1104 Not all sent parameters were read; read '6' parameter(s) but was sent '7'.",
        ),
        ("side=BUY&type=LIMIT_MAKER&quantity=1&price=90", "-1116 Invalid orderType."),
        (
            "side=BUY&type=MARKET&quoteOrderQty=100",
            "-1104 Not all sent parameters were read; read '5' parameter(s) but was sent '6'.",
        ),
        (
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=90&pegPriceType=PRIMARY_PEG",
            "-1104 Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
        ),
        ("side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.000001&price=90", "-1013 Filter failure: LOT_SIZE"),
        ("side=SELL&type=MARKET&quantity=11", "-2010 Account has insufficient balance for requested action."),
    ] {
        let mut stage = stage();
        assert_eq!(stage.refused(SorPlace, query), expected, "{query}");
        assert_eq!(stage.news(), "");
    }
}

#[test]
fn a_routed_order_sets_off_what_waits_on_either_book() {
    let mut stage = stage();
    stage.ok(
        OtoPlace,
        "workingType=LIMIT&workingSide=SELL&workingTimeInForce=GTC&workingQuantity=1&workingPrice=99.5&\
         workingClientOrderId=work&pendingType=LIMIT&pendingSide=BUY&pendingTimeInForce=GTC&pendingQuantity=1&\
         pendingPrice=90&pendingClientOrderId=next",
    );
    // 1 is sold to at the bid of 99.99 at once, which fills the working order; so it takes a bid first.
    let next = stage.ok(OrderQuery, "origClientOrderId=next");
    assert_eq!(next["status"], "NEW");
    stage.frames();
    stage.ok(SorPlace, "side=BUY&type=MARKET&quantity=2&newClientOrderId=sor");
    let news = stage.news();
    assert!(
        news.starts_with("NEW NEW sor | TRADE PARTIALLY_FILLED sor 1@99 | TRADE FILLED sor 1@100"),
        "{news}"
    );
}
