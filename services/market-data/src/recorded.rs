//! A recorded market, streamed from disk in constant memory.

use crate::{Market, MarketError, Series};
use events::Candle;
use market_store::{Ahead, Candles, SeriesInfo, Store, StoreError};

/// A series of fewer rows is read as fast as a thread starts.
const WORTH_A_THREAD: u64 = 10_000;
/// With more series than this none is read ahead, so that threads and memory stay few.
const MOST_AHEAD: usize = 16;

type Reader = Box<dyn Iterator<Item = Result<Candle, StoreError>> + Send>;

/// The candles of a [`Store`]; long series are read some way ahead of the market.
pub struct Recorded {
    series: Vec<Series>,
    candles: Vec<Reader>,
}

impl Recorded {
    pub fn new(store: &Store) -> Self {
        let ahead = store.series.len() <= MOST_AHEAD;
        let mut sorted: Vec<(Series, Reader)> = store
            .series
            .iter()
            .map(|s| (Series { interval: s.interval, instrument: s.instrument }, reader(s, ahead)))
            .collect();
        sorted.sort_by_key(|(series, _)| *series);
        let (series, candles) = sorted.into_iter().unzip();
        Self { series, candles }
    }
}

fn reader(series: &SeriesInfo, ahead: bool) -> Reader {
    let candles: Candles = series.read();
    if ahead && series.rows >= WORTH_A_THREAD { Box::new(Ahead::new(candles)) } else { Box::new(candles) }
}

impl Market for Recorded {
    fn series(&self) -> &[Series] {
        &self.series
    }
    fn next(&mut self, index: usize) -> Result<Option<Candle>, MarketError> {
        Ok(self.candles[index].next().transpose()?)
    }
}
