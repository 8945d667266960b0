//! Limits over all trades of an account.

use crate::script::{check, config, d, with_limits};
use domain::{Account, Decimal};
use position_sizer::{Config, Limits};

fn open_risk(ratio: &str) -> Config {
    with_limits(Limits { max_open_risk_ratio: Some(d(ratio)), ..Limits::default() })
}

fn exposure(ratio: &str) -> Config {
    with_limits(Limits { max_asset_exposure_ratio: Some(d(ratio)), ..Limits::default() })
}

#[test]
fn granted_and_open_trades_count_as_positions() {
    let limits = Limits { max_open_positions: Some(1), ..Limits::default() };
    check(
        with_limits(limits),
        "balance USDT 1000
         ask BTC @ 10
         ask ETH @ 10
         submit T1
         fill T1 10 @ 10
         done T1
         open T1 10 for 100
         ask ETH @ 10
         close T1
         ask ETH @ 10
         abort T4
         ask BTC @ 10",
        &[
            "T1 10 @ 10 reserves 100",
            "T2 refused max_open_positions 2 of 1",
            "T3 refused max_open_positions 2 of 1",
            "T4 10 @ 10 reserves 100",
            "T5 10 @ 10 reserves 100",
        ],
    );
}

#[test]
fn granted_trades_count_in_open_risk() {
    // Each may lose 15 of 1000.
    check(
        open_risk("0.029"),
        "balance USDT 1000 \n value 1000 \n ask BTC @ 10 \n ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 refused max_open_risk 30 of 29"],
    );
    check(
        open_risk("0.03"),
        "balance USDT 1000 \n value 1000 \n ask BTC @ 10 \n ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 10 @ 10 reserves 100"],
    );
}

#[test]
fn what_was_not_bought_is_not_at_risk() {
    check(
        open_risk("0.025"),
        "balance USDT 1000
         value 1000
         ask BTC @ 10
         submit T1
         fill T1 5 @ 10
         done T1
         open T1 5 for 50
         ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 10 @ 10 reserves 100"],
    );
}

#[test]
fn a_stop_moved_up_frees_risk_and_one_moved_down_takes_more() {
    let bought = "balance USDT 1000
         value 1000
         ask BTC @ 10
         submit T1
         fill T1 10 @ 10
         done T1
         open T1 10 for 100";
    for (stop, second) in [
        ("8.5", "T2 refused max_open_risk 30 of 20"),
        ("8", "T2 refused max_open_risk 35 of 20"),
        ("9.6", "T2 10 @ 10 reserves 100"),
        ("12", "T2 10 @ 10 reserves 100"),
    ] {
        check(
            open_risk("0.02"),
            &format!("{bought} \n stop T1 {stop} \n ask ETH @ 10"),
            &["T1 10 @ 10 reserves 100", second],
        );
    }
}

#[test]
fn a_trade_without_a_stop_risks_everything() {
    let mut config = open_risk("0.05");
    config.terms.limits.allowed_to_trade_without_stop = true;
    config.edges[0].exit = None;
    check(config, "balance USDT 1000 \n value 1000 \n ask BTC @ 10", &["T1 refused max_open_risk 100 of 50"]);
}

#[test]
fn what_the_owner_holds_of_an_asset_counts_as_exposure() {
    check(
        exposure("0.2"),
        "balance USDT 1000 \n balance BTC 11 \n value 1110 \n ask BTC @ 10 \n ask ETH @ 10",
        &["T1 10 @ 10 reserves 100", "T2 10 @ 10 reserves 100"],
    );
    check(
        exposure("0.2"),
        "balance USDT 1000 \n balance BTC 13 \n value 1130 \n ask BTC @ 10",
        &["T1 refused max_asset_exposure 230 of 226"],
    );
}

#[test]
fn two_edges_on_one_asset_share_its_limit() {
    let mut config = exposure("0.15");
    let mut second = config.edges[0].clone();
    second.edge = "edge60".parse().unwrap();
    config.edges.push(second);
    check(
        config.clone(),
        "balance USDT 1000 \n value 1000 \n ask BTC @ 10 \n ask BTC @ 10 by edge60",
        &["T1 10 @ 10 reserves 100", "T2 refused max_asset_exposure 200 of 150"],
    );
    // The same once it is bought, whether or not the balance has been seen.
    for balance in ["", "balance BTC 10"] {
        check(
            config.clone(),
            &format!(
                "balance USDT 1000 \n value 1000 \n ask BTC @ 10 \n submit T1 \n fill T1 10 @ 10 \n {balance}
                 done T1 \n open T1 10 for 100 \n ask BTC @ 10 by edge60"
            ),
            &["T1 10 @ 10 reserves 100", "T2 refused max_asset_exposure 200 of 150"],
        );
    }
}

#[test]
fn limits_hold_for_each_account_by_itself() {
    let mut config = with_limits(Limits { max_open_positions: Some(1), ..config().terms.limits });
    config.edges[0].accounts.insert("paper:other".parse().unwrap());
    check(
        config,
        "balance USDT 1000 \n ask BTC @ 10 \n ask BTC @ 10 on paper:other",
        &["T1 10 @ 10 reserves 100", "T2 refused cash 0 of 100"],
    );
}

#[test]
fn an_account_has_limits_exclusions_and_fees_of_its_own() {
    let other: Account = "paper:other".parse().unwrap();
    let mut config = with_limits(Limits { max_open_positions: Some(1), ..Limits::default() });
    config.edges[0].accounts.insert(other);
    let mut own = config.terms.clone();
    own.limits.max_open_positions = Some(2);
    own.prohibited = ["ETH".parse().unwrap()].into();
    own.entry_fee_ratio = d("0.001");
    config.own.insert(other, own);
    check(
        config,
        "balance USDT 1000
         balance USDT 1000 on paper:other
         ask BTC @ 10
         ask ETH @ 10
         ask BTC @ 10 on paper:other
         ask ETH @ 10 on paper:other
         ask USDC @ 10 on paper:other",
        &[
            "T1 10 @ 10 reserves 100",
            "T2 refused max_open_positions 2 of 1",
            "T3 10 @ 10 reserves 100.1",
            "T4 refused prohibited_asset",
            "T5 10 @ 10 reserves 100.1",
        ],
    );
}

#[test]
fn figures_beyond_all_measure_are_refused_and_break_nothing() {
    let mut config = exposure("0.5");
    config.terms.entry_fee_ratio = Decimal::MAX;
    check(
        config,
        "balance USDT 1000 \n value 1000 \n ask BTC @ 10",
        &[&format!("T1 refused cash 1000 of {}", Decimal::MAX)],
    );
    check(
        exposure("0.5"),
        &format!("balance USDT 1000 \n balance BTC {} \n value 1000 \n ask BTC @ 10", Decimal::MAX),
        &[&format!("T1 refused max_asset_exposure {} of 500", Decimal::MAX)],
    );
}

service::mirrored!("limits.rs":
    granted_and_open_trades_count_as_positions
    granted_trades_count_in_open_risk
    what_was_not_bought_is_not_at_risk
    a_stop_moved_up_frees_risk_and_one_moved_down_takes_more
    a_trade_without_a_stop_risks_everything
    an_account_has_limits_exclusions_and_fees_of_its_own
    what_the_owner_holds_of_an_asset_counts_as_exposure
    two_edges_on_one_asset_share_its_limit
    limits_hold_for_each_account_by_itself
    figures_beyond_all_measure_are_refused_and_break_nothing;
);
