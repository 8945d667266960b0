//! Where the venue takes no OCO, a stop by itself protects.

use crate::desk::{Desk, d, oco};
use domain::Ending::{Canceled, Expired, Filled, Rejected};
use domain::InstrumentRules;
use events::Rejection::{Filter, Other, WouldTrigger};

const ALONE: &str = "submit stop2 sell 2 STOP_LOSS_LIMIT stop 93 limit 85";
const BOTH: &str =
    "oco take_profit2 sell 2 LIMIT_MAKER limit 107 + stop2 sell 2 STOP_LOSS_LIMIT stop 93 limit 85";

fn rules() -> InstrumentRules {
    InstrumentRules::open("BTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d("0.001"), d("5"))
}

fn without_oco() -> InstrumentRules {
    InstrumentRules { oco_allowed: false, ..rules() }
}

/// 2 bought at 100, and the stop with its take-profit order is on its way.
fn entered() -> Desk {
    let mut desk = Desk::new(oco());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    desk
}

#[test]
fn a_trade_that_is_filled_after_the_venue_took_oco_away_gets_a_stop_at_once() {
    let mut desk = Desk::new(oco());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.list_rules(without_oco());
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 100 / submit stop1 sell 2 STOP_LOSS_LIMIT stop 93 limit 85"
    );
    assert_eq!(desk.accept("stop1"), "protected 2 at 93 alone");
    desk.fill("stop1", "2", "93", None);
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -14 left 0");
}

#[test]
fn an_oco_that_works_stays_when_the_venue_takes_oco_away_and_is_followed_by_a_stop() {
    let mut desk = Desk::open(oco());
    assert_eq!(desk.list_rules(without_oco()), "");
    assert_eq!(desk.done("take_profit1", Canceled), "");
    assert_eq!(desk.done("stop1", Canceled), format!("naked 2 StopEnded / {ALONE}"));
    desk.restart();
    assert_eq!(desk.accept("stop2"), "protected 2 at 93 alone");
    // Allowed again: what works stays, what comes next is both, whatever their numbers.
    assert_eq!(desk.list_rules(rules()), "");
    assert_eq!(
        desk.done("stop2", Canceled),
        "naked 2 StopEnded / oco take_profit2 sell 2 LIMIT_MAKER limit 107 + stop3 sell 2 STOP_LOSS_LIMIT stop 93 limit 85"
    );
    desk.accept("stop3");
    assert_eq!(desk.accept("take_profit2"), "protected 2 at 93");
    desk.fill("take_profit2", "2", "107", None);
    assert_eq!(desk.done("stop3", Expired), "");
    assert_eq!(desk.done("take_profit2", Filled), "closed TakeProfitHit profit 14 left 0");
}

#[test]
fn an_oco_that_the_venue_refuses_is_followed_by_a_stop_at_once() {
    // MAX_NUM_ORDER_LISTS: the owner's own lists count; "not supported for this symbol": rules not heard of yet.
    for (reason, first) in
        [(Filter, "take_profit1"), (Filter, "stop1"), (Other, "take_profit1"), (Other, "stop1")]
    {
        let mut desk = entered();
        let second = if first == "stop1" { "take_profit1" } else { "stop1" };
        assert_eq!(desk.done_as(first, Rejected, Some(reason)), "", "{reason:?} of {first}");
        assert_eq!(desk.done_as(second, Rejected, Some(reason)), ALONE, "{reason:?} of {first}");
        assert_eq!(desk.accept("stop2"), "protected 2 at 93 alone");
        assert_eq!(desk.move_stop("95"), "cancel stop2");
        assert_eq!(
            desk.done("stop2", Canceled),
            "naked 2 StopMoving / submit stop3 sell 2 STOP_LOSS_LIMIT stop 95 limit 85"
        );
    }
}

#[test]
fn a_stop_alone_that_is_refused_is_raised_and_given_up_as_any() {
    let mut desk = entered();
    desk.done_as("take_profit1", Rejected, Some(Filter));
    assert_eq!(desk.done_as("stop1", Rejected, Some(Filter)), ALONE);
    let raised = |n, limit| format!("submit stop{n} sell 2 STOP_LOSS_LIMIT stop 93 limit {limit}");
    assert_eq!(desk.done_as("stop2", Rejected, Some(Filter)), raised(3, "89"));
    assert_eq!(desk.done_as("stop3", Rejected, Some(Filter)), raised(4, "93"));
    assert_eq!(
        desk.done_as("stop4", Rejected, Some(Filter)),
        "exiting Unprotectable / submit exit1 sell 2 MARKET"
    );
}

#[test]
fn other_rules_have_both_tried_again() {
    let mut desk = entered();
    desk.done_as("take_profit1", Rejected, Some(Filter));
    assert_eq!(desk.done_as("stop1", Rejected, Some(Filter)), ALONE);
    desk.list_rules(InstrumentRules { max_order_lists: Some(20), ..rules() });
    assert_eq!(desk.done("stop2", Canceled), BOTH.replace("stop2", "stop3"));
}

#[test]
fn a_take_profit_order_that_is_too_far_up_for_the_venue_costs_no_stop() {
    let mut desk = Desk::new(oco());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.list_rules(InstrumentRules { max_price: Some(d("105")), ..rules() });
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 100 / submit stop1 sell 2 STOP_LOSS_LIMIT stop 93 limit 85"
    );
}

#[test]
fn an_oco_of_which_the_market_is_beyond_an_order_is_left_at_market() {
    let mut desk = entered();
    desk.done_as("take_profit1", Rejected, Some(WouldTrigger));
    assert_eq!(
        desk.done_as("stop1", Rejected, Some(WouldTrigger)),
        "exiting BeyondStop / submit exit1 sell 2 MARKET"
    );
}

#[test]
fn what_is_left_where_the_market_is_past_its_target_has_taken_its_profit() {
    let mut desk = entered();
    assert_eq!(desk.candle("110"), "");
    desk.done_as("take_profit1", Rejected, Some(WouldTrigger));
    assert_eq!(
        desk.done_as("stop1", Rejected, Some(WouldTrigger)),
        "exiting TakeProfitHit / submit exit1 sell 2 MARKET"
    );
}

service::mirrored!("stop_alone.rs":
    a_trade_that_is_filled_after_the_venue_took_oco_away_gets_a_stop_at_once
    an_oco_that_works_stays_when_the_venue_takes_oco_away_and_is_followed_by_a_stop
    an_oco_that_the_venue_refuses_is_followed_by_a_stop_at_once
    a_stop_alone_that_is_refused_is_raised_and_given_up_as_any
    other_rules_have_both_tried_again
    a_take_profit_order_that_is_too_far_up_for_the_venue_costs_no_stop
    what_is_left_where_the_market_is_past_its_target_has_taken_its_profit
    an_oco_of_which_the_market_is_beyond_an_order_is_left_at_market;
);
