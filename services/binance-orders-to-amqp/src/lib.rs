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
//! - While the broker is away frames are kept, up to [`KEPT`]; then no more are read from the venue,
//!   which cuts the connection, and the next `Opened` says that something may be missing.

use bus::{BusFault, FrameKind, IngestFrame, IngestPublisher};
use domain::{Account, Timestamp};
use runtime::distributed::{Count, UnitPhase, UnitStatus, stop::Stop};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use venue_binance::{
    content,
    net::{Connected, Delivery, Frame, Rest, UserData},
};

/// Frames that are kept while the broker is away.
pub const KEPT: usize = 10_000;
/// Frames in one publication.
const BATCH: usize = 256;
/// The first pause after the broker did not take some; each is twice the one before …
const PAUSE: Duration = Duration::from_millis(50);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long what has come is still published after having been asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);

/// One replica.
pub struct Ingestor {
    pub rest: Rest,
    pub account: Account,
    /// Its name; no two that run at one time share it.
    pub replica: String,
    pub publisher: IngestPublisher,
    pub status: UnitStatus,
}

/// The account's balances, once the venue tells them.
async fn account(rest: Rest) -> Frame {
    let mut pause = PAUSE;
    loop {
        match rest.account().await {
            Ok(frame) => return frame,
            Err(why) => tracing::warn!("the account's balances are not told yet: {why}"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// What is to be published.
struct Outbox {
    frames: VecDeque<IngestFrame>,
    /// How many go next.
    batch: usize,
    pause: Duration,
    not_before: Instant,
}

impl Ingestor {
    /// Until asked to stop; then what has come is published, for a few seconds at most.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut stream = UserData::open(&self.rest);
        let mut looking: JoinSet<Frame> = JoinSet::new();
        let mut stop = Stop::new(stop);
        let mut outbox =
            Outbox { frames: VecDeque::new(), batch: BATCH, pause: PAUSE, not_before: Instant::now() };
        let mut connection = "none".to_owned();
        self.status.enter(UnitPhase::Recovering);
        loop {
            tokio::select! {
                biased;
                () = stop.asked() => break,
                // Publishing is not given up halfway: a frame that was sent and not confirmed goes again.
                () = sleep_until(outbox.not_before), if !outbox.frames.is_empty() => {
                    self.publish(&mut outbox).await;
                }
                next = stream.next(), if outbox.frames.len() < KEPT => match next {
                    Some(delivery) => {
                        if matches!(delivery, Delivery::Opened(_)) {
                            looking.abort_all();
                            looking.spawn(account(self.rest.clone()));
                        }
                        self.take(delivery, &mut connection, &mut outbox);
                    }
                    None => break,
                },
                // One that was aborted is looked for again.
                Some(looked) = looking.join_next() => if let Ok(Frame { content_type, bytes }) = looked {
                    let frame = self.frame(FrameKind::Account, &connection, self.rest.clock().now(), bytes);
                    outbox.frames.push_back(IngestFrame { content_type: content_type.to_owned(), ..frame });
                },
            }
        }
        self.status.enter(UnitPhase::Stopping);
        let deadline = Instant::now() + FAREWELL;
        while !outbox.frames.is_empty() && Instant::now() < deadline {
            sleep_until(outbox.not_before).await;
            self.publish(&mut outbox).await;
        }
        if !outbox.frames.is_empty() {
            tracing::warn!(
                "{} frames were not published any more; the other replica has them",
                outbox.frames.len()
            );
        }
    }

    fn take(&self, delivery: Delivery, connection: &mut String, outbox: &mut Outbox) {
        match delivery {
            Delivery::Opened(Connected { connection: number, at, .. }) => {
                *connection = format!("user-data/{number}");
                outbox.frames.push_back(self.frame(FrameKind::Opened, connection, at, Vec::new()));
                self.status.enter(UnitPhase::Running);
            }
            Delivery::Frame { bytes, received_at } => {
                self.status.add(Count::Handled, 1);
                outbox.frames.push_back(self.frame(FrameKind::Account, connection, received_at, bytes));
            }
            Delivery::Away { why } => {
                tracing::warn!("the stream of {} is away: {why}", self.account);
                self.status.enter(UnitPhase::CutOff(format!("the stream is away: {why}")));
            }
        }
    }

    fn frame(&self, kind: FrameKind, stream: &str, received_at: Timestamp, bytes: Vec<u8>) -> IngestFrame {
        IngestFrame {
            account: self.account,
            replica: self.replica.clone(),
            stream: stream.to_owned(),
            content_type: content::USER_DATA.to_owned(),
            received_at,
            bytes,
            kind,
        }
    }

    async fn publish(&self, outbox: &mut Outbox) {
        let count = outbox.frames.len().min(outbox.batch);
        let batch: Vec<IngestFrame> = outbox.frames.iter().take(count).cloned().collect();
        match self.publisher.publish(&batch).await {
            Ok(()) => {
                outbox.frames.drain(..count);
                self.status.add(Count::Said, count as u64);
                (outbox.batch, outbox.pause) = (BATCH, PAUSE);
                self.status.note(None);
            }
            // It will never pass, and must not hold up what comes behind it: found one by one.
            Err(BusFault::Unfit { .. }) if count > 1 => outbox.batch = 1,
            Err(BusFault::Unfit { why }) => {
                tracing::error!("a frame of {} cannot be published and is dropped: {why}", self.account);
                outbox.frames.pop_front();
            }
            Err(fault) => {
                self.status.add(Count::Retries, 1);
                self.status
                    .note(Some(format!("{} frames wait for the broker: {fault}", outbox.frames.len())));
                outbox.not_before = Instant::now() + outbox.pause;
                outbox.pause = (outbox.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
