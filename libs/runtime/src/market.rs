//! A whole engine in one process, on a market's own clock.
//!
//! One task takes every event in order; commits follow behind it, one at a time, each a prefix of
//! the one sequence.
//! So a run killed anywhere ends, resumed, with the same tape as one undisturbed.

mod playing;
mod writer;

use crate::{
    distributed::UnitPhase,
    external_venue::{ExternalVenue, ExternalVenueError},
    reached::Reached,
    recover::RecoverError,
};
use domain::{Instrument, Timestamp, UnitName};
use events::{Event, Position, Recorded, Uuid};
use playing::Playing;
use service::{Host, Steps};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tape::{AppendError, LeaseError, ReadError, StorageError, Tape};
use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

/// Why a trade is not closed any more: the stop would be canceled, and nothing be sold.
pub const OVER: &str = "the market has ended: nothing is traded any more";

/// What the feed says of itself then.
pub(crate) const HAS_ENDED: &str = "the market has ended";

/// What is to be played, on what, by whom.
pub struct Market<F> {
    pub tape: Tape,
    /// The units, in the order in which each event reaches them.
    pub hosts: Vec<Host>,
    pub feed: F,
    /// Who says the feed's events.
    pub source: UnitName,
    /// Says what the market is; a tape carries one market only.
    pub describe: String,
    /// The id that a new tape is given.
    pub tape_id: Uuid,
    pub build: String,
    /// Who holds the leases.
    pub owner: String,
    pub pace: Pace,
    pub reached: Reached,
    /// Sees each event as it is said, before it is committed.
    pub observer: Option<Observer>,
    /// The venue, where it is none of the units.
    pub external: Option<Box<dyn ExternalVenue>>,
    /// What people say while it plays.
    pub hands: Option<Hands>,
}

/// Something that a person says while a market plays.
///
/// It is taken between two steps, as soon as every unit has dealt with the last one, and is part of the
/// sequence from there on: recorded at the time of the last step, heard by everybody before the next one.
pub struct Spoken {
    pub source: UnitName,
    pub event: Event,
    /// Told where it stands once it is committed, or why it is not taken. Dropped if neither is known.
    pub reply: oneshot::Sender<Result<Position, String>>,
}

/// Where that comes in. Clones are the same; one at a time takes from it.
#[derive(Clone)]
pub struct Hands(Arc<Mutex<mpsc::Receiver<Spoken>>>);

impl Hands {
    /// What is there already; `None` if nothing is.
    pub async fn waiting(&self) -> Option<Spoken> {
        self.0.lock().await.try_recv().ok()
    }

    pub fn new(spoken: mpsc::Receiver<Spoken>) -> Self {
        Self(Arc::new(Mutex::new(spoken)))
    }

    /// The next; `None` once nobody is left who could say anything.
    pub async fn next(&self) -> Option<Spoken> {
        self.0.lock().await.recv().await
    }
}

pub type Observer = Box<dyn FnMut(&Recorded) + Send>;

/// How fast the market plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    Max,
    /// This many seconds of market in one second.
    Times(f64),
}

/// Why a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    MarketOver,
    Stopped,
}

#[derive(Debug, Error)]
pub enum RunError<E: std::error::Error + Send + Sync + 'static> {
    #[error("this tape plays '{recorded}', not '{asked}': choose another tape with --tape, or that market")]
    OtherMarket { recorded: String, asked: String },
    #[error("this tape was recorded on a wall clock: a recorded or synthetic market cannot be played on it")]
    OtherClock,
    #[error("the market cannot be read: {0}")]
    Market(#[source] E),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error("the tape cannot be written: {0}")]
    Append(#[from] AppendError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the tape cannot be written: {0}")]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    ExternalVenue(#[from] ExternalVenueError),
}

impl<F: Steps> Market<F> {
    /// Plays until the market ends or `stop` turns true.
    ///
    /// # Errors
    /// Another market's tape, a market or a tape that cannot be read, or one that cannot be written.
    pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<Ended, RunError<F::Error>> {
        let (reached, feed) = (self.reached.clone(), self.source);
        let ended = self.play(&mut stop).await;
        match &ended {
            Ok(Ended::MarketOver) => reached.note(feed, HAS_ENDED),
            Ok(Ended::Stopped) => reached.enter(&UnitPhase::Stopping),
            Err(why) => reached.enter(&UnitPhase::CutOff(why.to_string())),
        }
        ended
    }

    async fn play(self, stop: &mut watch::Receiver<bool>) -> Result<Ended, RunError<F::Error>> {
        let Some(mut playing) = Playing::begin(self, stop).await? else { return Ok(Ended::Stopped) };
        let ended = loop {
            if let Some(ended) = playing.turn(stop).await? {
                break ended;
            }
        };
        playing.finish(ended).await?;
        Ok(ended)
    }
}

/// As [`OVER`], of one instrument while others go on.
pub fn ended_of(instrument: Instrument) -> String {
    format!("the candles of {} have ended: nothing of it is traded any more", instrument.symbol)
}

/// Turns market time into waiting.
pub(crate) struct Metronome {
    pace: Pace,
    from: Option<(Instant, Timestamp)>,
}

impl Metronome {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, from: None }
    }

    /// How long until the step at `next` is due.
    pub(crate) fn wait(&mut self, next: Timestamp) -> Option<Duration> {
        let Pace::Times(times) = self.pace else { return None };
        let &mut (start, at) = self.from.get_or_insert_with(|| (Instant::now(), next));
        let due = start + Duration::from_secs_f64(next.since(at).as_secs_f64() / times);
        due.checked_duration_since(Instant::now())
    }
}
