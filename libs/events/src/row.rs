//! The envelope: an event as it lies on the tape, typed ([`Recorded`]) and encoded ([`Row`]).

use crate::{DecodeError, Event, Kind};
use domain::{Timestamp, UnitName};
use std::borrow::Cow;
use uuid::Uuid;

/// 1, 2, 3 … without gaps, equal to commit order. 0 is "before the first".
pub type Position = u64;

/// SHA-256 over the previous row's hash and this row (see `tape::chain`).
pub type Hash = [u8; 32];

/// An event with its place on the tape, as units hear it.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub position: Position,
    /// Nil inside a simulation without a tape, where no id is ever made.
    pub id: Uuid,
    pub source: UnitName,
    pub cause: Option<Uuid>,
    /// When it happened in the world.
    pub at: Timestamp,
    /// The tape's own time, never running backwards; the "now" of whoever hears it.
    pub recorded_at: Timestamp,
    pub event: Event,
}

/// An event encoded, not yet on the tape: everything that a row holds except what the tape gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub id: Uuid,
    pub kind: Cow<'static, str>,
    pub schema: u16,
    pub subject: String,
    pub source: UnitName,
    pub cause: Option<Uuid>,
    pub trade: Option<String>,
    pub at: Timestamp,
    /// JSON text; these exact bytes are kept and hashed.
    pub body: String,
    /// What is not part of the fact (replica, frame hash, trace id); neither compared nor hashed.
    pub meta: Option<String>,
}

/// One row of the tape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub position: Position,
    pub recorded_at: Timestamp,
    pub hash: Hash,
    pub draft: Draft,
}

impl Draft {
    pub fn new(id: Uuid, source: UnitName, cause: Option<Uuid>, at: Timestamp, event: &Event) -> Self {
        let kind = event.kind();
        Self {
            id,
            kind: Cow::Borrowed(kind.name()),
            schema: kind.schema(),
            subject: event.subject(),
            source,
            cause,
            trade: event.trade().map(|t| t.to_string()),
            at,
            body: event.body(),
            meta: None,
        }
    }
}

impl From<&Recorded> for Draft {
    fn from(r: &Recorded) -> Self {
        Self::new(r.id, r.source, r.cause, r.at, &r.event)
    }
}

impl Row {
    /// # Errors
    /// A kind or schema that only a newer build knows, or a body that is not that kind's.
    pub fn decode(&self) -> Result<Recorded, DecodeError> {
        let d = &self.draft;
        Ok(Recorded {
            position: self.position,
            id: d.id,
            source: d.source,
            cause: d.cause,
            at: d.at,
            recorded_at: self.recorded_at,
            event: Event::decode(&d.kind, d.schema, &d.body)?,
        })
    }

    /// The kind, if this build knows it.
    pub fn kind(&self) -> Option<Kind> {
        Kind::parse(&self.draft.kind)
    }
}
