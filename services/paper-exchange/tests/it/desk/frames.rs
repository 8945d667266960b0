//! `user-data-stream.md`, "Order Update"; order endings of `enums.md`, `faqs/market_orders_faq.md`, `faqs/stp_faq.md` and
//! `faqs/trailing-stop-faq.md` as the stream and the answers tell them.

use super::stage::{START, Stage, assert_fields, assert_has, d};
use domain::Side;
use paper_exchange::{
    endpoint::Endpoint::{MyPreventedMatches, OrderQuery},
    params::TimeUnit,
};
use serde_json::json;

const REPORT: &str = "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V";

#[test]
fn order_update_has_every_field_of_the_documentation() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=2&price=100.01&newClientOrderId=mine");
    let frames = stage.frames();
    assert_fields(&frames[0], &format!("{REPORT} W"));
    let at = START + 3;
    assert_has(
        &frames[0],
        json!({
            "E": at, "s": "BTCUSDT", "c": "mine", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "2.00000000",
            "p": "100.01000000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": "NEW", "X": "NEW",
            "r": "NONE", "i": 1, "l": "0.00000000", "z": "0.00000000", "L": "0.00000000", "n": "0", "N": null, "T": at,
            "t": -1, "w": true, "m": false, "O": at, "Z": "0.00000000", "Y": "0.00000000", "Q": "0.00000000", "W": at,
            "V": "NONE",
        }),
    );
    assert_fields(&frames[1], &format!("{REPORT} W"));
    assert_has(
        &frames[1],
        json!({
            "x": "TRADE", "X": "PARTIALLY_FILLED", "l": "1.00000000", "z": "1.00000000", "L": "100.01000000",
            "n": "0.00100000", "N": "BTC", "t": 1, "w": true, "m": false, "Z": "100.01000000", "Y": "100.01000000",
        }),
    );
    assert_fields(&frames[2], "e E u B");
    stage.trade("100", "1", Side::Sell);
    let frames = stage.frames();
    assert_has(
        &frames[0],
        json!({ "x": "TRADE", "X": "FILLED", "m": true, "w": false, "t": 2, "z": "2.00000000" }),
    );
    assert!(frames[0]["E"].as_i64() >= frames[0]["T"].as_i64());
}

#[test]
fn frames_are_numbered_and_told_in_both_units() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=2&price=99");
    let frames = stage.exchange.take_account_frames();
    let numbers: Vec<_> = frames.iter().map(|frame| frame.number).collect();
    // The starting balances were the first.
    assert_eq!(numbers, [2, 3]);
    let time = |unit| {
        let event: serde_json::Value = serde_json::from_str(frames[0].json(unit)).unwrap();
        event["T"].as_i64().unwrap()
    };
    assert_eq!(time(TimeUnit::Micro), time(TimeUnit::Milli) * 1_000);
    assert!(frames[0].milli.starts_with(r#"{"e":"executionReport","E":"#));
}

/// `faqs/market_orders_faq.md`: what the book does not give, expires.
#[test]
fn market_orders_on_a_thin_book_expire() {
    let mut stage = Stage::new();
    let placed = stage.place("side=BUY&type=MARKET&quantity=6&newClientOrderId=m");
    assert_has(
        &placed,
        json!({
            "origQty": "6.00000000", "executedQty": "3.00000000", "status": "EXPIRED",
            "expiryReason": "INSUFFICIENT_LIQUIDITY",
        }),
    );
    let frames = stage.frames();
    let expired = frames.iter().find(|f| f["x"] == "EXPIRED").unwrap();
    assert_has(
        expired,
        json!({ "X": "EXPIRED", "z": "3.00000000", "eR": "INSUFFICIENT_LIQUIDITY", "w": false }),
    );
    let placed = stage.place("side=BUY&type=MARKET&quantity=1&newClientOrderId=n");
    assert_has(&placed, json!({ "executedQty": "0.00000000", "status": "EXPIRED", "fills": [] }));
}

#[test]
fn immediate_or_cancel_and_fill_or_kill() {
    let mut stage = Stage::new();
    let ioc = stage.place("side=BUY&type=LIMIT&timeInForce=IOC&quantity=2&price=100.01");
    assert_has(
        &ioc,
        json!({
            "executedQty": "1.00000000", "status": "EXPIRED", "expiryReason": "UNFILLED_IOC_QUANTITY_EXPIRED",
        }),
    );
    let fok = stage.place("side=BUY&type=LIMIT&timeInForce=FOK&quantity=3&price=100.02");
    assert_has(
        &fok,
        json!({
            "executedQty": "0.00000000", "status": "EXPIRED", "expiryReason": "UNFILLED_FOK_ORDER_EXPIRED",
        }),
    );
}

/// `faqs/stp_faq.md`: three makers and a taker with `EXPIRE_MAKER`.
#[test]
fn stp_expire_maker() {
    let mut stage = Stage::silent(super::stage::rules());
    for (id, quantity, price) in [("a", "1.2", "12"), ("b", "1.3", "11"), ("c", "8.1", "10")] {
        stage.book("", "");
        stage.place(&format!(
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}&newClientOrderId={id}"
        ));
    }
    stage.frames();
    let placed = stage.place(
        "side=SELL&type=LIMIT&timeInForce=GTC&quantity=3&price=10&selfTradePreventionMode=EXPIRE_MAKER&newClientOrderId=t",
    );
    assert_has(
        &placed,
        json!({
            "status": "NEW",
            "fills": [],
            "selfTradePreventionMode": "EXPIRE_MAKER",
            "preventedMatches": [
                { "preventedMatchId": 0, "makerOrderId": 1, "price": "12.00000000", "makerPreventedQuantity": "1.20000000" },
                { "preventedMatchId": 1, "makerOrderId": 2, "price": "11.00000000", "makerPreventedQuantity": "1.30000000" },
                { "preventedMatchId": 2, "makerOrderId": 3, "price": "10.00000000", "makerPreventedQuantity": "8.10000000" },
            ],
        }),
    );
    let frames = stage.frames();
    let prevented: Vec<_> = frames.iter().filter(|f| f["x"] == "TRADE_PREVENTION").collect();
    assert_eq!(prevented.len(), 3);
    assert_fields(prevented[0], &format!("{REPORT} W v A B u U Cs pl pL pY"));
    assert_has(
        prevented[0],
        json!({
            "X": "EXPIRED_IN_MATCH", "c": "a", "v": 0, "A": "1.20000000", "B": "1.20000000", "U": 4, "Cs": "BTCUSDT",
            "pL": "12.00000000", "w": false,
        }),
    );
    let found = stage.ok(OrderQuery, "origClientOrderId=b");
    assert_has(
        &found,
        json!({ "status": "EXPIRED_IN_MATCH", "preventedMatchId": 1, "preventedQuantity": "1.30000000" }),
    );
    let matches = stage.ok(MyPreventedMatches, "orderId=4");
    assert_eq!(matches.as_array().unwrap().len(), 3);
    assert_fields(
        &matches[0],
        "symbol preventedMatchId takerOrderId makerSymbol makerOrderId tradeGroupId selfTradePreventionMode price \
         makerPreventedQuantity transactTime",
    );
    assert_eq!(stage.ok(MyPreventedMatches, "preventedMatchId=1")[0]["makerOrderId"], 2);
}

#[test]
fn stp_expire_taker_expire_both_and_decrement() {
    for (mode, maker, taker) in [
        ("EXPIRE_TAKER", ("NEW", "6.00000000"), ("EXPIRED_IN_MATCH", Some("2.00000000"))),
        ("EXPIRE_BOTH", ("EXPIRED_IN_MATCH", "6.00000000"), ("EXPIRED_IN_MATCH", Some("2.00000000"))),
        ("DECREMENT", ("NEW", "6.00000000"), ("EXPIRED_IN_MATCH", Some("2.00000000"))),
    ] {
        let mut stage = Stage::silent(super::stage::rules());
        stage.book("", "");
        stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=6&price=20&newClientOrderId=maker");
        stage.frames();
        let placed = stage.place(&format!(
            "side=SELL&type=LIMIT&timeInForce=GTC&quantity=2&price=20&selfTradePreventionMode={mode}&newClientOrderId=taker"
        ));
        assert_eq!(placed["status"], taker.0, "{mode}");
        assert_eq!(placed["preventedQuantity"].as_str(), taker.1, "{mode}");
        let found = stage.ok(OrderQuery, "origClientOrderId=maker");
        assert_eq!((found["status"].as_str().unwrap(), found["origQty"].as_str().unwrap()), maker, "{mode}");
        let frames = stage.frames();
        let of_maker: Vec<_> = frames.iter().filter(|f| f["c"] == "maker").collect();
        match mode {
            "DECREMENT" => {
                assert_has(&found, json!({ "preventedQuantity": "2.00000000", "preventedMatchId": 0 }));
                assert_has(
                    of_maker[0],
                    json!({ "x": "TRADE_PREVENTION", "X": "NEW", "A": "2.00000000", "w": true }),
                );
            }
            "EXPIRE_BOTH" => {
                assert_has(of_maker[0], json!({ "x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH" }))
            }
            _ => assert!(of_maker.is_empty(), "{of_maker:?}"),
        }
    }
}

#[test]
fn a_trailing_stop_is_active_from_its_beginning_without_a_stop_price() {
    let mut stage = Stage::new();
    let placed = stage.place(
        "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=90&trailingDelta=100&newClientOrderId=t&newOrderRespType=RESULT",
    );
    assert_has(
        &placed,
        json!({ "trailingDelta": 100, "trailingTime": START + 3, "stopPrice": "0.00000000" }),
    );
    assert_has(&stage.frames()[0], json!({ "d": 100, "D": START + 3, "w": false }));
    stage.trade("110", "1", Side::Buy);
    assert_eq!(stage.news(), "");
    stage.trade("108.9", "1", Side::Sell);
    let frames = stage.frames();
    assert_has(
        &frames[0],
        json!({ "x": "NEW", "X": "NEW", "c": "t", "w": true, "W": stage.now.millis(), "D": START + 3 }),
    );
}

#[test]
fn a_trailing_stop_with_a_stop_price_is_active_once_that_is_reached() {
    let mut stage = Stage::new();
    stage.place("side=SELL&type=TAKE_PROFIT&quantity=1&stopPrice=105&trailingDelta=100&newClientOrderId=t");
    assert_has(
        &stage.ok(OrderQuery, "orderId=1"),
        json!({ "trailingTime": -1, "stopPrice": "105.00000000" }),
    );
    stage.trade("104.99", "1", Side::Buy);
    assert_eq!(stage.ok(OrderQuery, "orderId=1")["trailingTime"], -1);
    stage.trade("105", "1", Side::Buy);
    let since = stage.now.millis();
    assert_eq!(stage.ok(OrderQuery, "orderId=1")["trailingTime"], since);
    stage.book("103 5", "106 1");
    stage.frames();
    stage.trade("103.95", "1", Side::Sell);
    assert_has(&stage.frames()[0], json!({ "x": "NEW", "c": "t", "D": since }));
    assert_eq!(stage.ok(OrderQuery, "orderId=1")["status"], "FILLED");
}

#[test]
fn a_stop_that_triggers_is_told_as_new_once_more_and_then_trades() {
    let mut stage = Stage::new();
    stage.place("side=SELL&type=STOP_LOSS&quantity=1&stopPrice=95&newClientOrderId=s");
    stage.book("94.9 1", "96 1");
    stage.frames();
    stage.trade("95", "1", Side::Sell);
    assert_eq!(stage.news(), "NEW NEW s | TRADE FILLED s 1@94.9 | balances BTC,USDT");
    assert_has(&stage.ok(OrderQuery, "orderId=1"), json!({ "status": "FILLED", "isWorking": true }));
    assert_eq!(stage.balance("BTC"), (d("9"), d("0")));
}

#[test]
fn the_answer_to_an_order_is_given_before_the_stops_that_it_sets_off() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=TAKE_PROFIT&quantity=0.5&stopPrice=98&newClientOrderId=stop");
    stage.book("97.99 0.5", "");
    let placed =
        stage.place("side=SELL&type=LIMIT&timeInForce=GTC&quantity=1&price=97&newClientOrderId=mine");
    assert_has(&placed, json!({ "status": "PARTIALLY_FILLED", "executedQty": "0.50000000" }));
    assert_eq!(placed["fills"].as_array().unwrap().len(), 1);
    let found = stage.ok(OrderQuery, "origClientOrderId=mine");
    assert_has(&found, json!({ "status": "FILLED", "executedQty": "1.00000000" }));
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=stop")["status"], "FILLED");
}
