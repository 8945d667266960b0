//! Coming back from the tape: the newest snapshot, and what was heard and said since.

use crate::{Effect, Fault, Reply, leader::Leader, machine::Incarnation};
use events::{DecodeError, Event, Kind, Position, Row, UnitEvent, UnitStarted, Uuid};
use service::{Bounds, Follower, Host, Resumed, Walk};
use tape::{Head, Snapshot};

/// How many rows one read takes.
const BATCH: usize = 2_000;

/// Identifies what a snapshot can be read by: another build or configuration starts from the tape.
pub fn tag(build: &str, host: &Host) -> String {
    format!("{build} {}", host.config())
}

/// The starts that stand in these rows, in order.
///
/// # Errors
/// The first row that this build cannot read, and why.
pub fn starts<'r>(
    rows: impl IntoIterator<Item = &'r Row>,
) -> Result<Vec<UnitStarted>, (Position, DecodeError)> {
    let mut starts = Vec::new();
    for row in rows {
        if let Event::Unit(UnitEvent::Started(started)) =
            row.decode().map_err(|why| (row.position, why))?.event
        {
            starts.push(started);
        }
    }
    Ok(starts)
}

/// A unit at its newest usable snapshot among `stored`, or at the beginning of the tape, and how far it is to
/// be followed from there.
pub fn bounded(
    mut host: Host,
    cursor: Position,
    reach: u64,
    starts: &[UnitStarted],
    stored: &[Snapshot],
    build: &str,
) -> (Host, Bounds) {
    let unit = host.unit();
    let starts = starts.iter().filter(|started| started.unit == unit).cloned().collect();
    let mut bounds = Bounds { cursor, reach, build: None, starts };
    let stored = stored.iter().find(|s| s.unit == unit && s.tag == tag(build, &host));
    if stored.is_some_and(|snapshot| host.restore(&snapshot.state).is_ok()) {
        bounds.build = Some(build.to_owned());
    }
    (host, bounds)
}

pub(crate) fn place(row: &Row) -> Head {
    Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at }
}

/// A unit on its way to its saved cursor.
pub(crate) struct Recovery {
    of: Incarnation,
    /// The last row that will be in the state.
    place: Head,
    /// How far an own event may lie behind its cause, as far as is known.
    reach: u64,
    /// Whether the unit has run on this tape before.
    ran: bool,
    step: Step,
}

/// What is read next.
enum Step {
    /// The last row known: the tape may have been put back.
    Known,
    /// The row at the cursor.
    Place,
    Starts,
    Snapshots(Vec<UnitStarted>),
    Walk(Box<Walking>),
    /// Something was said farther behind its cause than the cursor knows: what was said …
    Said(Position),
    /// … and its cause.
    Cause(Position, Uuid),
}

struct Walking {
    follower: Follower,
    after: Position,
    /// Where the snapshot stands that it begins at.
    snapshot: Position,
    hears: &'static [Kind],
}

impl Recovery {
    pub(crate) fn new(of: Incarnation) -> Self {
        let (reach, known) = (of.cursor.reach, of.known.position);
        let step = if known == 0 { Step::at_cursor(&of) } else { Step::Known };
        let ran = of.cursor.position > 0;
        Self { of, place: Head::EMPTY, reach, ran, step }
    }

    pub(crate) fn known(&self) -> Head {
        self.of.known
    }

    /// The same until it is answered.
    pub(crate) fn ask(&self) -> Option<Effect> {
        Some(match &self.step {
            Step::Known => Effect::row_at(self.of.known.position),
            Step::Place => Effect::row_at(self.of.cursor.position),
            Step::Starts => Effect::OfKind(Kind::UnitStarted),
            Step::Snapshots(_) => Effect::Snapshots(self.of.cursor.position),
            Step::Walk(walking) => Effect::Read { after: walking.after, limit: BATCH },
            Step::Said(position) => Effect::row_at(*position),
            Step::Cause(_, cause) => Effect::ById(*cause),
        })
    }

    /// Whoever leads from here on, once it is back.
    pub(crate) fn reply(&mut self, reply: Reply) -> Result<Option<Leader>, Fault> {
        let unit = self.of.cursor.unit;
        let step = std::mem::replace(&mut self.step, Step::Starts);
        self.step = match (step, reply) {
            (Step::Known, Reply::Rows(rows)) => {
                if rows.first().map(place) != Some(self.of.known) {
                    return Err(Fault::rewritten(self.of.known.position));
                }
                Step::at_cursor(&self.of)
            }
            (Step::Place, Reply::Rows(rows)) => {
                let there = rows.first().map(place);
                self.place = there.ok_or_else(|| Fault::rewritten(self.of.cursor.position))?;
                Step::Starts
            }
            // Another unit's may be a newer build's.
            (Step::Starts, Reply::Rows(rows)) => {
                let starts = starts(rows.iter().filter(|row| row.draft.source == unit))
                    .map_err(|(position, why)| Fault::undecodable(position, &why))?;
                self.ran |= !starts.is_empty();
                Step::Snapshots(starts)
            }
            (Step::Snapshots(starts), Reply::Snapshots(stored)) => self.begin(&starts, &stored),
            (Step::Walk(mut walking), Reply::Rows(rows)) if !rows.is_empty() => {
                self.walk(&mut walking, &rows)?;
                Step::Walk(walking)
            }
            (Step::Walk(walking), Reply::Rows(_)) => {
                let snapshot = walking.snapshot;
                let Some(resumed) = walking.follower.finish(&self.of.build).units.pop() else {
                    return Err(Fault::Doubt("the unit is gone".to_owned()));
                };
                let Resumed { host, must_start, unmatched } = resumed;
                match unmatched {
                    None => {
                        return Ok(Some(Leader::new(
                            &self.of, host, self.ran, must_start, self.place, snapshot,
                        )));
                    }
                    Some(position) => Step::Said(position),
                }
            }
            (Step::Said(position), Reply::Rows(rows)) => match rows.first().and_then(|row| row.draft.cause) {
                Some(cause) => Step::Cause(position, cause),
                None => return Err(self.without_cause(position)),
            },
            (Step::Cause(position, _), Reply::Rows(rows)) => {
                let cause = rows.first().map_or(position, |cause| cause.position);
                if cause > self.of.cursor.position && cause < position {
                    // Nothing behind the cursor is answered by whoever it was given to.
                    return Err(Fault::Lost(format!("another speaks for {unit} now")));
                }
                let farther = position.saturating_sub(cause);
                if farther <= self.reach {
                    return Err(self.without_cause(position));
                }
                // Look that far ahead, from the beginning.
                self.reach = farther;
                Step::Starts
            }
            (_, reply) => return Err(Fault::unasked(&reply)),
        };
        Ok(None)
    }

    fn begin(&self, starts: &[UnitStarted], stored: &[Snapshot]) -> Step {
        let Incarnation { make, build, cursor, .. } = &self.of;
        let (host, bounds) = bounded(make(), cursor.position, self.reach, starts, stored, build);
        let (hears, snapshot) = (host.heard_kinds(), host.cursor());
        let follower = Follower::new(vec![(host, bounds)], Walk::Follow);
        let after = follower.starts_after();
        Step::Walk(Box::new(Walking { follower, after, snapshot, hears }))
    }

    /// Behind the cursor only the unit's own sayings are read: an answer may stand anywhere behind its cause.
    fn walk(&self, walking: &mut Walking, rows: &[Row]) -> Result<(), Fault> {
        for row in rows {
            walking.after = row.position;
            let own = row.draft.source == self.of.cursor.unit;
            if row.position > self.of.cursor.position && !own {
                walking.follower.pass(row.position);
                continue;
            }
            let heard = || row.kind().is_some_and(|kind| walking.hears.contains(&kind));
            match row.decode() {
                Ok(event) => walking.follower.push(event),
                Err(_) if !own && !heard() => walking.follower.pass(row.position),
                Err(why) => return Err(Fault::undecodable(row.position, &why)),
            }
        }
        Ok(())
    }

    fn without_cause(&self, position: Position) -> Fault {
        Fault::Stuck(format!(
            "position {position} was said by {} in answer to something that is not before it on the tape: run `tapedeck verify`",
            self.of.cursor.unit
        ))
    }
}

impl Step {
    fn at_cursor(of: &Incarnation) -> Self {
        if of.cursor.position == 0 { Self::Starts } else { Self::Place }
    }
}
