//! The market from outside: scripts of candles and questions, and the steps that come of them; and the live one.

mod ends;
mod feed;
mod gate;
mod live;
mod quality;
mod recorded;
mod recovery;
mod script;
mod spec;
mod synthetic;
