//! Shell 1: hosts the pure cores on a tape.
//!
//! [`market`] runs a whole engine in one process on a market's own clock.
//! [`recover`] brings units back from a tape, and follows them for replay and verification.
//! [`http`] serves `/health`, `/ready` and `/metrics`.

pub mod http;
pub mod market;
pub mod recover;
pub mod status;
