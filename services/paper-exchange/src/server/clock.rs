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

/// What a client's clock may show at one moment, for the timestamps of signed requests to be good.
///
/// Clients' clocks go at the ordinary pace, whatever the pace here. So where the pace is our own, a clock is right
/// that was set by this exchange's time at any moment since it was started and has gone on by itself since, and
/// so is the time of day on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The slowest clock that is right, and the fastest.
    pub slowest: Timestamp,
    pub fastest: Timestamp,
    /// The time of day, where that is not the exchange's own.
    pub machine: Option<Timestamp>,
}

impl Clocks {
    /// Where clients' clocks and the exchange's go alike.
    pub fn only(now: Timestamp) -> Self {
        Self { slowest: now, fastest: now, machine: None }
    }
}

/// How often the simulated market moves, in the exchange's time.
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

    /// The clocks by which requests may be signed, where the exchange itself shows `shown` and is `offset`
    /// microseconds wrong.
    pub fn clocks(&self, shown: Timestamp, offset: i64) -> Clocks {
        let wrong = |at: Timestamp| Timestamp::from_micros(at.micros().saturating_add(offset));
        match self.pace {
            Pace::Wall => Clocks::only(shown),
            Pace::Driven => Clocks { machine: Some(wrong(wall())), ..Clocks::only(shown) },
            Pace::Times(_) => {
                let set_at_the_start = wrong(self.base + self.began.elapsed());
                Clocks {
                    slowest: shown.min(set_at_the_start),
                    fastest: shown.max(set_at_the_start),
                    machine: Some(wrong(wall())),
                }
            }
        }
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
