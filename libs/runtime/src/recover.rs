//! Bringing several units back from a tape at once, and following them for replay and verification.

use domain::UnitName;
use events::{DecodeError, Kind, Position, Recorded, Row};
use replica::{bounded, starts};
use service::{Checkpoint, Follower, Host, Walk, Walked};
use tape::{ReadError, Tape};
use thiserror::Error;
use tokio::task::JoinHandle;

/// How many rows one read takes.
const BATCH: usize = 2_000;

#[derive(Debug, Error)]
pub enum RecoverError {
    #[error(transparent)]
    Tape(#[from] ReadError),
    #[error("position {position}: {source}")]
    Decode { position: Position, source: DecodeError },
}

/// How a walk is done.
pub struct Plan<'a> {
    pub build: &'a str,
    pub walk: Walk,
    /// Start at snapshots where there are some.
    pub snapshots: bool,
    /// Read no further than this.
    pub until: Option<Position>,
    /// Units that learn without judging what they have not heard, and up to where.
    pub learn: &'a [(UnitName, Position)],
    /// States to compare with on the way.
    pub checkpoints: &'a [Checkpoint],
}

/// Follows `hosts` along the tape. `seen` is called with every event read, in order, and each unit
/// stops at its saved cursor.
///
/// # Errors
/// The tape cannot be read, or holds an event that this build does not know.
pub async fn follow(
    tape: &Tape,
    hosts: Vec<Host>,
    from: Option<Position>,
    plan: &Plan<'_>,
    mut seen: impl FnMut(&Recorded),
) -> Result<Walked, RecoverError> {
    // Of one moment: whatever was answered up to a cursor then stands at or before that head.
    let (head, cursors) = tape.marks().await?;
    let until = plan.until.unwrap_or(head.position);
    let started = tape.of_kind(Kind::UnitStarted).await?;
    let starts = starts(started.iter().take_while(|row| row.position <= until))
        .map_err(|(position, source)| RecoverError::Decode { position, source })?;
    let stored = if plan.snapshots { tape.snapshots(until).await? } else { Vec::new() };
    let hosts = hosts.into_iter().map(|host| {
        let cursor = cursors.iter().find(|c| c.unit == host.unit());
        let learned = plan.learn.iter().find(|(unit, _)| *unit == host.unit()).map_or(0, |(_, to)| *to);
        let heard = cursor.map_or(0, |c| c.position).max(learned).min(until);
        bounded(host, heard, cursor.map_or(0, |c| c.reach), &starts, &stored, plan.build)
    });
    let mut follower = Follower::new(hosts.collect(), plan.walk);
    follower.compare_with(plan.checkpoints.to_vec());
    let mut after = follower.starts_after().min(from.unwrap_or(Position::MAX));
    let start = follower.starts_after();
    // The next rows are read while these are taken in.
    let mut coming = ahead(tape, after);
    'tape: loop {
        let rows = coming.rows().await?;
        let Some(last) = rows.last() else { break };
        after = last.position;
        coming = ahead(tape, after);
        for row in &rows {
            if row.position > until {
                break 'tape;
            }
            let event =
                row.decode().map_err(|source| RecoverError::Decode { position: row.position, source })?;
            seen(&event);
            if event.position > start {
                follower.push(event);
            }
        }
    }
    Ok(follower.finish(plan.build))
}

/// Rows that are being read.
struct Ahead(JoinHandle<Result<Vec<Row>, ReadError>>);

fn ahead(tape: &Tape, after: Position) -> Ahead {
    let tape = tape.clone();
    Ahead(tokio::spawn(async move { tape.read(after, BATCH).await }))
}

impl Ahead {
    async fn rows(self) -> Result<Vec<Row>, ReadError> {
        match self.0.await {
            Ok(rows) => rows,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}
