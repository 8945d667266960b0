//! What can befall the recorder, by what is to be done about it; and what it works under.

use bus::BusFault;
use domain::{Timestamp, UnitName};
use events::Position;
use std::time::Duration;
use tape::{AppendError, Cursor, LeaseError, ReadError, StorageError};
use thiserror::Error;

/// Why one of the recorder's loops ended by itself. While the tape or the broker is only away, a loop
/// goes on trying and says so in its [`Standing`](crate::counters::Standing).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// Somebody else speaks for the unit: let go of it and stand by.
    #[error("{0}")]
    Lost(String),
    /// Cannot be reached now. Whatever was under way may be said again.
    #[error("{0}")]
    Away(String),
    /// Helped only by a person, another build or another tape.
    #[error("{0}")]
    Stuck(String),
}

/// The right to speak for a unit, as it was acquired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    pub unit: UnitName,
    pub fence: u64,
    /// The unit's cursor when the fence was given.
    pub position: Position,
    /// When it was given, by the database's clock, if that is known.
    pub given_at: Option<Timestamp>,
}

impl Fence {
    /// Of a lease that was given for so long.
    pub fn of(cursor: &Cursor, ttl: Duration) -> Self {
        let micros = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
        let given_at = cursor.lease_until.map(|t| Timestamp::from_micros(t.micros().saturating_sub(micros)));
        Self { given_at, ..Self::from(cursor) }
    }
}

impl From<&Cursor> for Fence {
    fn from(cursor: &Cursor) -> Self {
        Self { unit: cursor.unit, fence: cursor.fence, position: cursor.position, given_at: None }
    }
}

impl From<StorageError> for Fault {
    fn from(e: StorageError) -> Self {
        match e {
            StorageError::Busy { .. }
            | StorageError::Full { .. }
            | StorageError::Away { .. }
            | StorageError::Other { .. } => Self::Away(e.to_string()),
            StorageError::Corrupt { .. }
            | StorageError::ReadOnly { .. }
            | StorageError::Unknown { .. }
            | StorageError::Closed { .. } => Self::Stuck(e.to_string()),
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
            // A cursor that another has moved was moved under a later fence.
            AppendError::Fenced { .. } | AppendError::Backwards { .. } => Self::Lost(e.to_string()),
            AppendError::Conflict { .. } | AppendError::Beyond { .. } => Self::Stuck(e.to_string()),
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

impl From<BusFault> for Fault {
    fn from(e: BusFault) -> Self {
        match e {
            BusFault::Away { .. }
            | BusFault::Blocked { .. }
            | BusFault::Full { .. }
            | BusFault::TimedOut { .. }
            | BusFault::Refused { .. }
            | BusFault::Returned { .. }
            | BusFault::Lost => Self::Away(e.to_string()),
            BusFault::Unfit { .. } => Self::Stuck(e.to_string()),
        }
    }
}
