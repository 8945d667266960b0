//! The bus: carries committed rows to whoever waits for them, as hints, and account frames from
//! ingestors to the recorder.
//!
//! The tape owns the events. A row that comes from the bus only says that there is one; loss,
//! repetition and disorder cost whoever listens a read of the tape, never an event. A frame is
//! acknowledged once what it says is on the tape, so it may come again, and is never lost.
//!
//! Invariants:
//! - Publishing hints never waits and never fails: what cannot be carried is found on the tape.
//! - Every queue is bounded, every wait has an end. A subscriber that is too slow loses hints and is
//!   told so.
//! - Nothing here says that a row is true: a listener checks that its hash follows from what it has
//!   heard, so another tape's row, or an altered one, is never followed.
//! - No message, error or log shows a password.

mod error;
mod frame;
mod hex;
mod in_process;
mod ingest;
mod rabbit;
mod status;
pub mod topology;

pub use error::{BusError, BusFault};
pub use frame::{FrameKind, IngestFrame, Malformed};
pub use in_process::{CAPACITY, Frames, InProcess};
pub use ingest::{Batch, IngestConsumer, IngestPublisher};
pub use rabbit::{IngestQueue, NOT_YET, Rabbit, RowSubscription, TapePublisher, WINDOW};
pub use status::BusStatus;

use events::{Hash, Position, Row, Uuid};
use std::sync::Arc;

/// A way to carry hints. Cheap to clone; all clones are the same bus.
#[derive(Debug, Clone)]
pub enum Bus {
    InProcess(InProcess),
    Rabbit(Rabbit),
}

/// One listener's end.
#[derive(Debug)]
pub enum Subscription {
    InProcess(in_process::Subscription),
    Rabbit(RowSubscription),
}

/// What a listener is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// This row was committed. It may come again, and before an earlier one.
    Row(Arc<Row>),
    /// Some hints were lost on the way: this many, as far as that is known; 0 is said whenever the
    /// bus was (re)attached, when nobody can know. The tape has the rows.
    Missed(u64),
    /// The furthest row of this tape among the last ones that the broker holds, said at each
    /// (re)attach. A tape that ends before it, or has another hash there, was put back to an older
    /// copy, or is not the one that was published.
    Latest { position: Position, hash: Hash },
}

impl Bus {
    /// Within this process, with room for [`CAPACITY`] rows.
    pub fn in_process() -> Self {
        Self::InProcess(InProcess::new(CAPACITY))
    }

    /// Tells every subscriber in this process of rows that are on the tape, in the order of their
    /// positions. Call it after the commit, never before.
    /// On RabbitMQ nothing is said here: the recorder publishes what any process committed.
    pub fn publish(&self, committed: impl IntoIterator<Item = Row>) {
        match self {
            Self::InProcess(bus) => bus.publish(committed),
            Self::Rabbit(_) => {}
        }
    }

    /// Hears of `tape` from now on; what came before is on the tape. Other tapes' rows are dropped;
    /// within a process there is only one.
    pub fn subscribe(&self, tape: Uuid) -> Subscription {
        match self {
            Self::InProcess(bus) => Subscription::InProcess(bus.subscribe()),
            Self::Rabbit(rabbit) => Subscription::Rabbit(rabbit.subscribe(tape)),
        }
    }

    pub fn status(&self) -> BusStatus {
        match self {
            Self::InProcess(_) => BusStatus { connected: true, ..BusStatus::default() },
            Self::Rabbit(rabbit) => rabbit.status(),
        }
    }
}

impl Subscription {
    /// The next hint, once there is one; `None` when the bus is gone and nothing more will come.
    /// May be cancelled at any moment without losing a hint.
    pub async fn next(&mut self) -> Option<Hint> {
        match self {
            Self::InProcess(subscription) => subscription.next().await,
            Self::Rabbit(subscription) => subscription.next().await,
        }
    }

    /// A hint that is here already.
    pub fn try_next(&mut self) -> Option<Hint> {
        match self {
            Self::InProcess(subscription) => subscription.try_next(),
            Self::Rabbit(subscription) => subscription.try_next(),
        }
    }
}
