//! Coming back from the tape: the newest snapshot, and what was heard and said since.

use super::{Replica, lease::Lease, trouble::Trouble};
use crate::recover;
use domain::UnitName;
use events::{Event, Kind, Position, Row, UnitEvent, UnitStarted};
use service::{Bounds, Follower, Host, Own, Resumed, Walk};
use tape::{Head, Tape};

/// How many rows one read takes.
const BATCH: usize = 2_000;

/// A unit that stands at its saved cursor.
pub(super) struct Beginning {
    pub host: Host,
    pub must_start: bool,
    /// The last row that is in the state.
    pub place: Head,
    /// Where the snapshot that it came from stands.
    pub snapshot: Position,
}

/// What a walk came to.
enum Outcome {
    There {
        resumed: Resumed,
        snapshot: Position,
    },
    /// Something was said farther behind its cause than the cursor knows: look that far ahead.
    Reaches(u64),
}

/// Whether the event of this row is anything to the unit's core.
pub(super) fn takes(host: &Host, row: &Row) -> bool {
    let own = row.draft.source == host.unit();
    match host.own() {
        Own::AtCause => !own && row.kind().is_some_and(|kind| host.hears(kind)),
        Own::InPlace => own || row.kind().is_some_and(|kind| host.hears(kind)),
    }
}

/// `known` is the last row that this replica has heard before, in another incarnation.
pub(super) async fn resume(replica: &Replica, lease: &Lease, known: &Head) -> Result<Beginning, Trouble> {
    let tape = &replica.tape;
    if at(tape, known.position).await? != Some(*known) {
        return Err(Trouble::rewritten(known.position));
    }
    let Some(place) = at(tape, lease.cursor.position).await? else {
        return Err(Trouble::rewritten(lease.cursor.position));
    };
    let mut reach = lease.cursor.reach;
    loop {
        match walk(replica, lease, reach).await? {
            Outcome::There { resumed: Resumed { host, must_start, .. }, snapshot } => {
                return Ok(Beginning { host, must_start, place, snapshot });
            }
            Outcome::Reaches(farther) => reach = farther,
        }
    }
}

async fn at(tape: &Tape, position: Position) -> Result<Option<Head>, Trouble> {
    if position == 0 {
        return Ok(Some(Head::EMPTY));
    }
    Ok(tape.read(position - 1, 1).await?.pop().map(|row| place(&row)))
}

pub(super) fn place(row: &Row) -> Head {
    Head { position: row.position, hash: row.hash, recorded_at: row.recorded_at }
}

/// Follows the unit to its saved cursor. Behind it only the unit's own sayings are read: an answer
/// may stand anywhere behind its cause.
async fn walk(replica: &Replica, lease: &Lease, reach: u64) -> Result<Outcome, Trouble> {
    let (tape, unit, cursor) = (&replica.tape, lease.unit(), lease.cursor.position);
    let (host, bounds) = start(replica, lease, reach).await?;
    let (hears, snapshot) = (host.heard_kinds(), host.cursor());
    let mut follower = Follower::new(vec![(host, bounds)], Walk::Follow);
    let mut after = follower.starts_after();
    loop {
        let rows = tape.read(after, BATCH).await?;
        let Some(last) = rows.last() else { break };
        after = last.position;
        for row in &rows {
            let own = row.draft.source == unit;
            if row.position > cursor && !own {
                follower.pass(row.position);
                continue;
            }
            match row.decode() {
                Ok(event) => follower.push(event),
                Err(_) if !own && !heard(hears, row) => follower.pass(row.position),
                Err(why) => return Err(Trouble::undecodable(row.position, &why)),
            }
        }
        // A tape in memory never waits, but others do.
        tokio::task::yield_now().await;
    }
    let Some(resumed) = follower.finish(&replica.build).units.pop() else {
        return Err(Trouble::Doubt("the unit is gone".to_owned()));
    };
    let Some(position) = resumed.unmatched else { return Ok(Outcome::There { resumed, snapshot }) };
    let farther = distance(tape, position).await?;
    if farther > reach {
        return Ok(Outcome::Reaches(farther));
    }
    Err(Trouble::Stuck(format!(
        "position {position} was said by {unit} in answer to something that is not before it on the tape: run `tapedeck verify`"
    )))
}

fn heard(hears: &[Kind], row: &Row) -> bool {
    row.kind().is_some_and(|kind| hears.contains(&kind))
}

/// The unit at its newest usable snapshot, or at the beginning of the tape.
async fn start(replica: &Replica, lease: &Lease, reach: u64) -> Result<(Host, Bounds), Trouble> {
    let Replica { tape, build, .. } = replica;
    let mut host = (replica.make)();
    let starts = starts(tape, host.unit()).await?;
    let mut bounds = Bounds { cursor: lease.cursor.position, reach, build: None, starts };
    let stored = tape.snapshots(lease.cursor.position).await?;
    let stored = stored.iter().find(|s| s.unit == host.unit() && s.tag == recover::tag(build, &host));
    if stored.is_some_and(|snapshot| host.restore(&snapshot.state).is_ok()) {
        bounds.build = Some(build.clone());
    }
    Ok((host, bounds))
}

/// Every start of the unit, in order.
async fn starts(tape: &Tape, unit: UnitName) -> Result<Vec<UnitStarted>, Trouble> {
    let mut starts = Vec::new();
    for row in tape.of_kind(Kind::UnitStarted).await?.iter().filter(|row| row.draft.source == unit) {
        let event = row.decode().map_err(|why| Trouble::undecodable(row.position, &why))?.event;
        if let Event::Unit(UnitEvent::Started(started)) = event {
            starts.push(started);
        }
    }
    Ok(starts)
}

/// How far what was said at `position` stands behind its cause; 0 if it has none on this tape.
async fn distance(tape: &Tape, position: Position) -> Result<u64, Trouble> {
    let row = tape.read(position - 1, 1).await?.pop();
    let Some(cause) = row.and_then(|row| row.draft.cause) else { return Ok(0) };
    let cause = tape.by_id(cause).await?;
    Ok(cause.map_or(0, |cause| position.saturating_sub(cause.position)))
}
