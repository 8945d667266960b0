//! How long to wait for what.

use std::time::Duration;

/// How long to wait for what. The defaults suit an exchange that pings within 20 s and ends connections after a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the whole of an answer, from sending on.
    pub answer: Duration,
    /// How long a query may wait for the limits; one that would have to wait longer is not made.
    pub limits: Duration,
    /// A connection over which nothing comes for so long is dead; more than two of the venue's pings apart.
    pub silence: Duration,
    /// The pause before the second attempt to connect; it doubles …
    pub first_pause: Duration,
    /// … up to this, and starts anew once a connection has held for so long.
    pub longest_pause: Duration,
    /// A connection of this age is replaced, before the venue ends it.
    pub renew: Duration,
    /// How long the old one is still read then.
    pub linger: Duration,
    /// A reading of the venue's clock that took longer is not used: it may be off by half of that.
    pub round_trip: Duration,
    /// How old a reading of the venue's clock may be.
    pub clock: Duration,
}

impl Timeouts {
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(5),
        answer: Duration::from_secs(10),
        limits: Duration::from_secs(60),
        silence: Duration::from_secs(75),
        first_pause: Duration::from_millis(500),
        longest_pause: Duration::from_secs(60),
        renew: Duration::from_secs(23 * 3_600),
        linger: Duration::from_secs(2),
        round_trip: Duration::from_secs(2),
        clock: Duration::from_secs(30 * 60),
    };
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::DEFAULT
    }
}
