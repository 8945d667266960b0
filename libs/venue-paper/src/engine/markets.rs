//! The instruments, found in the order in which a feed tends to name them.

use super::Market;
use domain::Instrument;
use serde::{Deserialize, Serialize};

/// Sorted by instrument. A feed names them in turn, so the place found last, or the one behind it,
/// is as a rule the one wanted; only that memory is not part of the state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Markets {
    list: Vec<(Instrument, Market)>,
    #[serde(skip)]
    near: usize,
}

impl PartialEq for Markets {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Markets {
    pub fn get(&self, instrument: &Instrument) -> Option<&Market> {
        self.find(instrument).ok().map(|i| &self.list[i].1)
    }

    pub fn get_mut(&mut self, instrument: &Instrument) -> Option<&mut Market> {
        let place = self.find(instrument).ok()?;
        self.near = place;
        Some(&mut self.list[place].1)
    }

    pub fn insert(&mut self, instrument: Instrument, market: Market) {
        match self.find(&instrument) {
            Ok(place) => self.list[place].1 = market,
            Err(place) => self.list.insert(place, (instrument, market)),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Instrument, &Market)> {
        self.list.iter().map(|(instrument, market)| (instrument, market))
    }

    fn find(&self, instrument: &Instrument) -> Result<usize, usize> {
        for place in [self.near, self.near + 1] {
            if self.list.get(place).is_some_and(|(listed, _)| listed == instrument) {
                return Ok(place);
            }
        }
        self.list.binary_search_by(|(listed, _)| listed.cmp(instrument))
    }
}
