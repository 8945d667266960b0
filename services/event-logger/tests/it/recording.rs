//! Draining the queues, on a real broker.

use crate::support::*;
use bus::{FrameKind, IngestFrame, IngestQueue};
use domain::Timestamp;
use event_logger::{Part, UNIT, parse::PARSERS};
use events::*;
use runtime::distributed::Fault;
use std::time::Duration;
use tape::{Mode, Tape};

#[tokio::test(flavor = "multi_thread")]
async fn what_two_replicas_bring_is_recorded_once_and_the_queue_is_empty() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    let frames: Vec<IngestFrame> =
        (1..=300).flat_map(|n| [frame("a", &[fill(n)]), frame("b", &[fill(n)])]).collect();
    let opened = IngestFrame { kind: FrameKind::Opened, bytes: Vec::new(), ..raw("a", "", b"") };
    send(&rabbit, &[opened]).await;
    send(&rabbit, &frames).await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("all is recorded", async || recorder.counters.frames.get() == 601).await;
    assert_eq!((recorder.counters.recorded.get(), recorder.counters.duplicates.get()), (301, 300));
    recorder.stop().await;
    assert_eq!(waiting(&url, IngestQueue::Ingest).await, 0);

    let rows = rows(&tape).await;
    assert_eq!(rows[1].draft.kind, "stream.opened");
    let fills: Vec<Event> = rows[2..].iter().map(|row| row.decode().unwrap().event).collect();
    assert_eq!(fills, (1..=300).map(fill).collect::<Vec<_>>());
    assert_eq!(rows[2].draft.at, Timestamp::from_millis(1));
    assert_eq!(rows[2].draft.source, unit(UNIT));
    assert!(rows[2].draft.meta.as_ref().is_some_and(|meta| meta.starts_with(r#"{"replica":"a","frame":""#)));
    let kept = tape::Frame::new(Timestamp::ZERO, frames[0].bytes.clone());
    assert_eq!(tape.frame(&kept.hash).await.unwrap().map(|frame| frame.bytes), Some(kept.bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poisoned_frame_is_quarantined_once_and_the_queue_behind_it_flows() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    let poison = |replica| raw(replica, "text/fills", b"7\n8");
    send(&rabbit, &[poison("a"), frame("a", &[fill(1)]), poison("b"), frame("a", &[fill(2)])]).await;
    post(&url, "ingest", b"no frame at all").await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("all is recorded", async || recorder.counters.frames.get() == 5).await;
    assert_eq!((recorder.counters.quarantined.get(), recorder.counters.malformed.get()), (1, 1));
    recorder.stop().await;
    assert_eq!(waiting(&url, IngestQueue::Ingest).await, 0);
    assert_eq!(kinds(&tape).await, ["frame.quarantined", "order.filled", "order.filled"]);
    let stray = tape::Frame::new(Timestamp::ZERO, b"no frame at all".to_vec());
    assert!(tape.frame(&stray.hash).await.unwrap().is_some(), "its bytes are kept");
    assert_eq!(reread(&tape, MENDED, false).await.len(), 1);
    assert_eq!(
        kinds(&tape).await[3..],
        ["order.filled", "order.filled", "frame.reparsed"],
        "and it can be read after the parser is mended"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_is_kept_and_halts_the_account_once() {
    contradicted(memory().await).await;
}

/// The database compares letter by letter; that 1.5 and 1.50 are one figure is known here.
#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_is_kept_and_halts_the_account_once_on_postgres() {
    let tape = Tape::open(&testkit::postgres(), Mode::Write).await.unwrap();
    contradicted(opened(tape, Clock::Wall).await).await;
}

async fn contradicted(tape: Tape) {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let Event::Order(OrderEvent::Filled(other)) = fill(1) else { panic!("a fill") };
    let other = Event::from(OrderFilled { price: "43000".parse().unwrap(), ..other });
    let same = Event::from(match fill(1) {
        Event::Order(OrderEvent::Filled(e)) => OrderFilled { price: "42000.1".parse().unwrap(), ..e },
        _ => panic!("a fill"),
    });
    let batch = [frame("a", &[fill(1)]), frame("b", std::slice::from_ref(&other)), frame("c", &[same])];
    send(&rabbit, &batch).await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("all is recorded", async || recorder.counters.frames.get() == 3).await;
    send(&rabbit, &[frame("a", &[other])]).await;
    until("the copy, too", async || recorder.counters.frames.get() == 4).await;
    assert_eq!((recorder.counters.conflicts.get(), recorder.counters.duplicates.get()), (1, 1));
    recorder.stop().await;
    assert_eq!(
        kinds(&tape).await,
        ["order.filled", "tape.conflicted", "control.trading_state_changed"],
        "42000.1 and 42000.10 do not differ"
    );
    let halted = rows(&tape).await.pop().unwrap().decode().unwrap().event;
    let Event::Control(ControlEvent::TradingStateChanged(halted)) = halted else { panic!("{halted:?}") };
    assert_eq!((halted.account, halted.state), (Some(main_account()), TradingState::Halted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_is_killed_again_and_again_records_all_exactly_once() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    let frames: Vec<IngestFrame> = (1..=2_000).map(|n| frame("a", &[fill(n)])).collect();
    send(&rabbit, &frames).await;
    for kill in 1..=6 {
        let recorder = Running::drain(&tape, &rabbit).await;
        let before = tape.head().await.unwrap().position;
        until("it records on", async || tape.head().await.unwrap().position > before).await;
        recorder.kill().await;
        if tape.head().await.unwrap().position > 1_500 {
            println!("killed {kill} times");
            break;
        }
    }
    let recorder = Running::drain(&tape, &rabbit).await;
    until("all is recorded", async || tape.head().await.unwrap().position == 2_001).await;
    until("the queue is empty", async || waiting(&url, IngestQueue::Ingest).await == 0).await;
    recorder.stop().await;
    assert_eq!(tape.head().await.unwrap().position, 2_001);
}

/// Twenty returns bring a delivery into the dead letters; what was good is recorded from there.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_is_recorded_all_the_same() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    send(&rabbit, &[frame("a", &[fill(1)]), frame("a", &[fill(2)])]).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    until("they are dead letters", async || {
        let batch = consumer.next_batch(10, Duration::from_millis(20)).await;
        // Dropped without a word, as by a recorder that dies.
        drop(batch);
        waiting(&url, IngestQueue::Dead).await == 2
    })
    .await;
    drop(consumer);
    let recorder = Running::drain(&tape, &rabbit).await;
    until("they are recorded", async || recorder.counters.dead_frames.get() == 2).await;
    recorder.stop().await;
    assert_eq!(kinds(&tape).await, ["order.filled", "order.filled"]);
    assert_eq!(waiting(&url, IngestQueue::Dead).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_queue_took_is_recorded_too_and_rows_of_the_tape_among_it_are_passed_over() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    send(&rabbit, &[frame("a", &[fill(1)])]).await;
    post(&url, "unroutable", b"nobody knows").await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("both are taken", async || recorder.counters.frames.get() == 2).await;
    assert_eq!((recorder.counters.astray.get(), recorder.counters.malformed.get()), (1, 1));
    recorder.stop().await;
    assert_eq!(kinds(&tape).await, ["order.filled"]);
    assert_eq!(waiting(&url, IngestQueue::Unroutable).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zombie_records_nothing_and_is_told() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    let old = Running::lease(&tape, Part::Drain).await;
    let _new = Running::lease(&tape, Part::Drain).await;
    send(&rabbit, &[frame("a", &[fill(1)])]).await;
    let zombie = Running::drain_under(old, &rabbit, PARSERS);
    assert!(matches!(zombie.fault().await, Fault::Lost(_)));
    assert_eq!(kinds(&tape).await, [""; 0]);
    // What it held comes again.
    let recorder = Running::drain(&tape, &rabbit).await;
    until("it is recorded", async || recorder.counters.frames.get() == 1).await;
    recorder.stop().await;
    assert_eq!(kinds(&tape).await, ["order.filled"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_market_clock_frames_are_recorded_at_the_markets_time() {
    let (url, tape) = (testkit::rabbitmq(), Tape::memory());
    let tape = opened(tape, Clock::Market).await;
    let now = Timestamp::from_millis(5);
    let head = tape.head().await.unwrap().recorded_at;
    let rabbit = connect(&url);
    send(&rabbit, &[frame("a", &[fill(1)])]).await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("it is recorded", async || recorder.counters.frames.get() == 1).await;
    recorder.stop().await;
    let row = rows(&tape).await.pop().unwrap();
    assert_eq!((row.recorded_at, row.draft.kind.as_ref()), (head, "order.filled"));
    assert!(row.recorded_at > now);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recorder_has_no_cursor_of_its_own_to_move() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    let (_, lease) = Running::lease(&tape, Part::Drain).await;
    let to = 1;
    tape.append(tape::Commit { cursors: vec![lease.step(to)], ..Default::default() }).await.unwrap();
    send(&rabbit, &[frame("a", &[fill(1)])]).await;
    let recorder = Running::drain(&tape, &rabbit).await;
    until("it is recorded", async || recorder.counters.frames.get() == 1).await;
    recorder.stop().await;
    let cursors = tape.cursors().await.unwrap();
    assert_eq!(cursors.iter().find(|c| c.unit == unit(UNIT)).map(|c| c.position), Some(to));
}
