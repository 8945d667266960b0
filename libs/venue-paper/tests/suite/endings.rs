//! Every way in which an order that was accepted can end.

use crate::suite::script::{Setup, check};

#[test]
fn a_market_order_is_filled_at_the_next_quote_worsened() {
    check(
        "buy 2 market
         → o1 accepted / quote?
         quote 99
         → o1 filled 2 @ 99.05 / o1 ended filled 2 for 198.1
         sell 2 market
         → o2 accepted / quote?
         quote 99
         → o2 filled 2 @ 98.95 / o2 ended filled 2 for 197.9",
    );
}

#[test]
fn a_market_order_by_sum_is_filled_when_no_whole_lot_is_left() {
    check(
        "buy for 100 market
         → o1 accepted / quote?
         quote 99
         → o1 filled 1.009 @ 99.05 / o1 ended filled 1.009 for 99.94145
         = USDT 900.05855+0, BTC 11.009+0
         sell for 100 market
         → o2 accepted / quote?
         quote 99
         → o2 filled 1.01 @ 98.95 / o2 ended filled 1.01 for 99.9395",
    );
}

#[test]
fn a_market_order_on_a_thin_book_expires_with_its_remainder() {
    check(
        "candle 1h 100 100 100 100 vol 15
         sell 4 market
         → o1 accepted / quote?
         quote 100
         → o1 filled 1.5 @ 99.95 / o1 ended expired with 1.5 for 149.925
         = USDT 1149.925+0, BTC 8.5+0",
    );
}

#[test]
fn a_market_order_on_an_empty_book_expires_unfilled() {
    check(
        "candle 1h 100 100 100 100 vol 0
         sell 4 market
         → o1 accepted / quote?
         quote 100
         → o1 ended expired
         = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn before_any_candle_there_is_nothing_to_be_had() {
    Setup::default().with(|s| s.warm = false).check(
        "buy 1 market
         → o1 accepted / quote?
         = USDT 1000+0
         quote 100
         → o1 ended expired",
    );
}

#[test]
fn an_ioc_is_filled_or_its_remainder_expires() {
    check(
        "buy 2 limit 100 ioc
         → o1 accepted / quote?
         quote 99
         → o1 filled 2 @ 99.05 / o1 ended filled 2 for 198.1
         candle 1h 99 99 99 99 vol 15
         buy 2 limit 100 ioc
         → o2 accepted / quote?
         quote 99
         → o2 filled 1.5 @ 99.05 / o2 ended expired with 1.5 for 148.575
         = USDT 653.325+0, BTC 13.5+0",
    );
}

#[test]
fn an_ioc_beyond_the_market_expires_unfilled() {
    check(
        "buy 2 limit 100 ioc
         → o1 accepted / quote?
         quote 100.01
         → o1 ended expired
         sell 2 limit 100 ioc
         → o2 accepted / quote?
         quote 99.99
         → o2 ended expired
         = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn a_limit_that_only_slippage_puts_out_of_reach_is_filled_at_its_limit() {
    check(
        "buy 2 limit 100 ioc
         → o1 accepted / quote?
         quote 99.98
         → o1 filled 2 @ 100 / o1 ended filled 2 for 200
         sell 2 limit 100 fok
         → o2 accepted / quote?
         quote 100
         → o2 filled 2 @ 100 / o2 ended filled 2 for 200",
    );
}

#[test]
fn a_fok_is_filled_whole_or_not_at_all() {
    check(
        "candle 1h 100 100 100 100 vol 15
         buy 1.5 limit 101 fok
         → o1 accepted / quote?
         quote 100
         → o1 filled 1.5 @ 100.05 / o1 ended filled 1.5 for 150.075
         candle 1h 100 100 100 100 vol 15
         buy 1.501 limit 101 fok
         → o2 accepted / quote?
         quote 100
         → o2 ended expired
         buy 1 limit 99 fok
         → o3 accepted / quote?
         quote 100
         → o3 ended expired",
    );
}

#[test]
fn a_gtc_that_reaches_the_market_takes_and_its_rest_stays_on_the_book() {
    check(
        "candle 1h 100 100 100 100 vol 15
         buy 4 limit 101
         → o1 accepted / quote?
         quote 100
         → o1 filled 1.5 @ 100.05
         open o1
         # at its own price, once the market has traded through it
         candle 1h 102 103 101 102
         candle 1h 102 103 100.99 102
         → o1 filled 2.5 @ 101 maker / o1 ended filled 4 for 402.575
         = USDT 597.425+0, BTC 14+0",
    );
}

#[test]
fn a_gtc_that_the_market_has_left_rests() {
    check(
        "buy 4 limit 101
         → o1 accepted / quote?
         quote 101.5
         open o1
         candle 1h 101.5 102 100 101
         → o1 filled 4 @ 101 maker / o1 ended filled 4 for 404",
    );
}

#[test]
fn canceled_with_what_was_filled() {
    check(
        "buy 5 limit 90
         → o1 accepted
         candle 1h 95 96 89 95 vol 20
         → o1 filled 2 @ 90 maker
         cancel o1
         → o1 ended canceled with 2 for 180
         = USDT 820+0, BTC 12+0",
    );
}

#[test]
fn an_order_that_waits_for_its_price_can_be_canceled() {
    check(
        "buy 2 market
         → o1 accepted / quote?
         cancel o1
         → o1 ended canceled
         quote 99
         = USDT 1000+0",
    );
}

#[test]
fn an_order_that_does_not_work_cannot_be_canceled() {
    check(
        "cancel o1
         → o1 not canceled -2011: Unknown order sent.
         buy 2 market
         → o1 accepted / quote?
         quote 100
         → o1 filled 2 @ 100.05 / o1 ended filled 2 for 200.1
         cancel o1
         → o1 not canceled -2011: Unknown order sent.",
    );
}
