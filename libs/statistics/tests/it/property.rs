//! What holds of any figures.

use domain::{Decimal, Timestamp};
use proptest::prelude::*;
use statistics::{
    daily::Daily,
    returns,
    tally::{Closed, Tally},
    time::covered,
};
use std::time::Duration;

fn rows(equity: &[u32], scale: i64) -> Vec<statistics::daily::Row> {
    let mut daily = Daily::default();
    for (day, equity) in (0..).zip(equity) {
        let at = Timestamp::from_millis(day * 86_400_000);
        daily.see(at, Decimal::from(*equity) * Decimal::from(scale), Decimal::ZERO);
    }
    daily.rows()
}

fn near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
        (None, None) => true,
        _ => false,
    }
}

proptest! {
    #[test]
    fn ratios_do_not_depend_on_how_much_money_there_is(equity in prop::collection::vec(1u32..1_000_000, 2..200)) {
        let (small, large) = (returns::of(&rows(&equity, 1)), returns::of(&rows(&equity, 1_000)));
        for figure in [returns::total, returns::volatility, returns::sharpe, returns::sortino, returns::ulcer_index] {
            prop_assert!(near(figure(&small), figure(&large)));
        }
    }

    #[test]
    fn returns_multiply_up_to_the_change_of_equity(equity in prop::collection::vec(1u32..1_000_000, 2..200)) {
        let whole = f64::from(equity[equity.len() - 1]) / f64::from(equity[0]) - 1.0;
        prop_assert!(near(returns::total(&returns::of(&rows(&equity, 1))), Some(whole)));
    }

    #[test]
    fn falls_are_apart_and_the_deepest_is_the_largest_drawdown(values in prop::collection::vec(1u32..1_000, 1..100)) {
        let values: Vec<f64> = values.into_iter().map(f64::from).collect();
        let falls = returns::falls(&values);
        for fall in &falls {
            prop_assert!(fall.depth > 0.0 && fall.depth < 1.0);
            prop_assert!(fall.peak < fall.bottom && fall.recovered.is_none_or(|r| fall.bottom < r));
        }
        for pair in falls.windows(2) {
            prop_assert!(pair[0].recovered.is_some_and(|r| r <= pair[1].peak));
        }
        let largest = returns::drawdowns(&values).into_iter().fold(0.0, f64::max);
        let deepest = returns::deepest_fall(&values).map_or(0.0, |fall| fall.depth);
        prop_assert!((largest - deepest).abs() < 1e-12);
    }

    #[test]
    fn every_midnight_has_one_row(steps in prop::collection::vec(0u32..200_000, 1..60)) {
        let (mut daily, mut at) = (Daily::default(), Timestamp::from_millis(1_700_000_000_000));
        let first = at + Duration::from_secs(steps[0].into());
        for (n, step) in (0i64..).zip(&steps) {
            at = at + Duration::from_secs((*step).into());
            daily.see(at, Decimal::from(n), Decimal::ZERO);
        }
        let rows = daily.rows();
        prop_assert!(rows.windows(2).all(|pair| pair[0].day + 1 == pair[1].day));
        prop_assert!(rows.last().is_none_or(|row| row.midnight() <= at));
        let at_once = i64::from(first.micros() % 86_400_000_000 == 0);
        prop_assert_eq!(i64::try_from(rows.len()).unwrap(), at.day() - first.day() + at_once);
    }

    #[test]
    fn profit_is_gains_and_setbacks(profits in prop::collection::vec(-1_000i64..1_000, 0..60)) {
        let mut tally = Tally::default();
        for profit in &profits {
            let (profit, cost) = (Decimal::from(*profit), Decimal::ONE_HUNDRED);
            tally.add(&Closed { profit, cost, opened_at: Timestamp::ZERO, closed_at: Timestamp::ZERO });
        }
        prop_assert_eq!(tally.profit, Decimal::from(profits.iter().sum::<i64>()));
        prop_assert_eq!(tally.profit, tally.gains + tally.setbacks);
        prop_assert_eq!(tally.trades(), profits.len() as u64);
        prop_assert!(tally.longest_wins <= tally.wins && tally.longest_losses <= tally.losses);
    }

    #[test]
    fn no_more_time_is_covered_than_there_is(spans in prop::collection::vec((0i64..500, 0i64..100), 0..40)) {
        let at = |n: i64| Timestamp::from_millis(n * 1_000);
        let spans: Vec<_> = spans.into_iter().map(|(b, length)| (at(b), at(b + length))).collect();
        let second_by_second =
            (100..400).filter(|n| spans.iter().any(|(b, e)| *b <= at(*n) && at(*n) < *e)).count();
        prop_assert_eq!(covered(&spans, at(100), at(400)), Duration::from_secs(second_by_second as u64));
    }
}
