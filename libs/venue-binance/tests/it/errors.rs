//! `errors.md`; `rest-api.md`, "HTTP return codes".

use domain::Timestamp;
use events::Rejection;
use std::{collections::BTreeSet, time::Duration};
use venue_binance::errors::{self, KNOWN, Retry, RetryAt, Verdict};

fn verdict(status: u16, code: i64, text: &str) -> Verdict {
    let body = serde_json::json!({ "code": code, "msg": text }).to_string();
    let failure = errors::read(status, body.as_bytes(), None);
    assert_eq!((failure.code, &*failure.text), (Some(code), text));
    failure.verdict
}

#[test]
fn every_documented_code_has_a_meaning_of_its_own() {
    let codes: BTreeSet<i64> = KNOWN.iter().map(|known| known.0).collect();
    assert_eq!(codes.len(), KNOWN.len());
    assert!(KNOWN.is_sorted_by_key(|known| -known.0), "they are searched by halving");
    for known in KNOWN {
        let unknown = verdict(400, known.0, "") == Verdict::Unknown;
        assert_eq!(unknown, [-1000, -1001, -1006, -1007, -2021, -2022].contains(&known.0), "{known:?}");
    }
    assert!(KNOWN.len() > 95);
}

#[test]
fn http_return_codes() {
    for (status, code, wanted) in [
        (500, -1000, Verdict::Unknown),
        (502, -2010, Verdict::Unknown),
        (503, -1008, Verdict::Unknown),
        (504, -1007, Verdict::Unknown),
        (408, -1007, Verdict::Unknown),
        (200, -1006, Verdict::Unknown),
        (429, -1003, Verdict::Retry(Retry::Limit)),
        (418, -1003, Verdict::Retry(Retry::Limit)),
        (429, -1015, Verdict::Retry(Retry::Orders)),
        (400, -1015, Verdict::Retry(Retry::Orders)),
        (400, -1008, Verdict::Retry(Retry::Busy)),
        (409, -2021, Verdict::Unknown),
        (400, -2022, Verdict::Unknown),
        (400, -1021, Verdict::Retry(Retry::OutsideWindow)),
        (400, -1022, Verdict::Fatal),
        (401, -2014, Verdict::Fatal),
        (401, -2015, Verdict::Fatal),
        (400, -1121, Verdict::Refused(Rejection::UnknownInstrument)),
        (400, -1111, Verdict::Refused(Rejection::Filter)),
        (400, -1102, Verdict::Refused(Rejection::Other)),
        (400, -2013, Verdict::NotFound),
    ] {
        assert_eq!(verdict(status, code, "text"), wanted, "{status} {code}");
    }
    for (status, body, wanted) in [
        (403, "<html>firewall</html>", Verdict::Retry(Retry::Limit)),
        (418, "", Verdict::Retry(Retry::Limit)),
        (504, "<html>gateway time-out</html>", Verdict::Unknown),
        (400, "<html>a proxy's</html>", Verdict::Unknown),
        (200, "{\"half of an answ", Verdict::Unknown),
        (302, "", Verdict::Unknown),
        (404, "not found", Verdict::Fatal),
        (410, "", Verdict::Fatal),
        (451, "{\"msg\":\"Service unavailable from a restricted location\"}", Verdict::Fatal),
    ] {
        let failure = errors::read(status, body.as_bytes(), None);
        assert_eq!((failure.verdict, failure.code), (wanted, None), "{status} {body}");
    }
    assert_eq!(errors::no_answer("connection reset").verdict, Verdict::Unknown);
}

#[test]
fn unknown_codes_are_kept_with_number_and_text() {
    assert_eq!(verdict(400, -2999, "Something new."), Verdict::Rejected(Rejection::Other));
    assert_eq!(verdict(400, -1999, "Something new."), Verdict::Refused(Rejection::Other));
    assert_eq!(verdict(400, -1050, "Something new."), Verdict::Unknown);
    assert_eq!(verdict(400, -9000, "Something new."), Verdict::Unknown);
    let failure = errors::read(400, br#"{"code":-2999,"msg":"Something new."}"#, None);
    assert_eq!(failure.to_string(), "status 400, -2999: Something new.");
    let failure = errors::read(400, br#"{"code":-1013,"msg":"Filter failure: LOT_SIZE"}"#, None);
    assert_eq!(failure.to_string(), "status 400, -1013 INVALID_MESSAGE: Filter failure: LOT_SIZE");
}

#[test]
fn messages_for_new_order_rejected_and_cancel_rejected() {
    for (text, reason) in [
        ("Unknown order sent.", Rejection::Other),
        ("Duplicate order sent.", Rejection::DuplicateId),
        ("Market is closed.", Rejection::MarketClosed),
        ("Account has insufficient balance for requested action.", Rejection::InsufficientBalance),
        ("Market orders are not supported for this symbol.", Rejection::Other),
        ("Price * QTY is zero or less.", Rejection::Filter),
        ("IcebergQty exceeds QTY.", Rejection::Filter),
        ("This action is disabled on this account.", Rejection::Other),
        ("Order would trigger immediately.", Rejection::WouldTrigger),
        ("Order would immediately match and take.", Rejection::WouldTrigger),
        ("The relationship of the prices for the orders is not correct.", Rejection::WouldTrigger),
        ("Order book liquidity is less than `LOT_SIZE` filter minimum quantity.", Rejection::Filter),
        ("A text of tomorrow.", Rejection::Other),
    ] {
        for code in [-1010, -2010, -2011, -2038] {
            assert_eq!(verdict(400, code, text), Verdict::Rejected(reason), "{code} {text}");
        }
    }
}

#[test]
fn filter_failures() {
    for filter in [
        "PRICE_FILTER",
        "PERCENT_PRICE",
        "LOT_SIZE",
        "MIN_NOTIONAL",
        "NOTIONAL",
        "ICEBERG_PARTS",
        "MARKET_LOT_SIZE",
        "MAX_POSITION",
        "MAX_NUM_ORDERS",
        "MAX_NUM_ALGO_ORDERS",
        "MAX_NUM_ICEBERG_ORDERS",
        "MAX_NUM_ORDER_AMENDS",
        "MAX_NUM_ORDER_LISTS",
        "TRAILING_DELTA",
        "EXCHANGE_MAX_NUM_ORDERS",
        "EXCHANGE_MAX_NUM_ALGO_ORDERS",
        "EXCHANGE_MAX_NUM_ICEBERG_ORDERS",
        "EXCHANGE_MAX_NUM_ORDER_LISTS",
        "A_FILTER_OF_TOMORROW",
    ] {
        let text = format!("Filter failure: {filter}");
        assert_eq!(verdict(400, -1013, &text), Verdict::Refused(Rejection::Filter));
    }
}

#[test]
fn retry_after_of_the_header_of_the_answer_and_of_the_text() {
    let text = br#"{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE."}"#;
    assert_eq!(errors::read(429, text, Some(" 17 ")).retry, Some(RetryAt::After(Duration::from_secs(17))));
    assert_eq!(errors::read(429, text, Some("soon")).retry, None);
    assert_eq!(errors::read(429, text, None).retry, None);
    let until = Some(RetryAt::At(Timestamp::from_millis(1_659_146_400_000)));
    let banned = br#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1659146400000. Please use WebSocket Streams for live updates to avoid bans."}"#;
    assert_eq!(errors::read(418, banned, None).retry, until);
    let ws =
        br#"{"code":-1003,"msg":"Banned.","data":{"serverTime":1659142907531,"retryAfter":1659146400000}}"#;
    assert_eq!(errors::read(418, ws, None).retry, until);
}

#[test]
fn whatever_comes_with_a_code_does_not_hide_it() {
    for data in ["null", "5", "[]", "\"x\"", "{\"retryAfter\":\"soon\"}"] {
        let body = format!("{{\"code\":-2010,\"msg\":\"Market is closed.\",\"data\":{data}}}");
        let failure = errors::read(400, body.as_bytes(), None);
        assert_eq!(failure.verdict, Verdict::Rejected(Rejection::MarketClosed), "{data}");
    }
}
