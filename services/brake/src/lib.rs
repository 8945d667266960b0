//! Stops an account's entries when it loses too much, or when its orders run wild.
//!
//! The core is [`Brake`] in `decide`; what is measured of one account is in `meter`. The sizer and the gateway obey
//! what it says, as they obey the owner.

pub mod decide;
mod meter;

pub use decide::{Brake, Config, Limits, Setting, State};

/// The name of the unit.
pub const UNIT: &str = "brake";
