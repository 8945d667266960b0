//! Incremental maths on candles: each takes one value at a time and never looks back at the market.
//!
//! Every indicator is a plain value that can be written to JSON and read back, so that it lives in
//! the state of a service and survives a restart.

mod donchian;

pub use donchian::{Bound, Donchian};
