//! The rule on candles and quotes: what fills, when, how much, at which price.

use crate::suite::script::{Run, Setup, check, rules};

#[test]
fn a_resting_order_must_be_traded_through() {
    check(
        "buy 1 limit 90
         → o1 accepted
         sell 1 limit 110
         → o2 accepted
         candle 1h 100 110 90 100
         candle 1h 100 110.01 89.99 100
         → o1 filled 1 @ 90 maker / o1 ended filled 1 for 90 / o2 filled 1 @ 110 maker / o2 ended filled 1 for 110
         = USDT 1020+0, BTC 10+0",
    );
}

#[test]
fn a_resting_order_gets_its_own_price_even_across_a_gap() {
    check(
        "sell 1 limit 110
         → o1 accepted
         candle 1h 120 125 118 120
         → o1 filled 1 @ 110 maker / o1 ended filled 1 for 110",
    );
}

#[test]
fn no_fill_from_a_candle_that_opened_before_the_order() {
    check(
        "candle 1h 100 100 100 100
         wait 30m
         sell 1 limit 110
         → o1 accepted
         sell 1 stop 90
         → o2 accepted
         buy 1 market
         → o3 accepted / quote?
         candle 1h from 02:00 100 150 50 100
         open o1 o2 o3
         candle 1h 100 111 100 100
         → o1 filled 1 @ 110 maker / o1 ended filled 1 for 110 / o3 filled 1 @ 100.05 / o3 ended filled 1 for 100.05",
    );
}

#[test]
fn no_fill_from_the_candle_that_was_known_when_the_order_came() {
    check(
        "candle 1h 100 150 50 100
         sell 1 limit 140
         → o1 accepted
         buy 1 limit 60
         → o2 accepted
         candle 1h from 01:00 100 150 50 100
         open o1 o2",
    );
}

#[test]
fn a_quote_from_before_the_order_does_not_fill_it_and_another_is_asked_for() {
    check(
        "buy 1 market
         → o1 accepted / quote?
         quote 99 old 1s
         → quote?
         quote 98
         → o1 filled 1 @ 98.05 / o1 ended filled 1 for 98.05",
    );
}

#[test]
fn one_quote_is_asked_for_as_long_as_it_is_outstanding() {
    check(
        "buy 1 market
         → o1 accepted / quote?
         buy 1 market
         → o2 accepted
         quote 100
         → o1 filled 1 @ 100.05 / o1 ended filled 1 for 100.05 / o2 filled 1 @ 100.05 / o2 ended filled 1 for 100.05
         buy 1 market
         → o3 accepted / quote?",
    );
}

#[test]
fn a_quote_that_never_comes_is_the_open_of_the_next_candle() {
    check(
        "buy 1 market
         → o1 accepted / quote?
         candle 1h 104 110 90 100
         → o1 filled 1 @ 104.06 / o1 ended filled 1 for 104.06
         # and is asked for anew
         buy 1 market
         → o2 accepted / quote?",
    );
}

#[test]
fn a_quote_does_not_touch_what_rests_or_sleeps() {
    check(
        "sell 1 limit 110
         → o1 accepted
         sell 1 stop 90
         → o2 accepted
         quote 120
         quote 80
         open o1 o2",
    );
}

#[test]
fn volume_is_shared_in_the_order_of_acceptance() {
    check(
        "a: sell 2 limit 110
         → a accepted
         b: sell 2 limit 105
         → b accepted
         c: sell 2 limit 101
         → c accepted
         candle 1h 100 120 100 120 vol 35
         → a filled 2 @ 110 maker / a ended filled 2 for 220 / b filled 1.5 @ 105 maker
         candle 1h 120 120 120 120 vol 15
         → b filled 0.5 @ 105 maker / b ended filled 2 for 210 / c filled 1 @ 101 maker
         candle 1h 120 120 120 120
         → c filled 1 @ 101 maker / c ended filled 2 for 202
         = USDT 1632+0, BTC 4+0",
    );
}

#[test]
fn volume_is_shared_at_a_quote_and_comes_back_with_the_next_candle() {
    check(
        "candle 1h 100 100 100 100 vol 30
         sell 2 market
         → o1 accepted / quote?
         sell 2 market
         → o2 accepted
         quote 100
         → o1 filled 2 @ 99.95 / o1 ended filled 2 for 199.9 / o2 filled 1 @ 99.95 / o2 ended expired with 1 for 99.95
         # nothing is left of that candle's part
         sell 1 market
         → o3 accepted / quote?
         quote 100
         → o3 ended expired
         candle 1h 100 100 100 100 vol 30
         sell 1 market
         → o4 accepted / quote?
         quote 100
         → o4 filled 1 @ 99.95 / o4 ended filled 1 for 99.95",
    );
}

#[test]
fn what_quotes_gave_is_taken_off_the_next_candle() {
    check(
        "candle 1h 100 100 100 100 vol 30
         sell 5 limit 110
         → o1 accepted
         sell 2 market
         → o2 accepted / quote?
         quote 100
         → o2 filled 2 @ 99.95 / o2 ended filled 2 for 199.9
         candle 1h 100 120 100 120 vol 50
         → o1 filled 3 @ 110 maker
         candle 1h 120 120 120 120 vol 50
         → o1 filled 2 @ 110 maker / o1 ended filled 5 for 550",
    );
}

#[test]
fn only_whole_lots_are_traded() {
    check(
        "sell 1 limit 110
         → o1 accepted
         candle 1h 100 120 100 120 vol 0.12345
         → o1 filled 0.012 @ 110 maker
         candle 1h 120 120 120 120 vol 0.00999
         candle 1h 120 120 120 120
         → o1 filled 0.988 @ 110 maker / o1 ended filled 1 for 110",
    );
}

#[test]
fn prices_are_rounded_against_us_to_ticks_of_any_size() {
    let coarse = |s: &mut Setup| s.rules.tick_size = "5".parse().unwrap();
    Setup::default().with(coarse).check(
        "buy 1 market
         → o1 accepted / quote?
         quote 101
         → o1 filled 1 @ 105 / o1 ended filled 1 for 105
         sell 1 market
         → o2 accepted / quote?
         quote 104
         → o2 filled 1 @ 100 / o2 ended filled 1 for 100
         sell 1 market
         → o3 accepted / quote?
         # never for nothing
         quote 4
         → o3 filled 1 @ 5 / o3 ended filled 1 for 5",
    );
}

#[test]
fn prices_of_one_instrument_say_nothing_about_another() {
    let mut run = Run::new(Setup::default().config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.list("ETHUSDT", rules("ETH", "USDT"));
    run.line("candle 1h 100 100 100 100");
    assert_eq!(run.line("buy 1 market"), ["o1 accepted", "quote?"]);
    assert_eq!(run.line("sell 1 limit 110"), ["o2 accepted"]);
    run.line("on ETHUSDT");
    assert!(run.line("quote 99").is_empty());
    assert!(run.line("candle 1h 100 200 50 100").is_empty());
    run.line("open o1 o2");
}

#[test]
fn a_quote_that_was_asked_for_within_a_candle_may_still_come_after_it() {
    check(
        "candle 1h 100 100 100 100
         wait 30m
         buy 1 market
         → o1 accepted / quote?
         candle 1h from 02:00 100 100 100 100
         # It is not asked for again,
         buy 1 market
         → o2 accepted
         # and is lost once a candle closes that opened after it was asked for.
         candle 1h 100 100 100 100
         → o1 filled 1 @ 100.05 / o1 ended filled 1 for 100.05 / o2 filled 1 @ 100.05 / o2 ended filled 1 for 100.05
         buy 1 market
         → o3 accepted / quote?",
    );
}
