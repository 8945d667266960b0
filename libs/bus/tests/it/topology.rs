//! What is on the broker, and what `tapedeck topology` says of it.

use crate::support::{Beside, connect, frame, insist, until};
use bus::topology::{self, Findings, Problem};
use bus::{BusError, IngestQueue};
use lapin::{
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn applying_twice_makes_it_once_and_then_nothing_is_wrong() {
    let url = testkit::rabbitmq();
    let missing = topology::check(&url).await.unwrap();
    assert_eq!(missing.problems.len(), 8, "{missing}");
    assert!(missing.problems.iter().all(|p| matches!(p, Problem::Missing { .. })), "{missing}");
    let first = topology::apply(&url).await.unwrap();
    assert_eq!((first.made.len(), first.kept.len(), first.refused.len()), (12, 0, 0), "{first}");
    let second = topology::apply(&url).await.unwrap();
    assert_eq!((second.made.len(), second.kept.len(), second.refused.len()), (0, 12, 0), "{second}");
    assert_eq!(topology::check(&url).await.unwrap().problems, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_queue_another_argument_and_stranded_messages_are_found() {
    let url = testkit::rabbitmq();
    topology::apply(&url).await.unwrap();
    let beside = Beside::connect(&url).await;
    beside.delete("dead").await;
    beside.delete("tape").await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    beside.channel().await.queue_declare("tape".into(), durable, arguments).await.unwrap();
    let findings = topology::check(&url).await.unwrap();
    let said = findings.to_string();
    assert!(findings.problems.contains(&Problem::Missing { what: "queue 'dead'".into() }), "{said}");
    assert!(
        matches!(&findings.problems[1..], [Problem::Different { what, why }] if what == "queue 'tape'" && why.contains("inequivalent")),
        "{said}"
    );
    let applied = topology::apply(&url).await.unwrap();
    assert_eq!(applied.made, ["queue 'dead'", "binding of queue 'dead' to exchange 'dead'"], "{applied}");
    assert!(matches!(&applied.refused[..], [(what, _)] if what == "queue 'tape'"), "{applied}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_nobody_reads_are_found() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    insist(async || rabbit.ingest_publisher().publish(&[frame(1)]).await).await;
    let findings = topology::check(&url).await.unwrap();
    assert_eq!(findings.problems, [Problem::Unread { queue: "ingest", messages: 1 }]);
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 1);
    let batch = insist(async || consumer.next_batch(1, Duration::ZERO).await).await;
    let Findings { queues, problems } = topology::check(&url).await.unwrap();
    assert_eq!(problems, []);
    assert!(queues.iter().any(|queue| queue.name == "ingest" && queue.consumers == 1), "{queues:?}");
    drop(batch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_in_the_status_and_the_rest_works() {
    let url = testkit::rabbitmq();
    let beside = Beside::connect(&url).await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    beside.channel().await.queue_declare("dead".into(), durable, arguments).await.unwrap();
    let rabbit = connect(&url);
    insist(async || rabbit.ingest_publisher().publish(&[frame(1)]).await).await;
    let status = rabbit.status();
    assert!(status.connected);
    assert!(status.topology.as_deref().is_some_and(|why| why.contains("'dead'")), "{status:?}");
    beside.delete("dead").await;
    let publisher = rabbit.ingest_publisher();
    until("it is set right", async || {
        insist(async || publisher.publish(&[frame(2)]).await).await;
        rabbit.status().topology.is_none()
    })
    .await;
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named_without_secrets() {
    let error = topology::check("amqp://bert:s3cret@127.0.0.1:1/x").await.unwrap_err();
    assert!(matches!(error, BusError::Unreachable { .. }), "{error}");
    let said = format!("{error} {error:?}");
    assert!(said.contains("127.0.0.1:1/x") && !said.contains("s3cret"), "{said}");
}

#[test]
fn it_is_shown_as_text_and_as_definitions() {
    let text = topology::show();
    assert!(text.contains("x-delivery-limit=20") && !text.contains("=-"), "{text}");
    let json = topology::json();
    assert_eq!(json["queues"].as_array().map(Vec::len), Some(4));
    let ingest = json["queues"].as_array().unwrap().iter().find(|q| q["name"] == "ingest").unwrap();
    assert_eq!(ingest["arguments"]["x-dead-letter-strategy"], "at-least-once");
    assert_eq!(ingest["arguments"]["x-overflow"], "reject-publish");
}
