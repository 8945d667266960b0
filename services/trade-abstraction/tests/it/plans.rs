//! The plan that travels with a trade: how it is entered, for how long it is held, how its stop follows the market.

use crate::desk::{Desk, d, oco, stop_limit};
use domain::Ending::{Canceled, Filled, Rejected};
use domain::{EntryPlan, ExitPlan};
use events::Rejection;

fn for_an_hour() -> ExitPlan {
    ExitPlan { time_limit_seconds: Some(3_600), ..stop_limit() }
}

/// Its stop follows the market a tenth behind.
fn trailing() -> ExitPlan {
    ExitPlan { trailing: Some(d("0.1")), ..stop_limit() }
}

#[test]
fn an_entry_at_market_names_no_price() {
    let mut desk = Desk::new(stop_limit());
    desk.entry = EntryPlan::Market;
    assert_eq!(desk.size(), "submit entry1 buy 2 MARKET");
    desk.fill("entry1", "2", "100", None);
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 100 / submit stop1 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn an_entry_that_this_build_does_not_carry_out_is_given_up_and_never_taken_for_another() {
    let mut desk = Desk::new(stop_limit());
    desk.entry = EntryPlan::Maker { chase: d("0.002"), deadline_seconds: 900 };
    assert_eq!(desk.size(), "aborted EntryRefused");
}

#[test]
fn a_trade_is_left_when_it_was_held_for_as_long_as_its_plan_allows() {
    for restarted in [false, true] {
        let mut desk = Desk::new(for_an_hour());
        desk.size();
        desk.fill("entry1", "2", "100", None);
        assert_eq!(
            desk.done("entry1", Filled),
            "opened 2 @ 100 / wake in 3600s / submit stop1 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
        );
        desk.accept("stop1");
        if restarted {
            desk.restart();
        }
        assert_eq!(desk.pass(3_599), "");
        assert_eq!(desk.pass(1), "exiting TimeLimit / cancel stop1");
        assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
        desk.fill("exit1", "2", "90", None);
        assert_eq!(desk.done("exit1", Filled), "closed TimeLimit profit -20 left 0");
    }
}

#[test]
fn two_wakes_that_come_due_at_once_lead_to_one_step() {
    let mut desk = Desk::open(ExitPlan { time_limit_seconds: Some(30), ..stop_limit() });
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("exit1", Rejected, Some(Rejection::RateLimited)),
        "wake in 60s / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 85");
    // The time limit and the pause after the failure are both over.
    assert_eq!(desk.pass(60), "cancel stop2");
}

#[test]
fn a_trade_that_is_closed_before_its_time_is_not_opened_again_by_it() {
    let mut desk = Desk::open(for_an_hour());
    desk.fill("stop1", "2", "84", None);
    desk.done("stop1", Filled);
    assert_eq!(desk.pass(3_600), "");
}

#[test]
fn a_stop_that_follows_the_market_is_placed_anew_nearer_to_it() {
    let mut desk = Desk::open(trailing());
    assert_eq!(desk.candle("100"), "cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 90 limit 72"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 90");
    assert_eq!(desk.candle("100"), "", "it is there");
}

#[test]
fn it_moves_by_a_tenth_of_its_distance_at_least_and_never_back() {
    let mut desk = Desk::open(trailing());
    desk.candle("100");
    desk.done("stop1", Canceled);
    desk.accept("stop2");
    // From 90 a hundredth on is 90.9, a tenth behind 101.
    assert_eq!(desk.candle("100.9"), "");
    assert_eq!(desk.candle("95"), "");
    desk.restart();
    assert_eq!(desk.quote("110"), "cancel stop2");
    assert_eq!(
        desk.done("stop2", Canceled),
        "naked 2 StopMoving / submit stop3 sell 2 STOP_LOSS_LIMIT stop 99 limit 79.2"
    );
    assert_eq!(desk.accept("stop3"), "protected 2 at 99");
    desk.fill("stop3", "2", "98", None);
    assert_eq!(desk.done("stop3", Filled), "closed StopHit profit -4 left 0");
}

#[test]
fn a_following_stop_that_the_market_has_passed_meanwhile_is_left_at_market() {
    let mut desk = Desk::open(trailing());
    desk.candle("100");
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("stop2", Rejected, Some(Rejection::WouldTrigger)),
        "exiting BeyondStop / submit exit1 sell 2 MARKET"
    );
}

#[test]
fn a_following_stop_that_a_filter_refuses_goes_back_to_where_it_worked() {
    let mut desk = Desk::open(trailing());
    desk.candle("100");
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("stop2", Rejected, Some(Rejection::Filter)),
        "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop3"), "protected 2 at 85");
    assert_eq!(desk.candle("100"), "", "it is not asked for the same again and again");
}

#[test]
fn a_stop_beside_a_target_follows_the_market_too() {
    let mut desk = Desk::open(ExitPlan { trailing: Some(d("0.02")), ..oco() });
    assert_eq!(desk.candle("100"), "cancel stop1");
    assert_eq!(desk.done("take_profit1", Canceled), "");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / oco take_profit2 sell 2 LIMIT_MAKER limit 107 + stop2 sell 2 STOP_LOSS_LIMIT stop 98 limit 85"
    );
}

#[test]
fn a_stop_follows_no_market_while_its_trade_is_to_be_left() {
    let mut desk = Desk::open(trailing());
    desk.list("0.01", "0.001", "5000");
    assert_eq!(desk.close(), "exiting Requested", "nothing is sold by these rules");
    assert_eq!(desk.candle("100"), "");
}

#[test]
fn a_stop_that_the_owner_moves_follows_the_market_once_it_works_there() {
    let mut desk = Desk::open(trailing());
    assert_eq!(desk.move_stop("86"), "cancel stop1");
    assert_eq!(desk.candle("100"), "");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 86 limit 68.8"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 86");
    assert_eq!(desk.candle("100"), "cancel stop2");
}

service::mirrored!("plans.rs":
    a_stop_follows_no_market_while_its_trade_is_to_be_left
    a_stop_that_the_owner_moves_follows_the_market_once_it_works_there
    an_entry_at_market_names_no_price
    an_entry_that_this_build_does_not_carry_out_is_given_up_and_never_taken_for_another
    a_trade_is_left_when_it_was_held_for_as_long_as_its_plan_allows
    two_wakes_that_come_due_at_once_lead_to_one_step
    a_trade_that_is_closed_before_its_time_is_not_opened_again_by_it
    a_stop_that_follows_the_market_is_placed_anew_nearer_to_it
    a_following_stop_that_the_market_has_passed_meanwhile_is_left_at_market
    a_following_stop_that_a_filter_refuses_goes_back_to_where_it_worked
    a_stop_beside_a_target_follows_the_market_too;
    only long, "a ratio of another price than the entry's has no mirror":
    it_moves_by_a_tenth_of_its_distance_at_least_and_never_back;
);
