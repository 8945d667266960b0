//! Everything that has happened to orders on this exchange, for whoever asks later.

use domain::{
    Amount, Asset, ClientOrderId, Decimal, Filled, Instrument, OrderKind, Price, Quantity, Side, Size,
    TimeInForce, Timestamp,
};
use events::Fee;
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::Owner;

/// Orders of all accounts by their numbers, which are given in the order of acceptance and never again.
#[derive(Debug, Clone, Default)]
pub struct Archive {
    orders: BTreeMap<i64, Entry>,
    of_instrument: BTreeMap<Instrument, Vec<i64>>,
    open: BTreeSet<i64>,
    /// The latest order of that name.
    named: BTreeMap<(Owner, Instrument, ClientOrderId), i64>,
    trades: BTreeMap<Instrument, Vec<Trade>>,
    prevented: BTreeMap<Instrument, Vec<Prevented>>,
    amendments: BTreeMap<i64, Vec<Amendment>>,
    lists: BTreeMap<i64, List>,
    /// The latest list of that name.
    named_lists: BTreeMap<(Owner, Instrument, ClientOrderId), i64>,
}

/// An order, from its acceptance on.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub owner: Owner,
    pub number: i64,
    pub instrument: Instrument,
    pub list: Option<i64>,
    pub id: ClientOrderId,
    pub side: Side,
    pub kind: OrderKind,
    pub size: Size,
    pub marks: Marks,
    pub status: Status,
    pub filled: Filled,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// Since when it has been on the book, or has taken from it.
    pub working: Option<Timestamp>,
    /// Since when a trailing stop has followed the price.
    pub trailing_since: Option<Timestamp>,
    /// Why it expired (`user-data-stream.md`, "Order Expiry Reason").
    pub expiry: Option<&'static str>,
    /// The account's trade group.
    pub group: Option<u32>,
    /// What self-trade prevention took of it.
    pub prevented: Amount,
    pub prevented_match: Option<i64>,
}

/// What the order said besides, and hears again in every answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub iceberg: Option<Quantity>,
    pub trailing_delta: Option<u32>,
    /// Its stop was left open: a trailing stop that follows the price from its acceptance.
    pub without_stop: bool,
    pub strategy: Option<i64>,
    pub strategy_type: Option<i64>,
    pub self_trade: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
    ExpiredInMatch,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    pub owner: Owner,
    pub id: i64,
    pub order: i64,
    pub list: Option<i64>,
    pub side: Side,
    pub price: Price,
    pub quantity: Quantity,
    pub quote: Amount,
    pub fee: Option<Fee>,
    /// The asset that the trade brought.
    pub received: Asset,
    pub maker: bool,
    pub at: Timestamp,
}

/// A match with oneself that did not take place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prevented {
    /// The accounts of taker and maker.
    pub owners: [Owner; 2],
    /// The trade group of both, if they are of one.
    pub group: Option<u32>,
    pub id: i64,
    pub taker: i64,
    pub maker: i64,
    pub mode: &'static str,
    pub price: Price,
    pub taker_quantity: Option<Decimal>,
    pub maker_quantity: Option<Decimal>,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Amendment {
    pub execution: i64,
    pub old_id: ClientOrderId,
    pub new_id: ClientOrderId,
    pub old_quantity: Decimal,
    pub new_quantity: Decimal,
    pub at: Timestamp,
}

/// An order list; all are OCOs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct List {
    pub owner: Owner,
    pub number: i64,
    pub instrument: Instrument,
    pub id: ClientOrderId,
    pub orders: [i64; 2],
    pub done: bool,
    pub at: Timestamp,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }

    pub fn is_open(self) -> bool {
        match self {
            Self::New | Self::PartiallyFilled => true,
            Self::Filled | Self::Canceled | Self::Expired | Self::ExpiredInMatch => false,
        }
    }
}

impl Entry {
    /// What was ordered; of an order by its sum what it got, as on Binance.
    pub fn quantity(&self) -> Decimal {
        match self.size {
            Size::Base(quantity) => quantity.get(),
            Size::Quote(_) => self.filled.quantity,
        }
    }

    pub fn quote_quantity(&self) -> Decimal {
        match self.size {
            Size::Base(_) => Decimal::ZERO,
            Size::Quote(sum) => sum.get(),
        }
    }

    /// The stop as it was given: zero where there is none.
    pub fn stop(&self) -> Decimal {
        match self.kind.stop() {
            Some(stop) if !self.marks.without_stop => stop.get(),
            _ => Decimal::ZERO,
        }
    }

    pub fn time_in_force(&self) -> TimeInForce {
        match self.kind {
            OrderKind::Limit { time_in_force, .. }
            | OrderKind::StopLossLimit { time_in_force, .. }
            | OrderKind::TakeProfitLimit { time_in_force, .. } => time_in_force,
            OrderKind::Market
            | OrderKind::LimitMaker { .. }
            | OrderKind::StopLoss { .. }
            | OrderKind::TakeProfit { .. } => TimeInForce::Gtc,
        }
    }
}

impl Archive {
    pub fn add(&mut self, entry: Entry) {
        self.of_instrument.entry(entry.instrument).or_default().push(entry.number);
        self.open.insert(entry.number);
        self.named.insert((entry.owner, entry.instrument, entry.id), entry.number);
        self.orders.insert(entry.number, entry);
    }

    /// Changes an order; whether it is open, and its name, may change with it.
    pub fn change(&mut self, number: i64, how: impl FnOnce(&mut Entry)) -> Option<&Entry> {
        let entry = self.orders.get_mut(&number)?;
        let before = entry.id;
        how(entry);
        if !entry.status.is_open() {
            self.open.remove(&number);
        }
        if entry.id != before {
            self.named.insert((entry.owner, entry.instrument, entry.id), number);
        }
        Some(entry)
    }

    pub fn order(&self, number: i64) -> Option<&Entry> {
        self.orders.get(&number)
    }

    pub fn named(&self, owner: Owner, instrument: Instrument, id: ClientOrderId) -> Option<&Entry> {
        self.order(*self.named.get(&(owner, instrument, id))?)
    }

    pub fn open(&self) -> impl Iterator<Item = &Entry> {
        self.open.iter().filter_map(|number| self.orders.get(number))
    }

    /// Orders of an instrument from that number on, in ascending order.
    pub fn of(&self, instrument: Instrument, from: i64) -> impl DoubleEndedIterator<Item = &Entry> {
        let numbers = self.of_instrument.get(&instrument).map(Vec::as_slice).unwrap_or_default();
        let start = numbers.partition_point(|number| *number < from);
        numbers[start..].iter().filter_map(|number| self.orders.get(number))
    }

    pub fn add_trade(&mut self, instrument: Instrument, trade: Trade) {
        self.trades.entry(instrument).or_default().push(trade);
    }

    /// Trades of an instrument from that number on, in ascending order.
    pub fn trades(&self, instrument: Instrument, from: i64) -> impl DoubleEndedIterator<Item = &Trade> {
        let trades = self.trades.get(&instrument).map(Vec::as_slice).unwrap_or_default();
        trades[trades.partition_point(|trade| trade.id < from)..].iter()
    }

    pub fn prevent(&mut self, instrument: Instrument, prevented: Prevented) {
        self.prevented.entry(instrument).or_default().push(prevented);
    }

    pub fn prevented(&self, instrument: Instrument) -> &[Prevented] {
        self.prevented.get(&instrument).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn amend(&mut self, number: i64, amendment: Amendment) {
        self.amendments.entry(number).or_default().push(amendment);
    }

    pub fn amendments(&self, number: i64) -> &[Amendment] {
        self.amendments.get(&number).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn next_list(&self) -> i64 {
        self.lists.last_key_value().map_or(1, |(last, _)| last + 1)
    }

    pub fn add_list(&mut self, list: List) {
        self.named_lists.insert((list.owner, list.instrument, list.id), list.number);
        self.lists.insert(list.number, list);
    }

    pub fn change_list(&mut self, number: i64, how: impl FnOnce(&mut List)) {
        if let Some(list) = self.lists.get_mut(&number) {
            how(list);
        }
    }

    pub fn list(&self, number: i64) -> Option<&List> {
        self.lists.get(&number)
    }

    pub fn named_list(&self, owner: Owner, instrument: Instrument, id: ClientOrderId) -> Option<&List> {
        self.list(*self.named_lists.get(&(owner, instrument, id))?)
    }

    pub fn lists(&self, from: i64) -> impl DoubleEndedIterator<Item = &List> {
        self.lists.range(from..).map(|(_, list)| list)
    }
}
