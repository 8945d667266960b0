//! `rest-api.md`, "LIMITS"; `web-socket-api.md`, "Rate limits".

use domain::Timestamp;
use std::time::Duration;
use venue_binance::{
    budget::{self, RateLimit, limits},
    errors::{self, Failure},
};
use venue_net::budget::{LimitKind, Pause, Paused, RetryAt, Usage};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn limits_are_read_and_unknown_ones_are_harmless() {
    let told = r#"[
        {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000},
        {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50},
        {"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000},
        {"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000},
        {"rateLimitType":"MOON_PHASES","interval":"MONTH","intervalNum":1,"limit":1}]"#;
    let told: Vec<RateLimit> = serde_json::from_str(told).unwrap();
    let read: Vec<_> = limits(&told).iter().map(|l| (l.kind, l.interval.as_secs(), l.limit)).collect();
    let wanted = [
        (LimitKind::Weight, 60, 1_000),
        (LimitKind::Orders, 10, 50),
        (LimitKind::Orders, 86_400, 160_000),
        (LimitKind::Requests, 300, 300_000),
    ];
    assert_eq!(read, wanted);
}

#[test]
fn headers_of_either_case_tell_the_usage() {
    let used = |name, value| budget::used_by_headers([("content-type", "application/json"), (name, value)]);
    let weight = Usage::from_iter([(LimitKind::Weight, MINUTE, 790)]);
    assert_eq!(used("x-mbx-used-weight-1m", "790"), weight);
    assert_eq!(used("X-MBX-USED-WEIGHT-1M", " 790 "), weight);
    let orders = Usage::from_iter([(LimitKind::Orders, Duration::from_secs(10), 3)]);
    assert_eq!(used("X-MBX-ORDER-COUNT-10S", "3"), orders);
    assert_eq!(used("X-MBX-USED-WEIGHT-1M", "many"), Usage::default());
}

#[test]
fn rate_limits_of_the_websocket_api_tell_the_usage_too() {
    let told = r#"[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000,"count":799},
        {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":12}]"#;
    let told: Vec<RateLimit> = serde_json::from_str(told).unwrap();
    let wanted = [(LimitKind::Weight, MINUTE, 799), (LimitKind::Orders, Duration::from_secs(10), 12)];
    assert_eq!(budget::used(&told), Usage::from_iter(wanted));
}

fn failure(status: u16, code: i64, retry_after: Option<&str>) -> Failure {
    let body = format!("{{\"code\":{code},\"msg\":\"Too many.\"}}");
    errors::read(status, body.as_bytes(), retry_after)
}

#[test]
fn limits_stop_everything_for_as_long_as_they_say() {
    for (status, seconds) in [(429, 60), (403, 60), (418, 120)] {
        let of = Paused::Everything { otherwise: Duration::from_secs(seconds) };
        assert_eq!(budget::pause(&failure(status, -1003, None)), Some(Pause { of, until: None }), "{status}");
        let until = Some(RetryAt::After(Duration::from_secs(30)));
        assert_eq!(budget::pause(&failure(status, -1003, Some("30"))), Some(Pause { of, until }), "{status}");
    }
    let banned =
        br#"{"code":-1003,"msg":"Way too much request weight used; IP banned until 1700003640000."}"#;
    let until = budget::pause(&errors::read(418, banned, None)).and_then(|pause| pause.until);
    assert_eq!(until, Some(RetryAt::At(Timestamp::from_millis(1_700_003_640_000))));
}

#[test]
fn too_many_orders_stops_orders_alone() {
    let pause = Pause { of: Paused::Orders, until: None };
    assert_eq!(budget::pause(&failure(429, -1015, None)), Some(pause));
}

#[test]
fn other_failures_do_not_stop_anything() {
    for (status, code) in [(400, -2010), (400, -1021), (504, -1007), (401, -2015)] {
        assert_eq!(budget::pause(&failure(status, code, Some("60"))), None, "{status} {code}");
    }
}
