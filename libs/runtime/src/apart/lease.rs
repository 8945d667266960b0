//! The right to speak for a unit: waiting for it, keeping it, letting go of it.

use super::{UnitError, UnitPhase, seat::Seat, stop::Stop};
use domain::UnitName;
use events::TapeOpened;
use replica::Trouble;
use std::time::Duration;
use tape::{Cursor, LeaseError, Tape};

/// A renewal is tried this many times before the lease is over.
const RENEWALS: u32 = 3;
/// How often one that stands by asks for the lease, at least: so long does a unit stand still when its
/// replica is stopped in good order.
const STANDBY: Duration = Duration::from_millis(500);

/// The right to speak for a unit, while it lasts.
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
    seat: &Seat,
    standing: Option<&str>,
    stop: &mut Stop,
) -> Result<Option<Lease>, UnitError> {
    loop {
        if stop.is_asked() {
            seat.status.enter(UnitPhase::Stopping);
            return Ok(None);
        }
        let phase = match claim(seat).await {
            Ok(Some(lease)) => return Ok(Some(lease)),
            Ok(None) => standing.map_or(UnitPhase::Standby, |why| UnitPhase::CutOff(why.to_owned())),
            Err(Trouble::Fatal(source)) => return Err(UnitError::Tape { unit: seat.unit, source }),
            Err(trouble) => UnitPhase::CutOff(trouble.to_string()),
        };
        seat.status.enter(phase);
        stop.or_after(STANDBY.min(seat.lease / RENEWALS)).await;
    }
}

/// `None` while somebody else's lease runs.
async fn claim(seat: &Seat) -> Result<Option<Lease>, Trouble> {
    let tape = seat.tape.clone();
    let opened = tape.opened().await?;
    if opened.is_none() && !seat.opens {
        return Err(Trouble::Away("the tape is empty: nobody has opened it yet".to_owned()));
    }
    match tape.acquire(seat.unit, &seat.owner, seat.lease, false).await {
        Ok(cursor) => Ok(Some(Lease { tape, ttl: seat.lease, cursor, opened })),
        Err(LeaseError::Held { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

impl Lease {
    pub fn unit(&self) -> UnitName {
        self.cursor.unit
    }
    pub fn fence(&self) -> u64 {
        self.cursor.fence
    }

    /// Renews the lease in time, for as long as it can be; ends only when it is lost.
    /// A tape that cannot be reached is no loss: whoever cannot reach it cannot speak either.
    pub(super) async fn kept(&self) -> Trouble {
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
