//! The venue itself.

use domain::{Decimal, Instrument, Quantity, Size, Timestamp};
use events::Event;
use service::Solo;
use venue_paper::{Config, VenuePaper};

pub struct Stage(pub Solo<VenuePaper>);

impl Stage {
    pub fn new(config: Config) -> Self {
        Self(Solo::new(config))
    }

    /// What it says on hearing `event`.
    pub fn hear(&mut self, now: Timestamp, event: Event) -> Vec<Event> {
        self.0.hear(now, event)
    }

    /// The orders that work, by their ids, in the order of their acceptance.
    pub fn open(&mut self, _: Instrument) -> Vec<String> {
        self.0.state.exchange.open_orders().map(|(_, order)| order.id.to_string()).collect()
    }
}

pub fn base(quantity: Decimal) -> Size {
    Size::Base(Quantity::new(quantity).unwrap_or_else(|e| panic!("{e}")))
}
