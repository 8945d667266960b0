//! The gate: a raw candle is used, or reported, never silently used or dropped.

use crate::Series;
use domain::{Interval, Timestamp};
use events::{
    Candle, CandleClosed, CandleDiffers, CandleEvent, CandleFault, CandleMissing, CandleRefused, Event,
};
use serde::{Deserialize, Serialize};

/// What is to be said of a raw candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the next one, perhaps after others that are missing.
    Next(Option<CandleMissing>),
    /// It says something else than the last one, which it repeats.
    Differs,
    Refused(CandleFault),
}

/// The gate of one series. Invariant: `last` is the youngest candle that it let through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gate {
    last: Option<Candle>,
}

impl Gate {
    /// Judges a candle as of `now`.
    pub fn judge(&self, now: Timestamp, candle: &Candle) -> Verdict {
        if candle.close_time() > now {
            return Verdict::Refused(CandleFault::Partial);
        }
        if !is_aligned(candle) {
            return Verdict::Refused(CandleFault::Misaligned);
        }
        if !candle.is_consistent() {
            return Verdict::Refused(CandleFault::Inconsistent);
        }
        match &self.last {
            None => Verdict::Next(None),
            Some(last) => follow(last, candle),
        }
    }

    /// Says what is to be said, and remembers the candle if it is used.
    pub fn admit(&mut self, now: Timestamp, candle: Candle, said: &mut Vec<Event>) {
        match self.judge(now, &candle) {
            Verdict::Next(missing) => {
                said.extend(missing.map(Event::from));
                self.last = Some(candle);
                said.push(CandleClosed { candle }.into());
            }
            Verdict::Differs => said.push(CandleDiffers { second: candle }.into()),
            Verdict::Refused(fault) => said.push(CandleRefused { candle, fault }.into()),
        }
    }

    /// Takes a recorded [`CandleClosed`]. What was refused or missing leaves no trace in a gate.
    pub fn learn(&mut self, candle: &Candle) {
        if self.last.is_none_or(|last| last.open_time < candle.open_time) {
            self.last = Some(*candle);
        }
    }
}

/// A sound candle against the one before it.
fn follow(last: &Candle, candle: &Candle) -> Verdict {
    let expected = last.close_time();
    if candle.open_time == expected {
        return Verdict::Next(None);
    }
    if candle.open_time > expected {
        return Verdict::Next(Some(CandleMissing {
            instrument: candle.instrument,
            interval: candle.interval,
            from: expected,
            until: candle.open_time,
            count: whole(candle.interval, candle.open_time.micros() - expected.micros()),
        }));
    }
    if candle == last {
        return Verdict::Refused(CandleFault::Duplicate);
    }
    if candle.open_time == last.open_time {
        return Verdict::Differs;
    }
    if candle.open_time > last.open_time {
        // It overlaps the last one, which alignment rules out but for three-day candles.
        return Verdict::Refused(CandleFault::Misaligned);
    }
    Verdict::Refused(CandleFault::OutOfOrder)
}

/// Whether a candle may open then. Binance's weeks open on Mondays; its three-day candles are counted
/// from no common day, so of them only a whole day is asked for, and that they follow each other.
fn is_aligned(candle: &Candle) -> bool {
    const DAY: i64 = 86_400_000_000;
    // 1970-01-01 was a Thursday.
    const FIRST_MONDAY: i64 = 4 * DAY;
    let open = candle.open_time.micros();
    match candle.interval {
        Interval::Week1 => (open - FIRST_MONDAY) % (7 * DAY) == 0,
        Interval::Day3 => open % DAY == 0,
        interval => open % length(interval) == 0,
    }
}

/// Whole candles in `micros`; at least one, for it is asked only of a gap.
fn whole(interval: Interval, micros: i64) -> u64 {
    u64::try_from(micros / length(interval)).unwrap_or(0).max(1)
}

/// In microseconds.
const fn length(interval: Interval) -> i64 {
    interval.length().as_micros() as i64
}

/// The gates of many series: what a source of candles must remember.
/// The same comes of applying the events that it has said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GateState {
    /// Ascending by series.
    gates: Vec<(Series, Gate)>,
}

impl GateState {
    /// A fresh gate for each series, which must be ascending; it stands at the index of its series.
    pub fn of(series: &[Series]) -> Self {
        Self { gates: series.iter().map(|s| (*s, Gate::default())).collect() }
    }

    pub fn admit(&mut self, now: Timestamp, candle: Candle, said: &mut Vec<Event>) {
        self.of_series(Series::of(&candle)).admit(now, candle, said);
    }

    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Candle(CandleEvent::Closed(CandleClosed { candle })) => {
                self.of_series(Series::of(candle)).learn(candle);
            }
            Event::Candle(CandleEvent::Missing(_) | CandleEvent::Differs(_) | CandleEvent::Refused(_)) => {}
            _ => {}
        }
    }

    pub fn get(&self, series: Series) -> Option<&Gate> {
        self.find(series).ok().map(|at| &self.gates[at].1)
    }

    /// As [`Self::get`], for whoever must not make the gate of a series that nobody plays.
    pub fn get_mut(&mut self, series: Series) -> Option<&mut Gate> {
        self.find(series).ok().map(|at| &mut self.gates[at].1)
    }

    pub(crate) fn at(&self, index: usize) -> &Gate {
        &self.gates[index].1
    }

    pub(crate) fn at_mut(&mut self, index: usize) -> &mut Gate {
        &mut self.gates[index].1
    }

    fn of_series(&mut self, series: Series) -> &mut Gate {
        let at = self.find(series).unwrap_or_else(|at| {
            self.gates.insert(at, (series, Gate::default()));
            at
        });
        self.at_mut(at)
    }

    fn find(&self, series: Series) -> Result<usize, usize> {
        self.gates.binary_search_by(|(known, _)| known.cmp(&series))
    }
}
