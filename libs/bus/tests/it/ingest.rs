//! Frames, from ingestors to the recorder.

use crate::support::{Beside, connect, drain, frame, frames, insist, number, until};
use bus::{BusFault, FrameKind, IngestFrame, IngestQueue};
use lapin::{BasicProperties, options::BasicPublishOptions};
use std::time::Duration;

const LINGER: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread")]
async fn frames_come_whole_in_batches_and_once_acknowledged_never_again() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let publisher = rabbit.ingest_publisher();
    let odd = IngestFrame {
        account: "binance:a.b".parse().unwrap(),
        replica: "ä b".to_owned(),
        stream: String::new(),
        content_type: "application/octet-stream".to_owned(),
        bytes: (0..=255).cycle().take(300_000).collect(),
        kind: FrameKind::Opened,
        ..frame(1)
    };
    insist(async || publisher.publish(&[odd.clone(), frame(2), frame(3)]).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    let batch = insist(async || consumer.next_batch(2, Duration::from_secs(5)).await).await;
    assert_eq!(batch.frames, [Ok(odd), Ok(frame(2))]);
    batch.acknowledge().await.unwrap();
    assert_eq!(drain(&mut consumer, 1).await, [3]);
    let empty = consumer.next_batch(10, LINGER).await.unwrap();
    assert!(empty.is_empty());
    empty.acknowledge().await.unwrap();
    drop(consumer);
    let beside = Beside::connect(&url).await;
    until("nothing is left", async || beside.facts("ingest").await == Some((0, 0))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_batch_comes_again_first_and_in_order() {
    let rabbit = connect(&testkit::rabbitmq());
    insist(async || rabbit.ingest_publisher().publish(&frames(1..=100)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 50);
    let batch = insist(async || consumer.next_batch(10, LINGER).await).await;
    assert_eq!(batch.frames.len(), 10);
    drop(batch);
    assert_eq!(drain(&mut consumer, 100).await, (1..=100).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_batch_stays_held_and_a_later_one_can_be_acknowledged_first() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    insist(async || rabbit.ingest_publisher().publish(&frames(1..=30)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 100);
    let held = insist(async || consumer.next_batch(10, LINGER).await).await;
    let later = consumer.next_batch(10, LINGER).await.unwrap();
    later.acknowledge().await.unwrap();
    let last = consumer.next_batch(10, LINGER).await.unwrap();
    assert_eq!(
        last.frames.iter().map(|f| number(f.as_ref().unwrap())).collect::<Vec<_>>(),
        (21..=30).collect::<Vec<_>>()
    );
    // The later one may not have taken the held one with it.
    drop(held);
    assert_eq!(last.acknowledge().await, Err(BusFault::Lost));
    let again = drain(&mut consumer, 30).await;
    assert_eq!(again, (1..=30).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_was_cancelled_loses_nothing() {
    let rabbit = connect(&testkit::rabbitmq());
    insist(async || rabbit.ingest_publisher().publish(&frames(1..=5)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 100);
    // It gathers what there is and lingers for more; that is when it is cancelled.
    let cancelled =
        tokio::time::timeout(Duration::from_secs(3), consumer.next_batch(10, Duration::from_secs(600))).await;
    assert!(cancelled.is_err(), "{cancelled:?}");
    assert_eq!(drain(&mut consumer, 5).await, [1, 2, 3, 4, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_consumer_gives_back_what_it_held_in_order() {
    let rabbit = connect(&testkit::rabbitmq());
    insist(async || rabbit.ingest_publisher().publish(&frames(1..=20)).await).await;
    let mut first = rabbit.ingest_consumer(IngestQueue::Ingest, 20);
    let batch = insist(async || first.next_batch(5, LINGER).await).await;
    drop((batch, first));
    let mut second = rabbit.ingest_consumer(IngestQueue::Ingest, 20);
    assert_eq!(drain(&mut second, 20).await, (1..=20).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_frame_says_why_with_its_bytes_and_can_be_acknowledged() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    insist(async || consumer.next_batch(1, LINGER).await).await;
    let channel = Beside::connect(&url).await.channel().await;
    let (options, bare) = (BasicPublishOptions::default(), BasicProperties::default());
    channel
        .basic_publish("ingest".into(), "by.hand".into(), options, b"?", bare)
        .await
        .unwrap()
        .await
        .unwrap();
    insist(async || rabbit.ingest_publisher().publish(&[frame(1)]).await).await;
    let batch = consumer.next_batch(2, Duration::from_secs(5)).await.unwrap();
    let malformed = batch.frames[0].as_ref().unwrap_err();
    assert_eq!((malformed.exchange.as_str(), malformed.routing_key.as_str()), ("ingest", "by.hand"));
    assert!(malformed.to_string().contains("account"), "{malformed}");
    assert_eq!(malformed.bytes, b"?");
    assert_eq!(batch.frames[1], Ok(frame(1)));
    batch.acknowledge().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_returned_too_often_lies_in_dead_and_is_drained_from_there() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    insist(async || rabbit.ingest_publisher().publish(&[frame(1)]).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    let beside = Beside::connect(&url).await;
    let mut deliveries = 0;
    until("it is dead", async || {
        let batch = insist(async || consumer.next_batch(10, Duration::ZERO).await).await;
        deliveries += batch.frames.len();
        drop(batch);
        beside.facts("dead").await.is_some_and(|(ready, _)| ready == 1)
    })
    .await;
    assert_eq!(deliveries, 21, "20 returns are allowed");
    let mut dead = rabbit.ingest_consumer(IngestQueue::Dead, 10);
    let batch = insist(async || dead.next_batch(10, LINGER).await).await;
    assert_eq!(batch.frames, [Ok(frame(1))]);
    drop(batch);
    // However often the recorder dies over it, it stays.
    for _ in 0..30 {
        let batch = insist(async || dead.next_batch(10, Duration::ZERO).await).await;
        assert_eq!(batch.frames, [Ok(frame(1))]);
    }
    assert_eq!(drain(&mut dead, 1).await, [1]);
}
