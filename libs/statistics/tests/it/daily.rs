//! Valuations into days.

use domain::{Decimal, Timestamp};
use statistics::{daily::Daily, returns};

fn rows(valuations: &[(&str, i64)]) -> Vec<String> {
    let mut daily = Daily::default();
    for (at, equity) in valuations {
        daily.see(at.parse().unwrap(), Decimal::from(*equity), Decimal::ZERO);
    }
    daily.rows().iter().map(|row| format!("{} {}", &row.midnight().to_string()[..10], row.equity)).collect()
}

#[test]
fn the_last_valuation_of_midnight_itself_counts() {
    let found = rows(&[
        ("2024-01-01T00:00:00Z", 100),
        ("2024-01-02T00:00:00Z", 90),
        ("2024-01-02T00:00:00Z", 101),
        ("2024-01-02T00:00:30Z", 70),
        ("2024-01-03T00:00:00Z", 102),
    ]);
    assert_eq!(found, ["2024-01-01 100", "2024-01-02 101", "2024-01-03 102"]);
}

#[test]
fn a_wall_clock_may_strike_midnight_a_little_late() {
    let found = rows(&[
        ("2024-01-01T00:00:00.250Z", 100),
        ("2024-01-01T18:00:00Z", 50),
        ("2024-01-02T00:00:00.250Z", 101),
        ("2024-01-02T00:00:10Z", 40),
        ("2024-01-02T23:59:00Z", 102),
        ("2024-01-03T00:02:00Z", 103),
    ]);
    assert_eq!(found, ["2024-01-02 101", "2024-01-03 102"]);
}

#[test]
fn a_day_without_a_valuation_keeps_the_value_before() {
    let found = rows(&[("2024-01-01T00:00:00Z", 100), ("2024-01-03T12:00:00Z", 103)]);
    assert_eq!(found, ["2024-01-01 100", "2024-01-02 100", "2024-01-03 100"]);
    assert_eq!(rows(&[]), [] as [&str; 0]);
    assert_eq!(rows(&[("2024-01-01T12:00:00Z", 100)]), [] as [&str; 0]);
}

/// What is paid in is no profit, and what is paid out no loss.
#[test]
fn deposits_and_withdrawals_return_nothing() {
    let mut daily = Daily::default();
    let mut see = |day: i64, equity: i64, flow: i64| {
        daily.flow(Decimal::from(flow));
        daily.see(Timestamp::from_millis(day * 86_400_000), Decimal::from(equity), Decimal::ZERO);
    };
    see(0, 1_000, 1_000);
    see(1, 1_100, 0);
    see(2, 6_100, 5_000);
    see(3, 3_100, -3_000);
    let returned = returns::of(&daily.rows());
    assert_eq!(returned.len(), 3);
    assert!((returned[0] - 0.1).abs() < 1e-12 && returned[1] == 0.0 && returned[2] == 0.0, "{returned:?}");
}
