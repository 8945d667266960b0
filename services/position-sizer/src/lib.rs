//! How much, or why not.
//!
//! Every trade passes here, whoever asked for it, and gets exactly one answer: [`events::TradeSized`]
//! with the quantity, the worst price and the money set aside for it, or [`events::TradeRefused`]
//! with the rule, the figure and the limit.
//!
//! [`PositionSizer`] is the pure core. The decision itself is [`decide`]: the rules
//! in the order in which they are asked. What is free to spend follows from `balance` (what the
//! venue shows and fills have taken since) and `book` (what was promised to trades).
//!
//! [`decide`]: service::Service::decide

mod balance;
mod book;
mod config;
mod decide;
mod ids;
mod protect;
mod refusal;
mod size;
mod trading;

pub use book::State;
pub use config::{BaseFee, Config, EdgeRules, Limits, Method, Terms};
pub use decide::PositionSizer;

/// The name of the unit.
pub const UNIT: &str = "position-sizer";
