//! A tape that takes nothing for a while: here, a disk that is full.

use crate::{
    stage::{Backend, Stage, make, makes, until},
    toys::counter,
};
use events::Clock;
use runtime::distributed::{Count, Limits, UnitError, UnitPhase};
use std::time::Duration;
use tape::Tape;

async fn room(tape: &Tape, pages: u32) {
    let Tape::Sqlite(file) = tape else { panic!("only a file can be full") };
    file.limit("max_page_count", pages).await.unwrap();
}

/// A tape with candles on it, and hardly a page left for what is said about them.
async fn full() -> Stage {
    let mut stage = Stage::new(Backend::Sqlite, Clock::Wall).await;
    stage.limits.group = 4;
    stage.feed(1..=300).await;
    room(&stage.tape, 1).await;
    stage
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tape_without_room_cuts_units_off_and_they_go_on_once_there_is_some() {
    let stage = full().await;
    let units: Vec<_> = makes(1).iter().map(|make| stage.start(make, "a")).collect();
    let counter = &units[0];
    until("it is cut off", async || counter.trouble().is_some_and(|why| why.contains("room"))).await;
    until("it has tried again", async || counter.count(Count::Retries) > 3).await;
    assert!(!counter.status.phase().is_ready());
    room(&stage.tape, 1 << 20).await;
    stage.quiet(3).await;
    until("all run", async || units.iter().all(|unit| unit.is(&UnitPhase::Running))).await;
    stage.check(300, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_that_cannot_commit_stops_in_time_says_so_and_has_lost_nothing() {
    let mut stage = full().await;
    stage.limits.stop = Duration::from_millis(50);
    let make = make(|| counter(1));
    let cut_off = stage.start(&make, "a");
    until("it is cut off", async || cut_off.trouble().is_some()).await;
    let ended = cut_off.stop().await.unwrap_err();
    assert!(matches!(ended, UnitError::Overdue { .. }), "{ended}");
    room(&stage.tape, 1 << 20).await;
    stage.limits.stop = Limits::default().stop;
    let again = stage.start(&make, "a");
    stage.quiet(1).await;
    again.stop().await.unwrap();
    let said = stage.rows().await.iter().filter(|r| r.cause.is_some()).count();
    assert_eq!(said, 300);
    stage.verify(vec![counter(1)]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tape_that_is_closed_ends_the_replica() {
    let stage = Stage::new(Backend::Sqlite, Clock::Wall).await;
    let unit = stage.start(&make(|| counter(1)), "a");
    until("it runs", async || unit.is(&UnitPhase::Running)).await;
    stage.tape.close().await.unwrap();
    let ended = unit.ended().await.unwrap_err();
    assert_eq!(ended.to_string().split(':').next(), Some("counter"));
    assert!(ended.to_string().contains("is closed"), "{ended}");
}
