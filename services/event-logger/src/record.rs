//! What a batch of frames says, ready to be recorded. Pure.

use crate::parse::Parsers;
use bus::{FrameKind, IngestFrame};
use domain::Account;
use events::{Event, FrameBytes, FrameHash, FrameQuarantined, Hash, StreamOpened};
use replica::{Fact, Recorder};
use serde::Serialize;
use tape::Frame;

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
pub fn read(recorder: &Recorder, parsers: Parsers, frame: &IngestFrame) -> Reading {
    let kept = Frame::new(frame.received_at, frame.bytes.clone());
    let hash = kept.hash;
    let events = match frame.kind {
        FrameKind::Opened => vec![opened(frame)],
        FrameKind::Account => parsers
            .parse(frame.account, &frame.content_type, &frame.bytes)
            .unwrap_or_else(|why| vec![quarantined(frame, hash, why)]),
    };
    let meta = meta(&frame.replica, hash);
    let facts = events.into_iter().map(|event| recorder.fact(event, frame.received_at, Some(meta.clone())));
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

/// What is written beside each fact.
pub fn meta(replica: &str, frame: Hash) -> String {
    serde_json::to_string(&Meta { replica, frame: FrameHash(frame) })
        .unwrap_or_else(|e| unreachable!("two texts: {e}"))
}

/// Whose frame was quarantined, and why; for the alarm.
pub fn alarm(event: &Event) -> Option<(Account, FrameHash, &str)> {
    match event {
        Event::Frame(events::FrameEvent::Quarantined(e)) => Some((e.account, e.frame, &e.why)),
        _ => None,
    }
}
