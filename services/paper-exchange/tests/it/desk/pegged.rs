//! `faqs/pegged_orders.md`; `rest-api.md`, "Notes on using parameters for Pegged Orders".

use super::stage::{Stage, assert_fields, assert_has, d, rules};
use domain::Side;
use paper_exchange::endpoint::Endpoint::{
    ExchangeInfo, OcoPlace, OpenOrders, OrderCancel, OrderCancelReplace, OrderPlace, OrderQuery, OrderTest,
    OtoPlace,
};
use serde_json::json;

const BUY: &str =
    "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&newClientOrderId=peg&pegPriceType=PRIMARY_PEG";

#[test]
fn the_answer_has_the_selected_price_and_that_of_the_order_apart() {
    let mut stage = Stage::new();
    let placed = stage.place(BUY);
    assert_fields(
        &placed,
        "symbol orderId orderListId clientOrderId transactTime price pegPriceType peggedPrice origQty executedQty \
         origQuoteOrderQty cummulativeQuoteQty status timeInForce type side workingTime fills selfTradePreventionMode",
    );
    let prices =
        json!({ "price": "0.00000000", "pegPriceType": "PRIMARY_PEG", "peggedPrice": "99.99000000" });
    assert_has(&placed, prices.clone());
    assert_has(&stage.ok(OrderQuery, "origClientOrderId=peg"), prices.clone());
    let frames = stage.frames();
    assert_has(
        &frames[0],
        json!({ "x": "NEW", "p": "0.00000000", "gP": "PRIMARY_PEG", "gp": "99.99000000" }),
    );
    assert!(frames[0].get("gOT").is_none() && frames[0].get("gOV").is_none());
    assert_eq!(stage.balance("USDT"), (d("99900.01"), d("99.99")));
    assert_has(&stage.ok(OrderCancel, "origClientOrderId=peg"), prices);
}

#[test]
fn an_offset_goes_deeper_by_levels_and_is_told() {
    let mut stage = Stage::new();
    let query = format!("{BUY}&pegOffsetType=PRICE_LEVEL&pegOffsetValue=1&price=150");
    let placed = stage.place(&query);
    assert_has(
        &placed,
        json!({
            "price": "150.00000000",
            "pegOffsetType": "PRICE_LEVEL",
            "pegOffsetValue": 1,
            "peggedPrice": "99.98000000",
        }),
    );
    assert_has(&stage.frames()[0], json!({ "gOT": "PRICE_LEVEL", "gOV": 1, "gp": "99.98000000" }));
    let sold = stage.place("side=SELL&type=LIMIT&timeInForce=IOC&quantity=2&pegPriceType=MARKET_PEG");
    // It takes that price only.
    assert_has(
        &sold,
        json!({ "status": "EXPIRED", "executedQty": "1.00000000", "peggedPrice": "99.99000000" }),
    );
}

#[test]
fn what_is_wrong_with_a_peg_is_said() {
    let limit = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99";
    for (query, expected) in [
        (format!("{limit}&pegPriceType=BEST"), "-1210 Invalid pegPriceType."),
        (
            format!("{limit}&pegPriceType=PRIMARY_PEG&pegOffsetType=TICKS&pegOffsetValue=1"),
            "-1211 Invalid pegOffsetType.",
        ),
        (
            format!("{limit}&pegPriceType=PRIMARY_PEG&pegOffsetType=PRICE_LEVEL"),
            "-1128 Combination of optional parameters invalid.",
        ),
        (
            format!("{limit}&pegPriceType=PRIMARY_PEG&pegOffsetValue=1"),
            "-1128 Combination of optional parameters invalid.",
        ),
        (
            format!("{limit}&pegOffsetType=PRICE_LEVEL&pegOffsetValue=1"),
            "-1128 Combination of optional parameters invalid.",
        ),
        (
            format!("{limit}&pegPriceType=PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=101"),
            "-1102 'pegOffsetValue' contains unexpected value. Cannot be greater than 100.",
        ),
        (
            format!("{limit}&pegPriceType=PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=7"),
            "-2010 Order book liquidity is too low for this pegged order.",
        ),
        (
            "side=BUY&type=MARKET&quantity=1&pegPriceType=MARKET_PEG".to_owned(),
            "-2010 This order type may not use pegged price.",
        ),
        (
            "side=BUY&type=LIMIT_MAKER&quantity=1&pegPriceType=MARKET_PEG".to_owned(),
            "-2010 This price peg cannot be used with this order type.",
        ),
        (
            "side=BUY&type=LIMIT&quantity=1&timeInForce=IOC&pegPriceType=PRIMARY_PEG".to_owned(),
            "-2010 This price peg cannot be used with this order type.",
        ),
    ] {
        let mut stage = Stage::new();
        assert_eq!(stage.refused(OrderPlace, &query), expected, "{query}");
        assert_eq!(stage.refused(OrderTest, &query), expected, "{query}");
        assert_eq!(stage.news(), "");
    }
}

#[test]
fn without_a_book_there_are_no_pegged_orders() {
    let mut stage = Stage::silent(rules());
    let info = stage.raw(ExchangeInfo, "").unwrap();
    assert_has(
        &info["symbols"][0],
        json!({ "pegInstructionsAllowed": false, "otoAllowed": true, "opoAllowed": true }),
    );
    let query = format!("{BUY}&price=99");
    assert_eq!(stage.refused(OrderPlace, &query), "-2010 Pegged orders are not supported for this symbol.");
    let info = Stage::new().raw(ExchangeInfo, "").unwrap();
    assert_has(&info["symbols"][0], json!({ "pegInstructionsAllowed": true }));
}

#[test]
fn a_stop_limit_is_pegged_when_it_is_triggered() {
    let mut stage = Stage::new();
    let placed = stage.place(
        "side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&stopPrice=95&newClientOrderId=stop&\
         pegPriceType=MARKET_PEG&newOrderRespType=RESULT",
    );
    assert_has(&placed, json!({ "price": "0.00000000", "pegPriceType": "MARKET_PEG", "status": "NEW" }));
    assert!(placed.get("peggedPrice").is_none());
    stage.book("94.5 5", "96 1");
    stage.frames();
    stage.trade("94.9", "1", Side::Sell);
    let frames = stage.frames();
    assert_has(&frames[0], json!({ "x": "NEW", "c": "stop", "gp": "94.50000000", "w": true }));
    assert_has(&frames[1], json!({ "x": "TRADE", "X": "FILLED", "L": "94.50000000" }));
}

#[test]
fn orders_of_lists_and_replacements_are_pegged() {
    let mut stage = Stage::new();
    stage.place(BUY);
    let replaced = stage.ok(
        OrderCancelReplace,
        "side=SELL&type=LIMIT_MAKER&quantity=1&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=peg&\
         pegPriceType=PRIMARY_PEG&newOrderRespType=RESULT",
    );
    assert_has(&replaced["newOrderResponse"], json!({ "peggedPrice": "100.01000000", "status": "NEW" }));
    let oco = stage.ok(
        OcoPlace,
        "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePegPriceType=PRIMARY_PEG&abovePegOffsetType=PRICE_LEVEL&\
         abovePegOffsetValue=1&belowType=STOP_LOSS_LIMIT&belowStopPrice=90&belowTimeInForce=GTC&\
         belowPegPriceType=MARKET_PEG",
    );
    assert_has(&oco["orderReports"][0], json!({ "peggedPrice": "100.02000000", "pegOffsetValue": 1 }));
    assert!(oco["orderReports"][1].get("peggedPrice").is_none());
    let oto = stage.ok(
        OtoPlace,
        "workingType=LIMIT&workingSide=BUY&workingTimeInForce=GTC&workingQuantity=1&workingPegPriceType=PRIMARY_PEG&\
         pendingType=LIMIT_MAKER&pendingSide=SELL&pendingQuantity=1&pendingPegPriceType=PRIMARY_PEG&\
         pendingClientOrderId=next",
    );
    assert_has(&oto["orderReports"][0], json!({ "peggedPrice": "99.99000000" }));
    assert!(oto["orderReports"][1].get("peggedPrice").is_none());
    stage.book("99.9 1", "103 1");
    stage.trade("99.98", "2", Side::Sell);
    assert_has(
        &stage.ok(OrderQuery, "origClientOrderId=next"),
        json!({ "status": "NEW", "peggedPrice": "100.01000000" }),
    );
    assert_eq!(stage.raw(OpenOrders, "").unwrap().as_array().unwrap().len(), 4);
}
