//! The recorder's side of the queue `ingest`, and of those where frames can end up.

use super::{
    IngestQueue, frames,
    lane::Lane,
    limits::{IDLE, ask},
    link::Link,
};
use crate::{Batch, BusFault, IngestFrame, Malformed, status::add};
use futures_util::StreamExt;
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    time::{Instant, timeout_at},
};

/// Reads one queue. Whatever ends its channel, the next call opens another.
pub struct IngestConsumer {
    link: Arc<Link>,
    queue: IngestQueue,
    prefetch: u16,
    open: Option<Open>,
}

struct Open {
    lane: Arc<Lane>,
    consumer: Consumer,
    gathered: Vec<Result<IngestFrame, Malformed>>,
    /// The delivery tag of the last one gathered.
    last: u64,
    /// The queue was deleted; what came before that is still good.
    cancelled: bool,
}

impl IngestConsumer {
    pub(super) const fn new(link: Arc<Link>, queue: IngestQueue, prefetch: u16) -> Self {
        Self { link, queue, prefetch, open: None }
    }

    pub async fn next_batch(&mut self, max: usize, linger: Duration) -> Result<Batch, BusFault> {
        if self.open.as_ref().is_some_and(|open| !open.is_usable()) {
            self.shut().await;
        }
        if self.open.is_none() {
            self.open = Some(self.reopen().await?);
        }
        let Some(open) = &mut self.open else { return Ok(Batch::empty()) };
        let first_by = Instant::now() + IDLE;
        let mut by = if open.gathered.is_empty() { first_by } else { Instant::now() + linger };
        while open.gathered.len() < max.max(1) {
            match timeout_at(by, open.consumer.next()).await {
                Ok(Some(Ok(delivery))) => {
                    add(&self.link.counters().received, 1);
                    if open.gathered.is_empty() {
                        by = Instant::now() + linger;
                    }
                    open.gather(delivery);
                }
                Ok(Some(Err(error))) => {
                    // What was gathered comes again on another channel.
                    self.shut().await;
                    return Err(BusFault::Away { why: format!("reading a queue: {error}") });
                }
                Ok(None) => {
                    open.cancelled = true;
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(open.batch())
    }

    async fn reopen(&self) -> Result<Open, BusFault> {
        let session = self.link.session().await?;
        let opened = async {
            // It may have been deleted, with all that it held; then it is made anew.
            self.link.declare(&session).await?;
            let channel = session.channel().await?;
            ask("setting the prefetch", channel.basic_qos(self.prefetch, BasicQosOptions::default())).await?;
            let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
            let consuming = channel.basic_consume(self.queue.name().into(), "".into(), options, arguments);
            let consumer = ask("reading a queue", consuming).await?;
            Ok((channel, consumer))
        };
        let (channel, consumer) = opened.await.inspect_err(|fault| session.blame(fault))?;
        let lane = Arc::new(Lane::new(session.clone(), channel));
        Ok(Open { lane, consumer, gathered: Vec::new(), last: 0, cancelled: false })
    }

    async fn shut(&mut self) {
        if let Some(open) = &self.open {
            open.lane.close().await;
        }
        self.open = None;
    }
}

impl Open {
    fn is_usable(&self) -> bool {
        self.lane.is_usable() && !self.cancelled
    }

    fn gather(&mut self, delivery: Delivery) {
        self.last = delivery.delivery_tag;
        self.gathered.push(frames::frame(delivery));
    }

    fn batch(&mut self) -> Batch {
        if self.gathered.is_empty() {
            return Batch::empty();
        }
        self.lane.hand_over(std::mem::take(&mut self.gathered), self.last)
    }
}

impl Drop for IngestConsumer {
    fn drop(&mut self) {
        // The channel is closed before its consumer is let go, which would cancel it.
        if let (Some(open), Ok(runtime)) = (self.open.take(), Handle::try_current()) {
            runtime.spawn(async move {
                open.lane.close().await;
                drop(open);
            });
        }
    }
}

impl fmt::Debug for IngestConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestConsumer").field("queue", &self.queue).finish_non_exhaustive()
    }
}
