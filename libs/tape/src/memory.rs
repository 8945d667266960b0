//! A tape in memory: the same rules, gone with the process. For simulations and tests.
//!
//! Everything is also offered synchronously (`…_now`), since nothing here ever waits; the async
//! methods of [`Tape`](crate::Tape) call those.

use crate::{
    AppendError, Commit, Committed, Cursor, CursorMove, Frame, Hash, Head, LeaseError, Position, Snapshot,
    StorageError, chain,
    cursor::{self, Claim},
    frame,
    sequence::{Known, Sequence},
    snapshot::{self, Stored},
    verify::Answered,
};
use domain::{Timestamp, UnitName};
use events::{Draft, Kind, Row, Uuid};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// Cheap to clone; all clones are the same tape.
#[derive(Debug, Clone)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    log: Mutex<Log>,
    committed: watch::Sender<Position>,
}

/// Invariant: `rows[n]` stands at position n + 1, `ids` names every row, `head` is the last one's.
#[derive(Debug)]
struct Log {
    rows: Vec<Row>,
    ids: HashMap<Uuid, Position>,
    head: Head,
    cursors: BTreeMap<UnitName, Cursor>,
    snapshots: BTreeMap<(String, i64), Stored>,
    frames: BTreeMap<Hash, Frame>,
    clock: Option<Timestamp>,
}

impl Default for Memory {
    fn default() -> Self {
        let log = Log {
            rows: Vec::new(),
            ids: HashMap::new(),
            head: Head::EMPTY,
            cursors: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            frames: BTreeMap::new(),
            clock: None,
        };
        Self(Arc::new(Shared { log: Mutex::new(log), committed: watch::Sender::new(0) }))
    }
}

impl Memory {
    /// Sets the database's clock, for lease times and rows without a time of their own. From then on
    /// it stands still until it is set again; before, it is the machine's.
    pub fn set_clock(&self, now: Timestamp) {
        self.log().clock = Some(now);
    }

    /// See [`Tape::append`](crate::Tape::append).
    ///
    /// # Errors
    /// A lost fence, a conflict, or a cursor that goes back or beyond the head: nothing is recorded.
    pub fn append_now(&self, commit: Commit) -> Result<Committed, AppendError> {
        let mut log = self.log();
        for step in &commit.cursors {
            cursor::fenced(step, log.cursors.get(&step.unit))?;
        }
        let mut sequence = Sequence::new(log.head, log.now(), &commit);
        let placed = sequence.all(|draft| log.known(draft))?;
        let Sequence { head, outcomes, .. } = sequence;
        let moved = log.moved(&commit.cursors, head.position)?;

        let mut drafts: Vec<Option<Draft>> = commit.entries.into_iter().map(|e| Some(e.draft)).collect();
        for new in placed {
            if let Some(draft) = drafts[new.entry].take() {
                log.ids.insert(draft.id, new.position);
                log.rows.push(Row {
                    position: new.position,
                    recorded_at: new.recorded_at,
                    hash: new.hash,
                    draft,
                });
            }
        }
        log.cursors.extend(moved);
        log.head = head;
        drop(log);
        self.announce(head.position);
        Ok(Committed { head, outcomes })
    }

    pub fn head_now(&self) -> Head {
        self.log().head
    }

    /// The rows after `after`, at most `limit` of them.
    pub fn read_now(&self, after: Position, limit: usize) -> Vec<Row> {
        self.look(|rows| {
            let from = usize::try_from(after).unwrap_or(usize::MAX).min(rows.len());
            rows[from..].iter().take(limit).cloned().collect()
        })
    }

    /// See [`Tape::of_kind_after`](crate::Tape::of_kind_after).
    pub fn of_kind_after_now(&self, kind: Kind, after: Position, limit: usize) -> Vec<Row> {
        self.look(|rows| {
            let from = usize::try_from(after).unwrap_or(usize::MAX).min(rows.len());
            rows[from..].iter().filter(|row| row.draft.kind == kind.name()).take(limit).cloned().collect()
        })
    }

    /// See [`Tape::of_kind_before`](crate::Tape::of_kind_before).
    pub fn of_kind_before_now(&self, kind: Kind, before: Position, limit: usize) -> Vec<Row> {
        self.look(|rows| {
            let to = usize::try_from(before.saturating_sub(1)).unwrap_or(usize::MAX).min(rows.len());
            let newest_first = rows[..to].iter().rev();
            newest_first.filter(|row| row.draft.kind == kind.name()).take(limit).cloned().collect()
        })
    }

    pub(crate) fn kinds_now(&self) -> BTreeSet<String> {
        self.look(|rows| rows.iter().map(|row| row.draft.kind.to_string()).collect())
    }

    /// See [`check_cursors`](crate::verify::check_cursors).
    pub(crate) fn answered(&self, until: Position) -> Vec<Answered> {
        let log = self.log();
        let mut all: BTreeMap<UnitName, Answered> = BTreeMap::new();
        for row in log.rows.iter().filter(|row| row.position <= until) {
            let Some(cause) = row.draft.cause.and_then(|id| log.ids.get(&id).copied()) else { continue };
            let unit = row.draft.source;
            let new = || Answered { unit: unit.to_string(), cause, reach: 0 };
            let answered = all.entry(unit).or_insert_with(new);
            answered.cause = answered.cause.max(cause);
            answered.reach = answered.reach.max(row.position.saturating_sub(cause));
        }
        all.into_values().collect()
    }

    /// All rows at once, without a copy; the tape is locked meanwhile.
    pub fn look<R>(&self, at: impl FnOnce(&[Row]) -> R) -> R {
        at(&self.log().rows)
    }

    pub fn by_id_now(&self, id: Uuid) -> Option<Row> {
        let log = self.log();
        let at = *log.ids.get(&id)?;
        log.row(at).cloned()
    }

    pub(crate) fn find(&self, wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        self.look(|rows| rows.iter().filter(|row| wanted(row)).cloned().collect())
    }

    pub(crate) fn find_last(&self, wanted: impl Fn(&Row) -> bool) -> Option<Row> {
        self.look(|rows| rows.iter().rev().find(|row| wanted(row)).cloned())
    }

    /// The head and all cursors as they are at one moment.
    pub fn marks_now(&self) -> (Head, Vec<Cursor>) {
        let log = self.log();
        (log.head, log.cursors.values().cloned().collect())
    }

    /// See [`Tape::acquire_all`](crate::Tape::acquire_all).
    ///
    /// # Errors
    /// [`LeaseError::Held`] if any of them is, unless forced; then none is acquired.
    pub fn acquire_all_now(
        &self,
        units: &[UnitName],
        owner: &str,
        ttl: Duration,
        force: bool,
    ) -> Result<Vec<Cursor>, LeaseError> {
        self.claim(units, &Claim { owner: owner.to_owned(), ttl, force })
    }

    pub(crate) fn claim(&self, units: &[UnitName], claim: &Claim) -> Result<Vec<Cursor>, LeaseError> {
        let mut log = self.log();
        let now = log.now();
        let mut taken = Vec::with_capacity(units.len());
        for unit in units {
            let mut cursor = log.cursors.get(unit).cloned().unwrap_or_else(|| Cursor::new(*unit));
            cursor.claim(claim, now)?;
            taken.push(cursor);
        }
        log.cursors.extend(taken.iter().map(|c| (c.unit, c.clone())));
        Ok(taken)
    }

    /// See [`Tape::renew`](crate::Tape::renew).
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once somebody else has acquired the unit.
    pub fn renew_now(&self, unit: UnitName, fence: u64, ttl: Duration) -> Result<(), LeaseError> {
        let mut log = self.log();
        let now = log.now();
        log.leased(unit, fence)?.renew(fence, ttl, now)
    }

    /// See [`Tape::release`](crate::Tape::release).
    ///
    /// # Errors
    /// [`LeaseError::Lost`] once somebody else has acquired the unit.
    pub fn release_now(&self, unit: UnitName, fence: u64) -> Result<(), LeaseError> {
        self.log().leased(unit, fence)?.release(fence)
    }

    /// See [`Tape::save_snapshot`](crate::Tape::save_snapshot).
    ///
    /// # Errors
    /// The snapshot stands behind the tape's end.
    pub fn save_snapshot_now(&self, new: Snapshot) -> Result<(), StorageError> {
        let event = self.hash_at(new.position).ok_or_else(|| StorageError::Other {
            tape: "in memory".to_owned(),
            why: snapshot::beyond(&new),
        })?;
        self.store_snapshot(new.seal(&event));
        Ok(())
    }

    /// Of each unit the newest sound snapshot at or before `at_most`.
    pub fn snapshots_now(&self, at_most: Position) -> Vec<Snapshot> {
        let found = self.stored_snapshots().into_iter().map(|stored| {
            let event = Position::try_from(stored.position).ok().and_then(|at| self.hash_at(at));
            stored.open(event.as_ref())
        });
        snapshot::newest(found, at_most, |_| ())
    }

    /// The hash of the event at a position.
    fn hash_at(&self, position: Position) -> Option<Hash> {
        match position {
            0 => Some(chain::GENESIS),
            position => self.log().row(position).map(|row| row.hash),
        }
    }

    pub(crate) fn store_snapshot(&self, new: Stored) {
        let mut log = self.log();
        let unit = new.unit.clone();
        log.snapshots.insert((unit.clone(), new.position), new);
        let of_unit = (unit.clone(), i64::MIN)..=(unit.clone(), i64::MAX);
        let mut kept: Vec<i64> = log.snapshots.range(of_unit).map(|(key, _)| key.1).collect();
        kept.truncate(kept.len().saturating_sub(snapshot::KEPT));
        for old in kept {
            log.snapshots.remove(&(unit.clone(), old));
        }
    }

    /// All of them, of each unit the newest first.
    pub(crate) fn stored_snapshots(&self) -> Vec<Stored> {
        let mut stored: Vec<Stored> = self.log().snapshots.values().cloned().collect();
        stored.sort_by(|a, b| (&a.unit, b.position).cmp(&(&b.unit, a.position)));
        stored
    }

    pub(crate) fn drop_snapshot(&self, unit: String, position: i64) {
        self.log().snapshots.remove(&(unit, position));
    }

    pub fn forget_snapshots_now(&self) {
        self.log().snapshots.clear();
    }

    /// See [`Tape::keep_frames`](crate::Tape::keep_frames).
    ///
    /// # Errors
    /// A frame whose hash is not that of its bytes: none is kept.
    pub fn keep_frames_now(&self, frames: Vec<Frame>) -> Result<(), StorageError> {
        frame::checked("in memory", &frames)?;
        let mut log = self.log();
        for frame in frames {
            log.frames.entry(frame.hash).or_insert(frame);
        }
        Ok(())
    }

    pub fn frame_now(&self, hash: &Hash) -> Option<Frame> {
        self.log().frames.get(hash).cloned()
    }

    pub(crate) fn frames_after(&self, last: Option<Vec<u8>>) -> Vec<frame::Kept> {
        let log = self.log();
        let behind =
            log.frames.iter().filter(|(hash, _)| last.as_deref().is_none_or(|last| &hash[..] > last));
        let kept =
            behind.map(|(hash, frame)| frame::Kept { hash: hash.to_vec(), bytes: frame.bytes.clone() });
        kept.take(frame::PAGE).collect()
    }

    pub fn watch(&self) -> watch::Receiver<Position> {
        self.0.committed.subscribe()
    }

    /// Puts cursors as another tape had them; for an import.
    pub(crate) fn restore(&self, cursors: Vec<Cursor>) {
        self.log().cursors.extend(cursors.into_iter().map(|c| (c.unit, c)));
    }

    fn announce(&self, position: Position) {
        self.0.committed.send_if_modified(|last| {
            let newer = position > *last;
            *last = position.max(*last);
            newer
        });
    }

    /// A panic under the lock leaves the log whole: it is changed only after everything is checked.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    fn now(&self) -> Timestamp {
        self.clock.unwrap_or_else(crate::machine_clock)
    }

    fn row(&self, position: Position) -> Option<&Row> {
        self.rows.get(usize::try_from(position.checked_sub(1)?).ok()?)
    }

    fn known(&self, draft: &Draft) -> Option<Known> {
        let position = *self.ids.get(&draft.id)?;
        let same_fact = self.row(position)?.draft.same_fact(draft);
        Some(Known { position, same_fact })
    }

    /// The cursors as they will be after `steps`; none is changed yet.
    fn moved(&self, steps: &[CursorMove], head: Position) -> Result<BTreeMap<UnitName, Cursor>, AppendError> {
        let mut moved: BTreeMap<UnitName, Cursor> = BTreeMap::new();
        for step in steps {
            if let Some(stored) = moved.get(&step.unit).or_else(|| self.cursors.get(&step.unit)) {
                let mut cursor = stored.clone();
                cursor.advance(step, head)?;
                moved.insert(step.unit, cursor);
            }
        }
        Ok(moved)
    }

    fn leased(&mut self, unit: UnitName, fence: u64) -> Result<&mut Cursor, LeaseError> {
        self.cursors.get_mut(&unit).ok_or(LeaseError::Lost { unit, given: fence, stored: None })
    }
}
