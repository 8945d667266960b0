//! What the edge remembers of one instrument.

use crate::Config;
use domain::{Direction, Instrument, Interval, Price, Timestamp};
use events::{Breakout, Candle};
use indicators::{Bound, Donchian};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// One instrument's channel and direction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Series {
    /// Whose candles are in the windows.
    interval: Interval,
    highs: Donchian<Price>,
    lows: Donchian<Price>,
    pub direction: Option<Direction>,
}

/// A candle that went beyond the channel.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Broken {
    pub instrument: Instrument,
    /// The candle's close.
    pub price: Price,
    /// When it closed.
    pub at: Timestamp,
    pub long: Option<Breakout>,
    pub short: Option<Breakout>,
}

impl Series {
    pub fn new(config: &Config) -> Self {
        Self {
            interval: config.interval,
            highs: Donchian::new(Bound::Upper, config.long),
            lows: Donchian::new(Bound::Lower, config.short),
            direction: None,
        }
    }

    /// Compares the candle with the channel before it, then takes it in.
    pub fn take(&mut self, config: &Config, candle: &Candle) -> Option<Broken> {
        self.follow(config);
        let breakout = |lookback: NonZeroU32, channel: Price, extreme: Price| Breakout {
            interval: candle.interval,
            lookback: lookback.get(),
            channel,
            extreme,
        };
        let highest = self.highs.extreme().filter(|highest| candle.high > *highest);
        let lowest = self.lows.extreme().filter(|lowest| candle.low < *lowest);
        self.highs.push(candle.high);
        self.lows.push(candle.low);
        if highest.is_none() && lowest.is_none() {
            return None;
        }
        Some(Broken {
            instrument: candle.instrument,
            price: candle.close,
            at: candle.close_time(),
            long: highest.map(|highest| breakout(config.long, highest, candle.high)),
            short: lowest.map(|lowest| breakout(config.short, lowest, candle.low)),
        })
    }

    /// Takes up a changed configuration. The direction stays: a trade may hang on it.
    fn follow(&mut self, config: &Config) {
        if self.interval != config.interval {
            *self = Self { direction: self.direction, ..Self::new(config) };
        }
        if self.highs.length() != config.long {
            self.highs.resize(config.long);
        }
        if self.lows.length() != config.short {
            self.lows.resize(config.short);
        }
    }
}
