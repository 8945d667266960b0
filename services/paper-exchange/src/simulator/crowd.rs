//! What others have on the book where nobody has recorded it: a pure function of the last trade, the step of time,
//! the ordinary size and the seed; kept up to date by what changes of it.
//!
//! The shape is that of a recorded book (BTCUSDT of August 2024: one level in about thirty ticks, 7 BTC within one
//! basis point, 50 within ten, at 0.7 BTC traded a second): a large best level, thin ones right behind it, then
//! levels of very different sizes that grow rarer and larger away from the price.
//!
//! Prices are cut into cells of 1, 2, 4 … ticks; each cell holds one level, which is that of one of its two halves.
//! So a level stands where it stands, whatever the price does, and where cells grow every other one goes.
//! A level's size is drawn anew at a rhythm of its own: from one step to the next only a few change.

use super::{
    path::STEP,
    random::{GOLDEN, mix},
};
use domain::Side;

/// Levels of a side: as many as Binance tells of at most.
pub const LEVELS: usize = 5_000;
/// Cells right beside the best price, of each size up to the ordinary one.
const NEAR: i64 = 8;
/// Cells of the ordinary size, and of each larger one.
const FAR: i64 = 600;
/// The ordinary cell is about that part of the price: 0.025 basis points, on BTCUSDT 16 ticks.
const CELLS_IN_PRICE: i64 = 200_000;
/// Beyond so many steps everything is worked out anew.
const LONGEST_CATCH_UP: i64 = 64;
/// Asks end at so many times the price.
const HIGHEST: i64 = 4;

/// What a book is made from. The price and the quantities of its levels are in 10⁻⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The last trade.
    pub price: u64,
    pub taker_buys: bool,
    /// In microseconds.
    pub at: i64,
    /// What is traded in a second, in lots: an ordinary level is about a sixth of it.
    pub lots: u64,
}

#[derive(Debug)]
pub struct Crowd {
    seed: u64,
    tick: u64,
    lot: u64,
    bands: Vec<Band>,
    bids: Half,
    asks: Half,
    seen: Option<Seen>,
}

/// Levels of cells of one size.
#[derive(Debug, Clone, Copy)]
struct Band {
    /// Cells are of 2^class ticks.
    class: u32,
    /// How many of them there are; the last band has what is left.
    cells: i64,
    /// Sizes are drawn every 2^rhythm steps.
    rhythm: u32,
    /// Of the ordinary size, in thousandths.
    size: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    step: i64,
    lots: u64,
}

/// One side. Places are counted in ticks away from zero in the direction away from the other side: those of
/// bids are negative.
#[derive(Debug)]
struct Half {
    seed: u64,
    away: i64,
    /// By band, in ascending order: places and sizes in lots.
    stretches: Vec<Stretch>,
}

#[derive(Debug, Default, Clone)]
struct Stretch {
    /// The first cell.
    first: i64,
    levels: Vec<(i64, u64)>,
}

impl Crowd {
    /// Of a market whose price is about `price`.
    pub fn new(seed: u64, tick: u64, lot: u64, price: u64) -> Self {
        let tick = tick.max(1);
        let bands = bands(i64::try_from(price / tick).unwrap_or(i64::MAX));
        let half = |seed, away| Half { seed, away, stretches: vec![Stretch::default(); bands.len()] };
        let (bids, asks) = (half(mix(seed ^ 1), -1), half(mix(seed ^ 2), 1));
        Self { seed, tick, lot: lot.max(1), bands, bids, asks, seen: None }
    }

    /// Brings it up to date, and tells what has changed: side, price and quantity, zero for what is gone.
    pub fn look(&mut self, look: &Look, mut changed: impl FnMut(Side, u64, u64)) {
        let now = Seen { step: look.at.div_euclid(STEP), lots: look.lots };
        let since = self
            .seen
            .filter(|seen| seen.lots == now.lots && (0..=LONGEST_CATCH_UP).contains(&(now.step - seen.step)));
        self.seen = Some(now);
        let (bid, ask) = self.best(look);
        let (tick, lot) = (self.tick, self.lot);
        for (side, half, best) in [(Side::Buy, &mut self.bids, -bid), (Side::Sell, &mut self.asks, ask)] {
            half.look(&self.bands, best, since.map(|seen| seen.step), now, |place, lots| {
                let price = place.unsigned_abs().saturating_mul(tick);
                changed(side, price, quantity(lots, lot));
            });
        }
    }

    /// What it last was at that price.
    pub fn at(&self, side: Side, price: u64) -> u64 {
        if !price.is_multiple_of(self.tick) {
            return 0;
        }
        let half = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        let place = i64::try_from(price / self.tick).unwrap_or(i64::MAX) * half.away;
        quantity(half.at(&self.bands, place), self.lot)
    }

    /// A side as it was looked at last, the best price first.
    pub fn now(&self, side: Side) -> impl Iterator<Item = (u64, u64)> {
        let half = match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        };
        let levels = half.stretches.iter().flat_map(|stretch| &stretch.levels);
        levels
            .map(|&(place, lots)| (place.unsigned_abs().saturating_mul(self.tick), quantity(lots, self.lot)))
    }

    /// A side as of another moment, the best price first, without being brought up to date.
    pub fn levels(&self, look: &Look, side: Side) -> impl Iterator<Item = (u64, u64)> + use<'_> {
        let now = Seen { step: look.at.div_euclid(STEP), lots: look.lots };
        let (bid, ask) = self.best(look);
        let (half, best) = match side {
            Side::Buy => (&self.bids, -bid),
            Side::Sell => (&self.asks, ask),
        };
        let bounds = bounds(&self.bands, best);
        let cells = self.bands.iter().enumerate().flat_map(move |(n, band)| {
            (bounds[n] >> band.class..bounds[n + 1] >> band.class).map(move |cell| (band, cell))
        });
        cells.map(move |(band, cell)| {
            let (place, lots) = half.level(band, cell, best, now);
            (place.unsigned_abs().saturating_mul(self.tick), quantity(lots, self.lot))
        })
    }

    /// The best prices in ticks: the last trade's, and beside it what the spread leaves.
    fn best(&self, look: &Look) -> (i64, i64) {
        let step = look.at.div_euclid(STEP);
        let wide = mix(self.seed ^ step.div_euclid(64) as u64).is_multiple_of(8);
        let spread = 1 + i64::from(wide);
        if look.taker_buys {
            let ask = look.price.div_ceil(self.tick) as i64;
            (ask - spread, ask)
        } else {
            let bid = (look.price / self.tick) as i64;
            (bid, bid + spread)
        }
    }
}

fn quantity(lots: u64, lot: u64) -> u64 {
    lots.saturating_mul(lot).min(i64::MAX as u64)
}

/// For a price of so many ticks.
fn bands(ticks: i64) -> Vec<Band> {
    let ordinary = (ticks / CELLS_IN_PRICE).max(1).ilog2();
    let near = (0..ordinary).map(|class| Band { class, cells: NEAR, rhythm: 5, size: 150 });
    let mut bands: Vec<Band> = near.collect();
    let mut cells = NEAR * i64::from(ordinary);
    for n in 0.. {
        bands.push(Band { class: ordinary + n, cells: FAR, rhythm: 7 + n, size: 170 + 150 * u64::from(n) });
        cells += FAR;
        if cells >= LEVELS as i64 {
            break;
        }
    }
    bands
}

/// Where each band begins, and where the last one ends. A bound moves on by some cells at a time, not with every
/// tick, and is one of the cells on both its sides.
fn bounds(bands: &[Band], best: i64) -> Vec<i64> {
    let coarsest = bands.last().map_or(0, |band| band.class);
    let limit = match best {
        // Below one tick there is nothing.
        ..0 => 0,
        _ => up(best.saturating_mul(HIGHEST).max(best + FAR), 1 << coarsest),
    };
    let (mut bounds, mut offset) = (Vec::with_capacity(bands.len() + 1), 0);
    for (n, band) in bands.iter().enumerate() {
        let grid = (1 << band.class) * if band.cells == NEAR { NEAR / 2 } else { 16 };
        let begin = if n == 0 { best } else { up(best + offset, grid) };
        bounds.push(begin.min(limit));
        offset += band.cells << band.class;
    }
    let before = bands.iter().zip(bounds.windows(2)).map(|(band, pair)| (pair[1] - pair[0]) >> band.class);
    let left = (LEVELS as i64 - before.sum::<i64>()).max(0);
    let last = bounds.last().copied().unwrap_or(best);
    bounds.push((last + (left << coarsest)).min(limit));
    bounds
}

/// The next multiple of a power of two, itself included.
fn up(place: i64, grid: i64) -> i64 {
    (place + grid - 1) & !(grid - 1)
}

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
/// With which it makes 1.
const INVERSE: u64 = inverse(ODD);

/// By Newton's method, which doubles the bits that are right: five to begin with.
const fn inverse(odd: u64) -> u64 {
    let mut x = odd.wrapping_mul(3) ^ 2;
    let mut n = 0;
    while n < 4 {
        x = x.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(x)));
        n += 1;
    }
    x
}

impl Half {
    fn look(
        &mut self,
        bands: &[Band],
        best: i64,
        since: Option<i64>,
        now: Seen,
        mut changed: impl FnMut(i64, u64),
    ) {
        let bounds = bounds(bands, best);
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for (n, band) in bands.iter().enumerate() {
            let first = bounds[n] >> band.class;
            let count = ((bounds[n + 1] >> band.class) - first).max(0) as usize;
            let known = self.stretches[n].first == first && self.stretches[n].levels.len() == count;
            match since.filter(|_| known) {
                Some(since) => self.redraw(n, band, best, since, now, &mut changed),
                None => {
                    old.append(&mut self.stretches[n].levels);
                    let levels: Vec<_> =
                        (first..).take(count).map(|cell| self.level(band, cell, best, now)).collect();
                    new.extend_from_slice(&levels);
                    self.stretches[n] = Stretch { first, levels };
                }
            }
        }
        differences(&old, &new, changed);
    }

    /// The sizes whose time has come since.
    fn redraw(
        &mut self,
        n: usize,
        band: &Band,
        best: i64,
        since: i64,
        now: Seen,
        changed: &mut impl FnMut(i64, u64),
    ) {
        let period = 1_u64 << band.rhythm;
        for step in since + 1..=now.step {
            // The cells of which `step + phase` is a multiple of the period.
            let cell = (step as u64).wrapping_neg().wrapping_mul(INVERSE);
            let from = cell.wrapping_sub(self.stretches[n].first as u64) & (period - 1);
            let mut place = from as usize;
            while place < self.stretches[n].levels.len() {
                let cell = self.stretches[n].first + place as i64;
                let level = self.level(band, cell, best, now);
                if self.stretches[n].levels[place] != level {
                    self.stretches[n].levels[place] = level;
                    changed(level.0, level.1);
                }
                place += period as usize;
            }
        }
    }

    /// Where the level of a cell stands, and its size in lots.
    fn level(&self, band: &Band, cell: i64, best: i64, now: Seen) -> (i64, u64) {
        let mut place = cell;
        for class in (1..=band.class).rev() {
            let drawn = mix(self.seed ^ (place as u64).wrapping_mul(GOLDEN) ^ u64::from(class));
            place = 2 * place + (drawn & 1) as i64;
        }
        let phase = (cell as u64).wrapping_mul(ODD) & ((1 << band.rhythm) - 1);
        let epoch = (now.step + phase as i64) >> band.rhythm;
        let drawn = mix(self.seed ^ mix(place as u64) ^ (epoch as u64).wrapping_mul(GOLDEN));
        let thousandths = if place == best { 2_000 } else { band.size };
        let lots = u128::from(now.lots) * u128::from(thousandths) * u128::from(times(drawn)) / 1_000_000;
        (place, u64::try_from(lots).unwrap_or(u64::MAX).max(1))
    }

    fn at(&self, bands: &[Band], place: i64) -> u64 {
        for (band, stretch) in bands.iter().zip(&self.stretches) {
            let cell = (place >> band.class) - stretch.first;
            if let Some(level) = usize::try_from(cell).ok().and_then(|cell| stretch.levels.get(cell)) {
                return if level.0 == place { level.1 } else { 0 };
            }
        }
        0
    }
}

/// How a size differs from the ordinary one, in thousandths: many are tiny, few very large; 1.1 on average.
fn times(drawn: u64) -> u64 {
    let within = |least: u64, most: u64| least + (drawn >> 32) % (most - least + 1);
    match drawn % 100 {
        0..40 => within(20, 200),
        40..88 => within(300, 1_700),
        88..98 => within(2_000, 5_000),
        _ => within(8_000, 15_000),
    }
}

/// Tells each place whose size is another one, both in ascending order.
fn differences(old: &[(i64, u64)], new: &[(i64, u64)], mut changed: impl FnMut(i64, u64)) {
    let mut old = old.iter().peekable();
    for &(place, size) in new {
        while let Some((gone, _)) = old.next_if(|(other, _)| *other < place) {
            changed(*gone, 0);
        }
        let before = old.next_if(|(other, _)| *other == place);
        if before.is_none_or(|(_, before)| *before != size) {
            changed(place, size);
        }
    }
    old.for_each(|(gone, _)| changed(*gone, 0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn look(price: u64, step: i64) -> Look {
        Look { price, taker_buys: price.is_multiple_of(3), at: step * STEP, lots: 1 << (16 + step / 5_000) }
    }

    /// Whatever way it came there, a book is what one that was made there is.
    #[test]
    fn what_has_changed_adds_up_to_the_book() {
        for (tick, start) in [(1_000_000, 6_183_763_000_000), (1, 2_400), (10_000, 12_500_000), (100, 900)] {
            let mut crowd = Crowd::new(7, tick, 1_000, start);
            let mut book: [BTreeMap<u64, u64>; 2] = Default::default();
            let (mut price, mut step) = (start / tick, 0);
            let mut changes = 0;
            for n in 0..4_000_u64 {
                let drawn = mix(n ^ tick);
                price = (price + drawn % 7).saturating_sub(3).max(2);
                if drawn.is_multiple_of(97) {
                    price = (price * (95 + (drawn >> 8) % 11) / 100).max(2);
                }
                step += if drawn.is_multiple_of(61) { 700 } else { 1 + (drawn >> 16) as i64 % 3 };
                let now = look(price * tick, step);
                crowd.look(&now, |side, price, quantity| {
                    changes += 1;
                    let levels = &mut book[usize::from(side == Side::Sell)];
                    if quantity == 0 {
                        levels.remove(&price)
                    } else {
                        levels.insert(price, quantity)
                    };
                });
                if n % 250 != 0 {
                    continue;
                }
                let (bids, asks) = (&book[0], &book[1]);
                let fresh = Crowd::new(7, tick, 1_000, start);
                assert!(
                    bids.iter().rev().map(|(p, q)| (*p, *q)).eq(fresh.levels(&now, Side::Buy)),
                    "{now:?}"
                );
                assert!(asks.iter().map(|(p, q)| (*p, *q)).eq(fresh.levels(&now, Side::Sell)), "{now:?}");
                for (side, levels) in [(Side::Buy, bids), (Side::Sell, asks)] {
                    for (price, quantity) in levels.iter().step_by(97) {
                        assert_eq!(crowd.at(side, *price), *quantity);
                    }
                }
                assert!(bids.last_key_value() < asks.first_key_value());
                let below = usize::try_from(price).unwrap_or(usize::MAX);
                assert!(asks.len() == LEVELS || price < 10_000, "{} asks", asks.len());
                assert!(bids.len() == LEVELS || bids.len() <= below, "{} bids", bids.len());
            }
            assert!(changes > 20_000, "{changes}");
        }
    }

    #[test]
    fn the_inverse_is_one() {
        assert_eq!(ODD.wrapping_mul(INVERSE), 1);
    }
}
