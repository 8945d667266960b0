//! Account frames while everything else goes on: two replicas of an ingestor that hear the same facts.

use super::look::{block, spawn};
use bus::{BusFault, FrameKind, IngestFrame, IngestPublisher, Rabbit};
use domain::{Side, Timestamp};
use events::{Event, OrderEvent, OrderFilled, Row};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::sleep};

/// Where this account is: nobody here trades there.
pub const VENUE: &str = "elsewhere";
/// Between two facts of that account.
const BEAT: Duration = Duration::from_millis(100);
/// Every so many facts a frame is published twice.
const TWICE: u64 = 7;

/// Facts number 1, 2, 3 … of an account, each published by both replicas until it is confirmed.
pub struct Load {
    replicas: Vec<Replica>,
    /// The last fact that has happened.
    happened: Arc<AtomicU64>,
    until: Arc<AtomicU64>,
}

struct Replica {
    rabbit: Rabbit,
    /// The last fact that this replica has published and seen confirmed.
    confirmed: Arc<AtomicU64>,
    publishing: JoinHandle<()>,
}

impl Load {
    pub fn start(bus: &str) -> Self {
        let (happened, until) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let replicas = ["a", "b"].map(|name| {
            let bus = bus.to_owned();
            let rabbit = block(async move { Rabbit::connect(&bus, &format!("test ingestor {name}")) });
            let rabbit = rabbit.expect("a broker's URL");
            let confirmed = Arc::new(AtomicU64::new(0));
            let publisher = Publisher {
                name,
                publisher: rabbit.ingest_publisher(),
                happened: happened.clone(),
                confirmed: confirmed.clone(),
                until: until.clone(),
            };
            Replica { rabbit, confirmed, publishing: spawn(publisher.run()) }
        });
        Self { replicas: replicas.into(), happened, until }
    }

    /// Ends the account's life and waits until both replicas have all of it confirmed; how many facts
    /// there are.
    pub fn end(self, limit: Duration) -> u64 {
        let last = self.happened.load(SeqCst);
        self.until.store(last, SeqCst);
        testkit::wait_for("both ingestors have everything confirmed", limit, || {
            self.replicas.iter().all(|replica| replica.confirmed.load(SeqCst) >= last)
        });
        for replica in self.replicas {
            block(async move {
                replica.publishing.await.expect("an ingestor that ends well");
                replica.rabbit.close().await;
            });
        }
        last
    }

    /// The last fact that one of the replicas has seen confirmed.
    pub fn confirmed(&self) -> u64 {
        self.replicas.iter().map(|replica| replica.confirmed.load(SeqCst)).max().unwrap_or_default()
    }
}

struct Publisher {
    name: &'static str,
    publisher: IngestPublisher,
    happened: Arc<AtomicU64>,
    confirmed: Arc<AtomicU64>,
    until: Arc<AtomicU64>,
}

impl Publisher {
    async fn run(self) {
        let mut next = 1;
        loop {
            let until = self.until.load(SeqCst);
            if next > until {
                return;
            }
            self.happened.fetch_max(next, SeqCst);
            let fact = frame(self.name, &[fill(next)]);
            let frames = if next % TWICE == 0 { vec![fact.clone(), fact] } else { vec![fact] };
            while let Err(fault) = self.publisher.publish(&frames).await {
                assert!(!matches!(fault, BusFault::Unfit { .. }), "{fault}");
                sleep(BEAT).await;
            }
            self.confirmed.store(next, SeqCst);
            next += 1;
            sleep(BEAT).await;
        }
    }
}

/// Publishes facts once more, as whoever reads them again over REST does.
pub fn read_again(bus: &str, numbers: impl IntoIterator<Item = u64>) {
    let facts: Vec<Event> = numbers.into_iter().map(fill).collect();
    let frames: Vec<IngestFrame> = facts.chunks(20).map(|some| frame("rest", some)).collect();
    publish(bus, &frames);
}

/// Publishes frames until all of them are confirmed.
pub fn publish(bus: &str, frames: &[IngestFrame]) {
    let (bus, frames) = (bus.to_owned(), frames.to_vec());
    block(async move {
        let rabbit = Rabbit::connect(&bus, "test publisher").expect("a broker's URL");
        let publisher = rabbit.ingest_publisher();
        while publisher.publish(&frames).await.is_err() {
            sleep(BEAT).await;
        }
        rabbit.close().await;
    });
}

/// A purchase of one coin.
pub fn fill(n: u64) -> Event {
    OrderFilled {
        account: format!("{VENUE}:main").parse().expect("an account"),
        instrument: format!("{VENUE}:spot:ABCXYZ").parse().expect("an instrument"),
        order: format!("x{n}").parse().expect("an order"),
        venue_order: n.to_string().parse().expect("an order"),
        venue_trade: n.to_string().parse().expect("a fill"),
        side: Side::Buy,
        price: "2".parse().expect("a price"),
        quantity: "1".parse().expect("a quantity"),
        quote: "2".parse().expect("an amount"),
        fee: None,
        maker: false,
        at: Timestamp::from_millis(n.cast_signed()),
    }
    .into()
}

/// A frame in Tapedeck's own encoding.
pub fn frame(replica: &str, events: &[Event]) -> IngestFrame {
    let one = |e: &Event| format!(r#"{{"kind":"{}","body":{}}}"#, e.kind().name(), e.body());
    let all: Vec<String> = events.iter().map(one).collect();
    raw(replica, event_logger::parse::own::CONTENT_TYPE, format!("[{}]", all.join(",")).as_bytes())
}

pub fn raw(replica: &str, content_type: &str, bytes: &[u8]) -> IngestFrame {
    IngestFrame {
        account: format!("{VENUE}:main").parse().expect("an account"),
        replica: replica.to_owned(),
        stream: "user-data".to_owned(),
        content_type: content_type.to_owned(),
        received_at: Timestamp::from_millis(77),
        bytes: bytes.to_vec(),
        kind: FrameKind::Account,
    }
}

/// How often each fact of the account is on the tape, by its number.
pub fn recorded(rows: &[Row]) -> BTreeMap<u64, usize> {
    let mut times = BTreeMap::new();
    for row in rows.iter().filter(|row| row.draft.kind == "order.filled" && row.draft.body.contains(VENUE)) {
        if let Ok(Event::Order(OrderEvent::Filled(fill))) = row.decode().map(|recorded| recorded.event) {
            *times.entry(fill.venue_trade.to_string().parse().expect("a number")).or_default() += 1;
        }
    }
    times
}

/// Facts 1 to `last` are on the tape, each once.
#[track_caller]
pub fn is_whole(rows: &[Row], last: u64) {
    let times = recorded(rows);
    let lost: Vec<u64> = (1..=last).filter(|n| !times.contains_key(n)).collect();
    let doubled: Vec<&u64> = times.iter().filter(|(_, times)| **times > 1).map(|(n, _)| n).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "of {last} facts lost {lost:?}, doubled {doubled:?}");
}
