//! Balances and prices into one value.
//!
//! The core is [`PortfolioTracker`] in `decide`; what an account is worth is in `account`, what an
//! asset is worth in [`domain::prices`].

pub mod account;
pub mod decide;

pub use decide::{Config, PortfolioTracker, State};

/// The name of the unit.
pub const UNIT: &str = "portfolio-tracker";
