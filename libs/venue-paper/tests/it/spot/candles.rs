//! The exchange of a program that keeps no record, on candles: what it tells of stops, and of orders that waited.

use super::floor::check_with;

fn check(script: &str) {
    check_with(|floor| floor.on_books = false, &format!("candle 100 100 100 100\n{script}"));
}

#[test]
fn a_stop_that_a_candle_reaches_is_told_before_what_it_does() {
    check(
        "sell 1 stop 90
        → o1 accepted #1
        candle 100 100 90.01 95
        candle 95 95 90 95
        → o1 triggered / o1 filled 1 @ 89.95 t1 / o1 ended filled with 1 for 89.95",
    );
}

#[test]
fn a_stop_that_finds_its_limit_passed_is_told_though_it_does_nothing() {
    check(
        "sell 1 stop 90 limit 90
        → o1 accepted #1
        sell 1 stop 80 limit 80
        → o2 accepted #2
        candle 95 95 90 95
        → o1 triggered
        sell 1 stop 90 limit 90 ioc
        → o3 accepted #3
        candle 89 89 89 89
        → o3 triggered / o3 ended expired (ioc)",
    );
}

#[test]
fn the_stop_beside_a_leg_that_gains_is_not_told_as_triggered() {
    check(
        "oco sell 1 above maker 110 below stop 90
        → o1 accepted #1 / o2 accepted #2
        candle 100 111 100 105
        → o2 ended expired (oco) / o1 filled 1 @ 110 maker t1 / o1 ended filled with 1 for 110",
    );
}

#[test]
fn what_waited_for_an_order_is_placed_as_the_market_stands() {
    check(
        "oto buy 1 limit 99 then sell 1 maker 90
        → o1 accepted #1 / o2 accepted #2
        candle 100 100 98 98
        → o1 filled 1 @ 99 maker t1 / o1 ended filled with 1 for 99 / o2 ended expired (rejected)
        oto buy 1 limit 97 then sell 1 maker 105
        → o3 accepted #3 / o4 accepted #4
        candle 98 98 96 96
        → o3 filled 1 @ 97 maker t2 / o3 ended filled with 1 for 97 / o4 placed
        candle 96 106 96 96
        → o4 filled 1 @ 105 maker t3 / o4 ended filled with 1 for 105",
    );
}
