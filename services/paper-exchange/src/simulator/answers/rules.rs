//! What Binance has and this market has not: rules about prices at execution, reference prices, block trades.

use super::given::{Symbols, bad_combination, given, limit, number};
use crate::{params::Params, refusal::Refusal, simulator::Simulator};
use serde_json::{Value, json};

impl Simulator {
    /// By `symbol`, by `symbols`, by `symbolStatus`, or of all: never by two of them.
    pub(super) fn execution_rules(&self, params: &Params) -> Result<Value, Refusal> {
        let by_name = given(params, "symbol")?.is_some() || given(params, "symbols")?.is_some();
        if by_name && given(params, "symbolStatus")?.is_some() {
            return Err(bad_combination());
        }
        let (Symbols::One(_) | Symbols::Some(_)) = self.symbols(params, true)?;
        Ok(json!({ "symbolRules": [] }))
    }

    /// Of the price and of how it comes about.
    pub(super) fn reference_price(&self, params: &Params) -> Result<Value, Refusal> {
        self.symbol(params)?;
        Err(Refusal::new(-2043, "This symbol doesn't have a reference price."))
    }

    pub(super) fn block_trades(&self, params: &Params) -> Result<Value, Refusal> {
        self.symbol(params)?;
        limit(params, 500, 1_000)?;
        number(params, "fromId")?.ok_or_else(|| Refusal::mandatory("fromId"))?;
        Ok(json!([]))
    }
}
