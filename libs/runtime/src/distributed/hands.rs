//! A sink's hands: what does its I/O, and how that comes back onto the tape ([`service::News`]).

use service::{Back, Host, News};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc};

/// The two ends of a sink's hands. Cheap to clone.
#[derive(Clone)]
pub struct Hands {
    /// Called by whoever speaks for the unit, with its state; must not wait.
    pub told: Arc<Tell>,
    /// What they bring back.
    pub back: Arc<Mutex<mpsc::Receiver<Back>>>,
}

/// Tells hands something.
pub type Tell = dyn Fn(&Host, News) + Send + Sync;
