//! What a process tells of itself, and of how its engine stands.

use crate::{scan, standing::Standing};
use domain::Account;
use events::Recorded;
use runtime::{http::Report, market::Observer};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tape::Tape;
use tokio::sync::watch;

/// A [`Report`] with the standing of the engine beside it: trading states in `/health` and `/ready`, and
/// figures of money in `/metrics`. Cheap to clone.
#[derive(Clone)]
pub struct Watched<R> {
    report: R,
    standing: Arc<Mutex<Standing>>,
}

/// Rows that one read of the tape takes.
const BATCH: usize = 2_000;

impl<R> Watched<R> {
    /// Of a tape that only this process writes: what is on it by now, and whatever the observer is given.
    ///
    /// # Errors
    /// The tape cannot be read.
    pub async fn of(
        tape: &Tape,
        report: R,
        accounts: impl IntoIterator<Item = Account>,
    ) -> anyhow::Result<Self> {
        let watched = Self::new(report, accounts);
        scan::kinds(tape, &Standing::KINDS, u64::MAX, |event| watched.see(event)).await?;
        let head = tape.head().await?;
        watched.lock().pass(head.recorded_at);
        Ok(watched)
    }

    /// Knows nothing yet.
    pub fn new(report: R, accounts: impl IntoIterator<Item = Account>) -> Self {
        Self { report, standing: Arc::new(Mutex::new(Standing::new(accounts))) }
    }

    pub fn standing(&self) -> Arc<Mutex<Standing>> {
        self.standing.clone()
    }

    pub fn see(&self, event: &Recorded) {
        self.lock().see(event);
    }

    pub fn observer(&self) -> Observer {
        let standing = self.standing.clone();
        Box::new(move |event| standing.lock().unwrap_or_else(PoisonError::into_inner).see(event))
    }

    fn lock(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_trading(&self, (well, mut report): (bool, Value)) -> (bool, Value) {
        report["trading"] = self.lock().json();
        (well, report)
    }
}

/// Follows a tape that others write, too, until asked to stop. What cannot be read now is read later.
pub async fn follow<R: Send + Sync>(watched: Watched<R>, tape: Tape, mut stop: watch::Receiver<bool>) {
    const AGAIN: std::time::Duration = std::time::Duration::from_secs(1);
    let mut after = 0;
    let mut commits = tape.watch();
    while !*stop.borrow() {
        commits.mark_unchanged();
        let rows = match tape.read(after, BATCH).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!("the standing is not read on: {error}");
                Vec::new()
            }
        };
        for row in &rows {
            after = row.position;
            if row.kind().is_some_and(|kind| Standing::KINDS.contains(&kind)) {
                // Of a newer build, perhaps: others say so.
                if let Ok(event) = row.decode() {
                    watched.see(&event);
                }
            }
        }
        if let Some(last) = rows.last() {
            watched.lock().pass(last.recorded_at);
        }
        if rows.len() == BATCH {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            Ok(()) = commits.changed() => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }
}

impl<R: Report> Report for Watched<R> {
    fn health(&self) -> (bool, Value) {
        self.with_trading(self.report.health())
    }

    fn ready(&self) -> (bool, Value) {
        self.with_trading(self.report.ready())
    }

    fn metrics(&self) -> String {
        self.report.metrics() + &self.lock().metrics()
    }
}
