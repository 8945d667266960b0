//! One series of live candles, made of two sources: the stream, which is quick and may miss some, and REST, which
//! knows all and is late. Pure.
//!
//! Invariants:
//! - Candles go through the gate in order, each once.
//! - A candle waits while one before it may still come; that one is missing only when REST, asked for it,
//!   has none there and knows a later one.
//! - The same candle again is nothing; another copy of the last one is told.

use crate::{Gate, Series, Verdict};
use domain::Timestamp;
use events::{Candle, Event};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What is known of a series, and when to ask REST.
#[derive(Debug)]
pub struct Sequence {
    pub series: Series,
    /// Where a series begins of which nothing is known.
    start: Timestamp,
    gate: Gate,
    last: Option<Candle>,
    /// Of the stream, behind one that has not come.
    waiting: BTreeMap<Timestamp, Candle>,
    /// Opening times of candles that were refused, and told so once.
    refused: BTreeSet<Timestamp>,
    ask_at: Timestamp,
    pause: Duration,
}

/// How long after a candle's close the stream may take to tell it; REST is asked then.
pub const GRACE: Duration = Duration::from_secs(3);
/// REST's copy is taken for final so long after the close: the last trades may not be in it before.
const SETTLED: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The stream says that a candle has closed, by the venue's clock, of which ours is a copy.
const SKEW: Duration = Duration::from_secs(5);
/// More are fetched again.
const MOST_WAITING: usize = 2_000;
/// Of candles that are refused.
const MOST_REFUSED: usize = 1_000;

const _: () = assert!(SETTLED.as_secs() < GRACE.as_secs() && GRACE.as_secs() < LONGEST_PAUSE.as_secs());

impl Sequence {
    /// From the last candle that the tape has, or from `start`.
    pub fn new(series: Series, last: Option<Candle>, start: Timestamp) -> Self {
        let mut gate = Gate::default();
        if let Some(last) = &last {
            gate.learn(last);
        }
        Self {
            series,
            start,
            gate,
            last,
            waiting: BTreeMap::new(),
            refused: BTreeSet::new(),
            ask_at: Timestamp::ZERO,
            pause: GRACE,
        }
    }

    /// When the next candle opens: REST is asked from there.
    pub fn next_open(&self) -> Timestamp {
        self.last.map_or(self.start, |last| last.close_time())
    }

    /// When REST is to be asked, unless something comes first.
    pub fn ask_at(&self) -> Timestamp {
        self.ask_at
    }

    /// The stream was interrupted: whatever closed meanwhile has to be asked for.
    pub fn interrupted(&mut self) {
        self.pause = GRACE;
        self.ask_at = Timestamp::ZERO;
    }

    /// REST is being asked; again after a while, should that be of no use.
    pub fn asked(&mut self, now: Timestamp) {
        // Where nothing is known to be missing, not before the stream could have told the next one.
        let due = self.last.filter(|_| self.waiting.is_empty()).map(|_| self.due());
        self.ask_at = (now + self.pause).max(due.unwrap_or_default());
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// When the stream has had its time for the next candle.
    fn due(&self) -> Timestamp {
        self.series.interval.close_of(self.next_open()) + GRACE
    }

    /// A candle that the stream says has closed.
    pub fn heard(&mut self, now: Timestamp, candle: Candle, said: &mut Vec<Event>) {
        if candle.close_time() > now + SKEW {
            // It cannot have closed: the gate says so.
            return self.admit(now, candle, said);
        }
        let now = now.max(candle.close_time());
        match self.last {
            Some(last) if candle.open_time < last.open_time => {}
            Some(last) if candle.open_time <= last.close_time() => {
                self.admit(now, candle, said);
                self.drain(now, None, said);
            }
            _ => {
                if self.waiting.len() < MOST_WAITING {
                    self.waiting.entry(candle.open_time).or_insert(candle);
                }
                self.ask_at = self.ask_at.min(now);
            }
        }
    }

    /// REST's candles from [`Self::next_open`], as it was when they were asked for, to `now`, which was then: what
    /// closed since may have been told unfinished.
    pub fn fetched(&mut self, now: Timestamp, rows: Vec<Candle>, said: &mut Vec<Event>) {
        let is_settled = |row: &Candle| row.close_time() + SETTLED <= now;
        // Before it REST has told everything that there is.
        let unsettled = rows.iter().find(|row| !is_settled(row)).or(rows.last());
        let told_before = unsettled.map(|row| row.open_time);
        for row in rows.into_iter().filter(is_settled) {
            self.waiting.entry(row.open_time).or_insert(row);
        }
        self.drain(now, told_before, said);
    }

    /// Lets through what waits, as far as nothing can be missing before it.
    fn drain(&mut self, now: Timestamp, told_before: Option<Timestamp>, said: &mut Vec<Event>) {
        while let Some((open, _)) = self.waiting.first_key_value() {
            let is_next = self.last.is_some() && *open <= self.next_open();
            if !is_next && told_before.is_none_or(|told| *open > told) {
                break;
            }
            let Some((_, candle)) = self.waiting.pop_first() else { break };
            if self.last.is_none_or(|last| candle.open_time > last.open_time) {
                self.admit(now.max(candle.close_time()), candle, said);
            }
        }
    }

    fn admit(&mut self, now: Timestamp, candle: Candle, said: &mut Vec<Event>) {
        match self.gate.judge(now, &candle) {
            Verdict::Next(_) => {
                self.gate.admit(now, candle, said);
                self.last = Some(candle);
                self.refused = self.refused.split_off(&candle.open_time);
                self.pause = GRACE;
                self.ask_at = self.due();
            }
            Verdict::Differs => self.gate.admit(now, candle, said),
            // Two sources tell the same: no fault of either.
            Verdict::Refused(events::CandleFault::Duplicate | events::CandleFault::OutOfOrder) => {}
            Verdict::Refused(_) => {
                if self.refused.len() < MOST_REFUSED && self.refused.insert(candle.open_time) {
                    self.gate.admit(now, candle, said);
                }
            }
        }
    }
}
