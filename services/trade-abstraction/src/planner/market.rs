//! What the market was last heard to trade at.

use domain::{Instrument, Price, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The last price of each instrument that is followed; of others none is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Market(BTreeMap<Instrument, Option<Heard>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    pub price: Price,
    /// When it was traded; the close of a candle, at its end.
    pub at: Timestamp,
}

impl Market {
    pub fn follow(&mut self, instrument: Instrument) {
        self.0.entry(instrument).or_default();
    }

    pub fn leave(&mut self, instrument: &Instrument) {
        self.0.remove(instrument);
    }

    pub fn last(&self, instrument: &Instrument) -> Option<Heard> {
        self.0.get(instrument).copied().flatten()
    }

    /// A candle has closed; of two closes at the same time the later said counts.
    pub fn close(&mut self, instrument: &Instrument, price: Price, at: Timestamp) {
        self.hear(instrument, Heard { price, at }, |known| known <= at);
    }

    /// A price within a candle; a close at that very instant counts before it.
    pub fn quote(&mut self, instrument: &Instrument, price: Price, at: Timestamp) {
        self.hear(instrument, Heard { price, at }, |known| known < at);
    }

    /// What comes late replaces nothing.
    fn hear(&mut self, instrument: &Instrument, heard: Heard, replaces: impl Fn(Timestamp) -> bool) {
        if let Some(last) = self.0.get_mut(instrument)
            && last.is_none_or(|last| replaces(last.at))
        {
            *last = Some(heard);
        }
    }
}
