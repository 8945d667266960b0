//! Stop-loss and take-profit orders, with and without a limit.

use crate::suite::script::check;

#[test]
fn a_stop_loss_sells_at_its_stop_worsened() {
    check(
        "sell 2 stop 95
         → o1 accepted
         candle 1h 100 100 95.01 100
         candle 1h 100 100 95 100
         → o1 filled 2 @ 94.95 / o1 ended filled 2 for 189.9
         = USDT 1189.9+0, BTC 8+0",
    );
}

#[test]
fn a_stop_loss_across_a_gap_sells_at_the_open_worsened() {
    check(
        "sell 2 stop 95
         → o1 accepted
         candle 1h 80 99 70 90
         → o1 filled 2 @ 79.96 / o1 ended filled 2 for 159.92",
    );
}

#[test]
fn a_stop_loss_buys_when_the_price_rises_to_it() {
    check(
        "buy 2 stop 105
         → o1 accepted
         candle 1h 100 104.99 100 104
         candle 1h 104 105 104 104
         → o1 filled 2 @ 105.06 / o1 ended filled 2 for 210.12
         = USDT 789.88+0, BTC 12+0
         buy 2 stop 110
         → o2 accepted
         candle 1h 120 120 119 120
         → o2 filled 2 @ 120.06 / o2 ended filled 2 for 240.12
         = USDT 549.76+0, BTC 14+0",
    );
}

#[test]
fn a_stop_buy_that_a_gap_has_made_too_dear_buys_what_it_can() {
    check(
        "buy 9 stop 110
         → o1 accepted
         candle 1h 120 120 120 120
         → o1 filled 8.329 @ 120.06 / o1 ended expired with 8.329 for 999.97974
         = USDT 0.02026+0, BTC 18.329+0",
    );
}

#[test]
fn a_stop_loss_limit_is_filled_within_its_limit() {
    check(
        "sell 2 stop 95 limit 90
         → o1 accepted
         candle 1h 100 100 90 92
         → o1 filled 2 @ 94.95 / o1 ended filled 2 for 189.9
         sell 2 stop 90 limit 80
         → o2 accepted
         candle 1h 85 86 84 85
         → o2 filled 2 @ 84.95 / o2 ended filled 2 for 169.9",
    );
}

#[test]
fn a_stop_loss_limit_that_a_gap_left_behind_rests_at_its_limit() {
    check(
        "sell 2 stop 95 limit 90
         → o1 accepted
         # it opens below the limit and comes up to it: not traded through
         candle 1h 85 90 80 85
         open o1
         candle 1h 85 90 80 85
         candle 1h 85 90.01 80 85
         → o1 filled 2 @ 90 maker / o1 ended filled 2 for 180",
    );
}

#[test]
fn a_stop_loss_limit_that_a_gap_left_behind_trades_in_the_same_candle_if_that_comes_through_it() {
    check(
        "sell 2 stop 95 limit 90
         → o1 accepted
         candle 1h 85 91 80 85
         → o1 filled 2 @ 90 maker / o1 ended filled 2 for 180",
    );
}

#[test]
fn a_stop_with_its_limit_at_the_stop_misses_a_fast_market() {
    check(
        "sell 2 stop 95 limit 95
         → o1 accepted
         # what came first, the high or the low, nobody knows
         candle 1h 100 100 90 92
         open o1
         candle 1h 92 95 90 92
         candle 1h 92 96 90 92
         → o1 filled 2 @ 95 maker / o1 ended filled 2 for 190",
    );
}

#[test]
fn a_stop_loss_limit_buys_the_other_way_round() {
    check(
        "buy 2 stop 105 limit 110
         → o1 accepted
         = USDT 780+220
         candle 1h 100 106 100 106
         → o1 filled 2 @ 105.06 / o1 ended filled 2 for 210.12
         = USDT 789.88+0, BTC 12+0
         buy 2 stop 110 limit 112
         → o2 accepted
         candle 1h 115 116 112 115
         candle 1h 115 116 111 115
         → o2 filled 2 @ 112 maker / o2 ended filled 2 for 224",
    );
}

#[test]
fn a_stop_limit_that_is_ioc_or_fok_expires_with_what_is_left() {
    check(
        "sell 2 stop 95 limit 90 ioc
         → o1 accepted
         candle 1h 100 100 94 95 vol 15
         → o1 filled 1.5 @ 94.95 / o1 ended expired with 1.5 for 142.425
         sell 2 stop 90 limit 85 fok
         → o2 accepted
         candle 1h 95 95 89 90 vol 15
         → o2 ended expired
         sell 2 stop 85 limit 80 ioc
         → o3 accepted
         candle 1h 70 90 70 90
         → o3 ended expired",
    );
}

#[test]
fn a_take_profit_sells_at_its_stop_worsened_even_if_the_open_is_better() {
    check(
        "sell 2 profit 110
         → o1 accepted
         candle 1h 100 109.99 100 105
         candle 1h 105 110 100 105
         → o1 filled 2 @ 109.94 / o1 ended filled 2 for 219.88
         sell 2 profit 110
         → o2 accepted
         candle 1h 130 135 120 125
         → o2 filled 2 @ 109.94 / o2 ended filled 2 for 219.88",
    );
}

#[test]
fn a_take_profit_buys_when_the_price_falls_to_it() {
    check(
        "buy 2 profit 90
         → o1 accepted
         candle 1h 100 100 90 95
         → o1 filled 2 @ 90.05 / o1 ended filled 2 for 180.1",
    );
}

#[test]
fn a_take_profit_limit_is_filled_within_its_limit_or_rests() {
    check(
        "sell 2 profit 110 limit 109
         → o1 accepted
         candle 1h 100 110 100 105
         → o1 filled 2 @ 109.94 / o1 ended filled 2 for 219.88
         sell 2 profit 110 limit 110
         → o2 accepted
         candle 1h 105 112 105 108
         open o2
         candle 1h 108 110.01 105 108
         → o2 filled 2 @ 110 maker / o2 ended filled 2 for 220
         buy 2 profit 90 limit 91
         → o3 accepted
         candle 1h 100 100 90 95
         → o3 filled 2 @ 90.05 / o3 ended filled 2 for 180.1",
    );
}

#[test]
fn a_stop_is_never_dropped_but_goes_on_at_the_next_opens() {
    check(
        "sell 4 stop 95
         → o1 accepted
         candle 1h 100 100 94 95 vol 15
         → o1 filled 1.5 @ 94.95
         candle 1h 92 99 90 98 vol 0
         candle 1h 98 99 97 98 vol 20
         → o1 filled 2 @ 97.95
         # or at a quote that somebody else has asked for
         buy 1 market
         → o2 accepted / quote?
         quote 96
         → o1 filled 0.5 @ 95.95 / o1 ended filled 4 for 386.3 / o2 filled 1 @ 96.05 / o2 ended filled 1 for 96.05",
    );
}

#[test]
fn a_stop_limit_goes_on_at_the_next_opens_within_its_limit_and_then_rests() {
    check(
        "sell 4 stop 95 limit 80
         → o1 accepted
         candle 1h 100 100 94 95 vol 15
         → o1 filled 1.5 @ 94.95
         candle 1h 92 92 90 91 vol 10
         → o1 filled 1 @ 91.95
         candle 1h 79 80 78 79
         open o1
         candle 1h 79 81 78 79
         → o1 filled 1.5 @ 80 maker / o1 ended filled 4 for 354.375",
    );
}

#[test]
fn a_triggered_stop_can_still_be_canceled() {
    check(
        "sell 4 stop 95
         → o1 accepted
         candle 1h 100 100 94 95 vol 15
         → o1 filled 1.5 @ 94.95
         cancel o1
         → o1 ended canceled with 1.5 for 142.425
         = USDT 1142.425+0, BTC 8.5+0",
    );
}

#[test]
fn a_stop_that_a_gap_makes_too_dear_never_leaves_less_than_nothing() {
    check(
        "buy 9 stop 105
         → o1 accepted
         = USDT 54.46+945.54
         candle 1h 190 190 190 190 vol 50
         → o1 filled 5 @ 190.1
         = USDT 49.5+0
         # What is left of the money buys what it can.
         candle 1h 190 190 190 190 vol 50
         → o1 filled 0.26 @ 190.1 / o1 ended expired with 5.26 for 999.926
         = USDT 0.074+0, BTC 15.26+0",
    );
}
