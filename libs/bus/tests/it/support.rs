//! Rows and frames to send, a look behind the bus' back, and waiting with a deadline.

use bus::{Bus, BusFault, FrameKind, Hint, IngestConsumer, IngestFrame, Rabbit, Subscription, TapePublisher};
use domain::{Timestamp, UnitName};
use events::{Draft, Hash, Position, Row, TimePassed, Uuid};
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{QueueDeclareOptions, QueueDeleteOptions},
    types::FieldTable,
};
use std::{
    ops::RangeInclusive,
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};

pub const TAPE: Uuid = Uuid::from_u128(0x7a9e);
/// Longer than any recovery on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// The hash that a row of [`row`] has: no chain, but each its own.
pub fn hash(position: Position) -> Hash {
    [position as u8; 32]
}

pub fn row(position: Position) -> Row {
    let now = Timestamp::from_millis(position as i64);
    let id = Uuid::from_u128(u128::from(position));
    let draft = Draft::new(id, UnitName::new("clock").unwrap(), None, now, &TimePassed { now }.into());
    Row { position, recorded_at: now, hash: hash(position), draft }
}

pub fn rows(positions: RangeInclusive<Position>) -> Vec<Row> {
    positions.map(row).collect()
}

pub fn frame(n: u64) -> IngestFrame {
    IngestFrame {
        account: "binance:main".parse().unwrap(),
        replica: "a".to_owned(),
        stream: "user".to_owned(),
        content_type: "application/json".to_owned(),
        received_at: Timestamp::from_millis(n as i64),
        bytes: n.to_string().into_bytes(),
        kind: FrameKind::Account,
    }
}

pub fn frames(numbers: RangeInclusive<u64>) -> Vec<IngestFrame> {
    numbers.map(frame).collect()
}

pub fn number(frame: &IngestFrame) -> u64 {
    std::str::from_utf8(&frame.bytes).unwrap().parse().unwrap()
}

pub fn connect(url: &str) -> Rabbit {
    Rabbit::connect(url, "test").unwrap()
}

/// Publishes `positions` and insists until it is done, as the recorder does.
pub async fn publish(publisher: &mut TapePublisher, positions: RangeInclusive<Position>) {
    let before = hash(positions.start() - 1);
    let rows = rows(positions);
    insist(async || publisher.publish(TAPE, before, &rows).await).await;
}

/// Does it again until it succeeds, within [`LONG`].
pub async fn insist<T>(mut act: impl AsyncFnMut() -> Result<T, BusFault>) -> T {
    let end = Instant::now() + LONG;
    loop {
        match act().await {
            Ok(done) => return done,
            Err(fault) if Instant::now() > end => panic!("still after {LONG:?}: {fault}"),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Looks until it holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !holds().await {
        assert!(Instant::now() < end, "not within {LONG:?}: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// The numbers of the next frames, acknowledged, until there are `count`.
pub async fn drain(consumer: &mut IngestConsumer, count: usize) -> Vec<u64> {
    let mut drained = Vec::new();
    let end = Instant::now() + LONG;
    while drained.len() < count {
        assert!(Instant::now() < end, "{} of {count} frames came", drained.len());
        let batch =
            insist(async || consumer.next_batch(count - drained.len(), Duration::from_millis(5)).await).await;
        drained.extend(batch.frames.iter().map(|frame| number(frame.as_ref().unwrap())));
        let _redelivered_if_lost = batch.acknowledge().await;
    }
    drained
}

pub fn listen(rabbit: &Rabbit) -> Subscription {
    Bus::Rabbit(rabbit.clone()).subscribe(TAPE)
}

/// The next hint, which has to come.
pub async fn hint(subscription: &mut Subscription) -> Hint {
    timeout(LONG, subscription.next()).await.expect("no hint came").expect("the bus is gone")
}

/// Listens until this position was heard as a row; gives all positions heard up to then.
pub async fn hear_up_to(subscription: &mut Subscription, last: Position) -> Vec<Position> {
    let mut heard = Vec::new();
    while heard.last() != Some(&last) {
        if let Hint::Row(row) = hint(subscription).await {
            heard.push(row.position);
        }
    }
    heard
}

/// Publishes the row of this position until the listener hears it, and nothing before it is still on
/// its way. The first row of an empty stream may come just while it is attached to, and be no hint.
pub async fn attach(publisher: &mut TapePublisher, subscription: &mut Subscription, position: Position) {
    for copy in 1..=30 {
        let mut row = row(position);
        row.draft.meta = Some(copy.to_string());
        insist(async || publisher.publish(TAPE, hash(position - 1), std::slice::from_ref(&row)).await).await;
        let heard = async { while hint(subscription).await != Hint::Row(row.clone().into()) {} };
        if timeout(Duration::from_secs(2), heard).await.is_ok() {
            return;
        }
    }
    panic!("nothing is heard of what is published");
}

/// Listens until the stream is attached and has said its last row.
pub async fn latest(subscription: &mut Subscription) -> (Position, Hash) {
    loop {
        if let Hint::Latest { position, hash } = hint(subscription).await {
            return (position, hash);
        }
    }
}

/// A plain client beside the bus: what an operator's tool may do.
pub struct Beside {
    pub connection: Connection,
}

impl Beside {
    pub async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
        Self { connection }
    }

    pub async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    /// (messages ready, consumers), if the queue is there.
    pub async fn facts(&self, queue: &str) -> Option<(u32, u32)> {
        let looking = QueueDeclareOptions { passive: true, ..Default::default() };
        let channel = self.channel().await;
        let found = channel.queue_declare(queue.into(), looking, FieldTable::default()).await.ok()?;
        Some((found.message_count(), found.consumer_count()))
    }

    pub async fn delete(&self, queue: &str) {
        let channel = self.channel().await;
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
}
