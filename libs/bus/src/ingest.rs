//! Account frames from ingestors to the recorder, on either bus.

use crate::{
    Bus, BusFault, IngestFrame, Malformed,
    in_process::{self, Frames},
    rabbit::{self, IngestQueue},
};
use std::time::Duration;

/// An ingestor's side. Calls may come from several tasks; one is served at a time.
#[derive(Debug)]
pub enum IngestPublisher {
    InProcess(Frames),
    Rabbit(rabbit::IngestPublisher),
}

/// The recorder's side: reads one queue.
#[derive(Debug)]
pub enum IngestConsumer {
    InProcess(Frames, IngestQueue),
    Rabbit(Box<rabbit::IngestConsumer>),
}

/// Some deliveries of one queue, in its order.
///
/// Nothing is returned while it is held. Dropped without [`Self::acknowledge`] they come again at the next call of
/// the consumer, or when that is dropped.
#[derive(Debug)]
pub struct Batch {
    pub frames: Vec<Result<IngestFrame, Malformed>>,
    receipt: Option<Receipt>,
}

#[derive(Debug)]
enum Receipt {
    InProcess(in_process::Receipt),
    Rabbit(rabbit::Receipt),
}

impl Bus {
    pub fn ingest_publisher(&self) -> IngestPublisher {
        match self {
            Self::InProcess(bus) => IngestPublisher::InProcess(bus.frames()),
            Self::Rabbit(rabbit) => rabbit.ingest_publisher(),
        }
    }

    /// At RabbitMQ `prefetch` deliveries at most are on their way or in the caller's hands; make it twice the batch
    /// or more, so that the next one is here while one is being recorded. 0 is taken as 1.
    pub fn ingest_consumer(&self, queue: IngestQueue, prefetch: u16) -> IngestConsumer {
        match self {
            Self::InProcess(bus) => IngestConsumer::InProcess(bus.frames(), queue),
            Self::Rabbit(rabbit) => rabbit.ingest_consumer(queue, prefetch),
        }
    }
}

impl IngestPublisher {
    /// Returns once each of them is in the queue: in a quorum queue of the broker, or in the memory of this process,
    /// where a kill loses what is not recorded by then; the venue is asked for it after the next `Opened`.
    ///
    /// # Errors
    /// Keep the frames and publish all of them again, unchanged: the recorder knows them by their ids.
    /// [`BusFault::Unfit`] will not pass, and names what in the frame is too long.
    pub async fn publish(&self, frames: &[IngestFrame]) -> Result<(), BusFault> {
        match self {
            Self::InProcess(queue) => queue.put(frames),
            Self::Rabbit(publisher) => publisher.publish(frames).await,
        }
    }
}

impl IngestConsumer {
    /// Up to `max` frames: as many as come within `linger` of the first one. When none comes within a second the
    /// batch is empty. May be cancelled at any moment: what was gathered stays for the next call.
    ///
    /// # Errors
    /// Nothing to read from now. Wait a moment and call again.
    pub async fn next_batch(&mut self, max: usize, linger: Duration) -> Result<Batch, BusFault> {
        match self {
            Self::InProcess(queue, IngestQueue::Ingest) => Ok(queue.next_batch(max, linger).await),
            // Within a process no frame is given up, and none goes astray.
            Self::InProcess(_, IngestQueue::Dead | IngestQueue::Unroutable) => {
                tokio::time::sleep(rabbit::IDLE).await;
                Ok(Batch::empty())
            }
            Self::Rabbit(consumer) => consumer.next_batch(max, linger).await,
        }
    }
}

impl Batch {
    pub(crate) const fn empty() -> Self {
        Self { frames: Vec::new(), receipt: None }
    }

    pub(crate) const fn of_rabbit(
        frames: Vec<Result<IngestFrame, Malformed>>,
        receipt: rabbit::Receipt,
    ) -> Self {
        Self { frames, receipt: Some(Receipt::Rabbit(receipt)) }
    }

    pub(crate) fn in_process(frames: Vec<IngestFrame>, receipt: in_process::Receipt) -> Self {
        Self { frames: frames.into_iter().map(Ok).collect(), receipt: Some(Receipt::InProcess(receipt)) }
    }

    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Tells the queue that all of it is safe elsewhere. Call it after the commit, never before.
    ///
    /// # Errors
    /// [`BusFault::Lost`] and any other: they come again, and are known by then.
    pub async fn acknowledge(self) -> Result<(), BusFault> {
        match self.receipt {
            None => Ok(()),
            Some(Receipt::InProcess(receipt)) => {
                receipt.acknowledge();
                Ok(())
            }
            Some(Receipt::Rabbit(receipt)) => receipt.acknowledge().await,
        }
    }
}
