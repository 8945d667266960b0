//! The market from outside: scripts of candles and questions, and the steps that come of them.

mod feed;
mod gate;
mod recorded;
mod recovery;
mod script;
mod spec;
mod synthetic;
