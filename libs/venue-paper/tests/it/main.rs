//! The paper exchange as scripts and the logs that they must give; see [`suite::script`] for the words.

mod quoted;
mod random;
mod spot;
mod stage;
#[path = "../suite/mod.rs"]
mod suite;
mod unit;
