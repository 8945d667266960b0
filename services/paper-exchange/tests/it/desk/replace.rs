//! `rest-api.md`, "Cancel an Existing Order and Send a New Order"; `errors.md`, −2021 and −2022.

use super::stage::{Stage, assert_fields, assert_has};
use paper_exchange::endpoint::Endpoint::{OrderCancelReplace, OrderQuery};
use serde_json::json;

const NEW: &str = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=98&newClientOrderId=new";
/// A maker that would take.
const BAD: &str = "side=BUY&type=LIMIT_MAKER&quantity=1&price=101&newClientOrderId=new";

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.place("side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&newClientOrderId=old");
    stage.frames();
    stage
}

#[test]
fn both_succeed() {
    let mut stage = stage();
    let answer = stage.ok(
        OrderCancelReplace,
        &format!(
            "{NEW}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=old&cancelNewClientOrderId=away"
        ),
    );
    assert_fields(&answer, "cancelResult newOrderResult cancelResponse newOrderResponse");
    assert_has(&answer, json!({ "cancelResult": "SUCCESS", "newOrderResult": "SUCCESS" }));
    assert_has(
        &answer["cancelResponse"],
        json!({ "origClientOrderId": "old", "clientOrderId": "away", "status": "CANCELED" }),
    );
    assert_has(&answer["newOrderResponse"], json!({ "clientOrderId": "new", "status": "NEW", "fills": [] }));
    assert_eq!(stage.news(), "CANCELED CANCELED away | balances USDT | NEW NEW new | balances USDT");
}

#[test]
fn the_cancel_fails_with_stop_on_failure() {
    let mut stage = stage();
    let query = format!("symbol=BTCUSDT&{NEW}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=9");
    let no = stage.raw(OrderCancelReplace, &query).unwrap_err();
    assert_eq!((no.status, no.code, no.msg.as_str()), (400, -2022, "Order cancel-replace failed."));
    assert_eq!(
        no.data.unwrap(),
        json!({
            "cancelResult": "FAILURE",
            "newOrderResult": "NOT_ATTEMPTED",
            "cancelResponse": { "code": -2011, "msg": "Unknown order sent." },
            "newOrderResponse": null,
        })
    );
    assert_eq!(stage.news(), "");
}

#[test]
fn the_cancel_fails_with_allow_failure() {
    let mut stage = stage();
    let query = format!("symbol=BTCUSDT&{NEW}&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=9");
    let no = stage.raw(OrderCancelReplace, &query).unwrap_err();
    assert_eq!((no.status, no.code, no.msg.as_str()), (409, -2021, "Order cancel-replace partially failed."));
    let data = no.data.unwrap();
    assert_has(&data, json!({ "cancelResult": "FAILURE", "newOrderResult": "SUCCESS" }));
    assert_eq!(data["newOrderResponse"]["clientOrderId"], "new");
    assert_eq!(stage.news(), "NEW NEW new | balances USDT");
}

#[test]
fn the_new_order_fails_after_the_cancel() {
    let mut stage = stage();
    let query = format!("symbol=BTCUSDT&{BAD}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=old");
    let no = stage.raw(OrderCancelReplace, &query).unwrap_err();
    assert_eq!((no.status, no.code), (409, -2021));
    let data = no.data.unwrap();
    assert_has(
        &data,
        json!({
            "cancelResult": "SUCCESS",
            "newOrderResult": "FAILURE",
            "newOrderResponse": { "code": -2010, "msg": "Order would immediately match and take." },
        }),
    );
    let frames = stage.frames();
    let rejected = frames.last().unwrap();
    assert_has(
        rejected,
        json!({ "x": "REJECTED", "X": "REJECTED", "r": "WOULD_MATCH_IMMEDIATELY", "c": "new" }),
    );
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=old")["status"], "CANCELED");
}

#[test]
fn both_fail() {
    let mut stage = stage();
    let query = format!("symbol=BTCUSDT&{BAD}&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=9");
    let no = stage.raw(OrderCancelReplace, &query).unwrap_err();
    assert_eq!((no.status, no.code), (400, -2022));
    assert_has(
        &no.data.unwrap(),
        json!({
            "cancelResult": "FAILURE",
            "newOrderResult": "FAILURE",
            "cancelResponse": { "code": -2011, "msg": "Unknown order sent." },
            "newOrderResponse": { "code": -2010, "msg": "Order would immediately match and take." },
        }),
    );
}

#[test]
fn filters_are_evaluated_before_anything_is_canceled() {
    let mut stage = stage();
    let query = format!(
        "{}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=old",
        NEW.replace("98", "98.001")
    );
    assert_eq!(stage.refused(OrderCancelReplace, &query), "-1013 Filter failure: PRICE_FILTER");
    assert_eq!(stage.ok(OrderQuery, "origClientOrderId=old")["status"], "NEW");
}

#[test]
fn cancel_restrictions_hold_here_too() {
    let mut stage = stage();
    let query = format!(
        "symbol=BTCUSDT&{NEW}&cancelReplaceMode=STOP_ON_FAILURE&cancelOrderId=1&cancelRestrictions=ONLY_PARTIALLY_FILLED"
    );
    let no = stage.raw(OrderCancelReplace, &query).unwrap_err();
    assert_eq!(
        no.data.unwrap()["cancelResponse"]["msg"],
        "Order was not canceled due to cancel restrictions."
    );
}
