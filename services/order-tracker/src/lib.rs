//! Orders to their end, and alarms for those that do not come to it.
//!
//! The core is [`OrderTracker`] in `decide`; the life of one order is in `order`, the orders of one
//! instrument are in `book`, and what is waited for is in `waits`.

pub mod book;
pub mod decide;
pub mod order;
pub mod state;
pub mod waits;

pub use decide::{Config, OrderTracker};
pub use state::State;

/// The unit's name.
pub const UNIT: &str = "order-tracker";
