//! The venue's rules for each symbol, out of `exchangeInfo` (Binance's `rest-api.md` and `filters.md`), of any year.
//!
//! Unknown filters, fields and enum values are harmless, and one odd listing does not hide the others.
//! A limit of zero, or an empty text, means that there is none.

mod filters;

use crate::{
    ParseError,
    budget::{RateLimit, limits},
    wire::{Raw, Stamp, Text, wire},
};
use domain::{Asset, InstrumentRules, Symbol, Timestamp, rules::Unlisted};
use filters::{Filter, Filters};
use std::collections::BTreeMap;
use venue_net::budget::Limit;

/// What is traded, and within which limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExchangeInfo {
    pub server_time: Option<Timestamp>,
    pub limits: Vec<Limit>,
    pub listings: BTreeMap<Symbol, Listing>,
    /// Symbols whose rules cannot be read, with the reason.
    pub refused: BTreeMap<String, String>,
}

/// A symbol as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing {
    pub rules: InstrumentRules,
    /// As Binance words it: `TRADING`, `HALT`, `CANCEL_ONLY` … New ones appear.
    pub status: String,
    pub order_types: Vec<String>,
    pub spot_allowed: bool,
    pub cancel_replace_allowed: bool,
    pub amend_allowed: bool,
    pub trailing_stop_allowed: bool,
}

impl Listing {
    /// Whether orders are taken.
    pub fn is_trading(&self) -> bool {
        self.status == "TRADING" && self.spot_allowed
    }
}

/// # Errors
/// No JSON, or no list of symbols in it.
pub fn parse(bytes: &[u8]) -> Result<ExchangeInfo, ParseError> {
    let answer: Answer = serde_json::from_slice(bytes)?;
    let mut info = ExchangeInfo {
        server_time: answer.server_time.map(|time| time.0),
        limits: limits(&answer.limits.unwrap_or_default()),
        ..ExchangeInfo::default()
    };
    for (n, raw) in answer.symbols.iter().enumerate() {
        match listing(raw.bytes()) {
            Ok((symbol, listing)) => _ = info.listings.insert(symbol, listing),
            Err(why) => _ = info.refused.insert(name_of(raw.bytes(), n), why.to_string()),
        }
    }
    Ok(info)
}

wire! {
    pub struct Answer<'a> {
        server_time "serverTime": may Stamp,
        limits "rateLimits": may Vec<RateLimit<'a>>,
        symbols "symbols": must Vec<Raw<'a>>,
    }
}

wire! {
    pub struct Listed<'a> {
        symbol "symbol": must Text<'a>,
        status "status": may Text<'a>,
        base "baseAsset": must Text<'a>,
        quote "quoteAsset": must Text<'a>,
        base_precision "baseAssetPrecision": may u32,
        quote_precision "quoteAssetPrecision": may u32,
        /// The older name of the same.
        old_quote_precision "quotePrecision": may u32,
        order_types "orderTypes": may Vec<Text<'a>>,
        oco_allowed "ocoAllowed": may bool,
        quote_quantity_allowed "quoteOrderQtyMarketAllowed": may bool,
        spot_allowed "isSpotTradingAllowed": may bool,
        cancel_replace_allowed "cancelReplaceAllowed": may bool,
        amend_allowed "amendAllowed": may bool,
        trailing_stop_allowed "allowTrailingStop": may bool,
        filters "filters": may Vec<Filter<'a>>,
    }
}

/// Where an asset's decimals are not told.
const USUAL_PRECISION: u32 = 8;

fn listing(bytes: &[u8]) -> Result<(Symbol, Listing), ParseError> {
    let listed: Listed = serde_json::from_slice(bytes)?;
    let symbol = Symbol::new(&listed.symbol).map_err(ParseError::of("symbol"))?;
    let filters = Filters(listed.filters.as_deref().unwrap_or_default());
    let mut rules = filters.rules(
        Asset::new(&listed.base).map_err(ParseError::of("baseAsset"))?,
        Asset::new(&listed.quote).map_err(ParseError::of("quoteAsset"))?,
    )?;
    rules.oco_allowed = listed.oco_allowed.unwrap_or(false);
    rules.unlisted = Unlisted::of(listed.order_types.iter().flatten().map(|kind| &**kind));
    rules.quote_quantity_allowed = listed.quote_quantity_allowed.unwrap_or(false);
    rules.base_precision = listed.base_precision.unwrap_or(USUAL_PRECISION);
    let quote_precision = listed.quote_precision.or(listed.old_quote_precision);
    rules.quote_precision = quote_precision.unwrap_or(USUAL_PRECISION);
    let listing = Listing {
        rules,
        status: listed.status.map(|status| status.to_string()).unwrap_or_default(),
        order_types: listed.order_types.iter().flatten().map(|kind| kind.to_string()).collect(),
        spot_allowed: listed.spot_allowed.unwrap_or(true),
        cancel_replace_allowed: listed.cancel_replace_allowed.unwrap_or(false),
        amend_allowed: listed.amend_allowed.unwrap_or(false),
        trailing_stop_allowed: listed.trailing_stop_allowed.unwrap_or(false),
    };
    Ok((symbol, listing))
}

/// What to call a listing that cannot be read.
fn name_of(bytes: &[u8], n: usize) -> String {
    wire! {
        pub struct Named<'a> {
            symbol "symbol": may Text<'a>,
        }
    }
    let named = serde_json::from_slice::<Named>(bytes).ok().and_then(|named| named.symbol);
    named.map_or_else(|| format!("(symbol {n} of the list)"), |symbol| symbol.to_string())
}
