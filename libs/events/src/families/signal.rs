//! What edges say.

use super::payload;
use domain::{Direction, EdgeName, Instrument, Interval, Price, Timestamp};
use serde::{Deserialize, Serialize};

/// The figures that made a signal: which extreme was broken by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breakout {
    pub interval: Interval,
    /// How many candles the channel spans.
    pub lookback: u32,
    /// The channel's edge before this candle.
    pub channel: Price,
    /// The candle's high (long) or low (short) that went beyond it.
    pub extreme: Price,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalGiven {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub direction: Direction,
    /// The close of the candle that gave it.
    pub price: Price,
    /// The instant from which it could be known: the candle's close.
    pub at: Timestamp,
    pub previous: Option<Direction>,
    pub breakout: Breakout,
    /// A test signal never trades.
    pub test: bool,
}
payload!(
    SignalGiven,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument
);

/// A first extreme, with no direction known before it: for a human to judge, never traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalPossible {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub direction: Direction,
    pub price: Price,
    pub at: Timestamp,
    pub breakout: Breakout,
}
payload!(
    SignalPossible,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument
);

/// One candle broke both extremes: ignored, the direction stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalAmbiguous {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub at: Timestamp,
    pub long: Breakout,
    pub short: Breakout,
}
payload!(
    SignalAmbiguous,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument,
);
