//! Ids of facts, made of what every source of them repeats.

use events::{AccountEvent, Event, OrderEvent, Uuid, ids};

pub const TAPE: Uuid = Uuid::from_u128(0x7a9e);

pub fn fact(kind: &str, key: &impl std::fmt::Display) -> Uuid {
    ids::fact(TAPE, kind, &key.to_string())
}

/// The id of an account frame: from what the venue repeats on its stream and over REST.
pub fn frame_id(event: &Event) -> Uuid {
    match event {
        Event::Order(OrderEvent::Accepted(e)) => fact("accepted", &e.venue_order),
        Event::Order(OrderEvent::Ended(e)) => fact("ended", &e.venue_order),
        Event::Order(OrderEvent::Filled(e)) => fact("filled", &format!("{}/{}", e.instrument, e.venue_trade)),
        Event::Account(AccountEvent::BalanceChanged(e)) => {
            fact("balance", &format!("{}/{}/{}/{}", e.asset, e.as_of, e.free, e.locked))
        }
        other => unreachable!("no account frame: {other:?}"),
    }
}

/// The id of what the hands report: the same however often it is reported.
pub fn report_id(event: &Event) -> Uuid {
    match event {
        Event::Order(OrderEvent::Rejected(e)) => fact("rejected", &e.order),
        Event::Order(OrderEvent::CancelRejected(e)) => {
            fact("cancel rejected", &format!("{}/{}", e.order, e.at))
        }
        Event::Order(OrderEvent::Unknown(e)) => fact("unknown", &format!("{}/{}", e.request, e.attempt)),
        Event::Order(OrderEvent::Absent(e)) => fact("absent", &e.order),
        Event::Order(OrderEvent::Attempted(e)) => fact("attempted", &format!("{}/{}", e.request, e.attempt)),
        Event::Order(OrderEvent::Refused(e)) => fact("refused", &e.order),
        Event::Order(OrderEvent::CancelAttempted(e)) => {
            fact("cancel attempted", &format!("{}/{}/{}", e.order, e.attempt, e.timestamp))
        }
        other => unreachable!("no report: {other:?}"),
    }
}
