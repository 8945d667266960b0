//! The public trades of one symbol: each by its id, and aggregated by taker and price.

use std::collections::VecDeque;

/// Trades and aggregates that are kept.
pub const MOST_TRADES: usize = 10_000;
pub const MOST_AGGREGATES: usize = 5_000;

/// One trade. Price and quantity in 10⁻⁸, the time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    pub id: u64,
    pub price: u64,
    pub quantity: u64,
    pub at: i64,
    pub taker_buys: bool,
}

/// The trades of one taker at one price and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregate {
    pub id: u64,
    pub price: u64,
    pub quantity: u64,
    pub first: u64,
    pub last: u64,
    pub at: i64,
    pub taker_buys: bool,
}

/// Invariant: the ids of each are gap-free and ascend with time.
#[derive(Debug, Default)]
pub struct Trades {
    raw: VecDeque<Trade>,
    aggregates: VecDeque<Aggregate>,
    next: u64,
    next_aggregate: u64,
}

impl Trades {
    /// Lets ids go on after trades that nobody keeps.
    pub fn skip(&mut self, trades: u64) {
        self.next += trades;
        self.next_aggregate += trades;
    }

    /// The past is numbered: ids go on from there.
    pub fn begin_at(&mut self, next: u64) {
        (self.next, self.next_aggregate) = (next, next);
    }

    /// The id that the next trade will have.
    pub fn next_id(&self) -> u64 {
        self.next
    }

    /// What one taker took, each as price and quantity. Answers the trades and the aggregates that they make.
    pub fn take(
        &mut self,
        at: i64,
        taker_buys: bool,
        fills: &[(u64, u64)],
        mut each: impl FnMut(&Trade),
        mut aggregate: impl FnMut(&Aggregate),
    ) {
        let mut current: Option<Aggregate> = None;
        for &(price, quantity) in fills {
            let trade = Trade { id: self.next, price, quantity, at, taker_buys };
            self.next += 1;
            keep(&mut self.raw, trade, MOST_TRADES);
            each(&trade);
            match &mut current {
                Some(same) if same.price == price => {
                    same.quantity = same.quantity.saturating_add(quantity);
                    same.last = trade.id;
                }
                _ => {
                    if let Some(done) = current.replace(self.begin(&trade)) {
                        keep(&mut self.aggregates, done, MOST_AGGREGATES);
                        aggregate(&done);
                    }
                }
            }
        }
        if let Some(done) = current {
            keep(&mut self.aggregates, done, MOST_AGGREGATES);
            aggregate(&done);
        }
    }

    fn begin(&mut self, trade: &Trade) -> Aggregate {
        let id = self.next_aggregate;
        self.next_aggregate += 1;
        let Trade { price, quantity, at, taker_buys, .. } = *trade;
        Aggregate { id, price, quantity, first: trade.id, last: trade.id, at, taker_buys }
    }

    pub fn last(&self) -> Option<&Trade> {
        self.raw.back()
    }

    /// The latest `limit`, in order.
    pub fn latest(&self, limit: usize) -> impl Iterator<Item = &Trade> {
        self.raw.range(self.raw.len().saturating_sub(limit)..)
    }

    /// From an id on.
    pub fn since_id(&self, id: u64) -> impl Iterator<Item = &Trade> {
        self.raw.range(self.raw.partition_point(|trade| trade.id < id)..)
    }

    pub fn latest_aggregates(&self, limit: usize) -> impl Iterator<Item = &Aggregate> {
        self.aggregates.range(self.aggregates.len().saturating_sub(limit)..)
    }

    pub fn aggregates_since_id(&self, id: u64) -> impl Iterator<Item = &Aggregate> {
        self.aggregates.range(self.aggregates.partition_point(|one| one.id < id)..)
    }

    /// From a time to another, both included.
    pub fn aggregates_between(&self, from: i64, to: i64) -> impl DoubleEndedIterator<Item = &Aggregate> {
        let start = self.aggregates.partition_point(|one| one.at < from);
        let end = self.aggregates.partition_point(|one| one.at <= to);
        self.aggregates.range(start..end.max(start))
    }
}

fn keep<T>(kept: &mut VecDeque<T>, item: T, most: usize) {
    if kept.len() == most {
        kept.pop_front();
    }
    kept.push_back(item);
}
