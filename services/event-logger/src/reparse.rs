//! Reading quarantined frames again, once a parser was mended.

use crate::{parse::Parsers, record, unit};
use domain::Account;
use events::{Event, FrameEvent, FrameHash, FrameQuarantined, FrameReparsed, Kind, Position, Row, ids};
use replica::{Fact, Fault, Recorder};
use runtime::distributed::record_facts;
use std::collections::BTreeSet;
use tape::{Outcome, Tape};

/// What became of each frame that was in quarantine, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub frames: Vec<Reread>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reread {
    /// Where the frame was quarantined.
    pub position: Position,
    pub account: Account,
    pub frame: FrameHash,
    pub outcome: Reading,
}

/// Whether a frame can be read now, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It says so many events; of those `new` were not on the tape, `conflicts` contradict it.
    Recorded { events: usize, new: usize, conflicts: usize },
    /// It can be read and says so many events; nothing was recorded, as asked.
    Readable { events: usize },
    /// This build cannot read it either.
    Unreadable { why: String },
}

/// Tries today's parsers on every frame that is in quarantine, and records what they give.
/// With `dry_run` it only tells what would be read. Each frame is one commit, so it may be broken off
/// at any moment and run again; two that run at once record everything once.
///
/// # Errors
/// A tape that is away, empty or damaged.
pub async fn reparse(tape: &Tape, parsers: Parsers, dry_run: bool) -> Result<Report, Fault> {
    let opened = tape.opened().await?;
    let recorder = Recorder::new(unit(), opened.as_ref().ok_or_else(Fault::unopened)?);
    let done = reparsed(&tape.of_kind(Kind::FrameReparsed).await?)?;
    let mut report = Report::default();
    for row in tape.of_kind(Kind::FrameQuarantined).await? {
        let Event::Frame(FrameEvent::Quarantined(quarantined)) = event(&row)? else { continue };
        let (account, frame) = (quarantined.account, quarantined.frame);
        if done.contains(&(account, frame)) {
            continue;
        }
        let outcome = match parsers.parse(account, &quarantined.content_type, &quarantined.bytes.0) {
            Err(why) => Reading::Unreadable { why },
            Ok(events) if dry_run => Reading::Readable { events: events.len() },
            Ok(events) => record(tape, &recorder, &quarantined, events).await?,
        };
        report.frames.push(Reread { position: row.position, account, frame, outcome });
    }
    Ok(report)
}

fn reparsed(rows: &[Row]) -> Result<BTreeSet<(Account, FrameHash)>, Fault> {
    let mut done = BTreeSet::new();
    for row in rows {
        if let Event::Frame(FrameEvent::Reparsed(e)) = event(row)? {
            done.insert((e.account, e.frame));
        }
    }
    Ok(done)
}

fn event(row: &Row) -> Result<Event, Fault> {
    Ok(row.decode().map_err(|why| Fault::undecodable(row.position, &why))?.event)
}

/// Needs no fence: facts are the same whoever records them.
async fn record(
    tape: &Tape,
    recorder: &Recorder,
    quarantined: &FrameQuarantined,
    events: Vec<Event>,
) -> Result<Reading, Fault> {
    let FrameQuarantined { account, frame, received_at, replica, .. } = quarantined;
    let count = events.len();
    let meta = record::meta(replica, frame.0);
    let facts = events.into_iter().map(|event| recorder.fact(event, *received_at, Some(meta.clone())));
    let facts: Vec<Fact> = facts.collect();
    // The frame counts as read only once what contradicts the tape is on it, too.
    let told = record_facts(tape, recorder, &facts, &[]).await?.outcomes;
    let read =
        FrameReparsed { account: *account, frame: *frame, events: u32::try_from(count).unwrap_or(u32::MAX) };
    let id = ids::fact(recorder.tape, Kind::FrameReparsed.name(), &format!("{account}/{frame}"));
    let now = tape.head().await?.recorded_at;
    record_facts(tape, recorder, &[recorder.fact_under(id, read.into(), now, None)], &[]).await?;
    let counted = |wanted: fn(&Outcome) -> bool| told.iter().filter(|o| wanted(o)).count();
    Ok(Reading::Recorded {
        events: count,
        new: counted(|o| matches!(o, Outcome::Appended(_))),
        conflicts: counted(|o| matches!(o, Outcome::Conflict(_))),
    })
}
