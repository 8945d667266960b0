//! Every order, and what became of it.

use super::Projection;
use crate::{explain::when, figures::as_tidy};
use domain::{ClientOrderId, Decimal, EdgeName, Ending, Instrument, NewOrder, Timestamp, TradeId};
use events::{Event, Kind, OrderEvent, OurOrders, Recorded, TradeEvent};
use serde::Serialize;
use std::collections::BTreeMap;

pub const SUBMITTED: &str = "submitted";
pub const WORKING: &str = "working";
pub const STUCK: &str = "stuck";

/// An order of ours, or one of the owner's own: then `what` is not known.
#[derive(Serialize)]
pub struct Order {
    pub order: ClientOrderId,
    pub trade: Option<TradeId>,
    pub edge: Option<EdgeName>,
    pub instrument: Instrument,
    pub what: Option<NewOrder>,
    pub state: &'static str,
    /// Why it was rejected or refused, or what it waits for.
    pub note: String,
    #[serde(serialize_with = "as_tidy")]
    pub filled: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub quote: Decimal,
    pub at: Timestamp,
}

/// All orders of a tape.
#[derive(Default)]
pub struct Orders {
    sequence: Vec<ClientOrderId>,
    rows: BTreeMap<ClientOrderId, Order>,
    edges: BTreeMap<TradeId, EdgeName>,
    ours: OurOrders,
}

impl Projection for Orders {
    const KINDS: &'static [Kind] = &[
        Kind::TradeRequested,
        Kind::OrderSubmitted,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderRejected,
        Kind::OrderRefused,
        Kind::OrderFilled,
        Kind::OrderEnded,
        Kind::OrderAbsent,
        Kind::OrderStuck,
    ];

    fn see(&mut self, event: &Recorded) {
        match &event.event {
            Event::Order(order) => self.see_order(order, event.recorded_at),
            Event::Trade(TradeEvent::Requested(e)) => {
                self.edges.entry(e.trade).or_insert(e.edge);
            }
            _ => {}
        }
    }
}

impl Orders {
    /// In the order in which they were first heard of.
    pub fn into_rows(mut self) -> Vec<Order> {
        self.sequence.iter().filter_map(|id| self.rows.remove(id)).collect()
    }

    fn see_order(&mut self, event: &OrderEvent, at: Timestamp) {
        if let OrderEvent::Submitted(e) = event {
            let trade = e.request.trade();
            for order in e.request.orders() {
                self.ours.submit(order.id);
                let row = self.row(order.id, e.instrument, at);
                (row.what, row.trade, row.state) = (Some(*order), trade, SUBMITTED);
                let edge = trade.and_then(|trade| self.edges.get(&trade).copied());
                self.row(order.id, e.instrument, at).edge = edge;
            }
            return;
        }
        let (order, instrument, state, note) = match event {
            OrderEvent::Accepted(e) => (e.order, e.instrument, WORKING, String::new()),
            OrderEvent::Amended(e) => {
                let note = format!("changed at the venue to {} in all", e.quantity);
                (e.order, e.instrument, WORKING, note)
            }
            OrderEvent::Filled(e) => (e.order, e.instrument, WORKING, String::new()),
            OrderEvent::Rejected(e) => {
                (e.order, e.instrument, Ending::Rejected.as_str(), format!("{}: {}", e.reason, e.text))
            }
            OrderEvent::Refused(e) => (e.order, e.instrument, Ending::Refused.as_str(), e.text.clone()),
            OrderEvent::Absent(e) => (e.order, e.instrument, Ending::Absent.as_str(), String::new()),
            OrderEvent::Ended(e) => (e.order, e.instrument, e.ending.as_str(), String::new()),
            OrderEvent::Stuck(e) => {
                let note = format!("waits for {} since {}", e.waiting_for, when(e.since));
                (e.order, e.instrument, STUCK, note)
            }
            OrderEvent::Submitted(_)
            | OrderEvent::Attempted(_)
            | OrderEvent::Unknown(_)
            | OrderEvent::CancelRequested(_)
            | OrderEvent::CancelAttempted(_)
            | OrderEvent::CancelRejected(_)
            | OrderEvent::Done(_) => return,
        };
        let order = self.name_of(event, order);
        let row = self.row(order, instrument, at);
        (row.state, row.note) = (state, note);
        if let OrderEvent::Filled(fill) = event {
            row.filled += fill.quantity.get();
            row.quote += fill.quote;
        }
    }

    /// Ours whatever the venue calls it; another one under the id of one of ours by its number.
    fn name_of(&mut self, event: &OrderEvent, told: ClientOrderId) -> ClientOrderId {
        let (account, instrument, number) = match event {
            OrderEvent::Accepted(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Amended(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Filled(e) => (e.account, e.instrument, e.venue_order),
            OrderEvent::Ended(e) => (e.account, e.instrument, e.venue_order),
            _ => return told,
        };
        match self.ours.see(account, instrument, told, number) {
            Some(order) => order,
            None if self.ours.contains(&told) => ClientOrderId::new(&format!("#{number}")).unwrap_or(told),
            None => told,
        }
    }

    /// An order that was not submitted on this tape is the owner's own.
    fn row(&mut self, order: ClientOrderId, instrument: Instrument, at: Timestamp) -> &mut Order {
        self.rows.entry(order).or_insert_with(|| {
            self.sequence.push(order);
            let zero = Decimal::ZERO;
            Order {
                order,
                trade: None,
                edge: None,
                instrument,
                what: None,
                state: WORKING,
                note: String::new(),
                filled: zero,
                quote: zero,
                at,
            }
        })
    }
}
