//! What the proxy's threads have in common.

use super::{Fault, link::Link};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak},
    thread::JoinHandle,
    time::Instant,
};

#[derive(Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Held while a piece of data passes, so that none slips through after `set` has returned.
    passing: RwLock<()>,
}

pub(super) struct State {
    pub fault: Fault,
    /// Counts the calls of `set`.
    pub era: u64,
    pub stopping: bool,
    /// The acceptor has closed its listener.
    pub refusing: bool,
    pub open: Vec<Open>,
}

/// A connection; its sockets close with its thread, which alone holds them.
pub(super) struct Open {
    pub link: Weak<Link>,
    pub thread: JoinHandle<()>,
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.lock());
        self.changed.notify_all();
        changed
    }

    pub fn set(&self, fault: Fault) {
        let _nothing_passes = self.passing.write().unwrap_or_else(PoisonError::into_inner);
        self.change(|state| {
            state.fault = fault;
            state.era += 1;
        });
    }

    pub fn take_open(&self) -> Vec<Open> {
        self.change(|state| std::mem::take(&mut state.open))
    }

    /// Waits until the condition holds, or the proxy stops.
    pub fn wait(&self, mut condition: impl FnMut(&State) -> bool) -> MutexGuard<'_, State> {
        let waiting = |state: &mut State| !condition(state) && !state.stopping;
        self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the fault lets a piece of data pass that came at this instant; the era of that fault,
    /// or nothing if the connection ends before.
    pub fn gate(&self, came: Instant, ended: impl Fn() -> bool) -> Option<u64> {
        let mut state = self.lock();
        loop {
            if ended() || state.stopping {
                return None;
            }
            let left = match state.fault {
                Fault::HalfOpen => None,
                Fault::Delay(delay) => Some((came + delay).saturating_duration_since(Instant::now())),
                Fault::None | Fault::Refuse | Fault::CutAfter(_) | Fault::Reset => return Some(state.era),
            };
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return Some(state.era),
                Some(left) => {
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The right to pass data under the fault of this era; nothing if another fault was set since.
    pub fn pass(&self, era: u64) -> Option<RwLockReadGuard<'_, ()>> {
        let right = self.passing.read().unwrap_or_else(PoisonError::into_inner);
        (self.lock().era == era).then_some(right)
    }
}

impl Default for State {
    fn default() -> Self {
        Self { fault: Fault::None, era: 0, stopping: false, refusing: false, open: Vec::new() }
    }
}

impl Open {
    pub fn is_open(&self) -> bool {
        !self.thread.is_finished()
    }
}
