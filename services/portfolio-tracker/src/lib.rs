//! Balances and prices into one value.
//!
//! The core is [`PortfolioTracker`] in `decide`; what an asset is worth is in `prices`, what an
//! account is worth in `account`.

pub mod account;
pub mod decide;
pub mod prices;

pub use decide::{Config, PortfolioTracker, State};

/// The name of the unit.
pub const UNIT: &str = "portfolio-tracker";
