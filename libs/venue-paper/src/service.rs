//! The unit: events in, events out.

use crate::{
    Config,
    engine::{Acceptance, Balance, Exchange, Owner, Quote, Refusal, Report, list_of},
    translate,
};
use domain::{ClientOrderId, Instrument, InstrumentKind, NewOrder, OrderRequest, Timestamp};
use events::{
    AccountEvent, CancelAttempted, CandleEvent, Event, InstrumentEvent, Kind, OrderAccepted, OrderAttempted,
    OrderEvent, OrderRejected, OrderSubmitted, QuoteEvent, QuoteSeen, Rejection,
};
use serde::{Deserialize, Serialize};
use service::Service;
use std::{collections::BTreeMap, time::Duration};

/// How far ahead of the exchange's time a request's timestamp may be.
const AHEAD: Duration = Duration::from_secs(1);

pub struct VenuePaper {
    config: Config,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub exchange: Exchange,
    /// Submitted, and neither sent nor given up.
    submitted: BTreeMap<ClientOrderId, Submitted>,
    /// The request that arrived last; its acceptance is made out by it.
    arrived: Option<Submitted>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Submitted {
    instrument: Instrument,
    request: Box<OrderRequest>,
}

impl Service for VenuePaper {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "venue-paper";
    const HEARS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::CandleClosed,
        Kind::QuoteSeen,
        Kind::OrderSubmitted,
        Kind::OrderAttempted,
        Kind::CancelAttempted,
        Kind::OrderRefused,
        Kind::OrderAbsent,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        let terms = &self.config.terms;
        match event {
            Event::Candle(CandleEvent::Closed(e)) => state.exchange.see_candle(terms, &e.candle),
            Event::Quote(QuoteEvent::Seen(e)) => {
                state.exchange.see_quote(terms, &e.instrument, &quote(e));
            }
            Event::Instrument(InstrumentEvent::Listed(e)) => match e.instrument.kind {
                InstrumentKind::Spot => state.exchange.list(e.instrument, &e.rules),
                InstrumentKind::LinearPerpetual => {}
            },
            Event::Order(OrderEvent::Submitted(e)) if self.is_ours(event) => state.remember(e),
            Event::Order(OrderEvent::Attempted(e)) if self.is_ours(event) => {
                state.arrived = state.submitted.remove(&e.request);
            }
            Event::Order(OrderEvent::Refused(e)) if self.is_ours(event) => state.forget(&e.order),
            Event::Order(OrderEvent::Absent(e)) if self.is_ours(event) => state.forget(&e.order),
            Event::Order(OrderEvent::Accepted(e)) => self.admit(state, e),
            Event::Order(OrderEvent::Rejected(e)) => state.turn_away(e),
            Event::Order(OrderEvent::Filled(e)) => {
                state.exchange.filled(terms, &e.instrument, &e.venue_order, e.quantity, e.quote);
            }
            Event::Order(OrderEvent::Ended(e)) => state.exchange.ended(&e.instrument, &e.venue_order),
            Event::Account(AccountEvent::BalanceChanged(e)) => {
                state.exchange.balances.set(e.asset, Balance { free: e.free, locked: e.locked });
            }
            Event::Quote(QuoteEvent::Asked(e)) => state.exchange.quote_wanted(&e.instrument, now),
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let (exchange, terms) = (&state.exchange, &self.config.terms);
        match heard {
            Event::Candle(CandleEvent::Closed(e)) => {
                // An account that came to the tape after its listings begins with the next candle.
                let mut said = self.starting_balances(exchange, now);
                said.extend(exchange.trade_candle(terms, now, &e.candle));
                self.say(e.candle.instrument, said)
            }
            Event::Quote(QuoteEvent::Seen(e)) => {
                self.say(e.instrument, exchange.trade_quote(terms, now, &e.instrument, &quote(e)))
            }
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.say(e.instrument, self.starting_balances(exchange, now))
            }
            Event::Order(OrderEvent::Attempted(e)) if self.is_ours(heard) => {
                self.say(e.instrument, self.arrive(state, now, e))
            }
            Event::Order(OrderEvent::CancelAttempted(e)) if self.is_ours(heard) => {
                self.say(e.instrument, self.cancel(exchange, now, e))
            }
            _ => Vec::new(),
        }
    }
}

impl VenuePaper {
    fn is_ours(&self, event: &Event) -> bool {
        event.account() == Some(self.config.account)
    }

    fn say(&self, instrument: Instrument, reports: Vec<Report>) -> Vec<Event> {
        let event = |report| translate::event(self.config.account, instrument, report);
        reports.into_iter().filter_map(event).collect()
    }

    /// Said once, before anything can trade.
    fn starting_balances(&self, exchange: &Exchange, now: Timestamp) -> Vec<Report> {
        if !exchange.balances.is_empty() {
            return Vec::new();
        }
        let say = |(&asset, &amount)| {
            let Balance { free, locked } = Balance { free: amount, ..Balance::default() };
            Report::Balance { owner: Owner::FIRST, asset, free, locked, as_of: now }
        };
        self.config.balances.iter().map(say).collect()
    }

    fn arrive(&self, state: &State, now: Timestamp, e: &OrderAttempted) -> Vec<Report> {
        let Some(arrived) = &state.arrived else {
            return vec![Report::Rejected { order: e.request, refusal: unsubmitted(state, e), at: now }];
        };
        if let Some(refusal) = outside_window(now, e.timestamp, e.recv_window_ms) {
            let rejected = |o: &NewOrder| Report::Rejected { order: o.id, refusal: refusal.clone(), at: now };
            return arrived.request.orders().map(rejected).collect();
        }
        state.exchange.place(&self.config.terms, now, &arrived.instrument, &arrived.request)
    }

    fn cancel(&self, exchange: &Exchange, now: Timestamp, e: &CancelAttempted) -> Vec<Report> {
        match outside_window(now, e.timestamp, e.recv_window_ms) {
            Some(refusal) => vec![Report::CancelRejected { order: e.order, refusal, at: now }],
            None => exchange.cancel(&self.config.terms, now, &e.instrument, e.order),
        }
    }

    fn admit(&self, state: &mut State, e: &OrderAccepted) {
        let Some(arrived) = &state.arrived else { return };
        let Some(new) = arrived.request.orders().find(|o| o.id == e.order) else { return };
        let list = list_of(&arrived.request);
        let acceptance = Acceptance { order: e.order, venue_order: e.venue_order, at: e.at };
        state.exchange.accepted(&self.config.terms, &e.instrument, new, list, &acceptance);
    }
}

impl State {
    fn remember(&mut self, e: &OrderSubmitted) {
        let submitted = Submitted { instrument: e.instrument, request: e.request.clone() };
        self.submitted.insert(e.request.id(), submitted);
    }

    /// It will never be sent. `order` is the request's id, or that of one of its orders.
    fn forget(&mut self, order: &ClientOrderId) {
        if self.submitted.remove(order).is_none() {
            self.submitted.retain(|_, s| s.request.orders().all(|o| o.id != *order));
        }
    }

    /// A request that came outside its window may come again under a new timestamp.
    fn turn_away(&mut self, e: &OrderRejected) {
        if e.reason == Rejection::OutsideWindow
            && let Some(arrived) = self.arrived.take()
        {
            self.submitted.insert(arrived.request.id(), arrived);
        }
    }
}

const fn quote(seen: &QuoteSeen) -> Quote {
    Quote { price: seen.price, at: seen.at, best: seen.best }
}

/// Nothing is known of the request: it was never submitted, or has arrived before.
fn unsubmitted(state: &State, e: &OrderAttempted) -> Refusal {
    let market = state.exchange.markets.get(&e.instrument);
    if market.is_some_and(|m| m.named(Owner::FIRST, &e.request).is_some()) {
        Refusal::duplicate()
    } else {
        Refusal::unnumbered("no request of this id is waiting to be sent")
    }
}

/// Binance's rule on `timestamp` and `recvWindow` (its `rest-api.md`, "Timing security").
fn outside_window(now: Timestamp, timestamp: Timestamp, window_ms: u32) -> Option<Refusal> {
    let refuse = |text: &str| Some(Refusal::new(Rejection::OutsideWindow, -1021, text));
    if timestamp >= now + AHEAD {
        refuse("Timestamp for this request was 1000ms ahead of the server's time.")
    } else if now.since(timestamp) > Duration::from_millis(window_ms.into()) {
        refuse("Timestamp for this request is outside of the recvWindow.")
    } else {
        None
    }
}
