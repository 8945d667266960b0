//! Chance, from the standard library alone. Nothing that a test decides hangs on it.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// The keys of a hasher differ from one to the next, and from process to process.
pub(crate) fn drawn() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A name that nothing on a server has, also on one that outlives many runs; it tells the process that
/// asked and which call it was.
pub(crate) fn fresh_name() -> String {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let call = GIVEN.fetch_add(1, Ordering::Relaxed);
    format!("t{}n{call}r{:08x}", process::id(), drawn() & 0xffff_ffff)
}
