//! The book as it is published, and what changed of it.
//!
//! Invariant: every level that changes counts the update id up by one; a diff that covers the updates from
//! its `first` to the id of its emission names every level that changed in them, as it stands then. So whoever
//! applies Binance's documented procedure has this book.

use super::{outside::Levels, units::units};
use std::{cmp::Ordering, collections::BTreeMap};
use venue_paper::engine::Book;

#[derive(Debug, Default)]
pub struct Published {
    /// The id of the last change.
    pub update: u64,
    pub bids: Levels,
    pub asks: Levels,
    /// What changed since the last diff was sent, at 100 ms and at 1 s; kept only where anybody listens.
    pub fast: Option<Change>,
    pub slow: Option<Change>,
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
    /// Takes over the book as it stands now. Answers whether a best price or quantity changed.
    pub fn set(&mut self, bids: Levels, asks: Levels) -> bool {
        let best = (self.bids.first().copied(), self.asks.first().copied());
        let before = self.update;
        let mut logs = [self.fast.as_mut(), self.slow.as_mut()];
        for change in logs.iter_mut().flatten() {
            if change.bids.is_empty() && change.asks.is_empty() {
                change.first = before + 1;
            }
        }
        let update = &mut self.update;
        differences(
            &self.bids,
            &bids,
            |a, b| b.cmp(&a),
            |price, quantity| {
                *update += 1;
                logs.iter_mut().flatten().for_each(|change| _ = change.bids.insert(price, quantity));
            },
        );
        differences(
            &self.asks,
            &asks,
            |a, b| a.cmp(&b),
            |price, quantity| {
                *update += 1;
                logs.iter_mut().flatten().for_each(|change| _ = change.asks.insert(price, quantity));
            },
        );
        (self.bids, self.asks) = (bids, asks);
        best != (self.bids.first().copied(), self.asks.first().copied())
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
}

/// Tells each price whose quantity is another one, both sides sorted from the best on.
fn differences(
    old: &[(u64, u64)],
    new: &[(u64, u64)],
    order: impl Fn(u64, u64) -> Ordering,
    mut tell: impl FnMut(u64, u64),
) {
    let (mut i, mut j) = (0, 0);
    loop {
        let ordering = match (old.get(i), new.get(j)) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => order(a.0, b.0),
        };
        match ordering {
            Ordering::Less => {
                tell(old[i].0, 0);
                i += 1;
            }
            Ordering::Greater => {
                tell(new[j].0, new[j].1);
                j += 1;
            }
            Ordering::Equal => {
                if old[i].1 != new[j].1 {
                    tell(new[j].0, new[j].1);
                }
                i += 1;
                j += 1;
            }
        }
    }
}

/// As whole numbers; a level beyond them is left out, one price twice is put together.
pub fn levels(book: &Book) -> (Levels, Levels) {
    let side = |levels: &[(domain::Price, domain::Quantity)]| {
        let mut whole: Levels = Vec::with_capacity(levels.len());
        for (price, quantity) in levels {
            let (Some(price), Some(quantity)) = (units(price.get()), units(quantity.get())) else { continue };
            match whole.last_mut() {
                Some(last) if last.0 == price => last.1 = last.1.saturating_add(quantity),
                _ if quantity == 0 => {}
                _ => whole.push((price, quantity)),
            }
        }
        whole
    };
    (side(&book.bids), side(&book.asks))
}
