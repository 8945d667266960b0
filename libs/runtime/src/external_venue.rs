//! A venue away from the tape that plays along with a market on its own clock: an exchange on sockets.
//!
//! It is told what the market does, it is asked for what a sink's hands have to do, and its word is awaited
//! before the market goes on; so a run is the same at any speed.

use domain::UnitName;
use events::Recorded;
use replica::Fact;
use service::{Host, Judge};
use std::{future::Future, pin::Pin};
use thiserror::Error;

/// Invariants: whatever it is shown is told to the venue only once it is committed; what it brings is
/// not on the tape yet.
pub trait ExternalVenue: Send {
    /// Sees each event as it is said.
    fn see(&mut self, event: &Recorded);

    /// Everything seen is committed, and every unit has dealt with it: takes up what is pending.
    fn take_up(&mut self, hosts: &[Host]);

    /// No step of the market follows: what it says next is its last word.
    fn over(&mut self);

    /// Tells the venue, does what is pending there, and waits for its word. When it brings nothing, there
    /// is nothing to come before the market goes on. May be dropped: that is a death, and what is
    /// pending is in the units' states.
    ///
    /// # Errors
    /// The venue cannot be reached, or is not the one that this tape was played with.
    fn settle(
        &mut self,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<Foreign>, ExternalVenueError>> + Send + '_>>;
}

/// Something from outside.
pub enum Foreign {
    Fact(Box<Fact>),
    /// To be judged in the state of that unit, which says what comes of it.
    Answer {
        unit: UnitName,
        judge: Judge,
    },
}

#[derive(Debug, Error)]
#[error("the venue cannot go on: {0}")]
pub struct ExternalVenueError(pub String);
