//! Where candles come from: read just far enough ahead that the finest of them is known when its time comes.

use super::span::{DAY, micros};
use domain::Timestamp;
use events::Candle;
use std::iter::Peekable;

/// Candles in the order of their close, with their times shifted.
pub struct Supply {
    candles: Peekable<Box<dyn Iterator<Item = Candle> + Send>>,
    /// Microseconds.
    shift: i64,
    /// The longest candle seen so far, in microseconds: one that covers an instant closes at most so much later.
    longest: i64,
}

impl Supply {
    pub fn new(candles: Box<dyn Iterator<Item = Candle> + Send>, shift: i64) -> Self {
        Self { candles: candles.peekable(), shift, longest: DAY }
    }

    /// The next one, if what is known does not yet suffice to lead a price until `until`.
    pub fn next(&mut self, until: i64) -> Option<Candle> {
        let next = self.candles.peek()?;
        if next.close_time().micros().saturating_add(self.shift) > until.saturating_add(self.longest) {
            return None;
        }
        let mut candle = self.candles.next()?;
        self.longest = self.longest.max(micros(candle.interval));
        candle.open_time = Timestamp::from_micros(candle.open_time.micros().saturating_add(self.shift));
        Some(candle)
    }
}
