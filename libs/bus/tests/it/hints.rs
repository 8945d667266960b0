//! The stream `tape`, as listeners hear it.

use crate::support::{
    Beside, LONG, TAPE, attach, connect, hash, hear_up_to, hint, latest, listen, publish, row, rows, until,
};
use bus::{Bus, Hint};
use events::{Position, Uuid};
use lapin::{BasicProperties, options::BasicPublishOptions};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_whole_in_order_and_after_an_attach_from_the_last_ones_on() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    publish(&mut publisher, 1..=3).await;
    let mut subscription = listen(&rabbit);
    assert_eq!(hint(&mut subscription).await, Hint::Missed(0), "at first: look at the tape");
    assert_eq!(latest(&mut subscription).await, (3, hash(3)));
    publish(&mut publisher, 4..=600).await;
    let heard = hear_up_to(&mut subscription, 600).await;
    assert_eq!(heard, (4..=600).collect::<Vec<Position>>());
    let mut whole = row(601);
    whole.draft.cause = Some(Uuid::from_u128(9));
    whole.draft.trade = Some("a trade".to_owned());
    whole.draft.meta = Some("{\"replica\":\"ä\"}".to_owned());
    publisher.publish(TAPE, hash(600), &[whole.clone()]).await.unwrap();
    assert_eq!(hint(&mut subscription).await, Hint::Row(whole.into()));
    assert_eq!(rabbit.status().confirmed, 601);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_a_kind_that_only_a_newer_build_knows_comes_through() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    let mut newer = row(1);
    newer.draft.kind = "order.teleported".into();
    newer.draft.schema = 7;
    let mut subscription = listen(&rabbit);
    attach(&mut publisher, &mut subscription, 1).await;
    publisher.publish(TAPE, hash(0), &[newer.clone()]).await.unwrap();
    until("it came", async || hint(&mut subscription).await == Hint::Row(newer.clone().into())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tapes_rows_and_what_is_no_row_are_dropped_and_counted() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let mut publisher = rabbit.tape_publisher();
    let mut subscription = listen(&rabbit);
    attach(&mut publisher, &mut subscription, 1).await;
    publisher.publish(Uuid::from_u128(1), hash(0), &rows(1..=5)).await.unwrap();
    let mut headers = lapin::types::FieldTable::default();
    headers.insert("tape".into(), lapin::types::AMQPValue::LongString(TAPE.to_string().into()));
    let nonsense = BasicProperties::default().with_headers(headers);
    let beside = Beside::connect(&url).await;
    let channel = beside.channel().await;
    let options = BasicPublishOptions::default();
    channel
        .basic_publish("tape".into(), "x".into(), options, b"no row", nonsense)
        .await
        .unwrap()
        .await
        .unwrap();
    publish(&mut publisher, 6..=6).await;
    let end = hear_up_to(&mut subscription, 6).await;
    assert_eq!(end, [6]);
    until("it is counted", async || rabbit.status().malformed == 1).await;
    assert_eq!(rabbit.status().foreign, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_again_comes_again() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    publish(&mut publisher, 1..=5).await;
    publish(&mut publisher, 3..=5).await;
    let mut subscription = listen(&rabbit);
    publish(&mut publisher, 2..=2).await;
    let heard = hear_up_to(&mut subscription, 2).await;
    assert!(heard.ends_with(&[2]), "{heard:?}");
    publish(&mut publisher, 3..=6).await;
    assert_eq!(hear_up_to(&mut subscription, 6).await, [3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_later_is_told_the_furthest_row_though_older_ones_came_after_it() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    let mut subscription = listen(&rabbit);
    attach(&mut publisher, &mut subscription, 1).await;
    publish(&mut publisher, 2..=5).await;
    publish(&mut publisher, 2..=3).await;
    hear_up_to(&mut subscription, 5).await;
    assert_eq!(hear_up_to(&mut subscription, 3).await, [2, 3]);
    let mut late = listen(&rabbit);
    assert_eq!(latest(&mut late).await, (5, hash(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_listener_loses_the_oldest_is_told_and_holds_up_nobody() {
    let rabbit = connect(&testkit::rabbitmq());
    let mut publisher = rabbit.tape_publisher();
    let (mut slow, mut quick) = (listen(&rabbit), listen(&rabbit));
    attach(&mut publisher, &mut quick, 1).await;
    let count = 6_000;
    let (_, heard) = tokio::join!(publish(&mut publisher, 2..=count), hear_up_to(&mut quick, count));
    assert_eq!(heard.len() as u64, count - 1);
    let (mut missed, mut came) = (0, Vec::new());
    while let Some(hint) = slow.try_next() {
        match hint {
            Hint::Missed(n) => missed += n,
            Hint::Row(row) => came.push(row.position),
            Hint::Latest { .. } => {}
        }
    }
    assert!(missed >= 1_900, "{missed} were missed");
    assert_eq!(came.last(), Some(&count));
    assert!(came.is_sorted());
    assert!(rabbit.status().overflowed >= 1_900);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_of_one_process_share_one_reader_of_the_stream() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let mut publisher = rabbit.tape_publisher();
    let mut listeners: Vec<_> = (0..5).map(|_| listen(&rabbit)).collect();
    attach(&mut publisher, &mut listeners[0], 1).await;
    let before = rabbit.status().received;
    publish(&mut publisher, 2..=3).await;
    for listener in &mut listeners {
        assert!(hear_up_to(listener, 3).await.ends_with(&[2, 3]));
    }
    assert_eq!(rabbit.status().received, before + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_bus_says_so_and_nothing_connects_anew() {
    let rabbit = connect(&testkit::rabbitmq());
    let bus = Bus::Rabbit(rabbit.clone());
    let mut subscription = listen(&rabbit);
    attach(&mut rabbit.tape_publisher(), &mut subscription, 1).await;
    assert!(bus.status().connected);
    timeout(Duration::from_secs(10), rabbit.close()).await.expect("closing takes no longer");
    let rest = timeout(LONG, async { while subscription.next().await.is_some() {} }).await;
    assert!(rest.is_ok(), "the listener is told");
    let status = bus.status();
    assert!(!status.connected);
    assert_eq!(status.why.as_deref(), Some("it was closed"));
    let fault = rabbit.tape_publisher().publish(TAPE, hash(1), &rows(2..=2)).await.unwrap_err();
    assert!(fault.to_string().contains("closed"), "{fault}");
}
