//! The last price of every instrument, and what an asset is worth by them.

use crate::{Asset, Decimal, Instrument, InstrumentKind, InstrumentRules, Price, Timestamp, Venue};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Prices {
    /// In the instruments' order.
    last: Vec<Last>,
    /// Where the next price probably belongs: feeds go through the instruments by turns.
    /// It saves time and decides nothing, so a snapshot does without it.
    #[serde(skip)]
    next: usize,
    /// Every spot market from both sides: at that venue, of the first asset, in the second.
    markets: BTreeMap<Venue, BTreeMap<Asset, BTreeMap<Asset, Market>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    instrument: Instrument,
    price: Price,
    at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Market {
    instrument: Instrument,
    /// Whether its price is of the second asset in the first.
    inverse: bool,
}

impl Prices {
    /// A candle has closed. The latest price counts, whatever it is the close of; of two closes at the
    /// same time the later said.
    pub fn close(&mut self, instrument: Instrument, price: Price, at: Timestamp) {
        self.see(Last { instrument, price, at }, |known| known <= at);
    }

    /// A price within a candle. A close at that very instant counts before it, so that a value at an
    /// instant follows from the closes there.
    pub fn quote(&mut self, instrument: Instrument, price: Price, at: Timestamp) {
        self.see(Last { instrument, price, at }, |known| known < at);
    }

    fn see(&mut self, seen: Last, replaces: impl Fn(Timestamp) -> bool) {
        let instrument = seen.instrument;
        let place = match self.last.get(self.next) {
            Some(guess) if guess.instrument == instrument => Ok(self.next),
            Some(_) | None => self.find(&instrument),
        };
        match place {
            Ok(at) if replaces(self.last[at].at) => self.last[at] = seen,
            Ok(_) => {}
            Err(at) => self.last.insert(at, seen),
        }
        let (Ok(at) | Err(at)) = place;
        self.next = if at + 1 < self.last.len() { at + 1 } else { 0 };
    }

    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        match instrument.kind {
            InstrumentKind::Spot => {}
            // A perpetual's price is not that of its asset.
            InstrumentKind::LinearPerpetual => return,
        }
        let markets = self.markets.entry(instrument.venue).or_default();
        let direct = Market { instrument, inverse: false };
        markets.entry(rules.base).or_default().insert(rules.quote, direct);
        markets.entry(rules.quote).or_default().insert(rules.base, Market { inverse: true, ..direct });
    }

    /// What a unit of `asset` is worth in `quote` at `venue`: by their own market, else through one
    /// asset between them (the first by name for which both prices are known).
    pub fn worth(&self, venue: Venue, asset: Asset, quote: Asset) -> Option<Decimal> {
        if asset == quote {
            return Some(Decimal::ONE);
        }
        let markets = self.markets.get(&venue)?.get(&asset)?;
        let direct = markets.get(&quote).and_then(|market| self.price(market));
        direct.or_else(|| {
            markets.iter().find_map(|(between, market)| {
                let rest = self.markets.get(&venue)?.get(between)?.get(&quote)?;
                self.price(market)?.checked_mul(self.price(rest)?)
            })
        })
    }

    /// The last price of an instrument.
    pub fn last(&self, instrument: &Instrument) -> Option<Price> {
        self.find(instrument).ok().map(|at| self.last[at].price)
    }

    fn price(&self, market: &Market) -> Option<Decimal> {
        let price = self.last[self.find(&market.instrument).ok()?].price.get();
        if market.inverse { Decimal::ONE.checked_div(price) } else { Some(price) }
    }

    fn find(&self, instrument: &Instrument) -> Result<usize, usize> {
        self.last.binary_search_by(|last| last.instrument.cmp(instrument))
    }
}
