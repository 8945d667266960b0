//! An end is told with every fill before it, or not at all: whoever hears that an order has ended counts what it
//! traded.
//!
//! Answers to requests may lack fills: a cancel's has none, and those of a placed order may have more digits than
//! can be told exactly.

use super::Rest;
use domain::{Account, ClientOrderId, Decimal, Instrument, VenueOrderId};
use events::{Event, OrderEvent};
use std::collections::BTreeMap;
use venue::Outcome;

impl Rest {
    /// The facts of an answer, with what a lookup tells in place of those that lack fills.
    pub(super) async fn with_all_fills(
        &self,
        account: Account,
        instrument: Instrument,
        told: Vec<Event>,
    ) -> Outcome {
        let short = short(&told);
        let (_, mut all): (Vec<_>, Vec<_>) = told
            .into_iter()
            .partition(|event| order_of(event).is_some_and(|(number, _)| short.contains_key(&number)));
        for (number, order) in short {
            match self.find(account, instrument.symbol, order, Some(number)).await {
                Ok(found) if has_ended(&found, number) => all.extend(found),
                Ok(_) => return unknown(order, "the lookup does not tell its end yet"),
                Err(why) => return unknown(order, &why.to_string()),
            }
        }
        Outcome::Facts(all)
    }
}

/// The orders that have ended with more traded than the fills tell.
fn short(told: &[Event]) -> BTreeMap<VenueOrderId, ClientOrderId> {
    let mut missing: BTreeMap<VenueOrderId, (ClientOrderId, Decimal)> = BTreeMap::new();
    for event in told {
        match event {
            Event::Order(OrderEvent::Filled(fill)) => {
                let (_, rest) = missing.entry(fill.venue_order).or_insert((fill.order, Decimal::ZERO));
                *rest = rest.saturating_sub(fill.quantity.get());
            }
            Event::Order(OrderEvent::Ended(end)) => {
                let (_, rest) = missing.entry(end.venue_order).or_insert((end.order, Decimal::ZERO));
                *rest = rest.saturating_add(end.filled.quantity);
            }
            _ => {}
        }
    }
    let short = missing.into_iter().filter(|(_, (_, rest))| *rest > Decimal::ZERO);
    short.map(|(number, (order, _))| (number, order)).collect()
}

fn has_ended(told: &[Event], number: VenueOrderId) -> bool {
    told.iter()
        .any(|event| matches!(event, Event::Order(OrderEvent::Ended(end)) if end.venue_order == number))
}

/// Of the facts that answers tell.
fn order_of(event: &Event) -> Option<(VenueOrderId, ClientOrderId)> {
    match event {
        Event::Order(OrderEvent::Accepted(e)) => Some((e.venue_order, e.order)),
        Event::Order(OrderEvent::Filled(e)) => Some((e.venue_order, e.order)),
        Event::Order(OrderEvent::Ended(e)) => Some((e.venue_order, e.order)),
        _ => None,
    }
}

fn unknown(order: ClientOrderId, why: &str) -> Outcome {
    let text = format!("the venue took it and {order} has ended, but not all of its fills are known: {why}");
    Outcome::Unknown { text }
}
