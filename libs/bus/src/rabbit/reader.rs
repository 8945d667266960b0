//! The task that reads the stream `tape` for a feed, and attaches anew for as long as anybody listens.

use super::{
    Session,
    feed::Furthest,
    limits::{ACKNOWLEDGE_EVERY, BACKOFF, CLOSE, QUIET, SETTLE, TICK, ask, within},
    link::Link,
    rows,
    tape_publisher::attach,
};
use crate::{BusFault, Hint, status::add};
use events::{Hash, Position};
use futures_util::StreamExt;
use lapin::{Channel, Consumer, message::Delivery, options::BasicAckOptions};
use std::sync::{Arc, PoisonError};
use tokio::{
    sync::{broadcast, watch},
    time::{Instant, interval, sleep, sleep_until},
};

/// The task behind a feed.
pub(super) struct Reader {
    pub(super) tape: String,
    pub(super) hints: broadcast::Sender<Hint>,
    pub(super) furthest: Arc<Furthest>,
    pub(super) link: Arc<Link>,
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
    pub(super) async fn read_for_ever(self, mut stop: watch::Receiver<()>) {
        // The feed is gone when its sender is.
        let gone = async { while stop.changed().await.is_ok() {} };
        tokio::pin!(gone);
        let mut pause = BACKOFF.0;
        while !self.link.is_closing() {
            let began = Instant::now();
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
            if began.elapsed() > BACKOFF.1 {
                pause = BACKOFF.0;
            }
            tokio::select! {
                // After a restart the broker finds its streams last.
                () = sleep(pause) => pause = (pause * 2).min(BACKOFF.1),
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
        let mut settling = Some(Settling::new());
        loop {
            let settled = settling.as_ref().and_then(Settling::over_at);
            tokio::select! {
                delivery = attached.consumer.next() => {
                    let Some(delivery) = delivery else { return Ok(()) };
                    let delivery = delivery
                        .map_err(|error| BusFault::Away { why: format!("reading the stream: {error}") })?;
                    attached.note(&delivery).await?;
                    let seen = self.pass_on(delivery);
                    match (&mut settling, seen) {
                        (Some(settling), seen) => settling.note(seen),
                        (None, Some(seen)) => self.has_come(seen),
                        (None, None) => {}
                    }
                }
                () = until(settled) => {
                    match &mut settling {
                        // The first row of an empty stream, coming just then, may be given to nobody.
                        Some(waiting) if waiting.came.is_none() => {
                            waiting.reminded = true;
                            self.tell(Hint::Missed(0));
                        }
                        done => {
                            if let Some((position, hash)) = done.take().and_then(|d| d.furthest) {
                                self.has_come((position, hash));
                                self.tell(Hint::Latest { position, hash });
                            }
                        }
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
        self.tell(Hint::Row(Arc::new(row)));
        Some(place)
    }

    /// For whoever subscribes later. Of an attach it is the end of the last chunk, never its middle.
    fn has_come(&self, place: (Position, Hash)) {
        further(&mut self.furthest.lock().unwrap_or_else(PoisonError::into_inner), place);
    }

    fn tell(&self, hint: Hint) {
        // With nobody there to hear it, it is lost, as any hint may be.
        let _ = self.hints.send(hint);
    }
}

/// The time after an attach in which the last chunk comes: old rows, then the newest.
struct Settling {
    since: Instant,
    /// Nothing had come for a while, and the listeners were told to look.
    reminded: bool,
    /// The first and the last delivery.
    came: Option<(Instant, Instant)>,
    furthest: Option<(Position, Hash)>,
}

impl Settling {
    fn new() -> Self {
        Self { since: Instant::now(), reminded: false, came: None, furthest: None }
    }

    fn note(&mut self, seen: Option<(Position, Hash)>) {
        let now = Instant::now();
        self.came = Some((self.came.map_or(now, |(first, _)| first), now));
        if let Some(seen) = seen {
            further(&mut self.furthest, seen);
        }
    }

    fn over_at(&self) -> Option<Instant> {
        match self.came {
            Some((first, last)) => Some((first + SETTLE).min(last + QUIET)),
            None => (!self.reminded).then(|| self.since + SETTLE),
        }
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
