//! `Spot` on candles and quotes is the unit, told by calls instead of events.

use super::World;
use domain::{ClientOrderId, Price, Quantity, Timestamp};
use events::{AccountEvent, CandleEvent, Event, InstrumentEvent, OrderEvent, QuoteEvent};
use venue_paper::engine::{Owner, Report, Wanted};

type Fact = (ClientOrderId, &'static str, Option<(Price, Quantity)>, Timestamp);

impl World {
    pub fn drive(&mut self, heard: &Event, said: &[Event]) {
        let now = self.now;
        let reports = match heard {
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.spot.list(e.instrument, &e.rules);
                let balances = said.iter().filter_map(|event| match event {
                    Event::Account(AccountEvent::BalanceChanged(e)) => Some((e.asset, e.free)),
                    _ => None,
                });
                for (asset, free) in balances {
                    self.spot.adjust(now, Owner::FIRST, asset, free).expect("a deposit");
                }
                Vec::new()
            }
            Event::Candle(CandleEvent::Closed(e)) => self.spot.see_candle(now, &e.candle),
            Event::Quote(QuoteEvent::Seen(e)) => self.spot.see_quote_of(now, e.instrument, e.price, e.at),
            // What the unit turns away itself never reaches its exchange.
            Event::Order(OrderEvent::Attempted(_)) if !said.iter().all(reached_the_exchange) => return,
            Event::Order(OrderEvent::Attempted(e)) => match self.submitted.get(&e.request) {
                Some((instrument, request)) => self.spot.place(now, *instrument, &Wanted::from(*request)),
                None => return,
            },
            Event::Order(OrderEvent::CancelAttempted(e)) => {
                self.spot.cancel(now, Owner::FIRST, e.instrument, e.order)
            }
            _ => Vec::new(),
        };
        let told: Vec<Fact> = reports.iter().filter_map(of_report).collect();
        assert_eq!(told, said.iter().filter_map(of_event).collect::<Vec<_>>());
        assert_eq!(self.spot.exchange, self.solo.state.exchange);
    }
}

fn reached_the_exchange(said: &Event) -> bool {
    !matches!(said, Event::Order(OrderEvent::Rejected(e)) if matches!(e.code, None | Some(-1021)))
}

fn of_report(report: &Report) -> Option<Fact> {
    match report {
        Report::Accepted(e) => Some((e.order, "accepted", None, e.at)),
        Report::Rejected { order, at, .. } => Some((*order, "rejected", None, *at)),
        Report::Filled(e) => Some((e.order, "filled", Some((e.price, e.quantity)), e.at)),
        Report::Ended(e) => Some((e.order, e.ending.as_str(), None, e.at)),
        Report::CancelRejected { order, at, .. } => Some((*order, "not canceled", None, *at)),
        Report::Balance { .. } | Report::QuoteWanted | Report::Triggered { .. } => None,
        Report::Amended(_)
        | Report::AmendRejected { .. }
        | Report::Prevented(_)
        | Report::Pegged { .. }
        | Report::Released { .. } => {
            panic!("nothing of the kind was asked for: {report:?}")
        }
    }
}

fn of_event(event: &Event) -> Option<Fact> {
    match event {
        Event::Order(OrderEvent::Accepted(e)) => Some((e.order, "accepted", None, e.at)),
        Event::Order(OrderEvent::Rejected(e)) => Some((e.order, "rejected", None, e.at)),
        Event::Order(OrderEvent::Filled(e)) => Some((e.order, "filled", Some((e.price, e.quantity)), e.at)),
        Event::Order(OrderEvent::Ended(e)) => Some((e.order, e.ending.as_str(), None, e.at)),
        Event::Order(OrderEvent::CancelRejected(e)) => Some((e.order, "not canceled", None, e.at)),
        _ => None,
    }
}
