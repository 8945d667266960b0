use crate::desk::{Desk, oco, stop_limit};
use domain::Ending::{Absent, Canceled, Expired, Filled, Rejected};
use events::Rejection;

#[test]
fn a_granted_trade_is_entered_with_a_limit_that_expires() {
    let mut desk = Desk::new(stop_limit());
    assert_eq!(desk.size(), "submit entry1 buy 2 LIMIT limit 100");
}

#[test]
fn a_filled_entry_is_protected_from_the_executed_price() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(desk.accept("entry1"), "");
    assert_eq!(desk.fill("entry1", "2", "99", None), "naked 2 Entered");
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 99 / submit stop1 sell 2 STOP_LOSS_LIMIT stop 84.15 limit 67.32"
    );
    assert_eq!(desk.accept("stop1"), "protected 2 at 84.15");
}

#[test]
fn a_partly_filled_entry_that_expires_is_a_position_and_is_protected() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "0.5", "100", None);
    assert_eq!(
        desk.done("entry1", Expired),
        "opened 0.5 @ 100 / submit stop1 sell 0.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_fee_in_the_base_asset_makes_the_stop_smaller_rounded_down_to_the_lot() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", Some(("0.0015", "BTC")));
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 1.9985 @ 100 / submit stop1 sell 1.998 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn an_entry_without_a_fill_ends_the_trade() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.accept("entry1");
    assert_eq!(desk.done("entry1", Expired), "aborted EntryUnfilled");
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(
        desk.done_as("entry1", Rejected, Some(Rejection::InsufficientBalance)),
        "aborted EntryRejected"
    );
}

#[test]
fn a_fill_of_an_entry_that_was_declared_absent_still_counts() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(desk.done("entry1", Absent), "aborted EntryAbsent");
    assert_eq!(
        desk.fill("entry1", "2", "100", None),
        "opened 2 @ 100 / naked 2 Entered / submit stop1 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop1"), "protected 2 at 85");
}

#[test]
fn a_hit_stop_closes_the_trade() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.fill("stop1", "2", "84", None), "");
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -32 left 0");
}

#[test]
fn a_close_cancels_the_stop_then_sells_what_is_held() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
    desk.accept("exit1");
    assert_eq!(desk.fill("exit1", "2", "130", Some(("0.26", "USDT"))), "");
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit 59.74 left 0");
}

#[test]
fn a_stop_that_fills_while_it_is_being_canceled_closes_the_trade() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.fill("stop1", "2", "85", None);
    assert_eq!(desk.cancel_rejected("stop1"), "");
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -30 left 0");
}

#[test]
fn a_failed_exit_is_protected_again_and_tried_later() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("exit1", Rejected, Some(Rejection::RateLimited)),
        "wake in 60s / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 85");
    assert_eq!(desk.pass(60), "cancel stop2");
    assert_eq!(desk.done("stop2", Canceled), "naked 2 Exiting / submit exit2 sell 2 MARKET");
}

#[test]
fn an_exit_that_sells_a_part_protects_the_rest_and_goes_on() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    desk.fill("exit1", "0.5", "120", None);
    assert_eq!(
        desk.done("exit1", Expired),
        "wake in 60s / submit stop2 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_stop_that_cannot_be_placed_is_tried_three_times_then_the_trade_is_left_at_market() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    // Perhaps it is the limit that is too far below the venue's average: it goes up to the trigger.
    let stop = |n, limit| format!("submit stop{n} sell 2 STOP_LOSS_LIMIT stop 85 limit {limit}");
    assert_eq!(desk.done_as("stop1", Rejected, Some(Rejection::Filter)), stop(2, "76.5"));
    assert_eq!(desk.done_as("stop2", Rejected, Some(Rejection::Filter)), stop(3, "85"));
    assert_eq!(
        desk.done_as("stop3", Rejected, Some(Rejection::Filter)),
        "exiting Unprotectable / submit exit1 sell 2 MARKET"
    );
    desk.fill("exit1", "2", "99", None);
    assert_eq!(desk.done("exit1", Filled), "closed Unprotectable profit -2 left 0");
}

#[test]
fn a_stop_that_would_trigger_at_once_is_left_at_market() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    assert_eq!(
        desk.done_as("stop1", Rejected, Some(Rejection::WouldTrigger)),
        "exiting BeyondStop / submit exit1 sell 2 MARKET"
    );
}

#[test]
fn a_stop_canceled_by_hand_or_expired_is_noticed_and_placed_again() {
    for ending in [Canceled, Expired] {
        let mut desk = Desk::open(stop_limit());
        assert_eq!(
            desk.done("stop1", ending),
            "naked 2 StopEnded / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
        );
    }
}

#[test]
fn a_partly_filled_stop_that_ends_is_followed_by_one_for_the_rest() {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "1.2", "84", None);
    assert_eq!(
        desk.done("stop1", Expired),
        "naked 0.8 StopEnded / submit stop2 sell 0.8 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_moved_stop_leaves_no_naked_moment_unsaid() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.move_stop("95"), "cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 95 limit 76"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 95");
}

#[test]
fn a_moved_stop_that_the_venue_refuses_goes_back_to_where_it_was() {
    let mut desk = Desk::open(stop_limit());
    desk.move_stop("120");
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("stop2", Rejected, Some(Rejection::WouldTrigger)),
        "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn an_oco_exit_takes_profit_or_stops() {
    let mut desk = Desk::new(oco());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 100 / oco take_profit1 sell 2 LIMIT_MAKER limit 107 + stop1 sell 2 STOP_LOSS_LIMIT stop 93 limit 85"
    );
    assert_eq!(desk.accept("stop1"), "");
    assert_eq!(desk.accept("take_profit1"), "protected 2 at 93");
    desk.fill("take_profit1", "2", "107", None);
    assert_eq!(desk.done("stop1", Expired), "");
    assert_eq!(desk.done("take_profit1", Filled), "closed TakeProfitHit profit 14 left 0");
}

#[test]
fn a_take_profit_that_sells_a_part_has_lost_its_stop_and_both_come_anew() {
    let mut desk = Desk::open(oco());
    desk.fill("take_profit1", "0.5", "107", None);
    assert_eq!(desk.done("stop1", Expired), "naked 1.5 StopEnded / cancel take_profit1");
    assert_eq!(
        desk.done("take_profit1", Canceled),
        "oco take_profit2 sell 1.5 LIMIT_MAKER limit 107 + stop2 sell 1.5 STOP_LOSS_LIMIT stop 93 limit 85"
    );
}

#[test]
fn a_close_of_an_oco_cancels_the_list_once() {
    let mut desk = Desk::open(oco());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    assert_eq!(desk.done("take_profit1", Canceled), "");
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
}

#[test]
fn a_take_profit_that_trades_while_the_stop_is_being_canceled_is_taken_back_by_itself() {
    for rejected_first in [true, false] {
        let mut desk = Desk::open(oco());
        assert_eq!(desk.close(), "exiting Requested / cancel stop1");
        desk.fill("take_profit1", "0.5", "107", None);
        let said = if rejected_first {
            desk.cancel_rejected("stop1") + &desk.done("stop1", Expired)
        } else {
            desk.done("stop1", Expired) + &desk.cancel_rejected("stop1")
        };
        assert!(said.contains("cancel take_profit1"), "rejected first {rejected_first}: {said}");
        let said = desk.done("take_profit1", Canceled);
        // Sold, or protected until the exit is tried again: the rest is not forgotten.
        assert!(said.contains("sell 1.5"), "rejected first {rejected_first}: {said}");
    }
}

#[test]
fn a_close_before_the_entry_is_over_leaves_at_once() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.accept("entry1");
    assert_eq!(desk.close(), "cancel entry1");
    desk.fill("entry1", "1", "100", None);
    assert_eq!(
        desk.done("entry1", Canceled),
        "opened 1 @ 100 / exiting Requested / submit exit1 sell 1 MARKET"
    );
}

#[test]
fn what_is_too_little_to_sell_is_named_and_the_trade_ends() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "0.04", "100", None);
    assert_eq!(
        desk.done("entry1", Expired),
        "opened 0.04 @ 100 / naked 0.04 Dust / closed Unprotectable profit 0 left 0.04"
    );
}

#[test]
fn a_small_holding_gets_a_stop_whose_limit_still_is_worth_placing() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    // 0.07 × 68 would be below the least notional of 5; 0.07 × 71.43 is not.
    desk.fill("entry1", "0.07", "100", None);
    assert_eq!(
        desk.done("entry1", Expired),
        "opened 0.07 @ 100 / submit stop1 sell 0.07 STOP_LOSS_LIMIT stop 85 limit 71.43"
    );
}

#[test]
fn a_fill_that_is_told_before_the_acceptance_changes_nothing() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    assert_eq!(desk.accept("entry1"), "");
    assert_eq!(desk.accept("stop1"), "protected 2 at 85");
}

#[test]
fn a_second_grant_of_the_same_trade_does_not_enter_twice() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(desk.size(), "");
}

#[test]
fn a_grant_under_the_id_of_an_ended_trade_enters_nothing() {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "2", "84", None);
    desk.done("stop1", Filled);
    assert_eq!(desk.size(), "");
    assert_eq!(desk.pass(60), "");
}

#[test]
fn ended_trades_are_forgotten_after_a_while() {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "2", "84", None);
    desk.done("stop1", Filled);
    desk.pass(8 * 86_400);
    assert_eq!(desk.close(), "");
}

#[test]
fn a_stop_that_has_begun_to_sell_is_let_finish_however_little_is_left() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.fill("stop1", "1.97", "85", None), "");
    assert_eq!(desk.fill("stop1", "0.03", "85", None), "");
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -30 left 0");
}

#[test]
fn a_stop_for_which_there_is_no_room_is_refused_and_the_old_one_stays() {
    let mut desk = Desk::open(oco());
    assert_eq!(desk.move_stop("107"), "stop 107 refused: 107 does not lie below the take-profit at 107");
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
}

#[test]
fn a_moved_stop_that_breaks_a_filter_goes_back_to_where_it_was() {
    let mut desk = Desk::open(stop_limit());
    desk.move_stop("95");
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("stop2", Rejected, Some(Rejection::Filter)),
        "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_rate_limited_stop_is_tried_again_after_a_while_and_counts_for_nothing() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    for n in 1..=4 {
        assert_eq!(desk.done_as(&format!("stop{n}"), Rejected, Some(Rejection::RateLimited)), "wake in 60s");
        assert_eq!(desk.pass(60), format!("submit stop{} sell 2 STOP_LOSS_LIMIT stop 85 limit 68", n + 1));
    }
}

#[test]
fn a_stop_declared_absent_that_works_after_all_protects() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    assert_eq!(desk.done("stop1", Absent), "submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
    desk.accept("stop1");
    assert_eq!(desk.done_as("stop2", Rejected, Some(Rejection::InsufficientBalance)), "protected 2 at 85");
}

#[test]
fn a_grant_for_a_signal_older_than_the_last_close_is_not_entered() {
    let mut desk = Desk::new(stop_limit());
    let signal = desk.now;
    desk.pass(60);
    desk.close();
    assert_eq!(desk.size_for(signal), "aborted Withdrawn");
}

#[test]
fn a_position_sold_by_other_hands_ends_the_trade() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.position_closed(), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "closed Elsewhere profit -20 left 0");
}

#[test]
fn more_than_the_stop_covers_is_said_to_be_undercovered() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.done("entry1", Absent);
    desk.fill("entry1", "1", "100", None);
    desk.accept("stop1");
    assert_eq!(desk.fill("entry1", "1", "100", None), "naked 1 Undercovered beside 1 / cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_plan_at_prices_stands_there_wherever_the_entry_was_filled() {
    let at = |price: &str| domain::Level::Price(price.parse().unwrap());
    let plan = domain::ExitPlan { stop: at("91.5"), take_profit: Some(at("120")), ..stop_limit() };
    let mut desk = Desk::new(plan);
    desk.size();
    desk.accept("entry1");
    desk.fill("entry1", "2", "98", None);
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 98 / oco take_profit1 sell 2 LIMIT_MAKER limit 120 + stop1 sell 2 STOP_LOSS_LIMIT stop 91.5 limit 73.2"
    );
}

#[test]
fn a_trade_that_was_granted_without_a_plan_is_not_entered() {
    let mut desk = Desk::new(stop_limit());
    assert!(desk.size_without_a_plan().starts_with("aborted EntryRefused"));
}

#[test]
fn a_close_of_one_direction_leaves_the_other_alone() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.close_way(false), "");
    assert_eq!(desk.close_way(true), "exiting Requested / cancel stop1");
}

#[test]
fn a_grant_for_a_signal_older_than_a_close_of_the_other_direction_is_entered() {
    for (own, said) in [(true, "aborted Withdrawn"), (false, "submit entry1 buy 2 LIMIT limit 100")] {
        let mut desk = Desk::new(stop_limit());
        let signal = desk.now;
        desk.pass(60);
        desk.close_way(own);
        assert_eq!(desk.size_for(signal), said);
    }
}

service::mirrored!("planner.rs":
    a_close_of_one_direction_leaves_the_other_alone
    a_grant_for_a_signal_older_than_a_close_of_the_other_direction_is_entered
    a_granted_trade_is_entered_with_a_limit_that_expires
    a_filled_entry_is_protected_from_the_executed_price
    a_partly_filled_entry_that_expires_is_a_position_and_is_protected
    an_entry_without_a_fill_ends_the_trade
    a_fill_of_an_entry_that_was_declared_absent_still_counts
    a_hit_stop_closes_the_trade
    a_close_cancels_the_stop_then_sells_what_is_held
    a_stop_that_fills_while_it_is_being_canceled_closes_the_trade
    a_failed_exit_is_protected_again_and_tried_later
    an_exit_that_sells_a_part_protects_the_rest_and_goes_on
    a_stop_that_cannot_be_placed_is_tried_three_times_then_the_trade_is_left_at_market
    a_stop_that_would_trigger_at_once_is_left_at_market
    a_stop_canceled_by_hand_or_expired_is_noticed_and_placed_again
    a_partly_filled_stop_that_ends_is_followed_by_one_for_the_rest
    a_moved_stop_leaves_no_naked_moment_unsaid
    a_moved_stop_that_the_venue_refuses_goes_back_to_where_it_was
    an_oco_exit_takes_profit_or_stops
    a_take_profit_that_sells_a_part_has_lost_its_stop_and_both_come_anew
    a_close_of_an_oco_cancels_the_list_once
    a_take_profit_that_trades_while_the_stop_is_being_canceled_is_taken_back_by_itself
    a_close_before_the_entry_is_over_leaves_at_once
    what_is_too_little_to_sell_is_named_and_the_trade_ends
    a_fill_that_is_told_before_the_acceptance_changes_nothing
    a_second_grant_of_the_same_trade_does_not_enter_twice
    a_grant_under_the_id_of_an_ended_trade_enters_nothing
    ended_trades_are_forgotten_after_a_while
    a_stop_that_has_begun_to_sell_is_let_finish_however_little_is_left
    a_stop_for_which_there_is_no_room_is_refused_and_the_old_one_stays
    a_moved_stop_that_breaks_a_filter_goes_back_to_where_it_was
    a_rate_limited_stop_is_tried_again_after_a_while_and_counts_for_nothing
    a_stop_declared_absent_that_works_after_all_protects
    a_grant_for_a_signal_older_than_the_last_close_is_not_entered
    a_position_sold_by_other_hands_ends_the_trade
    more_than_the_stop_covers_is_said_to_be_undercovered
    a_plan_at_prices_stands_there_wherever_the_entry_was_filled
    a_trade_that_was_granted_without_a_plan_is_not_entered;
    only long, "a fee in the coins exists on spot only":
    a_fee_in_the_base_asset_makes_the_stop_smaller_rounded_down_to_the_lot;
    only long, "the least notional moves the limit of a sale only":
    a_small_holding_gets_a_stop_whose_limit_still_is_worth_placing;
);
