//! `faqs/order_amend_keep_priority.md`; refusals by `errors.md`'s messages for −2038.

use super::floor::{check, check_with};

#[test]
fn difference_the_amended_order_keeps_its_place() {
    check(
        "book 87x1 |
        buy 5.5 limit 87
        → o1 accepted #1
        book 87x10.5 86x2 |
        shows 87x16 86x2 |
        amend o1 5
        → o1 amended 5.5 → 5 was o1
        = USDT 565+435, BTC 10+0
        trade sell 2 @ 87
        → o1 filled 1 @ 87 maker t1",
    );
}

#[test]
fn what_happens_if_my_request_does_not_succeed_the_order_stays() {
    check(
        "buy 5 limit 87
        → o1 accepted #1
        buy 1 limit 50
        → o2 accepted #2
        amend o1 6
        → o1 not amended -2038: Order amend (quantity increase) is not supported.
        amend o1 5
        → o1 not amended -2038: The requested action would change no state; rejecting
        amend o9 1
        → o9 not amended -2038: Unknown order sent.
        amend o1 0.0001
        → o1 not amended -1013: Filter failure: LOT_SIZE
        amend o1 0.000000001
        → o1 not amended -1111: Parameter 'newQty' has too much precision.
        amend o1 4 as o2
        → o1 not amended -2038: Duplicate order sent.
        trade sell 2 @ 87
        → o1 filled 2 @ 87 maker t1
        amend o1 2
        → o1 not amended -2038: The requested action would change no state; rejecting
        = USDT 515+311, BTC 12+0",
    );
}

#[test]
fn reuse_of_the_id_another_one_may_be_given() {
    check(
        "buy 5 limit 87
        → o1 accepted #1
        amend o1 4 as o7
        → o7 amended 5 → 4 was o1
        cancel o1
        → o1 not canceled -2011: Unknown order sent.
        cancel o7
        → o7 ended canceled",
    );
}

#[test]
fn can_iceberg_orders_be_amended_the_visible_part_changes_only_below_it() {
    check(
        "buy 5 limit 87 iceberg 2
        → o1 accepted #1
        amend o1 3
        → o1 amended 5 → 3 was o1
        shows 87x2 |
        amend o1 1.5
        → o1 amended 3 → 1.5 was o1
        shows 87x1.5 |",
    );
}

#[test]
fn can_order_lists_be_amended_either_leg_changes_both() {
    check(
        "oco sell 3 above maker 110 below stop 90
        → o1 accepted #1 / o2 accepted #2
        amend o1 2
        → o1 amended 3 → 2 was o1 / o2 amended 3 → 2 was o2
        = USDT 1000+0, BTC 8+2",
    );
}

#[test]
fn filter_max_num_order_amends() {
    check_with(
        |floor| floor.spot.limits.max_amends = Some(2),
        "buy 5 limit 87
        → o1 accepted #1
        amend o1 4
        → o1 amended 5 → 4 was o1
        amend o1 3
        → o1 amended 4 → 3 was o1
        amend o1 2
        → o1 not amended -2038: Filter failure: MAX_NUM_ORDER_AMENDS",
    );
}

#[test]
fn the_new_quantity_may_have_every_decimal() {
    super::floor::check_with(
        |floor| floor.rules.base_precision = 3,
        "buy 2 limit 90
        → o1 accepted #1
        amend o1 1.001
        → o1 amended 2 → 1.001 was o1",
    );
}
