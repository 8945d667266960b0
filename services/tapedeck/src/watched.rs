//! What a process tells of itself, and of how its engine stands.

use crate::{scan, standing::Standing};
use domain::Account;
use events::{Position, Recorded, Row};
use runtime::{http::Report, market::Observer};
use serde_json::Value;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
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
/// How often the tape is looked at, whatever its watch says.
const AGAIN: Duration = Duration::from_secs(1);

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

    /// As [`Self::see`], of what [`follow`] shows.
    pub fn see_rows(&self, rows: &[Row]) {
        for row in rows {
            if row.kind().is_some_and(|kind| Standing::KINDS.contains(&kind)) {
                // Of a newer build, perhaps: others say so.
                if let Ok(event) = row.decode() {
                    self.see(&event);
                }
            }
        }
        if let Some(last) = rows.last() {
            self.lock().pass(last.recorded_at);
        }
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

/// Shows `see` what is on a tape after a position and what comes to it, in order, until asked to stop. What cannot be
/// read now is read later.
pub async fn follow(
    tape: Tape,
    mut after: Position,
    mut stop: watch::Receiver<bool>,
    mut see: impl FnMut(&[Row]) + Send,
) {
    let mut commits = tape.watch();
    while !*stop.borrow() {
        commits.mark_unchanged();
        let rows = match tape.read(after, BATCH).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!("the tape is not read on: {error}");
                Vec::new()
            }
        };
        if let Some(last) = rows.last() {
            after = last.position;
            see(&rows);
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
