//! The whole set of services, each replica in a process of its own, and what must hold of its tape.
//!
//! Shared between the tests of `it` and the example `chaos`. It blocks, as `testkit` does.

pub mod chaos;
pub mod checks;
pub mod compare;
pub mod engine;
pub mod load;
pub mod look;
pub mod market;
pub mod program;
pub mod seed;
pub mod servers;
pub mod watch;

pub use engine::{Engine, Plan};
pub use market::Market;
pub use program::Program;
pub use servers::Servers;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// No step of any test takes nearly that long; one that does hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// One whole fleet at a time: twenty processes are enough for any machine.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
