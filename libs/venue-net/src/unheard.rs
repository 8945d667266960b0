//! For how long nobody listened.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The time without a connection that hears, from its making on; the present gap counts as it grows. Cheap to clone;
/// all clones count the same.
#[derive(Debug, Clone)]
pub struct Unheard(Arc<Mutex<Gaps>>);

#[derive(Debug)]
struct Gaps {
    over: Duration,
    /// Since when nobody listens.
    since: Option<Instant>,
}

impl Default for Unheard {
    /// Nobody listens yet.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Gaps { over: Duration::ZERO, since: Some(Instant::now()) })))
    }
}

impl Unheard {
    /// All gaps so far, the first connecting among them.
    pub fn total(&self) -> Duration {
        let gaps = self.gaps();
        gaps.over + gaps.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether somebody listens now.
    pub fn is_live(&self) -> bool {
        self.gaps().since.is_none()
    }

    /// Nobody has listened since then; a gap that has begun already goes on.
    pub(crate) fn begin(&self, since: Instant) {
        self.gaps().since.get_or_insert(since);
    }

    pub(crate) fn end(&self, now: Instant) {
        let mut gaps = self.gaps();
        if let Some(since) = gaps.since.take() {
            gaps.over += now.saturating_duration_since(since);
        }
    }

    fn gaps(&self) -> MutexGuard<'_, Gaps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_add_up_and_one_that_goes_on_is_not_begun_again() {
        let unheard = Unheard::default();
        assert!(!unheard.is_live());
        let start = unheard.gaps().since.unwrap();
        let at = |seconds| start + Duration::from_secs(seconds);
        unheard.end(at(2));
        assert!(unheard.is_live());
        unheard.end(at(3));
        assert_eq!(unheard.total(), Duration::from_secs(2));
        unheard.begin(at(10));
        unheard.begin(at(12));
        unheard.end(at(15));
        assert_eq!(unheard.total(), Duration::from_secs(7));
    }
}
