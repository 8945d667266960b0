//! One replica of one unit, in a task of its own: what it shares with others is the tape and the bus.
//!
//! Invariants:
//! - Of all replicas of a unit only the one that holds the fence can commit. What the others have in
//!   mind is never on the tape.
//! - What is said and the cursor are one commit, so no input is answered twice or not at all,
//!   whenever a replica dies.
//! - The tape decides order. A hint of the bus is followed only if its hash links to what was heard.
//! - A state whose sayings could not be committed is discarded, never mended.
//! - A replica that cannot go on says why in its [`UnitStatus`] and is not ready.
//!
//! The life of a replica: stand by until the lease is had ([`lease`]), come back from the tape, hear and
//! answer (a [`replica::Machine`], driven by [`lead`]), and begin anew when it is over.

pub mod hands;
mod lead;
pub mod leadership;
pub mod lease;
mod limits;
mod record;
mod retry;
mod rollback_check;
pub(crate) mod status;
pub mod stop;

pub use limits::Limits;
pub use record::{Recording, differs, record_facts};
pub use replica::Fault;
pub use retry::{Backoff, insist};
pub use status::{Count, Figure, Side, UnitPhase, UnitStatus, metrics, ready};

use domain::{Timestamp, UnitName};
use hands::Hands;
use leadership::{Leadership, Work};
use lease::Lease;
use service::Host;
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use stop::Stop;
use tape::{Head, StorageError};
use thiserror::Error;
use tokio::sync::watch;

/// What is to be run, where, by whom.
pub struct Replica {
    pub leadership: Leadership,
    /// Gives the unit anew, at the beginning of the tape.
    pub make: Arc<dyn Fn() -> Host + Send + Sync>,
    pub build: String,
    /// Of a sink: who does its I/O.
    pub hands: Option<Hands>,
}

/// Why a replica gave up. Everything else it waits out.
#[derive(Debug, Error)]
pub enum UnitError {
    #[error("{unit}: {source}")]
    Tape { unit: UnitName, source: StorageError },
    #[error(
        "{unit} did not finish within {} s of being asked to stop: nothing is lost, the next start goes on from its saved cursor",
        limit.as_secs()
    )]
    Overdue { unit: UnitName, limit: Duration },
}

/// Runs a replica until `stop` turns true or its sender is gone. It then finishes what it has begun,
/// saves its cursor and a snapshot, and lets go of the lease.
///
/// May be cancelled at any moment: that is a death, and the lease runs out by itself.
///
/// # Errors
/// The tape is closed or must be opened anew, or stopping took longer than its limit.
pub async fn run(replica: Replica, stop: watch::Receiver<bool>) -> Result<(), UnitError> {
    let leadership = replica.leadership.clone();
    leadership.hold(stop, Core { replica, known: Head::EMPTY }).await
}

struct Core {
    replica: Replica,
    /// The last row of the tape that this replica has heard in any of its incarnations.
    known: Head,
}

impl Work for Core {
    async fn work(&mut self, lease: &Lease, stop: Stop) -> Result<(), Fault> {
        lead::lead(&self.replica, lease, &mut self.known, stop).await
    }
}

/// This machine's time. Nothing is decided by it where the tape's own time can be known.
pub fn machine_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
