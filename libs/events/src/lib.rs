//! Every event that the tape can carry: closed enums by family, their envelope and their codec.
//!
//! Invariant: an event once written decodes for ever.
//! A field is added only with a default; anything else is a new schema version with an upcast in
//! `kinds.rs`, and the old frozen file in `frozen/` stays.

pub mod conflict;
pub mod families;
pub mod ids;

mod base64;
mod kinds;
mod ours;
mod routing;
mod row;
mod same_fact;
mod upcast;
mod words;

pub use families::*;
pub use kinds::{
    AccountEvent, BooksEvent, CandleEvent, ControlEvent, Event, FrameEvent, InstrumentEvent, Kind,
    OrderEvent, PortfolioEvent, PositionEvent, QuoteEvent, SignalEvent, StreamEvent, TapeEvent, TimeEvent,
    TradeEvent, UnitEvent,
};
pub use ours::OurOrders;
pub use row::{Draft, Hash, Position, Recorded, Row};

use domain::{Account, Instrument, Timestamp, TradeId};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
pub use uuid::Uuid;

/// What each event's body must be able to tell of itself.
pub trait Payload: Serialize + DeserializeOwned + Into<Event> {
    const KIND: Kind;

    /// What it is about, `family:key`.
    fn subject(&self) -> String;
    /// The trade that it belongs to, where the fact itself knows it.
    fn trade(&self) -> Option<TradeId> {
        None
    }
    /// When it happened in the world, where that is not when it was said.
    fn at(&self) -> Option<Timestamp> {
        None
    }
    fn account(&self) -> Option<Account> {
        None
    }
    fn instrument(&self) -> Option<Instrument> {
        None
    }
}

/// Why a row of the tape is not an event that this build understands.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    #[error(
        "unknown event kind '{kind}': it was written by a newer build; upgrade this one before it reads on"
    )]
    UnknownKind { kind: String },
    #[error(
        "'{kind}' has schema {schema}, this build knows {known}: it was written by a newer build; upgrade this one before it reads on"
    )]
    NewerSchema { kind: &'static str, schema: u16, known: u16 },
    #[error("'{kind}' cannot be read: {why}")]
    Malformed { kind: &'static str, why: String },
}
