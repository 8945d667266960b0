//! What can befall whoever works on a tape, by what is to be done about it: the one vocabulary of replicas,
//! the recorder and the market.

use crate::Reply;
use events::{DecodeError, Position};
use tape::{AppendError, LeaseError, ReadError, StorageError};
use thiserror::Error;

/// What ends a unit's work before its time, and with it what is done next.
#[derive(Debug, Error)]
pub enum Fault {
    /// Somebody else speaks for the unit: discard the state and stand by.
    #[error("{0}")]
    Lost(String),
    /// The state contradicts the tape: discard it, and believe the tape.
    #[error("{0}")]
    Doubt(String),
    /// The tape or the broker cannot be reached. Nothing is recorded, or it can be said again: try again.
    #[error("{0}")]
    Away(String),
    /// A newer schema, damage, a tape that was put back: trying again helps only once somebody has mended it.
    #[error("{0}")]
    Stuck(String),
    /// This open tape will never work again: end the process, and let it be started anew.
    #[error("{0}")]
    Fatal(StorageError),
    #[error("stopping took too long")]
    Overdue,
}

impl Fault {
    pub fn undecodable(position: Position, why: &DecodeError) -> Self {
        Self::Stuck(format!("position {position}: {why}"))
    }

    pub fn rewritten(position: Position) -> Self {
        Self::Stuck(format!(
            "position {position} of the tape is not what was heard there: the tape was put back to an older copy, or changed; stop everything and run `tapedeck verify`"
        ))
    }

    /// The bus holds a row that the tape does not.
    pub fn put_back(position: Position) -> Self {
        Self::Stuck(format!(
            "the bus holds position {position} of this tape, and the tape does not: it was put back to an older copy; stop everything, see docs/OPERATIONS.md"
        ))
    }

    /// Nobody has said the first row yet.
    pub fn unopened() -> Self {
        Self::Away("the tape is empty: nobody has opened it yet".to_owned())
    }

    /// A driver's mistake: the state is not trusted any further.
    pub(crate) fn unasked(reply: &Reply) -> Self {
        Self::Doubt(format!("an answer that was not asked for: {reply:?}"))
    }

    /// What is still wrong while the replica stands by again.
    pub fn standing(&self) -> Option<String> {
        match self {
            Self::Doubt(why) | Self::Away(why) | Self::Stuck(why) => Some(why.clone()),
            Self::Lost(_) | Self::Fatal(_) | Self::Overdue => None,
        }
    }
}

impl From<StorageError> for Fault {
    fn from(e: StorageError) -> Self {
        match e {
            StorageError::Busy { .. }
            | StorageError::Full { .. }
            | StorageError::Away { .. }
            | StorageError::Other { .. } => Self::Away(e.to_string()),
            StorageError::Corrupt { .. } => Self::Stuck(e.to_string()),
            // Opened anew, by the process that is started next, it may be another file or another server.
            StorageError::ReadOnly { .. } | StorageError::Unknown { .. } | StorageError::Closed { .. } => {
                Self::Fatal(e)
            }
        }
    }
}

impl From<ReadError> for Fault {
    fn from(e: ReadError) -> Self {
        match e {
            ReadError::Gap { .. } | ReadError::Damaged { .. } => Self::Stuck(e.to_string()),
            ReadError::Storage(e) => e.into(),
        }
    }
}

impl From<AppendError> for Fault {
    fn from(e: AppendError) -> Self {
        match e {
            AppendError::Fenced { .. } => Self::Lost(e.to_string()),
            // The fence holds, so nobody else has moved the cursor or said this: one's own memory is wrong.
            AppendError::Conflict { .. } | AppendError::Backwards { .. } => Self::Doubt(e.to_string()),
            // What was heard is not on the tape: it was put back to an older copy.
            AppendError::Beyond { .. } => Self::Stuck(e.to_string()),
            AppendError::Busy(_) | AppendError::Full(_) => Self::Away(e.to_string()),
            AppendError::Backend(e) => e.into(),
        }
    }
}

impl From<LeaseError> for Fault {
    fn from(e: LeaseError) -> Self {
        match e {
            LeaseError::Held { .. } | LeaseError::Lost { .. } => Self::Lost(e.to_string()),
            LeaseError::Storage(e) => e.into(),
        }
    }
}
