//! Every order there is, and how each fact changes it.

use crate::{
    book::{Book, Name},
    order::{Attempt, Denial, Order, OrderState},
    waits::{Books, Wait, Waits},
};
use domain::{Account, ClientOrderId, Filled, Instrument, OrderRequest, Timestamp, VenueOrderId};
use events::{Event, OrderDone, OrderStuck, OrderSubmitted, WaitingFor};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    books: Books,
    waits: Waits,
    /// The orders that the event in hand has brought to their end; each leaves when that is said.
    complete: Vec<Place>,
    /// The instant at which we have asked to be woken.
    pub wake: Option<Timestamp>,
}

/// Where an order is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    account: Account,
    instrument: Instrument,
    name: Name,
    order: ClientOrderId,
}

impl State {
    /// Every order that is not done, by account and instrument.
    pub fn open(&self) -> impl Iterator<Item = (Account, Instrument, &Order)> {
        self.books().flat_map(|(account, instrument, book)| {
            book.open.values().map(move |order| (account, instrument, order))
        })
    }

    /// Orders open and done, by account and instrument.
    pub fn books(&self) -> impl Iterator<Item = (Account, Instrument, &Book)> {
        self.books.iter().flat_map(|(&account, books)| {
            books.iter().map(move |(&instrument, book)| (account, instrument, book))
        })
    }

    /// What is to be said of the orders that the event in hand has brought to their end.
    pub fn done(&self) -> Vec<Event> {
        self.complete.iter().filter_map(|place| self.order_done(place)).collect()
    }

    /// The alarms that are due as of the last [`Self::time_passed`].
    pub fn stuck(&self) -> Vec<Event> {
        self.waits.overdue.iter().filter_map(|wait| self.order_stuck(wait)).collect()
    }

    /// Since when the oldest order waits that there is no alarm about.
    pub fn waits_since(&self) -> Option<Timestamp> {
        self.waits.oldest()
    }

    pub fn time_passed(&mut self, now: Timestamp, stuck_after: Duration) {
        self.wake = self.wake.filter(|at| *at > now);
        self.waits.look(&self.books, now, stuck_after);
    }

    pub fn submitted(&mut self, now: Timestamp, e: &OrderSubmitted) {
        self.complete.clear();
        let list = match &*e.request {
            OrderRequest::Single(_) => None,
            OrderRequest::Oco(oco) => {
                self.book(e.account, e.instrument).pair(oco.list, [oco.above.id, oco.below.id]);
                Some(oco.list)
            }
        };
        for intent in e.request.orders() {
            if let Some(name) = self.book(e.account, e.instrument).submit(*intent, list) {
                let place = Place { account: e.account, instrument: e.instrument, name, order: intent.id };
                self.wait(place, WaitingFor::Acceptance, now);
            }
        }
    }

    /// Takes what the venue shows of an order.
    pub fn shown(
        &mut self,
        now: Timestamp,
        (account, instrument): (Account, Instrument),
        (order, venue_order): (ClientOrderId, VenueOrderId),
        take: impl FnOnce(&mut OrderState),
    ) {
        self.complete.clear();
        let Some((name, known)) = self.book(account, instrument).shown(order, venue_order) else { return };
        let ended_before = matches!(known.state, OrderState::Ended { .. });
        take(&mut known.state);
        let place = Place { account, instrument, name, order: known.id };
        if known.state.is_complete() {
            self.complete.push(place);
        } else if !ended_before && matches!(known.state, OrderState::Ended { .. }) {
            self.wait(place, WaitingFor::Fills, now);
        }
    }

    pub fn sent(
        &mut self,
        account: Account,
        instrument: Instrument,
        request: ClientOrderId,
        attempt: Attempt,
    ) {
        self.asked(account, instrument, request, |order| {
            order.state.sent(attempt);
            false
        });
    }

    /// A rejection ends one of ours as a rule; a foreign one is remembered under its client id.
    pub fn rejected(&mut self, account: Account, instrument: Instrument, order: ClientOrderId, why: Denial) {
        self.book(account, instrument).know(order);
        self.denied(account, instrument, order, why);
    }

    pub fn denied(&mut self, account: Account, instrument: Instrument, order: ClientOrderId, why: Denial) {
        self.complete = self.asked(account, instrument, order, |order| {
            order.state.denied(&why);
            order.state.is_complete()
        });
    }

    pub fn cancel_requested(
        &mut self,
        now: Timestamp,
        account: Account,
        instrument: Instrument,
        order: ClientOrderId,
    ) {
        let asked_first = self.asked(account, instrument, order, |order| {
            let first = order.cancel.is_none();
            order.cancel = order.cancel.or(Some(now));
            first
        });
        for place in asked_first {
            self.wait(place, WaitingFor::Cancel, now);
        }
    }

    pub fn cancel_withdrawn(&mut self, account: Account, instrument: Instrument, order: ClientOrderId) {
        self.asked(account, instrument, order, |order| {
            order.cancel = None;
            false
        });
    }

    /// What is recorded as done is done, whatever today's code would have said.
    pub fn finish(&mut self, now: Timestamp, keep: Duration, e: &OrderDone) {
        let said = self.complete.iter().position(|place| place.order == e.order);
        let name = said.map_or(Name::Client(e.order), |at| self.complete.remove(at).name);
        self.book(e.account, e.instrument).finish(now, keep, name, e);
    }

    /// Takes what we ourselves say of an order, or of both orders of a list; returns those for
    /// which `take` is true.
    fn asked(
        &mut self,
        account: Account,
        instrument: Instrument,
        id: ClientOrderId,
        mut take: impl FnMut(&mut Order) -> bool,
    ) -> Vec<Place> {
        self.complete.clear();
        let mut places = Vec::new();
        let book = self.book(account, instrument);
        for name in book.asked(id) {
            if let Some(order) = book.open.get_mut(&name)
                && take(order)
            {
                places.push(Place { account, instrument, name, order: order.id });
            }
        }
        places
    }

    fn book(&mut self, account: Account, instrument: Instrument) -> &mut Book {
        self.books.entry(account).or_default().entry(instrument).or_default()
    }

    fn wait(&mut self, place: Place, reason: WaitingFor, since: Timestamp) {
        let Place { account, instrument, name, .. } = place;
        self.waits.push(Wait { account, instrument, name, reason, since });
    }

    fn order_done(&self, place: &Place) -> Option<Event> {
        let order = find(&self.books, place)?;
        let fills = order.state.fills();
        let (ending, rejection, text) = match &order.state {
            OrderState::Ended { ending, .. } => (*ending, None, String::new()),
            OrderState::Denied(why) => (why.ending, why.rejection, why.text.clone()),
            OrderState::Submitted { .. } | OrderState::Working { .. } => return None,
        };
        let done = OrderDone {
            account: place.account,
            instrument: place.instrument,
            order: order.id,
            origin: order.origin(),
            ending,
            filled: fills.map_or(Filled::default(), |fills| fills.filled),
            fees: fills.map_or(Vec::new(), |fills| fills.fees()),
            rejection,
            text,
        };
        Some(done.into())
    }

    fn order_stuck(&self, wait: &Wait) -> Option<Event> {
        let order = wait.order(&self.books)?;
        let stuck = OrderStuck {
            account: wait.account,
            instrument: wait.instrument,
            order: order.id,
            waiting_for: wait.reason,
            since: wait.since,
        };
        Some(stuck.into())
    }
}

fn find<'a>(books: &'a Books, place: &Place) -> Option<&'a Order> {
    books.get(&place.account)?.get(&place.instrument)?.open.get(&place.name)
}
