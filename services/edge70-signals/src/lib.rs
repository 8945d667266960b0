//! edge70: pure trend following on Donchian breakouts.
//!
//! A candle whose high goes above the highest high of the `long` candles before it points up; one
//! whose low goes below the lowest low of the `short` candles before it points down.
//! When the direction flips, the edge gives a signal.
//!
//! [`Edge70`] is the pure core; one unit of it runs per configured edge.

mod decide;
mod series;

pub use decide::{Config, Edge70, Forward, State};
