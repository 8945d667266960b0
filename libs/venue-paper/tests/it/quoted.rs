//! Orders on a live market's best prices: what was really quoted is what they trade at.

use crate::suite::script::check;

#[test]
fn a_taker_gets_the_quoted_price_of_its_side_without_slippage() {
    check(
        "buy 2 market
         → o1 accepted / quote?
         quoted 99 101
         → o1 filled 2 @ 101 / o1 ended filled 2 for 202
         = USDT 798+0, BTC 12+0
         sell 2 market
         → o2 accepted / quote?
         quoted 99 101
         → o2 filled 2 @ 99 / o2 ended filled 2 for 198",
    );
}

#[test]
fn more_than_a_quote_shows_is_taken_worse() {
    check(
        "buy 2 market
         → o1 accepted / quote?
         quoted 99 101 show 1.999
         → o1 filled 2 @ 101.06 / o1 ended filled 2 for 202.12
         buy 2 limit 101 ioc
         → o2 accepted / quote?
         quoted 99 101 show 1
         # the price that is quoted is within the limit
         → o2 filled 2 @ 101 / o2 ended filled 2 for 202",
    );
}

#[test]
fn an_entry_whose_limit_the_quote_is_beyond_expires() {
    check(
        "buy 2 limit 100.5 ioc
         → o1 accepted / quote?
         quoted 100 101
         → o1 ended expired",
    );
}

#[test]
fn a_stop_is_triggered_by_the_quote_that_reaches_it_and_not_before() {
    check(
        "sell 2 stop 95
         → o1 accepted
         quoted 95.01 95.02
         quoted 95 95.02
         → o1 filled 2 @ 95 / o1 ended filled 2 for 190
         buy 2 stop 105
         → o2 accepted
         quoted 104 104.99
         quoted 105 105.5
         → o2 filled 2 @ 105.5 / o2 ended filled 2 for 211",
    );
}

#[test]
fn a_stop_with_a_limit_rests_there_if_the_quote_is_below_and_sells_when_one_reaches_it() {
    check(
        "sell 2 stop 95 limit 90
         → o1 accepted
         quoted 80 81
         open o1
         quoted 89.99 90
         quoted 90.5 91
         → o1 filled 2 @ 90 maker / o1 ended filled 2 for 180",
    );
}

#[test]
fn a_take_profit_sells_at_its_limit_and_the_stop_beside_it_expires() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         quoted 109.99 110
         quoted 111 112
         → o2 ended expired / o1 filled 2 @ 110 maker / o1 ended filled 2 for 220",
    );
}

#[test]
fn what_neither_quote_nor_volume_allowed_of_a_stop_goes_on_once_a_candle_has_told_of_more() {
    check(
        "candle 1h 100 100 100 100 vol 10
         sell 2 stop 95
         → o1 accepted
         quoted 94 95 show 0.5
         → o1 filled 1 @ 93.95
         open o1
         quoted 94 95 show 0.5
         candle 1h 100 100 99 100 vol 10
         quoted 93 94
         → o1 filled 1 @ 93 / o1 ended filled 2 for 186.95",
    );
}

#[test]
fn what_is_shown_is_to_be_had_however_little_the_last_candle_traded() {
    check(
        "candle 1s 100 100 100 100 vol 0
         buy 2 limit 101 ioc
         → o1 accepted / quote?
         quoted 99 101 show 1.29
         → o1 filled 1.29 @ 101 / o1 ended expired with 1.29 for 130.29",
    );
    check(
        "candle 1s 100 100 100 100 vol 0
         buy 2 limit 101 ioc
         → o1 accepted / quote?
         quoted 99 101 show 3
         → o1 filled 2 @ 101 / o1 ended filled 2 for 202
         sell 2.5 stop 95
         → o2 accepted
         quoted 94 95 show 2
         → o2 filled 2 @ 94
         candle 1s 94 94 94 94 vol 0
         quoted 94 95 show 2.1
         → o2 filled 0.5 @ 94 / o2 ended filled 2.5 for 235",
    );
}

#[test]
fn what_is_taken_of_a_quote_is_gone_until_it_shows_something_else() {
    check(
        "candle 1s 100 100 100 100 vol 0
         buy 2 limit 102 ioc
         → o1 accepted / quote?
         quoted 99 101 show 3
         → o1 filled 2 @ 101 / o1 ended filled 2 for 202
         buy 2 limit 102 ioc
         → o2 accepted / quote?
         quoted 99 101 show 3
         → o2 filled 1 @ 101 / o2 ended expired with 1 for 101
         buy 2 limit 102 ioc
         → o3 accepted / quote?
         quoted 99 101 show 3
         → o3 ended expired
         sell 3 market
         → o4 accepted / quote?
         # the other side is whole
         quoted 99 101 show 3
         → o4 filled 3 @ 99 / o4 ended filled 3 for 297
         buy 2 limit 102 ioc
         → o5 accepted / quote?
         quoted 99 101.5 show 3
         → o5 filled 2 @ 101.5 / o5 ended filled 2 for 203",
    );
}

#[test]
fn what_is_left_of_a_quote_is_taken_at_its_price_and_more_is_taken_worse() {
    check(
        "candle 1s 100 100 100 100 vol 1000
         buy 2 market
         → o1 accepted / quote?
         quoted 99 101 show 3
         → o1 filled 2 @ 101 / o1 ended filled 2 for 202
         buy 2 market
         → o2 accepted / quote?
         quoted 99 101 show 3
         # one is left
         → o2 filled 2 @ 101.06 / o2 ended filled 2 for 202.12
         buy 1 market
         → o3 accepted / quote?
         quoted 99 101 show 4
         → o3 filled 1 @ 101 / o3 ended filled 1 for 101",
    );
}

#[test]
fn the_open_of_a_candle_that_is_played_triggers_no_stop() {
    check(
        "sell 2 stop 95
         → o1 accepted
         buy 1 market
         → o2 accepted / quote?
         quote 90
         → o2 filled 1 @ 90.05 / o2 ended filled 1 for 90.05
         open o1",
    );
}

#[test]
fn a_stop_that_has_not_been_reached_does_not_trade_at_its_limit() {
    check(
        "sell 1 stop 90 limit 85
         → o1 accepted
         quoted 100 100.1
         open o1",
    );
}
