//! Stops that follow the market (Binance's `faqs/trailing-stop-faq.md`).

use super::order::falls_to_stop;
use domain::{Decimal, OrderKind, Price, Side};
use events::Candle;
use serde::{Deserialize, Serialize};

/// How far a trailing stop has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// In hundredths of a percent of `best`.
    pub delta_bips: u32,
    /// Whether it tracks prices; until then it waits for its activation price.
    pub activated: bool,
    /// The best price for the order since then: the highest for a sell, the lowest for a buy.
    pub best: Option<Price>,
}

impl Trail {
    /// A trade at `price`; whether it triggers the order.
    pub fn see_trade(&mut self, kind: &OrderKind, side: Side, price: Price) -> bool {
        if !self.activated {
            self.activated = kind.stop().is_none_or(|stop| reached(kind, side, stop, price));
            if !self.activated {
                return false;
            }
        }
        let best = match (self.best, side) {
            (None, _) => price,
            (Some(best), Side::Sell) => best.max(price),
            (Some(best), Side::Buy) => best.min(price),
        };
        self.best = Some(best);
        let level = level(best, self.delta_bips, side);
        match side {
            Side::Sell => price.get() <= level,
            Side::Buy => price.get() >= level,
        }
    }

    /// A candle has closed: what was worse for the order in it is taken to have come first. The
    /// price at which it triggers, and whether the candle opened beyond that.
    pub fn see_candle(&mut self, kind: &OrderKind, side: Side, candle: &Candle) -> Option<(Price, bool)> {
        let Candle { open, high, low, close, .. } = *candle;
        let path = match side {
            Side::Sell => [open, low, high, close],
            Side::Buy => [open, high, low, close],
        };
        for (i, price) in path.into_iter().enumerate() {
            let stood_at = self.stands_at(side).and_then(|level| Price::new(level).ok());
            if self.see_trade(kind, side, price) {
                let opened_beyond = i == 0;
                let reference = if opened_beyond { price } else { stood_at.unwrap_or(price) };
                return Some((reference, opened_beyond));
            }
        }
        None
    }

    /// The price at which it triggers now, if it tracks any; not rounded to a tick.
    pub fn stands_at(&self, side: Side) -> Option<Decimal> {
        let best = self.best.filter(|_| self.activated)?;
        Some(level(best, self.delta_bips, side))
    }
}

/// Whether a trade at `price` reaches the stop of such an order.
pub fn reached(kind: &OrderKind, side: Side, stop: Price, price: Price) -> bool {
    if falls_to_stop(kind, side) { price <= stop } else { price >= stop }
}

/// `best`, worse by that many hundredths of a percent.
fn level(best: Price, delta_bips: u32, side: Side) -> Decimal {
    let part = Decimal::new(i64::from(delta_bips), 4);
    let ratio = match side {
        Side::Sell => Decimal::ONE - part,
        Side::Buy => Decimal::ONE + part,
    };
    best.get().checked_mul(ratio).unwrap_or(best.get())
}
