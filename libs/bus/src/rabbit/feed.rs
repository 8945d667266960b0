//! Hints: the stream `tape`, read once per process and handed to every listener in it.

use super::{
    Session,
    limits::{ACKNOWLEDGE_EVERY, BACKOFF, CLOSE, HINTS, QUIET, SETTLE, TICK, ask, within},
    link::Link,
    rows,
    tape_publisher::attach,
};
use crate::{BusFault, Hint, status::add};
use events::{Hash, Position, Uuid};
use futures_util::StreamExt;
use lapin::{Channel, Consumer, message::Delivery, options::BasicAckOptions};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::{
    runtime::Handle,
    sync::{
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
        watch,
    },
    time::{Instant, interval, sleep, sleep_until},
};

/// The feeds of a process, by tape. One goes when its last listener does.
#[derive(Default)]
pub(super) struct Feeds(Mutex<BTreeMap<Uuid, Weak<Feed>>>);

pub(super) struct Feed {
    /// The task has the sender: when that ends for good, so do the listeners' hints.
    hints: broadcast::WeakSender<Hint>,
    furthest: Arc<Furthest>,
    link: Arc<Link>,
    /// Dropped with the feed, which ends its task.
    _alive: watch::Sender<()>,
}

/// The furthest row of the tape that came by, for whoever subscribes later.
type Furthest = Mutex<Option<(Position, Hash)>>;

/// One listener's end.
pub struct RowSubscription {
    feed: Arc<Feed>,
    hints: broadcast::Receiver<Hint>,
    first: VecDeque<Hint>,
}

impl Feeds {
    pub(super) fn subscribe(&self, tape: Uuid, start: impl FnOnce() -> Feed) -> RowSubscription {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = feeds.get(&tape).and_then(Weak::upgrade).unwrap_or_else(|| {
            let feed = Arc::new(start());
            feeds.insert(tape, Arc::downgrade(&feed));
            feed
        });
        let hints = feed.hints.upgrade().map_or_else(|| broadcast::channel(1).1, |task| task.subscribe());
        let furthest = *feed.furthest.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = furthest.map(|(position, hash)| Hint::Latest { position, hash });
        RowSubscription { feed, hints, first: [Hint::Missed(0)].into_iter().chain(latest).collect() }
    }
}

impl RowSubscription {
    pub(crate) async fn next(&mut self) -> Option<Hint> {
        if let Some(hint) = self.first.pop_front() {
            return Some(hint);
        }
        match self.hints.recv().await {
            Ok(hint) => Some(hint),
            Err(RecvError::Lagged(count)) => Some(self.missed(count)),
            Err(RecvError::Closed) => None,
        }
    }

    pub(crate) fn try_next(&mut self) -> Option<Hint> {
        if let Some(hint) = self.first.pop_front() {
            return Some(hint);
        }
        match self.hints.try_recv() {
            Ok(hint) => Some(hint),
            Err(TryRecvError::Lagged(count)) => Some(self.missed(count)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    fn missed(&self, count: u64) -> Hint {
        add(&self.feed.link.counters().overflowed, usize::try_from(count).unwrap_or(usize::MAX));
        Hint::Missed(count)
    }
}

impl Feed {
    pub(super) fn start(runtime: &Handle, link: Arc<Link>, tape: Uuid) -> Self {
        let (hints, _) = broadcast::channel(HINTS);
        let furthest = Arc::<Furthest>::default();
        let (alive, stop) = watch::channel(());
        let reader = Reader {
            tape: tape.hyphenated().to_string(),
            hints,
            furthest: furthest.clone(),
            link: link.clone(),
        };
        let hints = reader.hints.downgrade();
        runtime.spawn(reader.read_for_ever(stop));
        Self { hints, furthest, link, _alive: alive }
    }
}

/// The task behind a feed.
struct Reader {
    tape: String,
    hints: broadcast::Sender<Hint>,
    furthest: Arc<Furthest>,
    link: Arc<Link>,
}

/// One channel on the stream.
struct Attached {
    session: Arc<Session>,
    channel: Channel,
    consumer: Consumer,
    /// Deliveries since the last acknowledgement, and the tag of the last one.
    unacknowledged: usize,
    tag: u64,
}

impl Reader {
    async fn read_for_ever(self, mut stop: watch::Receiver<()>) {
        // The feed is gone when its sender is.
        let gone = async { while stop.changed().await.is_ok() {} };
        tokio::pin!(gone);
        while !self.link.is_closing() {
            let mut attached = None;
            let why = tokio::select! {
                why = self.read(&mut attached) => why,
                () = &mut gone => {
                    close(attached).await;
                    return;
                }
            };
            close(attached).await;
            tracing::debug!(%why, "the stream of hints is read anew");
            tokio::select! {
                () = sleep(BACKOFF.0) => {}
                () = &mut gone => return,
            }
        }
    }

    /// Attaches and reads until that breaks.
    async fn read(&self, place: &mut Option<Attached>) -> BusFault {
        let attached = match Attached::open(&self.link).await {
            Ok(attached) => place.insert(attached),
            Err(fault) => return fault,
        };
        // What came meanwhile, nobody knows.
        self.tell(Hint::Missed(0));
        match self.follow(attached).await {
            Ok(()) => BusFault::Away { why: "the stream was deleted".into() },
            Err(fault) => {
                attached.session.blame(&fault);
                fault
            }
        }
    }

    async fn follow(&self, attached: &mut Attached) -> Result<(), BusFault> {
        let mut tick = interval(TICK);
        let mut settling: Option<Settling> = Some(Settling::default());
        loop {
            let settled = settling.as_ref().and_then(Settling::over_at);
            tokio::select! {
                biased;
                delivery = attached.consumer.next() => {
                    let Some(delivery) = delivery else { return Ok(()) };
                    let delivery = delivery
                        .map_err(|error| BusFault::Away { why: format!("reading the stream: {error}") })?;
                    attached.note(&delivery).await?;
                    let seen = self.pass_on(delivery);
                    if let Some(settling) = &mut settling {
                        settling.note(seen);
                    }
                }
                () = until(settled) => {
                    if let Some((position, hash)) = settling.take().and_then(|s| s.furthest) {
                        self.tell(Hint::Latest { position, hash });
                    }
                }
                _ = tick.tick() => attached.acknowledge().await?,
            }
        }
    }

    fn pass_on(&self, delivery: Delivery) -> Option<(Position, Hash)> {
        let counters = self.link.counters();
        add(&counters.received, 1);
        if !rows::is_of(&delivery, &self.tape) {
            add(&counters.foreign, 1);
            return None;
        }
        let row = match rows::row(delivery) {
            Ok(row) => row,
            Err(what) => {
                add(&counters.malformed, 1);
                tracing::warn!(what, "a row on the stream cannot be read; the tape has it");
                return None;
            }
        };
        let place = (row.position, row.hash);
        further(&mut self.furthest.lock().unwrap_or_else(PoisonError::into_inner), place);
        self.tell(Hint::Row(Arc::new(row)));
        Some(place)
    }

    fn tell(&self, hint: Hint) {
        // With nobody there to hear it, it is lost, as any hint may be.
        let _ = self.hints.send(hint);
    }
}

/// The time after an attach in which the last chunk comes: old rows, then the newest.
#[derive(Default)]
struct Settling {
    furthest: Option<(Position, Hash)>,
    since: Option<(Instant, Instant)>,
}

impl Settling {
    fn note(&mut self, seen: Option<(Position, Hash)>) {
        let now = Instant::now();
        let first = self.since.map_or(now, |(first, _)| first);
        self.since = Some((first, now));
        if let Some(seen) = seen {
            further(&mut self.furthest, seen);
        }
    }

    fn over_at(&self) -> Option<Instant> {
        self.since.map(|(first, last)| (first + SETTLE).min(last + QUIET))
    }
}

fn further(furthest: &mut Option<(Position, Hash)>, seen: (Position, Hash)) {
    if furthest.is_none_or(|(position, _)| position <= seen.0) {
        *furthest = Some(seen);
    }
}

/// For ever, if there is no such instant.
async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

impl Attached {
    async fn open(link: &Link) -> Result<Self, BusFault> {
        let session = link.session().await?;
        let opened = async {
            link.declare(&session).await?;
            let channel = session.channel().await?;
            let consumer = attach(&channel).await?;
            Ok((channel, consumer))
        };
        let (channel, consumer) = opened.await.inspect_err(|fault| session.blame(fault))?;
        Ok(Self { session, channel, consumer, unacknowledged: 0, tag: 0 })
    }

    /// Each acknowledgement is credit for as many more.
    async fn note(&mut self, delivery: &Delivery) -> Result<(), BusFault> {
        self.tag = delivery.delivery_tag;
        self.unacknowledged += 1;
        if self.unacknowledged >= ACKNOWLEDGE_EVERY { self.acknowledge().await } else { Ok(()) }
    }

    async fn acknowledge(&mut self) -> Result<(), BusFault> {
        if std::mem::take(&mut self.unacknowledged) > 0 {
            let all = BasicAckOptions { multiple: true };
            ask("acknowledging hints", self.channel.basic_ack(self.tag, all)).await?;
        }
        Ok(())
    }
}

async fn close(attached: Option<Attached>) {
    if let Some(Attached { session, channel, .. }) = &attached
        && session.is_up()
        && channel.status().connected()
    {
        let _ = within(CLOSE, "closing a channel", channel.close(200, "OK".into())).await;
    }
}

impl fmt::Debug for RowSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowSubscription").field("furthest", &self.feed.furthest).finish_non_exhaustive()
    }
}
