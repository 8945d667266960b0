//! Every wait has an end, and the ends know each other.

use crate::BusFault;
use lapin::types::Heartbeat;
use std::{future::Future, time::Duration};

/// Publications of one publisher that may be without their confirmation.
pub const WINDOW: usize = 256;

/// Seconds between heartbeats. lapin gives a silent broker up after twice that.
pub(crate) const HEARTBEAT: Heartbeat = 5;
/// For a TCP connection; again for TLS; again for the protocol's greeting.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);
/// For a question that the broker answers at once: open, declare, consume, acknowledge.
pub(crate) const ASK: Duration = Duration::from_secs(8);
/// From one confirmation to the next.
pub(crate) const CONFIRM: Duration = Duration::from_secs(10);
/// How long a caller waits for a connection, or for a blocked one, before it is told.
pub(crate) const CONNECT_WAIT: Duration = Duration::from_secs(2);
/// For saying goodbye.
pub(crate) const CLOSE: Duration = Duration::from_secs(2);
/// How long a consumer waits for the first frame of a batch, before it gives an empty one.
pub(crate) const IDLE: Duration = Duration::from_secs(1);
/// Between looks at whether a connection still stands, and between acknowledgements of hints.
pub(crate) const TICK: Duration = Duration::from_secs(1);
/// A publisher makes sure that its queues are there at most this often.
pub(crate) const REDECLARE: Duration = Duration::from_secs(5);
/// Pauses before connecting anew: doubling from the first to the second.
pub(crate) const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Hints that the broker may send ahead of their acknowledgement (a stream's credit), and how many
/// are acknowledged at once. The broker's own limit for an acknowledgement is 30 minutes.
pub(crate) const CREDIT: u16 = 1_024;
pub(crate) const ACKNOWLEDGE_EVERY: usize = 256;
const _: () = assert!(ACKNOWLEDGE_EVERY * 2 <= CREDIT as usize, "the broker must not run out of credit");

/// Hints that a listener may lie behind before it loses the oldest.
pub(crate) const HINTS: usize = 4_096;
/// After an attach the last chunk is over when nothing more came for this long, or after that long
/// at most.
pub(crate) const QUIET: Duration = Duration::from_millis(200);
pub(crate) const SETTLE: Duration = Duration::from_secs(1);
/// A stream that may be empty is, when it gave nothing for this long.
pub(crate) const EMPTY: Duration = Duration::from_millis(1_500);
const _: () = assert!(QUIET.as_millis() * 2 < SETTLE.as_millis());

/// A stalled broker is given up before those who wait for it have given up many times.
const _: () = assert!(HEARTBEAT as u64 * 2 <= CONFIRM.as_secs());

/// Waits for `answer`, and no longer than `limit`.
pub(crate) async fn within<T>(
    limit: Duration,
    what: &'static str,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusFault> {
    match tokio::time::timeout(limit, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(BusFault::Away { why: format!("{what}: {error}") }),
        Err(_) => Err(BusFault::TimedOut { what }),
    }
}

/// [`within`] for a question that the broker answers at once.
pub(crate) async fn ask<T>(
    what: &'static str,
    answer: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BusFault> {
    within(ASK, what, answer).await
}
