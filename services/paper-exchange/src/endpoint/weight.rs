//! What a request weighs, by its parameters (Binance's `rest-api.md`, "Weight" of each endpoint).

use crate::params::Params;

pub fn one(_: &Params) -> u32 {
    1
}
pub fn two(_: &Params) -> u32 {
    2
}
pub fn four(_: &Params) -> u32 {
    4
}
pub fn six(_: &Params) -> u32 {
    6
}
pub fn twenty(_: &Params) -> u32 {
    20
}
pub fn twenty_five(_: &Params) -> u32 {
    25
}
pub fn forty(_: &Params) -> u32 {
    40
}

pub fn hundred(_: &Params) -> u32 {
    100
}

pub fn depth(params: &Params) -> u32 {
    match params.get("limit").and_then(|limit| limit.parse::<u32>().ok()).unwrap_or(100) {
        0..=100 => 5,
        101..=500 => 25,
        501..=1000 => 50,
        1001.. => 250,
    }
}

pub fn day_ticker(params: &Params) -> u32 {
    match symbols(params) {
        None => 80,
        Some(0..=20) => 2,
        Some(21..=100) => 40,
        Some(101..) => 80,
    }
}

/// 4 for each symbol, but 200 at most.
pub fn rolling_ticker(params: &Params) -> u32 {
    symbols(params).unwrap_or(1).saturating_mul(4).min(200)
}

/// 2 for each symbol, but 40 at most.
pub fn execution_rules(params: &Params) -> u32 {
    symbols(params).unwrap_or(u32::MAX).saturating_mul(2).min(40)
}

pub fn price_ticker(params: &Params) -> u32 {
    if params.get("symbol").is_some() { 2 } else { 4 }
}

pub fn open_orders(params: &Params) -> u32 {
    if params.get("symbol").is_some() { 6 } else { 80 }
}

pub fn my_trades(params: &Params) -> u32 {
    if params.get("orderId").is_some() { 5 } else { 20 }
}

pub fn prevented(params: &Params) -> u32 {
    if params.get("preventedMatchId").is_some() { 2 } else { 20 }
}

pub fn test(params: &Params) -> u32 {
    if params.get("computeCommissionRates") == Some("true") { 20 } else { 1 }
}

/// How many symbols were named; `None` stands for all.
fn symbols(params: &Params) -> Option<u32> {
    if params.get("symbol").is_some() {
        return Some(1);
    }
    let list = params.get("symbols")?;
    Some(u32::try_from(list.matches('"').count() / 2).unwrap_or(u32::MAX))
}
