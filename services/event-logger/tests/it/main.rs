//! The recorder: what frames say, and its loops on a real broker.

mod clock;
mod frames;
mod kills;
mod opening;
mod publishing;
mod recording;
mod reparsing;
mod support;
