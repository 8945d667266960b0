//! `rest-api.md`, "LIMITS"; `web-socket-api.md`, "Rate limits".

use crate::ms;
use domain::Timestamp;
use std::time::Duration;
use venue_binance::{
    budget::{Budget, Full, LimitKind, RateLimit, Ticket, Usage, Wait, limits},
    errors::{self, Failure},
    request::{Cost, Lane},
};

const LIMITS: &str = r#"[
    {"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000},
    {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50},
    {"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000},
    {"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000},
    {"rateLimitType":"MOON_PHASES","interval":"MONTH","intervalNum":1,"limit":1}]"#;

fn budget() -> Budget {
    let told: Vec<RateLimit> = serde_json::from_str(LIMITS).unwrap();
    let limits = limits(&told);
    assert_eq!(limits.len(), 4, "unknown limits are harmless");
    Budget::new(&limits, 20)
}

/// The beginning of a minute, and seconds into it.
fn at(seconds: i64) -> Timestamp {
    ms(1_700_000_040_000 + seconds * 1_000)
}

fn weight(weight: u32) -> Cost {
    Cost { weight, orders: 0 }
}

const ORDER: Cost = Cost { weight: 1, orders: 1 };

fn ordinary(budget: &mut Budget, now: Timestamp, cost: Cost) -> Result<Ticket, Wait> {
    budget.ask(now, cost, Lane::Ordinary)
}

fn used(kind: LimitKind, until: Timestamp) -> Wait {
    Wait { until, why: Full::Used(kind) }
}

fn header(name: &str, value: &str) -> Usage {
    Usage::from_headers([("content-type", "application/json"), (name, value)])
}

#[test]
fn weight_is_shared_out_and_a_part_is_kept_for_exits() {
    let mut budget = budget();
    let _held: Vec<Ticket> = (0..8).map(|_| ordinary(&mut budget, at(1), weight(100)).unwrap()).collect();
    let full = used(LimitKind::RequestWeight, at(60));
    assert_eq!(ordinary(&mut budget, at(2), weight(1)).unwrap_err(), full);
    let _exit = budget.ask(at(2), weight(200), Lane::Protective).unwrap();
    assert_eq!(budget.ask(at(2), weight(1), Lane::Protective).unwrap_err(), full);
}

#[test]
fn what_was_answered_counts_until_its_window_ends() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(800)).unwrap();
    budget.lost(ticket, at(2));
    assert!(ordinary(&mut budget, at(59), weight(1)).is_err());
    let ticket = ordinary(&mut budget, at(60), weight(800)).unwrap();
    budget.unsent(ticket);
    let ticket = ordinary(&mut budget, at(60), weight(800)).unwrap();
    budget.answered(ticket, at(61), &Usage::default());
    assert!(ordinary(&mut budget, at(61), weight(1)).is_err());
    assert!(ordinary(&mut budget, at(1), weight(1)).is_err(), "a clock that goes back gives nothing back");
}

#[test]
fn the_headers_are_believed_where_others_use_the_address_too() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(1)).unwrap();
    budget.answered(ticket, at(1), &header("x-mbx-used-weight-1m", "790"));
    assert!(ordinary(&mut budget, at(2), weight(11)).is_err());
    // An answer that was overtaken tells less.
    let ticket = ordinary(&mut budget, at(2), weight(5)).unwrap();
    budget.answered(ticket, at(2), &header("X-MBX-USED-WEIGHT-1M", "20"));
    assert!(ordinary(&mut budget, at(2), weight(11)).is_err());
    // A successful order costs no weight, says the header.
    let ticket = ordinary(&mut budget, at(60), ORDER).unwrap();
    budget.answered(ticket, at(60), &header("X-MBX-USED-WEIGHT-1M", "0"));
    assert!(ordinary(&mut budget, at(61), weight(800)).is_ok());
}

#[test]
fn orders_are_limited_and_cancels_are_not_orders() {
    let mut budget = budget();
    for _ in 0..40 {
        let ticket = ordinary(&mut budget, at(1), ORDER).unwrap();
        budget.lost(ticket, at(1));
    }
    assert_eq!(ordinary(&mut budget, at(1), ORDER).unwrap_err(), used(LimitKind::Orders, at(10)));
    assert!(ordinary(&mut budget, at(1), weight(1)).is_ok(), "a cancel");
    assert!(budget.ask(at(1), ORDER, Lane::Protective).is_ok(), "a stop");
    assert!(ordinary(&mut budget, at(10), ORDER).is_ok());
}

#[test]
fn unfilled_order_count_goes_back_when_orders_are_filled() {
    let mut budget = budget();
    for _ in 0..40 {
        let ticket = ordinary(&mut budget, at(1), ORDER).unwrap();
        budget.lost(ticket, at(1));
    }
    let ticket = budget.ask(at(2), weight(1), Lane::Protective).unwrap();
    budget.answered(ticket, at(2), &header("X-MBX-ORDER-COUNT-10S", "3"));
    assert!(ordinary(&mut budget, at(3), ORDER).is_ok());
}

fn failure(status: u16, code: i64, retry_after: Option<&str>) -> Failure {
    let body = format!("{{\"code\":{code},\"msg\":\"Too many.\"}}");
    errors::read(status, body.as_bytes(), retry_after)
}

#[test]
fn a_429_is_never_answered_with_more_of_the_same() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(1)).unwrap();
    budget.failed(ticket, at(1), &Usage::default(), &failure(429, -1003, Some("30")));
    let told = Wait { until: at(31), why: Full::Told };
    for second in [1, 15, 30] {
        for lane in [Lane::Ordinary, Lane::Protective] {
            assert_eq!(budget.ask(at(second), weight(1), lane).unwrap_err(), told);
        }
    }
    assert!(budget.ask(at(31), weight(1), Lane::Protective).is_ok());
}

#[test]
fn a_ban_lasts_as_long_as_it_says_and_is_not_shortened() {
    let mut budget = budget();
    let until = at(3_600).millis();
    let banned =
        format!("{{\"code\":-1003,\"msg\":\"Way too much request weight used; IP banned until {until}.\"}}");
    budget.obey(at(1), &errors::read(418, banned.as_bytes(), None));
    budget.obey(at(2), &failure(429, -1003, Some("1")));
    assert_eq!(budget.nothing_before(), at(3_600));
    assert!(ordinary(&mut budget, at(3_599), weight(1)).is_err());
}

#[test]
fn without_a_time_a_limit_is_waited_out_all_the_same() {
    for (status, pause) in [(429, 60), (403, 60), (418, 120)] {
        let mut budget = budget();
        budget.obey(at(1), &failure(status, -1003, None));
        assert_eq!(budget.nothing_before(), at(1) + Duration::from_secs(pause), "{status}");
    }
}

#[test]
fn too_many_orders_stops_orders_and_not_cancels() {
    let mut budget = budget();
    budget.obey(at(1), &failure(429, -1015, None));
    let told = Wait { until: at(10), why: Full::Told };
    assert_eq!(budget.ask(at(2), ORDER, Lane::Protective).unwrap_err(), told);
    assert!(budget.ask(at(2), weight(1), Lane::Protective).is_ok());
    assert!(ordinary(&mut budget, at(10), ORDER).is_ok());
}

#[test]
fn other_failures_do_not_stop_anything() {
    let mut budget = budget();
    for (status, code) in [(400, -2010), (400, -1021), (504, -1007), (401, -2015)] {
        budget.obey(at(1), &failure(status, code, Some("60")));
        assert!(ordinary(&mut budget, at(1), weight(1)).is_ok(), "{status} {code}");
    }
}

#[test]
fn rate_limits_of_the_websocket_api_are_believed_too() {
    let mut budget = budget();
    let told = r#"[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":1000,"count":799},
        {"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":12}]"#;
    let told: Vec<RateLimit> = serde_json::from_str(told).unwrap();
    let ticket = ordinary(&mut budget, at(1), weight(1)).unwrap();
    budget.answered(ticket, at(1), &Usage::from_rate_limits(&told));
    assert!(ordinary(&mut budget, at(1), weight(2)).is_err());
    assert!(ordinary(&mut budget, at(1), weight(1)).is_ok());
}

#[test]
fn new_limits_keep_what_is_counted() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(700)).unwrap();
    budget.lost(ticket, at(1));
    let fewer = LIMITS.replace("1000}", "900}");
    let told: Vec<RateLimit> = serde_json::from_str(&fewer).unwrap();
    budget.set_limits(&limits(&told));
    assert!(ordinary(&mut budget, at(2), weight(21)).is_err());
    assert!(ordinary(&mut budget, at(2), weight(20)).is_ok());
}

/// Before its first reading, the venue's clock is the machine's, which may be an hour ahead, or behind.
#[test]
fn a_clock_that_leaps_neither_lengthens_nor_shortens_what_was_told() {
    const HOUR: i64 = 3_600;
    for leap in [-HOUR, HOUR] {
        let mut budget = budget();
        budget.obey(at(0), &failure(429, -1003, Some("60")));
        budget.obey(at(0), &failure(429, -1015, Some("90")));
        budget.clock_leapt(leap * 1_000_000, at(leap + 10));
        let wait = Wait { until: at(leap + 60), why: Full::Told };
        assert_eq!(ordinary(&mut budget, at(leap + 59), weight(1)), Err(wait), "{leap}");
        assert!(ordinary(&mut budget, at(leap + 60), weight(1)).is_ok(), "{leap}");
        assert!(ordinary(&mut budget, at(leap + 89), ORDER).is_err(), "{leap}");
        assert!(ordinary(&mut budget, at(leap + 90), ORDER).is_ok(), "{leap}");
    }
}

#[test]
fn a_clock_that_leaps_leaves_the_times_that_the_venue_named() {
    let mut budget = budget();
    let until = format!("IP banned until {}.", at(60).millis());
    budget.obey(at(0), &errors::read(418, format!(r#"{{"code":-1003,"msg":"{until}"}}"#).as_bytes(), None));
    budget.clock_leapt(-1_800_000_000, at(-1_800));
    assert!(ordinary(&mut budget, at(59), weight(1)).is_err());
    assert!(ordinary(&mut budget, at(60), weight(1)).is_ok());
}

#[test]
fn what_is_used_is_not_held_for_an_hour_by_a_clock_that_was_an_hour_ahead() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(3_600), weight(800)).unwrap();
    budget.lost(ticket, at(3_600));
    budget.clock_leapt(-3_600_000_000, at(0));
    assert_eq!(ordinary(&mut budget, at(1), weight(1)), Err(used(LimitKind::RequestWeight, at(60))));
    assert!(ordinary(&mut budget, at(60), weight(1)).is_ok());
    // A correction within an interval gives nothing back.
    let ticket = ordinary(&mut budget, at(60), weight(799)).unwrap();
    budget.lost(ticket, at(60));
    budget.clock_leapt(-1_000_000, at(59));
    assert!(ordinary(&mut budget, at(60), weight(1)).is_err());
}
