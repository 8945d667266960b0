//! What a machine wants, and what it gets.

use events::{Kind, Position, Row, Uuid};
use service::News;
use tape::{Commit, Committed, Head, Snapshot};

/// What a machine wants done. Each but [`Effect::Tell`] is answered by one [`Reply`], and until then
/// nothing else is asked for.
#[derive(Debug)]
pub enum Effect {
    /// The rows after a position, at most so many: [`Reply::Rows`].
    Read { after: Position, limit: usize },
    /// Every row of a kind, in order: [`Reply::Rows`].
    OfKind(Kind),
    /// The row with this id, if there is one: [`Reply::Rows`].
    ById(Uuid),
    /// The newest sound snapshot of each unit at or before a position: [`Reply::Snapshots`].
    Snapshots(Position),
    /// The tape's end: [`Reply::Head`].
    Head,
    /// Records what the unit says, with its cursor: [`Reply::Committed`]. May be tried again, for ids are
    /// derived. What it appended is to be published.
    Append(Commit),
    /// Keeps a snapshot: [`Reply::Saved`], also if that failed, which only slows the next start.
    Save(Snapshot),
    /// Tells the unit's hands, in order, with the state as it is now.
    Tell(Vec<News>),
}

/// The answer to an [`Effect`].
#[derive(Debug)]
pub enum Reply {
    Rows(Vec<Row>),
    Snapshots(Vec<Snapshot>),
    Head(Head),
    Committed(Committed),
    Saved,
}

impl Effect {
    /// The row at a position.
    pub(crate) fn row_at(position: Position) -> Self {
        Self::Read { after: position.saturating_sub(1), limit: 1 }
    }
}
