//! `rest-api.md`, "Trading endpoints" and "Account endpoints".

use super::stage::{START, Stage, assert_fields, assert_has, d};
use paper_exchange::endpoint::Endpoint::{
    AllOrders, MyTrades, OpenOrders, OpenOrdersCancel, OrderAmend, OrderAmendments, OrderCancel, OrderPlace,
    OrderQuery, OrderTest,
};
use serde_json::json;

const RESULT: &str = "symbol orderId orderListId clientOrderId transactTime price origQty executedQty \
    origQuoteOrderQty cummulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode";
const CANCELED: &str = "symbol origClientOrderId orderId orderListId clientOrderId transactTime price origQty \
    executedQty origQuoteOrderQty cummulativeQuoteQty status timeInForce type side selfTradePreventionMode";
const FOUND: &str = "symbol orderId orderListId clientOrderId price origQty executedQty cummulativeQuoteQty status \
    timeInForce type side stopPrice icebergQty time updateTime isWorking workingTime origQuoteOrderQty \
    selfTradePreventionMode";

const LIMIT: &str = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&newClientOrderId=mine";

#[test]
fn new_order_ack_result_full() {
    let mut stage = Stage::new();
    let ack = stage.place(&format!("{LIMIT}&newOrderRespType=ACK"));
    assert_fields(&ack, "symbol orderId orderListId clientOrderId transactTime");
    assert_has(
        &ack,
        json!({ "orderId": 1, "orderListId": -1, "clientOrderId": "mine", "transactTime": START + 3 }),
    );
    let second = LIMIT.replace("mine", "second");
    let result = stage.place(&format!("{second}&newOrderRespType=RESULT"));
    assert_fields(&result, RESULT);
    assert_has(
        &result,
        json!({ "price": "99.00000000", "origQty": "1.00000000", "status": "NEW", "type": "LIMIT" }),
    );
    let full = stage.place(&LIMIT.replace("mine", "third"));
    assert_fields(&full, &format!("{RESULT} fills"));
    assert_eq!(full["fills"], json!([]));
}

#[test]
fn new_order_market_and_limit_default_to_full_the_others_to_ack() {
    let mut stage = Stage::new();
    let market = stage.place("side=BUY&type=MARKET&quantity=0.5");
    assert_fields(&market, &format!("{RESULT} fills"));
    for query in [
        "side=BUY&type=LIMIT_MAKER&quantity=1&price=99",
        "side=SELL&type=STOP_LOSS&quantity=1&stopPrice=90",
        "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=89&stopPrice=90",
        "side=SELL&type=TAKE_PROFIT&quantity=1&stopPrice=110",
        "side=SELL&type=TAKE_PROFIT_LIMIT&timeInForce=GTC&quantity=1&price=110&stopPrice=110",
    ] {
        assert_fields(&stage.place(query), "symbol orderId orderListId clientOrderId transactTime");
    }
}

#[test]
fn new_order_full_of_a_market_order_lists_its_fills() {
    let mut stage = Stage::new();
    let placed = stage.place("side=BUY&type=MARKET&quantity=1.5&newClientOrderId=m");
    assert_has(
        &placed,
        json!({
            "status": "FILLED",
            "price": "0.00000000",
            "executedQty": "1.50000000",
            "cummulativeQuoteQty": "150.02000000",
            "fills": [
                { "price": "100.01000000", "qty": "1.00000000", "commission": "0.00100000", "commissionAsset": "BTC", "tradeId": 1 },
                { "price": "100.02000000", "qty": "0.50000000", "commission": "0.00050000", "commissionAsset": "BTC", "tradeId": 2 },
            ],
        }),
    );
    assert_eq!(
        stage.news(),
        "NEW NEW m | TRADE PARTIALLY_FILLED m 1@100.01 | TRADE FILLED m 0.5@100.02 | balances USDT,BTC"
    );
    assert_eq!(stage.balance("USDT"), (d("99849.98"), d("0")));
    assert_eq!(stage.balance("BTC"), (d("11.4985"), d("0")));
}

#[test]
fn new_order_market_by_its_quote_quantity_spends_no_more() {
    let mut stage = Stage::new();
    let placed = stage.place("side=BUY&type=MARKET&quoteOrderQty=50&newClientOrderId=m");
    assert_has(&placed, json!({ "origQuoteOrderQty": "50.00000000", "status": "FILLED" }));
    assert_eq!(placed["origQty"], placed["executedQty"]);
    assert!(d(placed["cummulativeQuoteQty"].as_str().unwrap()) <= d("50"));
}

#[test]
fn test_new_order_changes_nothing() {
    let mut stage = Stage::new();
    assert_eq!(stage.ok(OrderTest, LIMIT), json!({}));
    assert_eq!(stage.news(), "");
    let rates = stage.ok(OrderTest, &format!("{LIMIT}&computeCommissionRates=true"));
    assert_fields(
        &rates,
        "standardCommissionForOrder specialCommissionForOrder taxCommissionForOrder discount",
    );
    assert_eq!(rates["standardCommissionForOrder"], json!({ "maker": "0.00100000", "taker": "0.00100000" }));
    assert_eq!(stage.refused(OrderQuery, "origClientOrderId=mine"), "-2013 Order does not exist.");
}

#[test]
fn query_order_by_number_and_by_name() {
    let mut stage = Stage::new();
    stage.place(LIMIT);
    let found = stage.ok(OrderQuery, "orderId=1");
    assert_fields(&found, FOUND);
    assert_has(
        &found,
        json!({
            "clientOrderId": "mine",
            "status": "NEW",
            "isWorking": true,
            "time": START + 3,
            "updateTime": START + 3,
            "workingTime": START + 3,
            "stopPrice": "0.00000000",
            "icebergQty": "0.00000000",
        }),
    );
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=mine"), found);
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=mine&orderId=1"), found);
}

#[test]
fn conditional_fields_in_order_responses() {
    let mut stage = Stage::new();
    stage.place(
        "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=89&stopPrice=90&strategyId=7&\
         strategyType=1000000&icebergQty=0.5&trailingDelta=100&newClientOrderId=s",
    );
    let found = stage.ok(OrderQuery, "origClientOrderId=s");
    assert_fields(&found, &format!("{FOUND} trailingDelta trailingTime strategyId strategyType"));
    assert_has(
        &found,
        json!({
            "isWorking": false,
            "workingTime": -1,
            "trailingTime": -1,
            "trailingDelta": 100,
            "stopPrice": "90.00000000",
            "icebergQty": "0.50000000",
            "strategyId": 7,
            "strategyType": 1_000_000,
        }),
    );
    let frame = stage.frames().remove(0);
    assert_has(
        &frame,
        json!({ "d": 100, "j": 7, "J": 1_000_000, "w": false, "P": "90.00000000", "F": "0.50000000" }),
    );
    assert!(frame.get("W").is_none() && frame.get("D").is_none(), "{frame:#}");
}

#[test]
fn cancel_order_has_a_name_of_its_own() {
    let mut stage = Stage::new();
    stage.place(LIMIT);
    let canceled = stage.ok(OrderCancel, "origClientOrderId=mine&newClientOrderId=away");
    assert_fields(&canceled, CANCELED);
    assert_has(
        &canceled,
        json!({ "origClientOrderId": "mine", "clientOrderId": "away", "status": "CANCELED" }),
    );
    let frames = stage.frames();
    assert_has(&frames[2], json!({ "x": "CANCELED", "X": "CANCELED", "c": "away", "C": "mine", "w": false }));
    assert_eq!(stage.balance("USDT"), (d("100000"), d("0")));
    assert_eq!(stage.refused(OrderCancel, "orderId=1"), "-2011 Unknown order sent.");
    // Its name is free again.
    stage.place(LIMIT);
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=mine")["orderId"], 2);
}

#[test]
fn regarding_cancel_restrictions() {
    let mut stage = Stage::new();
    stage.place(&LIMIT.replace("price=99", "price=100.01").replace("quantity=1", "quantity=2"));
    let partly = "orderId=1&cancelRestrictions=";
    assert_eq!(
        stage.refused(OrderCancel, &format!("{partly}ONLY_NEW")),
        "-2011 Order was not canceled due to cancel restrictions."
    );
    assert_eq!(stage.refused(OrderCancel, &format!("{partly}NOW")), "-1145 Invalid cancelRestrictions");
    assert_has(
        &stage.ok(OrderCancel, &format!("{partly}ONLY_PARTIALLY_FILLED")),
        json!({ "executedQty": "1.00000000" }),
    );
}

#[test]
fn cancel_all_open_orders_on_a_symbol() {
    let mut stage = Stage::new();
    assert_eq!(stage.refused(OpenOrdersCancel, ""), "-2011 Unknown order sent.");
    stage.place(LIMIT);
    stage.ok(
        paper_exchange::endpoint::Endpoint::OcoPlace,
        "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90",
    );
    assert_eq!(stage.ok(OpenOrders, "").as_array().unwrap().len(), 3);
    let all = stage.ok(OpenOrdersCancel, "");
    assert_fields(&all[0], CANCELED);
    assert_has(&all[1], json!({ "contingencyType": "OCO", "listStatusType": "ALL_DONE" }));
    assert_eq!(all[1]["orderReports"].as_array().unwrap().len(), 2);
    assert_eq!(stage.ok(OpenOrders, ""), json!([]));
    assert_eq!(stage.balance("BTC"), (d("10"), d("0")));
}

#[test]
fn current_open_orders_of_all_symbols() {
    let mut stage = Stage::new();
    stage.place(LIMIT);
    let open = stage.raw(OpenOrders, "").unwrap();
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_fields(&open[0], FOUND);
}

#[test]
fn all_orders_by_number_time_and_limit() {
    let mut stage = Stage::new();
    for n in 1..=5 {
        stage.place(&LIMIT.replace("mine", &format!("o{n}")));
    }
    let numbers = |stage: &mut Stage, query: &str| -> Vec<i64> {
        stage
            .ok(AllOrders, query)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["orderId"].as_i64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&mut stage, ""), [1, 2, 3, 4, 5]);
    assert_eq!(numbers(&mut stage, "limit=2"), [4, 5]);
    assert_eq!(numbers(&mut stage, "orderId=2&limit=2"), [2, 3]);
    let (from, to) = (START + 4, START + 6);
    assert_eq!(numbers(&mut stage, &format!("startTime={from}&endTime={to}")), [2, 3, 4]);
    assert_eq!(numbers(&mut stage, &format!("startTime={from}000&endTime={to}000")), [2, 3, 4]);
}

#[test]
fn account_trade_list_by_order_number_and_time() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=MARKET&quantity=1.5");
    stage.book("99.99 1", "100.01 1");
    stage.place("side=SELL&type=MARKET&quantity=0.5");
    let all = stage.ok(MyTrades, "");
    assert_fields(
        &all[0],
        "symbol id orderId orderListId price qty quoteQty commission commissionAsset time isBuyer isMaker isBestMatch",
    );
    let ids = |stage: &mut Stage, query: &str| -> Vec<i64> {
        stage.ok(MyTrades, query).as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&mut stage, ""), [1, 2, 3]);
    assert_eq!(ids(&mut stage, "orderId=1"), [1, 2]);
    assert_eq!(ids(&mut stage, "orderId=1&fromId=2"), [2]);
    assert_eq!(ids(&mut stage, "fromId=2"), [2, 3]);
    assert_eq!(ids(&mut stage, "limit=1"), [3]);
    assert_eq!(ids(&mut stage, &format!("startTime={}", START + 4)), [3]);
    assert_has(
        &all[2],
        json!({ "isBuyer": false, "quoteQty": "49.99500000", "commission": "0.04999500", "commissionAsset": "USDT" }),
    );
}

#[test]
fn order_amend_keep_priority() {
    let mut stage = Stage::new();
    stage.place(LIMIT);
    stage.frames();
    let amended = stage.ok(OrderAmend, "orderId=1&newQty=0.4&newClientOrderId=less");
    assert_fields(&amended, "transactTime executionId amendedOrder");
    assert_fields(
        &amended["amendedOrder"],
        "symbol orderId orderListId origClientOrderId clientOrderId price qty executedQty preventedQty quoteOrderQty \
         cumulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode",
    );
    assert_has(
        &amended["amendedOrder"],
        json!({ "origClientOrderId": "mine", "clientOrderId": "less", "qty": "0.40000000" }),
    );
    let frame = stage.frames().remove(0);
    assert_has(
        &frame,
        json!({ "x": "REPLACED", "X": "NEW", "c": "less", "C": "mine", "q": "0.40000000", "I": amended["executionId"] }),
    );
    assert_eq!(stage.balance("USDT"), (d("99960.4"), d("39.6")));
    let amendments = stage.ok(OrderAmendments, "orderId=1");
    assert_fields(
        &amendments[0],
        "symbol orderId executionId origClientOrderId newClientOrderId origQty newQty time",
    );
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=less")["orderId"], 1);
    assert!(stage.refused(OrderAmend, "orderId=1&newQty=0.5").starts_with("-2038 "));
    assert!(stage.refused(OrderAmend, "orderId=1&newQty=0.4").starts_with("-2038 "));
}

#[test]
fn a_name_of_another_program_comes_back_as_it_was() {
    let mut stage = Stage::new();
    let placed = stage.place(&LIMIT.replace("mine", "x-A/b:c.d_e"));
    assert_eq!(placed["clientOrderId"], "x-A/b:c.d_e");
    assert_eq!(stage.frames()[0]["c"], "x-A/b:c.d_e");
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=x-A/b:c.d_e")["orderId"], 1);
    // Without one the exchange finds one.
    let placed = stage.call(OrderPlace, "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99").unwrap();
    assert_eq!(placed["clientOrderId"].as_str().unwrap().len(), 22);
}
