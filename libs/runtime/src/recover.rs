//! Bringing units back from a tape.

use domain::UnitName;
use events::{DecodeError, Position, Recorded, Row};
use service::{Bounds, Follower, Host, Walk, Walked};
use std::collections::BTreeMap;
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

/// Identifies what a snapshot can be read by: another build or configuration starts from the tape.
pub fn tag(build: &str, host: &Host) -> String {
    format!("{build} {}", host.config())
}

/// How a walk is done.
pub struct Plan<'a> {
    pub build: &'a str,
    pub walk: Walk,
    /// Start at snapshots where there are some.
    pub snapshots: bool,
    /// Read no further than this.
    pub until: Option<Position>,
    /// A unit that is new to the tape learns everything up to here without judging it, and speaks
    /// from then on; otherwise it judges the tape from its beginning.
    pub newcomers_learn_until: Position,
}

/// Follows `hosts` along the tape. `seen` is called with every event read, in order, and each unit
/// stops at its saved cursor; hosts that the tape does not know yet stand at the beginning.
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
    let cursors: BTreeMap<UnitName, _> = tape.cursors().await?.into_iter().map(|c| (c.unit, c)).collect();
    let until = plan.until.unwrap_or(Position::MAX);
    let mut stored = BTreeMap::new();
    if plan.snapshots {
        stored.extend(tape.snapshots(until).await?.into_iter().map(|s| (s.unit, s)));
    }
    let mut bounded = Vec::new();
    for mut host in hosts {
        let cursor = cursors.get(&host.unit());
        let heard = cursor.map_or(0, |c| c.position);
        let heard = if heard == 0 { plan.newcomers_learn_until } else { heard };
        let mut bounds =
            Bounds { cursor: heard.min(until), reach: cursor.map_or(0, |c| c.reach), build: None };
        if let Some(snapshot) = stored.get(&host.unit()).filter(|s| s.tag == tag(plan.build, &host))
            && host.restore(&snapshot.state).is_ok()
        {
            bounds.build = Some(plan.build.to_owned());
        }
        bounded.push((host, bounds));
    }
    let mut follower = Follower::new(bounded, plan.walk);
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
