//! The channel that a queue is read on, and what of it is in the reader's hands.

use super::{
    Session,
    limits::{ASK, CLOSE, within},
};
use crate::{Batch, BusFault, IngestFrame, Malformed};
use lapin::{Channel, options::BasicAckOptions};
use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) struct Lane {
    pub(super) session: Arc<Session>,
    pub(super) channel: Channel,
    held: Mutex<VecDeque<Held>>,
    /// A batch was dropped: only closing the channel gives it back with everything in its order.
    abandoned: AtomicBool,
}

/// One batch in somebody's hands.
struct Held {
    last: u64,
    done: bool,
}

/// A batch in somebody's hands. Nothing is returned while it is held, however long that takes, up to the broker's own
/// limit (30 minutes unless configured): then the broker closes the channel and they come again, counted as one
/// return of the twenty that they have.
pub struct Receipt {
    lane: Arc<Lane>,
    last: u64,
    acknowledged: bool,
}

impl Lane {
    pub(super) fn new(session: Arc<Session>, channel: Channel) -> Self {
        Self { session, channel, held: Mutex::default(), abandoned: AtomicBool::new(false) }
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.abandoned.load(Ordering::Acquire) && self.session.is_up() && self.channel.status().connected()
    }

    pub(super) fn hand_over(
        self: &Arc<Self>,
        frames: Vec<Result<IngestFrame, Malformed>>,
        last: u64,
    ) -> Batch {
        self.held().push_back(Held { last, done: false });
        Batch::of_rabbit(frames, Receipt { lane: self.clone(), last, acknowledged: false })
    }

    /// The broker takes an acknowledgement for everything up to a delivery, so that waits for those
    /// before.
    fn settled(&self, last: u64) -> Option<u64> {
        let mut held = self.held();
        held.iter_mut().filter(|batch| batch.last == last).for_each(|batch| batch.done = true);
        let mut up_to = None;
        while held.front().is_some_and(|batch| batch.done) {
            up_to = held.pop_front().map(|batch| batch.last);
        }
        up_to
    }

    fn held(&self) -> std::sync::MutexGuard<'_, VecDeque<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives everything back, in its order. A consumer that is cancelled with deliveries in hand
    /// would let later ones overtake them.
    pub(super) async fn close(&self) {
        if self.session.is_up() && self.channel.status().connected() {
            let _ = within(CLOSE, "closing a channel", self.channel.close(200, "OK".into())).await;
        }
    }
}

impl Receipt {
    pub async fn acknowledge(mut self) -> Result<(), BusFault> {
        let lane = self.lane.clone();
        if !lane.is_usable() {
            return Err(BusFault::Lost);
        }
        if let Some(up_to) = lane.settled(self.last) {
            let all = BasicAckOptions { multiple: true };
            let sent = within(ASK, "acknowledging", lane.channel.basic_ack(up_to, all)).await;
            sent.inspect_err(|fault| lane.session.blame(fault))?;
        }
        self.acknowledged = true;
        Ok(())
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if !self.acknowledged {
            self.lane.abandoned.store(true, Ordering::Release);
        }
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt").field("last", &self.last).finish_non_exhaustive()
    }
}
