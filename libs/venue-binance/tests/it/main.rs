//! Tests, each named after the section of Binance's documentation that it is about.

mod book;
mod budget;
mod errors;
mod frame;
mod market;
#[cfg(feature = "net")]
mod net;
mod request;
mod robust;
mod rows;
mod rsa;
mod rules;
mod samples;
mod sign;

use domain::{Account, Decimal, Timestamp};
use events::{Draft, Event, Uuid, ids};
use std::path::PathBuf;

/// `$TAPEDECK_DATA`, else the folder beside the workspace.
fn data(name: &str) -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join(name)
}

fn account() -> Account {
    "binance:main".parse().unwrap()
}

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn ms(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// As the tape would hold it.
fn draft(event: &Event) -> Draft {
    let id = ids::of_fact(Uuid::nil(), event).unwrap_or_else(|| panic!("no fact: {event:?}"));
    let at = event.at().unwrap_or_default();
    Draft::new(id, "event-logger".parse().unwrap(), None, at, event)
}

/// The same ids, and the same facts under them.
fn assert_same_facts(one: &[Event], other: &[Event]) {
    assert_eq!(one.len(), other.len(), "{one:#?}\n{other:#?}");
    for (one, other) in one.iter().zip(other) {
        let (one, other) = (draft(one), draft(other));
        assert_eq!(one.id, other.id, "{one:?}\n{other:?}");
        assert!(one.same_fact(&other), "{one:?}\n{other:?}");
    }
}
