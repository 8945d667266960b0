//! Smart order routing (Binance's `rest-api.md`, "SOR"; `faqs/sor_faq.md`): one order over all books of its base
//! asset whose quote assets stand for the same dollar.

use super::{
    Exchange,
    ask::Ask,
    orders::{Ready, refusal, refused},
    reports::Cause,
    rows,
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{Asset, Instrument};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Quote assets that stand for a dollar each.
const DOLLARS: &[&str] = &["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "DAI"];
const ORDER: &[&str] = &[
    "symbol",
    "side",
    "type",
    "timeInForce",
    "quantity",
    "price",
    "newClientOrderId",
    "strategyId",
    "strategyType",
    "icebergQty",
    "newOrderRespType",
    "selfTradePreventionMode",
];

impl Exchange {
    pub(super) fn place_routed(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let (ready, routes) = self.routed(ask.only(&[ORDER])?)?;
        self.named += 1;
        self.may_place(ready.instrument)?;
        let routes: Vec<Instrument> = routes.into_iter().filter(|one| self.is_trading(*one)).collect();
        for instrument in routes.iter().chain([&ready.instrument]) {
            self.refresh(*instrument);
        }
        let told = self.spot.place_routed(self.now, ready.instrument, &ready.wanted(), &routes);
        let mut answer = Value::Null;
        for (i, (instrument, reports)) in told.iter().enumerate() {
            if let Some(refusal) = refusal(reports) {
                return Err(refused(refusal));
            }
            match i {
                0 => {
                    self.tell(*instrument, reports, Cause::Placed(&[ready.asked], None));
                    let number = super::orders::accepted(reports).next().unwrap_or(-1);
                    answer = self.placed(number, ready.detail, unit);
                }
                _ => self.tell(*instrument, reports, Cause::Market),
            }
            self.publish(*instrument);
        }
        Ok(answer)
    }

    pub(super) fn test_routed(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["computeCommissionRates"], ORDER])?;
        let computes = ask.flag("computeCommissionRates")?.unwrap_or(false);
        let (ready, _) = self.routed(ask)?;
        self.tested(&ready)?;
        if !computes {
            return Ok(json!({}));
        }
        let mut rates = self.rates_for_order();
        if let Some(rates) = rates.as_object_mut() {
            rates.remove("specialCommissionForOrder");
        }
        Ok(rates)
    }

    /// The order, and the other instruments that it can be routed to.
    fn routed(&self, ask: Ask) -> Result<(Ready, Vec<Instrument>), Refusal> {
        if ask.text("type")?.is_some_and(|kind| !matches!(kind, "LIMIT" | "MARKET")) {
            return Err(Refusal::new(-1116, "Invalid orderType."));
        }
        let mut ready = self.ready(ask)?;
        ready.asked.marks.sor = true;
        let sors = self.sors();
        let sor = sors.values().find(|sor| sor.contains(&ready.instrument));
        let sor = sor.ok_or_else(|| Refusal::new(-1013, "This symbol has no SOR."))?;
        let others = sor.iter().copied().filter(|one| *one != ready.instrument).collect();
        Ok((ready, others))
    }

    /// Instruments that orders are routed over, by their base asset.
    fn sors(&self) -> BTreeMap<Asset, Vec<Instrument>> {
        let mut sors: BTreeMap<Asset, Vec<Instrument>> = BTreeMap::new();
        for (instrument, market) in self.spot.exchange.markets.iter() {
            let has_book = self.live || market.outside.is_some();
            if has_book && DOLLARS.contains(&market.rules.quote.as_str()) {
                sors.entry(market.rules.base).or_default().push(*instrument);
            }
        }
        sors.retain(|_, instruments| instruments.len() > 1);
        sors
    }

    /// `sors` of `exchangeInfo`; `None` where there is none.
    pub(super) fn sors_row(&self) -> Option<Value> {
        let row = |(base, instruments): (&Asset, &Vec<Instrument>)| {
            let symbols: Vec<&str> = instruments.iter().map(|one| one.symbol.as_str()).collect();
            json!({ "baseAsset": base.as_str(), "symbols": symbols })
        };
        let rows: Vec<Value> = self.sors().iter().map(row).collect();
        (!rows.is_empty()).then(|| rows.into())
    }

    pub(super) fn my_allocations(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        const KNOWN: &[&str] = &["symbol", "startTime", "endTime", "fromAllocationId", "limit", "orderId"];
        let ask = ask.only(&[KNOWN])?;
        let instrument = self.instrument(ask)?;
        let (order, from) = (ask.whole("orderId")?, ask.whole("fromAllocationId")?);
        let limit = ask.limit(500)?;
        let within = super::orders::between(ask)?;
        let timed = within.start.is_some() || within.end.is_some();
        if timed && (order.is_some() || from.is_some()) {
            return Err(super::ask::bad_combination());
        }
        let all = self.archive.allocations(instrument).iter().filter(|one| {
            one.owner == self.asker
                && order.is_none_or(|order| one.order == order)
                && from.is_none_or(|from| one.allocation.is_some_and(|id| id >= from))
                && within.has(one.at)
        });
        let row = |one| rows::allocation(&instrument.symbol, one, unit);
        Ok(match within.end.is_some() && within.start.is_none() {
            true => super::orders::latest(all, limit).map(row).collect(),
            false => all.take(limit).map(row).collect(),
        })
    }
}
