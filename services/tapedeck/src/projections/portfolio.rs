//! What accounts are worth.

use super::Projection;
use crate::figures::{as_tidy, as_tidy_option, tidy};
use domain::{Account, Asset, Decimal, Timestamp};
use events::{Event, Kind, PortfolioEvent, PortfolioValued, Recorded};
use serde::Serialize;
use std::collections::BTreeMap;

/// One valuation without its holdings, as in `equity.csv`.
#[derive(Debug, Clone, Serialize)]
pub struct Valuation {
    pub at: Timestamp,
    pub account: Account,
    pub quote: Asset,
    #[serde(serialize_with = "as_tidy")]
    pub equity: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub cash: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub exposure: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub peak: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub drawdown: Decimal,
}

impl Valuation {
    /// The columns of `equity.csv`, too.
    pub const COLUMNS: [&'static str; 9] =
        ["at", "venue", "account", "quote", "equity", "cash", "exposure", "peak", "drawdown"];

    pub fn of(at: Timestamp, v: &PortfolioValued) -> Self {
        let (account, quote) = (v.account, v.quote);
        let (equity, cash, exposure) = (v.equity, v.cash, v.exposure);
        Self { at, account, quote, equity, cash, exposure, peak: v.peak, drawdown: v.drawdown }
    }

    /// One cell a column of [`Self::COLUMNS`].
    pub fn cells(&self) -> [String; 9] {
        let figures = [self.equity, self.cash, self.exposure, self.peak, self.drawdown];
        let [equity, cash, exposure, peak, drawdown] = figures.map(|d| tidy(d).to_string());
        let (venue, name) = (self.account.venue.to_string(), self.account.name.to_string());
        [self.at.to_string(), venue, name, self.quote.to_string(), equity, cash, exposure, peak, drawdown]
    }
}

/// The last valuation of an account, with what it holds.
#[derive(Debug, Clone, Serialize)]
pub struct Worth {
    #[serde(flatten)]
    pub valuation: Valuation,
    pub holdings: Vec<Holding>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Holding {
    pub asset: Asset,
    #[serde(serialize_with = "as_tidy")]
    pub quantity: Decimal,
    #[serde(serialize_with = "as_tidy_option")]
    pub price: Option<Decimal>,
    #[serde(serialize_with = "as_tidy")]
    pub value: Decimal,
}

/// The last valuation of each account.
#[derive(Debug, Clone, Default)]
pub struct Portfolio(pub BTreeMap<Account, Worth>);

impl Projection for Portfolio {
    const KINDS: &'static [Kind] = &[Kind::PortfolioValued];

    fn see(&mut self, event: &Recorded) {
        let Event::Portfolio(PortfolioEvent::Valued(valued)) = &event.event else { return };
        let holding = |h: &events::Holding| Holding {
            asset: h.asset,
            quantity: h.quantity,
            price: h.price,
            value: h.value,
        };
        let valuation = Valuation::of(event.recorded_at, valued);
        let holdings = valued.holdings.iter().map(holding).collect();
        self.0.insert(valued.account, Worth { valuation, holdings });
    }
}

/// Every valuation.
#[derive(Debug, Default)]
pub struct Valuations(pub Vec<Valuation>);

impl Projection for Valuations {
    const KINDS: &'static [Kind] = Portfolio::KINDS;

    fn see(&mut self, event: &Recorded) {
        let Event::Portfolio(PortfolioEvent::Valued(valued)) = &event.event else { return };
        self.0.push(Valuation::of(event.recorded_at, valued));
    }
}
