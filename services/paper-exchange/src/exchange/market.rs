//! What the market does to the account, and the account to the market.

use super::{
    Exchange,
    archive::{Entry, Status},
    reports::Cause,
};
use crate::{frame::MarketFrame, params::Params, refusal::Refusal, simulator::Tick};
use domain::{Instrument, InstrumentKind, Price, Quantity, Side, Timestamp};
use events::{CandleEvent, Event, InstrumentEvent, QuoteEvent, TimeEvent};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use venue_paper::engine::{Balance, Book, Change, Execution, Report};

/// Driven from outside: time and prices are whatever somebody tells.
impl Exchange {
    /// A fact of the market from outside: `InstrumentListed`, `CandleClosed`, `QuoteSeen`, `TimePassed`. Driven only.
    pub fn hear(&mut self, now: Timestamp, event: &Event) {
        self.now = self.now.max(now);
        match event {
            Event::Instrument(InstrumentEvent::Listed(e)) => match e.instrument.kind {
                InstrumentKind::Spot => {
                    self.spot.list(e.instrument, &e.rules);
                    self.simulator.list(e.instrument, &e.rules);
                    self.pay_in(e.instrument);
                }
                InstrumentKind::LinearPerpetual => {}
            },
            Event::Candle(CandleEvent::Closed(e)) => {
                self.simulator.learn(&e.candle);
                let reports = self.spot.see_candle(self.now, &e.candle);
                self.tell(e.candle.instrument, &reports, Cause::Market);
            }
            Event::Quote(QuoteEvent::Seen(e)) => {
                let reports = self.spot.see_quote_of(self.now, e.instrument, e.price, e.at);
                self.tell(e.instrument, &reports, Cause::Market);
            }
            Event::Time(TimeEvent::Passed(_)) => {}
            _ => {}
        }
    }

    /// The starting balances, once; as `venue-paper` says them at the first listing.
    fn pay_in(&mut self, instrument: Instrument) {
        if !self.spot.exchange.balances.is_empty() {
            return;
        }
        let reports = self.set_starting_balances();
        self.tell(instrument, &reports, Cause::Market);
    }

    fn set_starting_balances(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        for (owner, balances) in self.accounts.balances() {
            for (&asset, &amount) in balances {
                let balance = Balance { free: amount, ..Balance::default() };
                self.spot.exchange.balances_of_mut(owner).set(asset, balance);
                let Balance { free, locked } = balance;
                reports.push(Report::Balance { owner, asset, free, locked, as_of: self.now });
            }
        }
        reports
    }
}

/// Live: the simulated market goes on by itself.
impl Exchange {
    /// Lets time pass and the simulated market move until `to`. Live only.
    pub fn advance(&mut self, to: Timestamp) {
        while let Some(tick) = self.simulator.next_tick(to) {
            self.now = self.now.max(tick.at);
            self.see(&tick);
            self.publish(tick.instrument);
        }
        self.now = self.now.max(to);
    }

    /// Others' book as it stands from now on: a market that somebody else makes (tests, scripts).
    pub fn see_book(&mut self, now: Timestamp, instrument: Instrument, book: &Book) {
        self.now = self.now.max(now);
        self.take_book(instrument, book);
    }

    fn take_book(&mut self, instrument: Instrument, book: &Book) {
        let reports = self.spot.see_book(self.now, instrument, book);
        self.tell(instrument, &reports, Cause::Market);
    }

    /// Others' trade, in which `taker` came last; see [`Self::see_book`].
    pub fn see_trade(
        &mut self,
        now: Timestamp,
        instrument: Instrument,
        price: Price,
        quantity: Quantity,
        taker: Side,
    ) {
        self.now = self.now.max(now);
        self.take_trade(instrument, price, quantity, taker);
    }

    fn take_trade(&mut self, instrument: Instrument, price: Price, quantity: Quantity, taker: Side) {
        let reports = self.spot.see_trade(self.now, instrument, price, quantity, taker);
        self.tell(instrument, &reports, Cause::Market);
        self.note_trailing(instrument);
    }

    /// Trailing stops whose activation price has been reached follow the market from now on.
    fn note_trailing(&mut self, instrument: Instrument) {
        let waits = |order: &&Entry| {
            order.marks.trailing_delta.is_some()
                && order.trailing_since.is_none()
                && order.status != Status::PendingNew
        };
        let follows = |order: &&Entry| {
            let market = self.spot.exchange.markets.get(&instrument);
            let open = market.zip(u64::try_from(order.number).ok()).and_then(|(market, n)| market.order(n));
            open.and_then(|open| open.special.trail).is_some_and(|trail| trail.activated)
        };
        let of_it = self.archive.open().filter(|order| order.instrument == instrument);
        let began: Vec<i64> = of_it.filter(waits).filter(follows).map(|order| order.number).collect();
        for number in began {
            let now = self.now;
            self.archive.change(number, |order| order.trailing_since = Some(now));
        }
    }

    /// Takes over what the simulated market lists, with the starting balances, of which nothing is told: nobody listens yet.
    pub(super) fn open_simulator(&mut self) {
        for (instrument, rules) in self.simulator.listings() {
            self.spot.list(*instrument, rules);
            self.live = true;
        }
        if self.live {
            self.set_starting_balances();
        }
        self.simulator.watch(BTreeSet::new());
    }

    fn see(&mut self, tick: &Tick) {
        if !self.is_trading(tick.instrument) {
            return;
        }
        if tick.trades.is_empty() && tick.change == Change::default() {
            return;
        }
        // At once: what the trades trigger meets the book that they have left.
        let reports = self.spot.see_market(self.now, tick.instrument, &tick.trades, &tick.change);
        self.tell(tick.instrument, &reports, Cause::Market);
        if !tick.trades.is_empty() {
            self.note_trailing(tick.instrument);
        }
    }

    /// Brings the market's book up to date before somebody trades on it: whoever takes from it twice at one time
    /// finds the second time what the first has left.
    /// Driven from outside there is no book to be had: it would end the trading on candles.
    pub(super) fn refresh(&mut self, instrument: Instrument) {
        if !self.live || !self.is_trading(instrument) {
            return;
        }
        self.note_prices(instrument);
        if let Some(tick) = self.simulator.current(instrument) {
            self.see(&tick);
        }
    }

    /// Takes over the prices by which orders are judged.
    pub(super) fn note_prices(&mut self, instrument: Instrument) {
        if !self.live {
            return;
        }
        if let Some(average) = self.simulator.average_price(instrument) {
            self.spot.set_average(instrument, average);
        }
        if let Some(last) =
            self.simulator.last_price(instrument).filter(|_| !self.watched.contains(&instrument))
        {
            self.spot.set_last(self.now, instrument, last);
        }
    }

    /// Shows the market what our orders have made of its book, and says which ones must be followed now.
    pub(super) fn publish(&mut self, instrument: Instrument) {
        if !self.live {
            return;
        }
        let taken = self.spot.take_taken(instrument);
        self.simulator.took(self.now, instrument, &taken);
        self.simulator.published(self.now, instrument, &self.spot.shown(instrument));
        let watched: BTreeSet<Instrument> = self.archive.open().map(|order| order.instrument).collect();
        if watched != self.watched {
            self.watched = watched.clone();
            self.simulator.watch(watched);
        }
    }

    /// A fill of ours is a public trade too, and goes by its number; where there is no public, by the engine's.
    pub(super) fn public_trade(&mut self, instrument: Instrument, fill: &Execution) -> i64 {
        if let Some((of, trade, id)) = self.last_public
            && (of, trade) == (instrument, fill.venue_trade)
            && fill.allocation.is_none()
        {
            // Both sides of it are of accounts here.
            return id;
        }
        let taker = match (fill.maker, fill.side) {
            (false, side) => side,
            (true, Side::Buy) => Side::Sell,
            (true, Side::Sell) => Side::Buy,
        };
        let fills = [(fill.price, fill.quantity)];
        let public = self.live.then(|| self.simulator.traded(self.now, instrument, taker, &fills)).flatten();
        let public = public.and_then(|id| i64::try_from(id).ok());
        let id = public.or_else(|| fill.venue_trade.parse().ok()).unwrap_or(-1);
        if fill.allocation.is_none() {
            self.last_public = Some((instrument, fill.venue_trade, id));
        }
        id
    }

    /// The book, whose last change is numbered.
    pub(super) fn depth(&mut self, params: &Params) -> Result<Box<RawValue>, Refusal> {
        // The engine must know the book that is shown, and ours be part of it.
        if let Some(Ok(instrument)) = params.get("symbol").map(|symbol| self.listed(symbol)) {
            self.refresh(instrument);
            self.publish(instrument);
        }
        self.simulator.depth(params)
    }

    pub(super) fn simulator_frames(&mut self) -> Vec<MarketFrame> {
        self.simulator.take_frames()
    }
}
