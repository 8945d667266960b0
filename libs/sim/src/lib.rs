//! Shell 2: synchronous, one thread, virtual time.

pub mod backtest;
pub mod cluster;
pub mod rng;
