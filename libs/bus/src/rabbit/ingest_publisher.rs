//! An ingestor's side of the exchange `ingest`.

use super::{
    frames,
    limits::{CONNECT_WAIT, WINDOW},
    link::Link,
    outbox::Outbox,
};
use crate::{BusFault, IngestFrame};
use std::{fmt, sync::Arc};
use tokio::{sync::Mutex, time::timeout};

/// Publishes raw frames. Calls may come from several tasks; one is served at a time.
pub struct IngestPublisher(Mutex<Outbox>);

impl IngestPublisher {
    pub(super) fn new(publish: Arc<Link>) -> Self {
        Self(Mutex::new(Outbox::new(publish)))
    }

    pub async fn publish(&self, frames: &[IngestFrame]) -> Result<(), BusFault> {
        for window in frames.chunks(WINDOW) {
            let mut outbox = timeout(CONNECT_WAIT * 10, self.0.lock())
                .await
                .map_err(|_| BusFault::TimedOut { what: "publishing other frames" })?;
            outbox.publish(window.iter().map(frames::message)).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for IngestPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IngestPublisher").finish_non_exhaustive()
    }
}
