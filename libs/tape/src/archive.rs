//! A tape as a text file, to keep or to bring to another database: JSON Lines, the first line says what
//! it is, every further one is a row with all its columns.
//!
//! ```text
//! {"format":"tapedeck-tape","version":1,"head":{"position":2,"hash":"…","recorded_at":…},"cursors":[…]}
//! {"position":1,"id":"…","kind":"tape.opened","schema":1,…,"body":"{…}","meta":null,"hash":"…"}
//! ```
//! Times are microseconds since 1970 UTC, hashes hexadecimal, bodies strings, so that not a byte
//! changes on the way. Cursors carry how far, reach and fence; leases belong to processes and stay.

use crate::{
    AppendError, Commit, Cursor, Draft, Entry, Head, Outcome, Position, ReadError, Row, StorageError, Tape,
    chain,
};
use domain::{Timestamp, UnitName};
use events::Uuid;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    io::{self, BufRead, Write},
};
use thiserror::Error;

const FORMAT: &str = "tapedeck-tape";
const VERSION: u32 = 1;

/// Rows read or appended at a time.
const STRETCH: usize = 1_000;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the export cannot be written: {0}")]
    Write(#[from] io::Error),
}

#[derive(Debug, Error)]
pub enum ImportError {
    #[error("the tape to import into holds {0} events: import into a new one")]
    NotEmpty(Position),
    #[error("{unit} runs on the tape to import into: stop every service on it first")]
    Spoken { unit: UnitName },
    #[error(
        "somebody else has written on the tape to import into (it ends at {0} now): stop every service on it, delete it, and import into a new one"
    )]
    Disturbed(Position),
    /// The rows before that line may be on the tape by then.
    #[error("line {line}: {why}; mend the file, or get another copy")]
    Line { line: u64, why: String },
    #[error("line {line}: {fault}")]
    Append { line: u64, fault: AppendError },
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    head: HeadLine,
    cursors: Vec<CursorLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    position: Position,
    hash: String,
    recorded_at: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CursorLine {
    unit: UnitName,
    position: Position,
    reach: u64,
    fence: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowLine<'r> {
    position: Position,
    id: Uuid,
    kind: Cow<'r, str>,
    schema: u16,
    subject: Cow<'r, str>,
    source: UnitName,
    cause: Option<Uuid>,
    trade: Option<Cow<'r, str>>,
    at: i64,
    recorded_at: i64,
    body: Cow<'r, str>,
    meta: Option<Cow<'r, str>>,
    hash: String,
}

/// Writes the tape as it is now, head and cursors being of one moment; what is recorded meanwhile is
/// left out. Writes where it is called, so not on a thread that must not block.
/// `progress` is told how many rows are done, and of how many.
///
/// # Errors
/// A tape that cannot be read, or an output that cannot be written.
pub async fn export(
    tape: &Tape,
    mut to: impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<Head, ExportError> {
    let (head, cursors) = tape.marks().await?;
    line(&mut to, &Header::new(&head, &cursors))?;
    let mut done = 0;
    progress(done, head.position);
    while done < head.position {
        let left = usize::try_from(head.position - done).unwrap_or(STRETCH);
        let rows = tape.read(done, left.min(STRETCH)).await?;
        if rows.is_empty() {
            return Err(ReadError::Damaged { position: done + 1, why: "it is gone".to_owned() }.into());
        }
        for row in &rows {
            line(&mut to, &RowLine::from(row))?;
        }
        done += rows.len() as u64;
        progress(done, head.position);
    }
    to.flush()?;
    Ok(head)
}

/// Reads into an empty tape what [`export`] wrote: the same positions, times, hashes and cursors, each
/// link checked. Reads where it is called, as [`export`] writes.
///
/// # Errors
/// A tape that is not empty; a line that is not what was exported, by its number; a file that ends early.
pub async fn import(
    from: impl BufRead,
    tape: &Tape,
    mut progress: impl FnMut(u64, u64),
) -> Result<Head, ImportError> {
    let (begun, cursors) = tape.marks().await?;
    if begun.position > 0 || cursors.iter().any(|c| c.position > 0) {
        return Err(ImportError::NotEmpty(begun.position));
    }
    if let Some(unit) = cursors.iter().find(|c| c.owner.is_some()) {
        return Err(ImportError::Spoken { unit: unit.unit });
    }
    let mut lines = Lines { from, number: 0, text: String::new() };
    let header: Header = lines.next()?.ok_or_else(|| lines.wrong("the file is empty"))?;
    let (wanted, cursors) = header.read().map_err(|why| lines.wrong(why))?;

    let mut head = Head::EMPTY;
    let mut batch = Vec::with_capacity(STRETCH);
    progress(0, wanted.position);
    while let Some(row) = lines.next::<RowLine<'static>>()? {
        let row =
            row.read().and_then(|row| follows(&head, &row).map(|()| row)).map_err(|why| lines.wrong(why))?;
        head = Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at };
        batch.push(Entry::market(row.draft, row.recorded_at));
        if batch.len() == STRETCH {
            record(tape, std::mem::take(&mut batch), lines.number, &head).await?;
            progress(head.position, wanted.position);
        }
    }
    record(tape, batch, lines.number, &head).await?;
    if head != wanted {
        let why =
            format!("the file ends at position {}, its first line says {}", head.position, wanted.position);
        return Err(lines.wrong(why));
    }
    tape.restore(cursors).await?;
    progress(head.position, wanted.position);
    Ok(head)
}

/// The last entry of `batch` came from line `last`, and is to be the tape's `head`.
async fn record(tape: &Tape, batch: Vec<Entry>, last: u64, head: &Head) -> Result<(), ImportError> {
    let first = last + 1 - batch.len() as u64;
    let done = tape.append(Commit::new(batch)).await;
    let done = done.map_err(|fault| ImportError::Append { line: last, fault })?;
    if done.head != *head {
        return Err(ImportError::Disturbed(done.head.position));
    }
    for (line, outcome) in (first..).zip(done.outcomes) {
        if let Outcome::Duplicate(position) | Outcome::Conflict(position) = outcome {
            return Err(ImportError::Line {
                line,
                why: format!("its id was at position {position} already"),
            });
        }
    }
    Ok(())
}

fn follows(head: &Head, row: &Row) -> Result<(), String> {
    if row.position != head.position + 1 {
        return Err(format!("position {} is missing, {} came instead", head.position + 1, row.position));
    }
    if row.recorded_at < head.recorded_at {
        return Err("its time is before the previous row's".to_owned());
    }
    if !chain::holds(&head.hash, row) {
        return Err("its hash does not follow from its content and the row before: it was changed".to_owned());
    }
    Ok(())
}

fn line(to: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

/// Lines of a file, one JSON value each, counted.
struct Lines<F> {
    from: F,
    number: u64,
    text: String,
}

impl<F: BufRead> Lines<F> {
    fn next<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>, ImportError> {
        self.text.clear();
        self.number += 1;
        match self.from.read_line(&mut self.text) {
            Ok(0) => {
                self.number -= 1;
                Ok(None)
            }
            Ok(_) => serde_json::from_str(&self.text).map(Some).map_err(|e| self.wrong(e.to_string())),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Err(self.wrong("it is no UTF-8 text")),
            Err(e) => Err(e.into()),
        }
    }

    fn wrong(&self, why: impl Into<String>) -> ImportError {
        ImportError::Line { line: self.number.max(1), why: why.into() }
    }
}

impl Header {
    fn new(head: &Head, cursors: &[Cursor]) -> Self {
        let cursors = cursors.iter().map(|c| CursorLine {
            unit: c.unit,
            position: c.position,
            reach: c.reach,
            fence: c.fence,
        });
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            head: HeadLine {
                position: head.position,
                hash: chain::hex(&head.hash),
                recorded_at: head.recorded_at.micros(),
            },
            cursors: cursors.collect(),
        }
    }

    fn read(self) -> Result<(Head, Vec<Cursor>), String> {
        if self.format != FORMAT {
            return Err(format!("its format is '{}' instead of '{FORMAT}'", self.format));
        }
        if self.version != VERSION {
            return Err(format!("its version is {}, this build knows {VERSION}: upgrade", self.version));
        }
        let HeadLine { position, hash, recorded_at } = self.head;
        let hash = chain::parse_hex(&hash).ok_or("the head's hash is not 64 hexadecimal digits")?;
        let cursors = self.cursors.into_iter().map(|c| Cursor {
            position: c.position,
            fence: c.fence,
            reach: c.reach,
            ..Cursor::new(c.unit)
        });
        let cursors: Vec<Cursor> = cursors.collect();
        if let Some(cursor) = cursors.iter().find(|c| c.position > position) {
            return Err(format!("the cursor of {} stands behind the tape's end", cursor.unit));
        }
        Ok((Head { position, hash, recorded_at: Timestamp::from_micros(recorded_at) }, cursors))
    }
}

impl<'r> From<&'r Row> for RowLine<'r> {
    fn from(row: &'r Row) -> Self {
        let draft = &row.draft;
        Self {
            position: row.position,
            id: draft.id,
            kind: Cow::Borrowed(&draft.kind),
            schema: draft.schema,
            subject: Cow::Borrowed(&draft.subject),
            source: draft.source,
            cause: draft.cause,
            trade: draft.trade.as_deref().map(Cow::Borrowed),
            at: draft.at.micros(),
            recorded_at: row.recorded_at.micros(),
            body: Cow::Borrowed(&draft.body),
            meta: draft.meta.as_deref().map(Cow::Borrowed),
            hash: chain::hex(&row.hash),
        }
    }
}

impl RowLine<'static> {
    fn read(self) -> Result<Row, String> {
        Ok(Row {
            position: self.position,
            recorded_at: Timestamp::from_micros(self.recorded_at),
            hash: chain::parse_hex(&self.hash).ok_or("its hash is not 64 hexadecimal digits")?,
            draft: Draft {
                id: self.id,
                kind: self.kind,
                schema: self.schema,
                subject: self.subject.into_owned(),
                source: self.source,
                cause: self.cause,
                trade: self.trade.map(Cow::into_owned),
                at: Timestamp::from_micros(self.at),
                body: self.body.into_owned(),
                meta: self.meta.map(Cow::into_owned),
            },
        })
    }
}
