//! Valuations, whenever they were made, into one row a day.

use domain::{Decimal, Timestamp};
use std::time::Duration;

/// A clock on the wall strikes midnight a little late: a valuation in the first minute of a day is that of
/// its beginning, unless there is one of midnight itself.
const LATE: Duration = Duration::from_secs(60);

const DAY_MICROS: i64 = 86_400_000_000;

/// The equity at one midnight UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// That midnight as days since 1970-01-01: the beginning of this day.
    pub day: i64,
    pub equity: Decimal,
    /// The part of the equity that is not cash.
    pub exposure: Decimal,
    /// Paid in (negative: out) since the row before, at the prices of this one.
    pub flow: Decimal,
}

impl Row {
    pub fn midnight(&self) -> Timestamp {
        Timestamp::from_micros(self.day * DAY_MICROS)
    }
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Timestamp,
    equity: Decimal,
    exposure: Decimal,
}

/// Takes valuations in the order of time.
#[derive(Debug, Clone, Default)]
pub struct Daily {
    rows: Vec<Row>,
    last: Option<Seen>,
    /// In the last valuation, and not yet in any row.
    flow: Decimal,
    /// In the next valuation.
    coming: Decimal,
}

impl Daily {
    pub fn see(&mut self, at: Timestamp, equity: Decimal, exposure: Decimal) {
        let seen = Seen { at, equity, exposure };
        while let Some(last) = self.last
            && let Some(day) = self.next_day(last)
            && day * DAY_MICROS < at.micros()
        {
            let midnight = Timestamp::from_micros(day * DAY_MICROS);
            let late = last.at < midnight && at <= midnight + LATE;
            if late {
                self.flow = self.flow.saturating_add(std::mem::take(&mut self.coming));
            }
            self.push(day, if late { seen } else { last });
        }
        self.flow = self.flow.saturating_add(std::mem::take(&mut self.coming));
        self.last = Some(seen);
    }

    /// Takes what was paid in (negative: out), in the quote asset, before the valuation that shows it.
    /// What was there before the first valuation is what it begins with.
    pub fn flow(&mut self, amount: Decimal) {
        if self.last.is_some() {
            self.coming = self.coming.saturating_add(amount);
        }
    }

    /// A row for every midnight from the first valuation to the last one. Where nothing was valued, the
    /// value before holds.
    pub fn rows(&self) -> Vec<Row> {
        let mut whole = self.clone();
        if let Some(last) = self.last
            && let Some(day) = self.next_day(last)
            && day * DAY_MICROS <= last.at.micros()
        {
            whole.push(day, last);
        }
        whole.rows
    }

    /// The first midnight that has no row yet.
    fn next_day(&self, last: Seen) -> Option<i64> {
        match self.rows.last() {
            Some(row) => row.day.checked_add(1),
            None => {
                Some(last.at.micros().div_euclid(DAY_MICROS) + i64::from(last.at.micros() % DAY_MICROS != 0))
            }
        }
    }

    fn push(&mut self, day: i64, seen: Seen) {
        let flow = if self.rows.is_empty() { Decimal::ZERO } else { self.flow };
        self.flow = Decimal::ZERO;
        self.rows.push(Row { day, equity: seen.equity, exposure: seen.exposure, flow });
    }
}
