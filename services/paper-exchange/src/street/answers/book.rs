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
        self.publish_view(place, view);
        let depth = &self.markets[place].depth;
        let side = |levels: &Levels| -> Value {
            levels.iter().take(limit).map(|&(price, quantity)| json!([text(price), text(quantity)])).collect()
        };
        Ok(json!({"lastUpdateId": depth.update, "bids": side(&depth.bids), "asks": side(&depth.asks)}))
    }

    pub(super) fn ticker_book(
        &mut self,
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

    /// The best levels as they stand now.
    pub(super) fn best_view(
        &mut self,
        place: usize,
        view: &dyn Fn(Instrument) -> Option<Book>,
    ) -> ((u64, u64), (u64, u64)) {
        self.publish_view(place, view);
        self.markets[place].best_at(self.now)
    }

    /// What is answered is what is published, so that it joins with the streams.
    fn publish_view(&mut self, place: usize, view: &dyn Fn(Instrument) -> Option<Book>) {
        let market = &mut self.markets[place];
        let (bids, asks) = match view(market.instrument) {
            Some(book) => depth::levels(&book),
            None => market.outside(self.now).unwrap_or_default(),
        };
        market.publish(self.now, bids, asks, &mut self.frames);
    }
}
