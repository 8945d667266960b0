//! The exchange's time: the wall's, a faster one, or that of what it is told.

use domain::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How time goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    Wall,
    /// So many seconds of the exchange in one of ours, more than 0.
    Times(f64),
    /// Time is that of the facts that are heard.
    Driven,
}

/// How often the street moves, in the exchange's time.
const STEP: Duration = Duration::from_millis(100);
/// Not more often than that, however fast the exchange's time goes.
const SHORTEST: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub struct Clock {
    pace: Pace,
    base: Timestamp,
    began: Instant,
    last: Timestamp,
}

impl Clock {
    /// Goes on from `base`.
    pub fn new(pace: Pace, base: Timestamp) -> Self {
        Self { pace, base, began: Instant::now(), last: base }
    }

    /// Never earlier than it was; `None` where it is the exchange that knows.
    pub fn now(&mut self) -> Option<Timestamp> {
        let now = match self.pace {
            Pace::Driven => return None,
            Pace::Wall => wall(),
            Pace::Times(times) => self.base + self.began.elapsed().mul_f64(times),
        };
        self.last = self.last.max(now);
        Some(self.last)
    }

    /// Whether a killed exchange would find itself at the time that its journal tells.
    pub fn goes_on_from_the_journal(&self) -> bool {
        match self.pace {
            Pace::Wall => false,
            Pace::Times(_) | Pace::Driven => true,
        }
    }

    /// How often the exchange has to be told the time.
    pub fn period(&self) -> Option<Duration> {
        match self.pace {
            Pace::Driven => None,
            Pace::Wall => Some(STEP),
            Pace::Times(times) => Some(STEP.div_f64(times.max(0.001)).clamp(SHORTEST, STEP)),
        }
    }
}

/// The time of day on this machine.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::ZERO + since
}
