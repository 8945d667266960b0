//! A group of commits as one statement, and what came of each.

use super::{
    faults::Faults,
    group::{Group, Work},
    rows::{Binder, count},
    text,
};
use crate::{AppendError, Commit, Committed, Head, OnConflict, Outcome, Position, commit::Entry};
use domain::Timestamp;
use sqlx::{
    PgConnection, Row,
    postgres::{PgArguments, PgBindIterExt, PgRow},
};

macro_rules! call {
    ($function:literal) => {
        concat!(
            "SELECT heads, hashes, times_of_heads, faults, culprits, facts, places, outcomes FROM tapedeck.",
            $function,
            "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)"
        )
    };
}
const APPEND: &str = call!("append");
const WITH_CARE: &str = call!("append_with_care");

/// One entry and at most one cursor.
const ONE: &str = "SELECT head, hash, recorded_at, fault, fact, place, outcome FROM tapedeck.append_one(\
     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";

/// How a group is recorded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    One,
    Append,
    WithCare,
}

impl Way {
    /// A group that appends nothing leaves the head's lock to those that do.
    pub(super) fn of(group: &Group) -> Self {
        match &group.works[..] {
            [only] if only.commit.entries.len() == 1 && only.commit.cursors.len() < 2 => Self::One,
            _ if group.entries == 0 => Self::WithCare,
            _ => Self::Append,
        }
    }

    /// # Errors
    /// Among others [`MAY_NOT_MOVE`](super::faults::MAY_NOT_MOVE), but never `WithCare`.
    pub(super) async fn go(self, connection: &mut PgConnection, group: &Group) -> sqlx::Result<Told> {
        let (sql, arguments) = match (self, &group.works[..]) {
            (Self::One, [only]) => (ONE, one(only)?),
            (Self::One | Self::Append, _) => (APPEND, arguments(group)?),
            (Self::WithCare, _) => (WITH_CARE, arguments(group)?),
        };
        let row = sqlx::query_with(sql, arguments).fetch_one(connection).await?;
        if sql == ONE { Told::read_one(&row) } else { Told::read(&row) }
    }
}

/// Bytes of a row beside its body, about.
const REST: usize = 256;

/// The arguments of [`APPEND`] and [`WITH_CARE`], in their order.
fn arguments(group: &Group) -> Result<PgArguments, sqlx::Error> {
    let works = &group.works;
    let entries: Vec<&Entry> = works.iter().flat_map(|work| &work.commit.entries).collect();
    let drafts = || entries.iter().map(|entry| &entry.draft);
    let size = drafts().map(|draft| draft.body.len() + REST).sum();
    let mut arguments = Binder::default().room(21, size);
    arguments
        .add(drafts().map(|d| d.id).bind_iter())
        .add(drafts().map(|d| text::encode(&d.kind)).bind_iter())
        .add(drafts().map(|d| i32::from(d.schema)).bind_iter())
        .add(drafts().map(|d| text::encode(&d.subject)).bind_iter())
        .add(drafts().map(|d| &*d.source).bind_iter())
        .add(drafts().map(|d| d.cause).bind_iter())
        .add(drafts().map(|d| d.trade.as_deref().map(text::encode)).bind_iter())
        .add(drafts().map(|d| d.at.micros()).bind_iter())
        .add(entries.iter().map(|entry| entry.recorded_at.map(Timestamp::micros)).bind_iter())
        .add(drafts().map(|d| text::encode(&d.body)).bind_iter())
        .add(drafts().map(|d| d.meta.as_deref().map(text::encode)).bind_iter())
        .add(works.iter().flat_map(|work| &work.contents).map(|hash| &hash[..]).bind_iter());
    add_twins(&mut arguments, works);
    arguments
        .add(running(works.iter().map(|work| work.commit.entries.len())))
        .add(running(works.iter().map(|work| work.commit.cursors.len())))
        .add(works.iter().map(|work| work.commit.on_conflict == OnConflict::Report).bind_iter());
    let steps = || works.iter().flat_map(|work| &work.commit.cursors);
    arguments
        .add(steps().map(|step| &*step.unit).bind_iter())
        .add(steps().map(|step| count(step.fence)).bind_iter())
        .add(steps().map(|step| count(step.to)).bind_iter())
        .add(steps().map(|step| count(step.reach)).bind_iter());
    arguments.done()
}

/// The arguments of [`ONE`], in their order.
fn one(work: &Work) -> Result<PgArguments, sqlx::Error> {
    let Some(Entry { draft, recorded_at }) = work.commit.entries.first() else {
        return Err(sqlx::Error::Encode("a commit of one entry has none".into()));
    };
    let mut arguments = Binder::default().room(17, draft.body.len() + REST);
    arguments
        .add(draft.id)
        .text(&draft.kind)
        .add(i32::from(draft.schema))
        .text(&draft.subject)
        .add(&*draft.source)
        .add(draft.cause)
        .add(draft.trade.as_deref().map(text::encode))
        .add(draft.at.micros())
        .add(recorded_at.map(Timestamp::micros))
        .text(&draft.body)
        .add(draft.meta.as_deref().map(text::encode))
        .add(work.contents.first().map(|hash| &hash[..]))
        .add(work.commit.on_conflict == OnConflict::Report);
    let step = work.commit.cursors.first();
    arguments
        .add(step.map(|step| &*step.unit))
        .add(step.map(|step| count(step.fence)))
        .add(step.map(|step| count(step.to)))
        .add(step.map(|step| count(step.reach)));
    arguments.done()
}

/// Counted over the whole group, from one; NULL if no id is repeated.
fn add_twins(arguments: &mut Binder, works: &[Work]) {
    if works.iter().all(|work| work.twins.is_none()) {
        arguments.add(None::<Vec<Option<i32>>>).add(None::<Vec<bool>>);
        return;
    }
    let (mut twins, mut differs, mut before) = (Vec::new(), Vec::new(), 0);
    for work in works {
        for index in 0..work.commit.entries.len() {
            let twin = work.twins.as_ref().and_then(|twins| twins[index]);
            twins.push(twin.map(|(earlier, _)| (before + earlier + 1) as i32));
            differs.push(twin.is_some_and(|(_, differs)| differs));
        }
        before += work.commit.entries.len();
    }
    arguments.add(twins).add(differs);
}

fn running(lengths: impl Iterator<Item = usize>) -> Vec<i32> {
    let mut end = 0;
    lengths
        .map(|length| {
            end += length as i32;
            end
        })
        .collect()
}

/// What was told of a group.
pub(super) struct Told {
    heads: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    times: Vec<i64>,
    /// `None` if everything was appended, in a row.
    details: Option<Details>,
}

struct Details {
    faults: Vec<i32>,
    culprits: Vec<Option<i32>>,
    facts: Vec<Option<i64>>,
    places: Vec<Option<i64>>,
    outcomes: Vec<Option<i32>>,
}

impl Told {
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        let details = match row.try_get::<Option<Vec<i32>>, _>(3)? {
            None => None,
            Some(faults) => Some(Details {
                faults,
                culprits: row.try_get(4)?,
                facts: row.try_get(5)?,
                places: row.try_get(6)?,
                outcomes: row.try_get(7)?,
            }),
        };
        Ok(Self { heads: row.try_get(0)?, hashes: row.try_get(1)?, times: row.try_get(2)?, details })
    }

    fn read_one(row: &PgRow) -> Result<Self, sqlx::Error> {
        let details = match row.try_get::<Option<i32>, _>(3)? {
            None => None,
            Some(fault) => Some(Details {
                faults: vec![fault],
                culprits: vec![Some(1)],
                facts: vec![row.try_get(4)?],
                places: vec![row.try_get(5)?],
                outcomes: vec![row.try_get(6)?],
            }),
        };
        let (head, hash, time) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        Ok(Self { heads: vec![head], hashes: vec![hash], times: vec![time], details })
    }

    /// The tape's last position after the whole group.
    pub(super) fn last(&self) -> Position {
        self.heads.last().map_or(0, |head| position(*head))
    }

    /// The same, whole.
    pub(super) fn head(&self) -> Option<Head> {
        Some(Head {
            position: self.last(),
            hash: self.hashes.last()?.as_slice().try_into().ok()?,
            recorded_at: Timestamp::from_micros(*self.times.last()?),
        })
    }

    /// Tells each commit of the group what came of it.
    pub(super) fn answer(self, group: Group, faults: &Faults) {
        let (mut entries, mut moves) = (0, 0);
        // Where the first entry of the whole group came to stand, less one.
        let begun = self.last().saturating_sub(group.entries as u64);
        for (n, work) in group.works.into_iter().enumerate() {
            let verdict = self.verdict(n, &work.commit, begun, entries, moves).unwrap_or_else(|| {
                Err(faults.corrupt("an append was answered by less than was asked").into())
            });
            entries += work.commit.entries.len();
            moves += work.commit.cursors.len();
            // Nobody waits any more: what was asked is done all the same.
            let _ = work.reply.send(verdict);
        }
    }

    /// Of the commit number `n`, with so many entries and moves before it in the group.
    fn verdict(
        &self,
        n: usize,
        commit: &Commit,
        begun: Position,
        entries: usize,
        moves: usize,
    ) -> Option<Result<Committed, AppendError>> {
        let head = Head {
            position: position(*self.heads.get(n)?),
            hash: self.hashes.get(n)?.as_slice().try_into().ok()?,
            recorded_at: Timestamp::from_micros(*self.times.get(n)?),
        };
        let Some(details) = &self.details else {
            let from = begun + entries as u64 + 1;
            let outcomes = (from..from + commit.entries.len() as u64).map(Outcome::Appended).collect();
            return Some(Ok(Committed { head, outcomes }));
        };
        let fault = *details.faults.get(n)?;
        if fault != 0 {
            return details.fault(fault, n, commit, entries, moves).map(Err);
        }
        let outcomes = (entries..entries + commit.entries.len()).map(|entry| details.outcome(entry));
        Some(Ok(Committed { head, outcomes: outcomes.collect::<Option<_>>()? }))
    }
}

impl Details {
    fn outcome(&self, entry: usize) -> Option<Outcome> {
        let at = position((*self.places.get(entry)?)?);
        match (*self.outcomes.get(entry)?)? {
            0 => Some(Outcome::Appended(at)),
            1 => Some(Outcome::Duplicate(at)),
            2 => Some(Outcome::Conflict(at)),
            _ => None,
        }
    }

    fn fault(
        &self,
        fault: i32,
        n: usize,
        commit: &Commit,
        entries: usize,
        moves: usize,
    ) -> Option<AppendError> {
        let culprit = usize::try_from((*self.culprits.get(n)?)?).ok()?.checked_sub(1)?;
        let fact = *self.facts.get(n)?;
        if fault == 2 {
            let id = commit.entries.get(culprit.checked_sub(entries)?)?.draft.id;
            return Some(AppendError::Conflict { id, position: position(fact?) });
        }
        let step = commit.cursors.get(culprit.checked_sub(moves)?)?;
        let (unit, given) = (step.unit, step.to);
        match fault {
            1 => Some(AppendError::Fenced { unit, given: step.fence, stored: fact.map(position) }),
            3 => Some(AppendError::Backwards { unit, given, stored: position(fact?) }),
            4 => Some(AppendError::Beyond { unit, given, head: position(fact?) }),
            _ => None,
        }
    }
}

fn position(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
