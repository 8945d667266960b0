//! edge70: pure trend following on Donchian breakouts.
//!
//! A candle whose high goes above the highest high of the `long` candles before it points up; one
//! whose low goes below the lowest low of the `short` candles before it points down.
//! When the direction flips, the edge gives a signal.
//!
//! [`Edge70`] is the pure core; one unit of it runs per configured edge, under [`unit`]'s name.

mod decide;
mod series;

pub use decide::{Config, Edge70, Forward, State};

use domain::{EdgeName, UnitName};

/// The name of the unit that runs an edge: `edge70-signals` for `edge70`.
pub fn unit(edge: &EdgeName) -> UnitName {
    UnitName::new(&format!("{edge}-signals"))
        .unwrap_or_else(|e| unreachable!("an edge name and a suffix fit: {e}"))
}
