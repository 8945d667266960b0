//! Proof that a tape is what was written: every link of the hash chain, to the head.

use crate::{Cursor, Head, OpenError, Position, ReadError, StorageError, Tape, chain, error::Damage};
use domain::UnitName;
use events::{Event, Kind, Row, UnitEvent};
use std::collections::BTreeSet;
use thiserror::Error;

/// Rows read at a time.
const STRETCH: usize = 2_000;

/// Why a tape is not proven.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// Something was changed, taken away or added. `position` is the first row that is not what was
    /// written; everything before it is.
    #[error("position {position} is not what was written: {why}")]
    Broken { position: Position, why: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Checks every row up to the head that the tape has now. Holds only a stretch of rows in memory, and
/// keeps no writer waiting. `progress` is told how many rows are done, and of how many.
///
/// Found are: any change in any column of any row but `meta`, a missing or an added row, a changed
/// head, a cursor beyond it. Not found is a tape rewritten whole with matching hashes: for that,
/// compare the head with one noted elsewhere.
///
/// # Errors
/// [`VerifyError::Broken`], or a storage that cannot be read.
pub async fn verify_chain(tape: &Tape, mut progress: impl FnMut(u64, u64)) -> Result<Head, VerifyError> {
    let (stored, last, cursors) = marks(tape).await?;
    let mut found = Head::EMPTY;
    progress(0, stored.position);
    while found.position < stored.position {
        let left = usize::try_from(stored.position - found.position).unwrap_or(STRETCH);
        found = stretch(tape, found, left.min(STRETCH)).await?;
        progress(found.position, stored.position);
    }
    end(&stored, &found, last, &cursors)?;
    Ok(stored)
}

/// Checks what stands beside the events against the last of them: the head row, and that no cursor lies
/// beyond it. The cost does not depend on the tape's length, so whoever opens a tape to write does it.
///
/// # Errors
/// [`VerifyError::Broken`] names the field, or a storage that cannot be read.
pub async fn check_end(tape: &Tape) -> Result<(), VerifyError> {
    let (stored, last, cursors) = marks(tape).await?;
    if stored.position == 0 {
        return end(&stored, &Head::EMPTY, last, &cursors);
    }
    let (before, limit) = (stored.position.saturating_sub(2), if stored.position == 1 { 1 } else { 2 });
    let rows = found(tape.read(before, limit).await)?;
    let previous = if limit == 1 { chain::GENESIS } else { rows.first().map_or(chain::GENESIS, |r| r.hash) };
    let Some(row) = rows.last().filter(|_| rows.len() == limit) else {
        let why = format!(
            "it is gone: the head row's position is {}, and the last event stands at {last}",
            stored.position
        );
        return Err(VerifyError::Broken { position: last + 1, why });
    };
    let seen = Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at };
    end(&stored, &seen, last, &cursors)?;
    if !chain::holds(&previous, row) {
        let why = "its hash does not follow from its content and the row before".to_owned();
        return Err(VerifyError::Broken { position: row.position, why });
    }
    Ok(())
}

/// `found` is the row at the head's position, `last` the last position that there is.
fn end(stored: &Head, found: &Head, last: Position, cursors: &[Cursor]) -> Result<(), VerifyError> {
    let at = stored.position;
    let broken = |position, why| Err(VerifyError::Broken { position, why });
    if last > at {
        let why = format!("it stands behind the tape's end: the head row's position is {at}, not {last}");
        return broken(at + 1, why);
    }
    if found.hash != stored.hash {
        return broken(at, "the head row's hash is not that of the last event".to_owned());
    }
    if found.recorded_at != stored.recorded_at {
        let why = format!(
            "the head row's recorded_at is {}, and the last event was recorded at {}",
            stored.recorded_at, found.recorded_at
        );
        return broken(at, why);
    }
    if let Some(cursor) = cursors.iter().find(|c| c.position > at) {
        let (unit, position) = (cursor.unit, cursor.position);
        let why =
            format!("the cursor of {unit} stands at {position}, behind the tape's end at position {at}");
        return broken(at + 1, why);
    }
    Ok(())
}

/// What a unit has said, as far as its cursor must know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub unit: String,
    /// The last event that it has answered.
    pub cause: Position,
    /// The largest distance between a saying and its cause.
    pub reach: u64,
}

impl Answered {
    /// As a database tells it.
    pub fn new(unit: String, cause: Position, distance: i64) -> Self {
        // One that stands before its cause is none that we wrote.
        Self { unit, cause, reach: distance.max(0).unsigned_abs() }
    }
}

/// What is wrong with the cursors, each in words; empty if nothing. A cursor moves in the commit of what its
/// unit says, so it stands at or behind every event that was answered, and its reach is at least the
/// largest distance. Looks at every event that has a cause.
///
/// # Errors
/// A storage that cannot be read.
pub async fn check_cursors(tape: &Tape) -> Result<Vec<String>, ReadError> {
    // The cursors first: what is said meanwhile then lies beyond them, and is left out.
    let (head, cursors) = tape.marks().await?;
    let answered = match tape {
        Tape::Sqlite(tape) => tape.answered(head.position).await?,
        Tape::Postgres(tape) => tape.answered(head.position).await?,
        Tape::Memory(tape) => tape.answered(head.position),
    };
    let lost = lost_cursors(tape).await?.into_iter();
    let mut wrong: Vec<_> = lost.map(|unit| OpenError::LostCursor { unit }.to_string()).collect();
    let units = started(tape).await?;
    for Answered { unit, cause, reach } in answered {
        let mut known = cursors.iter().filter(|cursor| units.contains(&cursor.unit));
        let Some(cursor) = known.find(|cursor| cursor.unit.as_str() == unit) else { continue };
        if cursor.position < cause {
            wrong.push(format!(
                "the cursor of {unit} was changed: its position is {}, and {unit} has answered position \
                 {cause}; restore the tape from a copy",
                cursor.position
            ));
        }
        if cursor.reach < reach {
            wrong.push(format!(
                "the cursor of {unit} was changed: its reach is {}, and {unit} has answered {reach} \
                 positions behind an event; restore the tape from a copy",
                cursor.reach
            ));
        }
    }
    Ok(wrong)
}

/// Units that have started on the tape and have no cursor: they would begin anew, and act a second time.
pub(crate) async fn lost_cursors(tape: &Tape) -> Result<BTreeSet<UnitName>, ReadError> {
    // The cursors last: a unit may start meanwhile, and has its cursor then.
    let mut started = started(tape).await?;
    for cursor in tape.cursors().await? {
        started.remove(&cursor.unit);
    }
    Ok(started)
}

/// The units that answer what they hear. Who only records has no cursor to go on from.
async fn started(tape: &Tape) -> Result<BTreeSet<UnitName>, ReadError> {
    let mut started = BTreeSet::new();
    for row in tape.of_kind(Kind::UnitStarted).await? {
        let damaged = |e| ReadError::Damaged { position: row.position, why: format!("{e}") };
        if let Event::Unit(UnitEvent::Started(e)) = row.decode().map_err(damaged)?.event {
            started.insert(e.unit);
        }
    }
    Ok(started)
}

/// What the database itself finds wrong, beyond the events: above all an index that would let an id in
/// twice. Empty if nothing. Of SQLite it reads the whole file; of PostgreSQL it looks whether the indexes
/// and the triggers that keep events from being changed are there and at work.
///
/// # Errors
/// A storage that cannot be read at all.
pub async fn check_file(tape: &Tape) -> Result<Vec<String>, StorageError> {
    match tape {
        Tape::Sqlite(tape) => tape.check_file().await,
        Tape::Postgres(tape) => tape.check().await,
        Tape::Memory(_) => Ok(Vec::new()),
    }
}

/// Checks that every raw frame is what was kept under its hash. How many there are, and the hashes of
/// those that were changed, in hexadecimal.
///
/// # Errors
/// A storage that cannot be read.
pub async fn check_frames(tape: &Tape) -> Result<(u64, Vec<String>), StorageError> {
    let (mut count, mut changed, mut last) = (0, Vec::new(), None);
    loop {
        let page = tape.frames_after(last.take()).await?;
        for frame in &page {
            count += 1;
            if chain::sha256(&frame.bytes)[..] != frame.hash {
                changed.push(frame.hash.iter().map(|byte| format!("{byte:02x}")).collect());
            }
        }
        last = page.into_iter().next_back().map(|frame| frame.hash);
        if last.is_none() {
            return Ok((count, changed));
        }
    }
}

async fn marks(tape: &Tape) -> Result<(Head, Position, Vec<crate::Cursor>), VerifyError> {
    match tape {
        Tape::Memory(tape) => {
            let (head, cursors) = tape.marks_now();
            Ok((head, head.position, cursors))
        }
        Tape::Sqlite(tape) => found(tape.marks().await.map(|marks| (marks.head, marks.last, marks.cursors))),
        Tape::Postgres(tape) => {
            found(tape.marks().await.map(|marks| (marks.head, marks.last, marks.cursors)))
        }
    }
}

fn found<T>(marks: Result<T, ReadError>) -> Result<T, VerifyError> {
    match marks {
        Ok(marks) => Ok(marks),
        Err(ReadError::Storage(StorageError::Corrupt { why, .. })) => {
            Err(VerifyError::Broken { position: 0, why: format!("the head or a cursor: {why}") })
        }
        Err(ReadError::Storage(fault)) => Err(fault.into()),
        Err(ReadError::Gap { expected: position, .. } | ReadError::Damaged { position, .. }) => {
            Err(VerifyError::Broken { position, why: "it cannot be read".to_owned() })
        }
    }
}

/// Follows the chain from `head` over the next `limit` rows, which must be there.
async fn stretch(tape: &Tape, head: Head, limit: usize) -> Result<Head, VerifyError> {
    let mut walk = Walk { head, broken: None };
    let read = match tape {
        Tape::Sqlite(tape) => tape.after_strictly(head.position, limit, |row| walk.step(row)).await,
        Tape::Postgres(tape) => tape.after(head.position, limit, |row| walk.step(row)).await,
        Tape::Memory(tape) => {
            tape.read_now(head.position, limit).into_iter().for_each(|row| walk.step(Ok(row)));
            Ok(())
        }
    };
    let next = walk.head.position + 1;
    match (walk.broken, read) {
        (Some(broken), _) => Err(broken),
        (None, Err(StorageError::Corrupt { why, .. })) => Err(VerifyError::Broken { position: next, why }),
        (None, Err(fault)) => Err(fault.into()),
        (None, Ok(())) if next <= head.position + limit as u64 => {
            Err(VerifyError::Broken { position: next, why: "it is gone".to_owned() })
        }
        (None, Ok(())) => Ok(walk.head),
    }
}

struct Walk {
    head: Head,
    broken: Option<VerifyError>,
}

impl Walk {
    fn step(&mut self, row: Result<Row, Damage>) {
        if self.broken.is_some() {
            return;
        }
        match check(&self.head, row) {
            Ok(head) => self.head = head,
            Err((position, why)) => self.broken = Some(VerifyError::Broken { position, why }),
        }
    }
}

fn check(previous: &Head, row: Result<Row, Damage>) -> Result<Head, (Position, String)> {
    let expected = previous.position + 1;
    let row = row.map_err(|damage| (damage.position.max(expected), damage.why))?;
    if row.position != expected {
        return Err((expected, format!("it is gone; {} comes next", row.position)));
    }
    if row.recorded_at < previous.recorded_at {
        return Err((expected, "its time is before the previous row's".to_owned()));
    }
    if !chain::holds(&previous.hash, &row) {
        return Err((expected, "its hash does not follow from its content and the row before".to_owned()));
    }
    Ok(Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at })
}
