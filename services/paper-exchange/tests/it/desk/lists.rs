//! `rest-api.md`, "Order lists".

use super::stage::{START, Stage, assert_fields, assert_has, d};
use domain::Side;
use paper_exchange::endpoint::Endpoint::{
    ListCancel, ListQuery, ListsAll, ListsOpen, OcoPlace, OcoPlaceOld, OrderAmend, OrderCancel, OrderQuery,
};
use serde_json::{Value, json};

const LIST: &str = "orderListId contingencyType listStatusType listOrderStatus listClientOrderId transactionTime symbol orders";

const OCO: &str = "side=SELL&quantity=1&listClientOrderId=list&aboveType=LIMIT_MAKER&abovePrice=110&\
    aboveClientOrderId=gain&belowType=STOP_LOSS_LIMIT&belowStopPrice=90&belowPrice=89&belowTimeInForce=GTC&\
    belowClientOrderId=stop";

#[test]
fn new_order_list_oco() {
    let mut stage = Stage::new();
    let placed = stage.ok(OcoPlace, OCO);
    assert_fields(&placed, &format!("{LIST} orderReports"));
    assert_has(
        &placed,
        json!({
            "orderListId": 1,
            "contingencyType": "OCO",
            "listStatusType": "EXEC_STARTED",
            "listOrderStatus": "EXECUTING",
            "listClientOrderId": "list",
            "transactionTime": START + 3,
            "orders": [
                { "symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "gain" },
                { "symbol": "BTCUSDT", "orderId": 2, "clientOrderId": "stop" },
            ],
        }),
    );
    assert_has(
        &placed["orderReports"][0],
        json!({ "orderListId": 1, "type": "LIMIT_MAKER", "workingTime": START + 3 }),
    );
    assert_has(
        &placed["orderReports"][1],
        json!({ "stopPrice": "90.00000000", "type": "STOP_LOSS_LIMIT", "workingTime": -1 }),
    );
    assert_eq!(stage.news(), "NEW NEW gain | NEW NEW stop | list EXEC_STARTED EXECUTING | balances BTC");
    assert_eq!(stage.balance("BTC"), (d("9"), d("1")));
}

#[test]
fn new_oco_deprecated() {
    let mut stage = Stage::new();
    let sell = stage.ok(
        OcoPlaceOld,
        "side=SELL&quantity=1&price=110&stopPrice=90&stopLimitPrice=89&stopLimitTimeInForce=GTC",
    );
    let types = |placed: &Value| -> Vec<String> {
        placed["orderReports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["type"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(types(&sell), ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]);
    let buy = stage.ok(
        OcoPlaceOld,
        "side=BUY&quantity=1&price=90&stopPrice=110&limitClientOrderId=gain&stopClientOrderId=stop",
    );
    assert_eq!(types(&buy), ["STOP_LOSS", "LIMIT_MAKER"]);
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=stop")["type"], "STOP_LOSS");
}

#[test]
fn cancel_order_list_by_either_of_its_names_or_one_of_its_orders() {
    for (endpoint, query) in [
        (ListCancel, "orderListId=1"),
        (ListCancel, "listClientOrderId=list"),
        (OrderCancel, "origClientOrderId=gain"),
        (OrderCancel, "orderId=2"),
    ] {
        let mut stage = Stage::new();
        stage.ok(OcoPlace, OCO);
        stage.frames();
        let canceled = stage.ok(endpoint, &format!("{query}&newClientOrderId=away"));
        assert_fields(&canceled, &format!("{LIST} orderReports"));
        assert_has(
            &canceled,
            json!({ "listStatusType": "ALL_DONE", "listOrderStatus": "ALL_DONE", "listClientOrderId": "list" }),
        );
        assert_has(&canceled["orderReports"][0], json!({ "status": "CANCELED", "clientOrderId": "away" }));
        let news = stage.news();
        assert!(
            news.starts_with(
                "CANCELED CANCELED away | CANCELED CANCELED away | list ALL_DONE ALL_DONE | balances BTC"
            ),
            "{news}"
        );
        assert_eq!(stage.balance("BTC"), (d("10"), d("0")));
        assert_eq!(stage.refused(ListCancel, "orderListId=1"), "-2011 Unknown order sent.");
    }
}

#[test]
fn the_limit_leg_fills_and_the_stop_expires() {
    let mut stage = Stage::new();
    stage.ok(OcoPlace, OCO);
    stage.frames();
    stage.trade("111", "5", Side::Buy);
    assert_eq!(
        stage.news(),
        "EXPIRED EXPIRED stop | TRADE FILLED gain 1@110 | list ALL_DONE ALL_DONE | balances BTC,USDT"
    );
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=stop")["expiryReason"], "OCO_TRIGGER");
}

#[test]
fn the_stop_leg_triggers_and_the_limit_expires() {
    let mut stage = Stage::new();
    stage.ok(OcoPlace, OCO);
    stage.book("89.5 5", "100.01 1");
    stage.frames();
    stage.trade("89.9", "1", Side::Sell);
    let frames = stage.frames();
    assert_has(&frames[0], json!({ "x": "EXPIRED", "c": "gain", "eR": "OCO_TRIGGER" }));
    let triggered = frames.iter().find(|f| f["c"] == "stop" && f["x"] == "NEW").unwrap();
    assert_has(triggered, json!({ "X": "NEW", "w": true, "W": stage.now.millis() }));
    let filled = frames.iter().find(|f| f["x"] == "TRADE").unwrap();
    assert_has(filled, json!({ "X": "FILLED", "c": "stop", "L": "89.50000000", "m": false }));
}

#[test]
fn query_order_list_open_and_all() {
    let mut stage = Stage::new();
    stage.ok(OcoPlace, OCO);
    let list = stage.raw(ListQuery, "orderListId=1").unwrap();
    assert_fields(&list, LIST);
    assert_eq!(stage.raw(ListQuery, "origClientOrderId=list").unwrap(), list);
    assert_eq!(stage.raw(ListsOpen, "").unwrap(), json!([list]));
    stage.ok(ListCancel, "orderListId=1");
    assert_eq!(stage.raw(ListsOpen, "").unwrap(), json!([]));
    let done = stage.raw(ListsAll, "fromId=1").unwrap();
    assert_has(&done[0], json!({ "listStatusType": "ALL_DONE", "orderListId": 1 }));
    assert_eq!(stage.raw(ListsAll, "fromId=2").unwrap(), json!([]));
    let no = stage.raw(ListsAll, "fromId=1&startTime=1").unwrap_err();
    assert_eq!(no.code, -1128);
}

#[test]
fn amending_either_order_of_a_list_amends_both() {
    let mut stage = Stage::new();
    stage.ok(OcoPlace, OCO);
    stage.frames();
    let amended = stage.ok(OrderAmend, "origClientOrderId=gain&newQty=0.5&newClientOrderId=less");
    assert_fields(&amended, "transactTime executionId amendedOrder listStatus");
    assert_fields(
        &amended["listStatus"],
        "orderListId contingencyType listOrderStatus listClientOrderId symbol orders",
    );
    let news = stage.news();
    assert!(news.contains("REPLACED NEW less") && news.contains("list UPDATED EXECUTING"), "{news}");
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=stop")["origQty"], "0.50000000");
    assert_eq!(stage.balance("BTC"), (d("9.5"), d("0.5")));
}
