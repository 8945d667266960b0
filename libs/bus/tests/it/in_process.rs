//! Within a process: what a listener is told, and what it is not.

use crate::support::{TAPE, frames, number, row, rows};
use bus::{Batch, Bus, BusFault, CAPACITY, Hint, InProcess, IngestConsumer, IngestQueue, Subscription};
use events::Position;
use std::time::Duration;

/// Everything that is there now: positions, and `-n` for n hints that were lost.
fn heard(subscription: &mut Subscription) -> Vec<i64> {
    let hints = std::iter::from_fn(|| subscription.try_next());
    hints
        .map(|hint| match hint {
            Hint::Row(row) => row.position as i64,
            Hint::Missed(count) => -(count as i64),
            Hint::Latest { .. } => panic!("within a process nothing is attached"),
        })
        .collect()
}

#[test]
fn every_subscriber_hears_every_row_in_order() {
    let bus = Bus::in_process();
    let (mut one, mut other) = (bus.subscribe(TAPE), bus.clone().subscribe(TAPE));
    bus.publish(rows(1..=3));
    bus.publish([row(4)]);
    assert_eq!(heard(&mut one), [1, 2, 3, 4]);
    assert_eq!(heard(&mut other), [1, 2, 3, 4]);
}

#[test]
fn the_row_comes_whole() {
    let bus = Bus::in_process();
    let mut subscription = bus.subscribe(TAPE);
    bus.publish([row(7)]);
    assert_eq!(subscription.try_next(), Some(Hint::Row(row(7).into())));
}

#[test]
fn who_comes_late_hears_what_is_published_from_then_on() {
    let bus = Bus::in_process();
    bus.publish(rows(1..=3));
    let mut late = bus.subscribe(TAPE);
    assert!(heard(&mut late).is_empty());
    bus.publish([row(4)]);
    assert_eq!(heard(&mut late), [4]);
}

#[test]
fn a_slow_subscriber_loses_the_oldest_and_is_told_how_many_others_lose_nothing() {
    let bus = Bus::InProcess(InProcess::new(4));
    let (mut slow, mut quick) = (bus.subscribe(TAPE), bus.subscribe(TAPE));
    let mut kept_up = Vec::new();
    for position in 1..=10 {
        bus.publish([row(position)]);
        kept_up.extend(heard(&mut quick));
    }
    assert_eq!(heard(&mut slow), [-6, 7, 8, 9, 10]);
    assert_eq!(kept_up, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn the_usual_capacity_holds_that_many() {
    let bus = Bus::in_process();
    let mut subscription = bus.subscribe(TAPE);
    bus.publish(rows(1..=CAPACITY as Position));
    assert_eq!(heard(&mut subscription).len(), CAPACITY);
    bus.publish(rows(1..=CAPACITY as Position + 1));
    assert_eq!(heard(&mut subscription)[0], -1);
}

#[tokio::test]
async fn waiting_ends_with_a_hint_or_with_the_bus() {
    let bus = Bus::in_process();
    let mut subscription = bus.subscribe(TAPE);
    let publisher = tokio::spawn(async move {
        bus.publish([row(1)]);
        // The last clone of the bus goes with this task.
    });
    assert_eq!(subscription.next().await, Some(Hint::Row(row(1).into())));
    publisher.await.unwrap();
    assert_eq!(subscription.next().await, None);
}

const SOON: Duration = Duration::from_millis(1);

async fn batch(consumer: &mut IngestConsumer, max: usize) -> (Batch, Vec<u64>) {
    let batch = consumer.next_batch(max, SOON).await.unwrap();
    let numbers = batch.frames.iter().map(|frame| number(frame.as_ref().unwrap())).collect();
    (batch, numbers)
}

#[tokio::test]
async fn frames_come_in_order_until_they_are_acknowledged() {
    let bus = Bus::in_process();
    bus.ingest_publisher().publish(&frames(1..=5)).await.unwrap();
    let mut consumer = bus.ingest_consumer(IngestQueue::Ingest, 10);
    let (dropped, first) = batch(&mut consumer, 3).await;
    assert_eq!(first, [1, 2, 3]);
    drop(dropped);
    // A recorder that begins anew is given them again.
    let (held, again) = batch(&mut bus.ingest_consumer(IngestQueue::Ingest, 10), 3).await;
    assert_eq!(again, [1, 2, 3]);
    held.acknowledge().await.unwrap();
    let (held, rest) = batch(&mut consumer, 3).await;
    assert_eq!(rest, [4, 5]);
    held.acknowledge().await.unwrap();
}

#[tokio::test]
async fn a_recorder_that_does_not_keep_up_bounds_the_queue_and_no_frame_is_taken_by_halves() {
    let bus = Bus::in_process();
    let publisher = bus.ingest_publisher();
    let mut most = 0;
    let refused = loop {
        match publisher.publish(&frames(1..=1_000)).await {
            Ok(()) => most += 1_000,
            Err(fault) => break fault,
        }
    };
    assert_eq!(refused, BusFault::Full { waiting: most });
    let (all, numbers) = batch(&mut bus.ingest_consumer(IngestQueue::Ingest, 10), usize::MAX).await;
    assert_eq!(numbers.len(), most);
    all.acknowledge().await.unwrap();
    publisher.publish(&frames(1..=1_000)).await.unwrap();
}
