//! The leadership of a unit: of all replicas that want it one holds it, under a fence, and does the unit's work.

use super::{
    Limits, UnitError, UnitPhase, UnitStatus,
    lease::{self, Lease},
    retry::{Backoff, insist},
    rollback_check,
    stop::Stop,
};
use bus::Bus;
use domain::UnitName;
use replica::Fault;
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tape::Tape;
use tokio::sync::watch;

/// Who wants to speak for which unit.
#[derive(Clone)]
pub struct Leadership {
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

/// What is done for a unit by whoever holds its leadership.
pub trait Work: Send {
    /// From a lease to its end, until `stop`. Dropped, at whatever it waits for, once the lease is lost.
    fn work(&mut self, lease: &Lease, stop: Stop) -> impl Future<Output = Result<(), Fault>> + Send;
}

impl Leadership {
    /// Stands by for the leadership, does the work while it is held, and begins anew after a fault, until
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
                fault = lease.kept() => Err(fault),
                () = stop.clone().overdue(self.limits.stop) => Err(Fault::Overdue),
            };
            if !matches!(ended, Err(Fault::Lost(_))) {
                lease.release(self.limits.stop).await;
            }
            self.status.gives_up();
            let Err(fault) = ended else { return Ok(()) };
            tracing::warn!(%unit, owner = self.owner, "begins anew: {fault}");
            // What passes is over once another speaks; what is stuck stays so until it is mended.
            standing = match &fault {
                Fault::Stuck(why) => Some(why.clone()),
                _ => None,
            };
            if begun.elapsed() > self.limits.slowest_retry {
                backoff.reset();
            }
            let fault_now = fault.standing();
            let pause = match fault {
                Fault::Lost(_) => self.lease / 3,
                Fault::Doubt(_) | Fault::Away(_) => backoff.pause(),
                Fault::Stuck(_) => self.limits.stuck,
                Fault::Fatal(source) => return Err(UnitError::Tape { unit, source }),
                Fault::Overdue => return Err(UnitError::Overdue { unit, limit: self.limits.stop }),
            };
            self.status.enter(fault_now.map_or(UnitPhase::Standby, UnitPhase::CutOff));
            stop.or_after(pause).await;
        }
    }

    /// Tries until the tape can be reached. For what can be asked twice.
    ///
    /// # Errors
    /// Any other fault.
    pub async fn insist<T, E, F>(&self, attempt: impl FnMut() -> F) -> Result<T, Fault>
    where
        F: Future<Output = Result<T, E>>,
        Fault: From<E>,
    {
        insist(&self.status, &self.limits, attempt).await
    }

    /// Tries once, for as long as a save may take. `None` if the tape is away or does not answer in time: whatever
    /// is done only to save time later is done then.
    ///
    /// # Errors
    /// Any other fault.
    pub async fn once<T, E>(&self, attempt: impl Future<Output = Result<T, E>>) -> Result<Option<T>, Fault>
    where
        Fault: From<E>,
    {
        let tried = tokio::time::timeout(self.limits.once, attempt).await;
        let silent = || Err(Fault::Away(format!("no answer within {} s", self.limits.once.as_secs_f64())));
        match tried.map_or_else(|_| silent(), |done| done.map_err(Fault::from)) {
            Ok(done) => Ok(Some(done)),
            Err(Fault::Away(why)) => {
                tracing::debug!(unit = %self.unit, "left for later: {why}");
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    async fn confirmed(&self, lease: &Lease, work: &mut impl Work, stop: Stop) -> Result<(), Fault> {
        if let Some(opened) = &lease.opened {
            rollback_check::confirm(self, opened.tape).await?;
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
