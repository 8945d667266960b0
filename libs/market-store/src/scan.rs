//! What a whole series is like, found by reading it once.

use crate::{Candles, LeftOut, Place, StoreError};
use domain::{Decimal, Timestamp};
use events::Candle;

/// One more than the most decimals that a `Decimal` holds.
const SCALES: usize = 29;

#[derive(Debug, Clone, Default)]
pub struct Scan {
    pub rows: u64,
    /// Rows that are no candles.
    pub left_out: LeftOut,
    /// Earliest and latest open time.
    pub span: Option<(Timestamp, Timestamp)>,
    prices: Decimals,
    volumes: Decimals,
}

impl Scan {
    /// Reads all of it; `look` sees each candle, and where it stands.
    ///
    /// # Errors
    /// The first row that cannot be read.
    pub fn of(mut candles: Candles, look: &mut dyn FnMut(&Candle, Place<'_>)) -> Result<Self, StoreError> {
        let mut scan = Self::default();
        while let Some(candle) = candles.next().transpose()? {
            scan.take(&candle);
            if let Some(place) = candles.place() {
                look(&candle, place);
            }
        }
        scan.left_out = candles.left_out();
        Ok(scan)
    }

    fn take(&mut self, candle: &Candle) {
        self.rows += 1;
        let at = candle.open_time;
        self.span = Some(self.span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        let prices = [candle.open, candle.high, candle.low, candle.close];
        self.prices.count(prices.map(|p| p.get().scale()).into_iter().max().unwrap_or(0));
        self.volumes.count(candle.volume.scale());
    }

    pub fn price_decimals(&self) -> u32 {
        self.prices.usual()
    }
    pub fn volume_decimals(&self) -> u32 {
        self.volumes.usual()
    }
}

/// How many rows were written with how many decimals, trailing zeros not counted.
#[derive(Debug, Clone, Copy, Default)]
struct Decimals([u64; SCALES]);

impl Decimals {
    fn count(&mut self, scale: u32) {
        self.0[(scale as usize).min(SCALES - 1)] += 1;
    }

    /// The decimals that at least 99 of 100 rows get by with.
    ///
    /// Not the most of any row: series found in the wild have their holes filled with averages, and a
    /// few figures such as `4625.635714285714` would make ticks of 10^-12.
    fn usual(&self) -> u32 {
        let all: u64 = self.0.iter().sum();
        let mut longer = all;
        for (scale, rows) in self.0.iter().enumerate() {
            longer -= rows;
            if longer * 100 <= all {
                return scale as u32;
            }
        }
        0
    }
}

/// `10^-decimals`.
pub fn step(decimals: u32) -> Decimal {
    Decimal::new(1, decimals.min(SCALES as u32 - 1))
}
