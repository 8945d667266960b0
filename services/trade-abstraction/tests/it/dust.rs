//! What an exit leaves is kept with its cost, and sold by the edge's next trade.

use crate::desk::{Desk, stop_limit};
use domain::Ending::{Canceled, Filled, Rejected};
use events::Rejection::InsufficientBalance;

/// 2 bought at 100 of which the fee takes 0.0005: 1.999 are sold at 110, and 0.0005 are left of cost 0.05.
fn left_some() -> Desk {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", Some(("0.0005", "BTC")));
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 1.9995 Exiting / submit exit1 sell 1.999 MARKET");
    desk.fill("exit1", "1.999", "110", None);
    let closed = desk.done("exit1", Filled);
    assert!(
        closed.starts_with("closed Requested profit 19.94") && closed.ends_with(" left 0.0005"),
        "{closed}"
    );
    desk.pass(3_600);
    desk
}

#[test]
fn the_next_trade_sells_what_the_last_one_left() {
    for restarted in [false, true] {
        let mut desk = left_some();
        if restarted {
            desk.restart();
        }
        assert_eq!(desk.size_next(), "submit entry1 buy 2 LIMIT limit 100");
        assert_eq!(desk.fill("entry1", "2", "100", Some(("0.0005", "BTC"))), "naked 2.0000 Entered");
        assert_eq!(
            desk.done("entry1", Filled),
            "opened 2.0000 @ 100 / submit stop1 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
        );
        if restarted {
            desk.restart();
        }
        assert_eq!(desk.accept("stop1"), "protected 2 at 85");
        desk.fill("stop1", "2", "85", None);
        // 200 and 0.05 of before for 2.
        let closed = desk.done("stop1", Filled);
        assert!(
            closed.starts_with("closed StopHit profit -30.05") && closed.ends_with(" left 0 carried 0.0005"),
            "{closed}"
        );
    }
}

#[test]
fn dust_that_the_venue_says_is_not_there_is_dropped_and_the_rest_protected_at_once() {
    let mut desk = left_some();
    desk.size_next();
    desk.fill("entry1", "2", "100", Some(("0.0005", "BTC")));
    desk.done("entry1", Filled);
    assert_eq!(
        desk.done_as("stop1", Rejected, Some(InsufficientBalance)),
        "submit stop2 sell 1.999 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    desk.restart();
    assert_eq!(desk.accept("stop2"), "protected 1.999 at 85");
    desk.fill("stop2", "1.999", "85", None);
    let closed = desk.done("stop2", Filled);
    assert!(closed.ends_with(" left 0.0005"), "nothing is carried: {closed}");
    // What it leaves itself is the next one's again.
    assert_eq!(desk.state()["dust"][0][1]["quantity"], "0.0005");
}

#[test]
fn dust_that_the_owner_sold_is_not_counted_on() {
    let mut desk = left_some();
    assert_eq!(desk.position_reduced("0.0004", "0.0001"), "");
    assert_eq!(desk.state()["dust"][0][1]["quantity"], "0.0001");
    desk.restart();
    desk.size_next();
    assert_eq!(desk.fill("entry1", "2", "100", None), "naked 2.0001 Entered");
    assert_eq!(desk.state()["dust"], serde_json::json!([]), "it is the trade's now");
}

#[test]
fn what_the_tracker_says_late_of_an_earlier_exit_changes_no_dust() {
    let mut desk = left_some();
    desk.size_next();
    desk.fill("entry1", "2", "100", Some(("0.0004", "BTC")));
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.fill("stop1", "1.999", "85", None);
    desk.done("stop1", Filled);
    let left = "0.0011";
    assert_eq!(desk.state()["dust"][0][1]["quantity"], left);
    // Fill 2 was the exit of the trade before.
    assert_eq!(desk.position_reduced_by("2", "1.999", "0.0005"), "");
    assert_eq!(desk.state()["dust"][0][1]["quantity"], left);
}

#[test]
fn an_entry_that_buys_nothing_takes_over_nothing() {
    let mut desk = left_some();
    desk.size_next();
    assert_eq!(desk.done("entry1", domain::Ending::Expired), "aborted EntryUnfilled");
    assert_eq!(desk.state()["dust"][0][1]["quantity"], "0.0005");
}

#[test]
fn a_late_fill_of_the_last_trade_changes_what_it_left() {
    let mut desk = left_some();
    // One more piece of the exit is told after its end: more was sold than was counted.
    desk.fill("exit1", "0.0003", "110", None);
    assert_eq!(desk.state()["dust"][0][1]["quantity"], "0.0002");
}

#[test]
fn what_was_carried_is_kept_where_a_stop_ends_for_another_reason_than_missing_coins() {
    let mut desk = left_some();
    desk.size_next();
    desk.fill("entry1", "2", "100", Some(("0.0005", "BTC")));
    desk.done("entry1", Filled);
    desk.accept("stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2.0000 StopEnded / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

service::mirrored!("dust.rs":;
    only long, "their dust comes of a fee in the coins, which exists on spot only":
    what_was_carried_is_kept_where_a_stop_ends_for_another_reason_than_missing_coins
    the_next_trade_sells_what_the_last_one_left
    dust_that_the_venue_says_is_not_there_is_dropped_and_the_rest_protected_at_once
    dust_that_the_owner_sold_is_not_counted_on
    what_the_tracker_says_late_of_an_earlier_exit_changes_no_dust
    an_entry_that_buys_nothing_takes_over_nothing
    a_late_fill_of_the_last_trade_changes_what_it_left;
);
