//! What buying and holding would have brought: each instrument once, at its first price, without fees.

use crate::float;
use domain::{Decimal, Timestamp};

const DAY_MICROS: i64 = 86_400_000_000;

/// The prices of one instrument, by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    first: (Timestamp, Decimal),
    last: (Timestamp, Decimal),
    /// By the midnight at or behind each close: days since 1970-01-01, ascending.
    days: Vec<(i64, Decimal)>,
}

impl Held {
    /// Bought at the opening of a candle.
    pub fn new(at: Timestamp, open: Decimal) -> Self {
        Self { first: (at, open), last: (at, open), days: Vec::new() }
    }

    /// Takes candles in any order of their series: what opened first is what was bought, and of each day
    /// the latest close counts.
    pub fn see(&mut self, opened: Timestamp, open: Decimal, closed: Timestamp, close: Decimal) {
        if opened < self.first.0 {
            self.first = (opened, open);
        }
        if closed < self.last.0 {
            return;
        }
        self.last = (closed, close);
        let day = closed.micros().div_euclid(DAY_MICROS) + i64::from(closed.micros() % DAY_MICROS != 0);
        match self.days.last_mut() {
            Some(last) if last.0 == day => last.1 = close,
            Some(_) | None => self.days.push((day, close)),
        }
    }

    /// `last close / first open − 1`. `None` where the first price is 0.
    pub fn total(&self) -> Option<f64> {
        self.last.1.checked_div(self.first.1).map(|grown| float(grown) - 1.0)
    }

    /// What one unit of money is at the midnight of `day`: 1 before it was bought.
    fn at(&self, day: i64) -> f64 {
        if day * DAY_MICROS <= self.first.0.micros() {
            return 1.0;
        }
        let found = self.days.partition_point(|(d, _)| *d <= day);
        let price = found.checked_sub(1).and_then(|at| self.days.get(at)).map_or(self.first.1, |(_, p)| *p);
        price.checked_div(self.first.1).map_or(1.0, float)
    }
}

/// As much money in each, never moved between them: what one unit of money is at the midnights of these
/// days. What an instrument has not begun with lies in cash. Empty without an instrument.
pub fn equal_parts<'h>(held: impl Iterator<Item = &'h Held> + Clone, days: &[i64]) -> Vec<f64> {
    let count = held.clone().count();
    if count == 0 {
        return Vec::new();
    }
    days.iter().map(|&day| held.clone().map(|h| h.at(day)).sum::<f64>() / count as f64).collect()
}
