//! What a replica waits for, and how long.

use std::time::Duration;

/// Shortened in tests only.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How often the tape is looked at, whatever the bus says.
    pub poll: Duration,
    /// The least time, on average, between two looks at the tape because others have committed: by then
    /// the bus has told most of it.
    pub again: Duration,
    /// On a wall clock, a cursor that moved without a word is saved after this long, and a poll.
    pub save: Duration,
    /// Events heard in one commit, at most.
    pub group: usize,
    /// Positions heard between snapshots.
    pub snapshot_every: u64,
    /// A unit this many positions behind is catching up, and not ready.
    pub behind: u64,
    /// The first pause before something is tried again; each is twice the one before …
    pub retry: Duration,
    /// … up to this one.
    pub slowest_retry: Duration,
    /// How long a cursor that is saved only to spare the next start some work may take.
    pub once: Duration,
    /// The pause after something that only a person or another build can mend.
    pub stuck: Duration,
    /// How long stopping may take.
    pub stop: Duration,
}

const POLL: Duration = Duration::from_millis(250);
const SAVE: Duration = Duration::from_millis(700);
const RETRY: Duration = Duration::from_millis(20);
const SLOWEST_RETRY: Duration = Duration::from_secs(5);

/// A silent unit's cursor is saved at least every second.
const _: () = assert!(POLL.as_millis() + SAVE.as_millis() < 1_000);
const _: () = assert!(RETRY.as_millis() < SLOWEST_RETRY.as_millis());

impl Default for Limits {
    fn default() -> Self {
        Self {
            poll: POLL,
            again: Duration::from_millis(5),
            save: SAVE,
            group: 512,
            snapshot_every: 10_000,
            behind: 4_096,
            retry: RETRY,
            slowest_retry: SLOWEST_RETRY,
            once: Duration::from_secs(1),
            stuck: Duration::from_secs(5),
            stop: Duration::from_secs(10),
        }
    }
}
