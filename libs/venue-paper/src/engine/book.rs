//! What others have on the book.

use domain::{Amount, Price, Quantity, Side};
use serde::{Deserialize, Serialize};
use std::{cmp::Reverse, sync::Arc};

/// Both sides of a book, the best price first; no price twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    pub bids: Vec<(Price, Quantity)>,
    pub asks: Vec<(Price, Quantity)>,
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
        if !self.bids.is_sorted_by(|a, b| a.0 > b.0) {
            self.bids.sort_by_key(|(price, _)| Reverse(*price));
        }
        if !self.asks.is_sorted_by(|a, b| a.0 < b.0) {
            self.asks.sort_by_key(|(price, _)| *price);
        }
    }
}

/// A book as it was seen, and what has been taken of it since. A copy of it costs next to nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outside {
    seen: Arc<Book>,
    bids: Taken,
    asks: Taken,
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
        Self { seen: Arc::new(book), bids: Taken::default(), asks: Taken::default() }
    }

    /// What is left of the side on which orders of that side rest, the best price first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (Price, Amount)> {
        let taken = *self.taken(side);
        let left = self.seen.of(side).iter().skip(taken.levels).enumerate();
        left.map(move |(i, (price, quantity))| {
            (*price, if i == 0 { quantity.get() - taken.quantity } else { quantity.get() })
        })
    }

    pub fn best(&self, side: Side) -> Option<(Price, Amount)> {
        self.levels(side).next()
    }

    /// What is left at that price.
    pub fn at(&self, side: Side, price: Price) -> Amount {
        let found = match side {
            Side::Buy => self.seen.bids.binary_search_by(|(p, _)| price.cmp(p)),
            Side::Sell => self.seen.asks.binary_search_by(|(p, _)| p.cmp(&price)),
        };
        let taken = self.taken(side);
        match found {
            Ok(place) if place == taken.levels => self.seen.of(side)[place].1.get() - taken.quantity,
            Ok(place) if place > taken.levels => self.seen.of(side)[place].1.get(),
            Ok(_) | Err(_) => Amount::ZERO,
        }
    }

    /// Takes from the best price of that side, at most what it has.
    pub fn take(&mut self, side: Side, quantity: Amount) {
        let Some((_, left)) = self.best(side) else { return };
        let taken = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        if quantity < left {
            taken.quantity += quantity;
        } else {
            *taken = Taken { levels: taken.levels + 1, quantity: Amount::ZERO };
        }
    }

    fn taken(&self, side: Side) -> &Taken {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }
}
