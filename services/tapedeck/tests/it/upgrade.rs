//! While an upgrade is rolled out: somebody newer has said an event in a newer schema.

use crate::{
    fleet::{
        Engine, Market, Plan, alone, load,
        look::{Eye, block},
    },
    fleets::{LONG, plan},
};
use domain::UnitName;
use events::{Draft, Kind, Uuid};
use std::time::Duration;
use tape::{Commit, CursorMove, Entry, LeaseError, OnConflict};

/// One of those that hear fills.
const HEARER: &str = "order-tracker";
const REPLICA: &str = "order-tracker-a";
const DAYS: u32 = 400;
const NEWER: u16 = 99;

#[test]
fn old_readers_turn_unready_at_a_newer_schema_and_a_newer_build_takes_over() {
    let _alone = alone();
    let speed = Market::days(DAYS).lasting(LONG);
    let mut engine = Engine::start(Plan { replicas: 1, speed, ..plan(DAYS) });
    engine.until("the market goes on", LONG, |engine| engine.is_trading());
    engine.until_ready(LONG);
    let eye = Eye::open_to_write(&engine.plan.store);
    let newer = say_newer(&eye);

    engine.until_one_says(REPLICA, 503, &format!("position {newer}"), LONG);
    engine.until_one_says(REPLICA, 503, "newer", LONG);
    // Whoever does not hear that kind goes on, and so does the bus.
    for unit in ["edge70-signals", "edge-signal-to-tas-bridge", event_logger::PUBLISHER] {
        engine.until(&format!("{unit} goes on"), LONG, |_| {
            eye.cursor(unit).is_some_and(|cursor| cursor.position >= newer)
        });
    }
    assert_eq!(engine.ready("edge-signals-a").0, 200);
    let stands = eye.cursor(HEARER).unwrap();
    assert!(stands.position < newer, "it has not gone beyond what it cannot read: {stands:?}");

    // The newer build: it gets the lease, because the old one lets go of it, and goes on.
    let (unit, tape) = (UnitName::new(HEARER).unwrap(), eye.tape());
    let taken = block(async move {
        let end = tokio::time::Instant::now() + LONG;
        loop {
            match tape.acquire(unit, "newer build", Duration::from_secs(60), false).await {
                Ok(cursor) => return cursor,
                Err(LeaseError::Held { .. }) if tokio::time::Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(other) => panic!("{other}"),
            }
        }
    });
    assert!(taken.position < newer, "nothing beyond it was answered: {taken:?}");
    let (tape, fence) = (eye.tape(), taken.fence);
    block(async move {
        let step = CursorMove { unit, fence, to: newer, reach: 0 };
        let commit = Commit { entries: Vec::new(), cursors: vec![step], on_conflict: OnConflict::Fail };
        tape.append(commit).await.unwrap();
    });
    // The old one says still what is wrong with it, and does not come between.
    engine.until_one_says(REPLICA, 503, "newer", LONG);
    let after = eye.cursor(HEARER).unwrap();
    assert_eq!((after.position, after.fence), (newer, fence));
    assert!(eye.after(newer).iter().all(|row| row.draft.source != unit), "it has said nothing since");
    engine.end();
}

/// Where it stands.
fn say_newer(eye: &Eye) -> u64 {
    let event = load::fill(1);
    assert_eq!(event.kind(), Kind::OrderFilled);
    let (tape, head) = (eye.tape(), eye.head());
    let source = UnitName::new("newer-build").unwrap();
    let mut draft = Draft::new(Uuid::from_u128(99), source, None, head.recorded_at, &event);
    draft.schema = NEWER;
    draft.body = r#"{"something":"else"}"#.to_owned();
    block(async move {
        let committed = tape.append(Commit::new(vec![Entry::market(draft, head.recorded_at)])).await.unwrap();
        committed.head.position
    })
}
