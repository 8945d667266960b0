//! One unit: a core, its place on the tape, and the arithmetic of positions.

use crate::{Held, Late, Own, Service, core::Core};
use domain::{Timestamp, UnitName};
use events::{Event, Kind, Position, Recorded, UnitStarted};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::any::Any;

/// A hosted core.
///
/// Invariant: the state holds exactly the inputs up to `cursor` and, for a unit that takes its own
/// sayings at their cause, everything that it said on them.
pub struct Host {
    unit: UnitName,
    core: Box<dyn Core>,
    cursor: Position,
    /// Own events up to here are in the state.
    said_through: Position,
    /// The largest distance yet between an event said and its cause.
    reach: u64,
    /// Events that have reached the core.
    heard: u64,
}

/// What a position that comes in means to a unit: the tape decides order, the broker only hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    Duplicate,
    Next,
    /// Something was missed: read from the tape after this position first.
    Gap {
        after: Position,
    },
}

/// A state with its place on the tape, as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    pub cursor: Position,
    pub said_through: Position,
    pub state: Box<RawValue>,
}

impl Host {
    pub fn new<S: Service>(unit: UnitName, config: S::Config) -> Self {
        Self { unit, core: Box::new(Held::<S>::new(config)), cursor: 0, said_through: 0, reach: 0, heard: 0 }
    }

    pub fn unit(&self) -> UnitName {
        self.unit
    }
    /// The name of its core.
    pub fn core_name(&self) -> &'static str {
        self.core.name()
    }
    /// What it says before anything else under this build: it has judged up to one position, and judges from the
    /// other on.
    pub fn started(&self, build: &str, judged: Position, after: Position) -> UnitStarted {
        let (core, config) = (self.core.name().to_owned(), self.config());
        UnitStarted { unit: self.unit, core, build: build.to_owned(), config, judged, after }
    }
    pub fn cursor(&self) -> Position {
        self.cursor
    }
    pub fn heard(&self) -> u64 {
        self.heard
    }
    pub fn reach(&self) -> u64 {
        self.reach
    }
    pub fn said_through(&self) -> Position {
        self.said_through
    }
    pub fn own(&self) -> Own {
        self.core.own()
    }
    pub fn late(&self) -> Late {
        self.core.late()
    }
    pub fn hears(&self, kind: Kind) -> bool {
        self.core.hears().contains(&kind)
    }
    pub fn heard_kinds(&self) -> &'static [Kind] {
        self.core.hears()
    }
    pub fn config(&self) -> Value {
        self.core.config()
    }
    pub fn state(&self) -> Value {
        self.core.state()
    }

    pub fn arrival(&self, position: Position) -> Arrival {
        match position {
            p if p <= self.cursor => Arrival::Duplicate,
            p if p == self.cursor + 1 => Arrival::Next,
            _ => Arrival::Gap { after: self.cursor },
        }
    }

    /// Whether this event reaches the core at all.
    pub fn takes(&self, event: &Recorded) -> bool {
        match self.core.own() {
            Own::AtCause => event.source != self.unit && self.hears(event.event.kind()),
            Own::InPlace => event.source == self.unit || self.hears(event.event.kind()),
        }
    }

    /// Hears the next event of the tape and adds what is to be said on it.
    /// The state already has it; if it cannot be committed, the state must be discarded.
    pub fn handle(&mut self, event: &Recorded, said: &mut Vec<Event>) {
        if self.takes(event) {
            self.heard += 1;
            self.core.hear(event.recorded_at, &event.event, said);
        }
        self.cursor = event.position;
    }

    /// Hears the next event of the tape without a word about it.
    pub fn learn(&mut self, event: &Recorded) {
        if self.takes(event) {
            self.heard += 1;
            self.core.apply(event.recorded_at, &event.event);
        }
        self.cursor = event.position;
    }

    /// [`Self::handle`] for a caller that has routed by kind already and moves the cursor itself.
    pub(crate) fn hear(&mut self, now: Timestamp, event: &Event, said: &mut Vec<Event>) {
        self.heard += 1;
        self.core.hear(now, event, said);
    }

    /// The unit has dealt with everything up to `cursor`, and its sayings lie at or before `head`.
    pub fn settle(&mut self, cursor: Position, head: Position) {
        self.cursor = cursor;
        self.said_through = head;
    }

    /// What it has said so far lies at or before `head`.
    pub fn committed(&mut self, head: Position) {
        self.said_through = head;
    }

    /// Whether it has heard everything that the unit itself has said. A sink's hands may judge an
    /// answer by its state only then: a later attempt of its own may lie between.
    pub fn has_heard_itself(&self) -> bool {
        self.cursor >= self.said_through
    }

    /// An event of this unit lies `distance` after its cause.
    pub fn reached(&mut self, distance: u64) {
        self.reach = self.reach.max(distance);
    }

    /// The core and its state, for the hands of a sink; `None` if the core is another.
    pub fn held<S: Service>(&self) -> Option<(&S, &S::State)> {
        let core: &dyn Any = self.core.as_ref();
        core.downcast_ref::<Held<S>>().map(|held| (&held.service, &held.state))
    }

    pub(crate) fn core(&mut self) -> &mut dyn Core {
        self.core.as_mut()
    }

    /// Back to the beginning of the tape.
    pub fn reset(&mut self) {
        self.core.reset();
        self.cursor = 0;
        self.said_through = 0;
    }

    /// The state with its place, to be stored.
    pub fn snapshot(&self) -> Vec<u8> {
        let state =
            String::from_utf8(self.core.state_json()).ok().and_then(|s| RawValue::from_string(s).ok());
        let Some(state) = state else { unreachable!("a state is written as JSON") };
        let stored = Stored { cursor: self.cursor, said_through: self.said_through, state };
        serde_json::to_vec(&stored).unwrap_or_else(|e| unreachable!("plain data: {e}"))
    }

    /// # Errors
    /// The bytes are not a snapshot of this core; the host is then at the beginning of the tape.
    pub fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()> {
        self.reset();
        let stored: Stored = serde_json::from_slice(snapshot)?;
        self.core.restore(stored.state.get().as_bytes())?;
        self.cursor = stored.cursor;
        self.said_through = stored.said_through;
        Ok(())
    }
}
