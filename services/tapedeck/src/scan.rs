//! Reading some kinds of a tape by their index, at the cost of these alone.

use crate::{WrongUse, cli::Until};
use domain::Timestamp;
use events::{Kind, Position, Recorded, Row};
use runtime::recover::RecoverError;
use std::collections::VecDeque;
use tape::Tape;

const BATCH: usize = 2_000;

/// Several lists of kinds as one, at compile time; `N` is [`count`] of them.
pub const fn joined<const N: usize>(lists: &[&[Kind]]) -> [Kind; N] {
    let mut all = [lists[0][0]; N];
    let (mut at, mut list) = (0, 0);
    while list < lists.len() {
        let mut kind = 0;
        while kind < lists[list].len() {
            all[at] = lists[list][kind];
            (at, kind) = (at + 1, kind + 1);
        }
        list += 1;
    }
    all
}

/// How many kinds there are in several lists.
pub const fn count(lists: &[&[Kind]]) -> usize {
    let (mut all, mut list) = (0, 0);
    while list < lists.len() {
        all += lists[list].len();
        list += 1;
    }
    all
}

/// Every event of some kinds up to a position, in order; what the tape held when it was asked.
///
/// # Errors
/// The tape cannot be read, or holds what this build does not know.
pub async fn kinds(
    tape: &Tape,
    kinds: &[Kind],
    until: Position,
    mut see: impl FnMut(&Recorded),
) -> Result<(), RecoverError> {
    let until = until.min(tape.head().await?.position);
    refuse_unknown(tape, until).await?;
    let mut lanes: Vec<Lane> = kinds.iter().map(|&kind| Lane::new(kind)).collect();
    loop {
        for lane in &mut lanes {
            lane.fill(tape).await?;
        }
        // As long as no lane has run dry, the least of their first rows is the next one.
        loop {
            let first = |lane: &Lane| lane.rows.front().map(|row| row.position);
            let next =
                lanes.iter_mut().filter_map(|lane| Some((first(lane)?, lane))).min_by_key(|(at, _)| *at);
            let Some((position, lane)) = next else { return Ok(()) };
            if position > until {
                return Ok(());
            }
            if let Some(row) = lane.rows.pop_front() {
                see(&decoded(&row)?);
            }
            if lane.is_dry() {
                break;
            }
        }
    }
}

/// What a newer build has recorded may change any figure, and whoever reads some kinds alone would not meet it.
async fn refuse_unknown(tape: &Tape, until: Position) -> Result<(), RecoverError> {
    match tape.first_unknown().await? {
        Some(row) if row.position <= until => decoded(&row).map(drop),
        Some(_) | None => Ok(()),
    }
}

/// The rows of one kind, a page ahead.
struct Lane {
    kind: Kind,
    after: Position,
    rows: VecDeque<Row>,
    over: bool,
}

impl Lane {
    fn new(kind: Kind) -> Self {
        Self { kind, after: 0, rows: VecDeque::new(), over: false }
    }

    fn is_dry(&self) -> bool {
        self.rows.is_empty() && !self.over
    }

    async fn fill(&mut self, tape: &Tape) -> Result<(), RecoverError> {
        if !self.is_dry() {
            return Ok(());
        }
        self.rows = tape.of_kind_after(self.kind, self.after, BATCH).await?.into();
        self.over = self.rows.len() < BATCH;
        self.after = self.rows.back().map_or(self.after, |last| last.position);
        Ok(())
    }
}

/// One kind backwards from a position, the last event first, until `see` has seen enough and says so.
/// It gives up after `most` events.
///
/// # Errors
/// As [`kinds`].
pub async fn backwards(
    tape: &Tape,
    kind: Kind,
    until: Position,
    most: usize,
    mut see: impl FnMut(&Recorded) -> bool,
) -> Result<(), RecoverError> {
    refuse_unknown(tape, until).await?;
    let (mut before, mut left) = (until.saturating_add(1), most);
    while left > 0 {
        let rows = tape.of_kind_before(kind, before, BATCH.min(left)).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        before = last.position;
        left -= rows.len();
        for row in &rows {
            if see(&decoded(row)?) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn decoded(row: &Row) -> Result<Recorded, RecoverError> {
    row.decode().map_err(|source| RecoverError::Decode { position: row.position, source })
}

/// The position that `--until` means: the tape's end where it is not given.
///
/// # Errors
/// A position that the tape does not reach; a tape that cannot be read.
pub async fn until(tape: &Tape, given: Option<Until>) -> anyhow::Result<Position> {
    let head = tape.head().await?.position;
    match given {
        None => Ok(head),
        Some(Until::Position(position)) if position <= head => Ok(position),
        Some(Until::Position(position)) => {
            Err(WrongUse(format!("--until {position}: the tape ends at position {head}")).into())
        }
        Some(Until::Time(time)) => position_at(tape, head, time).await,
    }
}

/// The last position recorded at or before `time`: the tape's time never runs backwards.
async fn position_at(tape: &Tape, head: Position, time: Timestamp) -> anyhow::Result<Position> {
    let (mut low, mut high) = (0, head);
    while low < high {
        let middle = (low + high).div_ceil(2);
        let row = tape.read(middle - 1, 1).await?;
        if row.first().is_some_and(|r| r.recorded_at <= time) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(low)
}
