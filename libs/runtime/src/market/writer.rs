//! What is said on its way to the tape.

use super::{ExternalVenue, Observer};
use crate::reached::Reached;
use domain::UnitName;
use events::{Draft, Position, Recorded};
use service::{Host, Journal, Lockstep, Played, Steps};
use std::time::{Duration, Instant};
use tape::{AppendError, Commit, CursorMove, Entry, OnConflict, Snapshot, StorageError, Tape};
use tokio::task::JoinHandle;

/// How long a lease lasts unless it is renewed. Of a SQLite tape the file lock is what excludes others,
/// so whoever has it need not wait for the lease of one that died.
pub(super) const LEASE: Duration = Duration::from_secs(30);

/// Collects what is to be committed.
pub(super) struct Outbox {
    pub(super) entries: Vec<Entry>,
    pub(super) reached: Reached,
    pub(super) observer: Option<Observer>,
    pub(super) external: Option<Box<dyn ExternalVenue>>,
}

impl Journal for Outbox {
    fn record(&mut self, event: &Recorded) {
        self.reached.said(event);
        if let Some(observer) = &mut self.observer {
            observer(event);
        }
        if let Some(external) = &mut self.external {
            external.see(event);
        }
        self.entries.push(Entry { draft: Draft::from(event), recorded_at: Some(event.recorded_at) });
    }
}

pub(super) struct Writer {
    pub(super) tape: Tape,
    pub(super) fences: Vec<(UnitName, u64)>,
    pub(super) under_way: Option<JoinHandle<Result<tape::Committed, AppendError>>>,
    /// Where the cursors stand once that is done.
    pub(super) saved: Position,
    pub(super) last_commit: Instant,
    pub(super) reached: Reached,
}

impl Writer {
    /// Hands everything collected to the tape; the commit before it must have succeeded.
    pub(super) async fn commit(
        &mut self,
        engine: &mut Lockstep,
        outbox: &mut Outbox,
    ) -> Result<(), AppendError> {
        self.last_commit = Instant::now();
        if outbox.entries.is_empty() {
            return Ok(());
        }
        self.append(engine, outbox).await
    }

    /// As [`Self::commit`], and waits for it. Saves the cursors also where nothing was said since: a snapshot must
    /// not stand beyond them.
    pub(super) async fn settle(
        &mut self,
        engine: &mut Lockstep,
        outbox: &mut Outbox,
    ) -> Result<(), AppendError> {
        self.last_commit = Instant::now();
        if !outbox.entries.is_empty() || self.saved < engine.done() {
            self.append(engine, outbox).await?;
        }
        self.flush().await
    }

    async fn append(&mut self, engine: &mut Lockstep, outbox: &mut Outbox) -> Result<(), AppendError> {
        self.flush().await?;
        let done = engine.done();
        self.saved = done;
        let hosts = engine.hosts();
        self.reached.handled(hosts);
        let cursors = self
            .fences
            .iter()
            .map(|&(unit, fence)| CursorMove {
                unit,
                fence,
                // One that stands farther on waits for the others.
                to: hosts.iter().find(|h| h.unit() == unit).map_or(done, |h| h.cursor().max(done)),
                reach: hosts.iter().find(|h| h.unit() == unit).map_or(0, Host::reach),
            })
            .collect();
        let entries = std::mem::take(&mut outbox.entries);
        let commit = Commit { entries, cursors, on_conflict: OnConflict::Fail };
        let tape = self.tape.clone();
        self.under_way = Some(tokio::spawn(async move { tape.append(commit).await }));
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), AppendError> {
        let Some(task) = self.under_way.take() else { return Ok(()) };
        let committed = match task.await {
            Ok(result) => result?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        };
        self.reached.committed(&committed.head);
        Ok(())
    }
}

/// Renews leases for as long as it lives.
pub(super) struct Leases(JoinHandle<()>);

impl Leases {
    pub(super) fn keep(tape: &Tape, fences: Vec<(UnitName, u64)>) -> Self {
        let tape = tape.clone();
        Self(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                for &(unit, fence) in &fences {
                    if let Err(e) = tape.renew(unit, fence, LEASE).await {
                        // Whoever lost it finds out at the next commit, which is fenced.
                        tracing::debug!(%unit, "the lease was not renewed: {e}");
                    }
                }
            }
        }))
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Every unit's state and the feed's, all at the same quiet, committed position.
pub(super) async fn snapshot<F: Steps>(
    tape: &Tape,
    build: &str,
    played: &mut Played<F>,
) -> Result<(), StorageError> {
    let source = played.source();
    let position = played.engine.done();
    let feed = played.feed().snapshot();
    tape.save_snapshot(Snapshot { unit: source, position, tag: build.to_owned(), state: feed }).await?;
    for host in played.engine.hosts() {
        let tag = replica::tag(build, host);
        let state = host.snapshot();
        tape.save_snapshot(Snapshot { unit: host.unit(), position: host.cursor(), tag, state }).await?;
    }
    Ok(())
}
