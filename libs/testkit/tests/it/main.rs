//! The kit does what tests rely on: servers come, die, come back, and leave nothing behind.

mod leftovers;
mod process;
mod proxy;
mod python;
mod servers;
