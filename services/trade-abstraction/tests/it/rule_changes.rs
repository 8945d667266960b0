//! The venue changes lot, tick or least notional while a trade is open.

use crate::desk::{Desk, oco, stop_limit};
use domain::Ending::{Canceled, Filled, Rejected};
use events::Rejection::Filter;

#[test]
fn a_stop_that_works_stays_when_the_lot_or_the_tick_changes() {
    for (tick, lot, notional) in
        [("0.01", "0.3", "5"), ("0.1", "0.001", "5"), ("7", "0.001", "5"), ("0.001", "0.001", "5")]
    {
        let mut desk = Desk::open(stop_limit());
        assert_eq!(desk.list(tick, lot, notional), "", "tick {tick}, lot {lot}");
        assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    }
    let mut desk = Desk::open(oco());
    assert_eq!(desk.list("0.1", "0.3", "5"), "");
}

#[test]
fn an_exit_that_the_new_lot_refuses_is_sent_again_at_once_by_it() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
    assert_eq!(desk.list("0.01", "0.3", "5"), "", "the refusal is still on its way");
    assert_eq!(desk.done_as("exit1", Rejected, Some(Filter)), "submit exit2 sell 1.8 MARKET");
    desk.fill("exit2", "1.8", "130", None);
    assert_eq!(desk.done("exit2", Filled), "closed Requested profit 54 left 0.2");
}

#[test]
fn a_stop_that_the_new_rules_refuse_is_placed_by_them_and_counts_for_nothing() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    for n in 1..=5 {
        let (lot, quantity) = if n % 2 == 1 { ("0.3", "1.8") } else { ("0.001", "2") };
        desk.list("0.01", lot, "5");
        assert_eq!(
            desk.done_as(&format!("stop{n}"), Rejected, Some(Filter)),
            format!("submit stop{} sell {quantity} STOP_LOSS_LIMIT stop 85 limit 68", n + 1)
        );
    }
}

#[test]
fn a_stop_is_not_given_up_for_a_sale_that_the_new_rules_leave_no_room_for() {
    for (tick, lot, notional) in [("0.01", "3", "5"), ("0.01", "0.001", "5000")] {
        let mut desk = Desk::open(stop_limit());
        assert_eq!(desk.list(tick, lot, notional), "");
        assert_eq!(desk.close(), "exiting Requested", "lot {lot}, notional {notional}");
        // They come back, and it is left at once.
        assert_eq!(desk.list("0.01", "0.001", "5"), "cancel stop1");
        // Or the stop is hit meanwhile.
        let mut desk = Desk::open(stop_limit());
        desk.list(tick, lot, notional);
        desk.fill("stop1", "2", "85", None);
        assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -30 left 0");
    }
}

#[test]
fn a_finer_lot_has_the_stop_cover_what_it_could_not() {
    let mut desk = Desk::new(stop_limit());
    desk.list("0.01", "0.3", "5");
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    assert_eq!(desk.accept("stop1"), "protected 1.8 at 85");
    assert_eq!(desk.list("0.01", "0.001", "5"), "naked 0.2 Undercovered beside 1.8 / cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn what_waited_for_the_old_rules_does_not_wait_any_more() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("exit1", Rejected, Some(Filter)),
        "wake in 60s / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    desk.accept("stop2");
    assert_eq!(desk.list("0.01", "0.3", "5"), "cancel stop2");
    assert_eq!(desk.done("stop2", Canceled), "naked 2 Exiting / submit exit2 sell 1.8 MARKET");
}

#[test]
fn a_stop_that_is_moved_after_a_change_of_the_tick_goes_where_the_new_tick_allows() {
    let mut desk = Desk::open(stop_limit());
    desk.list("10", "0.001", "5");
    assert_eq!(desk.move_stop("95"), "cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 90 limit 70"
    );
}

#[test]
fn the_same_rules_again_are_no_news() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    desk.done_as("exit1", Rejected, Some(Filter));
    desk.accept("stop2");
    assert_eq!(desk.list("0.01", "0.001", "5"), "");
    assert_eq!(desk.pass(60), "cancel stop2");
}

#[test]
fn a_stop_that_is_refused_while_nothing_is_traded_is_tried_again_and_never_sold_for_that() {
    let mut desk = Desk::open(stop_limit());
    assert!(desk.done("stop1", domain::Ending::Expired).ends_with("stop 85 limit 68"));
    let mut pause = 60;
    for n in 2..=6 {
        let said = desk.done_as(&format!("stop{n}"), Rejected, Some(events::Rejection::MarketClosed));
        assert_eq!(said, format!("wake in {pause}s"));
        assert_eq!(desk.pass(pause), format!("submit stop{} sell 2 STOP_LOSS_LIMIT stop 85 limit 68", n + 1));
        pause *= 2;
    }
    assert_eq!(desk.accept("stop7"), "protected 2 at 85");
}

#[test]
fn an_exit_that_rules_were_in_the_way_of_goes_on_when_they_are_gone() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    // The hands find other rules, and leave the stop where it is.
    assert_eq!(desk.cancel_rejected("stop1"), "wake in 60s");
    assert_eq!(desk.list("0.01", "0.001", "250"), "", "2 are worth 200: the stop stays");
    assert_eq!(desk.pass(60), "");
    assert_eq!(desk.close(), "", "also where the owner asks");
    assert_eq!(desk.list("0.01", "0.001", "5"), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
}

service::mirrored!("rule_changes.rs":
    a_stop_that_works_stays_when_the_lot_or_the_tick_changes
    an_exit_that_the_new_lot_refuses_is_sent_again_at_once_by_it
    a_stop_that_the_new_rules_refuse_is_placed_by_them_and_counts_for_nothing
    a_stop_is_not_given_up_for_a_sale_that_the_new_rules_leave_no_room_for
    a_finer_lot_has_the_stop_cover_what_it_could_not
    what_waited_for_the_old_rules_does_not_wait_any_more
    the_same_rules_again_are_no_news
    an_exit_that_rules_were_in_the_way_of_goes_on_when_they_are_gone
    a_stop_that_is_refused_while_nothing_is_traded_is_tried_again_and_never_sold_for_that;
    only long, "a limit that is a ratio of its stop is rounded to another tick":
    a_stop_that_is_moved_after_a_change_of_the_tick_goes_where_the_new_tick_allows;
);
