//! The database and the broker die and come back.

use crate::support::*;
use bus::{Bus, IngestFrame, IngestQueue};
use event_logger::Part;
use events::{Clock, Event, Position};
use runtime::distributed::{Count, Fault, leadership::Leadership, lease::Lease};
use tape::{Mode, Tape, verify};
use testkit::{Postgres, RabbitMq};
use tokio::task::block_in_place;

async fn postgres(server: &Postgres) -> (String, Tape) {
    let url = server.fresh_database();
    let tape = Tape::open(&url, Mode::Write).await.unwrap();
    (url, opened(tape, Clock::Wall).await)
}

/// The lease, once the database can give it.
async fn lease(tape: &Tape) -> (Leadership, Lease) {
    let (leadership, mut got) = (leadership(tape, Bus::in_process(), Part::Drain), None);
    until("the lease is had", async || {
        match Lease::claim(&leadership, true).await {
            Ok(lease) => got = lease,
            Err(Fault::Away(_)) => {}
            Err(other) => panic!("{other}"),
        }
        got.is_some()
    })
    .await;
    (leadership, got.unwrap())
}

/// Fills 1 to `last` are on the tape, each once, and the chain holds.
async fn complete(tape: &Tape, last: u64) {
    let fills: Vec<Event> = rows(tape).await.iter().skip(1).map(|row| row.decode().unwrap().event).collect();
    let mut numbers: Vec<String> = fills
        .iter()
        .map(|event| match event {
            Event::Order(events::OrderEvent::Filled(e)) => e.venue_trade.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    numbers.sort_by_key(|n| n.parse::<u64>().unwrap());
    assert_eq!(numbers, (1..=last).map(|n| n.to_string()).collect::<Vec<_>>());
    verify::verify_chain(tape, |_, _| ()).await.unwrap();
}

fn frames(numbers: std::ops::RangeInclusive<u64>) -> Vec<IngestFrame> {
    numbers.map(|n| frame("a", &[fill(n)])).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_deliveries_are_held_and_then_recorded_once() {
    let mut server = block_in_place(Postgres::start);
    let (_, tape) = postgres(&server).await;
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    send(&rabbit, &frames(1..=100)).await;
    let fence = lease(&tape).await;
    let recorder = Running::drain_under(fence.clone(), &rabbit, event_logger::parse::PARSERS);
    until("it runs", async || recorder.counters.frames.get() == 100).await;
    for round in 1..=2_u64 {
        block_in_place(|| server.kill());
        send(&rabbit, &frames(round * 100 + 1..=round * 100 + 100)).await;
        until("it says so", async || recorder.why().is_some()).await;
        block_in_place(|| server.start_again());
        until("it catches up", async || recorder.counters.frames.get() == round * 100 + 100).await;
        assert_eq!(recorder.why(), None);
    }
    assert_eq!(recorder.counters.returned.get(), 0, "nothing was given back");
    recorder.stop().await;
    assert_eq!(waiting(&url, IngestQueue::Ingest).await, 0);
    complete(&tape, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recorders_that_start_again_and_again_without_a_database_give_nothing_up() {
    let mut server = block_in_place(Postgres::start);
    let (_, tape) = postgres(&server).await;
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let fence = lease(&tape).await;
    send(&rabbit, &frames(1..=50)).await;
    block_in_place(|| server.kill());
    for _ in 0..25 {
        let recorder = Running::drain_under(fence.clone(), &rabbit, event_logger::parse::PARSERS);
        until("it has tried", async || recorder.status.count(Count::Retries) > 0).await;
        recorder.kill().await;
    }
    block_in_place(|| server.start_again());
    assert_eq!(waiting(&url, IngestQueue::Ingest).await, 50, "none of them was touched");
    let recorder = Running::drain_under(lease(&tape).await, &rabbit, event_logger::parse::PARSERS);
    until("all is recorded", async || recorder.counters.frames.get() == 50).await;
    recorder.stop().await;
    complete(&tape, 50).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_loses_nothing_of_either_flow() {
    let mut server = block_in_place(RabbitMq::start);
    let url = block_in_place(|| server.fresh_vhost());
    let tape = memory().await;
    let rabbit = connect(&url);
    let recorder = Running::drain(&tape, &rabbit).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    // A node that is killed in the very moment in which it makes a queue may never lead it again.
    send(&rabbit, &frames(1..=100)).await;
    until("both flow", async || publisher.counters.published_to.get() == 101).await;
    let mut head: Position = 101;
    for round in 0..2_u64 {
        send(&rabbit, &frames(round * 200 + 101..=round * 200 + 200)).await;
        block_in_place(|| server.kill());
        // The tape goes on meanwhile, and both say what is the matter.
        until("the recorder says so", async || recorder.why().is_some()).await;
        block_in_place(|| server.start_again());
        send(&rabbit, &frames(round * 200 + 201..=round * 200 + 300)).await;
        head += 200;
        until("all is recorded", async || tape.head().await.unwrap().position == head).await;
        until("and published", async || publisher.counters.published_to.get() == head).await;
        until("and both are well", async || recorder.why().is_none() && publisher.why().is_none()).await;
    }
    until("the queue is empty", async || waiting(&url, IngestQueue::Ingest).await == 0).await;
    recorder.stop().await;
    publisher.stop().await;
    complete(&tape, 500).await;
    let mut positions = stream(&url, head, 1).await;
    println!("{} messages for {head} rows", positions.len());
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions, (1..=head).collect::<Vec<_>>());
}
