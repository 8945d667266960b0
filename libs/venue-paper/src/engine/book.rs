//! What others have on the book.

use domain::{Amount, Price, Quantity, Side};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, collections::VecDeque, sync::Arc};

/// Both sides of a book, the best price first; no price twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    pub bids: Vec<(Price, Quantity)>,
    pub asks: Vec<(Price, Quantity)>,
}

/// Levels that have become other than they were, each once and as it stands now, in base asset; zero means gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    pub bids: Vec<(Price, Amount)>,
    pub asks: Vec<(Price, Amount)>,
}

impl Book {
    /// The side on which orders of that side rest.
    pub fn of(&self, side: Side) -> &[(Price, Quantity)] {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn sort(&mut self) {
        self.bids.sort_by_key(|(price, _)| Reverse(*price));
        self.asks.sort_by_key(|(price, _)| *price);
    }
}

/// The best price first.
type Levels = VecDeque<(Price, Quantity)>;

/// A book as it was seen, and what has been taken of it since. A copy of it costs next to nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outside {
    bids: Arc<Levels>,
    asks: Arc<Levels>,
    of_bids: Taken,
    of_asks: Taken,
}

/// What is gone of one side; takers come from its best price on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Taken {
    /// How many levels are gone wholly.
    levels: usize,
    /// What is gone of the first that is left; base asset.
    quantity: Amount,
}

impl Outside {
    pub fn new(mut book: Book) -> Self {
        book.sort();
        let (bids, asks) = (Arc::new(Levels::from(book.bids)), Arc::new(Levels::from(book.asks)));
        Self { bids, asks, of_bids: Taken::default(), of_asks: Taken::default() }
    }

    /// What is left of the side on which orders of that side rest, the best price first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Amount)> {
        let taken = *self.taken(side);
        let left = self.seen(side).range(taken.levels..).enumerate();
        left.map(move |(i, (price, quantity))| {
            (*price, if i == 0 { quantity.get() - taken.quantity } else { quantity.get() })
        })
    }

    pub fn best(&self, side: Side) -> Option<(Price, Amount)> {
        self.levels(side).next()
    }

    /// What is left at that price.
    pub fn at(&self, side: Side, price: Price) -> Amount {
        let taken = self.taken(side);
        let levels = self.seen(side);
        match place(levels, side, price) {
            Ok(place) if place >= taken.levels => {
                let gone = if place == taken.levels { taken.quantity } else { Amount::ZERO };
                levels[place].1.get() - gone
            }
            Ok(_) | Err(_) => Amount::ZERO,
        }
    }

    /// Takes from the best price of that side, at most what it has.
    pub fn take(&mut self, side: Side, quantity: Amount) {
        let Some((_, left)) = self.best(side) else { return };
        let taken = match side {
            Side::Buy => &mut self.of_bids,
            Side::Sell => &mut self.of_asks,
        };
        if quantity < left {
            taken.quantity += quantity;
        } else {
            *taken = Taken { levels: taken.levels + 1, quantity: Amount::ZERO };
        }
    }

    /// What has been taken since this was last asked, by the side on which it rested. From now on the book is
    /// what is left.
    pub fn settle(&mut self) -> Vec<(Side, Price, Amount)> {
        let mut all = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            let (levels, taken) = match side {
                Side::Buy => (&mut self.bids, &mut self.of_bids),
                Side::Sell => (&mut self.asks, &mut self.of_asks),
            };
            let Taken { levels: whole, quantity } = std::mem::take(taken);
            if whole == 0 && quantity.is_zero() {
                continue;
            }
            let levels = Arc::make_mut(levels);
            all.extend(levels.drain(..whole).map(|(price, quantity)| (side, price, quantity.get())));
            if let Some(first) = levels.front_mut().filter(|_| !quantity.is_zero()) {
                all.push((side, first.0, quantity));
                // What is left of a level is more than nothing.
                first.1 = Quantity::new((first.1.get() - quantity).normalize()).unwrap_or(first.1);
            }
        }
        all
    }

    /// Levels have become other than they were. What was taken must have been [settled](Self::settle).
    pub fn change(&mut self, change: &Change) {
        for (side, changed) in [(Side::Buy, &change.bids), (Side::Sell, &change.asks)] {
            if changed.is_empty() {
                continue;
            }
            let levels = Arc::make_mut(match side {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            });
            if levels.is_empty() {
                *levels = whole(side, changed);
                continue;
            }
            for &(price, quantity) in changed {
                match (place(levels, side, price), Quantity::new(quantity)) {
                    (Ok(place), Ok(quantity)) => levels[place].1 = quantity,
                    (Ok(place), Err(_)) => _ = levels.remove(place),
                    (Err(place), Ok(quantity)) => levels.insert(place, (price, quantity)),
                    (Err(_), Err(_)) => {}
                }
            }
        }
    }

    fn seen(&self, side: Side) -> &Levels {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn taken(&self, side: Side) -> &Taken {
        match side {
            Side::Buy => &self.of_bids,
            Side::Sell => &self.of_asks,
        }
    }
}

/// Where a price stands, or would.
fn place(levels: &Levels, side: Side, price: Price) -> Result<usize, usize> {
    match side {
        Side::Buy => levels.binary_search_by(|(p, _)| price.cmp(p)),
        Side::Sell => levels.binary_search_by(|(p, _)| p.cmp(&price)),
    }
}

/// A side that was empty.
fn whole(side: Side, changed: &[(Price, Amount)]) -> Levels {
    let level = |(price, quantity): &(Price, Amount)| Some((*price, Quantity::new(*quantity).ok()?));
    let mut levels: Vec<_> = changed.iter().filter_map(level).collect();
    match side {
        Side::Buy => levels.sort_by_key(|(price, _)| Reverse(*price)),
        Side::Sell => levels.sort_by_key(|(price, _)| *price),
    }
    levels.into()
}
