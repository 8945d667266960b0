//! Depth, and the best prices.

use super::given::{answer, limit};
use crate::{
    params::Params,
    refusal::Refusal,
    street::{Street, depth::Levels, units::text},
};
use serde_json::{Value, json};

/// Levels of a side that are told.
const MOST_LEVELS: usize = 5_000;

impl Street {
    /// What is answered is what is published, so that it joins with the streams.
    pub(super) fn depth(&mut self, params: &Params) -> Result<Value, Refusal> {
        let place = self.symbol(params)?;
        let limit = limit(params, 100, MOST_LEVELS)?;
        let market = &mut self.markets[place];
        market.look(self.now);
        market.publish(None, &mut self.frames);
        if !market.goes_on() {
            // There is no engine that trades on it.
            market.others.take_unseen();
        }
        let [bids, asks] = market.depth.top(limit);
        let side = |levels: Levels| -> Value {
            levels.into_iter().map(|(price, quantity)| json!([text(price), text(quantity)])).collect()
        };
        Ok(json!({"lastUpdateId": market.depth.update, "bids": side(bids), "asks": side(asks)}))
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
