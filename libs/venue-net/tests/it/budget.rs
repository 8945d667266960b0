//! What may still be sent, and for how long nothing may.

use domain::Timestamp;
use std::time::Duration;
use venue_net::budget::{
    Budget, Cost, Full, Lane, Limit, LimitKind, Pause, Paused, RetryAt, Ticket, Usage, Wait,
};

const fn limit(kind: LimitKind, seconds: u64, limit: u32) -> Limit {
    Limit { kind, interval: Duration::from_secs(seconds), limit }
}

const LIMITS: [Limit; 4] = [
    limit(LimitKind::Weight, 60, 1_000),
    limit(LimitKind::Orders, 10, 50),
    limit(LimitKind::Orders, 86_400, 160_000),
    limit(LimitKind::Requests, 300, 300_000),
];

fn budget() -> Budget {
    Budget::new(&LIMITS, 20)
}

/// The beginning of a minute, and seconds into it.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_040_000 + seconds * 1_000)
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

fn used_weight(used: u32) -> Usage {
    Usage::from_iter([(LimitKind::Weight, Duration::from_secs(60), used)])
}

fn everything(until: Option<RetryAt>) -> Pause {
    Pause { of: Paused::Everything { otherwise: Duration::from_secs(120) }, until }
}

fn orders(until: Option<RetryAt>) -> Pause {
    Pause { of: Paused::Orders, until }
}

fn after(seconds: u64) -> Option<RetryAt> {
    Some(RetryAt::After(Duration::from_secs(seconds)))
}

#[test]
fn weight_is_shared_out_and_a_part_is_kept_for_exits() {
    let mut budget = budget();
    let _held: Vec<Ticket> = (0..8).map(|_| ordinary(&mut budget, at(1), weight(100)).unwrap()).collect();
    let full = used(LimitKind::Weight, at(60));
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
fn what_the_venue_counts_is_believed_where_others_use_the_address_too() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(1)).unwrap();
    budget.answered(ticket, at(1), &used_weight(790));
    assert!(ordinary(&mut budget, at(2), weight(11)).is_err());
    // An answer that was overtaken tells less.
    let ticket = ordinary(&mut budget, at(2), weight(5)).unwrap();
    budget.answered(ticket, at(2), &used_weight(20));
    assert!(ordinary(&mut budget, at(2), weight(11)).is_err());
    // A successful order costs no weight, says the venue.
    let ticket = ordinary(&mut budget, at(60), ORDER).unwrap();
    budget.answered(ticket, at(60), &used_weight(0));
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
    let told = (LimitKind::Orders, Duration::from_secs(10), 3);
    budget.answered(ticket, at(2), &Usage::from_iter([told]));
    assert!(ordinary(&mut budget, at(3), ORDER).is_ok());
}

#[test]
fn a_pause_of_everything_stops_exits_too() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(1)).unwrap();
    budget.answered(ticket, at(1), &Usage::default());
    budget.obey(at(1), everything(after(30)));
    let told = Wait { until: at(31), why: Full::Told };
    for second in [1, 15, 30] {
        for lane in [Lane::Ordinary, Lane::Protective] {
            assert_eq!(budget.ask(at(second), weight(1), lane).unwrap_err(), told);
        }
    }
    assert!(budget.ask(at(31), weight(1), Lane::Protective).is_ok());
}

#[test]
fn a_pause_lasts_as_long_as_it_says_and_is_not_shortened() {
    let mut budget = budget();
    budget.obey(at(1), everything(Some(RetryAt::At(at(3_600)))));
    budget.obey(at(2), everything(after(1)));
    assert_eq!(budget.nothing_before(), at(3_600));
    assert!(ordinary(&mut budget, at(3_599), weight(1)).is_err());
}

#[test]
fn without_a_time_a_pause_is_as_long_as_the_venues_shortest() {
    let mut budget = budget();
    budget.obey(at(1), everything(None));
    assert_eq!(budget.nothing_before(), at(121));
}

#[test]
fn a_pause_of_orders_stops_orders_and_not_cancels() {
    let mut budget = budget();
    budget.obey(at(1), orders(None));
    let told = Wait { until: at(10), why: Full::Told };
    assert_eq!(budget.ask(at(2), ORDER, Lane::Protective).unwrap_err(), told);
    assert!(budget.ask(at(2), weight(1), Lane::Protective).is_ok());
    assert!(ordinary(&mut budget, at(10), ORDER).is_ok());
}

#[test]
fn new_limits_keep_what_is_counted() {
    let mut budget = budget();
    let ticket = ordinary(&mut budget, at(1), weight(700)).unwrap();
    budget.lost(ticket, at(1));
    budget.set_limits(&[limit(LimitKind::Weight, 60, 900)]);
    assert!(ordinary(&mut budget, at(2), weight(21)).is_err());
    assert!(ordinary(&mut budget, at(2), weight(20)).is_ok());
}

/// Before its first reading, the venue's clock is the machine's, which may be an hour ahead, or behind.
#[test]
fn a_clock_that_leaps_neither_lengthens_nor_shortens_what_was_told() {
    const HOUR: i64 = 3_600;
    for leap in [-HOUR, HOUR] {
        let mut budget = budget();
        budget.obey(at(0), everything(after(60)));
        budget.obey(at(0), orders(after(90)));
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
    budget.obey(at(0), everything(Some(RetryAt::At(at(60)))));
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
    assert_eq!(ordinary(&mut budget, at(1), weight(1)), Err(used(LimitKind::Weight, at(60))));
    assert!(ordinary(&mut budget, at(60), weight(1)).is_ok());
    // A correction within an interval gives nothing back.
    let ticket = ordinary(&mut budget, at(60), weight(799)).unwrap();
    budget.lost(ticket, at(60));
    budget.clock_leapt(-1_000_000, at(59));
    assert!(ordinary(&mut budget, at(60), weight(1)).is_err());
}
