//! Candles: the kline stream, and REST's rows of them.

use crate::{
    ParseError,
    wire::{Number, Stamp, Text, wire},
};
use domain::{Instrument, Interval, Price, Symbol, Venue};
use events::Candle;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, SeqAccess, Visitor},
};
use std::fmt;

wire! {
    /// `kline`: a candle as it stands.
    pub struct KlineFrame<'a> {
        event_time "E": must Stamp,
        symbol "s": must Text<'a>,
        kline "k": must Kline<'a>,
    }
}

wire! {
    pub struct Kline<'a> {
        open_time "t": must Stamp,
        /// The last instant within it.
        close_time "T": may Stamp,
        interval "i": must Text<'a>,
        first_trade "f": may i64,
        last_trade "L": may i64,
        open "o": must Number,
        close "c": must Number,
        high "h": must Number,
        low "l": must Number,
        volume "v": must Number,
        trades "n": may i64,
        is_closed "x": must bool,
        quote_volume "q": may Number,
        taker_volume "V": may Number,
        taker_quote_volume "Q": may Number,
    }
}

impl KlineFrame<'_> {
    /// The candle, once it is closed.
    ///
    /// # Errors
    /// An interval that has no fixed length or is unknown, or a price that is none.
    pub fn closed(&self, venue: Venue) -> Result<Option<Candle>, ParseError> {
        let k = &self.kline;
        if !k.is_closed {
            return Ok(None);
        }
        let price = |field, n: Number| Price::new(n.0).map_err(ParseError::of(field));
        let symbol = Symbol::new(&self.symbol).map_err(ParseError::of("s"))?;
        Ok(Some(Candle {
            instrument: Instrument::spot(venue, symbol),
            interval: k.interval.parse().map_err(ParseError::of("i"))?,
            open_time: k.open_time.0,
            open: price("o", k.open)?,
            high: price("h", k.high)?,
            low: price("l", k.low)?,
            close: price("c", k.close)?,
            volume: k.volume.0,
        }))
    }
}

/// `GET /api/v3/klines`: rows, the oldest first. The last one may not have closed yet.
///
/// # Errors
/// No such rows, or a price that is none.
pub fn kline_rows(
    instrument: Instrument,
    interval: Interval,
    bytes: &[u8],
) -> Result<Vec<Candle>, ParseError> {
    let rows: Vec<Row> = serde_json::from_slice(bytes)?;
    let price = |field, n: Number| Price::new(n.0).map_err(ParseError::of(field));
    let candle = |row: Row| {
        let Row { open_time, prices: [open, high, low, close], volume } = row;
        Ok(Candle {
            instrument,
            interval,
            open_time: open_time.0,
            open: price("open", open)?,
            high: price("high", high)?,
            low: price("low", low)?,
            close: price("close", close)?,
            volume: volume.0,
        })
    };
    rows.into_iter().map(candle).collect()
}

/// `[open time, "open", "high", "low", "close", "volume", …]`.
struct Row {
    open_time: Stamp,
    prices: [Number; 4],
    volume: Number,
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a candle, [open time, \"open\", \"high\", \"low\", \"close\", \"volume\", …]")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Row, A::Error> {
                let short = |n| A::Error::invalid_length(n, &self);
                let open_time = seq.next_element()?.ok_or_else(|| short(0))?;
                let mut prices = [Number::default(); 4];
                for (n, price) in prices.iter_mut().enumerate() {
                    *price = seq.next_element()?.ok_or_else(|| short(n + 1))?;
                }
                let volume = seq.next_element()?.ok_or_else(|| short(5))?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Row { open_time, prices, volume })
            }
        }
        from.deserialize_seq(Reader)
    }
}
