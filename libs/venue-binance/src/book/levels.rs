//! One side of a book: prices as integer ticks in a sorted vector, the best at its end, since that is where
//! nearly all changes are.

use crate::market::{Fixed, Level};

/// Bids if `BIDS`, else asks.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Levels<const BIDS: bool> {
    /// Ascending from the worst to the best; prices of asks are kept as their complement.
    ranks: Vec<u64>,
    /// How much there is at each, in units of 10⁻⁸.
    quantities: Vec<u64>,
}

impl<const BIDS: bool> Levels<BIDS> {
    /// Takes over what changed. Fastest from the best to the worst, the order in which Binance sends it.
    pub fn set(&mut self, levels: &[Level]) {
        // Everything at and behind it ranks better than the last one that was set.
        let mut end = self.ranks.len();
        let mut last = u64::MAX;
        for level in levels {
            let rank = Self::rank(level.price);
            if rank > last {
                end = self.ranks.len();
            }
            last = rank;
            let at = self.find(rank, end);
            let known = self.ranks.get(at) == Some(&rank);
            match (level.quantity.0, known) {
                (0, false) => {}
                (0, true) => {
                    self.ranks.remove(at);
                    self.quantities.remove(at);
                }
                (quantity, true) => self.quantities[at] = quantity,
                (quantity, false) => {
                    self.ranks.insert(at, rank);
                    self.quantities.insert(at, quantity);
                }
            }
            end = at;
        }
    }

    /// The first place whose rank is not below `rank`, which is known not to lie behind `end`.
    fn find(&self, rank: u64, end: usize) -> usize {
        let (mut high, mut step) = (end, 1);
        // Strides that double, since it is near as a rule; then halving within the last of them.
        let low = loop {
            let Some(probe) = high.checked_sub(step) else { break 0 };
            if self.ranks[probe] < rank {
                break probe + 1;
            }
            high = probe;
            step *= 2;
        };
        low + self.ranks[low..high].partition_point(|known| *known < rank)
    }

    pub fn best(&self) -> Option<Level> {
        self.iter().next()
    }

    /// From the best to the worst.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Level> {
        let both = self.ranks.iter().zip(&self.quantities).rev();
        both.map(|(rank, quantity)| Level { price: Self::price(*rank), quantity: Fixed(*quantity) })
    }

    pub fn len(&self) -> usize {
        self.ranks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    fn rank(price: Fixed) -> u64 {
        if BIDS { price.0 } else { !price.0 }
    }

    fn price(rank: u64) -> Fixed {
        Fixed(if BIDS { rank } else { !rank })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn compare<const BIDS: bool>(batches: &[Vec<(u64, u64)>]) {
        let mut levels = Levels::<BIDS>::default();
        let mut plain = BTreeMap::new();
        for batch in batches {
            let batch: Vec<Level> =
                batch.iter().map(|(p, q)| Level { price: Fixed(*p), quantity: Fixed(*q) }).collect();
            for level in &batch {
                match level.quantity.0 {
                    0 => plain.remove(&level.price.0),
                    quantity => plain.insert(level.price.0, quantity),
                };
            }
            levels.set(&batch);
            let mut wanted: Vec<(u64, u64)> = plain.iter().map(|(p, q)| (*p, *q)).collect();
            if BIDS {
                wanted.reverse();
            }
            let kept: Vec<(u64, u64)> = levels.iter().map(|l| (l.price.0, l.quantity.0)).collect();
            assert_eq!(kept, wanted);
        }
    }

    proptest! {
        #[test]
        fn a_side_is_what_a_sorted_map_would_be(
            batches in prop::collection::vec(prop::collection::vec((0_u64..60, 0_u64..3), 0..20), 0..20),
            sort in 0..3,
        ) {
            let mut batches = batches;
            for batch in &mut batches {
                match sort {
                    1 => batch.sort(),
                    2 => { batch.sort(); batch.reverse(); }
                    _ => {}
                }
            }
            compare::<true>(&batches);
            compare::<false>(&batches);
        }
    }
}
