//! What has happened to orders on this exchange, for whoever asks later.
//!
//! Open orders are kept, and of those that have ended the last [`ENDED`], with their amendments; of trades and
//! prevented matches the last of each instrument. So memory does not grow with each order.

use domain::{
    Amount, Asset, ClientOrderId, Decimal, Filled, Instrument, OrderKind, Price, Quantity, Side, Size,
    TimeInForce, Timestamp,
};
use events::Fee;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use venue_paper::engine::Owner;

/// Ended orders that are kept.
pub const ENDED: usize = 50_000;
/// Trades, and prevented matches, of an instrument that are kept.
pub const TRADES: usize = 100_000;
const PREVENTED: usize = 10_000;

/// Orders of all accounts by their numbers, which are given in the order of acceptance and never again.
#[derive(Debug, Clone)]
pub struct Archive {
    orders: BTreeMap<i64, Entry>,
    of_instrument: BTreeMap<Instrument, BTreeSet<i64>>,
    open: BTreeSet<i64>,
    /// The latest order of that name.
    named: BTreeMap<(Owner, Instrument, ClientOrderId), i64>,
    trades: BTreeMap<Instrument, VecDeque<Trade>>,
    allocations: BTreeMap<Instrument, Vec<Trade>>,
    prevented: BTreeMap<Instrument, Vec<Prevented>>,
    amendments: BTreeMap<i64, Vec<Amendment>>,
    lists: BTreeMap<i64, List>,
    /// The latest list of that name.
    named_lists: BTreeMap<(Owner, Instrument, ClientOrderId), i64>,
    /// Orders in the order in which they ended.
    ended: VecDeque<i64>,
    /// Former names of amended orders.
    renamed: BTreeMap<i64, Vec<ClientOrderId>>,
    /// How many of them are kept.
    kept: usize,
    /// The highest number of an order that is not kept any more.
    forgotten: i64,
}

impl Default for Archive {
    fn default() -> Self {
        Self::keeping(ENDED)
    }
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
    /// The price that its limit was pegged to, once there was one.
    pub pegged: Option<Price>,
    /// Its quantity follows from what another order buys, and is not known yet.
    pub unsized_yet: bool,
    /// Of a routed order: where it was active last, `SOR` or `EXCHANGE`.
    pub floor: Option<&'static str>,
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
    pub peg: Option<PegMarks>,
    /// It is routed over several books.
    pub sor: bool,
}

/// What a pegged order said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PegMarks {
    /// `PRIMARY_PEG` or `MARKET_PEG`
    pub price_type: &'static str,
    /// In price levels, if it was given.
    pub offset: Option<u32>,
    /// Its own limit, if it had one.
    pub price: Option<Price>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It waits for the working order of its list.
    PendingNew,
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
    /// The number of the allocation that it is instead of a trade; `id` is −1 then.
    pub allocation: Option<i64>,
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

/// An order list.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    pub owner: Owner,
    pub number: i64,
    pub instrument: Instrument,
    pub id: ClientOrderId,
    /// `OCO`, or `OTO`, of which the first order is the working one.
    pub contingency: &'static str,
    pub orders: Vec<i64>,
    pub done: bool,
    pub at: Timestamp,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PendingNew => "PENDING_NEW",
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
            Self::PendingNew | Self::New | Self::PartiallyFilled => true,
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

    /// The limit as it was given: zero where there is none.
    pub fn price(&self) -> Decimal {
        let given = match self.marks.peg {
            Some(peg) => peg.price,
            None => self.kind.limit(),
        };
        given.map_or(Decimal::ZERO, Price::get)
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
    /// So many ended orders.
    fn keeping(kept: usize) -> Self {
        Self {
            orders: BTreeMap::new(),
            of_instrument: BTreeMap::new(),
            open: BTreeSet::new(),
            named: BTreeMap::new(),
            allocations: BTreeMap::new(),
            trades: BTreeMap::new(),
            prevented: BTreeMap::new(),
            amendments: BTreeMap::new(),
            lists: BTreeMap::new(),
            named_lists: BTreeMap::new(),
            ended: VecDeque::new(),
            renamed: BTreeMap::new(),
            kept,
            forgotten: 0,
        }
    }

    /// Whether there was such an order, of which nothing is kept any more.
    pub fn has_forgotten(&self, number: i64) -> bool {
        (1..=self.forgotten).contains(&number) && !self.orders.contains_key(&number)
    }

    /// Lets go of what ended first.
    fn forget(&mut self) {
        while self.ended.len() > self.kept {
            let Some(number) = self.ended.pop_front() else { return };
            let Some(order) = self.orders.remove(&number) else { continue };
            self.forgotten = self.forgotten.max(number);
            self.amendments.remove(&number);
            if let Some(numbers) = self.of_instrument.get_mut(&order.instrument) {
                numbers.remove(&number);
            }
            let name = (order.owner, order.instrument, order.id);
            if self.named.get(&name) == Some(&number) {
                self.named.remove(&name);
            }
            for renamed in &self.renamed.remove(&number).unwrap_or_default() {
                if self.named.get(&(order.owner, order.instrument, *renamed)) == Some(&number) {
                    self.named.remove(&(order.owner, order.instrument, *renamed));
                }
            }
            if let Some(list) = order.list {
                self.forget_list(list);
            }
        }
    }

    /// With the last of its orders.
    fn forget_list(&mut self, number: i64) {
        let Some(list) = self.lists.get(&number) else { return };
        let last = self.lists.last_key_value().is_some_and(|(last, _)| *last == number);
        if last || list.orders.iter().any(|order| self.orders.contains_key(order)) {
            return;
        }
        let name = (list.owner, list.instrument, list.id);
        self.lists.remove(&number);
        if self.named_lists.get(&name) == Some(&number) {
            self.named_lists.remove(&name);
        }
    }

    pub fn add(&mut self, entry: Entry) {
        self.forget();
        self.of_instrument.entry(entry.instrument).or_default().insert(entry.number);
        self.open.insert(entry.number);
        self.named.insert((entry.owner, entry.instrument, entry.id), entry.number);
        self.orders.insert(entry.number, entry);
    }

    /// Changes an order; whether it is open, and its name, may change with it.
    pub fn change(&mut self, number: i64, how: impl FnOnce(&mut Entry)) -> Option<&Entry> {
        let entry = self.orders.get_mut(&number)?;
        let before = entry.id;
        how(entry);
        if !entry.status.is_open() && self.open.remove(&number) {
            self.ended.push_back(number);
        }
        if entry.id != before {
            self.named.insert((entry.owner, entry.instrument, entry.id), number);
            self.renamed.entry(number).or_default().push(before);
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
        let numbers = self.of_instrument.get(&instrument).into_iter();
        numbers.flat_map(move |numbers| numbers.range(from..)).filter_map(|number| self.orders.get(number))
    }

    pub fn add_trade(&mut self, instrument: Instrument, trade: Trade) {
        let trades = self.trades.entry(instrument).or_default();
        if trades.len() == TRADES {
            trades.pop_front();
        }
        trades.push_back(trade);
    }

    /// Trades of an instrument from that number on, in ascending order.
    pub fn trades(&self, instrument: Instrument, from: i64) -> impl DoubleEndedIterator<Item = &Trade> {
        let trades = self.trades.get(&instrument).into_iter();
        trades.flat_map(move |trades| trades.range(trades.partition_point(|trade| trade.id < from)..))
    }

    pub fn allocate(&mut self, instrument: Instrument, allocation: Trade) {
        let all = self.allocations.entry(instrument).or_default();
        if all.len() == 2 * TRADES {
            // Seldom and many at once, since the others have to move up.
            all.drain(..TRADES);
        }
        all.push(allocation);
    }

    pub fn allocations(&self, instrument: Instrument) -> &[Trade] {
        self.allocations.get(&instrument).map(Vec::as_slice).unwrap_or_default()
    }

    pub fn prevent(&mut self, instrument: Instrument, prevented: Prevented) {
        let all = self.prevented.entry(instrument).or_default();
        if all.len() == 2 * PREVENTED {
            // Seldom and many at once, since the others have to move up.
            all.drain(..PREVENTED);
        }
        all.push(prevented);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn order(number: i64) -> Entry {
        let id = ClientOrderId::new(&format!("o{number}")).unwrap();
        Entry {
            number,
            owner: Owner::FIRST,
            group: None,
            instrument: "binance:spot:BTCUSDT".parse().unwrap(),
            list: None,
            id,
            side: Side::Buy,
            kind: OrderKind::Market,
            size: Size::Base("1".parse().unwrap()),
            marks: Marks::default(),
            status: Status::New,
            filled: Filled::default(),
            created: Timestamp::ZERO,
            updated: Timestamp::ZERO,
            working: None,
            trailing_since: None,
            expiry: None,
            prevented: Amount::ZERO,
            prevented_match: None,
            pegged: None,
            unsized_yet: false,
            floor: None,
        }
    }

    #[test]
    fn what_ended_first_is_forgotten_and_open_orders_are_not() {
        let mut archive = Archive::keeping(100);
        let btc = order(1).instrument;
        for number in 1..=1_000 {
            archive.add(order(number));
            // Every hundredth stays open.
            if number % 100 != 0 {
                archive.change(number, |order| order.status = Status::Filled);
            }
        }
        assert_eq!(archive.open().count(), 10);
        assert_eq!((archive.ended.len(), archive.orders.len()), (100, 110));
        assert!(archive.named.len() == 110 && archive.of_instrument[&btc].len() == 110);
        assert!(archive.has_forgotten(1) && !archive.has_forgotten(100) && !archive.has_forgotten(999));
        assert!(!archive.has_forgotten(2_000) && !archive.has_forgotten(0));
        assert!(
            archive.named(Owner::FIRST, btc, order(3).id).is_none()
                && archive.named(Owner::FIRST, btc, order(100).id).is_some()
        );
        let numbers: Vec<i64> = archive.of(btc, 500).map(|order| order.number).collect();
        assert_eq!((numbers[0], numbers.last().copied()), (500, Some(1_000)));
        assert!(numbers.is_sorted());
    }

    #[test]
    fn names_of_forgotten_orders_are_forgotten_too() {
        let mut archive = Archive::keeping(1);
        for number in 1..=10 {
            archive.add(order(number));
            let other = ClientOrderId::new(&format!("n{number}")).unwrap();
            archive.change(number, |order| order.id = other);
            archive.change(number, |order| order.status = Status::Canceled);
        }
        assert_eq!((archive.orders.len(), archive.named.len(), archive.renamed.len()), (2, 4, 2));
    }
}
