//! Market data that is decided upon.

use super::payload;
use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Quantity, Side, Timestamp};
use serde::{Deserialize, Serialize};

/// The venue's rules for an instrument, as they are from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentListed {
    pub instrument: Instrument,
    pub rules: Box<InstrumentRules>,
}
payload!(InstrumentListed, |e| format!("instrument:{}", e.instrument), instrument = e.instrument);

/// One bar of one series. Invariant: `low ≤ open, close ≤ high`, `volume ≥ 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candle {
    pub instrument: Instrument,
    pub interval: Interval,
    pub open_time: Timestamp,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    /// Base asset traded.
    pub volume: Decimal,
}

impl Candle {
    /// The instant at which it closed, that is at which the next one opens.
    pub fn close_time(&self) -> Timestamp {
        self.interval.close_of(self.open_time)
    }
    /// `low ≤ open, close ≤ high` and no negative volume.
    pub fn is_consistent(&self) -> bool {
        self.low <= self.open
            && self.low <= self.close
            && self.open <= self.high
            && self.close <= self.high
            && !self.volume.is_sign_negative()
    }
}

/// A whole candle, next in its series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CandleClosed {
    pub candle: Candle,
}
payload!(
    CandleClosed,
    |e| format!("candle:{}:{}", e.candle.instrument, e.candle.interval),
    at = e.candle.close_time(),
    instrument = e.candle.instrument,
);

/// Candles that the source does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleMissing {
    pub instrument: Instrument,
    pub interval: Interval,
    /// Open time of the first missing one.
    pub from: Timestamp,
    /// Open time of the next present one.
    pub until: Timestamp,
    pub count: u64,
}
payload!(CandleMissing, |e| format!("candle:{}:{}", e.instrument, e.interval), instrument = e.instrument);

/// A second copy of a candle says something else. Heard by no edge: what was decided stays decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleDiffers {
    pub second: Candle,
}
payload!(
    CandleDiffers,
    |e| format!("candle:{}:{}", e.second.instrument, e.second.interval),
    instrument = e.second.instrument,
);

/// Why a row of market data was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CandleFault {
    /// It has not closed yet.
    Partial,
    /// The same candle again, with the same figures.
    Duplicate,
    /// Older than one already recorded.
    OutOfOrder,
    /// `high < low`, a close outside the range, a negative volume.
    Inconsistent,
    /// Its open time is no multiple of its interval.
    Misaligned,
}

/// A candle that was reported and not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CandleRefused {
    pub candle: Candle,
    pub fault: CandleFault,
}
payload!(
    CandleRefused,
    |e| format!("candle:{}:{}", e.candle.instrument, e.candle.interval),
    instrument = e.candle.instrument,
);

/// Somebody needs the next price of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteAsked {
    pub instrument: Instrument,
}
payload!(QuoteAsked, |e| format!("quote:{}", e.instrument), instrument = e.instrument);

/// The first price at or after the asking: of a market that is played, the open of the finest candle that opens next;
/// of a live one, what was quoted. There it is said as well where a working paper order trades or is triggered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteSeen {
    pub instrument: Instrument,
    /// Where there are best prices, the bid.
    pub price: Price,
    pub at: Timestamp,
    /// Of a live market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<BestPrices>,
}

/// The best prices of a book, and how much is to be had at them, in base asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestPrices {
    pub bid: Price,
    pub bid_quantity: Quantity,
    pub ask: Price,
    pub ask_quantity: Quantity,
}

impl BestPrices {
    /// What an order of that side takes, and how much of it is there.
    pub const fn taken_by(&self, side: Side) -> (Price, Quantity) {
        match side {
            Side::Buy => (self.ask, self.ask_quantity),
            Side::Sell => (self.bid, self.bid_quantity),
        }
    }
}
payload!(QuoteSeen, |e| format!("quote:{}", e.instrument), at = e.at, instrument = e.instrument);
