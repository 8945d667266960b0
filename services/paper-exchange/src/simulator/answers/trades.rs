//! Trades, each and aggregated.

use super::given::{bad_combination, limit, number, time, time_until};
use crate::{
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::{
        Simulator,
        frames::Clock,
        trades::{Aggregate, Trade},
        units::{notional_text, text},
    },
};
use serde_json::{Value, json};

impl Simulator {
    pub(super) fn trades(&self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let market = &self.markets[self.symbol(params)?];
        let limit = limit(params, 500, 1_000)?;
        Ok(market.trades.latest(limit).map(|trade| row(trade, Clock::of(unit))).collect())
    }

    pub(super) fn historical_trades(&self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let Some(from) = number(params, "fromId")? else { return self.trades(params, unit) };
        let market = &self.markets[self.symbol(params)?];
        let limit = limit(params, 500, 1_000)?;
        let trades = market.trades.since_id(from.unsigned_abs()).take(limit);
        Ok(trades.map(|trade| row(trade, Clock::of(unit))).collect())
    }

    /// With a start, the first ones from there on; else the latest.
    pub(super) fn aggregate_trades(&self, params: &Params, unit: TimeUnit) -> Result<Value, Refusal> {
        let trades = &self.markets[self.symbol(params)?].trades;
        let limit = limit(params, 500, 1_000)?;
        let from = number(params, "fromId")?;
        let (start, end) = (time(params, "startTime")?, time_until(params, "endTime")?);
        let row = |one: &Aggregate| aggregate_row(one, Clock::of(unit));
        Ok(match (from, start, end) {
            (Some(from), None, None) => {
                trades.aggregates_since_id(from.unsigned_abs()).take(limit).map(row).collect()
            }
            (Some(_), _, _) => return Err(bad_combination()),
            (None, None, None) => trades.latest_aggregates(limit).map(row).collect(),
            (None, Some(start), end) => {
                trades.aggregates_between(start, end.unwrap_or(i64::MAX)).take(limit).map(row).collect()
            }
            (None, None, Some(end)) => {
                let mut latest: Vec<_> =
                    trades.aggregates_between(i64::MIN, end).rev().take(limit).map(row).collect();
                latest.reverse();
                Value::Array(latest)
            }
        })
    }
}

fn row(trade: &Trade, clock: Clock) -> Value {
    json!({
        "id": trade.id,
        "price": text(trade.price),
        "qty": text(trade.quantity),
        "quoteQty": notional_text(u128::from(trade.price) * u128::from(trade.quantity)),
        "time": clock.at(trade.at),
        "isBuyerMaker": !trade.taker_buys,
        "isBestMatch": true,
    })
}

fn aggregate_row(one: &Aggregate, clock: Clock) -> Value {
    json!({
        "a": one.id,
        "p": text(one.price),
        "q": text(one.quantity),
        "f": one.first,
        "l": one.last,
        "T": clock.at(one.at),
        "m": !one.taker_buys,
        "M": true,
    })
}
