//! Within one process: a bounded broadcast.

use crate::Hint;
use events::Row;
use std::sync::Arc;
use tokio::sync::broadcast::{
    self,
    error::{RecvError, TryRecvError},
};

/// Rows that a subscriber may lie behind before it loses the oldest.
pub const CAPACITY: usize = 1_024;

/// Cheap to clone; all clones are the same bus.
#[derive(Debug, Clone)]
pub struct InProcess(broadcast::Sender<Arc<Row>>);

#[derive(Debug)]
pub struct Subscription(broadcast::Receiver<Arc<Row>>);

impl InProcess {
    /// Room for at least `capacity` rows: it is rounded up to a power of two, and 0 is taken as 1.
    pub fn new(capacity: usize) -> Self {
        Self(broadcast::Sender::new(capacity.clamp(1, 1 << 20)))
    }

    pub(crate) fn publish(&self, committed: impl IntoIterator<Item = Row>) {
        for row in committed {
            // With nobody there to hear it, it is lost, as any hint may be.
            let _ = self.0.send(Arc::new(row));
        }
    }

    pub(crate) fn subscribe(&self) -> Subscription {
        Subscription(self.0.subscribe())
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
