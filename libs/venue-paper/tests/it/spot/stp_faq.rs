//! `faqs/stp_faq.md`, "STP Examples". All orders are of one account.

use super::floor::check;

#[test]
fn scenario_a_none_lets_them_trade() {
    check(
        "buy 1 limit 1 stp NONE
        → o1 accepted #1
        sell 1 limit 1 stp NONE
        → o2 accepted #2 / o2 filled 1 @ 1 t1 / o1 filled 1 @ 1 maker t1 / o1 ended filled with 1 for 1 / o2 ended filled with 1 for 1
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn scenario_b_expire_maker_clears_the_book_of_ours_and_the_taker_rests() {
    check(
        "buy 1.2 limit 1.2 stp NONE
        → o1 accepted #1
        buy 1.3 limit 1.1 stp NONE
        → o2 accepted #2
        buy 8.1 limit 1 stp NONE
        → o3 accepted #3
        sell 3 limit 1 stp EXPIRE_MAKER
        → o4 accepted #4 / prevented 0 o4×o1 @ 1.2 maker 1.2 / o1 ended expired (in match) prevented 1.2 / prevented 1 o4×o2 @ 1.1 maker 1.3 / o2 ended expired (in match) prevented 1.3 / prevented 2 o4×o3 @ 1 maker 8.1 / o3 ended expired (in match) prevented 8.1
        shows | 1x3
        = USDT 1000+0, BTC 7+3",
    );
}

#[test]
fn scenario_c_expire_taker_leaves_the_book_as_it_is() {
    check(
        "buy 1.2 limit 1.2 stp NONE
        → o1 accepted #1
        buy 1.3 limit 1.1 stp NONE
        → o2 accepted #2
        buy 8.1 limit 1 stp NONE
        → o3 accepted #3
        sell 3 limit 1 stp EXPIRE_TAKER
        → o4 accepted #4 / prevented 0 o4×o1 @ 1.2 taker 3 / o4 ended expired (in match) prevented 3
        shows 1.2x1.2 1.1x1.3 1x8.1 |
        = USDT 989.03+10.97, BTC 10+0",
    );
}

#[test]
fn scenario_d_expire_both() {
    check(
        "buy 1 limit 1 stp NONE
        → o1 accepted #1
        sell 3 limit 1 stp EXPIRE_BOTH
        → o2 accepted #2 / prevented 0 o2×o1 @ 1 taker 3 maker 1 / o1 ended expired (in match) prevented 1 / o2 ended expired (in match) prevented 3
        shows |
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn scenario_e_the_takers_mode_counts() {
    check(
        "buy 1 limit 1 stp EXPIRE_MAKER
        → o1 accepted #1
        sell 1 limit 1 stp EXPIRE_TAKER
        → o2 accepted #2 / prevented 0 o2×o1 @ 1 taker 1 / o2 ended expired (in match) prevented 1
        shows 1x1 |",
    );
}

#[test]
fn scenario_f_a_market_order_with_expire_maker_finds_nothing_left() {
    check(
        "buy 1 limit 1 stp NONE
        → o1 accepted #1
        sell 1 market stp EXPIRE_MAKER
        → o2 accepted #2 / prevented 0 o2×o1 @ 1 maker 1 / o1 ended expired (in match) prevented 1 / o2 ended expired (thin)",
    );
}

#[test]
fn scenario_g_decrement_ends_the_smaller() {
    check(
        "buy 6 limit 2 stp NONE
        → o1 accepted #1
        sell 2 limit 2 stp DECREMENT
        → o2 accepted #2 / prevented 0 o2×o1 @ 2 taker 2 maker 2 / o2 ended expired (in match) prevented 2
        shows 2x4 |
        = USDT 992+8, BTC 10+0
        trade sell 9 @ 2
        → o1 filled 4 @ 2 maker t1 / o1 ended filled with 4 for 8 prevented 2",
    );
}

#[test]
fn decrement_with_a_larger_taker_goes_on_and_of_the_same_size_ends_both() {
    check(
        "buy 2 limit 2
        → o1 accepted #1
        buy 1 limit 1
        → o2 accepted #2
        sell 3 limit 1 stp DECREMENT
        → o3 accepted #3 / prevented 0 o3×o1 @ 2 taker 2 maker 2 / o1 ended expired (in match) prevented 2 / prevented 1 o3×o2 @ 1 taker 1 maker 1 / o2 ended expired (in match) prevented 1 / o3 ended expired (in match) prevented 3
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn others_in_between_trade_before_prevention() {
    check(
        "book 99x1 |
        buy 1 limit 98
        → o1 accepted #1
        sell 3 limit 97 stp EXPIRE_TAKER
        → o2 accepted #2 / o2 filled 1 @ 99 t1 / prevented 0 o2×o1 @ 98 taker 2 / o2 ended expired (in match) with 1 for 99 prevented 2",
    );
}

#[test]
fn the_twin_of_a_maker_that_is_ended_goes_too() {
    check(
        "oco buy 1 above stop 105 below maker 95
        → o1 accepted #1 / o2 accepted #2
        sell 1 limit 95 stp EXPIRE_MAKER
        → o3 accepted #3 / prevented 0 o3×o2 @ 95 maker 1 / o2 ended expired (in match) prevented 1 / o1 ended expired (oco)
        = USDT 1000+0, BTC 9+1",
    );
}
