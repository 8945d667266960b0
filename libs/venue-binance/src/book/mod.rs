//! A local order book (Binance's "How to manage a local order book correctly", as of 2025-11-12).
//!
//! Invariants:
//! - The book is lent out only while every update since its snapshot has been applied, in order.
//! - A frame that was missed is noticed at the next one; one snapshot is asked for, and until it is
//!   there and joined without a gap, there is no book.
//! - A frame that is stale or comes twice changes nothing.

mod levels;

pub use levels::Levels;

use crate::market::{DepthUpdate, Level, PartialDepth};

/// One symbol's book, kept from the frames of its diff stream and snapshots of REST.
#[derive(Debug)]
pub struct LocalBook {
    state: State,
    /// How often it was built, the first time included.
    pub synchronised: u64,
    /// Frames that changed nothing, for they were stale or came twice.
    pub ignored: u64,
}

#[derive(Debug)]
enum State {
    /// Updates are kept until a snapshot is there.
    Waiting {
        buffer: Vec<Change>,
        asked: bool,
    },
    Live(Book),
}

/// A book that is right as of its last update.
#[derive(Debug, Default)]
pub struct Book {
    pub bids: Levels<true>,
    pub asks: Levels<false>,
    /// The last update that it holds.
    pub update: u64,
}

/// A `depthUpdate` without its symbol.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub first: u64,
    pub last: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

/// What became of a frame, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The book is right, and this is in it.
    Applied,
    /// Stale, or nothing was asked for: nothing changed.
    Ignored,
    /// There is no book yet; a snapshot has been asked for.
    Waiting,
    /// Ask for a snapshot (`limit=5000`), once, and give it to [`LocalBook::snapshot`].
    FetchSnapshot(Because),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// The first frame of the stream.
    Started,
    /// Frames between these two updates were missed.
    Missed { after: u64, before: u64 },
    /// The snapshot is older than the first frame.
    SnapshotTooOld,
    /// The best bid is not below the best ask: something is wrong that no number told.
    Crossed,
}

/// More updates than that are not kept while a snapshot is awaited: ten of them come a second.
const MOST_BUFFERED: usize = 6_000;

impl Default for LocalBook {
    fn default() -> Self {
        Self { state: State::Waiting { buffer: Vec::new(), asked: false }, synchronised: 0, ignored: 0 }
    }
}

impl LocalBook {
    /// The book, if it is right.
    pub fn book(&self) -> Option<&Book> {
        match &self.state {
            State::Live(book) => Some(book),
            State::Waiting { .. } => None,
        }
    }

    /// The stream was opened anew: everything before it is void.
    pub fn reset(&mut self) {
        self.state = State::Waiting { buffer: Vec::new(), asked: false };
    }

    /// A frame of the diff stream.
    pub fn change(&mut self, change: &Change) -> Step {
        match &mut self.state {
            State::Waiting { buffer, asked } => {
                if buffer.len() == MOST_BUFFERED {
                    // A snapshot that joins what is left is fetched when this one proves too old.
                    buffer.clear();
                }
                buffer.push(change.clone());
                if std::mem::replace(asked, true) {
                    Step::Waiting
                } else {
                    Step::FetchSnapshot(Because::Started)
                }
            }
            State::Live(book) => match book.apply(change) {
                Ok(true) => Step::Applied,
                Ok(false) => {
                    self.ignored += 1;
                    Step::Ignored
                }
                Err(because) => {
                    self.state = State::Waiting { buffer: vec![change.clone()], asked: true };
                    Step::FetchSnapshot(because)
                }
            },
        }
    }

    /// The snapshot that was asked for. One that comes late, when there is a book already, is ignored.
    pub fn snapshot(&mut self, snapshot: &PartialDepth) -> Step {
        let State::Waiting { buffer, asked } = &mut self.state else { return Step::Ignored };
        *asked = true;
        let oldest = buffer.iter().map(|change| change.first).min();
        if oldest.is_some_and(|first| snapshot.last.saturating_add(1) < first) {
            return Step::FetchSnapshot(Because::SnapshotTooOld);
        }
        let mut book = Book::of(snapshot);
        // In order, whichever way they came.
        buffer.sort_by_key(|change| change.last);
        for change in &*buffer {
            match book.apply(change) {
                Ok(true) => {}
                Ok(false) => self.ignored += 1,
                Err(because) => {
                    // What came before the gap is of no use to the next snapshot.
                    let update = book.update;
                    buffer.retain(|change| change.last > update);
                    return Step::FetchSnapshot(because);
                }
            }
        }
        self.state = State::Live(book);
        self.synchronised += 1;
        Step::Applied
    }
}

impl Book {
    /// As of a snapshot.
    pub fn of(snapshot: &PartialDepth) -> Self {
        let mut book = Self { update: snapshot.last, ..Self::default() };
        book.bids.set(&snapshot.bids);
        book.asks.set(&snapshot.asks);
        book
    }

    /// Whether it is news; nothing is changed if not, nor if something was missed.
    ///
    /// # Errors
    /// Updates were missed before it, or it leaves the book crossed: the book is of no use then.
    fn apply(&mut self, change: &Change) -> Result<bool, Because> {
        if change.last <= self.update {
            return Ok(false);
        }
        if change.first > self.update.saturating_add(1) {
            return Err(Because::Missed { after: self.update, before: change.first });
        }
        self.bids.set(&change.bids);
        self.asks.set(&change.asks);
        self.update = change.last;
        match (self.bids.best(), self.asks.best()) {
            (Some(bid), Some(ask)) if bid.price >= ask.price => Err(Because::Crossed),
            _ => Ok(true),
        }
    }
}

impl From<DepthUpdate<'_>> for Change {
    fn from(frame: DepthUpdate<'_>) -> Self {
        Self { first: frame.first, last: frame.last, bids: frame.bids, asks: frame.asks }
    }
}
