//! What is held, by owner.

use super::Projection;
use crate::figures::as_tidy;
use domain::{Decimal, Direction, Timestamp};
use events::{Event, Kind, PositionEvent, PositionKey, Recorded};
use serde::Serialize;
use std::collections::BTreeMap;

/// An open position.
#[derive(Serialize)]
pub struct Held {
    #[serde(flatten)]
    pub key: PositionKey,
    pub direction: Direction,
    #[serde(serialize_with = "as_tidy")]
    pub quantity: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub average: Decimal,
    #[serde(serialize_with = "as_tidy")]
    pub cost: Decimal,
    pub since: Timestamp,
}

/// All that are open.
#[derive(Default)]
pub struct Positions(BTreeMap<(PositionKey, Direction), Held>);

impl Positions {
    pub fn into_rows(self) -> Vec<Held> {
        self.0.into_values().collect()
    }
}

impl Projection for Positions {
    const KINDS: &'static [Kind] =
        &[Kind::PositionOpened, Kind::PositionIncreased, Kind::PositionReduced, Kind::PositionClosed];

    fn see(&mut self, event: &Recorded) {
        let Event::Position(position) = &event.event else { return };
        let Self(held) = self;
        let (key, direction, quantity, average) = match position {
            PositionEvent::Opened(e) => (e.position, e.direction, e.quantity, e.average),
            PositionEvent::Increased(e) => (e.position, e.direction, e.quantity, e.average),
            // Of the dust of a position that is closed: no position.
            PositionEvent::Reduced(e) if !held.contains_key(&(e.position, e.direction)) => return,
            PositionEvent::Reduced(e) => (e.position, e.direction, e.quantity, e.average),
            PositionEvent::Closed(e) => {
                held.remove(&(e.position, e.direction));
                return;
            }
        };
        let since = held.get(&(key, direction)).map_or(event.recorded_at, |row| row.since);
        let cost = average * quantity;
        held.insert((key, direction), Held { key, direction, quantity, average, cost, since });
    }
}
