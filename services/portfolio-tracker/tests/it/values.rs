//! What an account is worth, and when that is said.

use crate::script::check;
use portfolio_tracker::Config;

#[test]
fn the_first_step_after_balances_are_known_values_them() {
    check(
        "time 60
         list BTCUSDT BTC USDT
         close BTCUSDT 100 at 60
         main has 400 + 100 USDT as of 60
         main has 1 + 2 BTC as of 60
         time 120",
        "main 800 = 500 + 300, 0 below 800: 3 BTC @ 100, 500 USDT @ 1",
    );
}

/// F1: the close of a day hits a stop; its fill is told after the time of that midnight.
#[test]
fn a_day_is_valued_after_what_its_close_has_filled_and_never_in_between() {
    check(
        "list BTCUSDT BTC USDT
         close BTCUSDT 100 at 0
         time 0
         main has 50 + 0 USDT as of 0
         main has 1 + 0 BTC as of 0
         close BTCUSDT 60 at 86400
         time 86400
         main has 135 + 0 USDT as of 86400
         main has 0 + 0 BTC as of 86400
         time 172800",
        "main 150 = 50 + 100, 0 below 150: 1 BTC @ 100, 50 USDT @ 1
         main 135 = 135 + 0, 0.1 below 150: 135 USDT @ 1
         main 135 = 135 + 0, 0.1 below 150: 135 USDT @ 1",
    );
}

#[test]
fn a_buy_at_the_next_open_is_in_the_value_of_its_instant_at_the_close() {
    check(
        "list BTCUSDT BTC USDT
         time 0
         main has 200 + 0 USDT as of 0
         close BTCUSDT 100 at 86400
         time 86400
         quote BTCUSDT 104 at 86400
         main has 96 + 0 USDT as of 86400
         main has 1 + 0 BTC as of 86400",
        "main 200 = 200 + 0, 0 below 200: 200 USDT @ 1
         main 196 = 96 + 100, 0.02 below 200: 1 BTC @ 100, 96 USDT @ 1",
    );
}

#[test]
fn fills_within_a_day_are_valued_once_an_instant_at_the_latest_price() {
    check(
        "list BTCUSDT BTC USDT
         close BTCUSDT 100 at 0
         time 0
         main has 200 + 0 USDT as of 0
         time 3600
         quote BTCUSDT 104 at 3600
         main has 148 + 0 USDT as of 3600
         main has 0.5 + 0 BTC as of 3600
         main has 96 + 0 USDT as of 3600
         main has 1 + 0 BTC as of 3600
         time 7200",
        "main 200 = 200 + 0, 0 below 200: 200 USDT @ 1
         main 200 = 96 + 104, 0 below 200: 1 BTC @ 104, 96 USDT @ 1",
    );
}

#[test]
fn prices_alone_are_valued_once_a_day_and_days_begin_at_midnight() {
    check(
        "list BTCUSDT BTC USDT
         close BTCUSDT 100 at 43200
         time 43200
         main has 1 + 0 BTC as of 0
         close BTCUSDT 120 at 43260
         time 86399
         time 86400
         close BTCUSDT 90 at 86460
         time 86460
         time 172799
         time 259300",
        "main 100 = 0 + 100, 0 below 100: 1 BTC @ 100
         main 120 = 0 + 120, 0 below 120: 1 BTC @ 120
         main 90 = 0 + 90, 0.25 below 120: 1 BTC @ 90",
    );
}

#[test]
fn changed_balances_are_valued_once_a_step_and_locking_changes_nothing() {
    check(
        "main has 500 + 0 USDT as of 0
         time 60
         main has 300 + 200 USDT as of 61
         time 120
         main has 300 + 100 USDT as of 121
         main has 300 + 50 USDT as of 122
         main has 350 + 0 USDT as of 123
         time 180
         time 240",
        "main 500 = 500 + 0, 0 below 500: 500 USDT @ 1
         main 350 = 350 + 0, 0.3 below 500: 350 USDT @ 1",
    );
}

#[test]
fn an_older_balance_or_price_changes_nothing() {
    check(
        "list BTCUSDT BTC USDT
         time 120
         main has 1 + 0 BTC as of 100
         main has 7 + 0 BTC as of 99
         close BTCUSDT 100 at 120
         close BTCUSDT 50 at 60
         quote BTCUSDT 40 at 119
         time 180
         quote BTCUSDT 110 at 180
         close BTCUSDT 105 at 180
         main has 2 + 0 BTC as of 100
         time 240",
        "main 100 = 0 + 100, 0 below 100: 1 BTC @ 100
         main 210 = 0 + 210, 0 below 210: 2 BTC @ 105",
    );
}

#[test]
fn what_was_just_paid_is_a_price_too() {
    check(
        "list BTCUSDT BTC USDT
         close BTCUSDT 100 at 0
         time 0
         main has 1 + 0 BTC as of 0
         fill BTCUSDT 90 at 60
         time 60
         main has 2 + 0 BTC as of 60",
        "main 100 = 0 + 100, 0 below 100: 1 BTC @ 100
         main 180 = 0 + 180, 0 below 180: 2 BTC @ 90",
    );
}

#[test]
fn a_flow_that_no_balance_shows_for_a_day_is_dropped() {
    for (valued, then) in [("86400", "0 below 60"), ("86401", "0.4 below 100")] {
        check(
            &format!(
                "time 0
                 main has 100 + 0 USDT as of 0
                 main withdrawal 40 USDT at 1
                 time {valued}
                 time 90000
                 main has 60 + 0 USDT as of 90000"
            ),
            &format!(
                "main 100 = 100 + 0, 0 below 100: 100 USDT @ 1
                 main 100 = 100 + 0, 0 below 100: 100 USDT @ 1
                 main 60 = 60 + 0, {then}: 60 USDT @ 1"
            ),
        );
    }
}

#[test]
fn an_asset_is_priced_directly_inversely_or_through_one_other() {
    check(
        "list BTCUSDT BTC USDT
         list USDTTRY USDT TRY
         list XMRBTC XMR BTC
         list BTCEUR BTC EUR
         list FARXMR FAR XMR
         close BTCUSDT 100 at 60
         close USDTTRY 40 at 60
         close XMRBTC 0.5 at 60
         close BTCEUR 80 at 60
         close FARXMR 2 at 60
         main has 1 + 0 BTC as of 60
         main has 80 + 0 TRY as of 60
         main has 1 + 0 XMR as of 60
         main has 8 + 0 EUR as of 60
         main has 5 + 0 FAR as of 60
         main has 5 + 0 DEAD as of 60
         main has 0 + 0 GONE as of 60
         time 60",
        "main 162 = 0 + 162, 0 below 162: 1 BTC @ 100, 5 DEAD @ ?, 8 EUR @ 1.25, 5 FAR @ ?, 80 TRY @ 0.025, 1 XMR @ 50",
    );
}

#[test]
fn what_is_listed_later_is_priced_later() {
    check(
        "main has 1 + 0 BTC as of 0
         close BTCUSDT 100 at 60
         time 60
         list BTCUSDT BTC USDT
         time 120
         time 86400",
        "main 0 = 0 + 0, 0 below 0: 1 BTC @ ?
         main 100 = 0 + 100, 0 below 100: 1 BTC @ 100",
    );
}

#[test]
fn accounts_are_valued_each_by_itself() {
    check(
        "main has 10 + 0 USDT as of 0
         time 60
         other has 20 + 0 USDT as of 61
         time 120",
        "main 10 = 10 + 0, 0 below 10: 10 USDT @ 1
         other 20 = 20 + 0, 0 below 20: 20 USDT @ 1",
    );
}

#[test]
fn a_withdrawal_is_no_drawdown_and_a_deposit_makes_none_good() {
    check(
        "main has 100 + 0 USDT as of 0
         time 60
         main has 80 + 0 USDT as of 61
         time 120
         main withdrawal 40 USDT at 121
         main has 40 + 0 USDT as of 121
         time 180
         main has 120 + 0 USDT as of 200
         main deposit 80 USDT at 200
         time 240
         main interest 30 USDT at 250
         main has 150 + 0 USDT as of 250
         time 300",
        "main 100 = 100 + 0, 0 below 100: 100 USDT @ 1
         main 80 = 80 + 0, 0.2 below 100: 80 USDT @ 1
         main 40 = 40 + 0, 0.2 below 50: 40 USDT @ 1
         main 120 = 120 + 0, 0.2 below 150: 120 USDT @ 1
         main 150 = 150 + 0, 0 below 150: 150 USDT @ 1",
    );
}

#[test]
fn the_ledger_and_the_balance_may_tell_of_a_flow_in_different_steps() {
    check(
        "main has 100 + 0 USDT as of 0
         time 60
         main has 80 + 0 USDT as of 61
         time 120
         main withdrawal 40 USDT at 130
         time 180
         main has 40 + 0 USDT as of 130
         time 240
         main has 20 + 0 USDT as of 250
         time 300
         main withdrawal 20 USDT at 250
         time 360
         main has 60 + 0 USDT as of 370
         time 420
         main deposit 40 USDT at 370
         time 480
         time 540",
        "main 100 = 100 + 0, 0 below 100: 100 USDT @ 1
         main 80 = 80 + 0, 0.2 below 100: 80 USDT @ 1
         main 80 = 80 + 0, 0.2 below 100: 80 USDT @ 1
         main 40 = 40 + 0, 0.2 below 50: 40 USDT @ 1
         main 20 = 20 + 0, 0.6 below 50: 20 USDT @ 1
         main 20 = 20 + 0, 0.2 below 25: 20 USDT @ 1
         main 60 = 60 + 0, 0 below 60: 60 USDT @ 1
         main 60 = 60 + 0, 0 below 60: 60 USDT @ 1",
    );
}

#[test]
fn an_emptied_account_has_no_drawdown() {
    check(
        "main has 100 + 0 USDT as of 0
         time 60
         main withdrawal 100 USDT at 61
         main has 0 + 0 USDT as of 61
         time 120
         main deposit 10 USDT at 130
         main has 10 + 0 USDT as of 130
         time 180",
        "main 100 = 100 + 0, 0 below 100: 100 USDT @ 1
         main 0 = 0 + 0, 0 below 0:
         main 10 = 10 + 0, 0 below 10: 10 USDT @ 1",
    );
}

#[test]
fn figures_beyond_all_money_do_not_stop_it() {
    let huge = "79228162514264337593543950335";
    let dearest = domain::Price::MOST;
    check(
        &format!(
            "list BTCUSDT BTC USDT
             close BTCUSDT {dearest} at 60
             main has {huge} + {huge} BTC as of 60
             main has {huge} + {huge} USDT as of 60
             time 60
             main deposit {huge} BTC at 61
             main has 1 + 0 BTC as of 61
             time 120"
        ),
        &format!(
            "main {huge} = {huge} + {huge}, 0 below {huge}: {huge} BTC @ {dearest}, {huge} USDT @ 1
             main {huge} = {huge} + {dearest}, 0 below {huge}: 1 BTC @ {dearest}, {huge} USDT @ 1"
        ),
    );
}

#[test]
fn the_period_may_not_be_zero() {
    let given = r#"{ "quote": "USDT", "value_every_seconds": 0 }"#;
    assert!(serde_json::from_str::<Config>(given).unwrap_err().to_string().contains("nonzero"));
    let config: Config = serde_json::from_str(r#"{ "quote": "USDT" }"#).unwrap();
    assert_eq!(config, Config::new("USDT".parse().unwrap()));
}
