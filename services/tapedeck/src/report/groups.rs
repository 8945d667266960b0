//! Closed trades by what they have in common, and returns by month and year.

use crate::figures::tidy;
use domain::{Decimal, EdgeName, Instrument, Timestamp};
use events::{ExitReason, TradeClosed};
use serde::Serialize;
use statistics::{
    daily::Row,
    hold::Held,
    tally::{Closed, Tally},
    told,
};
use std::collections::BTreeMap;

/// Closed trades that have something in common. Money in the quote asset, ratios as parts of one.
#[derive(Debug, Serialize)]
pub struct Group {
    /// The instrument, the edge, or the name of the reason.
    pub name: String,
    /// The same for people.
    #[serde(skip)]
    pub words: String,
    pub trades: u64,
    pub wins: u64,
    pub win_ratio: Option<Decimal>,
    pub profit: Decimal,
    /// Profit over cost.
    pub profit_ratio: Option<Decimal>,
    pub profit_factor: Option<Decimal>,
    pub payoff: Option<Decimal>,
    pub expectancy: Option<Decimal>,
    pub average_days_held: Option<Decimal>,
    /// Of instruments: buying at the first price and holding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_ratio: Option<Decimal>,
}

/// A month or a year, UTC.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Period {
    /// `2024-01` or `2024`.
    pub name: String,
    /// Of the equity, from the daily rows.
    pub return_ratio: Option<Decimal>,
    /// Trades closed in it, and what they brought.
    pub trades: u64,
    pub wins: u64,
    pub profit: Decimal,
}

#[derive(Default)]
pub struct Groups {
    instruments: BTreeMap<Instrument, Tally>,
    edges: BTreeMap<EdgeName, Tally>,
    /// By the reason's name.
    reasons: BTreeMap<&'static str, (ExitReason, Tally)>,
    months: BTreeMap<String, Tally>,
}

impl Groups {
    pub fn add(&mut self, e: &TradeClosed, closed: &Closed) {
        self.instruments.entry(e.instrument).or_default().add(closed);
        self.edges.entry(e.edge).or_default().add(closed);
        let (_, tally) = self.reasons.entry(e.reason.name()).or_insert((e.reason, Tally::default()));
        tally.add(closed);
        self.months.entry(month(e.closed_at)).or_default().add(closed);
    }

    /// Also those that were heard and never traded: they could have been held.
    pub fn by_instrument(&self, held: &BTreeMap<Instrument, Held>) -> Vec<Group> {
        let all = held.keys().chain(self.instruments.keys()).collect::<std::collections::BTreeSet<_>>();
        let none = Tally::default();
        let one = |instrument: &Instrument| {
            let tally = self.instruments.get(instrument).unwrap_or(&none);
            let hold_ratio = held.get(instrument).and_then(Held::total).and_then(told);
            Group { hold_ratio, ..Group::of(instrument.symbol.to_string(), tally) }
        };
        all.into_iter().map(one).collect()
    }

    pub fn by_edge(&self) -> Vec<Group> {
        self.edges.iter().map(|(edge, tally)| Group::of(edge.to_string(), tally)).collect()
    }

    pub fn by_reason(&self) -> Vec<Group> {
        let one = |(reason, tally): &(ExitReason, Tally)| Group {
            words: reason.words().to_owned(),
            ..Group::of(reason.name().to_owned(), tally)
        };
        self.reasons.values().map(one).collect()
    }

    pub fn by_month(&self, days: &[Row], returns: &[f64]) -> Vec<Period> {
        self.periods(days, returns, 7)
    }

    pub fn by_year(&self, days: &[Row], returns: &[f64]) -> Vec<Period> {
        self.periods(days, returns, 4)
    }

    /// By the first characters of the date. A return belongs to the day that ended with its row.
    fn periods(&self, days: &[Row], returns: &[f64], length: usize) -> Vec<Period> {
        let mut grown: BTreeMap<String, f64> = BTreeMap::new();
        for (row, r) in days.windows(2).map(|pair| &pair[0]).zip(returns) {
            *grown.entry(prefix(row.midnight(), length)).or_insert(1.0) *= 1.0 + r;
        }
        let mut periods: BTreeMap<String, Period> = BTreeMap::new();
        for (name, grown) in grown {
            let period = periods.entry(name).or_default();
            period.return_ratio = told(grown - 1.0);
        }
        for (month, tally) in &self.months {
            let period = periods.entry(month[..length].to_owned()).or_default();
            period.trades += tally.trades();
            period.wins += tally.wins;
            period.profit += tally.profit;
        }
        let told = |(name, period): (String, Period)| Period { name, profit: tidy(period.profit), ..period };
        periods.into_iter().map(told).collect()
    }
}

impl Group {
    fn of(name: String, t: &Tally) -> Self {
        Self {
            words: name.clone(),
            name,
            trades: t.trades(),
            wins: t.wins,
            win_ratio: t.win_ratio(),
            profit: tidy(t.profit),
            profit_ratio: t.profit_ratio(),
            profit_factor: t.profit_factor(),
            payoff: t.payoff(),
            expectancy: t.expectancy().map(tidy),
            average_days_held: t.average_days_held(),
            hold_ratio: None,
        }
    }
}

fn month(at: Timestamp) -> String {
    prefix(at, 7)
}

/// `2024-01` of a time, or `2024`.
fn prefix(at: Timestamp, length: usize) -> String {
    at.minute().chars().take(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each month's profit is told with eight decimals; what is cut off counts in the year.
    #[test]
    fn a_year_is_the_sum_of_exact_months() {
        let mut groups = Groups::default();
        for month in ["2024-01", "2024-02", "2024-03"] {
            let closed_at: Timestamp = format!("{month}-01").parse().unwrap();
            let profit = "0.123456784".parse().unwrap();
            let closed = Closed { profit, cost: Decimal::ONE, opened_at: closed_at, closed_at };
            groups.months.entry(super::month(closed_at)).or_default().add(&closed);
        }
        let told = |periods: Vec<Period>| periods.iter().map(|p| p.profit.to_string()).collect::<Vec<_>>();
        assert_eq!(told(groups.by_month(&[], &[])), ["0.12345678"; 3]);
        assert_eq!(told(groups.by_year(&[], &[])), ["0.37037035"]);
    }
}
