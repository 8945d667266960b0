//! Facts and frames, the three loops to be run and killed, and a plain client beside the bus.

use bus::{Bus, BusFault, FrameKind, IngestFrame, IngestQueue, Rabbit};
use domain::{Account, Timestamp, UnitName};
use event_logger::{Counters, Part, clock, drain, parse, publish, reparse};
use events::*;
use futures_util::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use runtime::distributed::{
    Fault, Limits, UnitPhase, UnitStatus, leadership::Leadership, lease::Lease, stop::Stop,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tape::{Commit, Entry, Tape};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

pub const TAPE: Uuid = Uuid::from_u128(0x7a9e);
/// Longer than any recovery on a busy machine.
pub const LONG: Duration = Duration::from_secs(90);

pub fn unit(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

pub fn main_account() -> Account {
    "binance:main".parse().unwrap()
}

/// A tape that somebody has opened.
pub async fn opened(tape: Tape, clock: Clock) -> Tape {
    let opened = TapeOpened { tape: TAPE, clock, market: "binance".to_owned() };
    say(&tape, &[opened.into()]).await;
    tape
}

pub async fn memory() -> Tape {
    opened(Tape::memory(), Clock::Wall).await
}

/// Records sayings of somebody else.
pub async fn say(tape: &Tape, events: &[Event]) {
    let head = tape.head().await.unwrap().position;
    let entries = events.iter().enumerate().map(|(n, event)| {
        let id = ids::fact(TAPE, "said", &format!("{}", head + n as u64 + 1));
        let at = event.at().unwrap_or(Timestamp::from_millis(1));
        Entry::wall(Draft::new(id, unit("somebody"), None, at, event))
    });
    tape.append(Commit::new(entries.collect())).await.unwrap();
}

/// So many events that mean nothing here.
pub async fn say_much(tape: &Tape, count: usize) {
    let asked = QuoteAsked { instrument: "binance:spot:BTCUSDT".parse().unwrap() };
    say(tape, &vec![Event::from(asked); count]).await;
}

pub fn fill(n: u64) -> Event {
    OrderFilled {
        account: main_account(),
        instrument: "binance:spot:BTCUSDT".parse().unwrap(),
        order: "td1".parse().unwrap(),
        venue_order: "28457".parse().unwrap(),
        venue_trade: n.to_string().parse().unwrap(),
        side: domain::Side::Buy,
        price: "42000.10".parse().unwrap(),
        quantity: "0.005".parse().unwrap(),
        quote: "210.0005".parse().unwrap(),
        fee: None,
        maker: false,
        at: Timestamp::from_millis(n as i64),
    }
    .into()
}

/// A frame in Tapedeck's own encoding.
pub fn frame(replica: &str, events: &[Event]) -> IngestFrame {
    let one = |e: &Event| format!(r#"{{"kind":"{}","body":{}}}"#, e.kind().name(), e.body());
    let all: Vec<String> = events.iter().map(one).collect();
    raw(replica, parse::own::CONTENT_TYPE, format!("[{}]", all.join(",")).as_bytes())
}

pub fn raw(replica: &str, content_type: &str, bytes: &[u8]) -> IngestFrame {
    IngestFrame {
        account: main_account(),
        replica: replica.to_owned(),
        stream: "user-data".to_owned(),
        content_type: content_type.to_owned(),
        received_at: Timestamp::from_millis(77),
        bytes: bytes.to_vec(),
        kind: FrameKind::Account,
    }
}

pub fn connect(url: &str) -> Rabbit {
    Rabbit::connect(url, "test").unwrap()
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
        sleep(Duration::from_millis(10)).await;
    }
}

pub async fn send(rabbit: &Rabbit, frames: &[IngestFrame]) {
    let publisher = rabbit.ingest_publisher();
    insist(async || publisher.publish(frames).await).await;
}

/// Every row of a tape.
pub async fn rows(tape: &Tape) -> Vec<Row> {
    tape.read(0, 1_000_000).await.unwrap()
}

/// The kinds on a tape, without the first row.
pub async fn kinds(tape: &Tape) -> Vec<String> {
    rows(tape).await.iter().skip(1).map(|row| row.draft.kind.to_string()).collect()
}

pub fn leadership(tape: &Tape, bus: Bus, part: Part) -> Leadership {
    let (tape, unit) = (tape.clone(), part.unit());
    let (owner, lease) = ("test".to_owned(), Duration::from_secs(60));
    let (status, limits) = (UnitStatus::new(unit, &owner), Limits::default());
    Leadership { tape, bus, unit, owner, lease, status, limits, opens: false }
}

/// One of the loops, as a process runs it.
pub struct Running {
    pub counters: Arc<Counters>,
    pub status: UnitStatus,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), Fault>>,
}

impl Running {
    /// A leadership, taken under a new fence.
    pub async fn lease(tape: &Tape, part: Part) -> (Leadership, Lease) {
        let leadership = leadership(tape, Bus::in_process(), part);
        let lease = Lease::claim(&leadership, true).await.unwrap().unwrap();
        (leadership, lease)
    }

    pub async fn drain(tape: &Tape, rabbit: &Rabbit) -> Self {
        Self::drain_under(Self::lease(tape, Part::Drain).await, rabbit, parse::PARSERS)
    }

    pub fn drain_under(
        (leadership, lease): (Leadership, Lease),
        rabbit: &Rabbit,
        parsers: parse::Parsers,
    ) -> Self {
        let leadership = Leadership { bus: Bus::Rabbit(rabbit.clone()), ..leadership };
        Self::start(leadership.status.clone(), async move |counters, stop| {
            drain::drain(&leadership, &lease, parsers, &counters, stop).await
        })
    }

    pub async fn publish(tape: &Tape, rabbit: &Rabbit) -> Self {
        let (leadership, lease) = Self::lease(tape, Part::Publish).await;
        let leadership = Leadership { bus: Bus::Rabbit(rabbit.clone()), ..leadership };
        Self::start(leadership.status.clone(), async move |counters, stop| {
            publish::publish(&leadership, &lease, &counters, stop).await
        })
    }

    pub async fn clock(tape: &Tape, build: &'static str) -> Self {
        let (leadership, lease) = Self::lease(tape, Part::Clock).await;
        Self::start(leadership.status.clone(), async move |counters, stop| {
            clock::tell(&leadership, &lease, build, &counters, stop).await
        })
    }

    fn start<W, F>(status: UnitStatus, work: W) -> Self
    where
        W: FnOnce(Arc<Counters>, Stop) -> F,
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let counters = Arc::<Counters>::default();
        let (stop, asked) = watch::channel(false);
        let task = tokio::spawn(work(counters.clone(), Stop::new(asked)));
        Self { counters, status, stop, task }
    }

    /// Why it is cut off, if it is.
    pub fn why(&self) -> Option<String> {
        match self.status.phase() {
            UnitPhase::CutOff(why) => Some(why),
            _ => None,
        }
    }

    /// Asks it to stop, which it does soon and well.
    pub async fn stop(self) {
        let asked = Instant::now();
        self.stop.send(true).unwrap();
        timeout(LONG, self.task).await.expect("it does not stop").unwrap().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?} to stop", asked.elapsed());
    }

    /// Drops it where it stands.
    pub async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|e| e.is_cancelled()), "it ended before it was killed");
    }

    /// Waits for it to end by itself.
    pub async fn fault(self) -> Fault {
        timeout(LONG, self.task).await.expect("it does not end").unwrap().unwrap_err()
    }
}

/// What is left in a queue, waiting or in somebody's hands' reach.
pub async fn waiting(url: &str, queue: IngestQueue) -> u32 {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let looking = QueueDeclareOptions { passive: true, ..Default::default() };
    let found = channel.queue_declare(queue.name().into(), looking, FieldTable::default()).await.unwrap();
    found.message_count()
}

/// Puts a message into an exchange that no code of ours would.
pub async fn post(url: &str, exchange: &str, body: &[u8]) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
    channel.basic_publish(exchange.into(), "x".into(), options, body, properties).await.unwrap();
    connection.close(200, "OK".into()).await.unwrap();
}

/// The positions on the stream from its beginning, until `last` has come `times`.
pub async fn stream(url: &str, last: Position, times: usize) -> Vec<Position> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.basic_qos(1_000, BasicQosOptions::default()).await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-stream-offset".into(), AMQPValue::LongString("first".into()));
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume("tape".into(), "".into(), options, arguments).await.unwrap();
    let mut positions = Vec::new();
    while positions.iter().filter(|position| **position == last).count() < times {
        let next = timeout(LONG, consumer.next()).await;
        let delivery = next.unwrap_or_else(|_| panic!("{last} did not come {times} times: {positions:?}"));
        let delivery = delivery.unwrap().unwrap();
        let headers = delivery.properties.headers().as_ref().unwrap().inner();
        let Some(AMQPValue::LongLongInt(position)) = headers.get("position") else {
            panic!("no position: {headers:?}")
        };
        positions.push(*position as Position);
        delivery.acker.ack(Default::default()).await.unwrap();
    }
    positions
}

/// Reads like the parser that was missing: each line is the number of a fill.
pub const MENDED: parse::Parsers = parse::Parsers(&[&[("text/fills", |_, bytes| {
    let text = std::str::from_utf8(bytes).map_err(|e| e.to_string())?;
    text.lines().map(|line| line.parse().map(fill).map_err(|e| format!("{line}: {e}"))).collect()
})]]);

pub async fn reread(tape: &Tape, parsers: parse::Parsers, dry_run: bool) -> Vec<reparse::Reading> {
    let report = reparse::reparse(tape, parsers, dry_run).await.unwrap();
    report.frames.into_iter().map(|reread| reread.outcome).collect()
}
