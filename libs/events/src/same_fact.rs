//! Whether two copies state one and the same fact: what every source of it carries must agree.

use crate::{
    AccountEvent, Draft, Event, FrameEvent, FrameQuarantined, LedgerEntry, LedgerReason, OrderEvent,
    OrderRejected, Rejection,
};
use domain::Timestamp;

impl Draft {
    /// Whether `other` states the same fact. Who said it, and on hearing what, may differ: the
    /// venue's stream and its answer to a request tell the same fill.
    /// Figures are compared as figures, bodies of different schemas as what they say today.
    pub fn same_fact(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.subject == other.subject
            && self.trade == other.trade
            && (self.to_the_letter(other) || self.at_heart(other))
    }

    fn to_the_letter(&self, other: &Self) -> bool {
        self.schema == other.schema && self.at == other.at && self.body == other.body
    }

    fn at_heart(&self, other: &Self) -> bool {
        self.essence().is_some_and(|own| Some(own) == other.essence())
    }

    /// The event and its time, without what only some of its sources know; `None` of a newer build's.
    fn essence(&self) -> Option<(Event, Timestamp)> {
        let event = Event::decode(&self.kind, self.schema, &self.body).ok()?;
        Some(match event {
            // An account's stream tells a deposit without saying where it came from.
            Event::Account(AccountEvent::LedgerEntered(e)) => {
                let known = LedgerEntry { reason: LedgerReason::Other, venue_ref: String::new(), ..e };
                (known.into(), self.at)
            }
            // The refusal of a request carries no time of the venue's, and words it in its own way.
            Event::Order(OrderEvent::Rejected(e)) if e.reason != Rejection::OutsideWindow => {
                let (reason, code, text, at) = (Rejection::Other, None, String::new(), Timestamp::ZERO);
                (OrderRejected { reason, code, text, at, ..e }.into(), at)
            }
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
