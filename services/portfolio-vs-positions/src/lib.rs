//! Our books of an account against the venue's: every asset, every working order.
//!
//! The core is [`PortfolioVsPositions`] in `decide`; what the books of one account say is in `books`, and what a
//! difference looks like in `cause`. Who asks the venue is in the binary.

mod books;
mod cause;
pub mod decide;

pub use decide::{Config, PortfolioVsPositions, Reaction, State};

/// The name of the unit.
pub const UNIT: &str = "portfolio-vs-positions";
