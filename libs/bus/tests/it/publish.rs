//! Publishing: confirmed, or a fault that says so.

use crate::support::{Beside, TAPE, connect, frame, frames, hash, insist, publish, rows};
use bus::{BusFault, IngestQueue, Rabbit};
use events::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn the_last_row_of_the_stream_is_known_if_it_is_this_tapes() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    assert_eq!(insist(async || publisher.last(TAPE).await).await, None, "an empty stream");
    publish(&mut publisher, 1..=2_000).await;
    assert_eq!(publisher.last(TAPE).await.unwrap(), Some((2_000, hash(2_000))));
    assert_eq!(publisher.last(Uuid::from_u128(1)).await.unwrap(), None, "another tape");
    publish(&mut publisher, 10..=12).await;
    assert_eq!(publisher.last(TAPE).await.unwrap(), Some((12, hash(12))), "the last, not the furthest");
    publisher.publish(Uuid::from_u128(1), hash(0), &rows(1..=1)).await.unwrap();
    assert_eq!(publisher.last(TAPE).await.unwrap(), None, "another tape's came after it");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_publish_is_published_without_a_fault() {
    let rabbit = connect(&testkit::rabbitmq());
    insist(async || rabbit.tape_publisher().publish(TAPE, hash(0), &[]).await).await;
    insist(async || rabbit.ingest_publisher().publish(&[]).await).await;
    assert_eq!(rabbit.status().published, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_queue_takes_is_kept_and_what_nothing_takes_is_returned_by_its_id() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let publisher = rabbit.ingest_publisher();
    insist(async || publisher.publish(&[frame(1)]).await).await;
    let beside = Beside::connect(&url).await;
    // Within the moments until the publisher looks again whether its queue is there.
    beside.delete("ingest").await;
    publisher.publish(&[frame(2)]).await.unwrap();
    assert_eq!(beside.facts("unroutable").await.map(|(ready, _)| ready), Some(1));
    beside.delete("unroutable").await;
    let BusFault::Returned { ids } = publisher.publish(&frames(3..=200)).await.unwrap_err() else {
        panic!("nothing takes them, and it was not said")
    };
    let sent: Vec<_> = frames(3..=200).iter().map(|frame| frame.message_id()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| sent.contains(id)), "{ids:?}");
    assert_eq!(rabbit.status().returned, ids.len() as u64);
    // The queues come back by themselves, and then it flows.
    insist(async || publisher.publish(&frames(3..=200)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 500);
    let drained = crate::support::drain(&mut consumer, 198).await;
    assert_eq!(drained, (3..=200).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_the_protocol_cannot_carry_is_named_and_the_next_one_goes() {
    let rabbit = connect(&testkit::rabbitmq());
    let publisher = rabbit.ingest_publisher();
    let mut unfit = frame(1);
    unfit.content_type = "x".repeat(256);
    let fault = insist(async || match publisher.publish(&[unfit.clone()]).await {
        Err(fault @ BusFault::Unfit { .. }) => Ok(fault),
        other => other.map(|()| panic!("it cannot have been sent")),
    })
    .await;
    assert!(fault.to_string().contains("content type"), "{fault}");
    publisher.publish(&[frame(2)]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_from_many_tasks_loses_nothing() {
    let rabbit = connect(&testkit::rabbitmq());
    let publisher = std::sync::Arc::new(rabbit.ingest_publisher());
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let publisher = publisher.clone();
            tokio::spawn(async move {
                let frames = frames(task * 100..=task * 100 + 99);
                while let Err(fault) = publisher.publish(&frames).await {
                    assert!(matches!(fault, BusFault::Away { .. }), "{fault}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 1_000);
    let mut drained = crate::support::drain(&mut consumer, 800).await;
    drained.sort_unstable();
    assert_eq!(drained, (0..800).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_bad_url_is_refused_at_once_and_a_good_one_connects_later() {
    let error = Rabbit::connect("redis://u:s3cret@h", "test").unwrap_err().to_string();
    assert!(error.contains("amqp://") && !error.contains("s3cret"), "{error}");
    let rabbit = connect("amqp://u:s3cret@127.0.0.1:1/x");
    let fault = rabbit.ingest_publisher().publish(&[frame(1)]).await.unwrap_err();
    let said = format!("{fault} {:?} {rabbit:?}", rabbit.status());
    assert!(matches!(fault, BusFault::Away { .. }), "{said}");
    assert!(!rabbit.status().connected);
    assert!(said.contains("refused") && !said.contains("s3cret"), "{said}");
}

#[test]
fn without_a_runtime_it_says_so() {
    let error = Rabbit::connect("amqp://h", "test").unwrap_err().to_string();
    assert!(error.contains("no tokio runtime"), "{error}");
}
