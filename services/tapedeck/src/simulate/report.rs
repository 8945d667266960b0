//! What a run met and did.

use crate::figures::count;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// What one run met and did, or many.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub events: u64,
    /// Trades that were entered.
    pub trades: u64,
    /// Orders that a venue accepted.
    pub orders: u64,
    pub fills: u64,
    /// What failed, by kind.
    pub faults: Tally,
    /// The accepted orders, by what they were for; and lists of two.
    pub kinds: Tally,
    /// The events on the tape, by kind.
    pub tape: Tally,
}

/// How often each of several things happened.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    pub fn add(&mut self, what: &'static str, times: u64) {
        *self.0.entry(what).or_default() += times;
    }

    #[cfg(test)]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.trades += other.trades;
        self.orders += other.orders;
        self.fills += other.fills;
        for (sum, more) in [
            (&mut self.faults, &other.faults),
            (&mut self.kinds, &other.kinds),
            (&mut self.tape, &other.tape),
        ] {
            more.0.iter().for_each(|(what, times)| sum.add(what, *times));
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, trades, orders, fills, faults, kinds, tape } = self;
        let figures = [(*events, "event"), (*trades, "trade"), (*orders, "order"), (*fills, "fill")];
        write!(f, "{}", figures.map(|(n, what)| count(n, what)).join(", "))?;
        for (title, tally) in [("faults", faults), ("orders", kinds), ("events", tape)] {
            write!(f, "\n{title}:")?;
            for (what, times) in &tally.0 {
                write!(f, "\n{times:>12}  {what}")?;
            }
        }
        Ok(())
    }
}
