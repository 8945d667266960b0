//! What must not stop or lose anything: kills, stalls, alarms, deletions, errors on a channel.
//! Nodes of their own, because these faults hit everybody on them.

use crate::support::{
    Beside, LONG, TAPE, attach, connect, drain, frame, frames, hash, hint, insist, listen, number, publish,
    rows, until,
};
use bus::{Bus, BusFault, Hint, IngestQueue, Rabbit, Subscription};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use testkit::{Fault, Proxy, RabbitMq};

const LINGER: Duration = Duration::from_millis(5);

/// Frames are published and drained all the while; what was confirmed must have come.
struct Load {
    stop: Arc<AtomicBool>,
    publishing: tokio::task::JoinHandle<u64>,
    draining: tokio::task::JoinHandle<BTreeSet<u64>>,
}

impl Load {
    fn start(rabbit: &Rabbit) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let publisher = rabbit.ingest_publisher();
        let stopped = stop.clone();
        let publishing = tokio::spawn(async move {
            let mut confirmed = 0;
            while !stopped.load(Ordering::Relaxed) {
                let window = frames(confirmed + 1..=confirmed + 20);
                match publisher.publish(&window).await {
                    Ok(()) => confirmed += 20,
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
            confirmed
        });
        let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 200);
        let stopped = stop.clone();
        let draining = tokio::spawn(async move {
            let mut seen = BTreeSet::new();
            loop {
                match consumer.next_batch(100, LINGER).await {
                    Ok(batch) if batch.is_empty() && stopped.load(Ordering::Relaxed) => return seen,
                    Ok(batch) => {
                        seen.extend(batch.frames.iter().map(|frame| number(frame.as_ref().unwrap())));
                        let _redelivered_if_lost = batch.acknowledge().await;
                    }
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Self { stop, publishing, draining }
    }

    /// RabbitMQ 3.10 writes down where a new quorum queue or stream lies half a second after the last
    /// one was made; killed before that, it never finds it again.
    async fn settles(rabbit: &Rabbit) {
        let began = Instant::now();
        until("the queues are on disk", async || began.elapsed() > Duration::from_secs(3)).await;
        Self::flows(rabbit, 1).await;
    }

    /// Waits until `count` more were confirmed than now.
    async fn flows(rabbit: &Rabbit, count: u64) {
        let from = rabbit.status().confirmed;
        until("frames flow", async || rabbit.status().confirmed >= from + count).await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let confirmed = self.publishing.await.unwrap();
        let seen = self.draining.await.unwrap();
        let lost: Vec<u64> = (1..=confirmed).filter(|n| !seen.contains(n)).collect();
        assert!(confirmed > 0 && lost.is_empty(), "of {confirmed} confirmed were lost: {lost:?}");
    }
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(act).await.unwrap()
}

async fn broker() -> RabbitMq {
    blocking(RabbitMq::start).await
}

/// Hears of every position up to `last`, by its row or by being told to look.
async fn told_of(subscription: &mut Subscription, last: u64) {
    loop {
        match hint(subscription).await {
            Hint::Row(row) if row.position == last => return,
            Hint::Row(_) | Hint::Missed(_) | Hint::Latest { .. } => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_twice_under_load_loses_nothing_that_was_confirmed() {
    let mut server = broker().await;
    let url = server.fresh_vhost();
    let rabbit = connect(&url);
    let mut subscription = listen(&rabbit);
    let mut publisher = rabbit.tape_publisher();
    let load = Load::start(&rabbit);
    attach(&mut publisher, &mut subscription, 50).await;
    Load::settles(&rabbit).await;
    for round in 1..=2_u64 {
        Load::flows(&rabbit, 500).await;
        server = blocking(move || {
            server.kill();
            server.start_again();
            server
        })
        .await;
        Load::flows(&rabbit, 500).await;
        let next = round * 50 + 1;
        publish(&mut publisher, next..=next + 49).await;
        told_of(&mut subscription, next + 49).await;
    }
    load.end().await;
    let status = rabbit.status();
    assert!(status.connected && status.reconnects >= 4, "two connections, twice: {status:?}");
    let beside = Beside::connect(&url).await;
    let (ready, consumers) = beside.facts("ingest").await.unwrap();
    assert_eq!((ready, consumers), (0, 0), "drained, and its consumer is gone");
    assert_eq!(beside.facts("dead").await, Some((0, 0)));
    assert_eq!(beside.facts("unroutable").await, Some((0, 0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_alarm_blocks_publishers_with_a_fault_and_lets_readers_go_on() {
    let server = Arc::new(broker().await);
    let rabbit = connect(&server.fresh_vhost());
    let publisher = rabbit.ingest_publisher();
    insist(async || publisher.publish(&frames(1..=20)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    let held = insist(async || consumer.next_batch(5, LINGER).await).await;
    let ctl = |arguments: &'static [&'static str]| {
        let server = server.clone();
        blocking(move || server.ctl(arguments))
    };
    ctl(&["set_vm_memory_high_watermark", "0.00001"]).await;
    // The broker says it at the first message that it would have to keep.
    let mut sent = 20;
    until("publishers are told", async || {
        let asked = Instant::now();
        let answer = publisher.publish(&[frame(sent + 1)]).await;
        assert!(asked.elapsed() < Duration::from_secs(13), "an answer in time, not {:?}", asked.elapsed());
        sent += u64::from(answer.is_ok());
        matches!(answer, Err(BusFault::Blocked { .. }))
    })
    .await;
    let status = rabbit.status();
    assert!(status.blocked && status.connected, "{status:?}");
    assert!(status.why.is_some_and(|why| why.contains("memory")), "the broker's reason");
    // Acknowledgements travel on the other connection.
    held.acknowledge().await.unwrap();
    let rest = drain(&mut consumer, 15).await;
    assert_eq!(rest, (6..=20).collect::<Vec<_>>());
    ctl(&["set_vm_memory_high_watermark", "0.4"]).await;
    insist(async || publisher.publish(&[frame(1_000)]).await).await;
    until("the last one came", async || drain(&mut consumer, 1).await == [1_000]).await;
    let status = rabbit.status();
    assert!(!status.blocked && status.reconnects == 0, "nothing was torn down over it: {status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_deleted_under_their_readers_come_back_and_flow() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let publisher = rabbit.ingest_publisher();
    let mut rows_out = rabbit.tape_publisher();
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    let mut subscription = listen(&rabbit);
    insist(async || publisher.publish(&[frame(1)]).await).await;
    assert_eq!(drain(&mut consumer, 1).await, [1]);
    attach(&mut rows_out, &mut subscription, 1).await;
    let beside = Beside::connect(&url).await;
    for queue in ["ingest", "tape"] {
        beside.delete(queue).await;
    }
    // Nobody publishes: the readers notice by themselves.
    until("the queue is there and read", async || {
        let _fault_or_empty = consumer.next_batch(1, LINGER).await;
        beside.facts("ingest").await == Some((0, 1))
    })
    .await;
    until("the stream is there", async || beside.facts("tape").await.is_some()).await;
    publisher.publish(&[frame(2)]).await.unwrap();
    assert_eq!(drain(&mut consumer, 1).await, [2]);
    attach(&mut rows_out, &mut subscription, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_came_while_their_queue_was_away_are_found_in_unroutable() {
    let url = testkit::rabbitmq();
    let rabbit = connect(&url);
    let publisher = rabbit.ingest_publisher();
    insist(async || publisher.publish(&[frame(1)]).await).await;
    Beside::connect(&url).await.delete("ingest").await;
    publisher.publish(&[frame(2)]).await.unwrap();
    let mut stranded = rabbit.ingest_consumer(IngestQueue::Unroutable, 10);
    assert_eq!(drain(&mut stranded, 1).await, [2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_broker_closes_are_replaced() {
    let server = broker().await;
    let url = server.fresh_vhost();
    let rabbit = connect(&url);
    let load = Load::start(&rabbit);
    let mut subscription = listen(&rabbit);
    let mut rows_out = rabbit.tape_publisher();
    attach(&mut rows_out, &mut subscription, 1).await;
    Load::flows(&rabbit, 100).await;
    let server = Arc::new(server);
    let closer = server.clone();
    blocking(move || closer.ctl(&["close_all_connections", "--global", "injected"])).await;
    Load::flows(&rabbit, 500).await;
    publish(&mut rows_out, 2..=2).await;
    told_of(&mut subscription, 2).await;
    load.end().await;
    assert!(rabbit.status().reconnects >= 2);
}

/// The broker closes a channel with 406: here because a delivery was held longer than it allows.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_the_broker_closes_is_replaced_and_its_batch_comes_again() {
    let server = Arc::new(broker().await);
    let ctl = |setting: &'static str| {
        let server = server.clone();
        blocking(move || server.ctl(&["eval", &format!("application:set_env(rabbit, {setting}).")]))
    };
    ctl("channel_tick_interval, 100").await;
    ctl("consumer_timeout, 500").await;
    let rabbit = connect(&server.fresh_vhost());
    insist(async || rabbit.ingest_publisher().publish(&frames(1..=3)).await).await;
    let mut consumer = rabbit.ingest_consumer(IngestQueue::Ingest, 10);
    let held = insist(async || consumer.next_batch(3, LINGER * 100).await).await;
    assert_eq!(held.frames.len(), 3);
    let mut again = insist(async || consumer.next_batch(3, LINGER).await).await;
    while again.is_empty() {
        again = insist(async || consumer.next_batch(3, LINGER).await).await;
    }
    assert_eq!(again.frames, held.frames);
    assert_eq!(held.acknowledge().await, Err(BusFault::Lost));
    again.acknowledge().await.unwrap();
    assert_eq!(rabbit.status().reconnects, 0, "a channel is no reason to give up a connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_open_connection_is_noticed_and_replaced() {
    let server = broker().await;
    let url = server.fresh_vhost();
    let proxy = Proxy::start(server.address());
    let through = url.replace(&server.address().to_string(), &proxy.address().to_string());
    let rabbit = connect(&through);
    let mut subscription = listen(&rabbit);
    let mut rows_out = rabbit.tape_publisher();
    let load = Load::start(&rabbit);
    attach(&mut rows_out, &mut subscription, 1).await;
    Load::flows(&rabbit, 100).await;
    proxy.set(Fault::HalfOpen);
    let began = Instant::now();
    until("it is noticed", async || !rabbit.status().connected).await;
    assert!(began.elapsed() < Duration::from_secs(25), "twice the heartbeat, not {:?}", began.elapsed());
    let fault = rows_out.publish(TAPE, hash(1), &rows(2..=2)).await.unwrap_err();
    assert!(matches!(fault, BusFault::Away { .. } | BusFault::TimedOut { .. }), "{fault}");
    proxy.set(Fault::None);
    Load::flows(&rabbit, 500).await;
    publish(&mut rows_out, 2..=2).await;
    told_of(&mut subscription, 2).await;
    for fault in [Fault::Reset, Fault::CutAfter(3_000), Fault::Delay(Duration::from_millis(20))] {
        proxy.set(fault);
        // A cut or a reset is there, then it is mended.
        tokio::task::yield_now().await;
        proxy.set(Fault::None);
        Load::flows(&rabbit, 200).await;
    }
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_that_is_never_answered_leaves_no_thread_behind() {
    let server = broker().await;
    let proxy = Proxy::start(server.address());
    let through = server.fresh_vhost().replace(&server.address().to_string(), &proxy.address().to_string());
    proxy.set(Fault::HalfOpen);
    let rabbit = connect(&through);
    let publisher = rabbit.ingest_publisher();
    let mut faults = 0;
    until("it was tried a few times", async || {
        faults += u32::from(publisher.publish(&[frame(1)]).await.is_err());
        rabbit.status().why.is_some_and(|why| why.contains("logging in")) && faults >= 10
    })
    .await;
    until("threads of given-up greetings ended", async || io_threads() <= 1).await;
    proxy.set(Fault::None);
    insist(async || publisher.publish(&[frame(1)]).await).await;
}

/// This process' threads that lapin runs, as /proc shows them.
fn io_threads() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let names = threads.filter_map(|t| std::fs::read_to_string(t.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim() == "lapin-io-loop").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_broker_is_given_up_and_found_again_when_it_goes_on() {
    let server = Arc::new(broker().await);
    let rabbit = connect(&server.fresh_vhost());
    let load = Load::start(&rabbit);
    Load::flows(&rabbit, 200).await;
    let pausing = server.clone();
    blocking(move || pausing.pause()).await;
    until("it is noticed", async || !Bus::Rabbit(rabbit.clone()).status().connected).await;
    let resuming = server.clone();
    blocking(move || resuming.resume()).await;
    Load::flows(&rabbit, 500).await;
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_each_reattach_the_listener_is_told_to_look_at_the_tape() {
    let server = Arc::new(broker().await);
    let rabbit = connect(&server.fresh_vhost());
    let mut subscription = listen(&rabbit);
    let mut rows_out = rabbit.tape_publisher();
    attach(&mut rows_out, &mut subscription, 3).await;
    let closer = server.clone();
    blocking(move || closer.ctl(&["close_all_connections", "--global", "injected"])).await;
    let end = Instant::now() + LONG;
    let mut missed = 0;
    loop {
        match hint(&mut subscription).await {
            Hint::Missed(0) => missed += 1,
            Hint::Latest { position, hash: said } if missed > 0 => {
                assert_eq!((position, said), (3, hash(3)));
                break;
            }
            _ => assert!(Instant::now() < end),
        }
    }
}
