//! One cancels the other.

use crate::suite::script::{Setup, check};

#[test]
fn the_legs_share_one_lock() {
    check(
        "oco sell 10 above maker 110 below stop 95 limit 90
         → o1 accepted / o2 accepted
         = USDT 1000+0, BTC 0+10
         cancel o1
         → o1 ended canceled / o2 ended canceled
         = USDT 1000+0, BTC 10+0
         # a buy holds what the dearer leg needs
         oco buy 5 above stop 105 limit 107 below maker 90
         → o3 accepted / o4 accepted
         = USDT 465+535",
    );
}

#[test]
fn the_upper_leg_fills_and_the_lower_expires() {
    check(
        "oco sell 2 above maker 110 below stop 95 limit 90
         → o1 accepted / o2 accepted
         candle 1h 100 110.01 96 110
         → o2 ended expired / o1 filled 2 @ 110 maker / o1 ended filled 2 for 220
         = USDT 1220+0, BTC 8+0
         open",
    );
}

#[test]
fn the_lower_leg_fills_and_the_upper_expires() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         candle 1h 100 109 95 96
         → o1 ended expired / o2 filled 2 @ 94.95 / o2 ended filled 2 for 189.9
         = USDT 1189.9+0, BTC 8+0",
    );
}

#[test]
fn if_both_could_trade_the_stop_does() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         candle 1h 100 120 90 100
         → o1 ended expired / o2 filled 2 @ 94.95 / o2 ended filled 2 for 189.9",
    );
}

#[test]
fn if_both_could_trade_and_it_opened_beyond_the_profit_the_profit_is_taken() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         candle 1h 112 120 90 100
         → o2 ended expired / o1 filled 2 @ 110 maker / o1 ended filled 2 for 220
         oco sell 2 above profit 110 below stop 95
         → o3 accepted / o4 accepted
         candle 1h 111 120 90 100
         → o4 ended expired / o3 filled 2 @ 109.94 / o3 ended filled 2 for 219.88
         oco sell 2 above profit 110 below stop 95
         → o5 accepted / o6 accepted
         candle 1h 109.99 120 90 100
         → o5 ended expired / o6 filled 2 @ 94.95 / o6 ended filled 2 for 189.9",
    );
}

#[test]
fn a_profit_leg_that_finds_no_volume_leaves_the_stop_to_work() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         candle 1h 112 120 112 115 vol 0
         open o1 o2
         candle 1h 112 120 90 100 vol 0
         → o1 ended expired
         open o2
         candle 1h 93 94 92 93
         → o2 filled 2 @ 92.95 / o2 ended filled 2 for 185.9",
    );
}

#[test]
fn a_part_of_one_leg_ends_the_other_and_the_rest_works_on() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         candle 1h 100 111 100 105 vol 15
         → o2 ended expired / o1 filled 1.5 @ 110 maker
         = USDT 1165+0, BTC 8+0.5
         candle 1h 105 105 80 85
         open o1
         cancel o1
         → o1 ended canceled with 1.5 for 165
         = USDT 1165+0, BTC 8.5+0",
    );
}

#[test]
fn a_leg_that_is_triggered_and_rests_has_ended_the_other() {
    check(
        "oco sell 2 above maker 110 below stop 95 limit 90
         → o1 accepted / o2 accepted
         candle 1h 85 88 80 85
         → o1 ended expired
         open o2
         = USDT 1000+0, BTC 8+2",
    );
}

#[test]
fn buys_are_mirrored() {
    check(
        "oco buy 2 above stop 105 limit 107 below maker 90
         → o1 accepted / o2 accepted
         = USDT 786+214
         candle 1h 100 100 89 95
         → o1 ended expired / o2 filled 2 @ 90 maker / o2 ended filled 2 for 180
         = USDT 820+0, BTC 12+0
         oco buy 2 above stop 105 below profit 90
         → o3 accepted / o4 accepted
         candle 1h 100 105 90 100
         → o4 ended expired / o3 filled 2 @ 105.06 / o3 ended filled 2 for 210.12",
    );
}

#[test]
fn the_list_is_canceled_by_a_leg() {
    check(
        "oco sell 2 above maker 110 below stop 95
         → o1 accepted / o2 accepted
         cancel o1
         → o1 ended canceled / o2 ended canceled
         = USDT 1000+0, BTC 10+0
         open",
    );
}

#[test]
fn the_market_must_stand_between_the_legs() {
    check(
        "oco sell 2 above maker 100 below stop 95
         → o1 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct. / o2 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct.
         oco sell 2 above profit 110 limit 109 below stop 100
         → o3 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct. / o4 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct.
         oco buy 2 above stop 99 below maker 90
         → o5 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct. / o6 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct.
         oco sell 2 above maker 95 below stop 110
         → o7 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct. / o8 rejected -2010 would_trigger: The relationship of the prices for the orders is not correct.
         = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn an_oco_where_there_is_none_is_refused() {
    Setup::default().with(|s| s.rules.oco_allowed = false).check(
        "oco sell 1 above maker 110 below stop 95
         → o1 rejected -1013 other: OCO orders are not supported for this symbol / o2 rejected -1013 other: OCO orders are not supported for this symbol",
    );
}

#[test]
fn each_leg_obeys_the_filters() {
    check(
        "oco sell 1 above maker 110.001 below stop 95
         → o1 rejected -1013 filter: Filter failure: PRICE_FILTER / o2 rejected -1013 filter: Filter failure: PRICE_FILTER
         oco sell 0.06 above maker 110 below stop 95 limit 80
         → o3 rejected -1013 filter: Filter failure: NOTIONAL / o4 rejected -1013 filter: Filter failure: NOTIONAL",
    );
}

#[test]
fn too_little_money_for_the_dearer_leg() {
    check(
        "oco buy 9 above stop 110 limit 112 below maker 90
         → o1 rejected -2010 insufficient_balance: Account has insufficient balance for requested action. / o2 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         = USDT 1000+0",
    );
}
