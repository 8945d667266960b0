//! Within one process: a bounded broadcast of hints, and a bounded queue of account frames.

use crate::{Batch, BusFault, Hint, IngestFrame, rabbit::IDLE};
use events::Row;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{
        Notify,
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
    },
    time::{Instant, timeout_at},
};

/// Rows that a subscriber may lie behind before it loses the oldest.
pub const CAPACITY: usize = 1_024;
/// Frames that may wait to be recorded.
const WAITING: usize = 16_384;

/// Cheap to clone; all clones are the same bus.
#[derive(Debug, Clone)]
pub struct InProcess {
    hints: broadcast::Sender<Arc<Row>>,
    frames: Frames,
}

#[derive(Debug)]
pub struct Subscription(broadcast::Receiver<Arc<Row>>);

/// The queue of account frames. A frame stays in it until it is acknowledged, so a recorder that begins anew is given
/// it again; one recorder at a time reads it, under its lease. Cheap to clone; all clones are the same queue.
#[derive(Debug, Clone, Default)]
pub struct Frames(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<IngestFrame>,
    /// How many have been acknowledged, that is the number of the first one that waits.
    gone: u64,
}

/// Acknowledges a batch, up to the number behind its last frame.
#[derive(Debug)]
pub struct Receipt {
    queue: Frames,
    until: u64,
}

impl InProcess {
    /// Room for at least `capacity` rows: it is rounded up to a power of two, and 0 is taken as 1.
    pub fn new(capacity: usize) -> Self {
        Self { hints: broadcast::Sender::new(capacity.clamp(1, 1 << 20)), frames: Frames::default() }
    }

    pub(crate) fn publish(&self, committed: impl IntoIterator<Item = Row>) {
        for row in committed {
            // With nobody there to hear it, it is lost, as any hint may be.
            let _ = self.hints.send(Arc::new(row));
        }
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        Subscription(self.hints.subscribe())
    }

    pub(crate) fn frames(&self) -> Frames {
        self.frames.clone()
    }
}

impl Frames {
    pub(crate) fn put(&self, frames: &[IngestFrame]) -> Result<(), BusFault> {
        let mut waiting = self.lock();
        if waiting.frames.len() + frames.len() > WAITING {
            return Err(BusFault::Full { waiting: waiting.frames.len() });
        }
        waiting.frames.extend(frames.iter().cloned());
        self.0.came.notify_one();
        Ok(())
    }

    pub(crate) async fn next_batch(&self, max: usize, linger: Duration) -> Batch {
        let mut by = Instant::now() + IDLE;
        let mut begun = false;
        loop {
            let count = self.lock().frames.len();
            if !begun && count > 0 {
                (begun, by) = (true, Instant::now() + linger);
            }
            if count >= max.max(1) || timeout_at(by, self.0.came.notified()).await.is_err() {
                break;
            }
        }
        let waiting = self.lock();
        let frames: Vec<IngestFrame> = waiting.frames.iter().take(max.max(1)).cloned().collect();
        let until = waiting.gone + frames.len() as u64;
        Batch::in_process(frames, Receipt { queue: self.clone(), until })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receipt {
    pub(crate) fn acknowledge(self) {
        let mut waiting = self.queue.lock();
        while waiting.gone < self.until && waiting.frames.pop_front().is_some() {
            waiting.gone += 1;
        }
    }
}

impl Subscription {
    pub(crate) async fn next(&mut self) -> Option<Hint> {
        match self.0.recv().await {
            Ok(row) => Some(Hint::Row(row)),
            Err(RecvError::Lagged(count)) => Some(Hint::Missed(count)),
            Err(RecvError::Closed) => None,
        }
    }

    pub(crate) fn try_next(&mut self) -> Option<Hint> {
        match self.0.try_recv() {
            Ok(row) => Some(Hint::Row(row)),
            Err(TryRecvError::Lagged(count)) => Some(Hint::Missed(count)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}
