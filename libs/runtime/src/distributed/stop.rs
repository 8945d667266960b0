//! Being asked to stop.

use std::time::Duration;
use tokio::sync::watch;

/// Asked once the value is true, or whoever could ask is gone.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    pub fn new(stop: watch::Receiver<bool>) -> Self {
        Self(stop)
    }

    pub fn receiver(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }

    /// Waits until it is.
    pub async fn asked(&mut self) {
        // An error says that whoever could ask is gone.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Waits that long, or until it is.
    pub async fn or_after(&mut self, pause: Duration) {
        tokio::select! {
            () = self.asked() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }

    /// Waits until it was asked that long ago.
    pub async fn overdue(mut self, limit: Duration) {
        self.asked().await;
        tokio::time::sleep(limit).await;
    }
}
