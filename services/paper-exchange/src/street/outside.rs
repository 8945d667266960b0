//! What others have on the book: a pure function of the last trade, the step of time and the seed.
//!
//! Levels stand at fixed prices, dense near the last price and sparse away from it, and each changes its
//! size at a rhythm of its own; so from one step to the next only a few change.

use super::{
    path::STEP,
    random::mix,
    units::{self, price},
};
use domain::{Price, Quantity};
use venue_paper::engine::Book;

/// Levels of a side: tick by tick, then on a grid of about 1/20,000 of the price, then of 1/2,000.
const DENSE: i64 = 20;
const SPARSE: i64 = 60;

/// A side's levels, best first: prices and quantities in 10⁻⁸.
pub type Levels = Vec<(u64, u64)>;

/// What a book is made from. Prices, steps and quantities in 10⁻⁸.
#[derive(Debug, Clone, Copy)]
pub struct Crowd {
    pub seed: u64,
    pub tick: u64,
    pub lot: u64,
    /// An ordinary level near the best price, in lots.
    pub lots: u64,
    /// The last trade.
    pub price: u64,
    pub taker_buys: bool,
    pub at: i64,
}

impl Crowd {
    /// Bids and asks.
    pub fn sides(&self) -> (Levels, Levels) {
        let step = self.at.div_euclid(STEP);
        let wide = mix(self.seed ^ step.div_euclid(64) as u64).is_multiple_of(8);
        let spread = 1 + i64::from(wide);
        let tick = self.tick.max(1);
        let (bid, ask) = if self.taker_buys {
            let ask = self.price.div_ceil(tick) as i64;
            (ask - spread, ask)
        } else {
            let bid = (self.price / tick) as i64;
            (bid, bid + spread)
        };
        (self.side(bid, -1, step), self.side(ask, 1, step))
    }

    fn side(&self, best: i64, away: i64, step: i64) -> Levels {
        let mut levels = Vec::with_capacity((DENSE + 2 * SPARSE) as usize);
        let mut put = |ticks: i64, size: u64| {
            let Some(price) =
                u64::try_from(ticks).ok().filter(|&t| t > 0).and_then(|t| t.checked_mul(self.tick))
            else {
                return;
            };
            levels.push((price, self.size(price, away, step, size)));
        };
        for i in 0..DENSE {
            put(best + away * i, 1);
        }
        let mut last = best + away * (DENSE - 1);
        for (parts, size) in [(20_000, 4), (2_000, 16)] {
            let grid = round(best / parts);
            // The next multiple of the grid, further away.
            last = last.div_euclid(grid) * grid
                + if away > 0 {
                    grid
                } else if last % grid == 0 {
                    -grid
                } else {
                    0
                };
            for i in 0..SPARSE {
                put(last + away * i * grid, size);
            }
            last += away * (SPARSE - 1) * grid;
        }
        levels
    }

    fn size(&self, price: u64, away: i64, step: i64, times: u64) -> u64 {
        let place = mix(self.seed ^ price ^ (away as u64).rotate_left(32));
        let rhythm = 8 + (place % 120) as i64;
        let epoch = (step + (place >> 32) as i64).div_euclid(rhythm);
        let percent = 20 + mix(place ^ epoch as u64) % 161;
        let lots = (self.lots.saturating_mul(times * percent) / 100).max(1);
        lots.saturating_mul(self.lot.max(1)).min(i64::MAX as u64)
    }
}

/// The greatest of 1, 2, 5, 10, 20 … that is not beyond it.
fn round(most: i64) -> i64 {
    let mut ten = 1;
    while most / 10 >= ten {
        ten *= 10;
    }
    [5, 2].into_iter().map(|n| n * ten).find(|&n| n <= most).unwrap_or(ten)
}

/// As the matching engine takes it.
pub fn book(sides: &(Levels, Levels)) -> Book {
    let (mut bids, mut asks) = (Side::default(), Side::default());
    bids.set(&sides.0, |known, wanted| known > wanted);
    asks.set(&sides.1, |known, wanted| known < wanted);
    Book { bids: bids.told, asks: asks.told }
}

/// A book as it was told last: what has not changed since need not be put into decimals again.
#[derive(Debug, Default)]
pub struct Told {
    bids: Side,
    asks: Side,
}

#[derive(Debug, Default)]
struct Side {
    levels: Levels,
    told: Vec<(Price, Quantity)>,
}

impl Told {
    /// As the matching engine takes it.
    pub fn book(&mut self, sides: &(Levels, Levels)) -> Book {
        self.bids.set(&sides.0, |known, wanted| known > wanted);
        self.asks.set(&sides.1, |known, wanted| known < wanted);
        Book { bids: self.bids.told.clone(), asks: self.asks.told.clone() }
    }
}

impl Side {
    /// `better` tells which of two prices comes first.
    fn set(&mut self, levels: &Levels, better: impl Fn(u64, u64) -> bool) {
        let mut told = Vec::with_capacity(levels.len());
        let mut kept = Levels::with_capacity(levels.len());
        let mut known = self.levels.iter().zip(&self.told).peekable();
        for &level in levels {
            while known.next_if(|(other, _)| better(other.0, level.0)).is_some() {}
            let same = known.peek().filter(|(other, _)| other.0 == level.0);
            let price = same.map(|(_, (price, _))| *price).or_else(|| price(level.0));
            let quantity = same.filter(|(other, _)| other.1 == level.1).map(|(_, (_, quantity))| *quantity);
            if let (Some(price), Some(quantity)) = (price, quantity.or_else(|| units::quantity(level.1))) {
                told.push((price, quantity));
                kept.push(level);
            }
        }
        (self.levels, self.told) = (kept, told);
    }
}
