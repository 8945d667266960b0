//! A whole engine over recorded candles, without a tape: events stay typed, and no JSON, id or
//! hash is made.

use domain::{Timestamp, UnitName};
use events::{Clock, TapeOpened, Uuid};
use service::{Host, Journal, Lockstep, Played, Steps};

/// What is to be played.
pub struct Backtest<F> {
    pub hosts: Vec<Host>,
    pub feed: F,
    pub source: UnitName,
    pub describe: String,
    /// Client order ids derive from it, so give the one that a tape of this run would have.
    pub tape_id: Uuid,
    pub build: String,
}

impl<F: Steps> Backtest<F> {
    /// Plays the market to its end; `journal` sees every event. Returns the number of events.
    ///
    /// # Errors
    /// The market's data cannot be read.
    pub fn run(self, journal: &mut impl Journal) -> Result<u64, F::Error> {
        let starts: Vec<_> = self.hosts.iter().map(|host| host.started(&self.build, 0, 0)).collect();
        let mut played = Played::new(Lockstep::new(self.hosts, None), self.feed, self.source);
        let now = played.peek()?.unwrap_or(Timestamp::ZERO);
        // The very beginning of a tape, so that positions are those that a tape of this run has.
        let opening = TapeOpened { tape: self.tape_id, clock: Clock::Market, market: self.describe };
        played.say(service::tape_unit(), now, opening.into(), journal);
        for started in starts {
            played.say(started.unit, now, started.into(), journal);
        }
        played.play(journal)?;
        Ok(played.engine.head())
    }
}
