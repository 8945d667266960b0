//! A unit's seat: of all who want it one has it, under a fence, and does the unit's work.

use super::{
    Limits, UnitError, UnitPhase, UnitStatus,
    lease::{self, Lease},
    retry::Backoff,
    stop::Stop,
    witness,
};
use bus::Bus;
use domain::UnitName;
use replica::Trouble;
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tape::Tape;
use tokio::sync::watch;

/// Who wants to speak for which unit.
#[derive(Clone)]
pub struct Seat {
    pub tape: Tape,
    /// What was published of the tape is compared with it before each beginning.
    pub bus: Bus,
    pub unit: UnitName,
    /// No two that want the unit may share it: the tape takes a second one for the first, restarted.
    pub owner: String,
    /// How long a lease lasts unless it is renewed; another takes over at most 0.5 s after it has run out.
    pub lease: Duration,
    pub status: UnitStatus,
    pub limits: Limits,
    /// Whether the work may begin on an empty tape, since it is this unit that opens it.
    pub opens: bool,
}

/// What is done for a unit by whoever holds its seat.
pub trait Work: Send {
    /// From a lease to its end, until `stop`. Dropped, at whatever it waits for, once the lease is lost.
    fn work(&mut self, lease: &Lease, stop: Stop) -> impl Future<Output = Result<(), Trouble>> + Send;
}

impl Seat {
    /// Stands by for the seat, does the work while it is held, and begins anew after a trouble, until
    /// `stop` turns true or its sender is gone. Then the work is to end by itself within the limit.
    ///
    /// May be cancelled at any moment: that is a death, and the lease runs out.
    ///
    /// # Errors
    /// The tape is closed or must be opened anew, or stopping took longer than its limit.
    pub async fn hold(&self, stop: watch::Receiver<bool>, mut work: impl Work) -> Result<(), UnitError> {
        let unit = self.unit;
        let _task = Task(self.status.clone());
        let mut stop = Stop::new(stop);
        let mut standing = None;
        let mut backoff = Backoff::new(&self.limits);
        loop {
            let begun = Instant::now();
            let Some(lease) = lease::obtain(self, standing.as_deref(), &mut stop).await? else {
                return Ok(());
            };
            // All of it is one task: a core that does not come back lets the lease run out as well,
            // and another takes over.
            let ended = tokio::select! {
                ended = self.confirmed(&lease, &mut work, stop.clone()) => ended,
                trouble = lease.kept() => Err(trouble),
                () = stop.clone().overdue(self.limits.stop) => Err(Trouble::Overdue),
            };
            if !matches!(ended, Err(Trouble::Lost(_))) {
                lease.release(self.limits.stop).await;
            }
            let Err(trouble) = ended else { return Ok(()) };
            tracing::warn!(%unit, owner = self.owner, "begins anew: {trouble}");
            // What passes is over once another speaks; what is stuck stays so until it is mended.
            standing = match &trouble {
                Trouble::Stuck(why) => Some(why.clone()),
                _ => None,
            };
            if begun.elapsed() > self.limits.slowest_retry {
                backoff = Backoff::new(&self.limits);
            }
            let trouble_now = trouble.standing();
            let pause = match trouble {
                Trouble::Lost(_) => self.lease / 3,
                Trouble::Doubt(_) | Trouble::Away(_) => backoff.next(),
                Trouble::Stuck(_) => self.limits.stuck,
                Trouble::Fatal(source) => return Err(UnitError::Tape { unit, source }),
                Trouble::Overdue => return Err(UnitError::Overdue { unit, limit: self.limits.stop }),
            };
            self.status.enter(trouble_now.map_or(UnitPhase::Standby, UnitPhase::CutOff));
            stop.or_after(pause).await;
        }
    }

    async fn confirmed(&self, lease: &Lease, work: &mut impl Work, stop: Stop) -> Result<(), Trouble> {
        if let Some(opened) = &lease.opened {
            witness::confirm(&self.bus, &self.tape, opened.tape, &self.status, &self.limits).await?;
        }
        work.work(lease, stop).await
    }
}

/// A task that is gone, by a panic or a kill, is not ready.
struct Task(UnitStatus);

impl Drop for Task {
    fn drop(&mut self) {
        if self.0.phase() != UnitPhase::Stopping {
            self.0.enter(UnitPhase::CutOff("its task has ended".to_owned()));
        }
    }
}
