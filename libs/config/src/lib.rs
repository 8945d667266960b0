//! What the owner has configured: `tapedeck.toml` and the environment, as plain data.
//!
//! All problems are reported at once, each with the key, the line, what is wrong and the remedy;
//! an unknown key is a problem too, for a limit that is misspelt is no limit.
//! Amounts never pass through a binary float: the digits in the file are the digits in the engine.

mod accounts;
mod brake;
mod edges;
mod environment;
mod file;
mod problem;
mod section;
mod settings;
mod suggest;
mod value;

pub use environment::{BinanceUrls, Environment, Secret, Variable};
pub use file::default_toml;
pub use problem::{Problem, Problems};
pub use settings::{
    AccountSettings, Books, Brake, EdgeSettings, Exit, FeeAsset, Fees, KeySource, Limits, Live, Mode,
    OnDifference, OnLimit, Orders, Paper, Portfolio, Settings, Sizing,
};
