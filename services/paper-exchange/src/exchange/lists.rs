//! Order lists (Binance's `rest-api.md`, "Order lists").

use super::{
    Exchange,
    archive::List,
    ask::{Ask, bad_combination, missing_both},
    list_params::{AskedList, Kind, ListWanted, oco, old_oco, then},
    orders::{between, latest, refusal, refused, unknown},
    reports::Cause,
    rows,
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{ClientOrderId, Instrument};
use serde_json::Value;
use venue_paper::engine::{Wanted, WantedList};

impl Exchange {
    pub(super) fn place_oco(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask)?;
        let spare = [1, 2, 3].map(|n| self.spare_id(n));
        let asked = oco(ask, self.last_price(instrument), spare)?.with_modes(self.listing(instrument))?;
        self.named += 3;
        self.place_list(instrument, &asked, unit)
    }

    pub(super) fn place_old_oco(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask)?;
        let spare = [1, 2, 3].map(|n| self.spare_id(n));
        let asked = old_oco(ask, self.last_price(instrument), spare)?.with_modes(self.listing(instrument))?;
        self.named += 3;
        self.place_list(instrument, &asked, unit)
    }

    /// A list whose other orders wait for its first one.
    pub(super) fn place_then(&mut self, ask: Ask, kind: Kind, unit: TimeUnit) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask)?;
        let spare = [1, 2, 3, 4].map(|n| self.spare_id(n));
        let asked =
            then(ask, kind, self.last_price(instrument), spare)?.with_modes(self.listing(instrument))?;
        self.named += 4;
        self.place_list(instrument, &asked, unit)
    }

    fn place_list(
        &mut self,
        instrument: Instrument,
        asked: &AskedList,
        unit: TimeUnit,
    ) -> Result<Value, Refusal> {
        self.may_place(instrument)?;
        self.refresh(instrument);
        let reports = match &asked.wanted {
            ListWanted::AtOnce(wanted) => {
                let wanted = Wanted { owner: self.asker, ..**wanted };
                self.spot.place(self.now, instrument, &wanted)
            }
            ListWanted::Then(wanted) => {
                let wanted = WantedList { owner: self.asker, ..**wanted };
                self.spot.place_list(self.now, instrument, &wanted)
            }
        };
        if let Some(refusal) = refusal(&reports) {
            return Err(refused(refusal));
        }
        let contingency = match &asked.wanted {
            ListWanted::AtOnce(_) => "OCO",
            ListWanted::Then(_) => "OTO",
        };
        self.tell(instrument, &reports, Cause::Placed(&asked.legs, Some((asked.list, contingency))));
        self.publish(instrument);
        let Some(list) = self.archive.named_list(self.asker, instrument, asked.list).cloned() else {
            return Ok(Value::Null);
        };
        let mut answer = rows::list(&list, &self.orders_of(&list), list.at, unit);
        answer["orderReports"] =
            list.orders.iter().map(|number| self.placed(*number, asked.detail, unit)).collect();
        Ok(answer)
    }

    /// Numbers of the list's orders that are open.
    pub(super) fn open_of(&self, list: i64) -> Vec<i64> {
        let orders = self.archive.list(list).map(|list| list.orders.as_slice()).unwrap_or_default();
        let open = |number: &&i64| self.archive.order(**number).is_some_and(|order| order.status.is_open());
        orders.iter().filter(open).copied().collect()
    }

    /// The answer to whoever canceled these orders of a list.
    pub(super) fn canceled_list(
        &self,
        number: i64,
        canceled: &[i64],
        request: ClientOrderId,
        unit: TimeUnit,
    ) -> Value {
        let Some(list) = self.archive.list(number) else { return Value::Null };
        let mut answer = rows::list(list, &self.orders_of(list), list.at, unit);
        let orders = canceled.iter().filter_map(|number| self.archive.order(*number));
        answer["orderReports"] = orders.map(|order| rows::canceled(order, request, unit)).collect();
        answer
    }

    pub(super) fn cancel_list(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "orderListId", "listClientOrderId", "newClientOrderId"]])?;
        let instrument = self.instrument(ask)?;
        let (number, name) = (ask.whole("orderListId")?, ask.id("listClientOrderId")?);
        let request = ask.id("newClientOrderId")?;
        let found = match (number, name) {
            (None, None) => return Err(missing_both("listClientOrderId", "orderListId")),
            (Some(number), None) => self.archive.list(number),
            (None, Some(name)) => self.archive.named_list(self.asker, instrument, name),
            (Some(number), Some(name)) => self.archive.list(number).filter(|list| list.id == name),
        };
        let list = found
            .filter(|list| list.owner == self.asker && list.instrument == instrument && !list.done)
            .ok_or_else(unknown)?;
        let (number, id) = (list.number, list.id);
        let request = request.unwrap_or_else(|| self.use_spare_id());
        let open = self.open_of(number);
        self.cancel_named(self.asker, instrument, id, request)?;
        Ok(self.canceled_list(number, &open, request, unit))
    }

    pub(super) fn query_list(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["orderListId", "origClientOrderId"]])?;
        let found = match (ask.whole("orderListId")?, ask.id("origClientOrderId")?) {
            (None, None) => return Err(missing_both("origClientOrderId", "orderListId")),
            (Some(number), None) => self.archive.list(number),
            (None, Some(name)) => self.own_lists(0).rev().find(|list| list.id == name),
            (Some(number), Some(name)) => self.archive.list(number).filter(|list| list.id == name),
        };
        let list = found.filter(|list| list.owner == self.asker);
        let list = list.ok_or_else(|| Refusal::new(-2018, "Order list does not exist."))?;
        Ok(self.list_row(list, unit))
    }

    pub(super) fn open_lists(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        ask.only(&[])?;
        let open = self.own_lists(0).filter(|list| !list.done);
        Ok(open.map(|list| self.list_row(list, unit)).collect())
    }

    pub(super) fn all_lists(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["fromId", "startTime", "endTime", "limit"]])?;
        let from = ask.whole("fromId")?;
        let limit = ask.limit(500)?;
        let within = between(ask)?;
        if from.is_some() && (within.start.is_some() || within.end.is_some()) {
            return Err(bad_combination());
        }
        let lists = self.own_lists(from.unwrap_or(0)).filter(|list| within.has(list.at));
        Ok(match from.is_some() || within.start.is_some() {
            true => lists.take(limit).map(|list| self.list_row(list, unit)).collect(),
            false => latest(lists, limit).map(|list| self.list_row(list, unit)).collect(),
        })
    }

    /// The lists of the account in hand.
    fn own_lists(&self, from: i64) -> impl DoubleEndedIterator<Item = &List> {
        self.archive.lists(from).filter(|list| list.owner == self.asker)
    }

    fn list_row(&self, list: &List, unit: TimeUnit) -> Value {
        rows::list(list, &self.orders_of(list), list.at, unit)
    }
}
