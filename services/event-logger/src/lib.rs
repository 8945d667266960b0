//! The recorder: account frames onto the tape, the tape onto the bus, and the clock.
//!
//! Three units, each to be run by one process at a time, under the fence of its lease:
//!
//! | unit | function | does |
//! |---|---|---|
//! | [`UNIT`] | [`drain::drain`] | takes frames from the queues, records what they say, acknowledges |
//! | [`PUBLISHER`] | [`publish::publish`] | publishes what is on the tape, in order |
//! | [`CLOCK`] | [`clock::tell`] | says what time it is |
//!
//! Besides, [`open::open_tape`] says the first row of a live tape, and [`reparse::reparse`] reads
//! quarantined frames again. What is decided is in `parse`, [`record`],
//! [`events::conflict`], [`clock::Due`] and `publish/way.rs`; all of it is pure.

pub mod clock;
pub mod counters;
pub mod drain;
mod loops;
pub mod open;
pub mod parse;
pub mod publish;
pub mod record;
pub mod reparse;

pub use counters::Counters;
pub use loops::{Loop, Part};

use domain::UnitName;

/// Records facts of the world, and what differs among them.
pub const UNIT: &str = "event-logger";
/// Publishes the tape.
pub const PUBLISHER: &str = "tape-publisher";
/// Says the time.
pub const CLOCK: &str = "clock";

/// [`UNIT`] as the source of what is recorded.
pub fn unit() -> UnitName {
    UnitName::new(UNIT).unwrap_or_else(|e| unreachable!("a valid name: {e}"))
}
