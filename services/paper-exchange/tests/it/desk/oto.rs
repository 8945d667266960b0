//! `rest-api.md`, "New Order list - OTO", "- OTOCO", "- OPO", "- OPOCO"; `user-data-stream.md`.

use super::stage::{START, Stage, assert_fields, assert_has, d};
use domain::Side;
use paper_exchange::endpoint::Endpoint::{
    self, AllOrders, ListCancel, ListQuery, ListsAll, ListsOpen, MyTrades, OpenOrders, OpenOrdersCancel,
    OpoPlace, OpocoPlace, OrderAmend, OrderCancel, OrderPlace, OrderQuery, OtoPlace, OtocoPlace,
};
use serde_json::{Value, json};

const LIST: &str = "orderListId contingencyType listStatusType listOrderStatus listClientOrderId transactionTime symbol orders orderReports";

const WORKING: &str = "listClientOrderId=list&workingType=LIMIT&workingSide=BUY&workingPrice=99&workingQuantity=2&\
    workingTimeInForce=GTC&workingClientOrderId=work";

const OCO: &str = "pendingSide=SELL&pendingAboveType=LIMIT_MAKER&pendingAbovePrice=110&\
    pendingAboveClientOrderId=gain&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=90&\
    pendingBelowClientOrderId=stop";

fn oto() -> String {
    format!(
        "{WORKING}&pendingType=LIMIT&pendingSide=SELL&pendingQuantity=2&pendingPrice=110&\
         pendingTimeInForce=GTC&pendingClientOrderId=next"
    )
}

fn otoco() -> String {
    format!("{WORKING}&{OCO}&pendingQuantity=2")
}

fn status(stage: &mut Stage, id: &str) -> String {
    let order = stage.ok(OrderQuery, &format!("origClientOrderId={id}"));
    let reason =
        order.get("expiryReason").map_or(String::new(), |reason| format!(" {}", reason.as_str().unwrap()));
    format!("{}{reason}", order["status"].as_str().unwrap())
}

#[test]
fn new_order_list_oto() {
    let mut stage = Stage::new();
    let placed = stage.ok(OtoPlace, &oto());
    assert_fields(&placed, LIST);
    assert_has(
        &placed,
        json!({
            "orderListId": 1,
            "contingencyType": "OTO",
            "listStatusType": "EXEC_STARTED",
            "listOrderStatus": "EXECUTING",
            "listClientOrderId": "list",
            "transactionTime": START + 3,
            "orders": [
                { "symbol": "BTCUSDT", "orderId": 1, "clientOrderId": "work" },
                { "symbol": "BTCUSDT", "orderId": 2, "clientOrderId": "next" },
            ],
        }),
    );
    const ORDER: &str = "symbol orderId orderListId clientOrderId transactTime price origQty executedQty \
        origQuoteOrderQty cummulativeQuoteQty status timeInForce type side workingTime selfTradePreventionMode";
    let reports = placed["orderReports"].as_array().unwrap();
    assert_fields(&reports[0], ORDER);
    assert_fields(&reports[1], ORDER);
    assert_has(&reports[0], json!({ "status": "NEW", "workingTime": START + 3 }));
    assert_has(
        &reports[1],
        json!({ "status": "PENDING_NEW", "workingTime": -1, "origQty": "2.00000000", "price": "110.00000000" }),
    );
    let frames = stage.frames();
    let news: Vec<_> = frames.iter().map(|f| f["e"].as_str().unwrap()).collect();
    assert_eq!(news, ["executionReport", "executionReport", "listStatus", "outboundAccountPosition"]);
    assert_has(&frames[1], json!({ "x": "NEW", "X": "PENDING_NEW", "c": "next", "w": false, "g": 1 }));
    assert!(frames[1].get("W").is_none());
    assert_has(&frames[2], json!({ "c": "OTO", "l": "EXEC_STARTED", "L": "EXECUTING", "C": "list" }));
    assert_eq!(stage.balance("USDT"), (d("99802"), d("198")));
    assert_eq!(stage.balance("BTC"), (d("10"), d("0")));
    assert_eq!(stage.raw(OpenOrders, "").unwrap().as_array().unwrap().len(), 2);
}

#[test]
fn a_working_order_that_is_partly_filled_leaves_the_rest_waiting() {
    let mut stage = Stage::new();
    stage.ok(OtoPlace, &oto());
    stage.frames();
    stage.trade("99", "1.5", Side::Sell);
    assert_eq!(stage.news(), "TRADE PARTIALLY_FILLED work 1.5@99 | balances USDT,BTC");
    assert_eq!(status(&mut stage, "next"), "PENDING_NEW");
    stage.trade("99", "0.5", Side::Sell);
    let frames = stage.frames();
    assert_has(
        &frames[1],
        json!({ "x": "NEW", "X": "NEW", "c": "next", "w": true, "W": stage.now.millis() }),
    );
    assert_eq!(stage.balance("BTC"), (d("9.998"), d("2")));
    let next = stage.ok(OrderQuery, "origClientOrderId=next");
    assert_has(&next, json!({ "status": "NEW", "isWorking": true, "workingTime": stage.now.millis() - 1 }));
    // The list goes on as long as what it has placed does.
    assert_eq!(stage.raw(ListsOpen, "").unwrap().as_array().unwrap().len(), 1);
    stage.trade("111", "5", Side::Buy);
    assert_eq!(stage.news(), "TRADE FILLED next 2@110 | list ALL_DONE ALL_DONE | balances BTC,USDT");
    assert_eq!(stage.raw(ListsOpen, "").unwrap(), json!([]));
}

#[test]
fn new_order_list_otoco_ends_as_its_oco_does() {
    let mut stage = Stage::new();
    let placed = stage.ok(OtocoPlace, &otoco());
    assert_has(&placed, json!({ "contingencyType": "OTO" }));
    let statuses: Vec<_> =
        placed["orderReports"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["NEW", "PENDING_NEW", "PENDING_NEW"]);
    assert_eq!(
        stage.news(),
        "NEW NEW work | NEW PENDING_NEW gain | NEW PENDING_NEW stop | list EXEC_STARTED EXECUTING | balances USDT"
    );
    stage.trade("99", "2", Side::Sell);
    assert_eq!(stage.news(), "TRADE FILLED work 2@99 | NEW NEW gain | NEW NEW stop | balances USDT,BTC");
    stage.book("89.5 5", "100.01 1");
    stage.trade("89.9", "1", Side::Sell);
    assert_eq!(
        stage.news(),
        "EXPIRED EXPIRED gain | NEW NEW stop | TRADE FILLED stop 2@89.5 | list ALL_DONE ALL_DONE | balances BTC,USDT"
    );
    assert_eq!(status(&mut stage, "gain"), "EXPIRED OCO_TRIGGER");
}

#[test]
fn a_working_order_that_is_filled_at_once_is_answered_with_the_rest_still_waiting() {
    let mut stage = Stage::new();
    let query = oto()
        .replace("workingPrice=99", "workingPrice=101")
        .replace("pendingType=LIMIT", "pendingType=MARKET");
    let query = query.replace("&pendingPrice=110", "").replace("&pendingTimeInForce=GTC", "");
    let placed = stage.ok(OtoPlace, &format!("{query}&newOrderRespType=FULL"));
    assert_has(&placed["orderReports"][0], json!({ "status": "FILLED" }));
    assert_has(
        &placed["orderReports"][1],
        json!({ "status": "PENDING_NEW", "fills": [], "executedQty": "0.00000000" }),
    );
    assert_eq!(
        stage.news(),
        "NEW NEW work | NEW PENDING_NEW next | list EXEC_STARTED EXECUTING | TRADE PARTIALLY_FILLED work 1@100.01 | \
         TRADE FILLED work 1@100.02 | NEW NEW next | TRADE PARTIALLY_FILLED next 1@99.99 | \
         TRADE FILLED next 1@99.98 | list ALL_DONE ALL_DONE | balances USDT,BTC"
    );
    assert_eq!(status(&mut stage, "next"), "FILLED");
    assert_eq!(stage.ok(MyTrades, "orderId=2").as_array().unwrap().len(), 2);
}

#[test]
fn a_working_order_that_expires_ends_the_list_and_says_which_of_both_is_why() {
    let mut stage = Stage::new();
    let query = otoco().replace("workingTimeInForce=GTC", "workingTimeInForce=FOK");
    let placed = stage.ok(OtocoPlace, &query);
    assert_has(&placed, json!({ "listStatusType": "ALL_DONE", "listOrderStatus": "ALL_DONE" }));
    let reasons: Vec<_> = placed["orderReports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["expiryReason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, ["UNFILLED_FOK_ORDER_EXPIRED", "OTO_PHASE_ONE_EXPIRED", "OTO_PHASE_ONE_EXPIRED"]);
    assert_eq!(
        stage.news(),
        "NEW NEW work | NEW PENDING_NEW gain | NEW PENDING_NEW stop | list EXEC_STARTED EXECUTING | \
         EXPIRED EXPIRED work | EXPIRED EXPIRED gain | EXPIRED EXPIRED stop | list ALL_DONE ALL_DONE"
    );
    assert_eq!(stage.raw(OpenOrders, "").unwrap(), json!([]));
    assert_eq!(stage.balance("USDT"), (d("100000"), d("0")));
}

#[test]
fn an_order_list_is_canceled_by_its_names_and_by_each_of_its_orders_whether_placed_or_not() {
    for (endpoint, query) in [
        (ListCancel, "orderListId=1"),
        (ListCancel, "listClientOrderId=list"),
        (OrderCancel, "origClientOrderId=work"),
        (OrderCancel, "origClientOrderId=stop"),
        (OrderCancel, "orderId=2"),
    ] {
        let mut stage = Stage::new();
        stage.ok(OtocoPlace, &otoco());
        stage.frames();
        let canceled = stage.ok(endpoint, &format!("{query}&newClientOrderId=away"));
        assert_fields(&canceled, LIST);
        assert_has(&canceled, json!({ "listStatusType": "ALL_DONE", "listOrderStatus": "ALL_DONE" }));
        assert_eq!(canceled["orderReports"].as_array().unwrap().len(), 3);
        let away = "CANCELED CANCELED away";
        assert_eq!(
            stage.news(),
            format!("{away} | {away} | {away} | list ALL_DONE ALL_DONE | balances USDT")
        );
        assert_eq!(stage.balance("USDT"), (d("100000"), d("0")));
        for id in ["work", "gain", "stop"] {
            assert_eq!(status(&mut stage, id), "CANCELED");
        }
        assert_eq!(stage.refused(ListCancel, "orderListId=1"), "-2011 Unknown order sent.");
    }
    // What was filled stays filled, and is not part of the answer.
    let mut stage = Stage::new();
    stage.ok(OtocoPlace, &otoco());
    stage.trade("99", "2", Side::Sell);
    let canceled = stage.ok(ListCancel, "orderListId=1");
    assert_eq!(canceled["orders"].as_array().unwrap().len(), 3);
    let names: Vec<_> = canceled["orderReports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["origClientOrderId"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["gain", "stop"]);
    assert_eq!(stage.balance("BTC"), (d("11.998"), d("0")));
}

#[test]
fn all_open_orders_of_a_symbol_are_canceled_with_a_list_in_one_piece() {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=90&newClientOrderId=plain");
    stage.ok(OtoPlace, &oto());
    let canceled = stage.ok(OpenOrdersCancel, "");
    let kinds: Vec<bool> =
        canceled.as_array().unwrap().iter().map(|a| a.get("orderReports").is_some()).collect();
    assert_eq!(kinds, [false, true]);
    assert_eq!(stage.raw(OpenOrders, "").unwrap(), json!([]));
}

#[test]
fn a_partly_filled_working_order_that_is_canceled_leaves_what_it_bought_free() {
    let mut stage = Stage::new();
    stage.ok(OtoPlace, &oto());
    stage.trade("99", "1.5", Side::Sell);
    stage.frames();
    stage.ok(OrderCancel, "origClientOrderId=next&newClientOrderId=away");
    assert_eq!(
        stage.news(),
        "CANCELED CANCELED away | CANCELED CANCELED away | list ALL_DONE ALL_DONE | balances USDT"
    );
    assert_eq!(stage.balance("BTC"), (d("11.4985"), d("0")));
    let work = stage.ok(OrderQuery, "origClientOrderId=work");
    assert_has(&work, json!({ "status": "CANCELED", "executedQty": "1.50000000" }));
}

#[test]
fn a_pending_order_that_cannot_be_placed_expires_as_rejected() {
    let mut stage = Stage::new();
    // It sells more than there will be.
    stage.ok(OtoPlace, &oto().replace("pendingQuantity=2", "pendingQuantity=50"));
    stage.frames();
    stage.trade("99", "2", Side::Sell);
    assert_eq!(
        stage.news(),
        "TRADE FILLED work 2@99 | EXPIRED EXPIRED next | list ALL_DONE ALL_DONE | balances USDT,BTC"
    );
    assert_eq!(status(&mut stage, "next"), "EXPIRED REJECTED");
    // Of an OCO the leg that is at fault, and the other one with it.
    stage.ok(OtocoPlace, &otoco().replace("workingPrice=99", "workingPrice=89"));
    stage.trade("89", "2", Side::Sell);
    assert_eq!(status(&mut stage, "stop"), "EXPIRED REJECTED");
    assert_eq!(status(&mut stage, "gain"), "EXPIRED OCO_TRIGGER");
}

#[test]
fn new_order_list_opo_knows_its_quantity_once_the_working_order_is_filled() {
    let mut stage = Stage::new();
    let query = format!(
        "{WORKING}&pendingType=LIMIT&pendingSide=SELL&pendingPrice=110&pendingTimeInForce=GTC&pendingClientOrderId=next"
    );
    let placed = stage.ok(OpoPlace, &query);
    let pending = &placed["orderReports"][1];
    assert_has(pending, json!({ "status": "PENDING_NEW", "executedQty": "0.00000000" }));
    assert!(pending.get("origQty").is_none(), "{pending:#}");
    assert_has(&stage.frames()[1], json!({ "X": "PENDING_NEW", "q": "0.00000000" }));
    assert_eq!(
        stage.refused(OrderAmend, "origClientOrderId=next&newQty=1"),
        "-2038 Order amend (pending OPO order) is not supported."
    );
    stage.trade("99", "1", Side::Sell);
    assert_eq!(stage.balance("BTC"), (d("9.999"), d("1")));
    stage.trade("99", "1", Side::Sell);
    let frames = stage.frames();
    let placed = frames.iter().find(|f| f["c"] == "next").unwrap();
    assert_has(placed, json!({ "x": "NEW", "X": "NEW", "q": "2.00000000" }));
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=next")["origQty"], "2.00000000");
    assert_eq!(stage.balance("BTC"), (d("9.998"), d("2")));
    let refused = stage.refused(OpoPlace, &query.replace("workingSide=BUY", "workingSide=SELL"));
    assert_eq!(refused, "-1222 Working order in an OPO list must be a bid.");
    let refused =
        stage.refused(OpocoPlace, &format!("{WORKING}&{OCO}").replace("pendingSide=SELL", "pendingSide=BUY"));
    assert_eq!(refused, "-1223 Pending orders in an OPO list must be asks.");
}

#[test]
fn new_order_list_opoco() {
    let mut stage = Stage::new();
    let placed = stage.ok(OpocoPlace, &format!("{WORKING}&{OCO}"));
    assert_eq!(placed["orderReports"].as_array().unwrap().len(), 3);
    stage.trade("99", "2", Side::Sell);
    stage.frames();
    for id in ["gain", "stop"] {
        assert_has(
            &stage.ok(OrderQuery, &format!("origClientOrderId={id}")),
            json!({ "status": "NEW", "origQty": "2.00000000" }),
        );
    }
    assert_eq!(stage.balance("BTC"), (d("9.998"), d("2")));
    stage.trade("111", "2", Side::Buy);
    assert_eq!(stage.balance("BTC"), (d("9.998"), d("0")));
}

#[test]
fn what_is_wrong_with_a_list_is_said_and_nothing_of_it_is_placed() {
    let no = |endpoint: Endpoint, query: &str| {
        let mut stage = Stage::new();
        let no = stage.refused(endpoint, query);
        assert_eq!(stage.news(), "", "{query}");
        no
    };
    for (from, to, expected) in [
        ("workingType=LIMIT", "workingType=MARKET", "-1159 Order type not supported in OTO."),
        (
            "&workingTimeInForce=GTC",
            "",
            "-1102 Mandatory parameter 'workingTimeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            "&workingSide=BUY",
            "",
            "-1102 Mandatory parameter 'workingSide' was not sent, was empty/null, or malformed.",
        ),
        (
            "&workingQuantity=2",
            "",
            "-1102 Mandatory parameter 'workingQuantity' was not sent, was empty/null, or malformed.",
        ),
        (
            "&pendingQuantity=2",
            "",
            "-1102 Mandatory parameter 'pendingQuantity' was not sent, was empty/null, or malformed.",
        ),
        (
            "&pendingPrice=110",
            "",
            "-1102 Mandatory parameter 'pendingPrice' was not sent, was empty/null, or malformed.",
        ),
        (
            "pendingType=LIMIT",
            "pendingType=MARKET",
            "-1106 Parameter 'pendingTimeInForce' sent when not required.",
        ),
        (
            "pendingType=LIMIT",
            "pendingType=STOP_LOSS_LIMIT",
            "-1102 Param 'pendingStopPrice' or 'pendingTrailingDelta' must be sent, but both were empty/null!",
        ),
        (
            "workingPrice=99",
            "workingPrice=99&workingStopPrice=98",
            "-1104 Not all sent parameters were read; read '16' parameter(s) but was sent '17'.",
        ),
        ("pendingQuantity=2", "pendingQuantity=0.000001", "-1013 Filter failure: LOT_SIZE"),
        ("pendingQuantity=2", "pendingQuantity=0.00001", "-1013 Filter failure: NOTIONAL"),
        (
            "workingQuantity=2",
            "workingQuantity=2000",
            "-2010 Account has insufficient balance for requested action.",
        ),
        ("pendingClientOrderId=next", "pendingClientOrderId=work", "-2010 Duplicate order sent."),
        (
            "pendingClientOrderId=next",
            "pendingClientOrderId=list",
            "-1130 Data sent for parameter 'listClientOrderId' is not valid.",
        ),
        (
            "workingType=LIMIT&",
            "workingType=LIMIT_MAKER&",
            "-1106 Parameter 'workingTimeInForce' sent when not required.",
        ),
    ] {
        let query = oto();
        assert!(query.contains(from), "{from}");
        assert_eq!(no(OtoPlace, &query.replacen(from, to, 1)), expected, "{from} → {to}");
    }
    for (from, to, expected) in [
        ("pendingAboveType=LIMIT_MAKER", "pendingAboveType=LIMIT", "-1158 Order type not supported in OCO."),
        (
            "pendingQuantity=2",
            "pendingQuantity=2&pendingTimeInForce=GTC",
            "-1104 Not all sent parameters were read; read '18' parameter(s) but was sent '19'.",
        ),
        (
            "pendingAbovePrice=110",
            "pendingAbovePrice=80",
            "-2010 The relationship of the prices for the orders is not correct.",
        ),
    ] {
        let query = otoco();
        assert!(query.contains(from), "{from}");
        assert_eq!(no(OtocoPlace, &query.replacen(from, to, 1)), expected, "{from} → {to}");
    }
}

#[test]
fn lists_of_either_kind_are_found_and_names_may_be_used_again() {
    let mut stage = Stage::new();
    stage.ok(OtocoPlace, &otoco());
    let list = stage.raw(ListQuery, "origClientOrderId=list").unwrap();
    assert_has(&list, json!({ "contingencyType": "OTO", "listOrderStatus": "EXECUTING" }));
    assert_eq!(list["orders"].as_array().unwrap().len(), 3);
    assert_eq!(stage.refused(OtocoPlace, &otoco()), "-2010 Duplicate order sent.");
    stage.ok(ListCancel, "orderListId=1");
    let again = stage.ok(OtocoPlace, &otoco());
    assert_has(&again, json!({ "orderListId": 2, "listClientOrderId": "list" }));
    let all = stage.raw(ListsAll, "").unwrap();
    let done: Vec<&Value> = all.as_array().unwrap().iter().map(|list| &list["listOrderStatus"]).collect();
    assert_eq!(done, ["ALL_DONE", "EXECUTING"]);
    assert_eq!(stage.ok(AllOrders, "").as_array().unwrap().len(), 6);
    let refused = stage.refused(OrderPlace, "side=SELL&type=MARKET&quantity=1&newClientOrderId=stop");
    assert_eq!(refused, "-2010 Duplicate order sent.");
}

#[test]
fn pending_orders_are_amended_by_themselves() {
    let mut stage = Stage::new();
    stage.ok(OtocoPlace, &otoco());
    stage.frames();
    let amended = stage.ok(OrderAmend, "origClientOrderId=gain&newQty=1&newClientOrderId=less");
    assert_has(&amended["amendedOrder"], json!({ "status": "PENDING_NEW", "qty": "1.00000000" }));
    assert!(amended["amendedOrder"].get("workingTime").is_none());
    assert_has(&amended["listStatus"], json!({ "contingencyType": "OTO", "listOrderStatus": "EXECUTING" }));
    assert_eq!(
        stage.news(),
        "REPLACED PENDING_NEW less | REPLACED PENDING_NEW stop | list UPDATED EXECUTING"
    );
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=work")["origQty"], "2.00000000");
    stage.trade("99", "2", Side::Sell);
    assert_eq!(stage.balance("BTC"), (d("10.998"), d("1")));
}

#[test]
fn a_delisted_symbol_ends_lists_that_wait() {
    let mut stage = Stage::new();
    stage.ok(OtocoPlace, &otoco());
    stage.frames();
    stage.exchange.set_status("BTCUSDT", "BREAK").unwrap();
    assert_eq!(
        stage.news(),
        "EXPIRED EXPIRED work | EXPIRED EXPIRED gain | EXPIRED EXPIRED stop | list ALL_DONE ALL_DONE | balances USDT"
    );
    assert_eq!(status(&mut stage, "gain"), "EXPIRED EXCHANGE_CANCELED");
}

/// Reports of lists and pegged orders are foreign orders to our own client, which reads every one of them.
#[test]
fn our_own_client_reads_every_report_of_a_list() {
    let mut stage = Stage::new();
    stage.ok(OtocoPlace, &otoco());
    stage.trade("99", "2", Side::Sell);
    stage.trade("111", "2", Side::Buy);
    stage.ok(OtoPlace, &oto().replace("workingTimeInForce=GTC", "workingTimeInForce=FOK"));
    stage.ok(OpocoPlace, &format!("{WORKING}&{OCO}&workingPegPriceType=PRIMARY_PEG"));
    stage.ok(ListCancel, "orderListId=3");
    let frames = stage.exchange.take_account_frames();
    let account = "binance:main".parse().unwrap();
    let kinds: Vec<String> = frames
        .iter()
        .flat_map(|frame| {
            let read = venue_binance::frame::parse(account, frame.milli.as_bytes());
            read.unwrap_or_else(|e| panic!("{e}: {}", frame.milli))
        })
        .map(|event| format!("{:?}", event.kind()))
        .collect();
    let count = |kind: &str| kinds.iter().filter(|k| *k == kind).count();
    // Each is accepted when its list is, and again, as the same fact, when it is placed.
    assert_eq!(count("OrderAccepted"), 8 + 2, "{kinds:?}");
    assert_eq!(count("OrderEnded"), 8, "{kinds:?}");
}
