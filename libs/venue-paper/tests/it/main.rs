//! The paper exchange as scripts and the logs that they must give; see [`script`] for the words.

mod accounts;
mod admission;
mod endings;
mod fees;
mod matching;
mod oco;
mod random;
mod script;
mod series;
mod spot;
mod stops;
mod unit;
