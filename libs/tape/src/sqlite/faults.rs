//! SQLite's result codes, in our words.

use crate::StorageError;
use std::sync::Arc;

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A constraint or trigger refused it: the statement left no trace.
    Refused(String),
    Storage(StorageError),
}

/// Names the tape in every fault.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    pub tape: Arc<str>,
}

/// Extended code: the system call that makes writes durable failed. Nobody knows then what is on
/// the disk, and asking again may falsely succeed.
const IOERR_FSYNC: i32 = 1034;
/// Extended codes for writes that failed, most often for want of space (also a quota).
const IOERR_WRITE: i32 = 778;
const IOERR_SHMSIZE: i32 = 4874;

impl Faults {
    pub(super) fn failure(&self, e: sqlx::Error) -> Failure {
        match code(&e) {
            Some(code) if code & 0xff == 19 => Failure::Refused(e.to_string()),
            _ => Failure::Storage(self.storage(e)),
        }
    }

    pub(super) fn storage(&self, e: sqlx::Error) -> StorageError {
        let (tape, why) = (self.tape.to_string(), e.to_string());
        match code(&e) {
            Some(IOERR_FSYNC) => StorageError::Unknown { tape, why },
            Some(IOERR_WRITE | IOERR_SHMSIZE) => StorageError::Full { tape, why },
            Some(code) => match code & 0xff {
                5 | 6 => StorageError::Busy { tape },
                11 | 26 => StorageError::Corrupt { tape, why },
                13 => StorageError::Full { tape, why },
                _ => StorageError::Other { tape, why },
            },
            None if matches!(e, sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed) => self.closed(),
            None => StorageError::Other { tape, why },
        }
    }

    pub(super) fn closed(&self) -> StorageError {
        StorageError::Closed { tape: self.tape.to_string() }
    }

    pub(super) fn read_only(&self) -> StorageError {
        StorageError::ReadOnly { tape: self.tape.to_string() }
    }

    pub(super) fn corrupt(&self, why: impl Into<String>) -> StorageError {
        StorageError::Corrupt { tape: self.tape.to_string(), why: why.into() }
    }
}

/// SQLite's extended result code, if it was SQLite that failed.
pub(super) fn code(e: &sqlx::Error) -> Option<i32> {
    e.as_database_error()?.code()?.parse().ok()
}
