//! The right to speak for a unit: waiting for it, keeping it, letting go of it.

use super::{UnitError, UnitPhase, leadership::Leadership, stop::Stop};
use domain::{Timestamp, UnitName};
use events::{Position, TapeOpened};
use replica::Fault;
use std::time::Duration;
use tape::{Cursor, CursorMove, LeaseError, Tape};

/// A renewal is tried this many times before the lease is over.
const RENEWALS: u32 = 3;
/// How often one that stands by asks for the lease, at least: so long does a unit stand still when its
/// replica is stopped in good order.
const STANDBY: Duration = Duration::from_millis(500);

/// The right to speak for a unit, while it lasts.
#[derive(Clone)]
pub struct Lease {
    tape: Tape,
    ttl: Duration,
    /// As it stood when the fence was given; nobody else has moved it since.
    pub cursor: Cursor,
    /// Position 1 of the tape; `None` if it is empty, which only its opener meets.
    pub opened: Option<TapeOpened>,
}

/// Stands by until nobody else speaks for the unit; `None` once asked to stop.
/// `standing` is what was wrong when the replica last spoke: it stays wrong while another speaks.
pub(super) async fn obtain(
    leadership: &Leadership,
    standing: Option<&str>,
    stop: &mut Stop,
) -> Result<Option<Lease>, UnitError> {
    loop {
        if stop.is_asked() {
            leadership.status.enter(UnitPhase::Stopping);
            return Ok(None);
        }
        let phase = match Lease::claim(leadership, false).await {
            Ok(Some(lease)) => return Ok(Some(lease)),
            Ok(None) => standing.map_or(UnitPhase::Standby, |why| UnitPhase::CutOff(why.to_owned())),
            Err(Fault::Fatal(source)) => return Err(UnitError::Tape { unit: leadership.unit, source }),
            Err(fault) => UnitPhase::CutOff(fault.to_string()),
        };
        leadership.status.enter(phase);
        stop.or_after(STANDBY.min(leadership.lease / RENEWALS)).await;
    }
}

impl Lease {
    /// `None` while somebody else's lease runs, unless it is taken by force.
    ///
    /// # Errors
    /// A tape that cannot be read, or is empty where this leadership does not open it.
    pub async fn claim(leadership: &Leadership, force: bool) -> Result<Option<Self>, Fault> {
        let tape = leadership.tape.clone();
        let opened = tape.opened().await?;
        if opened.is_none() && !leadership.opens {
            return Err(Fault::unopened());
        }
        match tape.acquire(leadership.unit, &leadership.owner, leadership.lease, force).await {
            Ok(cursor) => Ok(Some(Self { tape, ttl: leadership.lease, cursor, opened })),
            Err(LeaseError::Held { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// When the fence was given, by the database's clock, if that is known.
    pub fn given_at(&self) -> Option<Timestamp> {
        let ttl = i64::try_from(self.ttl.as_micros()).unwrap_or(i64::MAX);
        self.cursor.lease_until.map(|t| Timestamp::from_micros(t.micros().saturating_sub(ttl)))
    }

    /// What stands at position 1.
    ///
    /// # Errors
    /// The tape is empty.
    pub fn opened(&self) -> Result<&TapeOpened, Fault> {
        self.opened.as_ref().ok_or_else(Fault::unopened)
    }

    /// Moves the unit's cursor under the fence; for a unit whose answers need no looking ahead.
    pub fn step(&self, to: Position) -> CursorMove {
        CursorMove { unit: self.unit(), fence: self.fence(), to, reach: 0 }
    }

    pub fn unit(&self) -> UnitName {
        self.cursor.unit
    }
    pub fn fence(&self) -> u64 {
        self.cursor.fence
    }

    /// Renews the lease in time, for as long as it can be; ends only when it is lost.
    /// A tape that cannot be reached is no loss: whoever cannot reach it cannot speak either.
    pub(super) async fn kept(&self) -> Fault {
        loop {
            tokio::time::sleep(self.ttl / RENEWALS).await;
            let renewed = self.tape.renew(self.unit(), self.fence(), self.ttl).await;
            if let Err(e @ LeaseError::Lost { .. }) = renewed {
                return e.into();
            }
        }
    }

    /// Failing that, it runs out.
    pub(super) async fn release(&self, limit: Duration) {
        let release = self.tape.release(self.unit(), self.fence());
        if let Ok(Err(e)) = tokio::time::timeout(limit, release).await {
            tracing::debug!(unit = %self.unit(), "the lease was not released: {e}");
        }
    }
}
