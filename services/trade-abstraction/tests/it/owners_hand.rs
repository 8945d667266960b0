//! The owner's hand at the venue: orders of ours that are changed, replaced, or joined by others.

use crate::desk::{Desk, oco, stop_limit};
use domain::Ending::{Canceled, Filled, Rejected};
use events::Rejection::InsufficientBalance;

#[test]
fn a_stop_that_was_made_smaller_covers_so_much_and_is_replaced_by_one_for_all() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(
        desk.amend("stop1", "0.5"),
        "protected 0.5 at 85 / naked 1.5 Undercovered beside 0.5 / cancel stop1"
    );
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopMoving / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop2"), "protected 2 at 85");
}

#[test]
fn a_stop_that_was_amended_twice_in_any_order_covers_the_smaller_quantity() {
    let mut desk = Desk::open(stop_limit());
    desk.amend("stop1", "0.5");
    assert_eq!(desk.amend("stop1", "0.2"), "protected 0.2 at 85 / naked 1.8 Undercovered beside 0.2");
    assert_eq!(desk.amend("stop1", "0.5"), "", "one that was heard late changes nothing");
    desk.fill("stop1", "0.2", "85", None);
    assert_eq!(
        desk.done("stop1", Filled),
        "naked 1.8 StopMoving / submit stop2 sell 1.8 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_stop_that_only_has_another_name_covers_what_it_did() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.amend("stop1", "2"), "");
    assert_eq!(desk.fill("stop1", "2", "84", None), "");
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -32 left 0");
}

#[test]
fn an_amendment_that_is_heard_before_the_acceptance_is_the_acceptance() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    assert_eq!(desk.amend("stop1", "0.5"), "cancel stop1");
    assert_eq!(desk.accept("stop1"), "");
    assert_eq!(desk.done("stop1", Canceled), "submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
}

#[test]
fn a_stop_that_had_begun_to_sell_and_was_amended_covers_what_is_left_of_it() {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "0.5", "85", None);
    // 1 in all, of which half is sold: the rest of the holding is 1.5.
    assert_eq!(
        desk.amend("stop1", "1"),
        "protected 0.5 at 85 / naked 1.0 Undercovered beside 0.5 / cancel stop1"
    );
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 1.5 StopMoving / submit stop2 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn amending_one_order_of_two_that_cancel_each_other_amends_both() {
    for leg in ["stop1", "take_profit1"] {
        let mut desk = Desk::open(oco());
        assert_eq!(
            desk.amend(leg, "0.5"),
            "protected 0.5 at 93 / naked 1.5 Undercovered beside 0.5 / cancel stop1",
            "{leg}"
        );
        assert_eq!(desk.done("take_profit1", Canceled), "");
        assert_eq!(
            desk.done("stop1", Canceled),
            "naked 2 StopMoving / oco take_profit2 sell 2 LIMIT_MAKER limit 107 + stop2 sell 2 STOP_LOSS_LIMIT stop 93 limit 85"
        );
    }
}

#[test]
fn a_stop_that_is_amended_while_it_is_being_canceled_ends_and_all_is_sold() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    assert_eq!(desk.amend("stop1", "0.5"), "");
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
    desk.fill("exit1", "2", "130", None);
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit 60 left 0");
}

#[test]
fn an_entry_that_was_made_smaller_is_protected_for_what_it_bought() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.accept("entry1");
    assert_eq!(desk.amend("entry1", "0.5"), "");
    assert_eq!(desk.fill("entry1", "0.5", "100", None), "naked 0.5 Entered");
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 0.5 @ 100 / submit stop1 sell 0.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn an_order_of_the_owners_under_the_id_of_one_of_ours_is_not_ours() {
    let mut desk = Desk::open(stop_limit());
    desk.done("stop1", Canceled);
    desk.accept("stop2");
    assert_eq!(desk.foreign_fill("stop1", "1"), "");
    assert_eq!(desk.foreign_done("stop1"), "");
    assert_eq!(desk.foreign_fill("stop2", "1"), "", "nor is one beside ours");
    assert_eq!(desk.close(), "exiting Requested / cancel stop2");
    assert_eq!(desk.done("stop2", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
}

/// The owner cancels the stop and places an order of his own, in one request: his holds the coins now.
fn replaced() -> Desk {
    let mut desk = Desk::open(stop_limit());
    desk.balance("0", "2");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 2 StopEnded / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(
        desk.done_as("stop2", Rejected, Some(InsufficientBalance)),
        "naked 2 HeldElsewhere / wake in 60s"
    );
    desk
}

#[test]
fn coins_that_an_order_of_the_owners_holds_are_said_to_be_without_a_stop_once() {
    let mut desk = replaced();
    assert_eq!(desk.pass(60), "", "the balance says that there is nothing to try");
    assert_eq!(desk.pass(3_600), "");
    assert_eq!(desk.balance("0.0005", "1.9995"), "");
    // He gives them free again.
    assert_eq!(desk.balance("2", "0"), "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
    assert_eq!(desk.accept("stop3"), "protected 2 at 85");
}

#[test]
fn coins_that_are_partly_free_are_partly_covered() {
    let mut desk = replaced();
    assert_eq!(desk.balance("0.5", "1.5"), "submit stop3 sell 0.5 STOP_LOSS_LIMIT stop 85 limit 68");
    desk.pass(1);
    assert_eq!(desk.accept("stop3"), "protected 0.5 at 85 / naked 1.5 HeldElsewhere beside 0.5");
    assert_eq!(desk.balance("0", "2"), "", "its own stop holds them");
    assert_eq!(desk.balance("1.5", "0.5"), "cancel stop3");
    assert_eq!(desk.done("stop3", Canceled), "naked 2 StopMoving / wake in 60s");
    assert_eq!(desk.balance("2", "0"), "submit stop4 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
    assert_eq!(desk.accept("stop4"), "protected 2 at 85");
}

#[test]
fn a_trade_that_is_to_be_left_waits_for_coins_that_the_owner_holds() {
    let mut desk = replaced();
    assert_eq!(desk.close(), "exiting Requested");
    assert_eq!(desk.pass(7_200), "");
    assert_eq!(desk.balance("2", "0"), "submit exit1 sell 2 MARKET");
    desk.fill("exit1", "2", "130", None);
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit 60 left 0");
}

#[test]
fn a_sale_that_is_refused_for_want_of_coins_sells_what_is_there() {
    let mut desk = Desk::open(stop_limit());
    desk.balance("0.7", "0");
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.done_as("exit1", Rejected, Some(InsufficientBalance)),
        "wake in 60s",
        "what the balance tells is tried later"
    );
    assert_eq!(desk.balance("0.7", "0"), "submit exit2 sell 0.7 MARKET");
    desk.fill("exit2", "0.7", "130", None);
    assert_eq!(desk.done("exit2", Filled), "wake in 60s", "the balance will tell what is left");
    // All of it is gone from the account: nothing can ever be sold.
    assert_eq!(desk.balance("0", "0"), "closed Elsewhere profit 21 left 1.3");
}

#[test]
fn a_balance_that_was_told_before_the_last_fill_ends_nothing() {
    let mut desk = Desk::new(stop_limit());
    desk.balance("0", "0");
    desk.pass(1);
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    let said = desk.done_as("stop1", Rejected, Some(InsufficientBalance));
    assert_eq!(said, "wake in 60s");
    assert_eq!(desk.balance("2", "0"), "submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
}

#[test]
fn coins_that_the_owner_sold_are_taken_off_the_trade() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.position_reduced("0.5", "1.5"), "cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 1.5 StopMoving / submit stop2 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    // What its own orders sell comes through the tracker, too.
    desk.accept("stop2");
    desk.fill("stop2", "1", "85", None);
    assert_eq!(desk.position_reduced("1", "0.5"), "");
}

#[test]
fn what_the_tracker_says_late_of_the_trade_before_takes_nothing_off_the_next() {
    for late in [false, true] {
        let mut desk = Desk::open(stop_limit());
        desk.is_counted();
        desk.fill("stop1", "2", "85", None);
        desk.done("stop1", Filled);
        let said_by_the_tracker = |desk: &mut Desk| {
            assert_eq!(desk.position_reduced_by("2", "2", "0.0009"), "");
            assert_eq!(desk.position_closed_by("2", "2", "0.0009"), "");
        };
        if !late {
            said_by_the_tracker(&mut desk);
        }
        desk.size_next();
        desk.fill("entry1", "2", "100", None);
        desk.done("entry1", Filled);
        if late {
            said_by_the_tracker(&mut desk);
        }
        assert_eq!(desk.accept("stop1"), "protected 2 at 85");
        desk.pass(60);
    }
}

#[test]
fn a_sale_of_the_owners_takes_off_what_it_sold_and_no_fill_that_the_tracker_has_not_counted() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.accept("entry1");
    desk.fill("entry1", "0.5", "100", None);
    desk.is_counted();
    desk.fill("entry1", "1.5", "100", None);
    desk.done("entry1", Filled);
    desk.accept("stop1");
    assert_eq!(desk.position_closed_by("999", "0.5", "0"), "cancel stop1");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 1.5 StopMoving / submit stop2 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_sale_of_the_owners_counts_though_an_own_exit_after_it_was_heard_before_it_was_counted() {
    let mut desk = Desk::open(stop_limit());
    desk.is_counted();
    // The owner sells a half, then the stop a whole; the tracker tells of both later.
    desk.fill("stop1", "1", "85", None);
    desk.position_reduced_by("999", "0.5", "1.5");
    desk.position_reduced_by("2", "1", "0.5");
    assert_eq!(
        desk.done("stop1", Canceled),
        "naked 0.5 StopMoving / submit stop2 sell 0.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_stop_for_some_of_the_coins_grows_by_those_that_become_free() {
    let mut desk = replaced();
    desk.balance("0.5", "1.5");
    desk.pass(1);
    desk.accept("stop3");
    assert_eq!(desk.balance("0.2", "1.8"), "cancel stop3", "0.5 that it holds, and 0.2");
    assert_eq!(desk.done("stop3", Canceled), "naked 2 StopMoving / wake in 60s");
    assert_eq!(desk.balance("0.7", "1.3"), "submit stop4 sell 0.7 STOP_LOSS_LIMIT stop 85 limit 68");
}

#[test]
fn a_sale_of_dust_that_a_trade_does_not_count_takes_nothing_off_it() {
    let mut desk = Desk::open(stop_limit());
    // The tracker counts 2.5 before, of which 0.5 are none of the trade's.
    assert_eq!(desk.position_reduced("0.5", "2"), "");
    desk.close();
    desk.done("stop1", Canceled);
    desk.fill("exit1", "1.96", "100", None);
    desk.is_counted();
    assert_eq!(desk.position_closed_by("999", "0.01", "0.04"), "");
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit 0 left 0.04");
}

#[test]
fn a_sale_of_all_but_dust_takes_the_stop_back_and_ends_the_trade() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.position_reduced("1.96", "0.04"), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "naked 0.04 Dust / closed Unprotectable profit -19.6 left 0.04");
}

#[test]
fn a_sale_of_all_before_the_tracker_has_counted_the_entry_names_nothing_without_a_stop() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.position_closed_by("999", "2", "0"), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "closed Unprotectable profit -20 left 0");
}

#[test]
fn a_sale_of_all_that_several_fills_have_bought_ends_the_trade_once_they_are_counted() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "0.5", "100", None);
    desk.fill("entry1", "1.5", "100", None);
    desk.done("entry1", Filled);
    desk.accept("stop1");
    assert_eq!(desk.position_closed(), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "closed Elsewhere profit -20 left 0");
}

service::mirrored!("owners_hand.rs":
    a_sale_of_all_that_several_fills_have_bought_ends_the_trade_once_they_are_counted
    a_stop_for_some_of_the_coins_grows_by_those_that_become_free
    a_sale_of_dust_that_a_trade_does_not_count_takes_nothing_off_it
    a_sale_of_all_but_dust_takes_the_stop_back_and_ends_the_trade
    a_sale_of_all_before_the_tracker_has_counted_the_entry_names_nothing_without_a_stop
    a_stop_that_was_made_smaller_covers_so_much_and_is_replaced_by_one_for_all
    a_stop_that_was_amended_twice_in_any_order_covers_the_smaller_quantity
    a_stop_that_only_has_another_name_covers_what_it_did
    an_amendment_that_is_heard_before_the_acceptance_is_the_acceptance
    a_stop_that_had_begun_to_sell_and_was_amended_covers_what_is_left_of_it
    amending_one_order_of_two_that_cancel_each_other_amends_both
    a_stop_that_is_amended_while_it_is_being_canceled_ends_and_all_is_sold
    an_entry_that_was_made_smaller_is_protected_for_what_it_bought
    an_order_of_the_owners_under_the_id_of_one_of_ours_is_not_ours
    coins_that_an_order_of_the_owners_holds_are_said_to_be_without_a_stop_once
    coins_that_are_partly_free_are_partly_covered
    a_trade_that_is_to_be_left_waits_for_coins_that_the_owner_holds
    a_sale_that_is_refused_for_want_of_coins_sells_what_is_there
    a_balance_that_was_told_before_the_last_fill_ends_nothing
    coins_that_the_owner_sold_are_taken_off_the_trade
    what_the_tracker_says_late_of_the_trade_before_takes_nothing_off_the_next
    a_sale_of_the_owners_takes_off_what_it_sold_and_no_fill_that_the_tracker_has_not_counted
    a_sale_of_the_owners_counts_though_an_own_exit_after_it_was_heard_before_it_was_counted;
);
