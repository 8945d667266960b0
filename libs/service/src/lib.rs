//! The ports of the engine, and what both shells share to drive what stands behind them.
//!
//! A [`Service`] is a pure function from what it hears to what it says.
//! It sees no clock, no id and no position: `now` is the `recorded_at` of the event in hand, so it
//! says the same again whenever it hears the same.

mod checkpoint;
mod core;
pub mod edge;
mod follower;
mod hands;
mod host;
mod lockstep;
pub mod mirror;
pub mod pairs;
mod played;
mod solo;

pub use crate::core::{Core, Held};
pub use checkpoint::{Checkpoint, Departure};
pub use follower::{Bounds, Difference, Follower, Resumed, Walk, Walked};
pub use hands::{Back, Heard, Judge, News};
pub use host::{Arrival, Host};
pub use lockstep::{Journal, Lockstep};
pub use played::{Played, Steps, Worked, said_at};
pub use solo::Solo;

use domain::{Timestamp, UnitName};
use events::{Event, Kind};
use serde::{Serialize, de::DeserializeOwned};

/// A pure core.
///
/// Invariants, on which recovery and `verify` rest:
/// - `apply` and `decide` are functions of their arguments alone.
/// - On each event heard the host calls `apply(now, heard)`, then `decide(now, heard)`, then
///   `apply(now, said)` for each event said, in order.
/// - A state read back from its JSON behaves as the one that was written.
pub trait Service: Send + 'static {
    /// Everything that the unit is told at its start; recorded in `UnitStarted`, so no secrets.
    type Config: Serialize + DeserializeOwned + Clone + PartialEq + Send;
    type State: Default + Serialize + DeserializeOwned + Send;

    /// The core's name, on every tape and for good: a unit is found again by it, whatever the unit is called.
    const CORE: &'static str;
    /// The kinds that it wants to hear. Nothing else reaches it, its own sayings excepted.
    const HEARS: &'static [Kind];
    /// How it takes its own sayings.
    const OWN: Own = Own::AtCause;
    /// What it does about events that it did not hear in time.
    const LATE: Late = Late::Answers;

    fn new(config: Self::Config) -> Self;
    /// Takes an event into the state: one that was heard, or one that this unit has said.
    fn apply(&self, state: &mut Self::State, now: Timestamp, event: &Event);
    /// What to say on hearing `heard`, which has been applied. Own sayings are never decided upon
    /// by a unit that takes them [`Own::AtCause`].
    fn decide(&self, state: &Self::State, now: Timestamp, heard: &Event) -> Vec<Event>;
}

/// How a unit takes its own events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Applied right after the event that caused them: services.
    AtCause,
    /// Heard like anybody else's, where they stand on the tape: sinks, whose hands finish in any order.
    InPlace,
}

/// What a unit does about events that lie on the tape when it comes, because it did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Answers each of them, however long it was away: others wait for its answers.
    /// Only where it never ran, it learns from what is old: nobody waits for that.
    Answers,
    /// Learns from them and says nothing, unless it was away for a moment only: an answer that comes late is
    /// worse than none. Whoever gives signals, and sinks that tell people something.
    Learns,
}

/// Who says that a tape was opened.
pub fn tape_unit() -> UnitName {
    UnitName::new("tape").unwrap_or_else(|e| unreachable!("a valid name: {e}"))
}
