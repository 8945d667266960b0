//! Which quotes of a live market are said, so that orders on paper trade at prices that were really quoted. Pure.
//!
//! A quote is decided upon, and said, only
//! - when it was asked for: an order on paper takes the next price;
//! - when a candle has told of more volume for what is left of a triggered stop;
//! - when a working order on paper would trade at it or be triggered by it, once a second at most as long as that
//!   lasts; what is left of a triggered stop without a limit trades at whatever shows another price or quantity.
//!
//! All others are forgotten: of an instrument without an order nothing is said between two candles.

use domain::{ClientOrderId, Instrument, OrderKind, Price, Side, TimeInForce, Timestamp};
use events::{BestPrices, CandleEvent, Event, OrderEvent, QuoteEvent, QuoteSeen, Recorded};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What is wanted, by what is on the tape, and the quotes in hand.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quotes {
    in_hand: BTreeMap<Instrument, BestPrices>,
    /// Asked for, and not on the tape yet.
    asked: BTreeSet<Instrument>,
    /// Submitted and not accepted, by request.
    submitted: BTreeMap<ClientOrderId, Vec<Order>>,
    working: BTreeMap<ClientOrderId, Order>,
    /// The quote that was said last of an instrument, and when.
    said: BTreeMap<Instrument, (Timestamp, Option<BestPrices>)>,
    /// The tape's time, as far as it is known.
    heard: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Order {
    id: ClientOrderId,
    instrument: Instrument,
    side: Side,
    kind: OrderKind,
    /// Its stop was reached by a quote on the tape.
    triggered: bool,
}

/// Between two quotes of one instrument that are said for a working order.
const AGAIN: Duration = Duration::from_secs(1);
/// Behind the last quote of an instrument, so that no two have one time.
const NEXT: Duration = Duration::from_micros(1);

impl Quotes {
    /// The kinds that [`Self::hear`] takes something from.
    pub const HEARS: [events::Kind; 9] = [
        events::Kind::CandleClosed,
        events::Kind::QuoteAsked,
        events::Kind::QuoteSeen,
        events::Kind::OrderSubmitted,
        events::Kind::OrderAccepted,
        events::Kind::OrderRejected,
        events::Kind::OrderRefused,
        events::Kind::OrderAbsent,
        events::Kind::OrderEnded,
    ];

    /// Those that tell what is wanted by now. Candles are many, and of those of the past nothing is wanted.
    pub const PAST: &'static [events::Kind] = Self::HEARS.split_at(1).1;

    /// What the tape says, in its order.
    pub fn hear(&mut self, event: &Recorded) {
        self.heard = self.heard.max(event.recorded_at);
        match &event.event {
            Event::Quote(QuoteEvent::Asked(e)) => {
                self.asked.insert(e.instrument);
            }
            // What the last one's volume did not allow of a stop may go on.
            Event::Candle(CandleEvent::Closed(e)) => {
                let instrument = e.candle.instrument;
                let goes_on = |order: &Order| {
                    order.triggered && order.instrument == instrument && order.kind.limit().is_none()
                };
                if self.working.values().any(goes_on) {
                    self.asked.insert(instrument);
                }
            }
            Event::Quote(QuoteEvent::Seen(e)) => self.seen(e),
            Event::Order(OrderEvent::Submitted(e)) => {
                let order = |order: &domain::NewOrder| Order {
                    id: order.id,
                    instrument: e.instrument,
                    side: order.side,
                    kind: order.kind,
                    triggered: false,
                };
                self.submitted.insert(e.request.id(), e.request.orders().map(order).collect());
            }
            Event::Order(OrderEvent::Accepted(e)) => {
                let orders = self.submitted.values().flatten();
                if let Some(order) = orders.copied().find(|order| order.id == e.order) {
                    self.working.insert(order.id, order);
                    self.forget(e.order);
                }
            }
            Event::Order(OrderEvent::Rejected(e)) => self.forget(e.order),
            Event::Order(OrderEvent::Refused(e)) => self.forget(e.order),
            Event::Order(OrderEvent::Absent(e)) => self.forget(e.order),
            Event::Order(OrderEvent::Ended(e)) => {
                self.forget(e.order);
                self.working.remove(&e.order);
            }
            _ => {}
        }
    }

    /// An order that is not submitted any more: it is working, or will never be.
    fn forget(&mut self, order: ClientOrderId) {
        self.submitted.retain(|request, orders| {
            orders.retain(|other| other.id != order && *request != order);
            !orders.is_empty()
        });
    }

    fn seen(&mut self, seen: &QuoteSeen) {
        self.asked.remove(&seen.instrument);
        self.said.insert(seen.instrument, (seen.at, seen.best));
        let Some(best) = seen.best else { return };
        for order in self.working.values_mut().filter(|order| order.instrument == seen.instrument) {
            order.triggered |= order.is_triggered_at(&best);
        }
    }

    /// What is quoted now.
    pub fn quoted(&mut self, instrument: Instrument, best: BestPrices) {
        self.in_hand.insert(instrument, best);
    }

    /// What was quoted may have changed unseen.
    pub fn interrupted(&mut self) {
        self.in_hand.clear();
    }

    /// The instruments of which a quote is wanted and none is in hand.
    pub fn missing(&self) -> BTreeSet<Instrument> {
        let working = self.working.values().map(|order| order.instrument);
        let wanted = self.asked.iter().copied().chain(working);
        wanted.filter(|instrument| !self.in_hand.contains_key(instrument)).collect()
    }

    /// The instruments that have working orders.
    pub fn working(&self) -> BTreeSet<Instrument> {
        self.working.values().map(|order| order.instrument).collect()
    }

    /// What is to be said at `now`, which need not be the tape's time; it is taken for said.
    pub fn due(&mut self, now: Timestamp) -> Vec<Event> {
        let now = now.max(self.heard);
        let acting = self.working.values().filter(|order| {
            let (at, last) = self.said.get(&order.instrument).copied().unzip();
            let rested = at.is_none_or(|at| at + AGAIN <= now);
            let best = self.in_hand.get(&order.instrument);
            rested && best.is_some_and(|best| order.acts_at(best, last.flatten().as_ref()))
        });
        let wanted: BTreeSet<Instrument> =
            self.asked.iter().copied().chain(acting.map(|order| order.instrument)).collect();
        let mut said = Vec::new();
        for instrument in wanted {
            let Some(best) = self.in_hand.get(&instrument).copied() else { continue };
            let at = self.said.get(&instrument).map_or(now, |(last, _)| now.max(*last + NEXT));
            self.asked.remove(&instrument);
            self.said.insert(instrument, (at, Some(best)));
            said.push(QuoteSeen { instrument, price: best.bid, at, best: Some(best) }.into());
        }
        said
    }
}

impl Order {
    fn is_triggered_at(&self, best: &BestPrices) -> bool {
        let (price, _) = best.taken_by(self.side);
        self.kind.stop().is_some_and(|stop| if self.falls_to_stop() { price <= stop } else { price >= stop })
    }

    /// Whether it would trade at these prices, or be triggered. What is left of a triggered stop without a limit has had
    /// what the `last` ones that were said show.
    fn acts_at(&self, best: &BestPrices, last: Option<&BestPrices>) -> bool {
        if self.kind.stop().is_some() && !self.triggered {
            return self.is_triggered_at(best);
        }
        if matches!(self.kind, OrderKind::Limit { time_in_force: TimeInForce::Ioc | TimeInForce::Fok, .. }) {
            // It never rests, and asks for the one quote that it takes.
            return false;
        }
        let (price, shown) = best.taken_by(self.side);
        match self.kind.limit() {
            Some(limit) => within(self.side, price, limit),
            None => self.triggered && last.is_none_or(|last| last.taken_by(self.side) != (price, shown)),
        }
    }

    fn falls_to_stop(&self) -> bool {
        let stop_loss = matches!(self.kind, OrderKind::StopLoss { .. } | OrderKind::StopLossLimit { .. });
        stop_loss == (self.side == Side::Sell)
    }
}

fn within(side: Side, price: Price, limit: Price) -> bool {
    match side {
        Side::Buy => price <= limit,
        Side::Sell => price >= limit,
    }
}
