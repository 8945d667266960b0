//! What was recorded of a market, message by message.

use std::fmt;

/// Prices and quantities in 10⁻⁸; a quantity of zero means that the level is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The book as it stood after that update.
    Snapshot {
        last: u64,
        bids: Vec<(u64, u64)>,
        asks: Vec<(u64, u64)>,
    },
    Diff {
        last: u64,
        bids: Vec<(u64, u64)>,
        asks: Vec<(u64, u64)>,
    },
    Trade {
        id: u64,
        price: u64,
        quantity: u64,
        taker_buys: bool,
    },
    /// The recording is over, and another second with it.
    Silence,
}

/// Messages in the order in which they came; after the last one, silence.
pub struct Tape {
    said: Box<dyn Iterator<Item = (i64, Said)> + Send>,
    end: i64,
    /// Seconds since the end.
    over: i64,
    next: Option<(i64, Said)>,
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape").field("end", &self.end).field("next", &self.next).finish_non_exhaustive()
    }
}

impl Tape {
    /// Messages with their times, which ascend until `end`; in microseconds.
    pub fn new(said: Box<dyn Iterator<Item = (i64, Said)> + Send>, end: i64) -> Self {
        Self { said, end, over: 0, next: None }
    }

    /// When the next message comes.
    pub fn next_at(&mut self) -> i64 {
        self.peek().0
    }

    /// The next message.
    pub fn take(&mut self) -> (i64, Said) {
        self.peek();
        self.next.take().unwrap_or((self.end, Said::Silence))
    }

    fn peek(&mut self) -> &(i64, Said) {
        let next = match self.next.take() {
            Some(next) => next,
            None => self.said.next().unwrap_or_else(|| {
                self.over += 1;
                (self.end + self.over * 1_000_000, Said::Silence)
            }),
        };
        self.next.insert(next)
    }
}
