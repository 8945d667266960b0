//! What a sink's hands are told, and what they bring back.
//!
//! Invariants:
//! - Hands learn of an event only once it is committed, with whatever the core said on it, under the
//!   fence of the incarnation that tells them.
//! - What they bring back is judged by the incarnation that sent them, once it has heard all that its
//!   unit has said; of an earlier one it is void.

use crate::Host;
use domain::Timestamp;
use events::{Event, Recorded, Uuid};

/// What hands are told.
#[derive(Debug)]
pub enum News {
    /// An incarnation has come back from the tape: what is pending is in its state.
    Recovered {
        fence: u64,
    },
    Heard(Box<Heard>),
}

/// Something that a sink has heard where it stands on the tape.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub event: Recorded,
    /// This very incarnation has committed it: what it promises has been tried by nobody else.
    pub mine: bool,
    /// Names the incarnation. What an earlier one told is void.
    pub fence: u64,
}

/// What hands bring back to the incarnation that sent them.
pub struct Back {
    pub fence: u64,
    pub judge: Judge,
}

/// Given the state, the tape's id and the time: the events to record, with their ids.
pub type Judge = Box<dyn FnOnce(&Host, Uuid, Timestamp) -> Vec<(Uuid, Event)> + Send>;

impl News {
    /// Of the incarnation that tells it.
    pub fn fence(&self) -> u64 {
        match self {
            Self::Recovered { fence } => *fence,
            Self::Heard(heard) => heard.fence,
        }
    }
}
