//! A symbol's rules change while the exchange runs, by hand or by a script of faults. Names are those of the
//! filters (Binance's `filters.md`), in lower case.

use super::Exchange;
use crate::refusal::Refusal;
use domain::{Decimal, InstrumentRules, rules::PriceRange};
use serde::{Deserialize, Serialize};

/// What is told is changed, the rest stays. Open orders stay as they are, as at Binance.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    pub symbol: String,
    /// PRICE_FILTER
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_size: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_price: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Decimal>,
    /// LOT_SIZE
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_size: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_qty: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_qty: Option<Decimal>,
    /// MARKET_LOT_SIZE
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market_step_size: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market_min_qty: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market_max_qty: Option<Decimal>,
    /// NOTIONAL
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_notional: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_notional: Option<Decimal>,
    /// PERCENT_PRICE_BY_SIDE: of the average price, `down` and `up` of buying (`bid`) and of selling (`ask`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<PriceRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask: Option<PriceRange>,
    /// `ocoAllowed`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oco_allowed: Option<bool>,
}

impl RuleChange {
    /// # Errors
    /// A figure that is no rule; it names the field and what it must be.
    pub fn check(&self) -> Result<(), String> {
        let figures = [
            ("tick_size", self.tick_size),
            ("min_price", self.min_price),
            ("max_price", self.max_price),
            ("step_size", self.step_size),
            ("min_qty", self.min_qty),
            ("max_qty", self.max_qty),
            ("market_step_size", self.market_step_size),
            ("market_min_qty", self.market_min_qty),
            ("market_max_qty", self.market_max_qty),
            ("min_notional", self.min_notional),
            ("max_notional", self.max_notional),
            ("bid.down", self.bid.map(|range| range.down)),
            ("bid.up", self.bid.map(|range| range.up)),
            ("ask.down", self.ask.map(|range| range.down)),
            ("ask.up", self.ask.map(|range| range.up)),
        ];
        if let Some((name, figure)) =
            figures.iter().find(|(_, figure)| figure.is_some_and(|f| f <= Decimal::ZERO))
        {
            let figure = figure.unwrap_or_default();
            return Err(format!("{name} is {figure}; write a number above 0"));
        }
        let told = figures.iter().any(|(_, figure)| figure.is_some()) || self.oco_allowed.is_some();
        if told { Ok(()) } else { Err("no rule is named; write e.g. step_size = \"0.1\"".to_owned()) }
    }

    fn apply(&self, rules: &mut InstrumentRules) {
        fn set<T: Copy>(to: &mut T, from: Option<T>) {
            if let Some(value) = from {
                *to = value;
            }
        }
        set(&mut rules.tick_size, self.tick_size);
        rules.min_price = self.min_price.or(rules.min_price);
        rules.max_price = self.max_price.or(rules.max_price);
        set(&mut rules.lot_size, self.step_size);
        set(&mut rules.min_quantity, self.min_qty);
        rules.max_quantity = self.max_qty.or(rules.max_quantity);
        rules.market_lot_size = self.market_step_size.or(rules.market_lot_size);
        rules.market_min_quantity = self.market_min_qty.or(rules.market_min_quantity);
        rules.market_max_quantity = self.market_max_qty.or(rules.market_max_quantity);
        set(&mut rules.min_notional, self.min_notional);
        rules.max_notional = self.max_notional.or(rules.max_notional);
        rules.buy_price_range = self.bid.or(rules.buy_price_range);
        rules.sell_price_range = self.ask.or(rules.sell_price_range);
        set(&mut rules.oco_allowed, self.oco_allowed);
    }
}

impl Exchange {
    /// By hand: the symbol's rules from now on. `exchangeInfo` shows them at once, and new orders are judged by
    /// them.
    ///
    /// # Errors
    /// There is no such symbol, or a figure is no rule.
    pub fn change_rules(&mut self, change: &RuleChange) -> Result<(), Refusal> {
        change.check().map_err(|why| Refusal::new(-1102, why))?;
        let instrument = self.listed(&change.symbol)?;
        let Some(market) = self.spot.exchange.markets.get(&instrument) else { return Ok(()) };
        let mut rules = (*market.rules).clone();
        change.apply(&mut rules);
        self.spot.list(instrument, &rules);
        Ok(())
    }
}
