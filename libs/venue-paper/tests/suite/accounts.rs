//! What the account owns, what its orders hold, and what becomes of it.

use crate::suite::script::{Run, Setup, check, rules};

#[test]
fn starting_balances_are_on_the_tape_before_anything_trades() {
    let setup = Setup::default();
    let mut run = Run::new(setup.config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.line("= USDT 1000+0, BTC 10+0");
    run.balances.clear();
    run.list("ETHUSDT", rules("ETH", "USDT"));
    assert!(run.balances.is_empty(), "they are said once");
}

#[test]
fn a_limit_buy_locks_quote() {
    check(
        "buy 2 limit 90
         → o1 accepted
         = USDT 820+180, BTC 10+0",
    );
}

#[test]
fn a_limit_sell_locks_base() {
    check(
        "sell 2 limit 110
         → o1 accepted
         = USDT 1000+0, BTC 8+2",
    );
}

#[test]
fn a_stop_locks_base() {
    check(
        "sell 2 stop 95 limit 90
         → o1 accepted
         sell 3 stop 95
         → o2 accepted
         = USDT 1000+0, BTC 5+5",
    );
}

#[test]
fn a_stop_buy_locks_what_it_is_expected_to_cost() {
    check(
        "buy 2 stop 110
         → o1 accepted
         # 2 × 110.06, which is 110 worsened by 0.0005
         = USDT 779.88+220.12",
    );
}

#[test]
fn a_market_buy_locks_an_estimate_until_its_price_is_known() {
    check(
        "buy 2 market
         → o1 accepted / quote?
         = USDT 799.9+200.1
         quote 101
         → o1 filled 2 @ 101.06 / o1 ended filled 2 for 202.12
         = USDT 797.88+0, BTC 12+0",
    );
}

#[test]
fn a_market_buy_by_sum_locks_the_sum_and_a_sale_by_sum_the_base_that_it_takes() {
    check(
        "buy for 300 market
         → o1 accepted / quote?
         = USDT 700+300
         sell for 300 market
         → o2 accepted
         # 300 / 99.95, up to the lot
         = USDT 700+300, BTC 6.998+3.002",
    );
}

#[test]
fn cancel_unlocks() {
    check(
        "buy 2 limit 90
         → o1 accepted
         sell 2 stop 95 limit 90
         → o2 accepted
         cancel o1
         → o1 ended canceled
         cancel o2
         → o2 ended canceled
         = USDT 1000+0, BTC 10+0
         open",
    );
}

#[test]
fn a_fill_below_the_limit_gives_the_rest_of_the_lock_back() {
    check(
        "buy 2 limit 110
         → o1 accepted / quote?
         = USDT 780+220
         quote 100
         → o1 filled 2 @ 100.05 / o1 ended filled 2 for 200.1
         = USDT 799.9+0, BTC 12+0",
    );
}

#[test]
fn a_part_that_is_filled_leaves_the_lock_of_the_rest() {
    check(
        "buy 5 limit 90
         → o1 accepted
         candle 1h 95 96 89 95 vol 20
         → o1 filled 2 @ 90 maker
         = USDT 550+270, BTC 12+0",
    );
}

#[test]
fn too_little_money_is_an_error_and_locks_nothing() {
    check(
        "buy 12 limit 90
         → o1 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         sell 10.001 limit 110
         → o2 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         buy 10 market
         → o3 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         buy for 1000.01 market
         → o4 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         sell 8 limit 110
         → o5 accepted
         sell 3 stop 90
         → o6 rejected -2010 insufficient_balance: Account has insufficient balance for requested action.
         = USDT 1000+0, BTC 2+8",
    );
}

#[test]
fn a_market_buy_takes_no_more_than_the_account_can_pay() {
    check(
        "buy 9.9 market
         → o1 accepted / quote?
         # 1000 pay for 9.09 at 110 worsened to 110.06
         quote 110
         → o1 filled 9.085 @ 110.06 / o1 ended expired with 9.085 for 999.8951
         = USDT 0.1049+0, BTC 19.085+0",
    );
}

#[test]
fn coins_of_several_instruments_are_kept_apart() {
    let mut run = Run::new(Setup::default().config);
    run.list("BTCUSDT", rules("BTC", "USDT"));
    run.list("ETHBTC", rules("ETH", "BTC"));
    run.line("on ETHBTC");
    run.line("candle 1h 1 1 1 1");
    assert_eq!(run.line("buy 5 market"), ["o1 accepted", "quote?"]);
    run.line("= BTC 4.95+5.05, USDT 1000+0");
    assert_eq!(run.line("quote 1"), ["o1 filled 5 @ 1.01", "o1 ended filled 5 for 5.05"]);
    run.line("= ETH 5+0, BTC 4.95+0, USDT 1000+0");
    run.line("on BTCUSDT");
    assert_eq!(run.line("sell 4.95 limit 120"), ["o2 accepted", "quote?"], "its price is not known yet");
    run.line("= ETH 5+0, BTC 0+4.95, USDT 1000+0");
}
