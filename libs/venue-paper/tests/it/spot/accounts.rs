//! Several accounts on one exchange: they trade with each other, each with its own money, ids and counts.

use super::floor::{check, check_with};

#[test]
fn two_accounts_trade_with_each_other_by_price_and_time() {
    check(
        "account
        adjust BTC -9
        @2 adjust BTC 5
        sell 1 limit 101
        → o1 accepted #1
        @2 sell 1 limit 100.5
        → o2 accepted #2
        @2 sell 1 limit 101
        → o3 accepted #3
        shows | 100.5x1 101x2
        buy 2.5 limit 101 stp EXPIRE_TAKER
        → o4 accepted #4 / o4 filled 1 @ 100.5 t1 / o2 filled 1 @ 100.5 maker t1 / o2 ended filled with 1 for 100.5 / prevented 0 o4×o1 @ 101 taker 1.5 / o4 ended expired (in match) with 1 for 100.5 prevented 1.5
        = USDT 899.5+0, BTC 1+1
        @2 = USDT 100.5+0, BTC 3+1",
    );
}

#[test]
fn a_fill_or_kill_order_counts_strangers_before_its_own_orders_and_none_behind() {
    check(
        "account
        @2 adjust BTC 5
        @2 sell 1 limit 101
        → o1 accepted #1
        sell 1 limit 101
        → o2 accepted #2
        @2 sell 1 limit 101
        → o3 accepted #3
        buy 2 limit 101 fok stp EXPIRE_BOTH
        → o4 accepted #4 / o4 ended expired (fok)
        buy 1 limit 101 fok stp EXPIRE_BOTH
        → o5 accepted #5 / o5 filled 1 @ 101 t1 / o1 filled 1 @ 101 maker t1 / o1 ended filled with 1 for 101 / o5 ended filled with 1 for 101
        buy 1 limit 101 fok stp EXPIRE_MAKER
        → o6 accepted #6 / prevented 0 o6×o2 @ 101 maker 1 / o2 ended expired (in match) prevented 1 / o6 filled 1 @ 101 t2 / o3 filled 1 @ 101 maker t2 / o3 ended filled with 1 for 101 / o6 ended filled with 1 for 101",
    );
}

#[test]
fn orders_of_another_account_cannot_be_named() {
    check(
        "account
        @2 adjust USDT 100
        buy 1 limit 90
        → o1 accepted #1
        @2 cancel o1
        → o1 not canceled -2011: Unknown order sent.
        @2 amend o1 0.5
        → o1 not amended -2038: Unknown order sent.
        cancel o1
        → o1 ended canceled",
    );
}

#[test]
fn counts_are_of_each_account() {
    check_with(
        |floor| floor.rules.max_orders = Some(1),
        "account
        @2 adjust USDT 100
        buy 1 limit 90
        → o1 accepted #1
        buy 1 limit 91
        → o2 rejected -1013: Filter failure: MAX_NUM_ORDERS
        @2 buy 1 limit 90
        → o3 accepted #2",
    );
}

#[test]
fn accounts_of_one_group_do_not_trade_and_strangers_do() {
    check(
        "group 7
        account group 7
        account group 8
        @2 adjust BTC 5
        @3 adjust BTC 5
        @2 sell 1 limit 100.5 stp NONE
        → o1 accepted #1
        @3 sell 1 limit 101
        → o2 accepted #2
        buy 2 limit 101 stp EXPIRE_MAKER
        → o3 accepted #3 / prevented 0 o3×o1 @ 100.5 maker 1 / o1 ended expired (in match) prevented 1 / o3 filled 1 @ 101 t1 / o2 filled 1 @ 101 maker t1 / o2 ended filled with 1 for 101
        shows 101x1 |",
    );
}

#[test]
fn transfer_between_accounts_of_a_group_hands_over_what_was_prevented() {
    check(
        "group 7
        account group 7
        @2 adjust BTC 5
        @2 sell 1 limit 100 stp TRANSFER
        → o1 accepted #1
        buy 3 limit 101 stp TRANSFER
        → o2 accepted #2 / prevented 0 o2×o1 @ 100 taker 1 maker 1 / o1 ended expired (in match) prevented 1
        shows 101x2 |
        = USDT 698+202, BTC 11+0
        @2 = USDT 100+0, BTC 4+0",
    );
}

#[test]
fn transfer_is_decrement_within_an_account_and_where_the_maker_does_not_say_so() {
    check(
        "sell 1 limit 100 stp TRANSFER
        → o1 accepted #1
        buy 3 limit 101 stp TRANSFER
        → o2 accepted #2 / prevented 0 o2×o1 @ 100 taker 1 maker 1 / o1 ended expired (in match) prevented 1
        = USDT 798+202, BTC 10+0",
    );
    check(
        "group 7
        account group 7
        @2 adjust BTC 5
        @2 sell 1 limit 100 stp DECREMENT
        → o1 accepted #1
        buy 3 limit 101 stp TRANSFER
        → o2 accepted #2 / prevented 0 o2×o1 @ 100 taker 1 maker 1 / o1 ended expired (in match) prevented 1
        = USDT 798+202, BTC 10+0
        @2 = USDT 0+0, BTC 5+0",
    );
}

#[test]
fn money_goes_from_one_account_to_another_and_never_more_than_is_free() {
    check(
        "account
        buy 4 limit 100
        → o1 accepted #1
        transfer @1 @2 USDT 600.5
        → -600.5 cannot be added to 600 USDT that are free
        transfer @1 @2 USDT 600
        transfer @1 @1 USDT 1
        → a transfer moves more than nothing from one account to another
        = USDT 0+400
        @2 = USDT 600+0",
    );
}

#[test]
fn a_fill_or_kill_order_counts_exactly_what_stands_before_its_own() {
    for (quantity, filled) in [
        (
            "1",
            "o5 filled 1 @ 101 t1 / o2 filled 1 @ 101 maker t1 / o2 ended filled with 1 for 101 / o5 ended filled with 1 for 101",
        ),
        ("2", "o5 ended expired (fok)"),
    ] {
        check(&format!(
            "account
            @2 adjust BTC 20
            # Of others at a worse price the one that came first is behind its own as well.
            @2 sell 5 limit 102
            → o1 accepted #1
            @2 sell 1 limit 101
            → o2 accepted #2
            sell 1 limit 101
            → o3 accepted #3
            @2 sell 5 limit 101
            → o4 accepted #4
            buy {quantity} limit 102 fok stp EXPIRE_BOTH
            → o5 accepted #5 / {filled}"
        ));
    }
}

#[test]
fn a_fill_or_kill_order_counts_others_at_better_prices_and_those_before_its_own_at_its_price() {
    check(
        "book | 101x3
        sell 1 limit 101
        → o1 accepted #1
        book | 100.5x2 101x9
        buy 5 limit 101 fok stp EXPIRE_BOTH
        → o2 accepted #2 / o2 filled 2 @ 100.5 t1 / o2 filled 3 @ 101 t2 / o2 ended filled with 5 for 504
        buy 0.001 limit 101 fok stp EXPIRE_BOTH
        → o3 accepted #3 / o3 ended expired (fok)",
    );
}

#[test]
fn each_account_has_fees_of_its_own() {
    use super::floor::Floor;
    use crate::suite::script::get;
    use venue_paper::engine::{Owner, PaidIn};
    let mut floor = Floor::with(|floor| {
        floor.line("account");
        floor.spot.terms.fees.taker = get("0.01");
    });
    floor.play(
        "@2 adjust USDT 1000
        book | 100x9
        buy 1 market
        → o1 accepted #1 / o1 filled 1 @ 100 fee 0.01 BTC t1 / o1 ended filled with 1 for 100
        @2 buy 1 market
        → o2 accepted #2 / o2 filled 1 @ 100 t2 / o2 ended filled with 1 for 100
        account
        @3 adjust USDT 1000",
    );
    floor.spot.pay_fees_in(Owner(2), PaidIn::Quote);
    floor.play(
        "@3 buy 1 market
        → o3 accepted #3 / o3 filled 1 @ 100 fee 1 USDT t3 / o3 ended filled with 1 for 100
        buy 1 market
        → o4 accepted #4 / o4 filled 1 @ 100 fee 0.01 BTC t4 / o4 ended filled with 1 for 100",
    );
    floor.spot.pay_fees_in(Owner::FIRST, PaidIn::Quote);
    floor.play(
        "buy 1 market
        → o5 accepted #5 / o5 filled 1 @ 100 fee 1 USDT t5 / o5 ended filled with 1 for 100",
    );
}

#[test]
fn more_than_is_free_is_refused_as_too_little_money() {
    use super::floor::Floor;
    use crate::suite::script::{START, get};
    let refused =
        Floor::with(|_| ()).spot.adjust(START, venue_paper::engine::Owner::FIRST, get("BTC"), get("-11"));
    assert_eq!(refused.unwrap_err().reason, events::Rejection::InsufficientBalance);
}

#[test]
fn a_sum_that_self_trade_prevention_has_taken_is_not_spent() {
    check(
        "sell 1 limit 100 stp NONE
        → o1 accepted #1
        book | 99x1 101x5
        buy for 300 market stp DECREMENT
        → o2 accepted #2 / o2 filled 1 @ 99 t1 / prevented 0 o2×o1 @ 100 taker 1 maker 1 / o1 ended expired (in match) prevented 1 / o2 filled 1 @ 101 t2 / o2 ended filled with 2 for 200 prevented 1
        = USDT 800+0, BTC 12+0",
    );
}
