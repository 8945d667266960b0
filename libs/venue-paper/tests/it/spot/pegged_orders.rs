//! `faqs/pegged_orders.md`.

use super::floor::{check, check_with};
use crate::suite::script::get;

#[test]
fn limit_orders_enter_at_the_best_price_of_either_side() {
    check(
        "book 99x5 98x5 | 101x1 102x5
        buy 1 limit 100 peg primary 0 unpriced
        → o1 pegged 99 / o1 accepted #1
        buy 1 limit 100 peg primary 1 unpriced
        → o2 pegged 98 / o2 accepted #2
        = USDT 803+197, BTC 10+0
        # Only that price is taken from.
        buy 2 limit 100 ioc peg market 0 unpriced
        → o3 pegged 101 / o3 accepted #3 / o3 filled 1 @ 101 t1 / o3 ended expired (ioc) with 1 for 101
        sell 1 limit 100 peg market 1 unpriced
        → o4 pegged 98 / o4 accepted #4 / o4 filled 1 @ 99 t2 / o4 ended filled with 1 for 99
        sell 1 maker 100 peg primary 0 unpriced
        → o5 pegged 102 / o5 accepted #5",
    );
}

#[test]
fn an_order_with_a_price_of_its_own_never_goes_beyond_it() {
    check(
        "book 99x5 | 101x5
        buy 1 limit 100 ioc peg market 0
        → o1 pegged 100 / o1 accepted #1 / o1 ended expired (ioc)
        buy 1 limit 105 ioc peg market 0
        → o2 pegged 101 / o2 accepted #2 / o2 filled 1 @ 101 t1 / o2 ended filled with 1 for 101
        sell 1 limit 100 ioc peg market 0
        → o3 pegged 100 / o3 accepted #3 / o3 ended expired (ioc)",
    );
}

#[test]
fn what_cannot_be_pegged_is_refused() {
    check(
        "book 99x5 | 101x5
        buy 1 market peg market 0
        → o1 rejected -2010: This order type may not use pegged price.
        sell 1 stop 90 peg primary 0
        → o2 rejected -2010: This order type may not use pegged price.
        buy 1 maker 99 peg market 0
        → o3 rejected -2010: This price peg cannot be used with this order type.
        buy 1 limit 99 ioc peg primary 0
        → o4 rejected -2010: This price peg cannot be used with this order type.
        buy 1 limit 99 peg primary 1
        → o5 rejected -2010: Order book liquidity is too low for this pegged order.
        oto buy 1 limit 99 then sell 1 market peg market 0
        → o6 rejected -2010: This order type may not use pegged price. / o7 rejected -2010: This order type may not use pegged price.",
    );
}

#[test]
fn filters_are_passed_at_the_own_price_and_at_that_of_the_book() {
    check_with(
        |floor| floor.rules.min_notional = get("200"),
        "book 99x5 | 101x5
        buy 2 limit 50 peg primary 0
        → o1 rejected -1013: Filter failure: NOTIONAL
        buy 2 limit 100.001 peg primary 0
        → o2 rejected -1013: Filter failure: PRICE_FILTER
        buy 2 limit 150 peg primary 0
        → o3 rejected -1013: Filter failure: NOTIONAL
        buy 3 limit 150 peg primary 0
        → o4 pegged 99 / o4 accepted #1",
    );
}

#[test]
fn stop_limit_orders_enter_at_the_best_price_of_when_they_are_triggered() {
    check(
        "book 99x5 | 101x5
        sell 1 stop 95 limit 95 peg market 0 unpriced
        → o1 accepted #1
        sell 1 stop 95 limit 95 peg primary 0 unpriced
        → o2 accepted #2
        book 93x5 | 96x5
        trade sell 0.1 @ 94
        → o1 pegged 93 / o1 triggered / o1 filled 1 @ 93 t1 / o1 ended filled with 1 for 93 / o2 pegged 96 / o2 triggered
        shows 93x4 | 96x6",
    );
}

#[test]
fn a_stop_that_finds_no_price_to_be_pegged_to_expires() {
    check(
        "book 99x5 | 101x5
        sell 1 stop 95 limit 95 peg market 3 unpriced
        → o1 accepted #1
        trade sell 0.1 @ 94
        → o1 ended expired (rejected)
        = USDT 1000+0, BTC 10+0
        # Or one that the account cannot pay for.
        buy 9 stop 105 limit 105 peg market 0 unpriced
        → o2 accepted #2
        = USDT 55+945, BTC 10+0
        book 99x5 | 120x9
        trade buy 0.1 @ 106
        → o2 ended expired (rejected)
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn orders_of_lists_are_pegged_when_they_come_to_the_book() {
    check(
        "book 99x5 98x5 | 101x5 102x5
        oco sell 1 above maker 105 peg primary 1 unpriced below stop 95 limit 95 peg market 0 unpriced
        → o1 pegged 102 / o1 accepted #1 / o2 accepted #2
        otoco buy 1 limit 99 peg primary 1 unpriced then sell 1 above maker 105 peg primary 0 unpriced below stop 90 limit 90 peg market 0 unpriced
        → o3 pegged 98 / o3 accepted #3 / o4 accepted #4 / o5 accepted #5
        book 97x5 | 101x5 103x5
        trade sell 6 @ 98
        → o3 filled 1 @ 98 maker t1 / o3 ended filled with 1 for 98 / o4 pegged 101 / o4 placed / o5 placed",
    );
}
