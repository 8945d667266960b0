//! What a batch of frames says, ready to be recorded. Pure.

use crate::{parse::Parsers, unit};
use bus::{FrameKind, IngestFrame};
use domain::{Account, Timestamp};
use events::{
    Clock, Draft, Event, FrameBytes, FrameHash, FrameQuarantined, Hash, StreamOpened, TapeOpened, Uuid,
    conflict::{conflict, conflict_id},
    ids,
};
use serde::Serialize;
use tape::{Entry, Frame, Outcome};

/// The tape that is recorded on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub tape: Uuid,
    pub clock: Clock,
}

/// An event with the row that it becomes.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub event: Event,
    pub draft: Draft,
}

/// A frame with what it says; kept raw whatever that is.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// `None` if there are no bytes to keep.
    pub kept: Option<Frame>,
    pub facts: Vec<Fact>,
}

/// What is written beside each fact: who brought it, in which frame.
#[derive(Serialize)]
struct Meta<'a> {
    replica: &'a str,
    frame: FrameHash,
}

/// Reads a frame. One that no parser can read becomes one `FrameQuarantined` with all its bytes.
pub fn read(target: Target, parsers: Parsers, frame: &IngestFrame) -> Reading {
    let kept = Frame::new(frame.received_at, frame.bytes.clone());
    let hash = kept.hash;
    let events = match frame.kind {
        FrameKind::Opened => vec![opened(frame)],
        FrameKind::Account => parsers
            .parse(frame.account, &frame.content_type, &frame.bytes)
            .unwrap_or_else(|why| vec![quarantined(frame, hash, why)]),
    };
    let meta = meta(&frame.replica, hash);
    let facts = events.into_iter().map(|event| fact(target, event, frame.received_at, Some(meta.clone())));
    Reading { facts: facts.collect(), kept: (!frame.bytes.is_empty()).then_some(kept) }
}

fn opened(frame: &IngestFrame) -> Event {
    let IngestFrame { account, replica, stream, received_at, .. } = frame.clone();
    StreamOpened { account, replica, stream, at: received_at }.into()
}

fn quarantined(frame: &IngestFrame, hash: Hash, why: String) -> Event {
    let IngestFrame { account, replica, stream, content_type, received_at, bytes, kind: _ } = frame.clone();
    let (frame, bytes) = (FrameHash(hash), FrameBytes(bytes));
    FrameQuarantined { account, replica, stream, content_type, frame, bytes, why, received_at }.into()
}

/// `received_at` stands in for a time that the event does not tell itself.
pub fn fact(target: Target, event: Event, received_at: Timestamp, meta: Option<String>) -> Fact {
    let at = event.at().unwrap_or(received_at);
    // A parser that says something which is no fact of the world is told apart by its content alone.
    let id = ids::of_fact(target.tape, &event)
        .unwrap_or_else(|| ids::fact(target.tape, event.kind().name(), &event.body()));
    let draft = Draft { meta, ..Draft::new(id, unit(), None, at, &event) };
    Fact { event, draft }
}

pub fn meta(replica: &str, frame: Hash) -> String {
    serde_json::to_string(&Meta { replica, frame: FrameHash(frame) })
        .unwrap_or_else(|e| unreachable!("two texts: {e}"))
}

/// The entry for a draft; `now` is the time of the tape's last row.
pub fn entry(target: Target, draft: Draft, now: Timestamp) -> Entry {
    match target.clock {
        Clock::Wall => Entry::wall(draft),
        Clock::Market => Entry::market(draft, now),
    }
}

/// What is said of the facts that were refused, because something else stands under their ids.
pub fn conflicts(target: Target, facts: &[Fact], outcomes: &[Outcome]) -> Vec<Fact> {
    let refused = facts.iter().zip(outcomes).filter_map(|(fact, outcome)| match outcome {
        Outcome::Conflict(position) => Some((fact, *position)),
        Outcome::Appended(_) | Outcome::Duplicate(_) => None,
    });
    let said = refused.flat_map(|(fact, position)| {
        let events = conflict(unit(), &fact.draft, &fact.event, position);
        events.into_iter().enumerate().map(move |(n, event)| {
            let id = conflict_id(target.tape, &fact.draft, n);
            let at = event.at().unwrap_or(fact.draft.at);
            let meta = fact.draft.meta.clone();
            let draft = Draft { meta, ..Draft::new(id, unit(), Some(fact.draft.id), at, &event) };
            Fact { event, draft }
        })
    });
    said.collect()
}

/// Whose frame was quarantined, and why; for the alarm.
pub fn alarm(event: &Event) -> Option<(Account, FrameHash, &str)> {
    match event {
        Event::Frame(events::FrameEvent::Quarantined(e)) => Some((e.account, e.frame, &e.why)),
        _ => None,
    }
}

impl From<&TapeOpened> for Target {
    fn from(opened: &TapeOpened) -> Self {
        Self { tape: opened.tape, clock: opened.clock }
    }
}
