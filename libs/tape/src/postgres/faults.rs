//! What PostgreSQL and the way to it can refuse, in our words.

use crate::StorageError;
use sqlx::error::DatabaseError;
use std::sync::Arc;

/// Names the tape in every fault; never with a user or a password.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    pub tape: Arc<str>,
}

/// Raised by `tapedeck.append`: a cursor may not move, nothing was done.
pub(super) const MAY_NOT_MOVE: &str = "TD001";

impl Faults {
    pub(super) fn storage(&self, e: sqlx::Error) -> StorageError {
        match &e {
            sqlx::Error::Database(refused) => self.refused(refused.as_ref()),
            // The URL or the certificates that it names: trying again does not help.
            sqlx::Error::Configuration(_) => self.other(e.to_string()),
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound => {
                self.corrupt(e.to_string())
            }
            sqlx::Error::Encode(_) => self.other(e.to_string()),
            _ => self.away(e.to_string()),
        }
    }

    fn refused(&self, e: &dyn DatabaseError) -> StorageError {
        let (tape, why) = (self.tape.to_string(), e.message().to_owned());
        let code = e.code().unwrap_or_default();
        match &*code {
            // Lock timeout: whoever holds the head is no tape of ours, or hangs.
            "55P03" => StorageError::Busy { tape },
            "53100" => StorageError::Full { tape, why },
            // Shut down, starting up, too many connections, timed out, deadlock, standing by.
            "57P01" | "57P02" | "57P03" | "57P05" | "57014" | "53300" | "25P03" | "25006" | "40001"
            | "40P01" => self.away(why),
            "XX001" | "XX002" => StorageError::Corrupt { tape, why },
            "P0002" => self.corrupt("the head row is gone"),
            // Positions are given out under the lock, ids asked for: neither can be there already.
            "23505" | "23514" => self.corrupt(format!("{why}: the head is not where the events end")),
            "3D000" => self.other(format!("{why}: create it first")),
            "28000" | "28P01" => self.other(format!("{why}: check user and password in the URL")),
            "42501" => self.other(format!("{why}: grant it to the user of the URL")),
            code if code.starts_with("08") => self.away(why),
            code => self.other(format!("{why} ({code})")),
        }
    }

    pub(super) fn away(&self, why: impl Into<String>) -> StorageError {
        StorageError::Away { tape: self.tape.to_string(), why: why.into() }
    }

    pub(super) fn other(&self, why: impl Into<String>) -> StorageError {
        StorageError::Other { tape: self.tape.to_string(), why: why.into() }
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

/// The five letters and digits by which PostgreSQL tells what is wrong, if it was PostgreSQL.
pub(super) fn code(e: &sqlx::Error) -> Option<String> {
    e.as_database_error()?.code().map(|code| code.into_owned())
}
