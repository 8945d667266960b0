//! Values that cannot be wrong.
//!
//! Everything here is parsed once, at the door; inside the engine nobody checks again.
//! The crate knows no clock, no randomness and no I/O.

pub mod contract;
pub mod entry;
pub mod exits;
pub mod instrument;
pub mod interval;
pub mod listing;
pub mod money;
pub mod order;
pub mod prices;
pub mod rules;
pub mod text;
pub mod timestamp;

pub use contract::{Contract, Margin, MarginMode};
pub use entry::EntryPlan;
pub use exits::{ExitPlan, Level, StopLimit};
pub use instrument::{Account, Instrument, InstrumentKind};
pub use interval::Interval;
pub use listing::Listing;
pub use money::{Amount, Price, Quantity};
pub use order::{
    Direction, Ending, Filled, Leg, NewOco, NewOrder, OrderKind, OrderRequest, Origin, PositionSide, Side,
    Size, TimeInForce,
};
pub use prices::Prices;
pub use rules::{Breach, InstrumentRules};
pub use rust_decimal::Decimal;
pub use text::{
    AccountName, Asset, ClientOrderId, EdgeName, Symbol, TradeId, UnitName, Venue, VenueOrderId, VenueTradeId,
};
pub use timestamp::Timestamp;

use thiserror::Error;

/// Why a piece of input is not the value that it should be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what} '{given}': {why}")]
pub struct Invalid {
    /// The kind of value that was wanted, e.g. `price`.
    pub what: &'static str,
    pub given: String,
    /// What a right value looks like.
    pub why: String,
}

impl Invalid {
    pub fn new(what: &'static str, given: impl ToString, why: impl Into<String>) -> Self {
        Self { what, given: given.to_string(), why: why.into() }
    }
}
