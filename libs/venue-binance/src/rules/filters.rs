//! Filters, read by their names.

use crate::{
    ParseError,
    wire::{Number, Raw, Text, wire},
};
use domain::{Asset, Decimal, InstrumentRules, rules::PriceRange};

wire! {
    /// Any filter; which fields are there depends on its type.
    pub struct Filter<'a> {
        kind "filterType": may Text<'a>,
        min_price "minPrice": may Raw<'a>,
        max_price "maxPrice": may Raw<'a>,
        tick_size "tickSize": may Raw<'a>,
        min_quantity "minQty": may Raw<'a>,
        max_quantity "maxQty": may Raw<'a>,
        step_size "stepSize": may Raw<'a>,
        min_notional "minNotional": may Raw<'a>,
        max_notional "maxNotional": may Raw<'a>,
        min_to_market "applyMinToMarket": may Raw<'a>,
        max_to_market "applyMaxToMarket": may Raw<'a>,
        to_market "applyToMarket": may Raw<'a>,
        up "multiplierUp": may Raw<'a>,
        down "multiplierDown": may Raw<'a>,
        bid_up "bidMultiplierUp": may Raw<'a>,
        bid_down "bidMultiplierDown": may Raw<'a>,
        ask_up "askMultiplierUp": may Raw<'a>,
        ask_down "askMultiplierDown": may Raw<'a>,
        max_orders "maxNumOrders": may Raw<'a>,
        max_algo_orders "maxNumAlgoOrders": may Raw<'a>,
        max_order_lists "maxNumOrderLists": may Raw<'a>,
        max_position "maxPosition": may Raw<'a>,
    }
}

pub struct Filters<'a>(pub &'a [Filter<'a>]);

impl Filters<'_> {
    /// Everything that filters tell; the rest is as of a symbol that tells nothing.
    pub fn rules(&self, base: Asset, quote: Asset) -> Result<InstrumentRules, ParseError> {
        let price = self.named("PRICE_FILTER");
        let lot = self.named("LOT_SIZE");
        let market = self.named("MARKET_LOT_SIZE");
        let old = self.named("MIN_NOTIONAL");
        let new = self.named("NOTIONAL");
        let read = |field, from: Option<Raw>| decimal(field, from);
        let lot_size = read("LOT_SIZE.stepSize", lot.step_size)?.unwrap_or_default();
        let least = read("MIN_NOTIONAL.minNotional", old.min_notional)?;
        let min_notional = least.max(read("NOTIONAL.minNotional", new.min_notional)?).unwrap_or_default();
        let (buy_price_range, sell_price_range) = self.price_ranges()?;
        Ok(InstrumentRules {
            min_price: read("PRICE_FILTER.minPrice", price.min_price)?,
            max_price: read("PRICE_FILTER.maxPrice", price.max_price)?,
            min_quantity: read("LOT_SIZE.minQty", lot.min_quantity)?.unwrap_or(lot_size),
            max_quantity: read("LOT_SIZE.maxQty", lot.max_quantity)?,
            market_lot_size: read("MARKET_LOT_SIZE.stepSize", market.step_size)?,
            market_min_quantity: read("MARKET_LOT_SIZE.minQty", market.min_quantity)?,
            market_max_quantity: read("MARKET_LOT_SIZE.maxQty", market.max_quantity)?,
            min_notional_applies_to_market: flag(new.min_to_market).or(flag(old.to_market)).unwrap_or(false),
            max_notional: read("NOTIONAL.maxNotional", new.max_notional)?,
            max_notional_applies_to_market: flag(new.max_to_market).unwrap_or(false),
            buy_price_range,
            sell_price_range,
            max_orders: count("MAX_NUM_ORDERS.maxNumOrders", self.named("MAX_NUM_ORDERS").max_orders)?,
            max_algo_orders: count(
                "MAX_NUM_ALGO_ORDERS.maxNumAlgoOrders",
                self.named("MAX_NUM_ALGO_ORDERS").max_algo_orders,
            )?,
            max_order_lists: count(
                "MAX_NUM_ORDER_LISTS.maxNumOrderLists",
                self.named("MAX_NUM_ORDER_LISTS").max_order_lists,
            )?,
            max_position: read("MAX_POSITION.maxPosition", self.named("MAX_POSITION").max_position)?,
            ..InstrumentRules::open(
                base,
                quote,
                read("PRICE_FILTER.tickSize", price.tick_size)?.unwrap_or_default(),
                lot_size,
                min_notional,
            )
        })
    }

    /// Of buying (the bid side) and of selling (the ask side).
    fn price_ranges(&self) -> Result<(Option<PriceRange>, Option<PriceRange>), ParseError> {
        let both = self.named("PERCENT_PRICE");
        let both = range("PERCENT_PRICE", both.down, both.up)?;
        let by_side = self.named("PERCENT_PRICE_BY_SIDE");
        let buy = range("PERCENT_PRICE_BY_SIDE", by_side.bid_down, by_side.bid_up)?;
        let sell = range("PERCENT_PRICE_BY_SIDE", by_side.ask_down, by_side.ask_up)?;
        Ok((buy.or(both), sell.or(both)))
    }

    /// One that is missing limits nothing.
    fn named(&self, name: &str) -> Filter<'_> {
        let found = self.0.iter().find(|filter| filter.kind.as_deref() == Some(name));
        found.cloned().unwrap_or_default()
    }
}

/// `None` where it is missing, empty or zero.
fn decimal(field: &'static str, from: Option<Raw>) -> Result<Option<Decimal>, ParseError> {
    let Some(raw) = from.filter(|raw| raw.bytes() != b"\"\"") else { return Ok(None) };
    let number: Number = serde_json::from_slice(raw.bytes())
        .map_err(|_| ParseError::field(field, format!("'{}' is no decimal number", shown(raw))))?;
    Ok((!number.0.is_zero()).then_some(number.0))
}

fn count(field: &'static str, from: Option<Raw>) -> Result<Option<u32>, ParseError> {
    let wrong = |value| ParseError::field(field, format!("'{value}' is no whole number"));
    let whole = |value: Decimal| u32::try_from(value).ok().filter(|_| value.fract().is_zero());
    decimal(field, from)?.map(|value| whole(value).ok_or_else(|| wrong(value))).transpose()
}

fn flag(from: Option<Raw>) -> Option<bool> {
    serde_json::from_slice(from?.bytes()).ok()
}

fn range(field: &'static str, down: Option<Raw>, up: Option<Raw>) -> Result<Option<PriceRange>, ParseError> {
    let down = decimal(field, down)?.unwrap_or_default();
    Ok(decimal(field, up)?.map(|up| PriceRange { down, up }))
}

fn shown(raw: Raw) -> String {
    String::from_utf8_lossy(raw.bytes()).chars().take(40).collect()
}

impl Default for Filter<'_> {
    fn default() -> Self {
        // What an object without fields gives.
        serde_json::from_str("{}").unwrap_or_else(|e| unreachable!("every field may be missing: {e}"))
    }
}
