//! Ids of what the simulated world says, made of what every source of it repeats.

use events::{Event, Uuid, ids};

pub const TAPE: Uuid = Uuid::from_u128(0x7a9e);

pub fn fact(kind: &str, key: &impl std::fmt::Display) -> Uuid {
    ids::fact(TAPE, kind, &key.to_string())
}

/// The id of what the venue says, on its stream or in an answer: the one that the recorder gives it.
pub fn frame_id(event: &Event) -> Uuid {
    ids::of_fact(TAPE, event).unwrap_or_else(|| unreachable!("no fact of a venue: {event:?}"))
}
