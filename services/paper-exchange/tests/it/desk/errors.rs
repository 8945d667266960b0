//! `errors.md`: the table, as far as orders and the account raise it.

use super::stage::{Stage, rules};
use domain::{InstrumentRules, Side};
use paper_exchange::endpoint::Endpoint::{
    self, AllOrders, ExchangeInfo, ListCancel, ListQuery, MyPreventedMatches, MyTrades, OcoPlace,
    OcoPlaceOld, OrderAmend, OrderCancel, OrderCancelReplace, OrderPlace, OrderQuery,
};

/// Each request, and what is said of it.
fn check(rows: &[(Endpoint, &str, &str)]) {
    for (endpoint, query, expected) in rows {
        let mut stage = Stage::new();
        assert_eq!(stage.refused(*endpoint, query), *expected, "{endpoint:?} {query}");
        assert_eq!(stage.news(), "", "{endpoint:?} {query}");
    }
}

const LIMIT: &str = "side=BUY&type=LIMIT&timeInForce=GTC";

#[test]
fn request_issues_11xx() {
    check(&[
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=1e2",
            r"-1100 Illegal characters found in parameter 'price'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=-1&price=99",
            r"-1100 Illegal characters found in parameter 'quantity'; legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
        ),
        (
            OrderQuery,
            "orderId=x",
            "-1100 Illegal characters found in parameter 'orderId'; legal range is '^[0-9]{1,20}$'.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&newClientOrderId=a b",
            r"-1100 Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\.A-Z\:/a-z0-9_-]{1,36}$'.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&newClientOrderId=1234567890123456789012345678901234567",
            r"-1100 Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\.A-Z\:/a-z0-9_-]{1,36}$'.",
        ),
        (
            OrderPlace,
            "type=LIMIT",
            "-1102 Mandatory parameter 'side' was not sent, was empty/null, or malformed.",
        ),
        (
            OrderPlace,
            "side=BUY",
            "-1102 Mandatory parameter 'type' was not sent, was empty/null, or malformed.",
        ),
        (
            OrderQuery,
            "",
            "-1102 Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        ),
        (
            OrderCancel,
            "",
            "-1102 Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&when=now",
            "-1104 Not all sent parameters were read; read '8' parameter(s) but was sent '9'.",
        ),
        (OrderPlace, "side=&type=LIMIT", "-1105 Parameter 'side' was empty."),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99999999999999999999",
            "-1108 Parameter 'price' overflowed.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1.0000000001&price=99",
            "-1111 Parameter 'quantity' has too much precision.",
        ),
        (OrderPlace, "side=BUY&type=LIMIT&timeInForce=GTX&quantity=1&price=99", "-1115 Invalid timeInForce."),
        (OrderPlace, "side=BUY&type=STOP&quantity=1", "-1116 Invalid orderType."),
        (OrderPlace, "side=HOLD&type=MARKET&quantity=1", "-1117 Invalid side."),
        (
            AllOrders,
            "startTime=1700000000000&endTime=1700086400001",
            "-1127 More than 24 hours between startTime and endTime.",
        ),
        (MyTrades, "fromId=1&startTime=1700000000000", "-1128 Combination of optional parameters invalid."),
        (MyTrades, "orderId=1&endTime=1700000000000", "-1128 Combination of optional parameters invalid."),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&newOrderRespType=SHORT",
            "-1130 Data sent for parameter 'newOrderRespType' is not valid.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&strategyType=999999",
            "-1134 strategyType was less than 1000000.",
        ),
        (OrderCancel, "orderId=1&cancelRestrictions=NONE", "-1145 Invalid cancelRestrictions"),
        (
            MyPreventedMatches,
            "",
            "-1102 Param 'preventedMatchId' or 'orderId' must be sent, but both were empty/null!",
        ),
    ]);
}

#[test]
fn bad_symbol_1121() {
    let mut stage = Stage::new();
    let refused = |stage: &mut Stage, endpoint, query: &str| stage.raw(endpoint, query).unwrap_err();
    for (query, expected) in [
        ("symbol=NONE", "-1121 Invalid symbol."),
        ("symbol=", "-1105 Parameter 'symbol' was empty."),
        ("", "-1102 Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        (
            "symbol=btcusdt",
            r"-1100 Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'.",
        ),
    ] {
        let no = refused(&mut stage, MyTrades, query);
        assert_eq!(format!("{} {}", no.code, no.msg), expected, "{query}");
    }
    for (query, expected) in [
        (r#"symbols=["BTCUSDT","BTCUSDT"]"#, "-1151 Symbol is present multiple times in the list."),
        (r#"symbols=["NONE"]"#, "-1121 Invalid symbol."),
        ("symbol=BTCUSDT&permissions=SPOT", "-1128 Combination of optional parameters invalid."),
        ("symbolStatus=OPEN", "-1122 Invalid symbolStatus."),
    ] {
        let no = refused(&mut stage, ExchangeInfo, query);
        assert_eq!(format!("{} {}", no.code, no.msg), expected, "{query}");
    }
}

#[test]
fn new_order_additional_mandatory_parameters_based_on_type() {
    let mandatory = |name: &str| {
        format!("-1102 Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
    };
    let either = |one: &str, other: &str| {
        format!("-1102 Param '{one}' or '{other}' must be sent, but both were empty/null!")
    };
    let stop = either("stopPrice", "trailingDelta");
    for (query, expected) in [
        ("type=LIMIT&quantity=1&price=99", mandatory("timeInForce")),
        ("type=LIMIT&timeInForce=GTC&price=99", mandatory("quantity")),
        ("type=LIMIT&timeInForce=GTC&quantity=1", mandatory("price")),
        ("type=MARKET", either("quantity", "quoteOrderQty")),
        ("type=STOP_LOSS&quantity=1", stop.clone()),
        ("type=STOP_LOSS&stopPrice=101", mandatory("quantity")),
        ("type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=99", stop.clone()),
        ("type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&stopPrice=99", mandatory("price")),
        ("type=STOP_LOSS_LIMIT&quantity=1&price=99&stopPrice=99", mandatory("timeInForce")),
        ("type=TAKE_PROFIT&quantity=1", stop.clone()),
        ("type=TAKE_PROFIT_LIMIT&timeInForce=GTC&quantity=1&price=99", stop),
        ("type=LIMIT_MAKER&quantity=1", mandatory("price")),
        ("type=LIMIT_MAKER&price=99", mandatory("quantity")),
    ] {
        let mut stage = Stage::new();
        assert_eq!(stage.refused(OrderPlace, &format!("side=BUY&{query}")), expected, "{query}");
    }
}

#[test]
fn parameters_sent_when_not_required_1106() {
    for (query, name) in [
        ("type=MARKET&quantity=1&price=99", "price"),
        ("type=MARKET&quantity=1&timeInForce=GTC", "timeInForce"),
        ("type=MARKET&quantity=1&stopPrice=99", "stopPrice"),
        ("type=MARKET&quantity=1&icebergQty=0.5", "icebergQty"),
        ("type=LIMIT&timeInForce=GTC&quantity=1&price=99&stopPrice=98", "stopPrice"),
        ("type=LIMIT&timeInForce=GTC&quantity=1&price=99&trailingDelta=100", "trailingDelta"),
        ("type=LIMIT&timeInForce=GTC&quantity=1&price=99&quoteOrderQty=100", "quoteOrderQty"),
        ("type=LIMIT_MAKER&timeInForce=GTC&quantity=1&price=99", "timeInForce"),
        ("type=STOP_LOSS&quantity=1&stopPrice=101&price=101", "price"),
    ] {
        let mut stage = Stage::new();
        let expected = format!("-1106 Parameter '{name}' sent when not required.");
        assert_eq!(stage.refused(OrderPlace, &format!("side=BUY&{query}")), expected, "{query}");
    }
}

#[test]
fn messages_for_new_order_rejected_2010() {
    check(&[
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=2000&price=99",
            "-2010 Account has insufficient balance for requested action.",
        ),
        (
            OrderPlace,
            "side=SELL&type=MARKET&quantity=11",
            "-2010 Account has insufficient balance for requested action.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT_MAKER&quantity=1&price=100.01",
            "-2010 Order would immediately match and take.",
        ),
        (
            OrderPlace,
            "side=SELL&type=STOP_LOSS&quantity=1&stopPrice=101",
            "-2010 Order would trigger immediately.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&icebergQty=2",
            "-2010 IcebergQty exceeds QTY.",
        ),
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=99&belowType=STOP_LOSS&belowStopPrice=90",
            "-2010 The relationship of the prices for the orders is not correct.",
        ),
        (
            OrderPlace,
            "side=BUY&type=MARKET&quantity=1&pegPriceType=PRIMARY_PEG",
            "-2010 This order type may not use pegged price.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99&selfTradePreventionMode=SOMETIMES",
            "-1130 Data sent for parameter 'selfTradePreventionMode' is not valid.",
        ),
        (
            OrderPlace,
            "side=BUY&type=LIMIT&timeInForce=IOC&quantity=1&price=99&icebergQty=0.5",
            "-1014 Unsupported order combination.",
        ),
    ]);
    let mut stage = Stage::new();
    let order = format!("{LIMIT}&quantity=1&price=99&newClientOrderId=twice");
    stage.place(&order);
    assert_eq!(stage.refused(OrderPlace, &order), "-2010 Duplicate order sent.");
}

#[test]
fn messages_that_depend_on_the_symbol() {
    let closed = InstrumentRules { oco_allowed: false, quote_quantity_allowed: false, ..rules() };
    let mut stage = Stage::silent(closed);
    stage.trade("100", "1", Side::Buy);
    assert_eq!(
        stage.refused(OrderPlace, "side=BUY&type=MARKET&quoteOrderQty=50"),
        "-1013 Quote order qty market orders are not support for this symbol."
    );
    assert_eq!(
        stage.refused(
            OcoPlace,
            "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90"
        ),
        "-1013 OCO orders are not supported for this symbol"
    );
}

#[test]
fn market_is_closed() {
    let mut stage = Stage::new();
    stage.place(&format!("{LIMIT}&quantity=1&price=99&newClientOrderId=mine"));
    for (status, expected) in [
        ("HALT", "-1013 Market is closed."),
        ("END_OF_DAY", "-1013 Market is closed."),
        ("CANCEL_ONLY", "-2010 This order type is not possible in this trading phase."),
    ] {
        stage.exchange.set_status("BTCUSDT", status).unwrap();
        assert_eq!(stage.refused(OrderPlace, &format!("{LIMIT}&quantity=1&price=99")), expected, "{status}");
    }
    stage.ok(OrderCancel, "origClientOrderId=mine");
    stage.exchange.set_status("BTCUSDT", "TRADING").unwrap();
    stage.place(&format!("{LIMIT}&quantity=1&price=99"));
    assert_eq!(stage.exchange.set_status("BTCUSDT", "OPEN").unwrap_err().code, -1122);
    assert_eq!(stage.exchange.set_status("NONE", "HALT").unwrap_err().code, -1121);
}

/// `user-data-stream.md`, "Order Expiry Reason".
#[test]
fn a_delisted_symbols_orders_are_canceled_by_the_exchange() {
    let mut stage = Stage::new();
    stage.place(&format!("{LIMIT}&quantity=1&price=99&newClientOrderId=mine"));
    stage.ok(
        OcoPlace,
        "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90",
    );
    stage.frames();
    stage.exchange.set_status("BTCUSDT", "BREAK").unwrap();
    let frames = stage.frames();
    let expired = frames.iter().filter(|frame| frame["x"] == "EXPIRED" && frame["eR"] == "EXCHANGE_CANCELED");
    assert_eq!(expired.count(), 3, "{frames:#?}");
    assert_eq!(stage.ok(OrderQuery, "orderId=1")["expiryReason"], "EXCHANGE_CANCELED");
    assert_eq!(stage.balance("BTC").1, domain::Decimal::ZERO);
}

#[test]
fn unknown_orders_2011_2013_2018_2039() {
    check(&[
        (OrderQuery, "orderId=1", "-2013 Order does not exist."),
        (OrderQuery, "origClientOrderId=none", "-2013 Order does not exist."),
        (OrderCancel, "orderId=1", "-2011 Unknown order sent."),
        (OrderCancel, "origClientOrderId=none", "-2011 Unknown order sent."),
        (ListCancel, "orderListId=1", "-2011 Unknown order sent."),
        (OrderAmend, "orderId=1&newQty=1", "-2038 Unknown order sent."),
        (
            OrderCancelReplace,
            "cancelReplaceMode=STOP_ON_FAILURE&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99",
            "-1102 Param 'cancelOrigClientOrderId' or 'cancelOrderId' must be sent, but both were empty/null!",
        ),
        (
            OrderCancelReplace,
            "cancelReplaceMode=MAYBE&cancelOrderId=1&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=99",
            "-1130 Data sent for parameter 'cancelReplaceMode' is not valid.",
        ),
    ]);
    let mut stage = Stage::new();
    let no = stage.raw(ListQuery, "orderListId=1").unwrap_err();
    assert_eq!((no.code, no.msg.as_str()), (-2018, "Order list does not exist."));
    stage.place(&format!("{LIMIT}&quantity=1&price=99&newClientOrderId=mine"));
    for endpoint in [OrderQuery, OrderCancel] {
        assert_eq!(
            stage.refused(endpoint, "orderId=1&origClientOrderId=other"),
            "-2039 Client order ID is not correct for this order ID."
        );
    }
}

#[test]
fn order_archived_2026() {
    let mut stage = Stage::new();
    stage.place(&format!("{LIMIT}&quantity=1&price=99&newClientOrderId=mine"));
    stage.ok(OrderCancel, "orderId=1");
    stage.now = stage.now + std::time::Duration::from_secs(91 * 24 * 3_600);
    assert_eq!(
        stage.refused(OrderQuery, "orderId=1"),
        "-2026 Order was canceled or expired with no executed qty over 90 days ago and has been archived."
    );
}

#[test]
fn order_lists_1158_to_1199() {
    check(&[
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=LIMIT&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90",
            "-1158 Order type not supported in OCO.",
        ),
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS_LIMIT&belowPrice=89&belowStopPrice=90&belowTimeInForce=IOC&belowIcebergQty=0.5",
            "-1160 Parameter 'belowIcebergQty' is not supported if 'belowTimeInForce' is not GTC.",
        ),
        (
            OcoPlace,
            "side=BUY&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=STOP_LOSS&belowStopPrice=90",
            "-1165 A limit order in a buy OCO must be below.",
        ),
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=LIMIT_MAKER&belowPrice=90",
            "-1166 A limit order in a sell OCO must be above.",
        ),
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=110&belowType=LIMIT_MAKER&belowPrice=90",
            "-1168 At least one OCO order must be contingent.",
        ),
        (
            OcoPlace,
            "side=BUY&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=STOP_LOSS&belowStopPrice=90",
            "-1196 A stop loss order in a buy OCO must be above.",
        ),
        (
            OcoPlace,
            "side=SELL&quantity=1&aboveType=STOP_LOSS&aboveStopPrice=110&belowType=STOP_LOSS&belowStopPrice=90",
            "-1197 A stop loss order in a sell OCO must be below.",
        ),
        (
            OcoPlaceOld,
            "side=SELL&quantity=1&price=110&stopPrice=90&stopLimitPrice=89",
            "-1102 Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            OcoPlaceOld,
            "side=SELL&quantity=1&price=110",
            "-1102 Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed.",
        ),
    ]);
}
