//! Candles: the kline stream.

use crate::{
    ParseError,
    wire::{Number, Stamp, Text, wire},
};
use domain::{Instrument, Price, Symbol, Venue};
use events::Candle;

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
