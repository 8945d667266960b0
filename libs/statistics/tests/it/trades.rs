//! Closed trades, time in the market, and buying and holding.

use domain::{Decimal, Timestamp};
use statistics::{
    hold::{Held, equal_parts},
    tally::{Closed, Tally},
    time::covered,
};
use std::time::Duration;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(hours * 3_600_000)
}

fn number(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn tally(trades: &[(&str, &str)]) -> Tally {
    let mut tally = Tally::default();
    for (profit, cost) in trades {
        let (profit, cost) = (number(profit), number(cost));
        tally.add(&Closed { profit, cost, opened_at: at(0), closed_at: at(36) });
    }
    tally
}

/// Source: numpy 2.4.6 over the same ten trades.
#[test]
fn ten_trades_are_what_numpy_makes_of_them() {
    let t = tally(&[
        ("12.5", "100"),
        ("-4.25", "100"),
        ("0", "50"),
        ("33.1", "200"),
        ("-8.75", "100"),
        ("-1.5", "80"),
        ("7.2", "100"),
        ("0.01", "10"),
        ("-20", "250"),
        ("15", "100"),
    ]);
    assert_eq!((t.trades(), t.wins, t.losses, t.even), (10, 5, 4, 1));
    assert_eq!(t.profit, number("33.31"));
    assert_eq!(t.win_ratio(), Some(number("0.5")));
    assert_eq!(t.profit_factor(), Some(number("1.965507")));
    assert_eq!(t.expectancy(), Some(number("3.331")));
    assert_eq!(t.expectancy_ratio(), Some(number("0.028475")));
    assert_eq!(t.payoff(), Some(number("1.572406")));
    assert_eq!(t.profit_ratio(), Some(number("0.03056")));
    assert_eq!((t.largest_gain, t.largest_setback), (number("33.1"), number("-20")));
    assert_eq!((t.longest_wins, t.longest_losses), (2, 2));
    assert_eq!(t.average_days_held(), Some(number("1.5")));
}

#[test]
fn what_no_trade_tells_is_none() {
    let none = tally(&[]);
    assert_eq!((none.win_ratio(), none.expectancy(), none.payoff()), (None, None, None));
    assert_eq!((none.profit_factor(), none.average_days_held()), (None, None));
    let won = tally(&[("1", "10"), ("2", "10")]);
    assert_eq!((won.profit_factor(), won.payoff()), (None, None), "nothing was lost");
    assert_eq!(won.expectancy_ratio(), Some(number("0.15")));
    assert_eq!(tally(&[("1", "0")]).expectancy_ratio(), None, "it cost nothing");
}

#[test]
fn time_is_counted_once_however_many_trades_are_open() {
    let spans = [(at(5), at(7)), (at(0), at(2)), (at(1), at(3)), (at(6), at(6)), (at(20), at(30))];
    let hours = |n: u64| Duration::from_secs(n * 3_600);
    assert_eq!(covered(&spans, at(0), at(24)), hours(3 + 2 + 4));
    assert_eq!(covered(&spans, at(2), at(6)), hours(1 + 1));
    assert_eq!(covered(&[], at(0), at(24)), Duration::ZERO);
}

#[test]
fn holding_begins_with_the_first_opening_and_in_cash_before_it() {
    let day = |n: i64| at(24 * n);
    let mut early = Held::new(day(0), number("100"));
    early.see(day(0), number("100"), day(1), number("110"));
    early.see(day(1), number("110"), day(2), number("150"));
    let mut late = Held::new(day(1), number("10"));
    // An hour of a day, then the day.
    late.see(day(1), number("10"), at(25), number("1"));
    late.see(day(1), number("10"), day(2), number("5"));
    assert!((early.total().unwrap() - 0.5).abs() < 1e-12);
    assert!((late.total().unwrap() + 0.5).abs() < 1e-12);
    let both = [early, late];
    let curve = equal_parts(both.iter(), &[0, 1, 2, 3]);
    let wanted = [1.0, 1.05, 1.0, 1.0];
    assert!(curve.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{curve:?}");
    assert_eq!(equal_parts([].iter(), &[0, 1]), [] as [f64; 0]);
}
