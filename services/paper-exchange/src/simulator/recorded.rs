//! What others had on the book, as it was recorded.
//!
//! Diffs come some time after what they tell. A trade says at once that nobody is left at better prices on its
//! maker's side, or beyond it on the other; what it took is gone, too. The next diff has the last word.
//!
//! Invariant: the book is neither crossed nor locked. Where messages are missing from a recording, levels that are
//! long gone would stand in it; the later message is believed, and what it reaches is gone. Of a message that
//! crosses itself the bids are believed.

use super::tape::Said;
use domain::Side;
use std::collections::{BTreeMap, BTreeSet};

/// Diffs that are kept until a snapshot comes; without one, the book begins empty.
const MOST_WAITING: usize = 1_000;

#[derive(Debug, Default)]
pub struct Recorded {
    bids: BTreeMap<u64, u64>,
    asks: BTreeMap<u64, u64>,
    /// What trades have taken since the last diff, by whether it is a bid and price.
    eaten: BTreeMap<(bool, u64), u64>,
    /// The last update that was applied; nothing before the snapshot.
    last: Option<u64>,
    waiting: Vec<Said>,
}

impl Recorded {
    /// Takes in a message; the levels that it changes.
    pub fn hear(&mut self, said: Said) -> BTreeSet<(bool, u64)> {
        match said {
            Said::Trade { price, quantity, taker_buys, .. } => self.trade(price, quantity, taker_buys),
            Said::Silence => self.forget_eaten(),
            Said::Snapshot { last, bids, asks } => {
                if self.last.is_some() {
                    // Diffs go on without it.
                    return BTreeSet::new();
                }
                let mut changed = self.forget_eaten();
                self.last = Some(last);
                changed.extend(self.set(&bids, &asks));
                for waiting in std::mem::take(&mut self.waiting) {
                    changed.extend(self.hear(waiting));
                }
                changed
            }
            Said::Diff { last, ref bids, ref asks } => match self.last {
                None if self.waiting.len() < MOST_WAITING => {
                    self.waiting.push(said);
                    BTreeSet::new()
                }
                None => {
                    self.last = Some(0);
                    let mut changed = BTreeSet::new();
                    for waiting in std::mem::take(&mut self.waiting).into_iter().chain([said]) {
                        changed.extend(self.hear(waiting));
                    }
                    changed
                }
                Some(known) if last <= known => BTreeSet::new(),
                Some(_) => {
                    self.last = Some(last);
                    let mut changed = self.forget_eaten();
                    changed.extend(self.set(bids, asks));
                    changed
                }
            },
        }
    }

    fn set(&mut self, bids: &[(u64, u64)], asks: &[(u64, u64)]) -> BTreeSet<(bool, u64)> {
        let mut changed = BTreeSet::new();
        for (bid, levels, side) in [(true, bids, &mut self.bids), (false, asks, &mut self.asks)] {
            for &(price, quantity) in levels {
                if quantity == 0 {
                    side.remove(&price);
                } else {
                    side.insert(price, quantity);
                }
                changed.insert((bid, price));
            }
        }
        self.believe_newest(bids, asks, &mut changed);
        changed
    }

    /// What has just been told stands; what of the other side it reaches does not.
    fn believe_newest(
        &mut self,
        bids: &[(u64, u64)],
        asks: &[(u64, u64)],
        changed: &mut BTreeSet<(bool, u64)>,
    ) {
        let stands = |level: &&(u64, u64)| level.1 > 0;
        if let Some(bid) = bids.iter().filter(stands).map(|level| level.0).max() {
            while let Some(ask) = self.asks.first_entry().filter(|ask| *ask.key() <= bid) {
                changed.insert((false, ask.remove_entry().0));
            }
        }
        let told = asks.iter().filter(stands).map(|level| level.0);
        if let Some(ask) = told.filter(|price| self.asks.contains_key(price)).min() {
            while let Some(bid) = self.bids.last_entry().filter(|bid| *bid.key() >= ask) {
                changed.insert((true, bid.remove_entry().0));
            }
        }
    }

    fn trade(&mut self, price: u64, quantity: u64, taker_buys: bool) -> BTreeSet<(bool, u64)> {
        // Where the taker bought, whoever sold at `price` has met no bid as high, nor has an ask below been left.
        let bids_from = if taker_buys { price } else { price.saturating_add(1) };
        let asks_until = if taker_buys { price } else { price.saturating_add(1) };
        let gone = self.bids.range(bids_from..).map(|(price, left)| ((true, *price), *left));
        let mut eaten: Vec<((bool, u64), u64)> = gone.collect();
        eaten.extend(self.asks.range(..asks_until).map(|(price, left)| ((false, *price), *left)));
        let key = (!taker_buys, price);
        let there = if taker_buys { self.asks.get(&price) } else { self.bids.get(&price) };
        if let Some(there) = there.copied() {
            let before = self.eaten.get(&key).copied().unwrap_or(0);
            eaten.push((key, before.saturating_add(quantity).min(there)));
        }
        let changed = eaten.iter().map(|(key, _)| *key).collect();
        self.eaten.extend(eaten);
        changed
    }

    fn forget_eaten(&mut self) -> BTreeSet<(bool, u64)> {
        std::mem::take(&mut self.eaten).into_keys().collect()
    }

    pub fn at(&self, side: Side, price: u64) -> u64 {
        let (bid, levels) = match side {
            Side::Buy => (true, &self.bids),
            Side::Sell => (false, &self.asks),
        };
        let there = levels.get(&price).copied().unwrap_or(0);
        there.saturating_sub(self.eaten.get(&(bid, price)).copied().unwrap_or(0))
    }

    /// A side, the best price first.
    pub fn now(&self, side: Side) -> Box<dyn Iterator<Item = (u64, u64)> + '_> {
        let bid = side == Side::Buy;
        let left = move |(price, there): (&u64, &u64)| {
            let left = there.saturating_sub(self.eaten.get(&(bid, *price)).copied().unwrap_or(0));
            (left > 0).then_some((*price, left))
        };
        match side {
            Side::Buy => Box::new(self.bids.iter().rev().filter_map(left)),
            Side::Sell => Box::new(self.asks.iter().filter_map(left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(last: u64, bids: &[(u64, u64)], asks: &[(u64, u64)]) -> Said {
        Said::Diff { last, bids: bids.to_vec(), asks: asks.to_vec() }
    }

    fn sides(book: &Recorded) -> [Vec<(u64, u64)>; 2] {
        [Side::Buy, Side::Sell].map(|side| book.now(side).collect())
    }

    #[test]
    fn a_recording_with_messages_missing_makes_no_crossed_book() {
        let mut book = Recorded::default();
        book.hear(Said::Snapshot { last: 1, bids: vec![(99, 1), (98, 1)], asks: vec![(100, 2), (101, 3)] });
        // That the asks have gone is missing.
        let changed = book.hear(diff(7, &[(100, 5)], &[]));
        assert_eq!(changed, [(true, 100), (false, 100)].into());
        assert_eq!(sides(&book), [vec![(100, 5), (99, 1), (98, 1)], vec![(101, 3)]]);
        // That the bids have.
        book.hear(diff(9, &[(97, 4)], &[(99, 1), (100, 0)]));
        assert_eq!(sides(&book), [vec![(98, 1), (97, 4)], vec![(99, 1), (101, 3)]]);
        // It contradicts itself.
        book.hear(diff(11, &[(100, 1)], &[(100, 2), (99, 5), (102, 6)]));
        assert_eq!(sides(&book), [vec![(100, 1), (98, 1), (97, 4)], vec![(101, 3), (102, 6)]]);
    }
}
