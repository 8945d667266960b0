//! Single orders (Binance's `rest-api.md`, "Trading endpoints").

use super::{
    Exchange,
    archive::{Entry, Status},
    ask::{Ask, invalid, missing_both},
    figure::figure,
    order_params::{Asked, Detail, NEW_ORDER, single},
    reports::Cause,
    rows,
};
use crate::{params::TimeUnit, refusal::Refusal};
use domain::{ClientOrderId, Instrument, Listing, OrderRequest, Price, Symbol, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;
use venue_paper::engine::{self, Extras, Owner, Report, Wanted};

/// An order that ended so long ago without any fill is forgotten (−2026).
const ARCHIVED_AFTER: Duration = Duration::from_secs(90 * 24 * 3_600);
/// The longest stretch of time that a history may be asked for.
pub const LONGEST_LOOKUP: Duration = Duration::from_secs(24 * 3_600);

/// A single order that has been read, and is ready for the engine.
pub(super) struct Ready {
    pub owner: Owner,
    pub instrument: Instrument,
    pub asked: Asked,
    pub detail: Detail,
}

impl Ready {
    pub fn wanted(&self) -> Wanted {
        Wanted {
            owner: self.owner,
            request: OrderRequest::Single(self.asked.order),
            extras: [self.asked.extras, Extras::default()],
        }
    }
}

impl Exchange {
    pub(super) fn place(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ready = self.ready(ask.only(&[&["symbol"], NEW_ORDER])?)?;
        self.named += 1;
        self.place_ready(&ready, unit)
    }

    pub(super) fn place_ready(&mut self, ready: &Ready, unit: TimeUnit) -> Result<Value, Refusal> {
        let Ready { instrument, asked, detail, .. } = ready;
        self.may_place(*instrument)?;
        self.refresh(*instrument);
        let reports = self.spot.place(self.now, *instrument, &ready.wanted());
        if let Some(refusal) = refusal(&reports) {
            return Err(refused(refusal));
        }
        self.tell(*instrument, &reports, Cause::Placed(&[*asked], None));
        self.publish(*instrument);
        let number = accepted(&reports).next().unwrap_or(-1);
        Ok(self.placed(number, *detail, unit))
    }

    /// The answer to an order that was placed just now.
    pub(super) fn placed(&self, number: i64, detail: Detail, unit: TimeUnit) -> Value {
        let as_placed = self.as_placed.get(&number);
        let Some(order) = as_placed.or_else(|| self.archive.order(number)) else { return Value::Null };
        let trades = self.archive.trades(order.instrument, 0).rev();
        let trades = trades.take_while(|trade| trade.at >= order.created);
        let traded = order.status != Status::PendingNew;
        let trades = trades.filter(|trade| traded && trade.order == number && !trade.maker);
        let mut trades: Vec<_> = trades.collect();
        trades.reverse();
        let allocated = self.archive.allocations(order.instrument).iter();
        trades.splice(0..0, allocated.filter(|one| one.order == number));
        rows::placed(order, trades.into_iter(), self.archive.prevented(order.instrument), detail, unit)
    }

    /// Leaves everything as it was, down to the book that was looked at last: whoever keeps a record of what
    /// happened need not keep this.
    pub(super) fn test(&mut self, ask: Ask) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "computeCommissionRates"], NEW_ORDER])?;
        let computes = ask.flag("computeCommissionRates")?.unwrap_or(false);
        let ready = self.ready(ask)?;
        self.tested(&ready)?;
        Ok(if computes { self.rates_for_order() } else { json!({}) })
    }

    pub(super) fn tested(&mut self, ready: &Ready) -> Result<(), Refusal> {
        self.may_place(ready.instrument)?;
        let kept = self.spot.clone();
        self.note_prices(ready.instrument);
        let tested = self.spot.test(self.now, ready.instrument, &ready.wanted());
        self.spot = kept;
        tested.map_err(refused)
    }

    pub(super) fn rates_for_order(&self) -> Value {
        let fees = self.fees();
        let zero = figure(domain::Decimal::ZERO);
        json!({
            "standardCommissionForOrder": { "maker": figure(fees.maker), "taker": figure(fees.taker) },
            "specialCommissionForOrder": { "maker": zero, "taker": zero },
            "taxCommissionForOrder": { "maker": zero, "taker": zero },
            "discount": self.discount(),
        })
    }

    /// Without a name of its own an order is offered the next spare one, which whoever places it uses up.
    pub(super) fn ready(&self, ask: Ask) -> Result<Ready, Refusal> {
        let instrument = self.instrument(ask)?;
        let (asked, detail) = single(ask, self.last_price(instrument), self.spare_id(1))?;
        let asked = asked.with_mode(self.listing(instrument))?;
        Ok(Ready { owner: self.asker, instrument, asked, detail })
    }

    pub(super) fn query(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "orderId", "origClientOrderId"]])?;
        let absent = || Refusal::new(-2013, "Order does not exist.");
        let order = self.order(ask, "orderId", "origClientOrderId", absent)?;
        let unfilled =
            matches!(order.status, Status::Canceled | Status::Expired) && order.filled.quantity.is_zero();
        if unfilled && self.now.since(order.updated) > ARCHIVED_AFTER {
            let text =
                "Order was canceled or expired with no executed qty over 90 days ago and has been archived.";
            return Err(Refusal::new(-2026, text));
        }
        Ok(rows::found(order, unit))
    }

    pub(super) fn cancel(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        const KNOWN: &[&str] =
            &["symbol", "orderId", "origClientOrderId", "newClientOrderId", "cancelRestrictions"];
        let ask = ask.only(&[KNOWN])?;
        self.instrument(ask)?;
        let restriction = restriction(ask)?;
        let request = ask.id("newClientOrderId")?;
        let number = self.cancelable(ask, "orderId", "origClientOrderId")?;
        let request = request.unwrap_or_else(|| self.use_spare_id());
        self.cancel_order(number, request, restriction, unit)
    }

    /// The order that a cancel names, by number; its end is not asked for.
    pub(super) fn cancelable(&self, ask: Ask, number: &str, id: &str) -> Result<i64, Refusal> {
        self.order(ask, number, id, unknown).map(|order| order.number)
    }

    /// Cancels an order and all that is open of its list; the answer is that of the list, then.
    pub(super) fn cancel_order(
        &mut self,
        number: i64,
        request: ClientOrderId,
        restriction: Option<Status>,
        unit: TimeUnit,
    ) -> Result<Value, Refusal> {
        let open = self.archive.order(number).filter(|order| order.status.is_open());
        let Entry { owner, instrument, id, list, status, .. } = *open.ok_or_else(unknown)?;
        if restriction.is_some_and(|wanted| wanted != status) {
            return Err(Refusal::new(-2011, "Order was not canceled due to cancel restrictions."));
        }
        let list = list.filter(|list| self.archive.list(*list).is_some_and(|list| !list.done));
        let open = list.map(|list| self.open_of(list));
        self.cancel_named(owner, instrument, id, request)?;
        match list.zip(open) {
            Some((list, open)) => Ok(self.canceled_list(list, &open, request, unit)),
            None => Ok(self.archive.order(number).map_or(Value::Null, |o| rows::canceled(o, request, unit))),
        }
    }

    /// Cancels the open order, or the list, of that name.
    pub(super) fn cancel_named(
        &mut self,
        owner: Owner,
        instrument: Instrument,
        id: ClientOrderId,
        request: ClientOrderId,
    ) -> Result<(), Refusal> {
        let reports = self.spot.cancel(self.now, owner, instrument, id);
        if let Some(refusal) = refusal(&reports) {
            return Err(refused(refusal));
        }
        self.tell(instrument, &reports, Cause::Canceled(request));
        self.publish(instrument);
        Ok(())
    }

    pub(super) fn open_orders(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol"]])?;
        let instrument = ask.has("symbol").then(|| self.instrument(ask)).transpose()?;
        let wanted =
            self.own_open().filter(|order| instrument.is_none_or(|wanted| order.instrument == wanted));
        Ok(wanted.map(|order| rows::found(order, unit)).collect())
    }

    /// Orders and, in one piece, lists; as Binance it refuses where there is nothing to cancel.
    pub(super) fn cancel_all(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let instrument = self.instrument(ask.only(&[&["symbol"]])?)?;
        let open: Vec<i64> = self
            .own_open()
            .filter(|order| order.instrument == instrument)
            .map(|order| order.number)
            .collect();
        if open.is_empty() {
            return Err(unknown());
        }
        let request = self.use_spare_id();
        let mut answers = Vec::new();
        for number in open {
            // The second order of a list went with the first.
            if self.archive.order(number).is_some_and(|order| order.status.is_open()) {
                answers.push(self.cancel_order(number, request, None, unit)?);
            }
        }
        Ok(answers.into())
    }

    pub(super) fn all_orders(&mut self, ask: Ask, unit: TimeUnit) -> Result<Value, Refusal> {
        let ask = ask.only(&[&["symbol", "orderId", "startTime", "endTime", "limit"]])?;
        let instrument = self.instrument(ask)?;
        let from = ask.whole("orderId")?;
        let limit = ask.limit(500)?;
        let within = between(ask)?;
        let orders = self.archive.of(instrument, from.unwrap_or(0));
        let owner = self.asker;
        let orders = orders.filter(|order| order.owner == owner && within.has(order.created));
        Ok(match from.is_some() || within.start.is_some() {
            true => orders.take(limit).map(|order| rows::found(order, unit)).collect(),
            false => latest(orders, limit).map(|order| rows::found(order, unit)).collect(),
        })
    }

    /// An order by its number or its name; by both, they must be the same order's.
    pub(super) fn order(
        &self,
        ask: Ask,
        number: &str,
        id: &str,
        absent: impl Fn() -> Refusal,
    ) -> Result<&Entry, Refusal> {
        let instrument = self.instrument(ask)?;
        let name = ask.id(id)?;
        match (ask.whole(number)?, name) {
            (None, None) => Err(missing_both(id, number)),
            (None, Some(name)) => self.archive.named(self.asker, instrument, name).ok_or_else(absent),
            (Some(given), name) => {
                let own = |order: &&Entry| order.owner == self.asker && order.instrument == instrument;
                let order = self.archive.order(given).filter(own);
                let gone = || if self.archive.has_forgotten(given) { forgotten() } else { absent() };
                let order = order.ok_or_else(gone)?;
                if name.is_some_and(|name| name != order.id) {
                    return Err(Refusal::new(-2039, "Client order ID is not correct for this order ID."));
                }
                Ok(order)
            }
        }
    }

    /// The open orders of the account in hand.
    pub(super) fn own_open(&self) -> impl Iterator<Item = &Entry> {
        self.archive.open().filter(|order| order.owner == self.asker)
    }

    /// The instrument that a request names.
    pub(super) fn instrument(&self, ask: Ask) -> Result<Instrument, Refusal> {
        self.listed(ask.symbol()?)
    }

    pub(super) fn listed(&self, symbol: &str) -> Result<Instrument, Refusal> {
        let invalid = || Refusal::new(-1121, "Invalid symbol.");
        let symbol = Symbol::new(symbol).map_err(|_| invalid())?;
        let instrument = Instrument::spot(self.accounts.first.account.venue, symbol);
        self.spot.exchange.markets.get(&instrument).map(|_| instrument).ok_or_else(invalid)
    }

    /// What is listed of the instrument beside its filters, where it was recorded.
    pub(super) fn listing(&self, instrument: Instrument) -> Option<&Listing> {
        self.spot.exchange.markets.get(&instrument)?.rules.listing.as_deref()
    }

    pub(super) fn last_price(&self, instrument: Instrument) -> Option<Price> {
        match self.live {
            true => self.simulator.last_price(instrument),
            false => self.spot.exchange.markets.get(&instrument)?.last_price(),
        }
    }
}

/// `cancelRestrictions`: the only status in which the order may be canceled.
pub(super) fn restriction(ask: Ask) -> Result<Option<Status>, Refusal> {
    match ask.text("cancelRestrictions")? {
        None => Ok(None),
        Some("ONLY_NEW") => Ok(Some(Status::New)),
        Some("ONLY_PARTIALLY_FILLED") => Ok(Some(Status::PartiallyFilled)),
        Some(_) => Err(Refusal::new(-1145, "Invalid cancelRestrictions")),
    }
}

/// Binance's number for an order that it does not show any more.
fn forgotten() -> Refusal {
    let text = format!(
        "Order ended long ago and has been archived: this exchange shows the last {} orders that ended.",
        super::archive::ENDED
    );
    Refusal::new(-2026, text)
}

pub(super) fn unknown() -> Refusal {
    Refusal::new(-2011, "Unknown order sent.")
}

/// Both ends are included.
#[derive(Clone, Copy)]
pub(super) struct Between {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
}

impl Between {
    pub fn has(self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at <= end)
    }
}

/// # Errors
/// −1127 for more than a day, −1130 for an end before its start.
pub(super) fn between(ask: Ask) -> Result<Between, Refusal> {
    let (start, end) = (ask.time("startTime")?, ask.time("endTime")?);
    if let (Some(start), Some(end)) = (start, end) {
        if end < start {
            return Err(invalid("endTime"));
        }
        if end.since(start) > LONGEST_LOOKUP {
            return Err(Refusal::new(-1127, "More than 24 hours between startTime and endTime."));
        }
    }
    // A time in milliseconds stands for all of its millisecond.
    let end = end.map(|end| if end.micros() % 1_000 == 0 { end + Duration::from_micros(999) } else { end });
    Ok(Between { start, end })
}

/// The last `limit`, in ascending order.
pub(super) fn latest<'a, T: 'a>(
    rows: impl DoubleEndedIterator<Item = &'a T>,
    limit: usize,
) -> impl Iterator<Item = &'a T> {
    let mut last: Vec<&T> = rows.rev().take(limit).collect();
    last.reverse();
    last.into_iter()
}

/// Numbers of the orders that were accepted.
pub(super) fn accepted(reports: &[Report]) -> impl Iterator<Item = i64> {
    reports.iter().filter_map(|report| match report {
        Report::Accepted(accepted) => Some(super::reports::number_of(&accepted.venue_order)),
        _ => None,
    })
}

/// Why nothing was done, if so.
pub(super) fn refusal(reports: &[Report]) -> Option<engine::Refusal> {
    reports.iter().find_map(|report| match report {
        Report::Rejected { refusal, .. }
        | Report::CancelRejected { refusal, .. }
        | Report::AmendRejected { refusal, .. } => Some(refusal.clone()),
        _ => None,
    })
}

/// The engine's no, in the words of Binance's documentation.
pub(super) fn refused(refusal: engine::Refusal) -> Refusal {
    Refusal::new(refusal.code.unwrap_or(-1013), refusal.text)
}
