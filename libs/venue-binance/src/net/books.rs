//! Local order books, kept by a task from a diff stream and snapshots (Binance's `web-socket-streams.md`, "How to
//! manage a local order book correctly").
//!
//! Invariant: a book is lent out only while it holds every update since its snapshot and its connection is up.

use super::{Rest, Streams, rest::CallError, streams::TooManyStreams};
use crate::{
    book::{Because, Book, LocalBook, Step},
    market::{self, Message, PartialDepth},
};
use domain::{Symbol, Timestamp};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use venue_net::{Backoff, Delivery};

/// One symbol's book; its task ends when this is dropped.
pub struct Books {
    kept: Arc<RwLock<Kept>>,
    news: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    book: LocalBook,
    /// When the last frame of the stream came.
    heard: Timestamp,
    /// Which of the stream's connections, and of its gaps: a snapshot that was asked for before is void.
    epoch: u64,
    snapshots: u64,
}

/// What a book's keeper has been through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How often the book was built, the first time included.
    pub synchronised: u64,
    /// Frames that changed nothing, for they were stale or came twice.
    pub ignored: u64,
    /// Snapshots asked for.
    pub snapshots: u64,
    pub is_healthy: bool,
}

/// The largest snapshot that there is.
const LEVELS: u32 = 5_000;

impl Books {
    /// Starts keeping the book of a symbol. Needs a runtime to be in.
    ///
    /// # Errors
    /// Never for one symbol.
    pub fn open(rest: &Rest, symbol: Symbol) -> Result<Self, TooManyStreams> {
        let stream = format!("{}@depth@100ms", symbol.to_lowercase());
        let streams = Streams::open(rest, vec![stream])?;
        let kept = Arc::new(RwLock::new(Kept::default()));
        let (told, news) = watch::channel(0);
        let keeper = Keeper { rest: rest.clone(), symbol, kept: Arc::clone(&kept), told };
        Ok(Self { kept, news, task: tokio::spawn(keeper.run(streams)) })
    }

    /// Lends the book out, with the time of the last frame, if it is right.
    pub fn with<T>(&self, read: impl FnOnce(&Book, Timestamp) -> T) -> Option<T> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.book.book().map(|book| read(book, kept.heard))
    }

    pub fn standing(&self) -> Standing {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        Standing {
            synchronised: kept.book.synchronised,
            ignored: kept.book.ignored,
            snapshots: kept.snapshots,
            is_healthy: kept.book.book().is_some(),
        }
    }

    /// Waits until something has changed since the last call.
    pub async fn changed(&mut self) {
        if self.news.changed().await.is_err() {
            // Its task is gone: nothing will ever change.
            std::future::pending().await
        }
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Keeper {
    rest: Rest,
    symbol: Symbol,
    kept: Arc<RwLock<Kept>>,
    told: watch::Sender<u64>,
}

/// A snapshot on its way, and for which epoch.
type Fetch = JoinHandle<(u64, Result<PartialDepth, CallError>)>;

impl Keeper {
    async fn run(self, mut streams: Streams) {
        let mut fetch: Option<Fetch> = None;
        let mut backoff = Backoff::new(self.rest.timeouts());
        loop {
            let step = tokio::select! {
                delivery = streams.next() => match delivery {
                    Some(delivery) => self.hear(delivery),
                    None => return,
                },
                fetched = of(&mut fetch) => self.fetched(fetched),
            };
            self.told.send_modify(|n| *n += 1);
            if let Step::FetchSnapshot(because) = step {
                tracing::debug!("{}: a snapshot is needed: {because:?}", self.symbol);
                let pause = match because {
                    Because::Started | Because::Missed { .. } => Duration::ZERO,
                    // Another one at once would be no younger.
                    Because::SnapshotTooOld | Because::Crossed => backoff.pause(Duration::ZERO),
                };
                if let Some(before) = fetch.replace(self.fetch(pause)) {
                    before.abort();
                }
            }
        }
    }

    fn hear(&self, delivery: Delivery) -> Step {
        self.change(|kept| match delivery {
            Delivery::Opened(_) | Delivery::Away { .. } => {
                kept.epoch += 1;
                kept.book.reset();
                Step::Ignored
            }
            Delivery::Frame { bytes, received_at } => {
                kept.heard = received_at;
                match market::decode(&bytes).map(|frame| frame.message) {
                    Ok(Message::DepthUpdate(update)) if *update.symbol == *self.symbol => {
                        kept.book.change(&update.into())
                    }
                    Ok(_) => Step::Ignored,
                    Err(why) => {
                        // What it said is missing: as good as a gap.
                        tracing::warn!("{}: a frame of the book cannot be read: {why}", self.symbol);
                        kept.epoch += 1;
                        kept.book.reset();
                        Step::Ignored
                    }
                }
            }
        })
    }

    fn fetched(&self, (epoch, fetched): (u64, Result<PartialDepth, CallError>)) -> Step {
        match fetched {
            Ok(snapshot) => self.change(|kept| match epoch == kept.epoch {
                true => kept.book.snapshot(&snapshot),
                false => Step::Ignored,
            }),
            Err(why) => {
                tracing::warn!("{}: no snapshot of the book: {why}", self.symbol);
                Step::FetchSnapshot(Because::SnapshotTooOld)
            }
        }
    }

    fn fetch(&self, pause: Duration) -> Fetch {
        let epoch = self.change(|kept| {
            kept.snapshots += 1;
            kept.epoch
        });
        let (rest, symbol) = (self.rest.clone(), self.symbol);
        tokio::spawn(async move {
            sleep(pause).await;
            (epoch, rest.depth(symbol, LEVELS).await)
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What was fetched; never, while nothing is.
async fn of(fetch: &mut Option<Fetch>) -> (u64, Result<PartialDepth, CallError>) {
    loop {
        let Some(running) = fetch else { std::future::pending().await };
        let done = running.await;
        *fetch = None;
        // One that was ended has been replaced, or panicked: nothing was fetched.
        if let Ok(done) = done {
            return done;
        }
    }
}
