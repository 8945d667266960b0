//! The clock on a tape; which instants are due is tested where it is decided.

use crate::support::*;
use domain::Timestamp;
use event_logger::CLOCK;
use events::*;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tape::Tape;

fn now() -> Timestamp {
    Timestamp::from_micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64)
}

async fn said(tape: &Tape) -> Vec<(Timestamp, Timestamp)> {
    let rows = tape.of_kind(Kind::TimePassed).await.unwrap();
    rows.iter()
        .map(|row| match row.decode().unwrap().event {
            Event::Time(TimeEvent::Passed(e)) => (e.now, row.recorded_at),
            other => panic!("{other:?}"),
        })
        .collect()
}

async fn ask(tape: &Tape, at: Timestamp) {
    say(tape, &[WakeAsked { at }.into()]).await;
}

async fn has_said(tape: &Tape, at: Timestamp) -> bool {
    said(tape).await.iter().any(|(now, _)| *now == at)
}

#[tokio::test]
async fn an_instant_that_was_asked_for_is_said_not_before_and_soon_after() {
    let tape = memory().await;
    let clock = Running::clock(&tape, "build 1").await;
    until("the last whole minute is said", async || !said(&tape).await.is_empty()).await;
    let at = now() + Duration::from_millis(120);
    ask(&tape, at).await;
    until("it is said", async || has_said(&tape, at).await).await;
    clock.stop().await;
    let (_, recorded_at) = *said(&tape).await.iter().find(|(now, _)| *now == at).unwrap();
    assert!(recorded_at >= at, "{recorded_at} is before {at}");
    let cursors = tape.cursors().await.unwrap();
    let cursor = cursors.iter().find(|c| c.unit == unit(CLOCK)).unwrap();
    assert_eq!(cursor.position, tape.head().await.unwrap().position, "it has heard all, and says so");
}

#[tokio::test]
async fn two_clocks_that_take_turns_say_each_instant_once() {
    let tape = memory().await;
    let first = now();
    for turn in 0..6 {
        let clock = Running::clock(&tape, "build 1").await;
        let (soon, later) = (now() + Duration::from_millis(30), now() + Duration::from_millis(60));
        ask(&tape, later).await;
        ask(&tape, soon).await;
        until("the first is said", async || has_said(&tape, soon).await).await;
        if turn % 2 == 0 {
            clock.kill().await
        } else {
            clock.stop().await
        }
        // The second one comes due while nobody runs.
        let clock = Running::clock(&tape, "build 1").await;
        until("the second is said", async || has_said(&tape, later).await).await;
        clock.stop().await;
    }
    let said: Vec<Timestamp> = said(&tape).await.into_iter().map(|(now, _)| now).collect();
    let mut once = said.clone();
    once.sort();
    once.dedup();
    assert_eq!(said, once, "in order, and none twice");
    assert!(said.len() >= 13, "twelve that were asked for and a minute");
    assert!(said.iter().filter(|at| **at > first).count() >= 12);
}

#[tokio::test]
async fn two_clocks_at_once_say_each_instant_once() {
    let tape = memory().await;
    let one = Running::clock(&tape, "build 1").await;
    let at = now() + Duration::from_millis(50);
    ask(&tape, at).await;
    // The second takes over, and the first, which does not know, is told when it speaks.
    let two = Running::clock(&tape, "build 1").await;
    until("it is said", async || has_said(&tape, at).await).await;
    two.stop().await;
    drop(one);
    assert_eq!(said(&tape).await.iter().filter(|(now, _)| *now == at).count(), 1);
}

/// The database's clock stands still: an instant that was said too early is said again once it is there.
#[tokio::test]
async fn instants_are_judged_by_the_tapes_own_time() {
    let tape = memory().await;
    let Tape::Memory(memory) = &tape else { panic!("in memory") };
    // The first row came at this machine's time; from there on the tape's stands still.
    let behind = tape.head().await.unwrap().recorded_at;
    memory.set_clock(behind);
    let clock = Running::clock(&tape, "build 1").await;
    until("a minute is said", async || !said(&tape).await.is_empty()).await;
    let at = behind + Duration::from_millis(300);
    ask(&tape, at).await;
    until("somebody hears it", async || {
        let said = said(&tape).await;
        if said.iter().any(|(now, _)| *now >= at) {
            // The clock believed that it was time; now it is.
            memory.set_clock(at + Duration::from_secs(1));
        }
        said.iter().any(|(now, recorded_at)| *now >= at && *recorded_at >= at)
    })
    .await;
    clock.stop().await;
}

#[tokio::test]
async fn a_snapshot_of_this_build_is_gone_on_from_and_another_is_not() {
    let tape = memory().await;
    let at = now() + Duration::from_secs(3_600);
    ask(&tape, at).await;
    let clock = Running::clock(&tape, "build 1").await;
    until("a minute is said", async || !said(&tape).await.is_empty()).await;
    clock.stop().await;
    let snapshots = tape.snapshots(Position::MAX).await.unwrap();
    let own = snapshots.iter().find(|s| s.unit == unit(CLOCK)).unwrap();
    assert_eq!((own.tag.as_str(), own.position), ("build 1", tape.head().await.unwrap().position));
    let due: event_logger::clock::Due = serde_json::from_slice(&own.state).unwrap();
    assert_eq!(due.next(at), at, "what is asked for is in it");
    // Under another build the tape is read from its beginning, and says the same.
    let soon = now() + Duration::from_millis(30);
    let clock = Running::clock(&tape, "build 2").await;
    ask(&tape, soon).await;
    until("it is said", async || has_said(&tape, soon).await).await;
    clock.stop().await;
    let snapshots = tape.snapshots(Position::MAX).await.unwrap();
    let newest = snapshots.iter().find(|s| s.unit == unit(CLOCK)).unwrap();
    assert_eq!(newest.tag, "build 2");
    let due: event_logger::clock::Due = serde_json::from_slice(&newest.state).unwrap();
    assert_eq!(due.next(at), at);
}

#[tokio::test]
async fn on_a_market_clock_it_says_nothing() {
    let tape = opened(Tape::memory(), Clock::Market).await;
    ask(&tape, Timestamp::from_millis(1)).await;
    let clock = Running::clock(&tape, "build 1").await;
    clock.stop().await;
    assert_eq!(kinds(&tape).await, ["time.wake_asked"]);
}
