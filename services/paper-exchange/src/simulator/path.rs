//! The way of a price through one candle: it opens, touches high and low, and closes exactly as the
//! candle says, and trades about its volume.
//!
//! The same seed, symbol and candle give the same way, whoever looks on and when.

use super::random::Random;

/// The market moves once in so many microseconds at most.
pub const STEP: i64 = 100_000;

/// Steps from one trade to the next, on average, where the volume allows it: a trade every 0.85 s.
const MEAN_GAP: i64 = 17;

/// What the way keeps to. Prices in 10⁻⁸, times in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub from: i64,
    pub to: i64,
    pub open: u64,
    pub high: u64,
    pub low: u64,
    pub close: u64,
    /// In lots.
    pub lots: u64,
    /// Whether high and low must be touched; if not they only bound it.
    pub touch: bool,
}

#[derive(Debug, Clone)]
pub struct Path {
    shape: Shape,
    random: Random,
    /// The size of a price tick; only where the candle itself lies beside the grid, so does the way.
    tick: u64,
    /// Steps and prices still to be met, in order; the last one is the close.
    anchors: [(i64, u64); 4],
    met: usize,
    /// The step of the next trade, counted from `from`.
    step: i64,
    price: u64,
    lots: u64,
}

/// A taker's trades at one instant: a price, and quantities in lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    pub at: i64,
    pub price: u64,
    pub taker_buys: bool,
    /// The first so many count.
    pub lots: [u64; 3],
    pub count: usize,
}

impl Path {
    pub fn new(shape: Shape, tick: u64, mut random: Random) -> Self {
        let steps = ((shape.to - shape.from) / STEP).max(4);
        let (a, b) = (1 + random.below((steps / 2 - 1).max(1) as u64) as i64, steps / 2);
        let b = b + random.below((steps - 1 - b).max(1) as u64) as i64;
        // A candle that ends above its open has more often been below first.
        let low_first = random.one_in(3) != (shape.close >= shape.open);
        let (one, other) = if low_first { (shape.low, shape.high) } else { (shape.high, shape.low) };
        let close = (steps - 1, shape.close);
        let (anchors, met) = if shape.touch {
            ([(0, shape.open), (a, one), (b, other), close], 0)
        } else {
            ([(0, shape.open), (0, shape.open), (0, shape.open), close], 2)
        };
        Self { shape, random, tick: tick.max(1), anchors, met, step: 0, price: shape.open, lots: shape.lots }
    }

    /// When it is over.
    pub fn end(&self) -> i64 {
        self.shape.to
    }

    /// When it trades next; `None` once it has closed.
    pub fn next_at(&self) -> Option<i64> {
        (self.met < self.anchors.len()).then(|| self.shape.from + self.step * STEP)
    }

    /// The trades of that instant.
    pub fn trade(&mut self, before: u64) -> Burst {
        let at = self.shape.from + self.step * STEP;
        while self.anchors.get(self.met).is_some_and(|anchor| anchor.0 <= self.step) {
            self.price = self.anchors[self.met].1;
            self.met += 1;
        }
        let price = self.price;
        let taker_buys = if price == before { self.random.one_in(2) } else { price > before };
        let lots = self.share();
        let (count, lots) = self.split(lots);
        self.go_on();
        Burst { at, price, taker_buys, lots, count }
    }

    /// How much is traded now: about an even share of what is left, and at the close all of it.
    fn share(&mut self) -> u64 {
        let Some(close) = self.anchors.get(self.met..).and_then(<[_]>::last) else { return self.lots.max(1) };
        let left = (close.0 - self.step).max(1) as u64;
        let trades = (left * 2 / MEAN_GAP as u64).clamp(1, self.lots.max(1)) + 1;
        let even = self.lots / trades;
        let share = even / 5 + self.random.below(even.saturating_mul(2) - even / 5 * 2 + 1);
        let share = share.clamp(1, self.lots.max(1));
        self.lots -= share.min(self.lots);
        share
    }

    fn split(&mut self, lots: u64) -> (usize, [u64; 3]) {
        match self.random.below(10) {
            0 if lots >= 3 => {
                let one = 1 + self.random.below(lots - 2);
                let two = 1 + self.random.below(lots - one - 1);
                (3, [one, two, lots - one - two])
            }
            1 | 2 if lots >= 2 => {
                let one = 1 + self.random.below(lots - 1);
                (2, [one, lots - one, 0])
            }
            _ => (1, [lots, 0, 0]),
        }
    }

    /// To the next step and price.
    fn go_on(&mut self) {
        let Some(&(step, target)) = self.anchors.get(self.met) else { return };
        let last = self.anchors[self.anchors.len() - 1].0;
        // Where there is little to trade, trades are rare.
        let mean = ((last - self.step) * 2 / self.lots.max(1) as i64).max(MEAN_GAP);
        let gap = if self.lots == 0 { i64::MAX } else { 1 + self.random.below(mean as u64 - 1) as i64 };
        if gap >= step - self.step {
            self.step = step;
            return;
        }
        let towards =
            (i128::from(target) - i128::from(self.price)) * i128::from(gap) / i128::from(step - self.step);
        let range = u128::from(self.shape.high - self.shape.low);
        let steps = (self.shape.to - self.shape.from) / STEP;
        // A random walk of that many steps covers about the range.
        let most = range * u128::from((gap as u64 * 1_000_000 / steps.max(1) as u64).isqrt()) / 1_000;
        let most = u64::try_from(most).unwrap_or(u64::MAX / 4).min(u64::MAX / 4) as i64;
        let noise = self.random.within(-most, most);
        let price = i128::from(self.price) + towards + i128::from(noise);
        let price = u64::try_from(price.max(0)).unwrap_or(u64::MAX);
        let price = price.saturating_add(self.tick / 2) / self.tick * self.tick;
        self.price = price.clamp(self.shape.low, self.shape.high);
        self.step += gap;
    }
}
