//! A tape in a PostgreSQL database: any number of processes write it, any number read it.
//!
//! Invariants:
//! - The locked head row gives out positions, inside one function of the database (`schema/1.sql`), in one
//!   statement that commits by itself: no transaction is ever left open by whoever stops or is stopped.
//! - Every wait has an end: whoever asks is answered within ten seconds, whatever the database does.
//! - An open tape stays usable: after any trouble the next request gets a new connection.
//! - User and password stand in no message.

mod append;
mod beside;
mod faults;
mod group;
mod leases;
mod listener;
mod open;
mod read;
mod readers;
mod rows;
mod session;
mod text;
mod writer;

use crate::{AppendError, Commit, Committed, Mode, OpenError, Outcome, Position, ReadError, StorageError};
use events::Draft;
use faults::Faults;
use group::Work;
use readers::{Again, Readers};
use rows::Binder;
use session::{DEADLINE, Server};
use sqlx::postgres::PgRow;
use std::{collections::BTreeMap, fmt, sync::Arc};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use writer::{Request, Writer};

/// Cheap to clone; all clones are the same open tape.
#[derive(Clone)]
pub struct Postgres(Arc<Open>);

struct Open {
    faults: Faults,
    readers: Readers,
    /// `None` when opened for reading.
    writer: Option<mpsc::Sender<Request>>,
    committed: watch::Receiver<Position>,
    listener: JoinHandle<()>,
}

impl Postgres {
    pub(crate) async fn open(url: &str, mode: Mode) -> Result<Self, OpenError> {
        let server = Server::new(url, mode)?;
        let connection = open::session(&server, mode).await?;
        let readers = Readers::new(server.clone());
        let (heard, committed) = watch::channel(0);
        let heard = Arc::new(heard);
        let writer = match mode {
            Mode::Read => {
                readers.keep(connection);
                None
            }
            Mode::Write => {
                let (requests, inbox) = mpsc::channel(writer::WAITING);
                tokio::spawn(Writer::new(server.clone(), connection, heard.clone()).run(inbox));
                Some(requests)
            }
        };
        let listener = tokio::spawn(listener::listen(server.clone(), readers.clone(), heard.clone()));
        let tape = Self(Arc::new(Open { faults: server.faults, readers, writer, committed, listener }));
        match tape.marks().await {
            Ok(marks) => writer::announce(&heard, marks.head.position),
            // A damaged tape can be looked at all the same, for `verify` to say what is damaged.
            Err(_) if mode == Mode::Read => {}
            Err(e) => return Err(e.into()),
        }
        Ok(tape)
    }

    /// The database compares letter by letter. What it calls a conflict is looked at again here, and
    /// is a duplicate if the two state the same fact.
    pub(crate) async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        let mut commit = Arc::new(commit);
        let mut alike = BTreeMap::new();
        loop {
            match self.try_append(commit.clone()).await {
                Ok(mut committed) => {
                    for (entry, outcome) in commit.entries.iter().zip(&mut committed.outcomes) {
                        if let Outcome::Conflict(position) = *outcome
                            && self.is_alike(&entry.draft).await?
                        {
                            *outcome = Outcome::Duplicate(position);
                        }
                    }
                    // In ascending order, so that each comes to its own place again.
                    for (index, outcome) in alike {
                        committed.outcomes.insert(index, outcome);
                    }
                    return Ok(committed);
                }
                Err(AppendError::Conflict { id, position }) => {
                    let named = commit.entries.iter().position(|entry| entry.draft.id == id);
                    let Some(index) = named else { return Err(AppendError::Conflict { id, position }) };
                    if !self.is_alike(&commit.entries[index].draft).await? {
                        return Err(AppendError::Conflict { id, position });
                    }
                    Arc::make_mut(&mut commit).entries.remove(index);
                    let before =
                        alike.keys().fold(index, |place, earlier| place + usize::from(*earlier <= place));
                    alike.insert(before, Outcome::Duplicate(position));
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Whether the tape holds the same fact in other letters.
    async fn is_alike(&self, draft: &Draft) -> Result<bool, AppendError> {
        let recorded = self.by_id(draft.id).await.map_err(|e| match e {
            ReadError::Storage(e) => AppendError::from(e),
            ReadError::Gap { .. } | ReadError::Damaged { .. } => self.faults().corrupt(e.to_string()).into(),
        })?;
        Ok(recorded.is_some_and(|row| row.draft.same_fact(draft)))
    }

    async fn try_append(&self, commit: Arc<Commit>) -> Result<Committed, AppendError> {
        let writer = self.0.writer.as_ref().ok_or_else(|| self.faults().read_only())?;
        let deadline = DEADLINE + writer::allowance(commit.entries.len());
        let (reply, answer) = oneshot::channel();
        let work = Box::new(Work::new(commit, reply));
        let asked = async {
            writer.send(Request::Append(work)).await.map_err(|_| self.faults().closed())?;
            answer.await.unwrap_or_else(|_| Err(self.faults().closed().into()))
        };
        let late = |_| Err(self.faults().away(format!("no answer within {} s", deadline.as_secs())).into());
        timeout(deadline, asked).await.unwrap_or_else(late)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Position> {
        self.0.committed.clone()
    }

    /// Closing twice is no error.
    pub(crate) async fn close(&self) {
        self.0.listener.abort();
        self.0.readers.close();
        let Some(writer) = &self.0.writer else { return };
        let (reply, answer) = oneshot::channel();
        if writer.send(Request::Close(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    fn writable(&self) -> Result<(), StorageError> {
        match self.0.writer {
            Some(_) => Ok(()),
            None => Err(self.faults().read_only()),
        }
    }

    fn faults(&self) -> &Faults {
        &self.0.faults
    }

    async fn ask(
        &self,
        sql: &'static str,
        arguments: Binder,
        again: Again,
    ) -> Result<Vec<PgRow>, StorageError> {
        let arguments = arguments.done().map_err(|e| self.faults().storage(e))?;
        self.0.readers.fetch(sql, arguments, again).await
    }
}

impl Drop for Open {
    /// The writer ends by itself once nobody is left to ask it.
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Postgres({})", self.faults().tape)
    }
}
