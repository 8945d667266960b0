//! The tape: the one append-only log that everything said is recorded on.
//!
//! Invariants, the same for every backend and checked by one conformance suite:
//! - Positions are 1, 2, 3 … without gaps, in the order of the commits.
//! - A [`Commit`] is recorded whole or not at all, and durable when [`Tape::append`] returns.
//! - Saying the same fact again under its id records nothing; another fact under a known id is a conflict.
//! - A unit's cursor moves only under its fence, only forwards, and in the commit of what the unit says.
//! - Each row's hash follows from the row before ([`chain`]); times never run backwards.
//!
//! The crate works on encoded rows ([`Draft`], [`Row`]); decoding is its callers' business.
//! It appends nothing by itself: the first row, `TapeOpened`, is said by whoever makes the tape.

pub mod archive;
pub mod chain;
pub mod verify;

mod address;
mod commit;
mod cursor;
mod error;
mod frame;
mod memory;
mod postgres;
mod sequence;
mod snapshot;
mod sqlite;

pub use commit::{Commit, Committed, CursorMove, Entry, Head, OnConflict, Outcome};
pub use cursor::Cursor;
pub use error::{AppendError, LeaseError, OpenError, ReadError, StorageError};
pub use events::{Draft, Hash, Position, Row};
pub use frame::Frame;
pub use memory::Memory;
pub use postgres::Postgres;
pub use snapshot::{Found, KEPT as SNAPSHOTS_KEPT, Snapshot};
pub use sqlite::Sqlite;

use cursor::Claim;
use domain::{Timestamp, UnitName};
use error::Damage;
use events::{Event, Kind, TapeEvent, TapeOpened, Uuid};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;
use verify::VerifyError;

/// An open tape. Cheap to clone; all clones are the same one.
///
/// Every method may be cancelled at any moment: a commit under way is then still recorded whole or
/// not at all, which of the two is found out by saying it again.
#[derive(Debug, Clone)]
pub enum Tape {
    Postgres(Postgres),
    Sqlite(Sqlite),
    Memory(Memory),
}

/// What a tape is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To record: the tape is made if it is missing. One process at a time in SQLite, any number in
    /// PostgreSQL.
    Write,
    /// To look, beside a writer or without one; the tape must be there.
    Read,
}

impl Tape {
    /// A new tape in memory.
    pub fn memory() -> Self {
        Self::Memory(Memory::default())
    }

    /// Opens `sqlite:PATH`, `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or `memory:`. Must be called inside a tokio runtime, which has to outlive
    /// the tape: the writer is a task of it.
    ///
    /// # Errors
    /// Another URL, a file or database that is missing or away, no tape, of a newer version, or a file that
    /// another process writes; to write also a tape whose end is not what was written ([`verify::check_end`]), or of
    /// which a unit's cursor is gone.
    pub async fn open(url: &str, mode: Mode) -> Result<Self, OpenError> {
        let wrong = |hint| OpenError::Url { url: address::without_secrets(url), hint };
        match url.split_once(':') {
            Some(("sqlite", "")) => Err(wrong(" (the path is missing)")),
            Some(("sqlite", ":memory:")) => Err(wrong(" (the latter is what is meant here)")),
            Some(("sqlite", path)) if path.starts_with("//") && !path.starts_with("///") => {
                Err(wrong(" (without the two slashes)"))
            }
            Some(("sqlite", path)) => Self::Sqlite(Sqlite::open(path, mode).await?).sound(mode).await,
            Some(("postgres" | "postgresql", _)) => {
                Self::Postgres(Postgres::open(url, mode).await?).sound(mode).await
            }
            Some(("memory", "")) if mode == Mode::Read => Err(OpenError::MemoryRead),
            Some(("memory", "")) => Ok(Self::memory()),
            _ => Err(wrong("")),
        }
    }

    /// Nothing is recorded behind an end that is not what was written, nor by a unit that would begin anew. Whoever
    /// reads may look at it all the same.
    async fn sound(self, mode: Mode) -> Result<Self, OpenError> {
        let checked = match mode {
            Mode::Write => self.check_to_write().await,
            Mode::Read => Ok(()),
        };
        let Err(fault) = checked else { return Ok(self) };
        // What is wrong with it is known already.
        let _ = self.close().await;
        Err(fault)
    }

    async fn check_to_write(&self) -> Result<(), OpenError> {
        verify::check_end(self).await.map_err(|fault| match fault {
            VerifyError::Broken { position, why } => OpenError::Unsound { position, why },
            VerifyError::Storage(fault) => fault.into(),
        })?;
        match verify::lost_cursors(self).await {
            Ok(lost) => lost.into_iter().next().map_or(Ok(()), |unit| Err(OpenError::LostCursor { unit })),
            Err(ReadError::Storage(fault)) => Err(fault.into()),
            Err(ReadError::Gap { expected: position, .. }) => {
                Err(OpenError::Unsound { position, why: "it is missing".to_owned() })
            }
            Err(ReadError::Damaged { position, why }) => Err(OpenError::Unsound { position, why }),
        }
    }

    /// The last row's position, hash and time; [`Head::EMPTY`] before the first.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn head(&self) -> Result<Head, ReadError> {
        Ok(self.marks().await?.0)
    }

    /// What stands at position 1: the tape's id, clock and market. `None` on an empty tape.
    ///
    /// # Errors
    /// The first row is not a `tape.opened` that this build understands.
    pub async fn opened(&self) -> Result<Option<TapeOpened>, ReadError> {
        let Some(first) = self.read(0, 1).await?.pop() else { return Ok(None) };
        let damaged = |why: String| ReadError::Damaged { position: 1, why };
        match first.decode().map_err(|e| damaged(e.to_string()))?.event {
            Event::Tape(TapeEvent::Opened(opened)) => Ok(Some(opened)),
            other => {
                Err(damaged(format!("a tape begins with tape.opened, not with {}", other.kind().name())))
            }
        }
    }

    /// Records a commit in one transaction, or nothing of it.
    ///
    /// Entries whose fact is recorded already are duplicates: a success that records nothing.
    ///
    /// # Errors
    /// A lost fence, a conflict under [`OnConflict::Fail`], a cursor that goes back or beyond the head,
    /// or a storage that cannot take it.
    pub async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        match self {
            Self::Postgres(tape) => tape.append(commit).await,
            Self::Sqlite(tape) => tape.append(commit).await,
            Self::Memory(tape) => tape.append_now(commit),
        }
    }

    /// The rows after position `after`, at most `limit` of them, in order and without a gap.
    /// A thousand or two at a time read fastest.
    ///
    /// # Errors
    /// A missing or damaged row, or a storage that cannot be read.
    pub async fn read(&self, after: Position, limit: usize) -> Result<Vec<Row>, ReadError> {
        let mut page = Page { after, rows: Vec::with_capacity(limit.min(10_000)), wrong: None };
        match self {
            Self::Memory(tape) => return Ok(tape.read_now(after, limit)),
            Self::Sqlite(tape) => tape.after(after, limit, |row| page.take(row)).await?,
            Self::Postgres(tape) => tape.after(after, limit, |row| page.take(row)).await?,
        }
        page.wrong.map_or(Ok(page.rows), Err)
    }

    /// # Errors
    /// As [`Tape::read`].
    pub async fn by_id(&self, id: Uuid) -> Result<Option<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.by_id(id).await,
            Self::Sqlite(tape) => tape.by_id(id).await,
            Self::Memory(tape) => Ok(tape.by_id_now(id)),
        }
    }

    /// Everything that belongs to a trade, in order.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn of_trade(&self, trade: &str) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.of_trade(trade).await,
            Self::Sqlite(tape) => tape.of_trade(trade).await,
            Self::Memory(tape) => Ok(tape.find(|row| row.draft.trade.as_deref() == Some(trade))),
        }
    }

    /// Everything about a subject, in order. Orders have an index; for anything else it looks through the
    /// whole tape.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn of_subject(&self, subject: &str) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.of_subject(subject).await,
            Self::Sqlite(tape) => tape.of_subject(subject).await,
            Self::Memory(tape) => Ok(tape.find(|row| row.draft.subject == subject)),
        }
    }

    /// Everything that was said on hearing the event `cause`, in order. Looks through the tape from there.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn caused_by(&self, cause: Uuid) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.caused_by(cause).await,
            Self::Sqlite(tape) => tape.caused_by(cause).await,
            Self::Memory(tape) => Ok(tape.find(|row| row.draft.cause == Some(cause))),
        }
    }

    /// Everything of a kind, in order.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn of_kind(&self, kind: Kind) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.of_kind(kind.name()).await,
            Self::Sqlite(tape) => tape.of_kind(kind.name()).await,
            Self::Memory(tape) => Ok(tape.find(|row| row.draft.kind == kind.name())),
        }
    }

    /// Of a kind what lies behind position `after`, at most `limit` rows, in order. The cost is that of the
    /// rows handed over, however long the tape is.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn of_kind_after(
        &self,
        kind: Kind,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.of_kind_after(kind.name(), after, limit).await,
            Self::Sqlite(tape) => tape.of_kind_after(kind.name(), after, limit).await,
            Self::Memory(tape) => Ok(tape.of_kind_after_now(kind, after, limit)),
        }
    }

    /// Of a kind what lies before position `before`, at most `limit` rows, the last one first. The cost is
    /// that of the rows handed over.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn of_kind_before(
        &self,
        kind: Kind,
        before: Position,
        limit: usize,
    ) -> Result<Vec<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.of_kind_before(kind.name(), before, limit).await,
            Self::Sqlite(tape) => tape.of_kind_before(kind.name(), before, limit).await,
            Self::Memory(tape) => Ok(tape.of_kind_before_now(kind, before, limit)),
        }
    }

    /// Every kind that there is on the tape, each once. Costs a look at the index for each, however long the
    /// tape is.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn kinds(&self) -> Result<BTreeSet<String>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.kinds().await,
            Self::Sqlite(tape) => tape.kinds().await,
            Self::Memory(tape) => Ok(tape.kinds_now()),
        }
    }

    /// The first event whose kind this build does not know: a newer one has recorded it. Whoever reads by kinds
    /// would leave it out without noticing.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn first_unknown(&self) -> Result<Option<Row>, ReadError> {
        let mut first: Option<Row> = None;
        for kind in self.kinds().await?.into_iter().filter(|kind| Kind::parse(kind).is_none()) {
            let rows = match self {
                Self::Postgres(tape) => tape.of_kind_after(&kind, 0, 1).await?,
                Self::Sqlite(tape) => tape.of_kind_after(&kind, 0, 1).await?,
                Self::Memory(tape) => tape.find(|row| row.draft.kind == kind),
            };
            let earlier = |row: &Row| first.as_ref().is_none_or(|first| row.position < first.position);
            first = rows.into_iter().next().filter(earlier).or(first);
        }
        Ok(first)
    }

    /// The last event of a kind.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn latest_of_kind(&self, kind: Kind) -> Result<Option<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.latest(kind.name(), None).await,
            Self::Sqlite(tape) => tape.latest(kind.name(), None).await,
            Self::Memory(tape) => Ok(tape.find_last(|row| row.draft.kind == kind.name())),
        }
    }

    /// The last event of a kind about one subject, e.g. the last `unit.started` of one unit.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn latest_about(&self, kind: Kind, subject: &str) -> Result<Option<Row>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.latest(kind.name(), Some(subject)).await,
            Self::Sqlite(tape) => tape.latest(kind.name(), Some(subject)).await,
            Self::Memory(tape) => {
                Ok(tape.find_last(|row| row.draft.kind == kind.name() && row.draft.subject == subject))
            }
        }
    }

    /// Every unit's cursor, by name.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn cursors(&self) -> Result<Vec<Cursor>, ReadError> {
        Ok(self.marks().await?.1)
    }

    /// The head and every unit's cursor as they are at one moment.
    ///
    /// # Errors
    /// As [`Tape::read`].
    pub async fn marks(&self) -> Result<(Head, Vec<Cursor>), ReadError> {
        match self {
            Self::Postgres(tape) => tape.marks().await.map(|marks| (marks.head, marks.cursors)),
            Self::Sqlite(tape) => tape.marks().await.map(|marks| (marks.head, marks.cursors)),
            Self::Memory(tape) => Ok(tape.marks_now()),
        }
    }

    /// Takes the right to speak for a unit until `ttl` from now, under a new fence.
    ///
    /// Every earlier fence is void from then on, also one's own: a process that restarted, or a second
    /// one under the same name, is told apart. `force` takes it from whoever holds it, which is right
    /// only for the one process that may write at all.
    ///
    /// # Errors
    /// [`LeaseError::Held`] while another owner's lease runs.
    pub async fn acquire(
        &self,
        unit: UnitName,
        owner: &str,
        ttl: Duration,
        force: bool,
    ) -> Result<Cursor, LeaseError> {
        let mut taken = self.acquire_all(&[unit], owner, ttl, force).await?;
        taken.pop().ok_or(LeaseError::Lost { unit, given: 0, stored: None })
    }

    /// As [`Tape::acquire`] for several units: all of them in one transaction, or none. In their order.
    ///
    /// # Errors
    /// [`LeaseError::Held`] for the first that is.
    pub async fn acquire_all(
        &self,
        units: &[UnitName],
        owner: &str,
        ttl: Duration,
        force: bool,
    ) -> Result<Vec<Cursor>, LeaseError> {
        let claim = Claim { owner: owner.to_owned(), ttl, force };
        match self {
            Self::Postgres(tape) => tape.claim(units.to_vec(), claim).await,
            Self::Sqlite(tape) => tape.claim(units.to_vec(), claim).await,
            Self::Memory(tape) => tape.claim(units, &claim),
        }
    }

    /// Extends a lease to `ttl` from now; also one that ran out but that nobody else took.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once anybody has acquired the unit again, or it was released.
    pub async fn renew(&self, unit: UnitName, fence: u64, ttl: Duration) -> Result<(), LeaseError> {
        match self {
            Self::Postgres(tape) => tape.renew(unit, fence, ttl).await,
            Self::Sqlite(tape) => tape.renew(unit, fence, ttl).await,
            Self::Memory(tape) => tape.renew_now(unit, fence, ttl),
        }
    }

    /// Lets go of a unit, so that another need not wait for the lease to end.
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once anybody has acquired the unit again, or it was released.
    pub async fn release(&self, unit: UnitName, fence: u64) -> Result<(), LeaseError> {
        match self {
            Self::Postgres(tape) => tape.release(unit, fence).await,
            Self::Sqlite(tape) => tape.release(unit, fence).await,
            Self::Memory(tape) => tape.release_now(unit, fence),
        }
    }

    /// Keeps a unit's state at a committed position, bound to the event there; the newest
    /// [`SNAPSHOTS_KEPT`] of each unit stay.
    ///
    /// # Errors
    /// A position behind the tape's end, or a storage that cannot take it; the tape itself is none the
    /// worse for it.
    pub async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StorageError> {
        let event = match self.hash_at(snapshot.position).await {
            Ok(Some(event)) => event,
            Ok(None) => return Err(self.other(snapshot::beyond(&snapshot))),
            Err(ReadError::Storage(fault)) => return Err(fault),
            Err(fault @ (ReadError::Gap { .. } | ReadError::Damaged { .. })) => {
                return Err(self.other(fault.to_string()));
            }
        };
        let sealed = snapshot.seal(&event);
        match self {
            Self::Postgres(tape) => tape.save_snapshot(sealed).await,
            Self::Sqlite(tape) => tape.save_snapshot(sealed).await,
            Self::Memory(tape) => {
                tape.store_snapshot(sealed);
                Ok(())
            }
        }
    }

    /// Of each unit the newest sound snapshot at or before `at_most`. One that was changed, moved or
    /// brought from elsewhere is dropped with a warning: its state follows from the tape all the same.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn snapshots(&self, at_most: Position) -> Result<Vec<Snapshot>, ReadError> {
        let mut unsound = Vec::new();
        let newest = snapshot::newest(self.found_snapshots().await?, at_most, |found| unsound.push(found));
        for Found { unit, position, snapshot } in unsound {
            let why = snapshot.err().unwrap_or_default();
            tracing::warn!(
                "the snapshot of {unit} at position {position} is not what was written and is dropped: {why}; \
                 its state is made of the tape"
            );
            let dropped = match self {
                Self::Postgres(tape) => tape.drop_snapshot(unit, position).await,
                Self::Sqlite(tape) => tape.drop_snapshot(unit, position).await,
                Self::Memory(tape) => {
                    tape.drop_snapshot(unit, position);
                    Ok(())
                }
            };
            if let Err(e) = dropped {
                tracing::warn!("it could not be deleted: {e}");
            }
        }
        Ok(newest)
    }

    /// Every stored snapshot, sound or not; of each unit the newest first.
    ///
    /// # Errors
    /// The storage cannot be read.
    pub async fn found_snapshots(&self) -> Result<Vec<Found>, ReadError> {
        let stored = match self {
            Self::Postgres(tape) => tape.snapshots().await?,
            Self::Sqlite(tape) => tape.snapshots().await?,
            Self::Memory(tape) => tape.stored_snapshots(),
        };
        // Units of one process stand at the same positions.
        let mut events: BTreeMap<i64, Option<Hash>> = BTreeMap::new();
        let mut found = Vec::with_capacity(stored.len());
        for stored in stored {
            let event = match events.get(&stored.position) {
                Some(known) => *known,
                None => {
                    let event = match Position::try_from(stored.position) {
                        Ok(position) => match self.hash_at(position).await {
                            Err(fault @ ReadError::Storage(_)) => return Err(fault),
                            Err(ReadError::Gap { .. } | ReadError::Damaged { .. }) => None,
                            Ok(event) => event,
                        },
                        Err(_) => None,
                    };
                    events.insert(stored.position, event);
                    event
                }
            };
            found.push(stored.open(event.as_ref()));
        }
        Ok(found)
    }

    /// The hash of the event at a position, if there is one.
    async fn hash_at(&self, position: Position) -> Result<Option<Hash>, ReadError> {
        match position.checked_sub(1) {
            None => Ok(Some(chain::GENESIS)),
            // No position is that large in any database.
            Some(_) if i64::try_from(position).is_err() => Ok(None),
            Some(before) => match self.read(before, 1).await {
                Err(ReadError::Gap { .. }) => Ok(None),
                rows => Ok(rows?.pop().map(|row| row.hash)),
            },
        }
    }

    fn other(&self, why: String) -> StorageError {
        let tape = match self {
            Self::Postgres(_) => "in the database",
            Self::Sqlite(_) => "in the file",
            Self::Memory(_) => "in memory",
        };
        StorageError::Other { tape: tape.to_owned(), why }
    }

    /// Throws all snapshots away.
    ///
    /// # Errors
    /// The storage cannot be written.
    pub async fn forget_snapshots(&self) -> Result<(), StorageError> {
        match self {
            Self::Postgres(tape) => tape.forget_snapshots().await,
            Self::Sqlite(tape) => tape.forget_snapshots().await,
            Self::Memory(tape) => {
                tape.forget_snapshots_now();
                Ok(())
            }
        }
    }

    /// Keeps raw frames, each once, and for ever; durable when it returns.
    ///
    /// # Errors
    /// A frame whose hash is not that of its bytes, or a storage that cannot take them.
    pub async fn keep_frames(&self, frames: Vec<Frame>) -> Result<(), StorageError> {
        match self {
            Self::Postgres(tape) => tape.keep_frames(frames).await,
            Self::Sqlite(tape) => tape.keep_frames(frames).await,
            Self::Memory(tape) => tape.keep_frames_now(frames),
        }
    }

    /// The frame with that hash, if it is kept.
    ///
    /// # Errors
    /// The storage cannot be read, or the frame is not what was kept.
    pub async fn frame(&self, hash: &Hash) -> Result<Option<Frame>, ReadError> {
        match self {
            Self::Postgres(tape) => tape.frame(hash).await,
            Self::Sqlite(tape) => tape.frame(hash).await,
            Self::Memory(tape) => Ok(tape.frame_now(hash)),
        }
    }

    /// The last position that this process committed, or found when it opened the tape; on PostgreSQL also
    /// what any other process committed. A hint: ask for the head now and then all the same.
    pub fn watch(&self) -> watch::Receiver<Position> {
        match self {
            Self::Postgres(tape) => tape.watch(),
            Self::Sqlite(tape) => tape.watch(),
            Self::Memory(tape) => tape.watch(),
        }
    }

    /// Finishes what is under way and lets go of the file or the connections. Every clone is closed with it.
    /// Without this it is let go some time after the last clone is dropped.
    ///
    /// # Errors
    /// The file could not be closed in good order; what was committed is safe.
    pub async fn close(&self) -> Result<(), StorageError> {
        match self {
            Self::Postgres(tape) => {
                tape.close().await;
                Ok(())
            }
            Self::Sqlite(tape) => tape.close().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// The frames behind the one with the hash `last`, in the order of their hashes, as they are found.
    async fn frames_after(&self, last: Option<Vec<u8>>) -> Result<Vec<frame::Kept>, StorageError> {
        match self {
            Self::Postgres(tape) => tape.frames_after(last).await,
            Self::Sqlite(tape) => tape.frames_after(last).await,
            Self::Memory(tape) => Ok(tape.frames_after(last)),
        }
    }

    async fn restore(&self, cursors: Vec<Cursor>) -> Result<(), StorageError> {
        match self {
            Self::Postgres(tape) => tape.restore(cursors).await,
            Self::Sqlite(tape) => tape.restore(cursors).await,
            Self::Memory(tape) => {
                tape.restore(cursors);
                Ok(())
            }
        }
    }
}

/// Rows as they come, until one is not what has to come next.
struct Page {
    after: Position,
    rows: Vec<Row>,
    wrong: Option<ReadError>,
}

impl Page {
    fn take(&mut self, row: Result<Row, Damage>) {
        let expected = self.after + 1 + self.rows.len() as u64;
        match row {
            Ok(row) if row.position != expected => {
                self.wrong.get_or_insert(ReadError::Gap { expected, found: row.position });
            }
            Ok(row) => self.rows.push(row),
            Err(Damage { position, why }) => {
                self.wrong.get_or_insert(ReadError::Damaged { position, why });
            }
        }
    }
}

fn machine_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
