//! Appending, twice: quick, believing that all is as expected, and with care once it was not.
//!
//! The quick way asks the database nothing. It writes under conditions, on the unique id, the
//! fence, the cursor and the head, and when one of them fails it leaves no trace and the careful way
//! looks what is the matter, inside one transaction. Both ways write the same rows.

use super::{
    faults::Failure,
    leases,
    rows::{self, Binder},
    statements::{self, SMALL},
    writer::Writer,
};
use crate::{
    AppendError, Commit, Committed, Cursor, CursorMove, Head, Position, StorageError,
    commit::Entry,
    cursor, machine_clock,
    sequence::{Known, Placed, Sequence},
};
use domain::UnitName;
use events::{Draft, Row, Uuid};
use sqlx::sqlite::SqliteArguments;
use std::collections::{BTreeMap, HashMap};

pub(super) async fn append(writer: &mut Writer, commit: Commit) -> Result<Committed, AppendError> {
    match quickly(writer, &commit).await? {
        Some(committed) => Ok(committed),
        None => carefully(writer, &commit).await,
    }
}

/// `None` if the commit is not what the quick way believes it to be; then nothing is written.
async fn quickly(writer: &mut Writer, commit: &Commit) -> Result<Option<Committed>, AppendError> {
    let head = match writer.head {
        Some(head) => head,
        None => stored_head(writer).await?,
    };
    let mut new = Sequence::new(head, machine_clock(), commit);
    let written = match (commit.entries.len(), &commit.cursors[..]) {
        // One statement, that moves the cursor or changes nothing.
        (0, [] | [_]) => advance(writer, &commit.cursors, head.position).await,
        (1..=SMALL, [] | [_]) => small(writer, commit, &mut new).await,
        _ => large(writer, commit, &head, &mut new).await,
    };
    match written {
        Ok(true) => {
            writer.head = Some(new.head);
            Ok(Some(Committed { head: new.head, outcomes: new.outcomes }))
        }
        Ok(false) | Err(Failure::Refused(_)) => Ok(None),
        Err(Failure::Storage(fault)) => Err(fault.into()),
    }
}

/// One statement, so it needs no transaction of its own: see `small_commit` in the schema.
async fn small(writer: &mut Writer, commit: &Commit, new: &mut Sequence<'_>) -> Result<bool, Failure> {
    let Ok(placed) = new.all(|_| None) else { return Ok(false) };
    let step = commit.cursors.first();
    if placed.is_empty() || step.is_some_and(|step| step.to > new.head.position) {
        return Ok(false);
    }
    let mut arguments = Binder::default().room(placed.len() * (rows::WIDTH + 4));
    for (left, place) in (0..placed.len()).rev().zip(&placed) {
        arguments.row(place, &commit.entries[place.entry].draft);
        match step {
            Some(step) if left == 0 => arguments.step(step),
            _ => arguments.no_step(),
        };
    }
    let sql = writer.statements.small(placed.len());
    let arguments = arguments.done().map_err(|e| writer.faults.failure(e))?;
    writer.change(sql, arguments).await.map(|_| true)
}

async fn large(
    writer: &mut Writer,
    commit: &Commit,
    old: &Head,
    new: &mut Sequence<'_>,
) -> Result<bool, Failure> {
    writer.begin().await.map_err(Failure::Storage)?;
    let written = match insert_while_hashing(writer, commit, new).await {
        Ok(true) => finish(writer, &commit.cursors, old, &new.head).await,
        not => not,
    };
    match written {
        Ok(true) => commit_or_roll_back(writer).await.map(|()| true).map_err(Failure::Storage),
        not => {
            writer.rollback().await;
            not
        }
    }
}

/// The next rows are hashed and bound while the database takes the ones before.
async fn insert_while_hashing(
    writer: &mut Writer,
    commit: &Commit,
    new: &mut Sequence<'_>,
) -> Result<bool, Failure> {
    let mut done = 0;
    let mut next = || {
        let some = new.next(statements::chunk(commit.entries.len() - done), |_| None).ok()?;
        done += some.len();
        Some((some.len(), bind(commit, &some)))
    };
    let mut ready = next();
    loop {
        let Some((rows, arguments)) = ready else { return Ok(false) };
        if rows == 0 {
            return Ok(true);
        }
        let sql = writer.statements.insert(rows);
        let arguments = arguments.map_err(|e| writer.faults.failure(e))?;
        let (inserted, following) = tokio::join!(writer.change(sql, arguments), async { next() });
        inserted?;
        ready = following;
    }
}

/// Cursors and head behind the rows; false if one was not where it was believed to be.
async fn finish(writer: &mut Writer, steps: &[CursorMove], old: &Head, new: &Head) -> Result<bool, Failure> {
    Ok(advance(writer, steps, new.position).await? && move_head(writer, old, new).await?)
}

async fn carefully(writer: &mut Writer, commit: &Commit) -> Result<Committed, AppendError> {
    writer.begin().await?;
    match inside(writer, commit).await {
        Ok(committed) => {
            commit_or_roll_back(writer).await?;
            writer.head = Some(committed.head);
            Ok(committed)
        }
        Err(e) => {
            writer.rollback().await;
            Err(e)
        }
    }
}

async fn inside(writer: &mut Writer, commit: &Commit) -> Result<Committed, AppendError> {
    let head = stored_head(writer).await?;
    let mut cursors = stored_cursors(writer, &commit.cursors).await?;
    let known = recorded(writer, &commit.entries).await?;
    let look = |draft: &Draft| {
        let row = known.get(&draft.id)?;
        Some(Known { position: row.position, same_fact: row.draft.same_fact(draft) })
    };
    let mut new = Sequence::new(head, machine_clock(), commit);
    let placed = new.all(look)?;
    for step in &commit.cursors {
        if let Some(cursor) = cursors.get_mut(&step.unit) {
            cursor.advance(step, new.head.position)?;
        }
    }
    let refused = |writer: &Writer, e: Failure| AppendError::from(writer.unexpected(e));
    insert(writer, commit, &placed).await.map_err(|e| refused(writer, e))?;
    let steps: Vec<CursorMove> = cursors
        .into_values()
        .map(|c| CursorMove { unit: c.unit, fence: c.fence, to: c.position, reach: c.reach })
        .collect();
    match finish(writer, &steps, &head, &new.head).await {
        Ok(true) => Ok(Committed { head: new.head, outcomes: new.outcomes }),
        Ok(false) => Err(writer.faults.corrupt("a cursor or the head changed under the write lock").into()),
        Err(e) => Err(refused(writer, e)),
    }
}

async fn commit_or_roll_back(writer: &mut Writer) -> Result<(), StorageError> {
    let done = writer.commit().await;
    if done.is_err() {
        writer.rollback().await;
    }
    done
}

async fn insert(writer: &mut Writer, commit: &Commit, placed: &[Placed]) -> Result<(), Failure> {
    let mut left = placed;
    while !left.is_empty() {
        let (now, later) = left.split_at(statements::chunk(left.len()));
        left = later;
        let sql = writer.statements.insert(now.len());
        let arguments = bind(commit, now).map_err(|e| writer.faults.failure(e))?;
        writer.change(sql, arguments).await?;
    }
    Ok(())
}

fn bind(commit: &Commit, placed: &[Placed]) -> sqlx::Result<SqliteArguments> {
    let mut arguments = Binder::default().room(placed.len() * rows::WIDTH);
    for place in placed {
        arguments.row(place, &commit.entries[place.entry].draft);
    }
    arguments.done()
}

/// False if a fence was lost, a cursor would go back or beyond `head`, or one unit moves twice.
async fn advance(writer: &mut Writer, steps: &[CursorMove], head: Position) -> Result<bool, Failure> {
    if steps.is_empty() {
        return Ok(true);
    }
    if repeats(steps) || steps.iter().any(|step| step.to > head) {
        return Ok(false);
    }
    let mut arguments = Binder::default().room(steps.len() * 4);
    for step in steps {
        arguments.step(step);
    }
    let sql = writer.statements.advance(steps.len());
    let arguments = arguments.done().map_err(|e| writer.faults.failure(e))?;
    Ok(writer.change(sql, arguments).await? == steps.len() as u64)
}

/// False if the head is not `old` any more.
async fn move_head(writer: &mut Writer, old: &Head, new: &Head) -> Result<bool, Failure> {
    if old == new {
        return Ok(true);
    }
    let mut arguments = Binder::default();
    arguments.head(new).head(old);
    let arguments = arguments.done().map_err(|e| writer.faults.failure(e))?;
    let sql = "UPDATE place SET position = ?, hash = ?, recorded_at = ? \
               WHERE unit = '' AND position = ? AND hash = ? AND recorded_at = ?";
    Ok(writer.change(sql, arguments).await? == 1)
}

async fn stored_head(writer: &mut Writer) -> Result<Head, StorageError> {
    let rows = writer.rows("SELECT position, hash, recorded_at FROM head", Default::default()).await?;
    let row = rows.first().ok_or_else(|| writer.faults.corrupt("the head row is gone"))?;
    rows::head(row, 0).map_err(|why| writer.faults.corrupt(why))
}

/// The cursors that `steps` move, once each fence is found to be the stored one.
async fn stored_cursors(
    writer: &mut Writer,
    steps: &[CursorMove],
) -> Result<BTreeMap<UnitName, Cursor>, AppendError> {
    let mut cursors = BTreeMap::new();
    for step in steps {
        let stored = leases::load(writer, step.unit).await?;
        cursor::fenced(step, stored.as_ref())?;
        cursors.extend(stored.map(|cursor| (step.unit, cursor)));
    }
    Ok(cursors)
}

/// What is recorded under the ids of `entries`.
async fn recorded(writer: &mut Writer, entries: &[Entry]) -> Result<HashMap<Uuid, Row>, StorageError> {
    let mut known = HashMap::new();
    for some in entries.chunks(statements::IDS) {
        // Few lengths, so that all stay prepared: the last id fills up what is left.
        let asked = some.len().next_power_of_two();
        let mut arguments = Binder::default().room(asked);
        for n in 0..asked {
            arguments.add(some[n.min(some.len() - 1)].draft.id.as_bytes().to_vec());
        }
        let sql = writer.statements.known(asked);
        let arguments = arguments.done().map_err(|e| writer.faults.storage(e))?;
        for row in writer.rows(sql, arguments).await? {
            let row = rows::read(&row)
                .map_err(|d| writer.faults.corrupt(format!("position {}: {}", d.position, d.why)))?;
            known.insert(row.draft.id, row);
        }
    }
    Ok(known)
}

/// Whether a unit moves twice in one commit: legal, but not by one UPDATE.
fn repeats(steps: &[CursorMove]) -> bool {
    steps.iter().enumerate().any(|(n, step)| steps[..n].iter().any(|earlier| earlier.unit == step.unit))
}
