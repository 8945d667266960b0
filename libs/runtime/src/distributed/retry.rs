//! Trying again.

use super::{
    Limits, UnitStatus,
    status::{Count, Side},
};
use replica::Fault;
use std::{future::Future, time::Duration};

/// Pauses that double up to a limit.
pub struct Backoff {
    first: Duration,
    pause: Duration,
    slowest: Duration,
}

impl Backoff {
    pub fn new(limits: &Limits) -> Self {
        Self { first: limits.retry, pause: limits.retry, slowest: limits.slowest_retry }
    }

    pub fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(self.slowest);
        pause
    }

    /// It worked: the next pause is the first again.
    pub fn reset(&mut self) {
        self.pause = self.first;
    }
}

/// Tries until the tape can be reached, cut off meanwhile. For what can be asked twice.
///
/// # Errors
/// Any other fault.
pub async fn insist<T, E, F>(
    status: &UnitStatus,
    limits: &Limits,
    mut attempt: impl FnMut() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<T, E>>,
    Fault: From<E>,
{
    let mut backoff = Backoff::new(limits);
    loop {
        match attempt().await.map_err(Fault::from) {
            Err(Fault::Away(why)) => {
                status.misses(Side::Tape, why);
                status.add(Count::Retries, 1);
                tokio::time::sleep(backoff.pause()).await;
            }
            Err(other) => return Err(other),
            Ok(done) => {
                status.has(Side::Tape);
                return Ok(done);
            }
        }
    }
}
