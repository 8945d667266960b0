//! How far a run in one process has come.

use crate::distributed::{Count, UnitPhase, UnitStatus};
use domain::Timestamp;
use events::{CandleEvent, Event, Position, Recorded};
use service::Host;
use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};
use tape::Head;

/// Shared between the engine and whoever watches it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Reached(Arc<Inner>);

#[derive(Default)]
struct Inner {
    head: AtomicU64,
    time: AtomicI64,
    candles: AtomicU64,
    /// What each unit of the run tells of itself, its feed included.
    units: Vec<UnitStatus>,
}

impl Reached {
    pub fn of(units: Vec<UnitStatus>) -> Self {
        Self(Arc::new(Inner { units, ..Inner::default() }))
    }

    /// The last committed position.
    pub fn head(&self) -> Position {
        self.0.head.load(Relaxed)
    }
    /// The time of the last committed event.
    pub fn time(&self) -> Timestamp {
        Timestamp::from_micros(self.0.time.load(Relaxed))
    }
    /// Candles heard so far in this run.
    pub fn candles(&self) -> u64 {
        self.0.candles.load(Relaxed)
    }

    /// Time and position go on together, so that none is told that is not on the tape.
    pub fn committed(&self, head: &Head) {
        self.0.time.store(head.recorded_at.micros(), Relaxed);
        self.0.head.store(head.position, Relaxed);
        self.0.units.iter().for_each(|unit| unit.heard(head));
    }
    pub fn heard_candle(&self) {
        self.0.candles.fetch_add(1, Relaxed);
    }

    pub(crate) fn enter(&self, phase: &UnitPhase) {
        self.0.units.iter().for_each(|unit| unit.enter(phase.clone()));
    }
    /// Something that a person should know of that unit.
    pub(crate) fn note(&self, unit: domain::UnitName, note: &str) {
        let of = self.0.units.iter().filter(|of| of.unit() == unit);
        of.for_each(|of| of.note(Some(note.to_owned())));
    }
    pub(crate) fn said(&self, event: &Recorded) {
        if let Event::Candle(CandleEvent::Closed(_)) = &event.event {
            self.heard_candle();
        }
        if let Some(unit) = self.0.units.iter().find(|unit| unit.unit() == event.source) {
            unit.add(Count::Said, 1);
        }
    }
    pub(crate) fn handled(&self, hosts: &[Host]) {
        for unit in &self.0.units {
            if let Some(host) = hosts.iter().find(|host| host.unit() == unit.unit()) {
                unit.set(Count::Handled, host.heard());
            }
        }
    }
}
