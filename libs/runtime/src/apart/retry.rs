//! Trying again what the tape could not do.

use super::{Limits, UnitPhase, UnitStatus, status::Count};
use replica::Trouble;
use std::{future::Future, time::Duration};

/// Pauses that double up to a limit.
pub(crate) struct Backoff {
    pause: Duration,
    slowest: Duration,
}

impl Backoff {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { pause: limits.retry, slowest: limits.slowest_retry }
    }

    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.slowest);
        pause
    }
}

/// Tries until the tape can be reached, cut off meanwhile. For what can be asked twice.
///
/// # Errors
/// Any other trouble.
pub async fn insist<T, E, F>(
    status: &UnitStatus,
    limits: &Limits,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, E>>,
    Trouble: From<E>,
{
    let mut before = None;
    let mut backoff = Backoff::new(limits);
    loop {
        match attempt().await.map_err(Trouble::from) {
            Err(Trouble::Away(why)) => {
                if before.is_none() {
                    tracing::warn!(unit = %status.unit(), "the tape is away, and tried again: {why}");
                }
                before.get_or_insert_with(|| status.phase());
                status.enter(UnitPhase::CutOff(why));
                status.add(Count::Retries, 1);
                tokio::time::sleep(backoff.next()).await;
            }
            Err(other) => return Err(other),
            Ok(done) => {
                if let Some(phase) = before {
                    tracing::info!(unit = %status.unit(), "the tape is back");
                    status.enter(phase);
                }
                return Ok(done);
            }
        }
    }
}
