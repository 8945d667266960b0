//! Frames that are not published yet, in the order in which they came: in memory, and in a [`Spool`] beside it.

use crate::spool::{self, SegmentId, Spool};
use bus::IngestFrame;
use std::{
    collections::VecDeque,
    panic::resume_unwind,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// Where frames are kept while the broker is away.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// One for all that run on this machine: a frame says whose it is.
    pub folder: PathBuf,
    /// What a life begun in it is called; no two have the same name.
    pub life: String,
}

pub(crate) struct Outbox {
    waiting: VecDeque<Waiting>,
    /// Of all that waits, as records.
    bytes: u64,
    limit: u64,
    /// `None` within one process, while a task has it, and where it cannot be used.
    spool: Option<Spool>,
    /// The broker did not take the last that it was given.
    is_away: bool,
    unsynced_since: Option<Instant>,
    /// Why frames are in memory only, though they should not be.
    pub trouble: Option<String>,
    pub counters: Arc<Counters>,
}

struct Waiting {
    frame: IngestFrame,
    bytes: u64,
    segment: Option<SegmentId>,
}

/// What an ingestor tells of its frames.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub waiting: AtomicU64,
    pub spooled_bytes: AtomicU64,
    /// Times that there was no room, frames that were left out over it.
    pub full: AtomicU64,
    pub left_out: AtomicU64,
    /// Frames that an earlier life had left.
    pub adopted: AtomicU64,
}

/// There was no room for all: so many were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full {
    pub left_out: usize,
}

/// How long a frame may wait for the broker before it is made safe from the end of the machine as well.
const UNSYNCED: Duration = Duration::from_millis(200);

impl Outbox {
    pub async fn open(settings: Option<SpoolSettings>, limit: u64) -> Self {
        let mut outbox = Self {
            waiting: VecDeque::new(),
            bytes: 0,
            limit,
            spool: None,
            is_away: false,
            unsynced_since: None,
            trouble: None,
            counters: Arc::default(),
        };
        let Some(SpoolSettings { folder, life }) = settings else { return outbox };
        let shown = folder.display().to_string();
        match blocking(move || Spool::open(&folder, &life, limit)).await {
            Ok(spool) => outbox.spool = Some(spool),
            Err(e) => outbox.suffers(format!("the spool {shown} cannot be used: {e}")),
        }
        outbox.adopt().await;
        outbox
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a stream may be opened again after there was no room.
    pub fn has_room_again(&self) -> bool {
        let spooled = self.spool.as_ref().map_or(0, Spool::bytes);
        self.bytes.max(spooled) <= self.limit / 2
    }

    /// Keeps frames behind all others; on disk, too, before it returns.
    pub async fn put(&mut self, frames: Vec<IngestFrame>) -> Result<(), Full> {
        let (count, mut more, mut fits) = (frames.len(), 0, Vec::with_capacity(frames.len()));
        for frame in frames {
            let bytes = spool::length(&frame);
            let in_memory = self.bytes + more + bytes <= self.limit;
            if !in_memory || self.spool.as_ref().is_some_and(|spool| !spool.has_room(more + bytes)) {
                break;
            }
            more += bytes;
            fits.push(Waiting { frame, bytes, segment: None });
        }
        let left_out = count - fits.len();
        self.bytes += more;
        if !fits.is_empty() {
            self.append(fits).await;
        }
        self.count();
        match left_out {
            0 => Ok(()),
            _ => {
                self.counters.full.fetch_add(1, Relaxed);
                self.counters.left_out.fetch_add(left_out as u64, Relaxed);
                Err(Full { left_out })
            }
        }
    }

    async fn append(&mut self, frames: Vec<Waiting>) {
        if self.spool.is_none() {
            self.waiting.extend(frames);
            return;
        }
        let sync = self.is_away;
        let append = move |spool: &mut Spool| {
            let mut frames = frames;
            let segment = spool.append(frames.iter().map(|waiting| &waiting.frame));
            if let Ok(segment) = &segment {
                frames.iter_mut().for_each(|waiting| waiting.segment = Some(*segment));
            }
            let synced = if sync { spool.sync() } else { Ok(()) };
            (frames, segment.and(synced))
        };
        let Some((frames, kept)) = self.spooled(append).await else { return };
        self.waiting.extend(frames);
        match kept {
            Ok(()) => self.trouble = None,
            Err(e) => self.suffers(format!("the spool cannot be written: {e}")),
        }
        if !sync {
            self.unsynced_since.get_or_insert_with(Instant::now);
        }
    }

    /// On a thread that may wait for a disk; `None` without a spool.
    async fn spooled<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Spool) -> T + Send + 'static,
    ) -> Option<T> {
        let mut spool = self.spool.take()?;
        let (spool, done) = blocking(move || {
            let done = act(&mut spool);
            (spool, done)
        })
        .await;
        self.spool = Some(spool);
        Some(done)
    }

    /// What becomes of what waits when this process ends.
    pub fn kept(&self) -> &'static str {
        match &self.spool {
            Some(_) => "they lie in the spool, and whoever runs on this data folder next publishes them",
            None => "what they tell is asked for when the stream is opened next",
        }
    }

    /// The next frames to be published.
    pub fn next(&self, most: usize) -> Vec<IngestFrame> {
        self.waiting.iter().take(most).map(|waiting| waiting.frame.clone()).collect()
    }

    /// The first so many are published, or given up.
    pub async fn settle(&mut self, count: usize) {
        let settled: Vec<Waiting> = self.waiting.drain(..count).collect();
        self.bytes -= settled.iter().map(|waiting| waiting.bytes).sum::<u64>();
        let segments: Vec<SegmentId> = settled.iter().filter_map(|waiting| waiting.segment).collect();
        self.is_away = false;
        if self.waiting.is_empty() {
            self.unsynced_since = None;
        }
        if !segments.is_empty() {
            let settle = move |spool: &mut Spool| {
                for part in segments.chunk_by(PartialEq::eq) {
                    spool.settle(part[0], part.len());
                }
            };
            self.spooled(settle).await;
        }
        self.count();
    }

    /// The broker has not taken what it was given: what waits is made safe, and what comes is at once.
    pub async fn broker_is_away(&mut self) {
        if !std::mem::replace(&mut self.is_away, true) {
            self.sync().await;
        }
    }

    /// When [`Self::sync`] is due.
    pub fn sync_at(&self) -> Option<Instant> {
        self.unsynced_since.filter(|_| self.spool.is_some()).map(|since| since + UNSYNCED)
    }

    pub async fn sync(&mut self) {
        self.unsynced_since = None;
        if let Some(Err(e)) = self.spooled(Spool::sync).await {
            self.suffers(format!("the spool cannot be written: {e}"));
        }
    }

    /// While nothing waits: deletes what is not needed any more, and looks for what others have left.
    pub async fn tidy(&mut self) {
        if self.is_empty() {
            self.spooled(Spool::tidy).await;
            self.count();
        }
    }

    /// Takes over what lives that are over have left, behind what waits.
    pub async fn adopt(&mut self) {
        match self.spooled(Spool::adopt).await {
            None => {}
            Some(Ok(adopted)) => {
                self.counters.adopted.fetch_add(adopted.len() as u64, Relaxed);
                if !adopted.is_empty() {
                    tracing::warn!(
                        "{} frames that an ingestor has left in the spool are published",
                        adopted.len()
                    );
                }
                for (frame, segment) in adopted {
                    let bytes = spool::length(&frame);
                    self.bytes += bytes;
                    self.waiting.push_back(Waiting { frame, bytes, segment: Some(segment) });
                }
            }
            Some(Err(e)) => {
                self.suffers(format!("what an ingestor has left in the spool cannot be read: {e}"))
            }
        }
        self.count();
    }

    fn suffers(&mut self, trouble: String) {
        if self.trouble.is_none() {
            tracing::error!("{trouble}; frames are in memory only, and a kill would lose them");
        }
        self.trouble = Some(trouble);
    }

    fn count(&self) {
        self.counters.waiting.store(self.waiting.len() as u64, Relaxed);
        self.counters.spooled_bytes.store(self.spool.as_ref().map_or(0, Spool::bytes), Relaxed);
    }
}

async fn blocking<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(act).await {
        Ok(done) => done,
        Err(failed) => resume_unwind(failed.into_panic()),
    }
}
