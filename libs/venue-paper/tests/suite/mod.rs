//! What a venue must do, as scripts with the logs that they must give; see [`script`] for the words.
//!
//! Whoever includes this brings a `crate::stage::Stage`: the venue itself, or the way to one on sockets.

mod accounts;
mod admission;
mod endings;
mod fees;
mod matching;
mod oco;
pub mod script;
mod series;
mod stops;
