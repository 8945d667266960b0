//! Facts that are heard late, after an outage: trades have the venue's times.

use crate::desk::{Desk, d, oco, stop_limit};
use domain::Ending::{Canceled, Expired, Filled, Rejected};
use domain::ExitPlan;
use events::Rejection;

/// For so long nobody listened.
const OUTAGE: i64 = 22;

/// Entered and protected a while ago; what the venue tells from here on is heard late.
fn after_an_outage(exit: ExitPlan) -> Desk {
    let mut desk = Desk::open(exit);
    desk.pass(100);
    desk.late = OUTAGE;
    desk
}

/// How many seconds ago the last trade was closed, and how many it lasted.
fn closed(desk: &Desk) -> (i64, i64) {
    let closed = desk.last_closed();
    let seconds = |from: domain::Timestamp, to: domain::Timestamp| (to.millis() - from.millis()) / 1_000;
    (seconds(closed.closed_at, desk.now), seconds(closed.opened_at, closed.closed_at))
}

#[test]
fn a_trade_is_without_a_stop_since_the_venue_ended_it() {
    for restarted in [false, true] {
        let mut desk = after_an_outage(stop_limit());
        if restarted {
            desk.restart();
        }
        assert!(desk.end("stop1", Canceled).starts_with("naked 2 StopEnded / submit stop2"));
        assert_eq!(desk.naked_for(), OUTAGE);
    }
}

#[test]
fn of_a_list_it_is_so_since_its_stop_ended() {
    let mut desk = after_an_outage(oco());
    desk.fill("take_profit1", "0.5", "115", None);
    assert_eq!(desk.end("stop1", Expired), "naked 1.5 StopEnded / cancel take_profit1");
    assert_eq!(desk.naked_for(), OUTAGE);
}

#[test]
fn a_stop_that_was_taken_away_to_leave_is_gone_since_its_cancel_was_carried_out() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    desk.pass(100);
    desk.late = OUTAGE;
    assert!(desk.end("stop1", Canceled).starts_with("naked 2 Exiting / submit exit1"));
    assert_eq!(desk.naked_for(), OUTAGE);
}

#[test]
fn an_end_of_which_the_venue_tells_no_time_counts_from_when_it_is_heard() {
    let mut desk = after_an_outage(stop_limit());
    assert!(desk.done("stop1", Canceled).starts_with("naked 2 StopEnded"));
    assert_eq!(desk.naked_for(), 0);
}

#[test]
fn coins_that_are_missed_later_leave_it_without_a_stop_since_that_ended() {
    let mut desk = after_an_outage(stop_limit());
    desk.end("stop1", Canceled);
    desk.pass(5);
    desk.done_as("stop2", Rejected, Some(Rejection::InsufficientBalance));
    let said = desk.balance("0", "2");
    assert!(said.starts_with("naked 2 HeldElsewhere"), "{said}");
    assert_eq!(desk.naked_for(), OUTAGE + 6);
}

#[test]
fn a_trade_is_open_and_without_a_stop_since_its_first_fill_at_the_venue() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.pass(100);
    desk.late = OUTAGE;
    assert_eq!(desk.fill("entry1", "1", "100", None), "naked 1 Entered");
    assert_eq!(desk.naked_for(), OUTAGE);
    desk.late = OUTAGE - 2;
    desk.fill("entry1", "1", "100", None);
    assert!(desk.end("entry1", Filled).starts_with("opened 2 @ 100 / submit stop1"));
    desk.late = 0;
    desk.accept("stop1");
    desk.pass(100);
    desk.fill("stop1", "2", "85", None);
    desk.end("stop1", Filled);
    assert_eq!(closed(&desk), (0, 100 + OUTAGE));
}

#[test]
fn fills_that_are_heard_in_another_order_open_it_with_the_first_of_the_venue() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.pass(100);
    desk.late = OUTAGE - 2;
    desk.fill("entry1", "1", "100", None);
    desk.late = OUTAGE;
    desk.fill("entry1", "1", "100", None);
    desk.end("entry1", Filled);
    desk.accept("stop1");
    desk.late = 0;
    desk.fill("stop1", "2", "85", None);
    desk.end("stop1", Filled);
    assert_eq!(closed(&desk), (0, OUTAGE));
}

#[test]
fn a_trade_is_closed_at_its_last_exit_at_the_venue() {
    let mut desk = after_an_outage(stop_limit());
    desk.fill("stop1", "1", "85", None);
    desk.late = OUTAGE - 2;
    assert_eq!(desk.fill("stop1", "1", "85", None), "");
    assert_eq!(desk.end("stop1", Filled), "closed StopHit profit -30 left 0");
    assert_eq!(closed(&desk), (OUTAGE - 2, 100 - OUTAGE + 2));
}

#[test]
fn a_trade_that_leaves_dust_is_closed_at_its_last_exit_at_the_venue() {
    let mut desk = after_an_outage(stop_limit());
    desk.fill("stop1", "1.99", "85", None);
    assert!(desk.end("stop1", Expired).contains("closed StopHit"));
    assert_eq!(desk.last_closed().left, d("0.01"));
    assert_eq!(closed(&desk), (OUTAGE, 100 - OUTAGE));
}

#[test]
fn a_rest_of_which_a_later_price_makes_dust_is_closed_when_that_is_heard() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    desk.fill("exit1", "1.9", "100", None);
    desk.done("exit1", Expired);
    for stop in ["stop2", "stop3", "stop4"] {
        desk.done_as(stop, Rejected, Some(Rejection::Other));
    }
    let said = desk.candle("40");
    assert!(said.contains("closed Requested"), "{said}");
    assert_eq!((desk.last_closed().left, closed(&desk)), (d("0.1"), (0, 60)));
}

#[test]
fn a_sale_by_other_hands_closes_it_at_the_time_of_the_positions_end() {
    let mut desk = after_an_outage(stop_limit());
    desk.end("stop1", Canceled);
    desk.done("stop2", Canceled);
    desk.position_closed();
    desk.done("stop3", Canceled);
    assert_eq!(closed(&desk), (OUTAGE, 100 - OUTAGE));
}

#[test]
fn a_sale_by_other_hands_of_which_no_time_is_told_closes_it_when_that_is_heard() {
    let mut desk = after_an_outage(stop_limit());
    desk.position_reduced("1.99", "0.01");
    desk.end("stop1", Canceled);
    assert_eq!(closed(&desk), (0, 100));
}

#[test]
fn a_stop_that_somebody_made_smaller_covers_less_since_then() {
    let mut desk = after_an_outage(stop_limit());
    assert!(desk.amend("stop1", "0.5").contains("naked 1.5 Undercovered beside 0.5 / cancel stop1"));
    assert_eq!(desk.naked_for(), OUTAGE);
    desk.late = 0;
    desk.pass(3);
    assert!(desk.end("stop1", Canceled).starts_with("naked 2 StopMoving"));
    assert_eq!(desk.naked_for(), 0, "a part was covered until now");
}

#[test]
fn what_a_fill_that_comes_late_adds_is_without_a_stop_since_that_fill() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.pass(100);
    desk.late = OUTAGE + 8;
    desk.fill("entry1", "1", "100", None);
    desk.done("entry1", Canceled);
    desk.late = 0;
    desk.accept("stop1");
    desk.late = OUTAGE;
    assert!(desk.fill("entry1", "1", "100", None).contains("naked 1 Undercovered beside 1"));
    assert_eq!(desk.naked_for(), OUTAGE);
}

#[test]
fn what_a_stop_does_not_cover_from_the_first_is_without_one_since_the_entry() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.pass(100);
    desk.late = OUTAGE;
    desk.fill("entry1", "2", "100", None);
    desk.end("entry1", Filled);
    desk.late = 0;
    desk.amend("stop1", "0.5");
    assert!(!desk.said.is_empty());
    assert_eq!(desk.naked_for(), OUTAGE);
}

#[test]
fn a_trade_that_a_late_fill_opens_again_is_without_a_stop_since_that_fill() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "1", "100", None);
    desk.done("entry1", Canceled);
    desk.accept("stop1");
    desk.pass(100);
    desk.fill("stop1", "1", "85", None);
    desk.done("stop1", Filled);
    desk.pass(30);
    desk.late = OUTAGE;
    assert!(desk.fill("entry1", "1", "100", None).starts_with("opened 1 @ 100 / naked 1 Entered"));
    assert_eq!(desk.naked_for(), OUTAGE);
    desk.late = 0;
    desk.pass(5);
    desk.done_as("stop2", Rejected, Some(Rejection::InsufficientBalance));
    let said = desk.balance("0", "1");
    assert!(said.starts_with("naked 1 HeldElsewhere"), "{said}");
    assert_eq!(desk.naked_for(), OUTAGE + 6, "it is remembered");
}

#[test]
fn a_time_limit_counts_from_the_first_fill_at_the_venue() {
    for (late, left) in [(21, false), (22, true)] {
        let mut desk = Desk::new(ExitPlan { time_limit_seconds: Some(22), ..stop_limit() });
        desk.size();
        desk.pass(100);
        desk.late = late;
        desk.fill("entry1", "2", "100", None);
        let said = desk.end("entry1", Filled);
        assert_eq!(said.contains("exiting TimeLimit"), left, "{said}");
        assert_eq!(said.contains("wake in 1s"), !left, "{said}");
    }
}

#[test]
fn where_the_venues_clock_is_ahead_nothing_begins_after_now_or_ends_before_it_began() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.late = -5;
    desk.fill("entry1", "2", "100", None);
    assert_eq!(desk.naked_for(), 0);
    desk.end("entry1", Filled);
    desk.accept("stop1");
    desk.end("stop1", Canceled);
    assert_eq!(desk.naked_for(), 0);
    desk.late = 0;
    desk.is_counted();
    desk.position_closed();
    desk.done("stop2", Canceled);
    assert_eq!(closed(&desk).1, 0, "position and trade are told by clocks that differ");
}

service::mirrored!("venue_time.rs":
    a_trade_is_without_a_stop_since_the_venue_ended_it
    of_a_list_it_is_so_since_its_stop_ended
    a_stop_that_was_taken_away_to_leave_is_gone_since_its_cancel_was_carried_out
    an_end_of_which_the_venue_tells_no_time_counts_from_when_it_is_heard
    coins_that_are_missed_later_leave_it_without_a_stop_since_that_ended
    a_trade_is_open_and_without_a_stop_since_its_first_fill_at_the_venue
    fills_that_are_heard_in_another_order_open_it_with_the_first_of_the_venue
    a_trade_is_closed_at_its_last_exit_at_the_venue
    a_trade_that_leaves_dust_is_closed_at_its_last_exit_at_the_venue
    a_sale_by_other_hands_closes_it_at_the_time_of_the_positions_end
    a_sale_by_other_hands_of_which_no_time_is_told_closes_it_when_that_is_heard
    a_stop_that_somebody_made_smaller_covers_less_since_then
    what_a_fill_that_comes_late_adds_is_without_a_stop_since_that_fill
    what_a_stop_does_not_cover_from_the_first_is_without_one_since_the_entry
    a_trade_that_a_late_fill_opens_again_is_without_a_stop_since_that_fill
    a_time_limit_counts_from_the_first_fill_at_the_venue
    where_the_venues_clock_is_ahead_nothing_begins_after_now_or_ends_before_it_began;
    only long, "what a price times a quantity is worth is not mirrored":
    a_rest_of_which_a_later_price_makes_dust_is_closed_when_that_is_heard;
);
