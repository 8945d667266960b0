//! What edges say.

use super::payload;
use domain::{Decimal, Direction, EdgeName, Instrument, Interval, Price, Timestamp};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Where an edge wants to stand from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalDirection {
    Long,
    Short,
    /// Out of the market, whichever way it stood.
    Flat,
}

impl From<Direction> for SignalDirection {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Long => Self::Long,
            Direction::Short => Self::Short,
        }
    }
}

impl SignalDirection {
    /// The direction of a trade that is entered on it; `None` is out of the market.
    pub fn entry(self) -> Option<Direction> {
        match self {
            Self::Long => Some(Direction::Long),
            Self::Short => Some(Direction::Short),
            Self::Flat => None,
        }
    }
}

impl fmt::Display for SignalDirection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry() {
            Some(direction) => direction.fmt(f),
            None => f.write_str("flat"),
        }
    }
}

/// What made a signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    Breakout(Breakout),
    /// Figures of the edge's own, by name: indicators, scores.
    Figures(BTreeMap<String, Decimal>),
}

/// The figures of a breakout: which extreme was broken by what.
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

/// An edge wants to be long, short or flat of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalGiven {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub direction: SignalDirection,
    /// The price that it was given at, such as the close of the candle.
    pub price: Price,
    /// The instant from which it could be known, such as the candle's close.
    pub at: Timestamp,
    pub previous: Option<SignalDirection>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// Where a trade on it is protected, instead of where the edge's configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// Where a trade on it takes its profit, instead of where the edge's configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Price>,
    /// How much the edge trusts it, above 0 and at most 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Decimal>,
    /// No trade is entered on it after this; `None` leaves that to the edge's configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Timestamp>,
    /// A test signal never trades.
    pub test: bool,
}
payload!(
    SignalGiven,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument
);

/// A first sign, with no direction known before it: for a human to judge, never traded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalPossible {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub direction: SignalDirection,
    pub price: Price,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
}
payload!(
    SignalPossible,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument
);

/// The evidence points both ways at once: ignored, the direction stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalAmbiguous {
    pub edge: EdgeName,
    pub instrument: Instrument,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<Evidence>,
}
payload!(
    SignalAmbiguous,
    |e| format!("signal:{}:{}", e.edge, e.instrument),
    at = e.at,
    instrument = e.instrument,
);
