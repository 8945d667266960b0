//! Scratch.
#[path = "../it/server/mod.rs"]
mod server;
