//! What can go wrong, one small enum per boundary.
//!
//! Whatever an append reports, nothing of that commit is on the tape, with two exceptions:
//! [`StorageError::Unknown`] and [`StorageError::Away`]. Saying the same again is always safe, since
//! ids are derived.

use crate::Position;
use domain::{Timestamp, UnitName};
use events::Uuid;
use thiserror::Error;

/// Why an append recorded nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AppendError {
    /// Somebody else speaks for the unit now: discard its state and recover, or stand by.
    #[error("{unit} lost its fence: it came with {given}, {}", held(.stored))]
    Fenced { unit: UnitName, given: u64, stored: Option<u64> },
    /// `position` is where the other content stands; one beyond the head and upwards if the two
    /// came in this same commit.
    #[error("the event {id} says something else than what is recorded under that id at position {position}")]
    Conflict { id: Uuid, position: Position },
    #[error("the cursor of {unit} stands at {stored} and cannot go back to {given}")]
    Backwards { unit: UnitName, given: Position, stored: Position },
    #[error("the cursor of {unit} cannot go to {given}: the tape ends at {head}")]
    Beyond { unit: UnitName, given: Position, head: Position },
    /// Another process holds the database. Nothing is recorded; try again.
    #[error("{0}")]
    Busy(String),
    /// No room left. Nothing is recorded, the tape is whole; try again once there is room.
    #[error("{0}")]
    Full(String),
    /// Anything else that the storage has to say; see [`StorageError`].
    #[error("{0}")]
    Backend(StorageError),
}

/// What a database can refuse, whatever is asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorageError {
    #[error("the tape {tape} was opened for reading; open it for writing to record anything")]
    ReadOnly { tape: String },
    #[error(
        "another process has locked the tape {tape} for more than 5 s (a database shell?): close it and try again; nothing was recorded"
    )]
    Busy { tape: String },
    #[error(
        "the disk of the tape {tape} is full: make room (or raise its quota), then go on; nothing was recorded and the tape is whole ({why})"
    )]
    Full { tape: String, why: String },
    #[error("the file of the tape {tape} is damaged: run `tapedeck verify` and restore from a copy ({why})")]
    Corrupt { tape: String, why: String },
    /// The commit may or may not be on the disk. The writer has stopped, the tape must be opened anew.
    #[error(
        "the disk of the tape {tape} did not confirm a write, so it is unknown whether it was recorded; check the disk, then start again ({why})"
    )]
    Unknown { tape: String, why: String },
    /// The database cannot be reached, or did not answer in time. The commit may or may not be
    /// recorded; the tape itself goes on working once the database is back.
    #[error(
        "the tape {tape} cannot be reached; whether the last commit was recorded is unknown, saying it again is safe: see to the database, the rest follows by itself ({why})"
    )]
    Away { tape: String, why: String },
    #[error("the tape {tape} is closed")]
    Closed { tape: String },
    #[error("the tape {tape}: {why}")]
    Other { tape: String, why: String },
}

/// Why nothing can be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReadError {
    #[error(
        "position {expected} is missing, {found} came instead: the tape is damaged, run `tapedeck verify`"
    )]
    Gap { expected: Position, found: Position },
    #[error("position {position} is damaged: {why}; run `tapedeck verify`")]
    Damaged { position: Position, why: String },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a unit cannot be spoken for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LeaseError {
    #[error("{unit} is run by {owner} until {until}: stop it, or wait until its lease ends")]
    Held { unit: UnitName, owner: String, until: Timestamp },
    #[error("the lease on {unit} is lost: it came with fence {given}, {}", held(.stored))]
    Lost { unit: UnitName, given: u64, stored: Option<u64> },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Why a tape cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    #[error(
        "'{url}' is no tape: write sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or memory:{hint}"
    )]
    Url { url: String, hint: &'static str },
    #[error("there is no tape at {path}: check the path, or start something that records on it")]
    Missing { path: String },
    #[error("{path} cannot be written: {why}")]
    Unwritable { path: String, why: String },
    #[error("{path} is not a tape: {why}")]
    Foreign { path: String, why: String },
    #[error(
        "{path} was written by a newer version of Tapedeck (tape format {found}, this one knows {known}): upgrade"
    )]
    Newer { path: String, found: i64, known: i64 },
    #[error("{path} has the older tape format {found}, this version reads {known}: open it once for writing")]
    Older { path: String, found: i64, known: i64 },
    #[error(
        "the tape {path} is already being written by {holder}: stop that first (one process writes a SQLite tape, any number may read)"
    )]
    Taken { path: String, holder: String },
    #[error(
        "the tape {path} was left in the middle of its work and cannot be read from a read-only folder: copy {path} and {path}-wal to a writable one"
    )]
    Unfinished { path: String },
    #[error(
        "the tape was left in the middle of a change at {path}: start what records on it once (it undoes the change), or move {path} and {path}-journal away together"
    )]
    Interrupted { path: String },
    /// Somebody changed it behind our back; `position` is the first row that is not what was written.
    #[error(
        "position {position} is not what was written: {why}; nothing is recorded behind it: run `tapedeck verify`, find out who changed it, and restore the tape from a copy"
    )]
    Unsound { position: Position, why: String },
    #[error("the cursor of {unit} is gone, and {unit} has worked on this tape; restore the tape from a copy")]
    LostCursor { unit: UnitName },
    #[error("a tape in memory lives in its process only and cannot be opened for reading")]
    MemoryRead,
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<StorageError> for AppendError {
    fn from(e: StorageError) -> Self {
        match e {
            StorageError::Busy { .. } => Self::Busy(e.to_string()),
            StorageError::Full { .. } => Self::Full(e.to_string()),
            StorageError::ReadOnly { .. }
            | StorageError::Corrupt { .. }
            | StorageError::Unknown { .. }
            | StorageError::Away { .. }
            | StorageError::Closed { .. }
            | StorageError::Other { .. } => Self::Backend(e),
        }
    }
}

/// A row that we never wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub position: Position,
    pub why: String,
}

fn held(stored: &Option<u64>) -> String {
    match stored {
        Some(fence) => format!("the fence is {fence}: another process speaks for it now"),
        None => "nobody has ever acquired it".to_owned(),
    }
}
