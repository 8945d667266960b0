//! The account's endpoints (Binance's `rest-api.md`, "Account endpoints").

use super::{
    Exchange,
    ask::{Ask, bad_combination, missing_both},
    figure::figure,
    orders::{between, latest},
    rows,
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{Asset, Decimal};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use venue_paper::engine::PaidIn;

impl Exchange {
    pub(super) fn account(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let omits = ask.only(&[&["omitZeroBalances"]])?.flag("omitZeroBalances")?.unwrap_or(false);
        let fees = self.fees();
        let zero = figure(Decimal::ZERO);
        let row = |asset: Asset| {
            let balance = self.spot.exchange.balances_of(self.asker).of(&asset);
            let shown = !omits || !balance.total().is_zero();
            shown.then(
                || json!({ "asset": asset, "free": figure(balance.free), "locked": figure(balance.locked) }),
            )
        };
        let balances: Vec<Value> = self.assets().into_iter().filter_map(row).collect();
        let mut answer = json!({
            "makerCommission": hundredths_of_a_percent(fees.maker),
            "takerCommission": hundredths_of_a_percent(fees.taker),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": figure(fees.maker),
                "taker": figure(fees.taker),
                "buyer": zero,
                "seller": zero,
            },
            "canTrade": true,
            "canWithdraw": true,
            "canDeposit": true,
            "brokered": false,
            "requireSelfTradePrevention": false,
            "preventSor": false,
            "updateTime": unit.of(self.last_change(self.asker)),
            "accountType": "SPOT",
            "balances": balances,
            "permissions": ["SPOT"],
            "uid": u64::from(self.asker.0) + 1,
        });
        // Binance tells it of accounts that are in one (`faqs/stp_faq.md`).
        if let Some(group) = self.spot.exchange.group_of(self.asker) {
            answer["tradeGroupId"] = group.into();
        }
        Ok(answer)
    }

    /// Everything that is held, or could be got here.
    pub(super) fn assets(&self) -> BTreeSet<Asset> {
        let held = self.spot.exchange.balances_of(self.asker).iter().map(|(asset, _)| *asset);
        let traded = self.spot.exchange.markets.iter().flat_map(|(_, m)| [m.rules.base, m.rules.quote]);
        held.chain(traded).collect()
    }

    pub(super) fn my_trades(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "orderId", "startTime", "endTime", "fromId", "limit"]])?;
        let instrument = self.instrument(ask)?;
        let (order, from) = (ask.whole("orderId")?, ask.whole("fromId")?);
        let limit = ask.limit(500)?;
        let within = between(ask)?;
        let timed = within.start.is_some() || within.end.is_some();
        if timed && (order.is_some() || from.is_some()) {
            return Err(bad_combination());
        }
        let trades = self.archive.trades(instrument, from.unwrap_or(0));
        let owner = self.asker;
        let trades = trades.filter(|trade| {
            trade.owner == owner && order.is_none_or(|order| trade.order == order) && within.has(trade.at)
        });
        let row = |trade| rows::trade(&instrument.symbol, trade, unit);
        Ok(match from.is_some() || order.is_some() || within.start.is_some() {
            true => trades.take(limit).map(row).collect(),
            false => latest(trades, limit).map(row).collect(),
        })
    }

    pub(super) fn my_prevented_matches(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        const KNOWN: &[&str] = &["symbol", "preventedMatchId", "orderId", "fromPreventedMatchId", "limit"];
        let ask = ask.only(&[KNOWN])?;
        let instrument = self.instrument(ask)?;
        let (id, order) = (ask.whole("preventedMatchId")?, ask.whole("orderId")?);
        let from = ask.whole("fromPreventedMatchId")?;
        let limit = ask.limit(500)?;
        match (id, order) {
            (None, None) => return Err(missing_both("preventedMatchId", "orderId")),
            (Some(_), _) if order.is_some() || from.is_some() => return Err(bad_combination()),
            _ => {}
        }
        let matches = self.archive.prevented(instrument).iter().filter(|p| {
            p.owners.contains(&self.asker)
                && id.is_none_or(|id| p.id == id)
                && order.is_none_or(|order| p.taker == order || p.maker == order)
                && from.is_none_or(|from| p.id >= from)
        });
        Ok(matches.take(limit).map(|p| rows::prevented(&instrument.symbol, p, unit)).collect())
    }

    pub(super) fn commission(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask.only(&[&["symbol"]])?)?;
        let fees = self.fees();
        let zero = figure(Decimal::ZERO);
        let nothing = json!({ "maker": zero, "taker": zero, "buyer": zero, "seller": zero });
        Ok(json!({
            "symbol": instrument.symbol.as_str(),
            "standardCommission": {
                "maker": figure(fees.maker),
                "taker": figure(fees.taker),
                "buyer": zero,
                "seller": zero,
            },
            "specialCommission": nothing,
            "taxCommission": nothing,
            "discount": self.discount(),
        }))
    }

    /// Fees in a third asset are what Binance calls a discount; the rates here are what is paid, so it is nothing.
    pub(super) fn discount(&self) -> Value {
        let asset = match self.fees().paid_in {
            PaidIn::Third { asset, .. } => Some(asset),
            PaidIn::Received | PaidIn::Quote => None,
        };
        json!({
            "enabledForAccount": asset.is_some(),
            "enabledForSymbol": asset.is_some(),
            "discountAsset": asset.map_or_else(|| "BNB".to_owned(), |asset| asset.to_string()),
            "discount": figure(Decimal::ZERO),
        })
    }

    /// `GET /sapi/v1/asset/tradeFee`
    pub(super) fn trade_fee(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol"]])?;
        let only = ask.has("symbol").then(|| self.instrument(ask)).transpose()?;
        let fees = self.fees();
        let markets = self.spot.exchange.markets.iter().map(|(instrument, _)| *instrument);
        let wanted = markets.filter(|instrument| only.is_none_or(|only| only == *instrument));
        let row = |instrument: domain::Instrument| {
            json!({
                "symbol": instrument.symbol.as_str(),
                "makerCommission": fees.maker.normalize().to_string(),
                "takerCommission": fees.taker.normalize().to_string(),
            })
        };
        Ok(wanted.map(row).collect())
    }
}

/// As the account's answer counts its fees.
fn hundredths_of_a_percent(ratio: Decimal) -> i64 {
    let scaled = ratio.checked_mul(Decimal::from(10_000)).unwrap_or_default().round();
    i64::try_from(scaled).unwrap_or_default()
}
