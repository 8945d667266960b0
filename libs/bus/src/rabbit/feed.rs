//! Hints: the stream `tape`, read once per process and handed to every listener in it.

use super::{limits::HINTS, link::Link, reader::Reader};
use crate::{Hint, status::add};
use events::{Hash, Position, Uuid};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::{
    runtime::Handle,
    sync::{
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
        watch,
    },
};

/// The feeds of a process, by tape. One goes when its last listener does.
#[derive(Default)]
pub(super) struct Feeds(Mutex<BTreeMap<Uuid, Weak<Feed>>>);

pub(super) struct Feed {
    /// The task has the sender: when that ends for good, so do the listeners' hints.
    hints: broadcast::WeakSender<Hint>,
    furthest: Arc<Furthest>,
    link: Arc<Link>,
    /// Dropped with the feed, which ends its task.
    _alive: watch::Sender<()>,
}

/// The furthest row of the tape that came by, for whoever subscribes later.
pub(super) type Furthest = Mutex<Option<(Position, Hash)>>;

/// One listener's end.
pub struct RowSubscription {
    feed: Arc<Feed>,
    hints: broadcast::Receiver<Hint>,
    first: VecDeque<Hint>,
}

impl Feeds {
    pub(super) fn subscribe(&self, tape: Uuid, start: impl FnOnce() -> Feed) -> RowSubscription {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let feed = feeds.get(&tape).and_then(Weak::upgrade).unwrap_or_else(|| {
            let feed = Arc::new(start());
            feeds.insert(tape, Arc::downgrade(&feed));
            feed
        });
        let hints = feed.hints.upgrade().map_or_else(|| broadcast::channel(1).1, |task| task.subscribe());
        let furthest = *feed.furthest.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = furthest.map(|(position, hash)| Hint::Latest { position, hash });
        RowSubscription { feed, hints, first: [Hint::Missed(0)].into_iter().chain(latest).collect() }
    }
}

impl RowSubscription {
    pub(crate) async fn next(&mut self) -> Option<Hint> {
        if let Some(hint) = self.first.pop_front() {
            return Some(hint);
        }
        match self.hints.recv().await {
            Ok(hint) => Some(hint),
            Err(RecvError::Lagged(count)) => Some(self.missed(count)),
            Err(RecvError::Closed) => None,
        }
    }

    pub(crate) fn try_next(&mut self) -> Option<Hint> {
        if let Some(hint) = self.first.pop_front() {
            return Some(hint);
        }
        match self.hints.try_recv() {
            Ok(hint) => Some(hint),
            Err(TryRecvError::Lagged(count)) => Some(self.missed(count)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }

    fn missed(&self, count: u64) -> Hint {
        add(&self.feed.link.counters().overflowed, usize::try_from(count).unwrap_or(usize::MAX));
        Hint::Missed(count)
    }
}

impl Feed {
    pub(super) fn start(runtime: &Handle, link: Arc<Link>, tape: Uuid) -> Self {
        let (hints, _) = broadcast::channel(HINTS);
        let furthest = Arc::<Furthest>::default();
        let (alive, stop) = watch::channel(());
        let reader = Reader {
            tape: tape.hyphenated().to_string(),
            hints,
            furthest: furthest.clone(),
            link: link.clone(),
        };
        let hints = reader.hints.downgrade();
        runtime.spawn(reader.read_for_ever(stop));
        Self { hints, furthest, link, _alive: alive }
    }
}

impl fmt::Debug for RowSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowSubscription").field("furthest", &self.feed.furthest).finish_non_exhaustive()
    }
}
