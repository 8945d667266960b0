//! The venue's clock, as far as it is known.

use domain::Timestamp;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The venue's time: its last reading, carried on by this machine's steady clock, so that setting the machine's
/// own time changes nothing. Before the first reading it is the machine's.
#[derive(Debug)]
pub struct VenueClock(Mutex<Reading>);

#[derive(Debug, Clone, Copy)]
struct Reading {
    venue: Timestamp,
    at: Instant,
    /// What the machine said then.
    wall: Timestamp,
    is_told: bool,
}

/// The two clocks of the machine agree that well, unless it slept or was set.
const SLEPT: Duration = Duration::from_millis(500);

impl Default for VenueClock {
    fn default() -> Self {
        let (wall, at) = (machine(), Instant::now());
        Self(Mutex::new(Reading { venue: wall, at, wall, is_told: false }))
    }
}

impl VenueClock {
    /// The venue's time now.
    pub fn now(&self) -> Timestamp {
        let reading = self.reading();
        reading.venue + reading.at.elapsed()
    }

    /// As [`Self::now`]; `None` before the first reading.
    pub fn told(&self) -> Option<Timestamp> {
        let reading = self.reading();
        reading.is_told.then(|| reading.venue + reading.at.elapsed())
    }

    /// How far the venue is ahead of this machine, in microseconds.
    pub fn offset_micros(&self) -> i64 {
        self.now().micros().saturating_sub(machine().micros())
    }

    /// Whether it has to be read again: never read, older than `age`, or the machine slept meanwhile.
    pub fn is_stale(&self, age: Duration) -> bool {
        let reading = self.reading();
        let (steady, wall) = (reading.at.elapsed(), machine().micros() - reading.wall.micros());
        let steady_micros = i64::try_from(steady.as_micros()).unwrap_or(i64::MAX);
        let apart = Duration::from_micros(wall.abs_diff(steady_micros));
        !reading.is_told || steady >= age || apart >= SLEPT
    }

    /// The venue said `told` in answer to a question that was asked at `asked` and answered now. How far this
    /// clock has leapt by it, in microseconds.
    pub(crate) fn read(&self, told: Timestamp, asked: Instant) -> i64 {
        let at = Instant::now();
        let venue = told + at.duration_since(asked) / 2;
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = reading.venue + at.duration_since(reading.at);
        *reading = Reading { venue, at, wall: machine(), is_told: true };
        venue.micros().saturating_sub(before.micros())
    }

    fn reading(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn machine() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
