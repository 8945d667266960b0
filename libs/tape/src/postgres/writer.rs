//! The one task of an open tape that appends. It owns its connection, so whoever asks may be cancelled
//! at any moment: what was asked is done whole or not at all.
//!
//! It outlives every trouble of the database: whatever fails or overruns its time is answered, the
//! connection thrown away, and the next commit gets a new one.

use super::{
    append::{Told, Way},
    faults::{self, MAY_NOT_MOVE},
    group::{Group, Work},
    session::{ANSWER, Server},
};
use crate::{AppendError, Head, Position, StorageError};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::yield_now,
    time::{sleep, timeout},
};

/// How many commits may wait; more wait before they are taken. As many as go in one group.
pub(super) const WAITING: usize = 512;

/// Pauses between two attempts to connect: doubled after each that failed, up to the longer one.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// Commits beyond this many entries get more time than others: so much per entry.
const LARGE: usize = 20_000;
const PER_ENTRY: Duration = Duration::from_micros(200);

pub(super) enum Request {
    Append(Box<Work>),
    Close(oneshot::Sender<()>),
}

/// How much longer than usual a commit of so many entries may take.
pub(super) fn allowance(entries: usize) -> Duration {
    match entries > LARGE {
        true => PER_ENTRY * u32::try_from(entries).unwrap_or(u32::MAX),
        false => Duration::ZERO,
    }
}

pub(super) struct Writer {
    server: Server,
    connection: Option<PgConnection>,
    committed: Arc<watch::Sender<Position>>,
    /// No attempt to connect before that, and the pause after the next one that fails.
    next_attempt: (Instant, Duration),
    /// The last row that it knows of. A database that has lost it was put back to an older copy.
    last: Option<Head>,
}

impl Writer {
    pub(super) fn new(
        server: Server,
        connection: PgConnection,
        committed: Arc<watch::Sender<Position>>,
    ) -> Self {
        Self {
            server,
            connection: Some(connection),
            committed,
            next_attempt: (Instant::now(), PAUSE),
            last: None,
        }
    }

    /// Serves until it is told to close or nobody is left to ask.
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut next = requests.recv().await;
        let mut together = false;
        while let Some(request) = next.take() {
            match request {
                Request::Append(work) => {
                    let mut group = Group::new(*work);
                    if together {
                        // Whoever was answered together most often speaks again together.
                        yield_now().await;
                    }
                    next = gather(&mut group, &mut requests);
                    together = group.works.len() > 1;
                    self.serve(group).await;
                }
                Request::Close(reply) => {
                    requests.close();
                    self.goodbye().await;
                    let _ = reply.send(());
                    return;
                }
            }
            if next.is_none() {
                next = requests.recv().await;
            }
        }
        self.goodbye().await;
    }

    async fn serve(&mut self, mut group: Group) {
        // Whoever has given up says it again, if at all.
        group.works.retain(|work| !work.reply.is_closed());
        group.entries = group.works.iter().map(|work| work.commit.entries.len()).sum();
        if group.works.is_empty() {
            return;
        }
        match self.append(&group).await {
            Ok(told) => {
                announce(&self.committed, told.last());
                self.last = told.head().or(self.last);
                told.answer(group, &self.server.faults);
            }
            Err(fault) => group.fail(&AppendError::from(fault)),
        }
    }

    /// The connection is put back only after an answer that leaves it as it was.
    async fn append(&mut self, group: &Group) -> Result<Told, StorageError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let more = allowance(group.entries);
        let answer = timeout(ANSWER + more, call(&mut connection, group, more)).await;
        let told = match answer {
            Ok(told) => told.map_err(|e| self.server.faults.storage(e)),
            Err(_) => {
                Err(self.server.faults.away(format!("no answer within {} s", (ANSWER + more).as_secs())))
            }
        };
        if !matches!(told, Err(StorageError::Away { .. })) {
            self.connection = Some(connection);
        }
        told
    }

    async fn connect(&mut self) -> Result<PgConnection, StorageError> {
        let (from, pause) = self.next_attempt;
        sleep(from.saturating_duration_since(Instant::now())).await;
        let connected = self.server.connect().await;
        self.next_attempt = match connected {
            Ok(_) => (Instant::now(), PAUSE),
            Err(_) => (Instant::now() + pause, (pause * 2).min(LONGEST_PAUSE)),
        };
        let mut connected = connected?;
        self.remembers(&mut connected).await?;
        Ok(connected)
    }

    /// After a restart, a fail-over, a restore: whether what was committed is still there.
    async fn remembers(&self, connection: &mut PgConnection) -> Result<(), StorageError> {
        let Some(last) = self.last.filter(|last| last.position > 0) else { return Ok(()) };
        let faults = &self.server.faults;
        let asked = sqlx::query_scalar::<_, Vec<u8>>("SELECT hash FROM tapedeck.event WHERE position = $1")
            .bind(last.position.cast_signed())
            .fetch_optional(connection);
        let there = match timeout(ANSWER, asked).await {
            Ok(there) => there.map_err(|e| faults.storage(e))?,
            Err(_) => return Err(faults.away(format!("no answer within {} s", ANSWER.as_secs()))),
        };
        if there.is_some_and(|hash| hash == last.hash) {
            return Ok(());
        }
        Err(faults.corrupt(format!(
            "position {} is not what this process has recorded there: the database was put back to an older copy",
            last.position
        )))
    }

    async fn goodbye(self) {
        if let Some(connection) = self.connection {
            // It is only good manners: whatever was committed is safe.
            let _ = timeout(GOODBYE, connection.close()).await;
        }
    }
}

/// What waits already, as far as it may go together. Told is what may not, the first one of it.
fn gather(group: &mut Group, requests: &mut mpsc::Receiver<Request>) -> Option<Request> {
    loop {
        match requests.try_recv() {
            Ok(Request::Append(work)) => {
                if let Err(work) = group.take(*work) {
                    return Some(Request::Append(work));
                }
            }
            Ok(close @ Request::Close(_)) => return Some(close),
            Err(_) => return None,
        }
    }
}

async fn call(connection: &mut PgConnection, group: &Group, more: Duration) -> sqlx::Result<Told> {
    if !more.is_zero() {
        let limit = format!("SET statement_timeout = {}", (ANSWER + more).as_millis());
        connection.execute(sqlx::AssertSqlSafe(limit)).await?;
    }
    let mut told = Way::of(group).go(connection, group).await;
    if told.as_ref().is_err_and(|e| faults::code(e).as_deref() == Some(MAY_NOT_MOVE)) {
        told = Way::WithCare.go(connection, group).await;
    }
    if !more.is_zero() {
        connection.execute("RESET statement_timeout").await?;
    }
    told
}

/// Wakes whoever watches, if it is news.
pub(super) fn announce(committed: &watch::Sender<Position>, position: Position) {
    committed.send_if_modified(|last| {
        let newer = position > *last;
        *last = position.max(*last);
        newer
    });
}
