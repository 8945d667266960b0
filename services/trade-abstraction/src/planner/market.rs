//! What the market was last heard to trade at.

use domain::{Instrument, Price, Timestamp, prices::Last};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The last price of each instrument that is followed; of others none is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Market(BTreeMap<Instrument, Option<Last>>);

impl Market {
    pub fn follow(&mut self, instrument: Instrument) {
        self.0.entry(instrument).or_default();
    }

    pub fn leave(&mut self, instrument: &Instrument) {
        self.0.remove(instrument);
    }

    pub fn last(&self, instrument: &Instrument) -> Option<Last> {
        self.0.get(instrument).copied().flatten()
    }

    pub fn close(&mut self, instrument: &Instrument, price: Price, at: Timestamp) {
        if let Some(last) = self.0.get_mut(instrument) {
            Last::close(last, price, at);
        }
    }

    pub fn quote(&mut self, instrument: &Instrument, price: Price, at: Timestamp) {
        if let Some(last) = self.0.get_mut(instrument) {
            Last::quote(last, price, at);
        }
    }
}
