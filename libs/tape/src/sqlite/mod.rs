//! A tape in a SQLite file: one writing process, any number of reading ones.
//!
//! Invariants:
//! - Only the task in [`writer`] writes, on a connection of its own; readers have others and never
//!   make it wait.
//! - Durable when an append returns: `synchronous=FULL`, so the write-ahead log is flushed by then.
//! - The database refuses to change, delete or replace an event, whoever asks (`schema/1.sql`).

mod append;
mod faults;
mod frames;
mod leases;
mod lock;
mod open;
mod packed;
mod read;
mod rows;
mod snapshots;
mod statements;
mod writer;

use crate::{
    AppendError, Commit, Committed, Cursor, Frame, Hash, LeaseError, Mode, OpenError, Position, ReadError,
    StorageError, cursor::Claim, frame, snapshot,
};
use domain::UnitName;
use faults::Faults;
use rows::Binder;
use sqlx::{SqlitePool, sqlite::SqliteRow};
use std::{path::Path, sync::Arc, time::Duration};
use tokio::sync::{mpsc, oneshot, watch};
use writer::{Reply, Request, Writer};

/// Cheap to clone; all clones are the same open tape.
#[derive(Debug, Clone)]
pub struct Sqlite(Arc<Open>);

#[derive(Debug)]
struct Open {
    faults: Faults,
    readers: SqlitePool,
    /// `None` when opened for reading.
    writer: Option<mpsc::Sender<Request>>,
    committed: watch::Receiver<Position>,
}

impl Sqlite {
    pub(crate) async fn open(path: &str, mode: Mode) -> Result<Self, OpenError> {
        let path = open::resolve(Path::new(path))?;
        let faults = Faults { tape: path.display().to_string().into() };
        match mode {
            Mode::Write => Self::open_to_write(&path, faults).await,
            Mode::Read => Self::open_to_read(&path, faults).await,
        }
    }

    async fn open_to_write(path: &Path, faults: Faults) -> Result<Self, OpenError> {
        let (connection, readers, lock) = open::writer(path, &faults).await?;
        let (heard, committed) = watch::channel(0);
        let (requests, inbox) = mpsc::channel(writer::WAITING);
        let tape =
            Self(Arc::new(Open { faults: faults.clone(), readers, writer: Some(requests), committed }));
        let head = tape.marks().await?.head;
        heard.send_replace(head.position);
        tokio::spawn(Writer::new(connection, faults, head, heard, lock).run(inbox));
        Ok(tape)
    }

    async fn open_to_read(path: &Path, faults: Faults) -> Result<Self, OpenError> {
        let readers = open::reader(path, &faults).await?;
        let (heard, committed) = watch::channel(0);
        let tape = Self(Arc::new(Open { faults, readers, writer: None, committed }));
        // A damaged tape can be opened all the same, for `verify` to say what is damaged.
        heard.send_replace(tape.marks().await.map_or(0, |marks| marks.head.position));
        Ok(tape)
    }

    pub(crate) async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.ask(|reply| Request::Append(commit, reply)).await
    }

    pub(crate) async fn claim(&self, units: Vec<UnitName>, claim: Claim) -> Result<Vec<Cursor>, LeaseError> {
        self.ask(|reply| Request::Claim(units, claim, reply)).await
    }

    pub(crate) async fn renew(&self, unit: UnitName, fence: u64, ttl: Duration) -> Result<(), LeaseError> {
        self.ask(|reply| Request::Renew { unit, fence, ttl, reply }).await
    }

    pub(crate) async fn release(&self, unit: UnitName, fence: u64) -> Result<(), LeaseError> {
        self.ask(|reply| Request::Release { unit, fence, reply }).await
    }

    pub(crate) async fn save_snapshot(&self, snapshot: snapshot::Stored) -> Result<(), StorageError> {
        self.ask(|reply| Request::SaveSnapshot(snapshot, reply)).await
    }

    pub(crate) async fn snapshots(&self) -> Result<Vec<snapshot::Stored>, StorageError> {
        snapshots::all(self).await
    }

    /// Does nothing where the tape was opened for reading.
    pub(crate) async fn drop_snapshot(&self, unit: String, position: i64) -> Result<(), StorageError> {
        match self.0.writer {
            Some(_) => self.ask(|reply| Request::DropSnapshot(unit, position, reply)).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn forget_snapshots(&self) -> Result<(), StorageError> {
        self.ask(Request::ForgetSnapshots).await
    }

    pub(crate) async fn keep_frames(&self, frames: Vec<Frame>) -> Result<(), StorageError> {
        self.ask(|reply| Request::KeepFrames(frames, reply)).await
    }

    pub(crate) async fn frame(&self, hash: &Hash) -> Result<Option<Frame>, ReadError> {
        frames::find(self, hash).await
    }

    pub(crate) async fn frames_after(&self, last: Option<Vec<u8>>) -> Result<Vec<frame::Kept>, StorageError> {
        frames::after(self, last).await
    }

    pub(crate) async fn restore(&self, cursors: Vec<Cursor>) -> Result<(), StorageError> {
        self.ask(|reply| Request::Restore(cursors, reply)).await
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Position> {
        self.0.committed.clone()
    }

    /// Sets a limit of the writing connection, so that tests meet it sooner: `max_page_count` is a full
    /// disk, `busy_timeout` the wait for another process.
    #[doc(hidden)]
    pub async fn limit(&self, pragma: &'static str, value: u32) -> Result<(), StorageError> {
        self.ask(|reply| Request::Pragma(pragma, value, reply)).await
    }

    /// Readers first, so that the writer is the last to leave and folds the write-ahead log back
    /// into the file. Closing twice is no error.
    pub(crate) async fn close(&self) -> Result<(), StorageError> {
        self.0.readers.close().await;
        let Some(writer) = &self.0.writer else { return Ok(()) };
        let (reply, answer) = oneshot::channel();
        match writer.send(Request::Close(reply)).await {
            Ok(()) => answer.await.unwrap_or(Ok(())),
            Err(_) => Ok(()),
        }
    }

    async fn ask<T, E: From<StorageError>>(
        &self,
        request: impl FnOnce(Reply<T, E>) -> Request,
    ) -> Result<T, E> {
        let writer = self.0.writer.as_ref().ok_or_else(|| self.faults().read_only())?;
        let (reply, answer) = oneshot::channel();
        writer.send(request(reply)).await.map_err(|_| self.faults().closed())?;
        answer.await.unwrap_or_else(|_| Err(self.faults().closed().into()))
    }

    fn faults(&self) -> &Faults {
        &self.0.faults
    }

    async fn fetch(&self, sql: &'static str, arguments: Binder) -> Result<Vec<SqliteRow>, StorageError> {
        let read = async {
            let arguments = arguments.done()?;
            sqlx::query_with(sql, arguments).fetch_all(&self.0.readers).await
        };
        read.await.map_err(|e| self.faults().storage(e))
    }
}
