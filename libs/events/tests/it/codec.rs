//! The envelope and the codec.

use crate::samples::{at, samples};
use domain::{Direction, Timestamp, UnitName};
use events::{DecodeError, Draft, Event, Kind, Recorded, Row, TradeEvent, Uuid};
use std::{borrow::Cow, collections::BTreeSet, mem::size_of};

#[test]
fn names_are_unique_and_are_read_back() {
    let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), Kind::COUNT);
    for kind in Kind::ALL.iter().copied() {
        assert_eq!(Kind::parse(kind.name()), Some(kind));
        assert!(kind.schema() >= 1, "{}", kind.name());
        let (family, rest) = kind.name().split_once('.').expect("family.kind");
        assert!(!family.is_empty() && !rest.is_empty() && !rest.contains('.'), "{}", kind.name());
    }
    assert_eq!(Kind::parse("order.fulfilled"), None);
    assert_eq!(Kind::parse(""), None);
}

#[test]
fn an_unknown_kind_asks_for_an_upgrade() {
    let error = Event::decode("order.teleported", 1, "{}").unwrap_err();
    assert_eq!(error, DecodeError::UnknownKind { kind: "order.teleported".into() });
    assert!(
        error.to_string().contains("'order.teleported'") && error.to_string().contains("upgrade"),
        "{error}"
    );
}

#[test]
fn a_newer_schema_asks_for_an_upgrade_even_if_its_body_would_do() {
    for kind in Kind::ALL.iter().copied() {
        let body = samples(kind)[0].body();
        let (name, known) = (kind.name(), kind.schema());
        let error = Event::decode(name, known + 1, &body).unwrap_err();
        assert_eq!(error, DecodeError::NewerSchema { kind: name, schema: known + 1, known });
        assert!(error.to_string().contains("upgrade"), "{error}");
    }
}

#[test]
fn a_malformed_body_says_of_which_kind_and_what_is_wrong() {
    for kind in Kind::ALL.iter().copied() {
        for body in ["", "{", "[]", "null", "{}", "{\"at\":7}"] {
            match Event::decode(kind.name(), kind.schema(), body) {
                Err(DecodeError::Malformed { kind: named, why }) => {
                    assert_eq!(named, kind.name());
                    assert!(!why.is_empty());
                }
                other => panic!("{} {body}: {other:?}", kind.name()),
            }
        }
    }
    let error = Event::decode("time.passed", 1, r#"{"now":"yesterday"}"#).unwrap_err().to_string();
    assert!(error.starts_with("'time.passed' cannot be read") && error.contains("2024-01-15"), "{error}");
    let body = samples(Kind::OrderFilled)[0].body().replace("42000.10", "-1");
    let error = Event::decode("order.filled", 1, &body).unwrap_err().to_string();
    assert!(error.contains("must be greater than zero"), "{error}");
}

#[test]
fn a_field_that_this_build_does_not_know_is_passed_over() {
    let body = r#"{"now":"2024-01-15T00:00:00Z","zone":"UTC"}"#;
    assert_eq!(Event::decode("time.passed", 1, body).unwrap().body(), r#"{"now":"2024-01-15T00:00:00Z"}"#);
}

#[test]
fn a_row_is_read_back_as_what_was_recorded() {
    for (n, event) in Kind::ALL.iter().flat_map(|kind| samples(*kind)).enumerate() {
        let recorded = Recorded {
            position: n as u64 + 1,
            id: Uuid::from_u128(n as u128),
            source: UnitName::new("order-tracker").unwrap(),
            cause: (n % 2 == 0).then(|| Uuid::from_u128(7)),
            at: event.at().unwrap_or(at(0)),
            recorded_at: at(5),
            event,
        };
        let draft = Draft::from(&recorded);
        assert_eq!(draft.kind, Cow::Borrowed(recorded.event.kind().name()));
        assert_eq!(draft.subject, recorded.event.subject());
        assert_eq!(draft.trade, recorded.event.trade().map(|trade| trade.to_string()));
        let row =
            Row { position: recorded.position, recorded_at: recorded.recorded_at, hash: [0; 32], draft };
        assert_eq!(row.kind(), Some(recorded.event.kind()));
        assert_eq!(row.decode(), Ok(recorded));
    }
}

#[test]
fn a_row_of_a_newer_build_is_not_understood_and_says_so() {
    let draft = draft_of(&samples(Kind::TimePassed)[0]);
    let row = |draft| Row { position: 1, recorded_at: at(0), hash: [0; 32], draft };
    let unknown = row(Draft { kind: Cow::Borrowed("moon.risen"), ..draft.clone() });
    assert_eq!(unknown.kind(), None);
    assert_eq!(unknown.decode(), Err(DecodeError::UnknownKind { kind: "moon.risen".into() }));
    let newer = row(Draft { schema: 2, ..draft });
    assert_eq!(newer.decode(), Err(DecodeError::NewerSchema { kind: "time.passed", schema: 2, known: 1 }));
}

#[test]
fn two_drafts_are_the_same_fact_whoever_says_it() {
    let draft = draft_of(&samples(Kind::OrderFilled)[0]);
    let same = [
        Draft { meta: Some("replica 2".into()), ..draft.clone() },
        Draft { source: UnitName::new("other").unwrap(), ..draft.clone() },
        Draft { cause: None, ..draft.clone() },
    ];
    for other in same {
        assert!(draft.same_fact(&other), "{other:?}");
    }
    let differing = [
        Draft { kind: Cow::Borrowed("order.ended"), ..draft.clone() },
        Draft { schema: 2, ..draft.clone() },
        Draft { subject: "order:x".into(), ..draft.clone() },
        Draft { trade: Some("t".into()), ..draft.clone() },
        Draft { at: Timestamp::ZERO, ..draft.clone() },
        Draft { body: "{}".into(), ..draft.clone() },
    ];
    for other in differing {
        assert!(!draft.same_fact(&other), "{other:?}");
    }
}

fn draft_of(event: &Event) -> Draft {
    let source = UnitName::new("clock").unwrap();
    Draft::new(Uuid::from_u128(1), source, Some(Uuid::from_u128(2)), at(0), event)
}

/// Events are moved and copied all the time; a large payload belongs into a box.
#[test]
fn an_event_stays_small() {
    println!("an event takes {} bytes, a recorded one {}", size_of::<Event>(), size_of::<Recorded>());
    assert!(size_of::<Event>() <= 512, "{}", size_of::<Event>());
}

#[test]
fn a_trade_opened_of_schema_1_is_a_long_one_and_its_cost_is_its_value() {
    let body = r#"{"trade":"T1","account":"binance:main","instrument":"binance:spot:BTCUSDT","edge":"edge70","quantity":"2","price":"100","cost":"200.2"}"#;
    let opened = Event::decode("trade.opened", 1, body).unwrap();
    let Event::Trade(TradeEvent::Opened(e)) = &opened else { panic!("{opened:?}") };
    assert_eq!((e.direction, e.value.to_string()), (Direction::Long, "200.2".to_owned()));
    // Written again it is of today's schema, and the same event.
    assert_eq!(Event::decode("trade.opened", 2, &opened.body()), Ok(opened.clone()));
    let missing = Event::decode("trade.opened", 1, &body.replace("cost", "price")).unwrap_err().to_string();
    assert!(missing.contains("schema 1") && missing.contains("`cost`"), "{missing}");
}
