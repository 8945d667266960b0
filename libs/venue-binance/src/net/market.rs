//! Market data over REST.

use super::rest::{CallError, Rest};
use crate::{
    ParseError,
    market::{PartialDepth, kline_rows},
    request,
};
use domain::{Instrument, Interval, Symbol, Timestamp};
use events::Candle;

impl Rest {
    /// A snapshot of the book: what [`crate::book::LocalBook::snapshot`] takes.
    ///
    /// # Errors
    /// No answer, or a failure.
    pub async fn depth(&self, symbol: Symbol, limit: u32) -> Result<PartialDepth, CallError> {
        let bytes = self.ask(&request::depth(symbol, limit)).await?;
        Ok(serde_json::from_slice(&bytes).map_err(ParseError::from)?)
    }

    /// Candles that open from `from` to `to`, both included, the oldest first, however many pages they fill; the
    /// last one may not have closed yet.
    ///
    /// # Errors
    /// No answer, or a failure: none is told then.
    pub async fn candles(
        &self,
        instrument: Instrument,
        interval: Interval,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, CallError> {
        let (mut candles, mut from): (Vec<Candle>, _) = (Vec::new(), from);
        while from <= to {
            let bytes = self.ask(&request::klines(instrument.symbol, interval, from, to)).await?;
            let page = kline_rows(instrument, interval, &bytes)?;
            let full = page.len() >= super::look_up::PAGE;
            // A venue that sends what was not asked for must not keep us here.
            let news = page.into_iter().filter(|candle| candle.open_time >= from);
            candles.extend(news);
            match candles.last().filter(|_| full) {
                Some(last) if last.close_time() > from => from = last.close_time(),
                _ => break,
            }
        }
        Ok(candles)
    }
}
