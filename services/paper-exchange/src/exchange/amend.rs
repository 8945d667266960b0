//! Making an order smaller in its place (Binance's `rest-api.md`, "Order Amend Keep Priority").

use super::{
    Exchange,
    archive::Entry,
    ask::{Ask, missing},
    order_params::quantity,
    orders::{refusal, refused},
    reports::Cause,
    rows,
};
use crate::{params::TimeUnit, refusal::Refusal};
use serde_json::{Value, json};

impl Exchange {
    pub(super) fn amend(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        const KNOWN: &[&str] = &["symbol", "orderId", "origClientOrderId", "newClientOrderId", "newQty"];
        let ask = ask.only(&[KNOWN])?;
        let instrument = self.instrument(ask)?;
        let wanted = quantity(ask, "newQty")?.ok_or_else(|| missing("newQty"))?;
        let name = ask.id("newClientOrderId")?;
        let unknown = || Refusal::new(-2038, "Unknown order sent.");
        let order = self.order(ask, "orderId", "origClientOrderId", unknown)?;
        if !order.status.is_open() {
            return Err(unknown());
        }
        let (number, id) = (order.number, order.id);
        let name = name.unwrap_or_else(|| self.use_spare_id());
        let reports = self.spot.amend(self.now, self.asker, instrument, id, Some(name), wanted);
        if let Some(refusal) = refusal(&reports) {
            return Err(refused(refusal));
        }
        self.tell(instrument, &reports, Cause::Market);
        self.publish(instrument);
        Ok(self.amended_answer(number, unit))
    }

    fn amended_answer(&self, number: i64, unit: TimeUnit) -> Value {
        let last = self.archive.amendments(number).last();
        let (Some(order), Some(amendment)) = (self.archive.order(number), last) else { return Value::Null };
        let list = order.list.and_then(|list| self.archive.list(list)).map(|list| {
            let row = rows::list(list, &self.orders_of(list), list.at, unit);
            let kept = [
                "orderListId",
                "contingencyType",
                "listOrderStatus",
                "listClientOrderId",
                "symbol",
                "orders",
            ];
            kept.into_iter()
                .map(|name| (name.to_owned(), row[name].clone()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        });
        rows::amended(order, amendment, list, unit)
    }

    pub(super) fn order_amendments(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "orderId", "fromExecutionId", "limit"]])?;
        let instrument = self.instrument(ask)?;
        let number = ask.whole("orderId")?.ok_or_else(|| missing("orderId"))?;
        let from = ask.whole("fromExecutionId")?.unwrap_or(0);
        let limit = ask.limit(500)?;
        let own = |order: &&Entry| order.owner == self.asker && order.instrument == instrument;
        let Some(order) = self.archive.order(number).filter(own) else {
            return Ok(json!([]));
        };
        let amendments = self.archive.amendments(number).iter().filter(|a| a.execution >= from);
        Ok(amendments.take(limit).map(|a| rows::amendment(order, a, unit)).collect())
    }
}
