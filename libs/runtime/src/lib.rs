//! Shell 1: hosts the pure cores on a tape.
//!
//! [`apart`] runs one replica of one unit, which shares only tape and bus with the others.
//! [`stepped`] plays a market for units that run apart.
//! [`market`] runs a whole engine in one process on a market's own clock.
//! [`abroad`] is the venue of such a market where it is none of the units.
//! [`recover`] brings units back from a tape, and follows them for replay and verification.
//! [`http`] serves `/health`, `/ready` and `/metrics`.

pub mod abroad;
pub mod apart;
pub mod http;
pub mod market;
pub mod recover;
pub mod status;
pub mod stepped;
