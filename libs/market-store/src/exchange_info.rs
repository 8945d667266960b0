//! Binance's `exchangeInfo` (its `rest-api.md` and `filters.md`), of any year.
//!
//! Filters are read by their name, so that unknown filters, fields and enum values are harmless.
//! A limit of zero, or an empty text, means that there is none.

use domain::{
    Asset, Decimal, InstrumentRules, Listing, Symbol,
    rules::{PriceRange, Unlisted},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, str::FromStr};
use thiserror::Error;

/// The rules of every symbol that could be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExchangeInfo {
    pub rules: BTreeMap<Symbol, InstrumentRules>,
    /// Symbols whose rules cannot be read, with the reason: one odd listing must not hide the others.
    pub refused: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExchangeInfoError {
    #[error("is no exchange info ({0}); save the answer of Binance's GET /api/v3/exchangeInfo")]
    NotJson(String),
    #[error("the rules of {symbol} cannot be read: {why}")]
    Symbol { symbol: String, why: String },
}

impl ExchangeInfo {
    /// The rules of a symbol, if it is listed.
    ///
    /// # Errors
    /// It is listed, but its rules cannot be read.
    pub fn of(&self, symbol: Symbol) -> Result<Option<&InstrumentRules>, ExchangeInfoError> {
        match self.refused.get(symbol.as_str()) {
            Some(why) => Err(ExchangeInfoError::Symbol { symbol: symbol.to_string(), why: why.clone() }),
            None => Ok(self.rules.get(&symbol)),
        }
    }
}

/// # Errors
/// The text is no JSON with a list of `symbols`.
pub fn parse_exchange_info(text: &str) -> Result<ExchangeInfo, ExchangeInfoError> {
    let raw: Raw = serde_json::from_str(text).map_err(|e| ExchangeInfoError::NotJson(e.to_string()))?;
    let mut info = ExchangeInfo::default();
    for symbol in raw.symbols {
        match symbol.rules() {
            Ok((name, rules)) => _ = info.rules.insert(name, rules),
            Err(why) => _ = info.refused.insert(symbol.symbol, why),
        }
    }
    Ok(info)
}

#[derive(Deserialize)]
struct Raw {
    symbols: Vec<RawSymbol>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSymbol {
    symbol: String,
    #[serde(default)]
    base_asset: String,
    #[serde(default)]
    quote_asset: String,
    #[serde(default = "eight")]
    base_asset_precision: u32,
    quote_asset_precision: Option<u32>,
    /// The older name of the same.
    quote_precision: Option<u32>,
    #[serde(default)]
    oco_allowed: bool,
    #[serde(default)]
    quote_order_qty_market_allowed: bool,
    order_types: Option<Vec<String>>,
    iceberg_allowed: Option<bool>,
    oto_allowed: Option<bool>,
    opo_allowed: Option<bool>,
    allow_trailing_stop: Option<bool>,
    cancel_replace_allowed: Option<bool>,
    amend_allowed: Option<bool>,
    peg_instructions_allowed: Option<bool>,
    is_spot_trading_allowed: Option<bool>,
    is_margin_trading_allowed: Option<bool>,
    default_self_trade_prevention_mode: Option<String>,
    allowed_self_trade_prevention_modes: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
    permission_sets: Option<Vec<Vec<String>>>,
    base_commission_precision: Option<u32>,
    quote_commission_precision: Option<u32>,
    #[serde(default)]
    filters: Vec<Map<String, Value>>,
}

fn eight() -> u32 {
    8
}

impl RawSymbol {
    fn rules(&self) -> Result<(Symbol, InstrumentRules), String> {
        let symbol = Symbol::new(&self.symbol).map_err(|e| e.to_string())?;
        let base = Asset::new(&self.base_asset).map_err(|e| format!("baseAsset: {e}"))?;
        let quote = Asset::new(&self.quote_asset).map_err(|e| format!("quoteAsset: {e}"))?;
        let price = self.filter("PRICE_FILTER");
        let lot = self.filter("LOT_SIZE");
        let market_lot = self.filter("MARKET_LOT_SIZE");
        let old = self.filter("MIN_NOTIONAL");
        let new = self.filter("NOTIONAL");
        let lot_size = lot.decimal("stepSize")?.unwrap_or_default();
        let min_notional = old.decimal("minNotional")?.max(new.decimal("minNotional")?);
        let (buy_price_range, sell_price_range) = self.price_ranges()?;
        let rules = InstrumentRules {
            base,
            quote,
            tick_size: price.decimal("tickSize")?.unwrap_or_default(),
            min_price: price.decimal("minPrice")?,
            max_price: price.decimal("maxPrice")?,
            lot_size,
            min_quantity: lot.decimal("minQty")?.unwrap_or(lot_size),
            max_quantity: lot.decimal("maxQty")?,
            market_lot_size: market_lot.decimal("stepSize")?,
            market_min_quantity: market_lot.decimal("minQty")?,
            market_max_quantity: market_lot.decimal("maxQty")?,
            min_notional: min_notional.unwrap_or_default(),
            min_notional_applies_to_market: new
                .flag("applyMinToMarket")
                .or(old.flag("applyToMarket"))
                .unwrap_or(false),
            max_notional: new.decimal("maxNotional")?,
            max_notional_applies_to_market: new.flag("applyMaxToMarket").unwrap_or(false),
            buy_price_range,
            sell_price_range,
            max_orders: self.filter("MAX_NUM_ORDERS").count("maxNumOrders")?,
            max_algo_orders: self.filter("MAX_NUM_ALGO_ORDERS").count("maxNumAlgoOrders")?,
            max_order_lists: self.filter("MAX_NUM_ORDER_LISTS").count("maxNumOrderLists")?,
            max_position: self.filter("MAX_POSITION").decimal("maxPosition")?,
            oco_allowed: self.oco_allowed,
            unlisted: Unlisted::of(self.order_types.iter().flatten().map(String::as_str)),
            quote_quantity_allowed: self.quote_order_qty_market_allowed,
            base_precision: self.base_asset_precision,
            quote_precision: self.quote_asset_precision.or(self.quote_precision).unwrap_or(8),
            contract: None,
            listing: Some(Box::new(self.listing()?)),
        };
        Ok((symbol, rules))
    }

    fn listing(&self) -> Result<Listing, String> {
        let trailing = self.filter("TRAILING_DELTA");
        let deltas = |least: &str, most: &str| -> Result<Option<(u32, u32)>, String> {
            Ok(trailing.count(least)?.zip(trailing.count(most)?))
        };
        let minutes = ["NOTIONAL", "MIN_NOTIONAL", "PERCENT_PRICE_BY_SIDE", "PERCENT_PRICE"];
        let minutes =
            minutes.into_iter().find_map(|name| self.filter(name).count("avgPriceMins").transpose());
        let name = |filter: &Map<String, Value>| filter.get("filterType")?.as_str().map(ToOwned::to_owned);
        Ok(Listing {
            order_types: self.order_types.clone(),
            iceberg_allowed: self.iceberg_allowed,
            oto_allowed: self.oto_allowed,
            opo_allowed: self.opo_allowed,
            trailing_stop_allowed: self.allow_trailing_stop,
            cancel_replace_allowed: self.cancel_replace_allowed,
            amend_allowed: self.amend_allowed,
            peg_allowed: self.peg_instructions_allowed,
            spot_allowed: self.is_spot_trading_allowed,
            margin_allowed: self.is_margin_trading_allowed,
            self_trade: self.default_self_trade_prevention_mode.clone(),
            self_trades: self.allowed_self_trade_prevention_modes.clone(),
            permissions: self.permissions.clone(),
            permission_sets: self.permission_sets.clone(),
            base_commission_precision: self.base_commission_precision,
            quote_commission_precision: self.quote_commission_precision,
            quote_precision: self.quote_precision,
            filters: self.filters.iter().filter_map(name).collect(),
            iceberg_parts: self.filter("ICEBERG_PARTS").count("limit")?,
            trailing_above: deltas("minTrailingAboveDelta", "maxTrailingAboveDelta")?,
            trailing_below: deltas("minTrailingBelowDelta", "maxTrailingBelowDelta")?,
            max_iceberg_orders: self.filter("MAX_NUM_ICEBERG_ORDERS").count("maxNumIcebergOrders")?,
            max_amends: self.filter("MAX_NUM_ORDER_AMENDS").count("maxNumOrderAmends")?,
            max_lists: self.filter("MAX_NUM_ORDER_LISTS").count("maxNumOrderLists")?,
            average_minutes: minutes.transpose()?,
        })
    }

    /// Of buying (the bid side) and of selling (the ask side).
    fn price_ranges(&self) -> Result<(Option<PriceRange>, Option<PriceRange>), String> {
        let both = self.filter("PERCENT_PRICE");
        let by_side = self.filter("PERCENT_PRICE_BY_SIDE");
        let both = both.range("multiplierDown", "multiplierUp")?;
        Ok((
            by_side.range("bidMultiplierDown", "bidMultiplierUp")?.or(both),
            by_side.range("askMultiplierDown", "askMultiplierUp")?.or(both),
        ))
    }

    fn filter(&self, name: &'static str) -> Filter<'_> {
        let is_it = |f: &&Map<String, Value>| f.get("filterType").and_then(Value::as_str) == Some(name);
        Filter { name, fields: self.filters.iter().find(is_it) }
    }
}

/// A filter by its name; one that is missing limits nothing.
struct Filter<'a> {
    name: &'static str,
    fields: Option<&'a Map<String, Value>>,
}

impl Filter<'_> {
    /// `None` where it is missing, empty or zero.
    fn decimal(&self, field: &str) -> Result<Option<Decimal>, String> {
        let text = match self.fields.and_then(|f| f.get(field)) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.is_empty() => return Ok(None),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let value = Decimal::from_str(&text)
            .map_err(|_| format!("{}.{field} '{text}' is not a decimal number", self.name))?;
        Ok((!value.is_zero()).then(|| value.normalize()))
    }

    fn count(&self, field: &str) -> Result<Option<u32>, String> {
        let wrong = |value: Decimal| format!("{}.{field} '{value}' is not a whole number", self.name);
        self.decimal(field)?.map(|value| u32::try_from(value).map_err(|_| wrong(value))).transpose()
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.fields?.get(field)?.as_bool()
    }

    fn range(&self, down: &str, up: &str) -> Result<Option<PriceRange>, String> {
        let down = self.decimal(down)?.unwrap_or_default();
        Ok(self.decimal(up)?.map(|up| PriceRange { down, up }))
    }
}
