//! Which candles fill where several series of one instrument are fed.

use crate::suite::script::{Setup, check};

#[test]
fn only_the_finest_series_fills() {
    check(
        "sell 3 limit 110
         → o1 accepted
         candle 1h from 01:00 100 105 100 100 vol 10
         candle 1h from 02:00 100 105 100 100 vol 10
         candle 1h from 03:00 100 105 100 100 vol 10
         candle 4h from 00:00 100 150 100 100 vol 40
         # not even one that opened after the order: the hours have covered it
         candle 1h from 04:00 100 111 100 100 vol 10
         → o1 filled 1 @ 110 maker
         candle 1h from 05:00 100 105 100 100 vol 10
         candle 1h from 06:00 100 105 100 100 vol 10
         candle 1h from 07:00 100 105 100 100 vol 10
         candle 4h from 04:00 100 111 100 100 vol 40
         open o1",
    );
}

#[test]
fn a_coarse_series_takes_over_where_the_fine_one_ends() {
    check(
        "sell 1 limit 110
         → o1 accepted
         candle 1h from 01:00 100 105 100 100
         candle 1h from 02:00 100 105 100 100
         candle 1h from 03:00 100 105 100 100
         candle 4h from 00:00 100 105 100 100
         candle 1h from 04:00 100 105 100 100
         candle 1h from 05:00 100 105 100 100
         # the hours end; these four hours began before that
         candle 4h from 04:00 100 120 100 115
         open o1
         candle 4h from 08:00 100 120 100 115
         → o1 filled 1 @ 110 maker / o1 ended filled 1 for 110",
    );
}

#[test]
fn a_gap_in_the_fine_series_is_not_filled_from_the_coarse_one_that_spans_it() {
    check(
        "sell 1 limit 110
         → o1 accepted
         candle 1h from 01:00 100 105 100 100
         candle 1h from 03:00 100 105 100 100
         candle 4h from 00:00 100 120 100 100
         open o1
         candle 1h from 04:00 100 111 100 100
         → o1 filled 1 @ 110 maker / o1 ended filled 1 for 110",
    );
}

#[test]
fn a_fine_series_that_starts_late_takes_over_at_once() {
    Setup::default().with(|s| s.warm = false).check(
        "candle 4h from 00:00 100 100 100 100
         sell 2 limit 110
         → o1 accepted
         candle 4h from 04:00 100 111 100 100 vol 10
         → o1 filled 1 @ 110 maker
         candle 1h from 11:00 100 105 100 100
         candle 4h from 08:00 100 120 100 100
         open o1
         candle 1h from 12:00 100 111 100 100
         → o1 filled 1 @ 110 maker / o1 ended filled 2 for 220",
    );
}

#[test]
fn the_coarse_candle_is_no_volume_for_quotes() {
    check(
        "candle 1h from 03:00 100 100 100 100 vol 10
         candle 4h from 00:00 100 100 100 100 vol 4000
         sell 2 market
         → o1 accepted / quote?
         quote 100
         → o1 filled 1 @ 99.95 / o1 ended expired with 1 for 99.95",
    );
}

#[test]
fn an_older_close_is_no_last_price() {
    check(
        "candle 1h from 03:00 100 100 100 100
         candle 1h from 02:00 90 90 90 90
         candle 4h from 00:00 100 100 80 80
         # the last price is still 100
         sell 1 stop 95
         → o1 accepted",
    );
}
