//! The one place that sleeps between two looks.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

/// Waits until the condition holds.
///
/// # Panics
/// If it does not within the deadline; `what` says in the message what was waited for.
pub fn wait_for(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(holds_within(deadline, condition), "not within {deadline:?}: {what}");
}

/// Looks at once, then at growing intervals of up to 20 ms, and a last time at the deadline.
pub(crate) fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(1);
    loop {
        if condition() {
            return true;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}
