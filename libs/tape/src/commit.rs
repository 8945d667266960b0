//! What is handed to the tape in one piece, and what comes back.

use crate::{Hash, Position, chain};
use domain::{Timestamp, UnitName};
use events::Draft;

/// One transaction: all of it is recorded, or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    pub entries: Vec<Entry>,
    pub cursors: Vec<CursorMove>,
    pub on_conflict: OnConflict,
}

/// One event to record.
#[derive(Debug, Clone)]
pub struct Entry {
    pub draft: Draft,
    /// `Some` on a market clock: the time inherited from the cause, raised to the previous row's if
    /// it is earlier. `None` on a wall clock: the later of the previous row's and the database's.
    pub recorded_at: Option<Timestamp>,
}

/// How far a unit has heard, saved together with what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorMove {
    pub unit: UnitName,
    /// As given by `acquire`; a move under any other is refused with the whole commit.
    pub fence: u64,
    /// Never less than the stored cursor, never beyond the head after this commit.
    pub to: Position,
    /// How many positions the farthest of the unit's sayings stands behind its cause, as far as the
    /// caller knows; the largest ever given is kept, and tells a follower how far to look ahead.
    pub reach: u64,
}

/// What to do about an id that is recorded with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Refuse the whole commit: a unit's own sayings.
    #[default]
    Fail,
    /// Leave that entry out and say so: what sources bring from the world.
    Report,
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The tape's last row after this commit.
    pub head: Head,
    /// One per entry, in order.
    pub outcomes: Vec<Outcome>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Appended(Position),
    /// The same fact stands there already; nothing was recorded.
    Duplicate(Position),
    /// Something else stands there under the same id; nothing was recorded.
    Conflict(Position),
}

/// The last row of a tape; all zero on an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub position: Position,
    pub hash: Hash,
    pub recorded_at: Timestamp,
}

impl Commit {
    pub fn new(entries: Vec<Entry>) -> Self {
        Self { entries, cursors: Vec::new(), on_conflict: OnConflict::Fail }
    }
}

impl Entry {
    /// Recorded at the database's time.
    pub fn wall(draft: Draft) -> Self {
        Self { draft, recorded_at: None }
    }
    /// Recorded at the market's time.
    pub fn market(draft: Draft, now: Timestamp) -> Self {
        Self { draft, recorded_at: Some(now) }
    }
}

impl Outcome {
    /// Where the event with that id stands.
    pub fn position(self) -> Position {
        match self {
            Self::Appended(at) | Self::Duplicate(at) | Self::Conflict(at) => at,
        }
    }
}

impl Head {
    /// Of an empty tape.
    pub const EMPTY: Self = Self { position: 0, hash: chain::GENESIS, recorded_at: Timestamp::ZERO };
}
