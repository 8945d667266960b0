//! The trade planner and the order gateway.
//!
//! The [`planner`] brings what a trade *is* to what it is *wanted* to be, one step at a time, by
//! saying `OrderSubmitted` and `CancelRequested`.
//! The [`gateway`] owns those intents until the venue's word on them is on the tape; its `hands`, a
//! feature of this crate, make the requests.

pub mod gateway;
#[cfg(feature = "hands")]
pub mod hands;
pub mod planner;
