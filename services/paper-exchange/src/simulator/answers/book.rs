//! Depth, and the best prices.

use super::given::{answer, limit};
use crate::{
    params::Params,
    refusal::Refusal,
    simulator::{Simulator, frames, units::text},
};
use serde_json::{Value, json, value::RawValue};

/// Levels of a side that are told.
const MOST_LEVELS: usize = 5_000;

impl Simulator {
    /// What is answered is what is published, so that it joins with the streams.
    ///
    /// # Errors
    /// In Binance's words.
    pub fn depth(&mut self, params: &Params) -> Result<Box<RawValue>, Refusal> {
        let place = self.symbol(params)?;
        let limit = limit(params, 100, MOST_LEVELS)?;
        let market = &mut self.markets[place];
        market.look(self.now);
        market.publish(None, &mut self.frames);
        if !market.goes_on() {
            // There is no engine that trades on it.
            market.others.take_unseen();
        }
        let text = frames::book(market.depth.update, market.depth.top(limit));
        RawValue::from_string(text).map_err(|e| unreachable!("it is JSON: {e}"))
    }

    pub(super) fn ticker_book(&self, params: &Params) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, true)?;
        Ok(answer(symbols, |place| {
            let market = &self.markets[place];
            let (bid, ask) = market.best_at(self.now);
            Some(json!({
                "symbol": market.name,
                "bidPrice": text(bid.0),
                "bidQty": text(bid.1),
                "askPrice": text(ask.0),
                "askQty": text(ask.1),
            }))
        }))
    }
}
