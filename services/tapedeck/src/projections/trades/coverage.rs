//! For how long a trade was without a working stop over all that it held.

use domain::{Decimal, Timestamp};
use std::time::Duration;

/// The spells without a stop, from the first fill to the end; by the venue's clock, as far as it tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unstopped {
    total: Duration,
    longest: Duration,
    since: Option<Timestamp>,
    /// What of the present spell was counted before it was found to go on.
    counted: Duration,
    /// The last spell that ended.
    last: Option<(Timestamp, Timestamp)>,
}

impl Unstopped {
    /// No stop has covered all of it since then. A stop that was only said to cover all of it, at the instant at which
    /// it was found not to, ends nothing: the spell before goes on.
    pub(super) fn begin(&mut self, since: Timestamp) {
        if let Some(known) = &mut self.since {
            *known = since.min(*known);
            return;
        }
        self.since = Some(since);
        if let Some((begun, ended)) = self.last.take_if(|(_, ended)| since < *ended) {
            self.counted = ended.since(begun);
            self.total = self.total.saturating_sub(self.counted);
            self.since = Some(begun.min(since));
        }
    }

    /// A stop covers all of it, or nothing is held any more; never before it began, for clocks may differ.
    pub(super) fn end(&mut self, at: Timestamp) {
        if let Some(since) = self.since.take() {
            let at = at.max(since + std::mem::take(&mut self.counted));
            self.total += at.since(since);
            self.longest = self.longest.max(at.since(since));
            self.last = Some((since, at));
        }
    }

    /// In all, the present spell left out: it may turn out to have ended before now. Never less than before.
    pub fn counted(&self) -> Duration {
        self.total + self.counted
    }

    /// In all, and at the longest, by then.
    pub fn by(self, now: Timestamp) -> (Duration, Duration) {
        let mut then = self;
        then.end(now);
        (then.total, then.longest)
    }
}

/// To the millisecond.
pub fn seconds(length: Duration) -> Decimal {
    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    Decimal::new(millis, 3).normalize()
}
