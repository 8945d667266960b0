//! The ingestor: the account's stream at Binance, raw, into the queue `ingest` of a broker or of this process.
//!
//! It knows no database and no other service, so that two of them can run anywhere; whoever drains
//! the queue records each fact once.
//!
//! Invariants:
//! - Behind each `Opened` come the account's balances as REST tells them, raw as well: what the stream tells
//!   from then on has something to stand on.
//! - Every frame is published as it came, in the order in which it came, until the broker has
//!   confirmed it; `Opened` stands before the first frame of each connection.
//! - With a broker a frame is on disk before it is published, and stays there until the broker has confirmed it: a
//!   kill loses none ([`spool`]). Within one process the queue is in the same memory, so a kill loses both, and a
//!   spool beside it would save nothing that the next `Opened` does not have asked for.
//! - What waits is bounded in bytes. Where there is no room the stream is closed, with an alarm, so that the next
//!   `Opened` says that something is missing; nothing is left out in silence.

mod outbox;
pub mod spool;

pub use outbox::SpoolSettings;

use bus::{BusFault, FrameKind, IngestFrame, IngestPublisher};
use domain::{Account, Timestamp};
use outbox::{Counters, Full, Outbox};
use runtime::distributed::{Count, Figure, UnitPhase, UnitStatus, stop::Stop};
use std::{
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};
use venue_binance::{
    content,
    net::{Backoff, Connected, Delivery, Frame, Rest, Unheard, UserData},
};

/// What may wait for the broker unless told otherwise, in bytes.
pub const WAITING: u64 = 64 << 20;
/// Frames in one publication.
const BATCH: usize = 256;
/// The first pause after the broker did not take some; each is twice the one before …
const PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long what has come is still published after having been asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);
/// Between two looks at what is not urgent.
const TICK: Duration = Duration::from_secs(1);
/// Ticks between two looks for what others have left in the spool.
const ADOPT: u64 = 60;

/// One replica.
pub struct Ingestor {
    pub rest: Rest,
    pub account: Account,
    /// Its name; no two that run at one time share it.
    pub replica: String,
    pub publisher: IngestPublisher,
    pub status: UnitStatus,
    /// `None` where the queue is in this process.
    pub spool: Option<SpoolSettings>,
    /// The most that may wait to be published, in bytes.
    pub waiting: u64,
}

/// The account's balances, once the venue tells them.
async fn account(rest: Rest) -> Frame {
    let mut backoff = Backoff::between(PAUSE, LONGEST_PAUSE);
    loop {
        match rest.account().await {
            Ok(frame) => return frame,
            Err(why) => tracing::warn!("the account's balances are not told yet: {why}"),
        }
        sleep(backoff.pause(Duration::ZERO)).await;
    }
}

/// A publication under way: of how many frames, and what becomes of it. It is not given up halfway.
type Publishing = Pin<Box<dyn Future<Output = (usize, Result<(), BusFault>)> + Send>>;

/// An ingestor at work.
struct Work {
    rest: Rest,
    account: Account,
    replica: String,
    publisher: Arc<IngestPublisher>,
    status: UnitStatus,
    outbox: Outbox,
    unheard: Unheard,
    opened: Arc<AtomicU64>,
    /// `None` while there is no room for what it would tell.
    stream: Option<UserData>,
    looking: JoinSet<Frame>,
    publishing: Option<Publishing>,
    batch: usize,
    backoff: Backoff,
    not_before: Instant,
}

impl Ingestor {
    /// Until asked to stop; then what has come is published, for a few seconds at most.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let Self { rest, account, replica, publisher, status, spool, waiting } = self;
        status.enter(UnitPhase::Recovering);
        let (unheard, opened) = (Unheard::default(), Arc::<AtomicU64>::default());
        let outbox = Outbox::open(spool, waiting).await;
        let (counters, told, count) = (Arc::clone(&outbox.counters), unheard.clone(), Arc::clone(&opened));
        status.tells(move || figures(&counters, &told, &count));
        let work = Work {
            stream: Some(UserData::open_counting(&rest, unheard.clone())),
            publisher: Arc::new(publisher),
            looking: JoinSet::new(),
            publishing: None,
            batch: BATCH,
            backoff: Backoff::between(PAUSE, LONGEST_PAUSE),
            not_before: Instant::now(),
            rest,
            account,
            replica,
            status,
            outbox,
            unheard,
            opened,
        };
        work.run(Stop::new(stop)).await;
    }
}

impl Work {
    async fn run(mut self, mut stop: Stop) {
        let (mut tick, mut ticks) = (interval(TICK), 0_u64);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.publish();
            tokio::select! {
                biased;
                () = stop.asked() => break,
                (count, told) = published(&mut self.publishing) => self.settle(count, told).await,
                () = sleep_until(self.not_before), if self.publishing.is_none() && !self.outbox.is_empty() => {}
                () = until(self.outbox.sync_at()) => self.outbox.sync().await,
                delivery = delivered(&mut self.stream) => match delivery {
                    Some(delivery) => self.take(delivery).await,
                    None => break,
                },
                // One that was aborted is looked for again.
                Some(looked) = self.looking.join_next() => if let Ok(Frame { content_type, bytes }) = looked {
                    let frame = self.frame(FrameKind::Account, self.rest.clock().now(), bytes);
                    self.put(vec![IngestFrame { content_type: content_type.to_owned(), ..frame }]).await;
                },
                _ = tick.tick() => {
                    ticks += 1;
                    self.look_around(ticks.is_multiple_of(ADOPT)).await;
                }
            }
        }
        self.end().await;
    }

    /// Begins the next publication, if there is none and one is due.
    fn publish(&mut self) {
        if self.publishing.is_some() || self.outbox.is_empty() || Instant::now() < self.not_before {
            return;
        }
        let (frames, publisher) = (self.outbox.next(self.batch), Arc::clone(&self.publisher));
        self.publishing = Some(Box::pin(async move { (frames.len(), publisher.publish(&frames).await) }));
    }

    async fn settle(&mut self, count: usize, told: Result<(), BusFault>) {
        self.publishing = None;
        match told {
            Ok(()) => {
                self.outbox.settle(count).await;
                self.status.add(Count::Said, count as u64);
                (self.batch, self.backoff) = (BATCH, Backoff::between(PAUSE, LONGEST_PAUSE));
                self.status.note(self.outbox.trouble.clone());
            }
            // It will never pass, and must not hold up what comes behind it: found one by one.
            Err(BusFault::Unfit { .. }) if count > 1 => self.batch = 1,
            Err(BusFault::Unfit { why }) => {
                tracing::error!("a frame of {} cannot be published and is dropped: {why}", self.account);
                self.outbox.settle(count).await;
            }
            Err(fault) => {
                self.status.add(Count::Retries, 1);
                self.outbox.broker_is_away().await;
                let trouble = self.outbox.trouble.as_ref().map_or_else(String::new, |why| format!("; {why}"));
                let note = format!("{} frames wait for the broker: {fault}{trouble}", self.outbox.len());
                self.status.note(Some(note));
                self.not_before = Instant::now() + self.backoff.pause(Duration::ZERO);
            }
        }
    }

    /// Takes a delivery and all that came with it.
    async fn take(&mut self, first: Delivery) {
        let (mut frames, mut next) = (Vec::new(), Some(first));
        while let Some(delivery) = next {
            match delivery {
                Delivery::Opened(Connected { at, .. }) => {
                    self.opened.fetch_add(1, Relaxed);
                    frames.push(self.frame(FrameKind::Opened, at, Vec::new()));
                    self.looking.abort_all();
                    self.looking.spawn(account(self.rest.clone()));
                    self.status.enter(UnitPhase::Running);
                }
                Delivery::Frame { bytes, received_at } => {
                    self.status.add(Count::Handled, 1);
                    frames.push(self.frame(FrameKind::Account, received_at, bytes));
                }
                Delivery::Away { why } => {
                    tracing::warn!("the stream of {} is away: {why}", self.account);
                    self.status.enter(UnitPhase::CutOff(format!("the stream is away: {why}")));
                }
            }
            let more = self.stream.as_mut().filter(|_| frames.len() < BATCH);
            next = more.and_then(UserData::try_next);
        }
        self.put(frames).await;
    }

    async fn put(&mut self, frames: Vec<IngestFrame>) {
        let Err(Full { left_out }) = self.outbox.put(frames).await else { return };
        let words = format!(
            "{} frames wait for the broker and there is no room for more: the stream of {} is closed until there is, \
             and {left_out} frames or more that this replica had heard are not kept; see to the broker",
            self.outbox.len(),
            self.account
        );
        tracing::error!("{words}");
        self.status.enter(UnitPhase::CutOff(words));
        self.looking.abort_all();
        self.stream = None;
    }

    async fn look_around(&mut self, adopts: bool) {
        self.outbox.tidy().await;
        if adopts && self.outbox.is_empty() {
            self.outbox.adopt().await;
        }
        if self.stream.is_none() && self.outbox.has_room_again() {
            tracing::warn!("the stream of {} is opened again: there is room for its frames", self.account);
            self.stream = Some(UserData::open_counting(&self.rest, self.unheard.clone()));
        }
    }

    async fn end(mut self) {
        self.status.enter(UnitPhase::Stopping);
        self.stream = None;
        let deadline = Instant::now() + FAREWELL;
        while !self.outbox.is_empty() && Instant::now() < deadline {
            self.publish();
            tokio::select! {
                (count, told) = published(&mut self.publishing) => self.settle(count, told).await,
                () = sleep_until(self.not_before.min(deadline)), if self.publishing.is_none() => {}
                () = sleep_until(deadline) => {}
            }
        }
        self.outbox.sync().await;
        self.outbox.tidy().await;
        if !self.outbox.is_empty() {
            tracing::warn!(
                "{} frames were not published any more; {}",
                self.outbox.len(),
                self.outbox.kept()
            );
        }
    }

    fn frame(&self, kind: FrameKind, received_at: Timestamp, bytes: Vec<u8>) -> IngestFrame {
        let opened = self.opened.load(Relaxed);
        IngestFrame {
            account: self.account,
            replica: self.replica.clone(),
            stream: format!("user-data/{opened}"),
            content_type: content::USER_DATA.to_owned(),
            received_at,
            bytes,
            kind,
        }
    }
}

/// What has come of the publication that is under way; never, without one.
async fn published(publishing: &mut Option<Publishing>) -> (usize, Result<(), BusFault>) {
    match publishing {
        Some(publishing) => publishing.await,
        None => pending().await,
    }
}

async fn delivered(stream: &mut Option<UserData>) -> Option<Delivery> {
    match stream {
        Some(stream) => stream.next().await,
        None => pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts, not money")]
fn figures(counters: &Counters, unheard: &Unheard, opened: &AtomicU64) -> Vec<Figure> {
    let figure = |name, help, value| Figure { name, help, value };
    let count = |count: &AtomicU64| count.load(Relaxed) as f64;
    vec![
        figure(
            "tapedeck_ingest_unheard_seconds_total",
            "Time without a live stream since the ingestor began, its first connecting included.",
            unheard.total().as_secs_f64(),
        ),
        figure("tapedeck_ingest_streams_opened_total", "Streams that were subscribed.", count(opened)),
        figure(
            "tapedeck_ingest_waiting_frames",
            "Frames that the broker has not confirmed.",
            count(&counters.waiting),
        ),
        figure(
            "tapedeck_ingest_spool_bytes",
            "The size of the spool on disk.",
            count(&counters.spooled_bytes),
        ),
        figure(
            "tapedeck_ingest_spool_full_total",
            "Times that the stream was closed for want of room.",
            count(&counters.full),
        ),
        figure(
            "tapedeck_ingest_left_out_frames_total",
            "Frames that were not kept for want of room.",
            count(&counters.left_out),
        ),
        figure(
            "tapedeck_ingest_adopted_frames_total",
            "Frames that an earlier process had left in the spool.",
            count(&counters.adopted),
        ),
    ]
}
