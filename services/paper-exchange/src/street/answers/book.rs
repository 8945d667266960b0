//! Depth, and the best prices.

use super::given::{answer, limit};
use crate::{
    params::Params,
    refusal::Refusal,
    street::{Street, depth, outside::Levels, units::text},
};
use domain::Instrument;
use serde_json::{Value, json};
use venue_paper::engine::Book;

/// Levels of a side that are told.
const MOST_LEVELS: usize = 5_000;

impl Street {
    pub(super) fn depth(
        &mut self,
        params: &Params,
        view: &dyn Fn(Instrument) -> Option<Book>,
    ) -> Result<Value, Refusal> {
        let place = self.symbol(params)?;
        let limit = limit(params, 100, MOST_LEVELS)?;
        // What is answered is what is published, so that it joins with the streams.
        let (bids, asks) = self.levels(place, view);
        self.markets[place].publish(self.now, bids, asks, &mut self.frames);
        let depth = &self.markets[place].depth;
        let side = |levels: &Levels| -> Value {
            levels.iter().take(limit).map(|&(price, quantity)| json!([text(price), text(quantity)])).collect()
        };
        Ok(json!({"lastUpdateId": depth.update, "bids": side(&depth.bids), "asks": side(&depth.asks)}))
    }

    pub(super) fn ticker_book(
        &self,
        params: &Params,
        view: &dyn Fn(Instrument) -> Option<Book>,
    ) -> Result<Value, Refusal> {
        let symbols = self.symbols(params, true)?;
        Ok(answer(symbols, |place| {
            let (bid, ask) = self.best_view(place, view);
            Some(json!({
                "symbol": self.markets[place].name,
                "bidPrice": text(bid.0),
                "bidQty": text(bid.1),
                "askPrice": text(ask.0),
                "askQty": text(ask.1),
            }))
        }))
    }

    /// The best levels as they stand now, zeros where there are none. Nothing is published by that.
    pub(super) fn best_view(
        &self,
        place: usize,
        view: &dyn Fn(Instrument) -> Option<Book>,
    ) -> ((u64, u64), (u64, u64)) {
        let (bids, asks) = self.levels(place, view);
        (bids.first().copied().unwrap_or_default(), asks.first().copied().unwrap_or_default())
    }

    fn levels(&self, place: usize, view: &dyn Fn(Instrument) -> Option<Book>) -> (Levels, Levels) {
        let market = &self.markets[place];
        match view(market.instrument) {
            Some(book) => depth::levels(&book),
            None => market.outside(self.now).unwrap_or_default(),
        }
    }
}
