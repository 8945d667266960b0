//! A market played step by step, in lockstep with every unit.

use crate::{Journal, Lockstep};
use domain::{Instrument, Timestamp, UnitName};
use events::{CandleEvent, Event, Kind, Position, Recorded, RequestedBy, TradeEvent, Uuid};

/// A market on its own clock.
///
/// Invariant: a feed that has applied the events of a tape continues with exactly the step that
/// an undisturbed one would have said next.
pub trait Steps: Send {
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether such an event is anything to it; every other may be left out.
    fn hears(kind: Kind) -> bool;
    /// Learns what it must know of the tape, each event once, its own included: time passed, candles,
    /// wakes and quotes asked for.
    fn apply(&mut self, now: Timestamp, event: &Event);
    /// When the next step is, which is not taken: the feed goes on as if nobody had asked.
    ///
    /// # Errors
    /// The market's data cannot be read.
    fn when(&mut self) -> Result<Option<Timestamp>, Self::Error>;
    /// Adds the next step's events, one commit, and says its time; `None` at the market's end.
    ///
    /// # Errors
    /// The market's data cannot be read.
    fn next_into(&mut self, events: &mut Vec<Event>) -> Result<Option<Timestamp>, Self::Error>;
    /// Whether a candle of the instrument is still to come within the range that is played; of any
    /// instrument for `None`. Without one nothing is executed any more.
    ///
    /// # Errors
    /// The market's data cannot be read.
    fn goes_on(&mut self, instrument: Option<Instrument>) -> Result<bool, Self::Error>;
    /// How many of its series have given their last candle, as far as it has looked.
    fn ended(&self) -> usize;
    /// How many events it has said at its latest time, and that time: the next one there has that
    /// number, so that a step has the same ids whatever the units say beside it.
    fn said(&self) -> (Timestamp, u64);
    /// What it has learned, as JSON.
    fn snapshot(&self) -> Vec<u8>;
    /// # Errors
    /// The bytes are no snapshot of such a feed; it then has learned nothing.
    fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()>;
}

/// The feed and the engine together. Each step starts when every unit has dealt with the last one.
pub struct Played<F> {
    pub engine: Lockstep,
    feed: F,
    source: UnitName,
    next: Option<Timestamp>,
    events: Vec<Event>,
}

/// What came of letting the units work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worked {
    /// Every unit has dealt with everything.
    Quiet,
    More,
    /// Nobody has heard what stands there, nor anything behind it: the owner asks to close a trade, and no
    /// candle follows that could execute an exit. Whoever heard it would cancel the stop all the same.
    Held(Position),
}

/// The feed sees what everybody says.
struct Overheard<'a, F, J> {
    feed: &'a mut F,
    journal: &'a mut J,
}

impl<F: Steps, J: Journal> Journal for Overheard<'_, F, J> {
    fn record(&mut self, event: &Recorded) {
        self.feed.apply(event.recorded_at, &event.event);
        self.journal.record(event);
    }
}

impl<F: Steps> Played<F> {
    pub fn new(engine: Lockstep, feed: F, source: UnitName) -> Self {
        Self { engine, feed, source, next: None, events: Vec::new() }
    }

    /// Something said by neither the feed nor a unit's core: the tape's opening, a unit's start.
    pub fn say(&mut self, source: UnitName, now: Timestamp, event: Event, journal: &mut impl Journal) {
        let mut overheard = Overheard { feed: &mut self.feed, journal };
        self.engine.feed(source, now, [event], &mut overheard);
    }

    /// A fact that came from outside, under an id of its own.
    pub fn tell(
        &mut self,
        id: Uuid,
        source: UnitName,
        now: Timestamp,
        event: Event,
        journal: &mut impl Journal,
    ) {
        let mut overheard = Overheard { feed: &mut self.feed, journal };
        self.engine.tell(id, source, now, event, &mut overheard);
    }

    /// Lets the units deal with up to `turns` events; `true` once there is nothing left.
    pub fn work(&mut self, turns: usize, journal: &mut impl Journal) -> bool {
        let mut overheard = Overheard { feed: &mut self.feed, journal };
        for _ in 0..turns {
            if !self.engine.turn(&mut overheard) {
                return true;
            }
        }
        self.engine.is_quiet()
    }

    /// As [`Self::work`], but nobody is told to close a trade once the market is over.
    ///
    /// # Errors
    /// As the feed's.
    pub fn work_or_hold(&mut self, turns: usize, journal: &mut impl Journal) -> Result<Worked, F::Error> {
        for _ in 0..turns {
            if let Some(next) = self.engine.next()
                && let Event::Trade(TradeEvent::CloseRequested(close)) = &next.event
                && let RequestedBy::Owner { .. } = close.by
            {
                let position = next.position;
                if !self.goes_on(None)? {
                    return Ok(Worked::Held(position));
                }
            }
            let mut overheard = Overheard { feed: &mut self.feed, journal };
            if !self.engine.turn(&mut overheard) {
                return Ok(Worked::Quiet);
            }
        }
        Ok(if self.engine.is_quiet() { Worked::Quiet } else { Worked::More })
    }

    /// Whether a candle of the instrument, or of any, is still to come.
    ///
    /// # Errors
    /// As the feed's.
    pub fn goes_on(&mut self, instrument: Option<Instrument>) -> Result<bool, F::Error> {
        let is_meant = |event: &Event| match event {
            Event::Candle(CandleEvent::Closed(closed)) => {
                instrument.is_none_or(|instrument| closed.candle.instrument == instrument)
            }
            _ => false,
        };
        Ok(self.events.iter().any(is_meant) || self.feed.goes_on(instrument)?)
    }

    /// When the next step is, which is neither read nor taken: something may still be said before it.
    ///
    /// # Errors
    /// As the feed's.
    pub fn when(&mut self) -> Result<Option<Timestamp>, F::Error> {
        match self.next {
            Some(next) => Ok(Some(next)),
            None => self.feed.when(),
        }
    }

    /// The time of the next step, which is only read once everything is quiet.
    ///
    /// # Errors
    /// As the feed's.
    pub fn peek(&mut self) -> Result<Option<Timestamp>, F::Error> {
        if self.next.is_none() {
            self.next = self.feed.next_into(&mut self.events)?;
        }
        Ok(self.next)
    }

    /// Takes the step that was peeked at; `false` if there is none.
    pub fn step(&mut self, journal: &mut impl Journal) -> bool {
        let Some(now) = self.next.take() else { return false };
        let before = said_at(&self.feed, now);
        let mut overheard = Overheard { feed: &mut self.feed, journal };
        self.engine.step(self.source, now, before, self.events.drain(..), &mut overheard);
        true
    }

    /// Plays to the end.
    ///
    /// # Errors
    /// As the feed's.
    pub fn play(&mut self, journal: &mut impl Journal) -> Result<(), F::Error> {
        loop {
            self.work(usize::MAX, journal);
            if self.peek()?.is_none() {
                return Ok(());
            }
            self.step(journal);
        }
    }

    pub fn feed(&self) -> &F {
        &self.feed
    }
    pub fn source(&self) -> UnitName {
        self.source
    }
}

/// How many events a feed has said at `now`.
pub fn said_at(feed: &impl Steps, now: Timestamp) -> u64 {
    let (at, count) = feed.said();
    if at == now { count } else { 0 }
}
