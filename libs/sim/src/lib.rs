//! Shell 2: synchronous, one thread, virtual time.

pub mod backtest;
