//! The tape itself, the units that write on it, and time.

use super::payload;
use crate::Position;
use domain::{Account, Timestamp, UnitName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Whose time the tape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The database's clock.
    Wall,
    /// The market's, as played by the feed.
    Market,
}

/// Position 1 of every tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TapeOpened {
    /// Namespace of every id on this tape: drawn once for a live tape, derived in a simulation.
    pub tape: Uuid,
    pub clock: Clock,
    /// What is played on it, e.g. `synthetic:1`; a tape carries one market only.
    pub market: String,
}
payload!(TapeOpened, |e| format!("tape:{}", e.tape));

/// Somebody said something else under an id that is already on the tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventConflicted {
    pub id: Uuid,
    pub kind: String,
    pub source: UnitName,
    pub account: Option<Account>,
    /// The body that was refused; the recorded one stands at `id`.
    pub refused: String,
}
payload!(EventConflicted, |e| format!("event:{}", e.id), account = e.account);

/// Somebody wants what lies at and after `from` to be published again, up to this very event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepublishAsked {
    pub from: Position,
    pub who: String,
}
payload!(RepublishAsked, |_e| "tape".to_owned());

/// A unit runs under another build or configuration than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitStarted {
    pub unit: UnitName,
    /// The core that it runs, whatever the unit is called.
    pub core: String,
    pub build: String,
    /// The unit's whole configuration, without secrets.
    pub config: Value,
    /// How far it had judged what it heard. What lies between this and `after` it has learned without
    /// judging it, because it did not run then.
    pub judged: Position,
    /// What lies behind this position is judged under this configuration.
    pub after: Position,
}
payload!(UnitStarted, |e| format!("unit:{}", e.unit));

/// It is `now`. Said once a step on a market clock, once a minute and at every asked instant on a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimePassed {
    pub now: Timestamp,
}
payload!(TimePassed, |_e| "time".to_owned(), at = _e.now);

/// Whoever says this wants to hear [`TimePassed`] at that instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeAsked {
    pub at: Timestamp,
}
payload!(WakeAsked, |_e| "time".to_owned());
