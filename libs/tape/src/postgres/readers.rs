//! Connections for everything but appending: made on demand, few, given back, closed when idle.
//!
//! Everything asked here is one statement, run in a task of its own: whoever asks may be cancelled at
//! any moment, the statement is not.

use super::session::{ANSWER, DEADLINE, Server};
use crate::StorageError;
use sqlx::{
    PgConnection,
    postgres::{PgArguments, PgRow},
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::timeout};

/// How many statements run at the same time; more wait for their turn.
const AT_ONCE: usize = 3;

/// How long a connection is kept that nobody needs.
const IDLE: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(super) struct Readers(Arc<Inner>);

struct Inner {
    server: Server,
    turns: Arc<Semaphore>,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// Whether a statement that was perhaps done already may be done again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Yes,
    No,
}

impl Readers {
    pub(super) fn new(server: Server) -> Self {
        let (turns, idle) = (Arc::new(Semaphore::new(AT_ONCE)), Mutex::default());
        Self(Arc::new(Inner { server, turns, idle }))
    }

    /// # Errors
    /// [`StorageError::Away`] within ten seconds at the latest, and whatever the database refuses.
    pub(super) async fn fetch(
        &self,
        sql: &'static str,
        arguments: PgArguments,
        again: Again,
    ) -> Result<Vec<PgRow>, StorageError> {
        let faults = &self.0.server.faults;
        let asked = async {
            // Waited for here and not in the task: whoever gives up leaves the queue.
            let turn = self.0.turns.clone().acquire_owned().await.map_err(|_| faults.closed())?;
            let inner = self.0.clone();
            let task = tokio::spawn(async move {
                let answer = inner.run(sql, arguments, again).await;
                drop(turn);
                answer
            });
            task.await.unwrap_or_else(|_| Err(faults.closed()))
        };
        let late = |_| Err(faults.away(format!("no answer within {} s", DEADLINE.as_secs())));
        timeout(DEADLINE, asked).await.unwrap_or_else(late)
    }

    /// Takes a connection that is there anyway.
    pub(super) fn keep(&self, connection: PgConnection) {
        self.0.give_back(connection);
    }

    /// Closes what nobody has needed for long.
    pub(super) fn tidy(&self) {
        self.0.idle().retain(|(_, since)| since.elapsed() < IDLE);
    }

    /// What is under way ends; nothing new begins.
    pub(super) fn close(&self) {
        self.0.turns.close();
        self.0.idle().clear();
    }
}

impl Inner {
    async fn run(
        &self,
        sql: &'static str,
        arguments: PgArguments,
        again: Again,
    ) -> Result<Vec<PgRow>, StorageError> {
        if let Some(used) = self.take() {
            match self.ask(used, sql, arguments.clone()).await {
                // The server may have been started anew since that connection was used last: all
                // others are no better. One that does not answer is not asked twice.
                Err(Failure::Broken(_)) if again == Again::Yes => self.idle().clear(),
                Err(Failure::Broken(fault) | Failure::Final(fault)) => return Err(fault),
                Ok(rows) => return Ok(rows),
            }
        }
        let fresh = self.server.connect().await?;
        self.ask(fresh, sql, arguments).await.map_err(|failure| match failure {
            Failure::Broken(fault) | Failure::Final(fault) => fault,
        })
    }

    async fn ask(
        &self,
        mut connection: PgConnection,
        sql: &'static str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, Failure> {
        let faults = &self.server.faults;
        let asked = sqlx::query_with(sql, arguments).fetch_all(&mut connection);
        let answer = match timeout(ANSWER, asked).await {
            Ok(answer) => answer.map_err(|e| faults.storage(e)),
            Err(_) => {
                let why = format!("no answer within {} s", ANSWER.as_secs());
                return Err(Failure::Final(faults.away(why)));
            }
        };
        match answer {
            Err(away @ StorageError::Away { .. }) => Err(Failure::Broken(away)),
            Err(fault) => {
                self.give_back(connection);
                Err(Failure::Final(fault))
            }
            Ok(rows) => {
                self.give_back(connection);
                Ok(rows)
            }
        }
    }

    fn take(&self) -> Option<PgConnection> {
        self.idle().pop().map(|(connection, _)| connection)
    }

    fn give_back(&self, connection: PgConnection) {
        if !self.turns.is_closed() {
            self.idle().push((connection, Instant::now()));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Failure {
    /// The connection is gone.
    Broken(StorageError),
    Final(StorageError),
}
