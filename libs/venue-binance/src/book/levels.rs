//! One side of a book: prices as integer ticks in a sorted vector, the best at its end, since that is where
//! nearly all changes are.
//!
//! Four changes of five put a level in or take one out, so those of one frame are gathered and the part of
//! the vector behind the deepest of them is put together anew, once.

use crate::market::{Fixed, Level};

/// Bids if `BIDS`, else asks.
#[derive(Debug, Default, Clone)]
pub struct Levels<const BIDS: bool> {
    /// Ascending from the worst to the best; no quantity is nothing.
    kept: Vec<Entry>,
    /// Levels to put in before a place, or to take out at it (nothing at them); from the best to the worst.
    pending: Vec<(usize, Entry)>,
    /// The part that is put together anew, as it was.
    behind: Vec<Entry>,
}

/// Price and quantity in units of 10⁻⁸; prices of asks as their complement, so that the best is the highest.
type Entry = (u64, u64);

impl<const BIDS: bool> Levels<BIDS> {
    /// Takes over what changed. Fastest from the best to the worst, the order in which Binance sends it.
    pub fn set(&mut self, levels: &[Level]) {
        // Everything at and behind it ranks better than the last one that was set.
        let mut end = self.kept.len();
        let mut last = u64::MAX;
        for level in levels {
            let rank = Self::rank(level.price);
            if rank >= last {
                self.settle();
                end = self.kept.len();
            }
            last = rank;
            end = self.find(rank, end);
            match (level.quantity.0, self.kept.get_mut(end).filter(|known| known.0 == rank)) {
                (0, None) => {}
                (quantity @ 1.., Some(known)) => known.1 = quantity,
                (quantity, _) => self.pending.push((end, (rank, quantity))),
            }
        }
        self.settle();
    }

    /// Puts in and takes out what is pending.
    fn settle(&mut self) {
        let Some(&(deepest, _)) = self.pending.last() else { return };
        self.behind.clear();
        self.behind.extend_from_slice(&self.kept[deepest..]);
        self.kept.truncate(deepest);
        let mut from = 0;
        for (at, entry) in self.pending.drain(..).rev() {
            let to = at - deepest;
            self.kept.extend_from_slice(&self.behind[from..to]);
            from = to;
            if entry.1 == 0 {
                from += 1;
            } else {
                self.kept.push(entry);
            }
        }
        self.kept.extend_from_slice(&self.behind[from..]);
    }

    /// The first place whose rank is not below `rank`, which is known not to lie behind `end`.
    fn find(&self, rank: u64, end: usize) -> usize {
        let (mut high, mut step) = (end, 1);
        // Strides that double, since it is near as a rule; then halving within the last of them.
        let low = loop {
            let Some(probe) = high.checked_sub(step) else { break 0 };
            if self.kept[probe].0 < rank {
                break probe + 1;
            }
            high = probe;
            step *= 2;
        };
        low + self.kept[low..high].partition_point(|known| known.0 < rank)
    }

    pub fn best(&self) -> Option<Level> {
        self.iter().next()
    }

    /// From the best to the worst.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Level> {
        let level = |&(rank, quantity): &Entry| Level { price: Self::price(rank), quantity: Fixed(quantity) };
        self.kept.iter().rev().map(level)
    }

    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    fn rank(price: Fixed) -> u64 {
        if BIDS { price.0 } else { !price.0 }
    }

    fn price(rank: u64) -> Fixed {
        Fixed(if BIDS { rank } else { !rank })
    }
}
