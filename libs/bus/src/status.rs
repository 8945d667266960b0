//! How the bus is, for health and metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A look at one process' end of the bus. Counts are since it started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BusStatus {
    /// Every connection that this process needs is there.
    pub connected: bool,
    /// The broker takes no messages (its memory or disk alarm).
    pub blocked: bool,
    /// Why it is not connected, or blocked.
    pub why: Option<String>,
    /// What on the broker is not as it should be; it works all the same, but not as designed.
    pub topology: Option<String>,
    /// Connections made after the first one.
    pub reconnects: u64,
    /// Messages handed over; confirmed; refused; returned because no queue took them.
    pub published: u64,
    pub confirmed: u64,
    pub refused: u64,
    pub returned: u64,
    /// Deliveries, of hints and of frames.
    pub received: u64,
    /// Hints not passed on: another tape's; unreadable; no room with the listener.
    pub foreign: u64,
    pub malformed: u64,
    pub overflowed: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reconnects: AtomicU64,
    pub(crate) published: AtomicU64,
    pub(crate) confirmed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) returned: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) foreign: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) overflowed: AtomicU64,
}

impl BusStatus {
    pub(crate) fn new(counters: &Counters) -> Self {
        let Counters {
            reconnects,
            published,
            confirmed,
            refused,
            returned,
            received,
            foreign,
            malformed,
            overflowed,
        } = counters;
        Self {
            connected: true,
            blocked: false,
            why: None,
            topology: None,
            reconnects: reconnects.load(Relaxed),
            published: published.load(Relaxed),
            confirmed: confirmed.load(Relaxed),
            refused: refused.load(Relaxed),
            returned: returned.load(Relaxed),
            received: received.load(Relaxed),
            foreign: foreign.load(Relaxed),
            malformed: malformed.load(Relaxed),
            overflowed: overflowed.load(Relaxed),
        }
    }
}

/// Adds `n`; nobody orders anything by it.
pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}
