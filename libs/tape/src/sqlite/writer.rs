//! The one task that writes. It owns the writing connection, so whoever asks may be cancelled at any
//! moment: what was asked is done whole or not at all, and nobody ever finds a half-open transaction.

use super::{
    append,
    faults::{Failure, Faults},
    frames, leases,
    lock::WriterLock,
    snapshots,
    statements::Statements,
};
use crate::{
    AppendError, Commit, Committed, Cursor, Frame, Head, LeaseError, Position, StorageError, cursor::Claim,
    snapshot::Stored,
};
use domain::UnitName;
use sqlx::{
    Connection, SqlSafeStr, SqliteConnection,
    sqlite::{SqliteArguments, SqliteRow},
};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How many requests may wait for the writer; more wait before they are taken.
pub(super) const WAITING: usize = 64;

pub(super) type Reply<T, E> = oneshot::Sender<Result<T, E>>;

/// What the writer can be asked.
pub(super) enum Request {
    Append(Commit, Reply<Committed, AppendError>),
    Claim(Vec<UnitName>, Claim, Reply<Vec<Cursor>, LeaseError>),
    Renew { unit: UnitName, fence: u64, ttl: Duration, reply: Reply<(), LeaseError> },
    Release { unit: UnitName, fence: u64, reply: Reply<(), LeaseError> },
    SaveSnapshot(Stored, Reply<(), StorageError>),
    DropSnapshot(String, i64, Reply<(), StorageError>),
    ForgetSnapshots(Reply<(), StorageError>),
    KeepFrames(Vec<Frame>, Reply<(), StorageError>),
    Restore(Vec<Cursor>, Reply<(), StorageError>),
    Pragma(&'static str, u32, Reply<(), StorageError>),
    Close(Reply<(), StorageError>),
}

pub(super) struct Writer {
    pub(super) connection: SqliteConnection,
    pub(super) statements: Statements,
    pub(super) faults: Faults,
    /// What this writer believes the head to be: it alone moves it. `None` after a failure, until it
    /// is read again. The statements check it all the same.
    pub(super) head: Option<Head>,
    committed: watch::Sender<Position>,
    /// Why nothing is written any more.
    stopped: Option<StorageError>,
    _lock: WriterLock,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        faults: Faults,
        head: Head,
        committed: watch::Sender<Position>,
        lock: WriterLock,
    ) -> Self {
        let statements = Statements::default();
        Self { connection, statements, faults, head: Some(head), committed, stopped: None, _lock: lock }
    }

    /// Serves until it is told to close or nobody is left to ask.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(request) = requests.recv().await {
            if let Request::Close(reply) = request {
                requests.close();
                let closed = self.close().await;
                let _ = reply.send(closed);
                return;
            }
            self.serve(request).await;
        }
        // Nobody is left to be told.
        let _ = self.close().await;
    }

    /// An answer that nobody waits for any more is dropped: what was asked is done all the same.
    async fn serve(&mut self, request: Request) {
        match request {
            Request::Append(commit, reply) => {
                let _ = reply.send(self.append(commit).await);
            }
            Request::Claim(units, claim, reply) => {
                let _ = reply.send(leases::claim(self, &units, &claim).await);
            }
            Request::Renew { unit, fence, ttl, reply } => {
                let _ = reply.send(leases::renew(self, unit, fence, ttl).await);
            }
            Request::Release { unit, fence, reply } => {
                let _ = reply.send(leases::release(self, unit, fence).await);
            }
            Request::SaveSnapshot(snapshot, reply) => {
                let _ = reply.send(snapshots::save(self, snapshot).await);
            }
            Request::DropSnapshot(unit, position, reply) => {
                let _ = reply.send(snapshots::drop_one(self, unit, position).await);
            }
            Request::ForgetSnapshots(reply) => {
                let _ = reply.send(snapshots::forget(self).await);
            }
            Request::KeepFrames(frames, reply) => {
                let _ = reply.send(frames::keep(self, frames).await);
            }
            Request::Restore(cursors, reply) => {
                let _ = reply.send(leases::restore(self, &cursors).await);
            }
            Request::Pragma(name, value, reply) => {
                let sql = sqlx::AssertSqlSafe(format!("PRAGMA {name} = {value}"));
                let _ = reply.send(self.rows(sql, SqliteArguments::default()).await.map(drop));
            }
            Request::Close(reply) => {
                let _ = reply.send(Ok(()));
            }
        }
    }

    async fn append(&mut self, commit: Commit) -> Result<Committed, AppendError> {
        self.working()?;
        let committed = append::append(self, commit).await?;
        let position = committed.head.position;
        self.committed.send_if_modified(|last| {
            let newer = position > *last;
            *last = position.max(*last);
            newer
        });
        Ok(committed)
    }

    /// # Errors
    /// The fault that stopped the writer.
    pub(super) fn working(&self) -> Result<(), StorageError> {
        self.stopped.clone().map_or(Ok(()), Err)
    }

    async fn close(self) -> Result<(), StorageError> {
        let faults = self.faults;
        self.connection.close().await.map_err(|e| faults.storage(e))
    }

    /// Runs a statement and tells how many rows it changed.
    pub(super) async fn change(
        &mut self,
        sql: impl SqlSafeStr,
        arguments: SqliteArguments,
    ) -> Result<u64, Failure> {
        let done = sqlx::query_with(sql, arguments).execute(&mut self.connection).await;
        match done {
            Ok(done) => Ok(done.rows_affected()),
            Err(e) => Err(self.note(e)),
        }
    }

    /// As [`Writer::change`], where no constraint can refuse it.
    pub(super) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        arguments: SqliteArguments,
    ) -> Result<u64, StorageError> {
        self.change(sql, arguments).await.map_err(|e| self.unexpected(e))
    }

    pub(super) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        arguments: SqliteArguments,
    ) -> Result<Vec<SqliteRow>, StorageError> {
        let read = sqlx::query_with(sql, arguments).fetch_all(&mut self.connection).await;
        read.map_err(|e| {
            let failure = self.note(e);
            self.unexpected(failure)
        })
    }

    pub(super) async fn begin(&mut self) -> Result<(), StorageError> {
        self.execute("BEGIN IMMEDIATE", SqliteArguments::default()).await.map(drop)
    }

    pub(super) async fn commit(&mut self) -> Result<(), StorageError> {
        self.execute("COMMIT", SqliteArguments::default()).await.map(drop)
    }

    /// Ends a transaction that failed. Some failures end it by themselves; then there is nothing to do.
    pub(super) async fn rollback(&mut self) {
        self.head = None;
        let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
    }

    /// Commits what went well, undoes what did not.
    pub(super) async fn end<T, E: From<StorageError>>(&mut self, done: Result<T, E>) -> Result<T, E> {
        match done {
            Ok(done) => match self.commit().await {
                Ok(()) => Ok(done),
                Err(e) => {
                    self.rollback().await;
                    Err(e.into())
                }
            },
            Err(e) => {
                self.rollback().await;
                Err(e)
            }
        }
    }

    pub(super) fn unexpected(&self, failure: Failure) -> StorageError {
        match failure {
            Failure::Storage(fault) => fault,
            Failure::Refused(why) => StorageError::Other { tape: self.faults.tape.to_string(), why },
        }
    }

    fn note(&mut self, e: sqlx::Error) -> Failure {
        let failure = self.faults.failure(e);
        self.head = None;
        if let Failure::Storage(fault @ StorageError::Unknown { .. }) = &failure {
            self.stopped = Some(fault.clone());
        }
        failure
    }
}
