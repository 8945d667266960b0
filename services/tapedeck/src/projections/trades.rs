//! Trades as they stand: each request and what became of it, with times, prices, fees, and of an open one
//! what it is worth.
//!
//! Money is in the instrument's quote asset.
//! A fee in the base asset makes the holding smaller, one in the quote asset makes a buy dearer and a sale
//! poorer, one in a third asset is listed only.

mod columns;
pub mod coverage;
mod fills;
mod state;
mod trade;

pub use state::State;
pub use trade::Trade;

use super::Projection;
use crate::scan;
use domain::{Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, Instrument, Timestamp, TradeId};
use events::{
    CandleEvent, Event, InstrumentEvent, Kind, OrderEvent, OrderFilled, OurOrders, Position, QuoteEvent,
    Recorded, TradeEvent, TradeOutcome,
};
use fills::Fills;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tape::Tape;

/// What tells a price.
pub const PRICES: &[Kind] = &[Kind::CandleClosed, Kind::QuoteSeen];

/// A trade without a stop for as long as this is told so aloud; the engine's own steps take an instant.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How many candles are looked through for a last price; a tape has far fewer between two of one series.
const LOOK_BACK: usize = 100_000;

/// All trades, in the order of their requests.
#[derive(Debug, Default)]
pub struct Trades {
    order: Vec<TradeId>,
    trades: BTreeMap<TradeId, Trade>,
    orders: BTreeMap<ClientOrderId, Order>,
    /// Which of the venue's orders they are.
    ours: OurOrders,
    /// Base and quote.
    assets: BTreeMap<Instrument, (Asset, Asset)>,
    prices: BTreeMap<Instrument, (Timestamp, Decimal)>,
    now: Timestamp,
    live_only: bool,
}

#[derive(Debug)]
struct Order {
    trade: TradeId,
    /// The venue's time of its acceptance.
    accepted_at: Option<Timestamp>,
}

impl Projection for Trades {
    /// Of [`PRICES`] it makes use, too.
    const KINDS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::TradeRequested,
        Kind::TradeSized,
        Kind::TradeRefused,
        Kind::TradeOpened,
        Kind::TradeProtected,
        Kind::TradeUnprotected,
        Kind::TradeExiting,
        Kind::TradeClosed,
        Kind::TradeAborted,
        Kind::OrderSubmitted,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderFilled,
    ];

    fn see(&mut self, event: &Recorded) {
        self.now = self.now.max(event.recorded_at);
        match &event.event {
            Event::Candle(CandleEvent::Closed(e)) => {
                self.price(e.candle.instrument, e.candle.close_time(), e.candle.close.get());
            }
            Event::Quote(QuoteEvent::Seen(e)) => self.price(e.instrument, e.at, e.price.get()),
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.assets.insert(e.instrument, (e.rules.base, e.rules.quote));
            }
            Event::Order(OrderEvent::Submitted(e)) => {
                if let Some(trade) = e.request.trade() {
                    let new = || Order { trade, accepted_at: None };
                    self.orders.extend(e.request.orders().map(|order| (order.id, new())));
                    e.request.orders().for_each(|order| self.ours.submit(order.id));
                }
            }
            Event::Order(OrderEvent::Accepted(e)) => {
                let order = self.ours.see(e.account, e.instrument, e.order, e.venue_order);
                if let Some(order) = order.and_then(|order| self.orders.get_mut(&order)) {
                    order.accepted_at.get_or_insert(e.at);
                }
            }
            Event::Order(OrderEvent::Amended(e)) => {
                self.ours.see(e.account, e.instrument, e.order, e.venue_order);
            }
            Event::Order(OrderEvent::Filled(fill)) => self.fill(fill),
            Event::Trade(trade) => self.trade(event.recorded_at, trade),
            _ => {}
        }
    }
}

impl Trades {
    /// Of trades that have not ended only: one is forgotten with its end.
    pub fn live_only() -> Self {
        Self { live_only: true, ..Self::default() }
    }

    /// The latest price counts, whatever it is the close of.
    pub fn price(&mut self, instrument: Instrument, at: Timestamp, price: Decimal) {
        let known = self.prices.entry(instrument).or_insert((at, price));
        if known.0 <= at {
            *known = (at, price);
        }
    }

    /// The last price of an instrument.
    pub fn last_price(&self, instrument: &Instrument) -> Option<Decimal> {
        self.prices.get(instrument).map(|(_, price)| *price)
    }

    /// How each stands now, the oldest request first.
    pub fn all(&self) -> impl Iterator<Item = Trade> + '_ {
        self.order.iter().filter_map(|id| self.trades.get(id)).map(|trade| self.as_now(trade))
    }

    /// Those that were granted and have not ended.
    pub fn live(&self) -> impl Iterator<Item = &Trade> {
        self.order.iter().filter_map(|id| self.trades.get(id)).filter(|t| t.state.is_live())
    }

    /// One that is [live](Self::live).
    pub fn find_live(&self, id: &TradeId) -> Option<&Trade> {
        self.trades.get(id).filter(|t| t.state.is_live())
    }

    /// Those that hold something.
    pub fn open(&self) -> impl Iterator<Item = Trade> + '_ {
        let open = self.order.iter().filter_map(|id| self.trades.get(id)).filter(|t| t.state.is_open());
        open.map(|trade| self.as_now(trade))
    }

    /// It is that late now, whatever was heard.
    pub fn pass_to(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
    }

    /// The time of the last event seen.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    fn fill(&mut self, fill: &OrderFilled) {
        let order = self.ours.see(fill.account, fill.instrument, fill.order, fill.venue_order);
        let Some(trade) =
            order.and_then(|order| self.orders.get(&order)).and_then(|o| self.trades.get_mut(&o.trade))
        else {
            return;
        };
        let direction = trade.direction.unwrap_or(Direction::Long);
        trade.fills.add(direction, fill, self.assets.get(&fill.instrument).copied());
    }

    fn forget_orders(&mut self, id: TradeId) {
        for (order, _) in self.orders.extract_if(.., |_, order| order.trade == id) {
            self.ours.forget(&order);
        }
    }

    /// It is over, and forgotten where only live ones are wanted.
    fn is_over(&mut self, id: TradeId) {
        if self.live_only {
            self.trades.remove(&id);
            self.order.retain(|other| *other != id);
            self.forget_orders(id);
        }
    }

    fn trade(&mut self, at: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Requested(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                // Another request under its id changes nothing.
                trade.direction.get_or_insert(e.direction);
            }
            TradeEvent::Sized(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.direction = Some(e.direction);
                trade.state = State::Sized;
                trade.granted = Some(e.quantity.get());
            }
            TradeEvent::Refused(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Refused;
                trade.closed_at = Some(at);
                trade.because(e.rule.name(), e.rule.words(), &e.text);
                self.is_over(e.trade);
            }
            TradeEvent::Aborted(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Aborted;
                trade.closed_at = Some(at);
                trade.because(e.reason.name(), e.reason.words(), &e.text);
                self.is_over(e.trade);
            }
            TradeEvent::Opened(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Open;
                trade.direction = Some(e.direction);
                trade.entry_price = Some(e.price);
                let Fills { entered_at, entered_in_all, fees, .. } = std::mem::take(&mut trade.fills);
                let opened_with = Some((e.quantity, e.value));
                trade.fills = Fills { opened_with, entered_at, entered_in_all, fees, ..Fills::default() };
                trade.protected = Some(false);
                trade.closed_at = None;
                // Of one that is opened anew, `TradeUnprotected` tells since when.
                if trade.opened_at.is_none() {
                    let opened_at = entered_at.unwrap_or(at);
                    trade.opened_at = Some(opened_at);
                    trade.unstopped.begin(opened_at.min(at));
                }
            }
            TradeEvent::Protected(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                let accepted_at = self.orders.get(&e.order).and_then(|order| order.accepted_at);
                trade.stop = Some(e.stop.get());
                trade.protected = Some(true);
                // What is told of the same stop again has changed since it was accepted.
                let is_new = trade.stop_order.replace(e.order) != Some(e.order);
                trade.unstopped.end(accepted_at.filter(|_| is_new).map_or(at, |accepted| accepted.min(at)));
                (trade.unprotected_since, trade.unprotected_because) = (None, None);
                trade.partly_protected = None;
            }
            TradeEvent::Unprotected(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                trade.protected = Some(false);
                trade.unprotected_since = Some(e.since);
                trade.unstopped.begin(e.since);
                trade.unprotected_because = Some(e.because);
                trade.partly_protected = e.covered.map(|covered| covered.get());
            }
            TradeEvent::Exiting(e) => {
                let Some(trade) = self.trades.get_mut(&e.trade) else { return };
                trade.state = State::Exiting;
                trade.because(e.reason.name(), e.reason.words(), "");
            }
            TradeEvent::Closed(e) => {
                let trade = self.entry(e.trade, e.account, e.instrument, e.edge, at);
                trade.state = State::Closed;
                trade.quantity = Some(e.quantity);
                trade.entry_price = Some(e.entry_price);
                trade.exit_price = Some(e.exit_price);
                trade.cost = Some(e.cost);
                trade.proceeds = Some(e.proceeds);
                trade.profit = Some(e.profit);
                trade.profit_ratio = e.profit.checked_div(e.entered_for());
                trade.fees.clone_from(&e.fees);
                trade.left = e.left;
                (trade.left_cost, trade.left_worth) = (e.left_cost, e.left_worth);
                trade.opened_at = Some(e.opened_at);
                trade.closed_at = Some(e.closed_at);
                trade.unstopped.end(e.closed_at);
                (trade.protected, trade.held) = (None, None);
                (trade.unprotected_since, trade.unprotected_because) = (None, None);
                trade.because(e.reason.name(), e.reason.words(), "");
                self.forget_orders(e.trade);
                self.is_over(e.trade);
            }
            TradeEvent::RequestRepeated(e) => match e.outcome {
                TradeOutcome::Refused | TradeOutcome::Closed | TradeOutcome::Aborted => self.is_over(e.trade),
                TradeOutcome::Granted | TradeOutcome::Open => {}
            },
            TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_) => {}
        }
    }

    fn entry(
        &mut self,
        id: TradeId,
        account: Account,
        instrument: Instrument,
        edge: EdgeName,
        at: Timestamp,
    ) -> &mut Trade {
        self.trades.entry(id).or_insert_with(|| {
            self.order.push(id);
            Trade::new(id, account, instrument, edge, at)
        })
    }

    fn as_now(&self, trade: &Trade) -> Trade {
        let mut trade = trade.clone();
        if let Some(opened) = trade.opened_at {
            let end = trade.closed_at.unwrap_or(self.now);
            trade.duration_seconds = Some(end.since(opened).as_secs());
            let (total, longest) = trade.unstopped.by(end);
            trade.unprotected_seconds = Some(coverage::seconds(total));
            trade.unprotected_longest_seconds = Some(coverage::seconds(longest));
        }
        if trade.state.is_open() {
            trade.value_at(self.prices.get(&trade.instrument).copied());
        }
        trade
    }
}

/// All trades up to a position, open ones with their last price.
///
/// # Errors
/// The tape cannot be read.
pub async fn read(tape: &Tape, until: Position) -> anyhow::Result<Trades> {
    let mut trades: Trades = super::read(tape, until).await?;
    let mut wanted: BTreeSet<Instrument> = trades.open().map(|trade| trade.instrument).collect();
    for &kind in PRICES {
        if wanted.is_empty() {
            break;
        }
        let mut found = BTreeSet::new();
        scan::backwards(tape, kind, until, LOOK_BACK, |event| {
            let instrument = match &event.event {
                Event::Candle(CandleEvent::Closed(e)) => e.candle.instrument,
                Event::Quote(QuoteEvent::Seen(e)) => e.instrument,
                _ => return false,
            };
            if wanted.contains(&instrument) && found.insert(instrument) {
                trades.see(event);
            }
            found.len() == wanted.len()
        })
        .await?;
        // What has a candle has its price; a quote is asked for once in a while only.
        wanted.retain(|instrument| !found.contains(instrument));
    }
    if let Some(last) = tape.read(until.saturating_sub(1), 1).await?.first() {
        trades.pass_to(last.recorded_at);
    }
    Ok(trades)
}

#[cfg(test)]
mod tests;
