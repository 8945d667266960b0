//! Whether two copies state one and the same fact: what every source of it carries must agree.

use crate::{
    AccountEvent, Draft, Event, FrameEvent, FrameQuarantined, LedgerEntry, LedgerReason, OrderAccepted,
    OrderEnded, OrderEvent, OrderFilled, OrderRejected, Rejection,
};
use domain::{ClientOrderId, Timestamp};

impl Draft {
    /// Whether `other` states the same fact. Who said it, and on hearing what, may differ: the
    /// venue's stream and its answer to a request tell the same fill.
    /// Figures are compared as figures, bodies of different schemas as what they say today.
    pub fn same_fact(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.trade == other.trade
            && if self.subject == other.subject {
                self.to_the_letter(other) || self.at_heart(other)
            } else {
                // A fact of an order may come under another client id.
                self.at_heart(other) && self.is_about_its_subject() && other.is_about_its_subject()
            }
    }

    fn to_the_letter(&self, other: &Self) -> bool {
        self.schema == other.schema && self.at == other.at && self.body == other.body
    }

    fn at_heart(&self, other: &Self) -> bool {
        self.essence().is_some_and(|own| Some(own) == other.essence())
    }

    fn is_about_its_subject(&self) -> bool {
        Event::decode(&self.kind, self.schema, &self.body).is_ok_and(|event| event.subject() == self.subject)
    }

    /// The event and its time, without what only some of its sources know; `None` of a newer build's.
    fn essence(&self) -> Option<(Event, Timestamp)> {
        let event = Event::decode(&self.kind, self.schema, &self.body).ok()?;
        Some(match event {
            // An account's stream tells a deposit without saying where it came from, and funding without its position.
            Event::Account(AccountEvent::LedgerEntered(e)) => {
                let (reason, venue_ref) = (LedgerReason::Other, String::new());
                (LedgerEntry { reason, venue_ref, instrument: None, ..e }.into(), self.at)
            }
            // The refusal of a request carries no time of the venue's, and words it in its own way.
            Event::Order(OrderEvent::Rejected(e)) if e.reason != Rejection::OutsideWindow => {
                let (reason, code, text, at) = (Rejection::Other, None, String::new(), Timestamp::ZERO);
                (OrderRejected { reason, code, text, at, ..e }.into(), at)
            }
            // The venue's number names an order. Its client id is another one after an amendment, and who asks
            // later is told the new one.
            Event::Order(OrderEvent::Accepted(e)) => {
                (OrderAccepted { order: nameless(), ..e }.into(), self.at)
            }
            Event::Order(OrderEvent::Filled(e)) => (OrderFilled { order: nameless(), ..e }.into(), self.at),
            Event::Order(OrderEvent::Ended(e)) => (OrderEnded { order: nameless(), ..e }.into(), self.at),
            // Whichever replica brought it first, and whatever that day's parser lacked.
            Event::Frame(FrameEvent::Quarantined(e)) => {
                let (replica, stream, content_type, why) = Default::default();
                let received_at = Timestamp::ZERO;
                let known = FrameQuarantined { replica, stream, content_type, why, received_at, ..e };
                (known.into(), received_at)
            }
            other => (other, self.at),
        })
    }
}

/// In place of a client id that does not count.
fn nameless() -> ClientOrderId {
    ClientOrderId::new("-").unwrap_or_else(|e| unreachable!("one plain character: {e}"))
}
