//! The book as it is published, others' levels and ours together, and what changed of it.
//!
//! Invariant: every level that changes counts the update id up by one; a diff that covers the updates from
//! its `first` to the id of its emission names every level that changed in them, as it stands then. So whoever
//! applies Binance's documented procedure has this book.

use super::units::units;
use domain::Side;
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::Book;

/// A side's levels, best first: prices and quantities in 10⁻⁸.
pub type Levels = Vec<(u64, u64)>;

#[derive(Debug, Default)]
pub struct Published {
    /// The id of the last change.
    pub update: u64,
    bids: BTreeMap<u64, u64>,
    asks: BTreeMap<u64, u64>,
    /// What of them is ours.
    own_bids: BTreeMap<u64, u64>,
    own_asks: BTreeMap<u64, u64>,
    /// What changed since the last diff was sent, at 100 ms and at 1 s; kept only where anybody listens.
    fast: Option<Change>,
    slow: Option<Change>,
    /// Updates up to which partial books have been sent, at 100 ms and at 1 s.
    pub sent: [u64; 2],
}

/// Levels that changed, by price, as they stand now; nothing means gone.
#[derive(Debug, Default, Clone)]
pub struct Change {
    /// The id of its first update.
    pub first: u64,
    pub bids: BTreeMap<u64, u64>,
    pub asks: BTreeMap<u64, u64>,
}

impl Published {
    /// Others have that much at a price now.
    pub fn set_others(&mut self, side: Side, price: u64, quantity: u64) {
        let own = self.own(side).get(&price).copied().unwrap_or(0);
        self.set(side, price, quantity.saturating_add(own));
    }

    /// Ours are these now.
    pub fn set_own(&mut self, own: &Book) {
        for side in [Side::Buy, Side::Sell] {
            let mut now = BTreeMap::new();
            for (price, quantity) in own.of(side) {
                let (Some(price), Some(quantity)) = (units(price.get()), units(quantity.get())) else {
                    continue;
                };
                *now.entry(price).or_insert(0_u64) += quantity;
            }
            let before = std::mem::replace(self.own_mut(side), now.clone());
            let prices: BTreeSet<u64> = before.keys().chain(now.keys()).copied().collect();
            for price in prices {
                let of = |own: &BTreeMap<u64, u64>| own.get(&price).copied().unwrap_or(0);
                let total = self.side(side).get(&price).copied().unwrap_or(0);
                self.set(side, price, total.saturating_sub(of(&before)).saturating_add(of(&now)));
            }
        }
    }

    fn set(&mut self, side: Side, price: u64, quantity: u64) {
        let levels = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let before = match quantity {
            0 => levels.remove(&price),
            _ => levels.insert(price, quantity),
        };
        if before.unwrap_or(0) == quantity {
            return;
        }
        self.update += 1;
        for change in [&mut self.fast, &mut self.slow].into_iter().flatten() {
            if change.bids.is_empty() && change.asks.is_empty() {
                change.first = self.update;
            }
            match side {
                Side::Buy => change.bids.insert(price, quantity),
                Side::Sell => change.asks.insert(price, quantity),
            };
        }
    }

    /// A side, the best price first.
    pub fn levels(&self, side: Side) -> Box<dyn Iterator<Item = (u64, u64)> + '_> {
        let levels = self.side(side).iter().map(|(price, quantity)| (*price, *quantity));
        match side {
            Side::Buy => Box::new(levels.rev()),
            Side::Sell => Box::new(levels),
        }
    }

    /// Bids and asks, so many of each.
    pub fn top(&self, most: usize) -> [impl Iterator<Item = (u64, u64)>; 2] {
        [Side::Buy, Side::Sell].map(|side| self.levels(side).take(most))
    }

    /// The best bid and ask, zeros where there is none.
    pub fn best(&self) -> ((u64, u64), (u64, u64)) {
        let best = |side| self.levels(side).next().unwrap_or_default();
        (best(Side::Buy), best(Side::Sell))
    }

    /// The best price of ours, with all that is ours there.
    pub fn best_own(&self, side: Side) -> Option<(u64, u64)> {
        let own = self.own(side);
        let best = match side {
            Side::Buy => own.last_key_value(),
            Side::Sell => own.first_key_value(),
        };
        best.map(|(price, quantity)| (*price, *quantity))
    }

    /// Keeps, from now on, what changes; or no longer.
    pub fn listen(&mut self, fast: bool, slow: bool) {
        for (log, wanted) in [(&mut self.fast, fast), (&mut self.slow, slow)] {
            match (wanted, &log) {
                (true, None) => *log = Some(Change::default()),
                (false, Some(_)) => *log = None,
                (true, Some(_)) | (false, None) => {}
            }
        }
    }

    /// What changed since this was last asked, if anything did.
    pub fn take(&mut self, fast: bool) -> Option<Change> {
        let log = if fast { &mut self.fast } else { &mut self.slow };
        let change = log.as_mut()?;
        (!change.bids.is_empty() || !change.asks.is_empty()).then(|| std::mem::take(change))
    }

    fn side(&self, side: Side) -> &BTreeMap<u64, u64> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn own(&self, side: Side) -> &BTreeMap<u64, u64> {
        match side {
            Side::Buy => &self.own_bids,
            Side::Sell => &self.own_asks,
        }
    }

    fn own_mut(&mut self, side: Side) -> &mut BTreeMap<u64, u64> {
        match side {
            Side::Buy => &mut self.own_bids,
            Side::Sell => &mut self.own_asks,
        }
    }
}
