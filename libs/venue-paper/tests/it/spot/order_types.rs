//! `rest-api.md`, "New order" and "New Order list - OCO"; `enums.md`, time in force and order status.

use super::floor::check;

#[test]
fn time_in_force_gtc_takes_what_it_can_and_rests() {
    check(
        "book 99x1 | 101x1 102x1 103x1
        buy 3 limit 102
        → o1 accepted #1 / o1 filled 1 @ 101 t1 / o1 filled 1 @ 102 t2
        shows 102x1 99x1 | 103x1
        = USDT 695+102, BTC 12+0",
    );
}

#[test]
fn time_in_force_ioc_fills_what_it_can_and_the_rest_expires() {
    check(
        "book | 101x1 102x1 103x1
        buy 3 limit 102 ioc
        → o1 accepted #1 / o1 filled 1 @ 101 t1 / o1 filled 1 @ 102 t2 / o1 ended expired (ioc) with 2 for 203
        buy 1 limit 102 ioc
        → o2 accepted #2 / o2 ended expired (ioc)
        = USDT 797+0, BTC 12+0",
    );
}

#[test]
fn time_in_force_fok_fills_whole_or_not_at_all() {
    check(
        "book | 101x1 102x1 103x1
        buy 3 limit 102 fok
        → o1 accepted #1 / o1 ended expired (fok)
        shows | 101x1 102x1 103x1
        buy 2 limit 102 fok
        → o2 accepted #2 / o2 filled 1 @ 101 t1 / o2 filled 1 @ 102 t2 / o2 ended filled with 2 for 203",
    );
}

#[test]
fn time_in_force_fok_does_not_count_what_prevention_keeps_from_it() {
    check(
        "book | 102x1
        sell 1 limit 101
        → o1 accepted #1
        buy 2 limit 102 fok stp EXPIRE_MAKER
        → o2 accepted #2 / o2 ended expired (fok)
        buy 1 limit 102 fok stp EXPIRE_TAKER
        → o3 accepted #3 / o3 ended expired (fok)
        buy 2 limit 102 fok
        → o4 accepted #4 / o4 filled 1 @ 101 t1 / o1 filled 1 @ 101 maker t1 / o1 ended filled with 1 for 101 / o4 filled 1 @ 102 t2 / o4 ended filled with 2 for 203",
    );
}

#[test]
fn limit_maker_is_refused_if_it_would_take() {
    check(
        "book 99x1 | 101x1
        buy 1 maker 101
        → o1 rejected -2010: Order would immediately match and take.
        buy 1 maker 100.99
        → o2 accepted #1
        sell 1 maker 100.99
        → o3 rejected -2010: Order would immediately match and take.",
    );
}

#[test]
fn stop_loss_sells_at_the_book_when_its_price_is_traded() {
    check(
        "book 89x0.4 88x5 | 101x1
        sell 1 stop 90
        → o1 accepted #1
        = USDT 1000+0, BTC 9+1
        trade sell 1 @ 90.01
        trade sell 1 @ 90
        → o1 triggered / o1 filled 0.4 @ 89 t1 / o1 filled 0.6 @ 88 t2 / o1 ended filled with 1 for 88.4
        = USDT 1088.4+0, BTC 9+0",
    );
}

#[test]
fn stop_loss_on_a_thin_book_expires_like_any_market_order() {
    check(
        "book 89x0.4 |
        sell 1 stop 90
        → o1 accepted #1
        trade sell 1 @ 90
        → o1 triggered / o1 filled 0.4 @ 89 t1 / o1 ended expired (thin) with 0.4 for 35.6",
    );
}

#[test]
fn stop_loss_limit_rests_where_the_market_has_passed_its_limit() {
    check(
        "book 88x5 |
        sell 1 stop 90 limit 89
        → o1 accepted #1
        shows 88x5 |
        trade sell 1 @ 90
        → o1 triggered
        shows 88x5 | 89x1
        trade buy 1 @ 89.01
        → o1 filled 1 @ 89 maker t1 / o1 ended filled with 1 for 89",
    );
}

#[test]
fn stops_that_would_trigger_at_once_are_refused_by_the_last_trade() {
    let text = "rejected -2010: Order would trigger immediately.";
    check(&format!(
        "book 80x1 | 120x1
        sell 1 stop 100
        → o1 {text}
        buy 1 stop 100
        → o2 {text}
        sell 1 profit 100
        → o3 {text}
        buy 1 profit 100
        → o4 {text}
        sell 1 stop 99.99
        → o5 accepted #1"
    ));
}

#[test]
fn one_stop_sets_off_the_next() {
    check(
        "book 95x1 90x9 |
        sell 1 stop 97
        → o1 accepted #1
        sell 1 stop 95
        → o2 accepted #2
        sell 1 limit 94 ioc
        → o3 accepted #3 / o3 filled 1 @ 95 t1 / o3 ended filled with 1 for 95 / o1 triggered / o1 filled 1 @ 90 t2 / o1 ended filled with 1 for 90 / o2 triggered / o2 filled 1 @ 90 t3 / o2 ended filled with 1 for 90",
    );
}

#[test]
fn iceberg_shows_a_part_and_goes_to_the_back_when_it_is_gone() {
    check(
        "sell 3 limit 101 iceberg 1
        → o1 accepted #1
        sell 1 limit 101
        → o2 accepted #2
        shows | 101x2
        trade buy 1 @ 101
        → o1 filled 1 @ 101 maker t1
        shows | 101x2
        trade buy 1 @ 101
        → o2 filled 1 @ 101 maker t2 / o2 ended filled with 1 for 101
        trade buy 5 @ 101
        → o1 filled 1 @ 101 maker t3 / o1 filled 1 @ 101 maker t4 / o1 ended filled with 3 for 303",
    );
}

#[test]
fn iceberg_stands_behind_what_others_have_when_it_is_refreshed() {
    check(
        "sell 2 limit 101 iceberg 1
        → o1 accepted #1
        book | 101x3
        shows | 101x4
        trade buy 1 @ 101
        → o1 filled 1 @ 101 maker t1
        trade buy 3 @ 101
        trade buy 0.5 @ 101
        → o1 filled 0.5 @ 101 maker t2",
    );
}

#[test]
fn iceberg_takes_whole_before_it_rests() {
    check(
        "book | 100x2
        buy 5 limit 100 iceberg 1
        → o1 accepted #1 / o1 filled 2 @ 100 t1
        shows 100x1 |",
    );
}

#[test]
fn oco_when_the_stop_leg_triggers_the_other_expires() {
    check(
        "book 89x5 | 111x5
        oco sell 2 above maker 110 below stop 90
        → o1 accepted #1 / o2 accepted #2
        = USDT 1000+0, BTC 8+2
        shows 89x5 | 110x2 111x5
        trade sell 1 @ 90
        → o1 ended expired (oco) / o2 triggered / o2 filled 2 @ 89 t1 / o2 ended filled with 2 for 178
        = USDT 1178+0, BTC 8+0",
    );
}

#[test]
fn oco_when_the_limit_leg_trades_even_in_part_the_stop_expires() {
    check(
        "oco sell 2 above maker 110 below stop 90
        → o1 accepted #1 / o2 accepted #2
        trade buy 0.5 @ 110
        → o2 ended expired (oco) / o1 filled 0.5 @ 110 maker t1
        trade buy 2 @ 110
        → o1 filled 1.5 @ 110 maker t2 / o1 ended filled with 2 for 220",
    );
}

#[test]
fn oco_canceling_one_cancels_both() {
    check(
        "oco sell 2 above maker 110 below stop 90
        → o1 accepted #1 / o2 accepted #2
        cancel o2
        → o2 ended canceled / o1 ended canceled
        oco sell 2 above maker 110 below stop 90
        → o3 accepted #3 / o4 accepted #4
        cancel l2
        → o3 ended canceled / o4 ended canceled
        = USDT 1000+0, BTC 10+0",
    );
}

#[test]
fn oco_prices_must_stand_around_the_last_trade_and_the_maker_off_the_book() {
    let both = |text: &str| format!("→ o1 rejected -2010: {text} / o2 rejected -2010: {text}");
    let relation = both("The relationship of the prices for the orders is not correct.");
    check(&format!("oco sell 2 above maker 100 below stop 90\n{relation}"));
    check(&format!("oco sell 2 above maker 100 below stop 90 follow 100\n{relation}"));
    let takes = both("Order would immediately match and take.");
    check(&format!("book 112x1 |\noco sell 2 above maker 110 below stop 90\n{takes}"));
}

#[test]
fn fees_are_those_of_a_taker_and_of_a_maker() {
    super::floor::check_with(
        |floor| {
            let fees = &mut floor.spot.terms.fees;
            (fees.maker, fees.taker) =
                (crate::suite::script::get("0.001"), crate::suite::script::get("0.002"));
        },
        "book | 100x1
        buy 1 market
        → o1 accepted #1 / o1 filled 1 @ 100 fee 0.002 BTC t1 / o1 ended filled with 1 for 100
        buy 1 limit 90
        → o2 accepted #2
        trade sell 1 @ 89
        → o2 filled 1 @ 90 fee 0.001 BTC maker t2 / o2 ended filled with 1 for 90",
    );
}
