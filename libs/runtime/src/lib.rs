//! Shell 1: hosts the pure cores on a tape.
//!
//! [`distributed`] runs one replica of one unit, which shares only tape and bus with the others.
//! [`paced_feed`] plays a market for distributed units.
//! [`market`] runs a whole engine in one process on a market's own clock.
//! [`external_venue`] is the venue of such a market where it is none of the units.
//! [`recover`] brings units back from a tape, and follows them for replay and verification.
//! [`distributed::UnitStatus`] tells how a unit is, hosted in either way.

pub mod distributed;
pub mod external_venue;
pub mod market;
pub mod metrics;
pub mod paced_feed;
pub mod reached;
pub mod recover;
