//! What a feed feeds on: some series of raw candles, each to be taken one by one.

use domain::{Instrument, Interval};
use events::Candle;
use market_store::StoreError;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use thiserror::Error;

/// A source of candles as they are, right or wrong; the gate judges them.
pub trait Market {
    /// In ascending order, each once.
    fn series(&self) -> &[Series];

    /// The next candle of `series()[index]`, in the order of the source; `None` after the last.
    ///
    /// # Errors
    /// The source cannot be read any further.
    fn next(&mut self, index: usize) -> Result<Option<Candle>, MarketError>;
}

/// All candles of one instrument and interval. The order is that of a step: finest first, then by
/// instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    pub interval: Interval,
    pub instrument: Instrument,
}

#[derive(Debug, Error)]
pub enum MarketError {
    #[error("the recorded market cannot be read on: {0}")]
    Recorded(#[from] StoreError),
}

impl Series {
    pub fn of(candle: &Candle) -> Self {
        Self { interval: candle.interval, instrument: candle.instrument }
    }

    /// For people: `BTCUSDT 1d`.
    pub fn name(&self) -> String {
        format!("{} {}", self.instrument.symbol, self.interval)
    }
}

/// Candles given one by one, for tests and benchmarks.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    series: Vec<Series>,
    candles: Vec<VecDeque<Candle>>,
}

impl Memory {
    /// Sorts the candles into their series; within a series they keep their order.
    pub fn new(candles: impl IntoIterator<Item = Candle>) -> Self {
        let mut sorted: BTreeMap<Series, VecDeque<Candle>> = BTreeMap::new();
        for candle in candles {
            sorted.entry(Series::of(&candle)).or_default().push_back(candle);
        }
        let (series, candles) = sorted.into_iter().unzip();
        Self { series, candles }
    }
}

impl Market for Memory {
    fn series(&self) -> &[Series] {
        &self.series
    }
    fn next(&mut self, index: usize) -> Result<Option<Candle>, MarketError> {
        Ok(self.candles[index].pop_front())
    }
}
