//! One replica of one unit as a synchronous state machine, from its lease to its end.
//!
//! A driver asks a [`Machine`] what it wants ([`Effect`]), does it, and gives it the answer ([`Reply`]).
//! `runtime` drives it with tokio on any tape; `sim` drives the same machine in virtual time under faults.
//!
//! Invariants:
//! - The machine has no clock, no chance and no I/O: the same inputs give the same effects.
//! - What is said and the cursor are one commit under the fence, so no input is answered twice or not at
//!   all, whenever a replica dies.
//! - The tape decides order. A row from the bus is heard only if its hash links to what was heard.
//! - A machine that returns a [`Fault`], or whose effect failed, is discarded with its state, never mended.
//! - Hands are told of an event once it is committed with all that was said on it.

mod effect;
mod facts;
mod fault;
mod joining;
mod leader;
mod machine;
mod recovery;
mod speech;

pub use effect::{Effect, Reply};
pub use facts::{Fact, Recorder, entry};
pub use fault::Fault;
pub use joining::{IN_TIME, Joining};
pub use leader::Leader;
pub use machine::{Counts, Incarnation, Input, Limits, Machine};
pub use recovery::{bounded, starts, tag};
