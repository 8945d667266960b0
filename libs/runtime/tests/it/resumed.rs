//! Stopping and starting again.

use crate::stage::{
    BACKENDS, BUILD, Backend, Elsewhere, LONG, Running, Stage, TAPE, make, makes, now, until,
};
use crate::toys::{candle, counter, gate, unit};
use domain::Timestamp;
use events::{CandleEvent, Clock, Draft, Event, Kind, UnitStarted, ids};
use runtime::distributed::{Count, Replica, UnitPhase};
use tape::{Commit, CursorMove, Entry};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_saves_cursor_and_snapshot_and_nothing_is_handled_twice() {
    for backend in BACKENDS {
        let mut stage = Stage::new(backend, Clock::Wall).await;
        stage.limits.snapshot_every = 1_000_000;
        let first: Vec<Running> = makes(2).iter().map(|make| stage.start(make, "a")).collect();
        stage.feed(1..=50).await;
        stage.quiet(3).await;
        let handled: u64 = first.iter().map(|unit| unit.count(Count::Handled)).sum();
        assert_eq!(handled, 50 + (25 + 25 + 1) + 25, "candles; counts, own wakes and own start; wakes");
        for unit in first {
            unit.stop().await.unwrap();
        }
        let head = stage.head().await;
        for cursor in stage.tape.cursors().await.unwrap() {
            assert_eq!((cursor.position, cursor.owner), (head, None), "{}", cursor.unit);
        }
        let snapshots = stage.tape.snapshots(u64::MAX).await.unwrap();
        assert_eq!(snapshots.iter().map(|s| s.position).collect::<Vec<_>>(), [head; 3]);

        let second: Vec<Running> = makes(2).iter().map(|make| stage.start(make, "b")).collect();
        until("all run", async || second.iter().all(|unit| unit.is(&UnitPhase::Running))).await;
        assert_eq!(stage.head().await, head, "starting again says nothing");
        assert_eq!(second.iter().map(|unit| unit.count(Count::Handled)).sum::<u64>(), 0);
        stage.feed(51..=60).await;
        stage.quiet(3).await;
        stage.check(60, 2).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_where_a_start_begins() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let make = make(|| counter(1));
    let first = stage.start(&make, "a");
    stage.feed(1..=10).await;
    stage.quiet(1).await;
    first.stop().await.unwrap();
    // Tampered with, to see that it is used.
    let mut snapshot = stage.tape.snapshots(u64::MAX).await.unwrap().remove(0);
    let state = String::from_utf8(snapshot.state).unwrap();
    snapshot.state = state.replace("\"candles\":10", "\"candles\":1000").into_bytes();
    stage.tape.save_snapshot(snapshot).await.unwrap();
    let second = stage.start(&make, "a");
    stage.feed([11]).await;
    stage.quiet(1).await;
    drop(second);
    let last = stage.rows().await.pop().unwrap();
    let Event::Candle(CandleEvent::Missing(said)) = last.event else { panic!("{last:?}") };
    assert_eq!(said.count, 1_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshots_are_written_while_it_runs() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let unit = stage.start(&make(|| counter(1)), "a");
    stage.feed(1..=100).await;
    stage.quiet(1).await;
    assert!(unit.count(Count::Snapshots) >= 2);
    let newest = stage.tape.snapshots(u64::MAX).await.unwrap().remove(0);
    assert!(newest.position <= stage.cursor("counter").await.position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_configuration_or_build_is_said_first_and_verified_so() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let mut fed = 0;
    for (every, build) in [(3, BUILD), (3, BUILD), (2, BUILD), (2, "2"), (2, BUILD)] {
        let replica = stage.replica(&make(move || counter(every)), "a");
        let unit = Running::new(Replica { build: build.to_owned(), ..replica });
        stage.feed(fed + 1..=fed + 7).await;
        fed += 7;
        stage.quiet(1).await;
        unit.stop().await.unwrap();
    }
    let started = stage.tape.of_kind(Kind::UnitStarted).await.unwrap();
    let said: Vec<String> = started
        .iter()
        .map(|row| match row.decode().unwrap().event {
            Event::Unit(events::UnitEvent::Started(UnitStarted { build, config, .. })) => {
                format!("build {build} every {config}")
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(said, ["build 1 every 3", "build 1 every 2", "build 2 every 2", "build 1 every 2"]);
    stage.verify(vec![counter(2)]).await;
}

/// The reach on the tape is too small: the replica died between a commit that went farther than it
/// could know, and the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_far_behind_its_cause_is_found() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let make = make(|| counter(1));
    let first = stage.start(&make, "a");
    stage.quiet(1).await;
    first.kill().await;
    stage.feed(1..=2_000).await;
    // By hand, what the replica would have committed: answers to the first two candles.
    let cursor = stage.tape.acquire(unit("counter"), "a", stage.lease, true).await.unwrap();
    let mut core = counter(1);
    let mut entries = Vec::new();
    let rows = stage.rows().await;
    for heard in rows.iter().filter(|r| r.source == unit("feed")).take(2) {
        let mut said = Vec::new();
        core.handle(heard, &mut said);
        let id = ids::said(heard.id, "counter", 0);
        let draft = Draft::new(id, unit("counter"), Some(heard.id), heard.recorded_at, &said[0]);
        entries.push(Entry::wall(draft));
    }
    let step = CursorMove { unit: unit("counter"), fence: cursor.fence, to: core.cursor(), reach: 0 };
    let commit = Commit { entries, cursors: vec![step], ..Commit::default() };
    stage.tape.append(commit).await.unwrap();

    let second = stage.start(&make, "a");
    stage.quiet(1).await;
    drop(second);
    let rows = stage.rows().await;
    let answers: Vec<(u64, i64)> = rows
        .iter()
        .filter_map(|row| match &row.event {
            Event::Candle(CandleEvent::Missing(said)) => Some((said.count, said.until.millis())),
            _ => None,
        })
        .collect();
    assert_eq!(answers, (1..=2_000).map(|n| (n, n as i64 - 1)).collect::<Vec<_>>());
    stage.verify(vec![counter(1)]).await;
}

/// More came between the look at the tape's end and the commit than was allowed for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_went_farther_than_was_known_is_followed_by_its_reach() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    // No later commit is to tell it by the way.
    stage.limits.save = LONG;
    stage.limits.snapshot_every = 1_000_000;
    let every = 2_001;
    let gate = gate::close(every, every);
    let unit = Elsewhere::start(stage.replica(&make(move || counter(every)), "a"));
    until("it runs", async || unit.status.phase() == UnitPhase::Running).await;
    stage.feed(1..=every).await;
    until("it is in the middle of the last candle", async || gate.is_reached()).await;
    stage.feed(every + 1..=every + 900).await;
    gate.open();
    until("it is on the tape", async || stage.cursor("counter").await.reach >= 900).await;
    unit.stop();
    stage.verify(vec![counter(every)]).await;
}

/// What was said in answer to nothing on the tape cannot be put into any state.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_its_cause_is_damage() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.feed([1]).await;
    let nobody = Some(ids::fact(TAPE, "nothing", "1"));
    let stray =
        Draft::new(ids::fact(TAPE, "stray", "1"), unit("counter"), nobody, Timestamp::ZERO, &candle(5));
    stage.append(vec![stray], now(1)).await;
    let unit = stage.start(&make(|| counter(1)), "a");
    until("it is cut off", async || unit.trouble().is_some_and(|why| why.contains("position 3"))).await;
    unit.stop().await.unwrap();
}
