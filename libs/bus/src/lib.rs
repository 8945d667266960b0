//! The bus: carries committed rows to whoever waits for them, as hints.
//!
//! The tape owns the events. A row that comes from the bus only says that there is one; loss,
//! repetition and disorder cost whoever listens a read of the tape, never an event.
//!
//! Invariants:
//! - Publishing never waits and never fails: what cannot be carried is found on the tape.
//! - Every queue is bounded. A subscriber that is too slow loses the oldest hints and is told so.
//! - Nothing here says that a row is true: a listener checks that its hash follows from what it has
//!   heard, so another tape's row, or an altered one, is never followed.

mod in_process;

pub use in_process::{CAPACITY, InProcess};

use events::Row;
use std::sync::Arc;

/// A way to carry hints. Cheap to clone; all clones are the same bus.
#[derive(Debug, Clone)]
pub enum Bus {
    InProcess(InProcess),
}

/// One listener's end.
#[derive(Debug)]
pub enum Subscription {
    InProcess(in_process::Subscription),
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// This row was committed. It may come again, and before an earlier one.
    Row(Arc<Row>),
    /// Some hints were lost on the way: this many, as far as that is known. The tape has the rows.
    Missed(u64),
}

impl Bus {
    /// Within this process, with room for [`CAPACITY`] rows.
    pub fn in_process() -> Self {
        Self::InProcess(InProcess::new(CAPACITY))
    }

    /// Tells every subscriber of rows that are on the tape, in the order of their positions.
    /// Call it after the commit, never before.
    pub fn publish(&self, committed: impl IntoIterator<Item = Row>) {
        match self {
            Self::InProcess(bus) => bus.publish(committed),
        }
    }

    /// Hears what is published from now on; what came before is on the tape.
    pub fn subscribe(&self) -> Subscription {
        match self {
            Self::InProcess(bus) => Subscription::InProcess(bus.subscribe()),
        }
    }
}

impl Subscription {
    /// The next hint, once there is one; `None` when the bus is gone and nothing more will come.
    /// May be cancelled at any moment without losing a hint.
    pub async fn next(&mut self) -> Option<Hint> {
        match self {
            Self::InProcess(subscription) => subscription.next().await,
        }
    }

    /// A hint that is here already.
    pub fn try_next(&mut self) -> Option<Hint> {
        match self {
            Self::InProcess(subscription) => subscription.try_next(),
        }
    }
}
