//! Fills into positions, each with its owner, its cost and its profit.
//!
//! The core is [`PositionTracker`] in `decide`; the arithmetic of one position is in `position`,
//! and who is meant by a fill that several owners could have made is in `book`.

pub mod book;
pub mod decide;
mod fading;
pub mod position;

pub use decide::{Config, PositionTracker, State};

/// The name of the unit.
pub const UNIT: &str = "position-tracker";
