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
    /// When its first candle was heard. Those that had closed before are history: learned, and not judged.
    begun: Timestamp,
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
    pub fn new(config: &Config, now: Timestamp) -> Self {
        Self {
            interval: config.interval,
            highs: Donchian::new(Bound::Upper, config.long),
            lows: Donchian::new(Bound::Lower, config.short),
            direction: None,
            begun: now,
        }
    }

    /// Compares the candle with the channel before it, then takes it in.
    pub fn take(&mut self, config: &Config, now: Timestamp, candle: &Candle) -> Option<Broken> {
        self.follow(config, now);
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
        if candle.close_time() < self.begun {
            match (highest, lowest) {
                (Some(_), None) => self.direction = Some(Direction::Long),
                (None, Some(_)) => self.direction = Some(Direction::Short),
                (Some(_), Some(_)) | (None, None) => {}
            }
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
    fn follow(&mut self, config: &Config, now: Timestamp) {
        if self.interval != config.interval {
            *self = Self { direction: self.direction, ..Self::new(config, now) };
        }
        if self.highs.length() != config.long {
            self.highs.resize(config.long);
        }
        if self.lows.length() != config.short {
            self.lows.resize(config.short);
        }
    }
}
