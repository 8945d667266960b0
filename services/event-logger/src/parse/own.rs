//! Tapedeck's own encoding of account events, for adapters that others write.
//!
//! A JSON array of `{ "kind": "order.filled", "schema": 1, "body": { … } }`, each body as it lies on
//! the tape; `schema` is 1 if it is left out.

use domain::Account;
use events::Event;
use serde::Deserialize;
use serde_json::value::RawValue;

pub const CONTENT_TYPE: &str = "application/vnd.tapedeck.events+json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    kind: String,
    #[serde(default = "first")]
    schema: u16,
    #[serde(borrow)]
    body: &'a RawValue,
}

fn first() -> u16 {
    1
}

/// # Errors
/// No such array, or an event in it that this build cannot read.
pub fn parse(_: Account, bytes: &[u8]) -> Result<Vec<Event>, String> {
    let written: Vec<Written> =
        serde_json::from_slice(bytes).map_err(|e| format!("it is no array of events: {e}"))?;
    let read = |(n, one): (usize, Written)| {
        let event = Event::decode(&one.kind, one.schema, one.body.get());
        event.map_err(|why| format!("event {} of the frame: {why}", n + 1))
    };
    written.into_iter().enumerate().map(read).collect()
}
