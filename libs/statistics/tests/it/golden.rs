//! Figures of one series against other libraries.
//!
//! Source: `E(i) = round(10000·exp(0.0009 i + 0.12 sin(i/37) + 0.03 sin(1.7 i)), 8)`, i = 0..730, daily from
//! 2023-01-01, computed by numpy 2.4.6 and pandas 3.1.1 (CPython 3.11), simple returns, and handed to
//! empyrical-reloaded 0.7.1 (`annualization=365`) and quantstats 0.0.86 (`periods=365`), whose figures agree
//! in all digits here. Their defaults of 252 days give others: `the_defaults_of_others_are_not_ours`.

use domain::{Decimal, Timestamp};
use statistics::{daily::Daily, returns, told};

/// 2023-01-01 in days since 1970-01-01.
const FIRST: i64 = 19_358;

fn series() -> Vec<Decimal> {
    let one = |i: u32| {
        let i = f64::from(i);
        let e = 10_000.0 * (0.0009 * i + 0.12 * (i / 37.0).sin() + 0.03 * (1.7 * i).sin()).exp();
        Decimal::try_from(e).unwrap().round_dp(8)
    };
    (0..=730).map(one).collect()
}

fn midnight(day: i64) -> Timestamp {
    Timestamp::from_millis(day * 86_400_000)
}

fn daily_returns() -> Vec<f64> {
    let mut daily = Daily::default();
    for (day, equity) in (FIRST..).zip(series()) {
        daily.see(midnight(day), equity, Decimal::ZERO);
    }
    returns::of(&daily.rows())
}

#[track_caller]
fn is(found: Option<f64>, golden: f64) {
    let found = found.expect("a figure");
    assert!((found - golden).abs() <= 1e-11 * golden.abs(), "{found} is not {golden}");
}

#[test]
fn growth_risk_and_their_ratios_are_those_of_empyrical_and_quantstats() {
    let r = daily_returns();
    assert_eq!(r.len(), 730);
    is(returns::total(&r), 1.111_453_725_851);
    is(returns::cagr(&r), 0.453_084_211_548_317);
    is(returns::volatility(&r), 0.611_831_712_226_319);
    is(returns::sharpe(&r), 0.916_108_954_856_337);
    is(returns::sortino(&r), 1.361_837_850_536_78);
    is(returns::ulcer_index(&r), 0.092_680_848_313_100_7);
    let fall = returns::deepest_fall(&returns::index(&r)).unwrap();
    is(Some(fall.depth), 0.183_891_991_377_006);
    is(returns::cagr(&r).map(|cagr| cagr / fall.depth), 2.463_860_487_645_85);
}

/// quantstats: from 2024-06-18 to 2024-11-22 with the bottom on 2024-09-23; numpy: peak 533, back at 692.
#[test]
fn the_deepest_fall_is_where_others_find_it() {
    let index = returns::index(&daily_returns());
    let fall = returns::deepest_fall(&index).unwrap();
    assert_eq!((fall.peak, fall.bottom, fall.recovered), (533, 631, Some(692)));
}

/// With 252 days a year the same series has a Sharpe ratio of 0.761 and grows by 29 % a year.
#[test]
fn the_defaults_of_others_are_not_ours() {
    let r = daily_returns();
    assert!((returns::sharpe(&r).unwrap() - 0.761_203_833_026_739).abs() > 0.15);
    assert!((returns::cagr(&r).unwrap() - 0.294_336_909_606_141).abs() > 0.15);
}

#[test]
fn what_is_not_defined_is_none() {
    for none in [returns::total, returns::cagr, returns::volatility, returns::sharpe, returns::sortino] {
        assert_eq!(none(&[]), None);
    }
    assert_eq!(returns::volatility(&[0.1]), None, "one day has no deviation");
    assert_eq!(returns::sharpe(&[0.0; 9]), None, "nothing happened");
    assert_eq!(returns::sharpe(&[0.01; 9]), None, "every day alike");
    assert_eq!(returns::sortino(&[0.01, 0.0, 0.02]), None, "no day lost");
    assert_eq!(returns::deepest_fall(&[1.0, 1.0, 1.5]), None);
    assert_eq!(returns::cagr(&[-1.0]), Some(-1.0), "all is lost");
    assert_eq!([f64::NAN, f64::INFINITY, 1e30].map(told), [None; 3]);
    assert_eq!(told(0.123_456_78).unwrap().to_string(), "0.123457");
    assert_eq!(told(-0.0).unwrap().to_string(), "0");
}
