//! A sink's hands: what does its I/O, and how that comes back onto the tape.
//!
//! Invariants:
//! - Hands learn of an event only once it is committed, with whatever the core said on it, under the
//!   fence of the incarnation that tells them.
//! - What they bring back is judged by the incarnation that sent them, once it has heard all that its
//!   unit has said; of an earlier one it is void.

use domain::Timestamp;
use events::{Event, Recorded, Uuid};
use service::Host;
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// The two ends of a sink's hands. Cheap to clone.
#[derive(Clone)]
pub struct Hands {
    /// Called by whoever speaks for the unit, with its state; must not wait.
    pub told: Arc<Tell>,
    /// What they bring back.
    pub back: Arc<Mutex<mpsc::Receiver<Back>>>,
}

/// Tells hands something.
pub type Tell = dyn Fn(&Host, News) + Send + Sync;

/// What hands are told.
#[derive(Debug)]
pub enum News {
    /// An incarnation has come back from the tape: what it owes is in its state.
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

/// What is to be said of it, under which ids: of the state, the tape's id, and the time.
pub type Judge = Box<dyn FnOnce(&Host, Uuid, Timestamp) -> Vec<(Uuid, Event)> + Send>;
