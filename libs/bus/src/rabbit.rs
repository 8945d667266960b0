//! RabbitMQ through lapin, behind a supervisor of our own.
//!
//! One process keeps at most two connections, because the broker stops reading from one that
//! publishes while its memory or disk alarm is on, and acknowledgements would stop with it:
//! *publish* carries publishers only, *consume* everything that is read. Each is made when it is
//! first needed and remade for ever (see [`link`]).

mod address;
mod feed;
mod frames;
mod ingest_consumer;
mod ingest_publisher;
mod lane;
mod limits;
mod link;
mod outbox;
mod reader;
mod rows;
mod session;
mod tape_publisher;

pub use feed::RowSubscription;
pub use ingest_consumer::IngestConsumer;
pub use ingest_publisher::IngestPublisher;
pub use lane::Receipt;
pub use limits::WINDOW;
pub use link::NOT_YET;
pub use tape_publisher::TapePublisher;

pub(crate) use address::Address;
pub(crate) use limits::{CLOSE, IDLE, ask};
pub(crate) use session::Session;

use crate::{BusError, BusStatus, status::Counters, topology};
use events::Uuid;
use feed::{Feed, Feeds};
use link::Link;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::runtime::Handle;

/// This process' end of a broker. Cheap to clone; all clones share their connections, which go when
/// the last of them, of its publishers and of its consumers is dropped.
#[derive(Clone)]
pub struct Rabbit(Arc<Inner>);

struct Inner {
    address: Arc<Address>,
    name: String,
    runtime: Handle,
    publish: OnceLock<Arc<Link>>,
    consume: OnceLock<Arc<Link>>,
    feeds: Feeds,
    counters: Arc<Counters>,
    closed: AtomicBool,
}

/// The queues that frames can lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IngestQueue {
    /// Where ingestors' frames go.
    Ingest,
    /// Frames that were returned too often, by a recorder that died again and again.
    Dead,
    /// What no queue took when it came, because one had been deleted: frames, and rows of the tape,
    /// which come as [`Malformed`](crate::Malformed) and may be acknowledged.
    Unroutable,
}

impl Rabbit {
    /// Checks the URL, and nothing else: connecting is a task's affair, and [`Self::status`] tells of
    /// it. `name` is what the broker shows for the connection.
    ///
    /// # Errors
    /// A URL that says no broker, or no tokio runtime to run in.
    pub fn connect(url: &str, name: &str) -> Result<Self, BusError> {
        let address = Address::parse(url)?;
        let runtime = Handle::try_current().map_err(|_| BusError::Refused {
            at: address.to_string(),
            what: "connecting".into(),
            why: "there is no tokio runtime around it".into(),
        })?;
        Ok(Self(Arc::new(Inner {
            address: Arc::new(address),
            name: name.to_owned(),
            runtime,
            publish: OnceLock::new(),
            consume: OnceLock::new(),
            feeds: Feeds::default(),
            counters: Arc::default(),
            closed: AtomicBool::new(false),
        })))
    }

    /// Connects now, rather than when there is first something to read: so a broker that cannot be
    /// reached shows before it is needed.
    pub fn begin(&self) {
        self.consume_link();
    }

    pub fn tape_publisher(&self) -> TapePublisher {
        TapePublisher::new(self.publish_link(), self.consume_link())
    }

    pub fn ingest_publisher(&self) -> crate::IngestPublisher {
        crate::IngestPublisher::Rabbit(IngestPublisher::new(self.publish_link()))
    }

    /// As [`crate::Bus::ingest_consumer`].
    pub fn ingest_consumer(&self, queue: IngestQueue, prefetch: u16) -> crate::IngestConsumer {
        let consumer = IngestConsumer::new(self.consume_link(), queue, prefetch.max(1));
        crate::IngestConsumer::Rabbit(Box::new(consumer))
    }

    pub(crate) fn subscribe(&self, tape: Uuid) -> RowSubscription {
        self.0.feeds.subscribe(tape, || Feed::start(&self.0.runtime, self.consume_link(), tape))
    }

    pub fn status(&self) -> BusStatus {
        let mut status = BusStatus::new(&self.0.counters);
        for link in [&self.0.publish, &self.0.consume].into_iter().filter_map(OnceLock::get) {
            link.tell(&mut status);
        }
        status
    }

    /// Closes the connections and all that runs over them; what was delivered and not acknowledged
    /// comes again, in order. Takes a few seconds at most. Nothing connects anew afterwards.
    pub async fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
        for link in [&self.0.publish, &self.0.consume].into_iter().filter_map(OnceLock::get) {
            link.close().await;
        }
    }

    fn publish_link(&self) -> Arc<Link> {
        self.link(&self.0.publish, "publish")
    }

    fn consume_link(&self) -> Arc<Link> {
        self.link(&self.0.consume, "consume")
    }

    fn link(&self, place: &OnceLock<Arc<Link>>, role: &'static str) -> Arc<Link> {
        let Inner { address, name, runtime, counters, .. } = &*self.0;
        let start = || Link::start(runtime, address.clone(), format!("{name} {role}"), counters.clone());
        let link = place.get_or_init(|| Arc::new(start()));
        if self.0.closed.load(Ordering::Acquire) {
            link.begin_closing();
        }
        link.clone()
    }
}

impl IngestQueue {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => topology::INGEST,
            Self::Dead => topology::DEAD,
            Self::Unroutable => topology::UNROUTABLE,
        }
    }
}

impl fmt::Debug for Rabbit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rabbit").field("at", &self.0.address).field("name", &self.0.name).finish()
    }
}
