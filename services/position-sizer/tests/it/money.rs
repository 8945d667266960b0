//! Money that is promised is not promised twice.

use crate::script::{World, check, config, risk};

#[test]
fn two_requests_at_once_cannot_spend_the_same_money() {
    check(
        config(),
        "balance USDT 150 \n ask BTC @ 10 \n ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 refused cash 50 of 100"],
    );
    check(
        risk("0.02", "0.02", Some("100")),
        "balance USDT 150 \n value 150 \n ask BTC @ 10 \n ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 5 @ 10 reserves 50"],
    );
}

#[test]
fn a_reservation_becomes_fills_and_its_rest_is_free_when_the_order_is_done() {
    check(
        config(),
        "balance USDT 1000
         ask BTC @ 10
         cash
         submit T1
         cash
         fill T1 4 @ 9
         cash
         fill T1 1 @ 10
         cash
         done T1
         cash
         balance USDT 954
         cash",
        &["T1 10 @ 10 reserves 100", "cash 900", "cash 900", "cash 900", "cash 900", "cash 954", "cash 954"],
    );
}

#[test]
fn an_entry_that_expired_without_a_fill_gives_all_back() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 \n submit T1 \n done T1 \n cash \n abort T1 \n cash \n ask BTC @ 10",
        &["T1 10 @ 10 reserves 100", "cash 1000", "cash 1000", "T2 10 @ 10 reserves 100"],
    );
}

#[test]
fn a_trade_aborted_before_it_was_sent_gives_all_back() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 \n cash \n abort T1 \n cash",
        &["T1 10 @ 10 reserves 100", "cash 900", "cash 1000"],
    );
}

#[test]
fn an_entry_tried_anew_sets_its_money_aside_anew() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 \n submit T1 \n done T1 \n cash \n submit T1 2 \n cash \n close T1 \n cash",
        &["T1 10 @ 10 reserves 100", "cash 1000", "cash 900", "cash 1000"],
    );
}

#[test]
fn a_fee_in_the_quote_asset_is_spent_too() {
    check(
        config(),
        "balance USDT 1000
         ask BTC @ 10
         submit T1
         fill T1 10 @ 9.9 fee 0.1 USDT
         cash
         done T1
         cash",
        &["T1 10 @ 10 reserves 100", "cash 900", "cash 900.9"],
    );
}

#[test]
fn a_fill_heard_before_its_balance_is_spent_at_once_and_once() {
    check(
        config(),
        "balance USDT 1000 as of 10
         ask BTC @ 10
         submit T1
         fill T1 10 @ 10 at 20
         done T1
         cash
         balance USDT 1000 as of 15
         cash
         balance USDT 900 as of 20
         cash",
        &["T1 10 @ 10 reserves 100", "cash 900", "cash 900", "cash 900"],
    );
}

#[test]
fn a_fill_heard_after_its_balance_is_not_spent_twice() {
    check(
        config(),
        "balance USDT 1000 as of 10
         ask BTC @ 10
         submit T1
         balance USDT 900 as of 20
         cash
         fill T1 10 @ 10 at 20
         cash
         done T1
         cash",
        &["T1 10 @ 10 reserves 100", "cash 800", "cash 900", "cash 900"],
    );
}

#[test]
fn the_pieces_of_a_taker_order_share_one_instant_and_are_spent_once_in_any_order() {
    let pieces = [
        "fill T1 4 @ 10 at 20",
        "fill T1 6 @ 10 at 20",
        "balance USDT 960 as of 20",
        "balance USDT 900 as of 20",
    ];
    for order in [[0, 1, 2, 3], [0, 2, 1, 3], [2, 0, 3, 1], [2, 3, 0, 1], [2, 3, 1, 0]] {
        let heard: String = order.map(|i| format!("{} \n", pieces[i])).concat();
        let mut world = World::new(config());
        world.play("balance USDT 1000 as of 10 \n ask BTC @ 10 \n submit T1");
        for line in heard.lines() {
            world.play(line);
            world.play("cash");
        }
        world.play("done T1 \n cash");
        let cash: Vec<i32> = world.log[1..].iter().map(|line| line[5..].parse().unwrap()).collect();
        assert_eq!(cash.last(), Some(&900), "{order:?}: {cash:?}");
        assert!(cash.iter().all(|cash| *cash <= 900), "{order:?}: {cash:?}");
    }
}

#[test]
fn a_sale_counts_only_when_the_balance_shows_it() {
    check(
        config(),
        "balance USDT 50 \n sell BTC 10 @ 10 \n cash \n ask ETH @ 10 \n balance USDT 150 \n cash \n ask ETH @ 10",
        &["cash 50", "T1 refused cash 50 of 100", "cash 150", "T2 10 @ 10 reserves 100"],
    );
}

#[test]
fn an_older_balance_says_nothing_new() {
    check(config(), "balance USDT 100 as of 20 \n balance USDT 1000 as of 10 \n cash", &["cash 100"]);
}

#[test]
fn what_orders_of_others_hold_is_not_free() {
    check(
        config(),
        "balance USDT 150 locked 850 \n cash \n ask BTC @ 10 \n cash",
        &["cash 150", "T1 10 @ 10 reserves 100", "cash 50"],
    );
}

#[test]
fn what_our_own_entry_holds_at_the_venue_is_not_counted_twice() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 \n submit T1 \n accept T1 \n balance USDT 900 locked 100 \n cash",
        &["T1 10 @ 10 reserves 100", "cash 900"],
    );
}

#[test]
fn an_order_on_its_way_does_not_excuse_what_others_hold() {
    check(
        config(),
        "balance USDT 150 locked 100
         ask BTC @ 10
         submit T1
         cash
         accept T1
         cash
         balance USDT 50 locked 200
         cash",
        &["T1 10 @ 10 reserves 100", "cash 50", "cash 50", "cash 50"],
    );
}

#[test]
fn promises_survive_a_restart() {
    let mut world = World::new(config());
    world.play("balance USDT 150 \n ask BTC @ 10 \n submit T1");
    let snapshot = serde_json::to_string(&world.sizer.state).unwrap();
    world.sizer.state = serde_json::from_str(&snapshot).unwrap();
    world.play("ask ETH @ 10 \n fill T1 4 @ 10 \n cash \n done T1 \n cash");
    assert_eq!(world.log, ["T1 10 @ 10 reserves 100", "T2 refused cash 50 of 100", "cash 50", "cash 110"]);
}

#[test]
fn when_all_is_over_nothing_is_remembered() {
    let mut world = World::new(config());
    world.play(
        "balance USDT 1000
         ask BTC @ 10
         submit T1
         fill T1 10 @ 10
         done T1
         open T1 10 for 100
         close T1
         ask ETH @ 10
         submit T2
         abort T2",
    );
    let state = serde_json::to_value(&world.sizer.state).unwrap();
    assert_eq!(state["trades"], serde_json::json!({}));
    assert_eq!(state["entries"], serde_json::json!({}));
}

service::mirrored!("money.rs":
    two_requests_at_once_cannot_spend_the_same_money
    a_reservation_becomes_fills_and_its_rest_is_free_when_the_order_is_done
    an_entry_that_expired_without_a_fill_gives_all_back
    a_trade_aborted_before_it_was_sent_gives_all_back
    an_entry_tried_anew_sets_its_money_aside_anew
    a_fee_in_the_quote_asset_is_spent_too
    a_fill_heard_before_its_balance_is_spent_at_once_and_once
    a_fill_heard_after_its_balance_is_not_spent_twice
    the_pieces_of_a_taker_order_share_one_instant_and_are_spent_once_in_any_order
    a_sale_counts_only_when_the_balance_shows_it
    an_older_balance_says_nothing_new
    what_orders_of_others_hold_is_not_free
    what_our_own_entry_holds_at_the_venue_is_not_counted_twice
    an_order_on_its_way_does_not_excuse_what_others_hold
    promises_survive_a_restart
    when_all_is_over_nothing_is_remembered;
);
