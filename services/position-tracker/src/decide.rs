//! The core: fills in, positions out.

use crate::{
    book::{Book, Change, Effect},
    fading::Fading,
    position::{Dust, Position},
};
use domain::{
    Account, ClientOrderId, Decimal, Direction, EdgeName, Instrument, InstrumentRules, Origin, PositionSide,
    Price, Timestamp, TradeId, money::DIVISION,
};
use events::{
    Event, Fee, InstrumentEvent, Kind, OrderDone, OrderEvent, OrderFilled, OrderSubmitted, OurOrders,
    PositionClosed, PositionEvent, PositionIncreased, PositionKey, PositionOpened, PositionReduced,
    TradeEvent,
};
use serde::{Deserialize, Serialize};
use service::Service;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, PartialEq)]
pub struct PositionTracker {
    keep: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// For how long it is remembered whose an order was that is done, and which fills have been
    /// counted. A fill that comes later still is taken for a foreign one.
    pub keep_days: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    books: BTreeMap<Account, BTreeMap<Instrument, Book>>,
    rules: BTreeMap<Instrument, Box<InstrumentRules>>,
    /// Whose an order of ours is.
    orders: Fading<ClientOrderId, EdgeName>,
    /// Which orders of the venue's are ours: a client id alone names none.
    #[serde(default)]
    ours: OurOrders,
    /// Whose a trade is.
    trades: Fading<(Account, TradeId), EdgeName>,
    /// What the fill in hand has changed.
    changes: Vec<Change>,
}

impl Service for PositionTracker {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "position-tracker";
    const HEARS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::TradeSized,
        Kind::TradeClosed,
        Kind::TradeAborted,
        Kind::OrderSubmitted,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderFilled,
        Kind::OrderDone,
    ];

    fn new(config: Config) -> Self {
        Self { keep: Duration::from_secs(config.keep_days.saturating_mul(86_400)) }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            Event::Order(OrderEvent::Filled(e)) => state.filled(now, self.keep, e),
            Event::Order(OrderEvent::Submitted(e)) => state.submitted(e),
            Event::Order(OrderEvent::Accepted(e)) => {
                state.ours.see(e.account, e.instrument, e.order, e.venue_order);
            }
            Event::Order(OrderEvent::Amended(e)) => {
                state.ours.see(e.account, e.instrument, e.order, e.venue_order);
            }
            Event::Order(OrderEvent::Done(e)) => state.retire(now, self.keep, e),
            Event::Trade(TradeEvent::Sized(e)) => {
                state.trades.insert((e.account, e.trade), e.edge);
            }
            Event::Trade(TradeEvent::Closed(e)) => {
                state.trades.retire(now, self.keep, (e.account, e.trade));
            }
            Event::Trade(TradeEvent::Aborted(e)) => {
                state.trades.retire(now, self.keep, (e.account, e.trade));
            }
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                state.rules.insert(e.instrument, e.rules.clone());
            }
            Event::Position(PositionEvent::Closed(e)) => state.closed(&e.position, e.direction),
            _ => {}
        }
    }

    fn decide(&self, state: &State, _now: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Order(OrderEvent::Filled(e)) => {
                state.changes.iter().filter_map(|change| state.changed(e, change)).collect()
            }
            Event::Order(OrderEvent::Done(e)) => state.dust_of(e),
            _ => Vec::new(),
        }
    }
}

impl State {
    /// Everything that is held, by account, instrument and owner.
    pub fn positions(&self) -> impl Iterator<Item = (PositionKey, &Position)> {
        self.books().flat_map(|(account, instrument, book)| {
            book.positions
                .iter()
                .map(move |(&(owner, _), position)| (key(account, instrument, owner), position))
        })
    }

    pub fn books(&self) -> impl Iterator<Item = (Account, Instrument, &Book)> {
        self.books.iter().flat_map(|(&account, books)| {
            books.iter().map(move |(&instrument, book)| (account, instrument, book))
        })
    }

    /// What closed positions have left, by account, instrument and owner.
    pub fn dust(&self) -> impl Iterator<Item = (PositionKey, Dust)> {
        self.books().flat_map(|(account, instrument, book)| {
            book.dust.iter().map(move |(&(owner, _), &dust)| (key(account, instrument, owner), dust))
        })
    }

    /// How many orders are remembered with their owner.
    pub fn orders(&self) -> usize {
        self.orders.len()
    }

    /// How many trades are.
    pub fn trades(&self) -> usize {
        self.trades.len()
    }

    /// An order by hand, or of a trade that nobody has sized, is `manual`'s.
    fn submitted(&mut self, e: &OrderSubmitted) {
        for order in e.request.orders() {
            let owner = match order.origin {
                Origin::Trade { trade, .. } => self.trades.get(&(e.account, trade)).copied(),
                Origin::Manual { .. } => None,
            };
            self.orders.insert(order.id, owner.unwrap_or_else(EdgeName::manual));
            self.ours.submit(order.id);
        }
    }

    fn retire(&mut self, now: Timestamp, keep: Duration, done: &OrderDone) {
        for forgotten in self.orders.retire(now, keep, done.order) {
            self.ours.forget(&forgotten);
        }
    }

    fn filled(&mut self, now: Timestamp, keep: Duration, fill: &OrderFilled) {
        self.changes.clear();
        let order = self.ours.see(fill.account, fill.instrument, fill.order, fill.venue_order);
        let owner = order.and_then(|order| self.orders.get(&order)).copied().unwrap_or_else(EdgeName::manual);
        let fill = &OrderFilled { order: order.unwrap_or(fill.order), ..*fill };
        let rules = self.rules.get(&fill.instrument).map(|rules| &**rules);
        let book = self.books.entry(fill.account).or_default().entry(fill.instrument).or_default();
        if book.count(now, keep, fill) {
            self.changes = book.fill(owner, fill, rules);
        }
    }

    fn closed(&mut self, key: &PositionKey, direction: Direction) {
        if let Some(book) = self.book_mut(key.account, key.instrument) {
            book.close(key.owner, direction);
        }
    }

    fn changed(&self, fill: &OrderFilled, change: &Change) -> Option<Event> {
        let &Change { owner, direction, by, effect } = change;
        let position = key(fill.account, fill.instrument, owner);
        let book = self.books.get(&fill.account)?.get(&fill.instrument)?;
        let (fill, price) = (fill.venue_trade, fill.price);
        let reduced = |quantity, average, profit| {
            PositionReduced { position, direction, fill, by, price, quantity, average, profit }.into()
        };
        if let Effect::LeftDust { profit, left } = effect {
            return Some(reduced(left.quantity, left.average(), profit));
        }
        let held = book.positions.get(&(owner, direction))?;
        let (quantity, average) = (held.quantity(), held.average());
        match effect {
            Effect::Entered if by + held.carried == held.entered => {
                let carried = held.carried;
                Some(PositionOpened { position, direction, fill, quantity, average, carried }.into())
            }
            Effect::Entered => {
                Some(PositionIncreased { position, direction, fill, by, quantity, average }.into())
            }
            Effect::Left { .. } if quantity.is_zero() => ending(position, held),
            Effect::Left { profit } => Some(reduced(quantity, average, profit)),
            Effect::LeftDust { .. } => None,
        }
    }

    /// What the order has left too little of for another one.
    ///
    /// Judged only once the order is done: until then its next fill may take the rest.
    fn dust_of(&self, e: &OrderDone) -> Vec<Event> {
        let Some(rules) = self.rules.get(&e.instrument) else { return Vec::new() };
        let Some(book) = self.books.get(&e.account).and_then(|books| books.get(&e.instrument)) else {
            return Vec::new();
        };
        let left_as_dust = |position: &Position| {
            position.last_exit.is_some_and(|exit| {
                exit.order == e.order && is_dust(rules, position.quantity(), exit.price.get())
            })
        };
        book.positions
            .iter()
            .filter(|(_, position)| left_as_dust(position))
            .filter_map(|(&(owner, _), position)| ending(key(e.account, e.instrument, owner), position))
            .collect()
    }

    fn book_mut(&mut self, account: Account, instrument: Instrument) -> Option<&mut Book> {
        self.books.get_mut(&account)?.get_mut(&instrument)
    }
}

fn ending(key: PositionKey, position: &Position) -> Option<Event> {
    let exit = position.last_exit?;
    let closed = PositionClosed {
        position: key,
        direction: position.direction,
        fill: exit.fill,
        by: exit.by,
        entered: position.entered,
        exited: position.exited,
        entry_price: position.entry_price(),
        exit_price: position.exit_price(),
        profit: position.profit(),
        profit_ratio: position.profit_ratio(),
        fees: position.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect(),
        left: position.quantity(),
        left_cost: position.value.normalize(),
        left_worth: worth(position.quantity(), exit.price).normalize(),
        opened_at: position.opened_at,
        closed_at: exit.at,
    };
    Some(closed.into())
}

fn worth(quantity: Decimal, price: Price) -> Decimal {
    quantity.saturating_mul(price.get()).round_dp(DIVISION)
}

/// A worth beyond 28 digits is no dust.
fn is_dust(rules: &InstrumentRules, quantity: Decimal, price: Decimal) -> bool {
    quantity.checked_mul(price).is_some() && rules.is_dust(quantity, price)
}

/// In one-way mode, the only one yet, an account knows only the net side.
fn key(account: Account, instrument: Instrument, owner: EdgeName) -> PositionKey {
    PositionKey { account, instrument, side: PositionSide::Net, owner }
}
