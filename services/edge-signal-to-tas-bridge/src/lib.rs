//! From what an edge thinks to what a trade is asked for.
//!
//! The bridge knows which account trades which edge, and nothing else: no size, no position, no
//! price but the signal's. [`Bridge`] is the pure core.

mod decide;
mod trade_id;

pub use decide::{Bridge, Config, Route, State};

/// The name of the unit.
pub const UNIT: &str = "edge-signal-to-tas-bridge";
