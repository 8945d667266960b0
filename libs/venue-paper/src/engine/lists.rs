//! Order lists in which orders wait for another one (Binance's `rest-api.md`, "New Order list - OTO",
//! "- OTOCO"; `faqs/opo.md`).
//!
//! The working order is on the book from the start, the pending ones hold nothing and trade nothing.
//! Once the working order is filled they are placed as if they came then: filters, prices and balances
//! are looked at again, and what does not pass expires. If the working order is canceled or expires,
//! they go with it. Of an OPO the pending orders hold what the working one buys, as it buys it, and
//! their quantity follows from that.

use super::{
    Desk, Exchange, Expiry, Extras, Limits, Market, OpenOrder, Owner, Refusal, Report, Standing, Terms,
    Wanted,
    admission::{check_maker, check_trigger, is_over_position, short},
    desk::venue_order,
    extras::check_listing,
    oco,
    order::{with_limit, with_stop},
    peg,
};
use domain::{
    Amount, ClientOrderId, Decimal, Ending, Instrument, InstrumentRules, NewOrder, OrderKind, OrderRequest,
    Price, Quantity, Side, Size, Timestamp, money::floor_to,
};
use events::{Fee, Rejection};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an order is within its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// On its own, or a leg of an OCO.
    #[default]
    Plain,
    /// Others wait until it is filled.
    Working,
    /// It waits, or has waited, for the working order.
    Pending,
    /// So does the OCO of which it is a leg.
    PendingLeg,
}

/// An OTO or OTOCO, or an OPO or OPOCO.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WantedList {
    /// Who asks.
    pub owner: Owner,
    pub list: ClientOrderId,
    /// A `LIMIT` or a `LIMIT_MAKER`.
    pub working: NewOrder,
    pub extras: Extras,
    /// A single order, or an OCO; the OCO's own name is not looked at.
    pub pending: Wanted,
    /// One pays the other: the size of the pending orders is what the working one buys, and until it is
    /// known they carry that of the working one.
    pub paid: bool,
}

impl WantedList {
    /// The working order, then the pending ones.
    pub fn each(&self) -> impl Iterator<Item = (&NewOrder, Extras)> {
        std::iter::once((&self.working, self.extras)).chain(self.pending.each())
    }

    fn working(&self) -> Wanted {
        let request = OrderRequest::Single(self.working);
        Wanted { owner: self.owner, request, extras: [self.extras, Extras::default()] }
    }

    fn pending_role(&self) -> Role {
        match self.pending.request {
            OrderRequest::Single(_) => Role::Pending,
            OrderRequest::Oco(_) => Role::PendingLeg,
        }
    }
}

impl Exchange {
    /// A list reaches the exchange.
    pub(super) fn placed_list<'a>(
        &'a self,
        terms: &'a Terms,
        limits: &Limits,
        now: Timestamp,
        instrument: &Instrument,
        wanted: &WantedList,
    ) -> Result<Desk<'a>, Refusal> {
        let (market, working) = self.check_list(terms, limits, instrument, wanted)?;
        let ids: Vec<_> = wanted.each().map(|(order, _)| order.id).chain([wanted.list]).collect();
        super::admission::check_ids(market, wanted.owner, &ids)?;
        super::admission::check_standing(market, &working)?;
        let mut desk = Desk::open(self, terms, market, now);
        let orders = self.orders_of_list(terms, market, wanted, &working, now);
        if desk.is_short_for(&orders[..1])? {
            return Err(short());
        }
        desk.say_pegged(&orders[..1], &working);
        desk.arrive(orders);
        Ok(desk)
    }

    /// What the interface checks: of pending orders all but how the market stands, and of those that are
    /// paid for all but their quantity.
    fn check_list(
        &self,
        terms: &Terms,
        limits: &Limits,
        instrument: &Instrument,
        wanted: &WantedList,
    ) -> Result<(&Market, Wanted), Refusal> {
        let market = self.markets.get(instrument).ok_or_else(Refusal::unknown_instrument)?;
        let listing = market.rules.listing.as_deref();
        if let Some(listing) = listing {
            let (allowed, kind) =
                if wanted.paid { (listing.opo_allowed, "OPO") } else { (listing.oto_allowed, "OTO") };
            if allowed == Some(false) {
                let text = format!("{kind} orders are not supported for this symbol.");
                return Err(Refusal::new(Rejection::Other, -1013, text));
            }
            for (order, extras) in wanted.each() {
                check_listing(listing, order, &extras)?;
            }
        }
        let limits = &Limits::of(listing, Some(limits)).unwrap_or(*limits);
        check_shape(market, wanted)?;
        let working = market.pegged_request(&wanted.working())?;
        super::admission::check_each(terms, Some(limits), market, &wanted.working(), &working)?;
        for (order, extras) in wanted.pending.each() {
            if let Some(peg) = extras.peg {
                peg::check_shape(order, &peg)?;
            }
            super::admission::check_pending(terms, limits, market, order, &extras, wanted.paid)?;
        }
        self.check_counts(market, wanted.owner, wanted.each().map(|(order, _)| order), &wanted.working)?;
        let extras: Vec<Extras> = wanted.each().map(|(_, extras)| extras).collect();
        super::extras::check_more_counts(limits, market, wanted.owner, extras.iter(), true)?;
        Ok((market, working))
    }

    fn orders_of_list(
        &self,
        terms: &Terms,
        market: &Market,
        wanted: &WantedList,
        working: &Wanted,
        at: Timestamp,
    ) -> Vec<OpenOrder> {
        let mut orders = self.orders_of(terms, market, working, Some(wanted.list), at);
        for order in &mut orders {
            order.special.role = Role::Working;
        }
        let terms = &self.terms_of(terms, wanted.owner);
        let numbers = self.next_number() + 1..;
        let (rules, last, role) = (&market.rules, market.last_price(), wanted.pending_role());
        orders.extend(numbers.zip(wanted.pending.each()).map(|(number, (new, extras))| {
            OpenOrder::new(number, new, Some(wanted.list), at, terms, rules, last)
                .with(wanted.owner, &extras, last)
                .pending(role, wanted.paid, &extras)
        }));
        orders
    }
}

/// # Errors
/// Orders that cannot be listed so.
fn check_shape(market: &Market, wanted: &WantedList) -> Result<(), Refusal> {
    let other = |code, text| Err(Refusal::new(Rejection::Other, code, text));
    if !matches!(wanted.working.kind, OrderKind::Limit { .. } | OrderKind::LimitMaker { .. }) {
        return other(-1116, "Invalid orderType.");
    }
    if wanted.paid && wanted.working.side != Side::Buy {
        return other(-1222, "Working order in an OPO list must be a bid.");
    }
    if wanted.paid && wanted.pending.request.orders().any(|order| order.side != Side::Sell) {
        return other(-1223, "Pending orders in an OPO list must be asks.");
    }
    if let OrderRequest::Oco(pending) = &wanted.pending.request {
        oco::check_shape(&market.rules, pending)?;
        let follows = wanted.pending.extras.each_ref().map(super::admission::follows);
        oco::check_prices(None, [&pending.above.kind, &pending.below.kind], follows)?;
    }
    Ok(())
}

impl Market {
    /// How many lists of an account go on.
    pub fn lists(&self, owner: Owner) -> usize {
        let own = self.orders.iter().filter(|order| order.owner() == owner);
        let listed = own.filter(|order| self.is_listed(order));
        listed.filter_map(|order| order.list).collect::<BTreeSet<_>>().len()
    }
}

impl Desk<'_> {
    /// What the working order of a list has bought is kept for those that it pays for. Its fee is taken from
    /// what is free besides, if that is enough and the asset is not BNB; else from what was bought.
    pub fn pay(&mut self, order: &OpenOrder, bought: Amount, fee: Option<Fee>, free_before: Amount) {
        let Some(list) = order.list.filter(|_| order.special.role == Role::Working) else { return };
        let paid: Vec<OpenOrder> = self
            .market
            .of_list(order.owner(), list)
            .filter(|o| o.special.received.is_some())
            .copied()
            .collect();
        let Some(first) = paid.first() else { return };
        let base = self.market.rules.base;
        let from_bought =
            fee.filter(|fee| fee.asset == base && (base.as_str() == "BNB" || free_before < fee.amount));
        let kept = bought - from_bought.map_or(Amount::ZERO, |fee| fee.amount);
        let before = self.market.held_with(first);
        for order in &paid {
            if let Some(order) = self.market.order_mut(order.number) {
                order.held = (order.held + kept).normalize();
                order.special.received = Some(order.held);
            }
        }
        self.rehold(first, before);
    }

    /// The working order of a list has ended.
    pub fn go_on_without(&mut self, order: &OpenOrder, ending: Ending, at: Timestamp) {
        let Some(list) = order.list else { return };
        match ending {
            Ending::Filled => self.filled.push_back((order.owner(), list, at)),
            // Whoever cancels it cancels its list.
            Ending::Canceled => {}
            Ending::Expired | Ending::Rejected | Ending::Absent | Ending::Refused => {
                for number in self.market.of_list(order.owner(), list).map(|o| o.number).collect::<Vec<_>>() {
                    self.expire(number, Expiry::WorkingExpired, at);
                }
            }
        }
    }

    /// Places what has waited for the orders that were filled.
    pub fn release(&mut self) {
        while self.release_next() {}
    }

    /// Whether there was anything to place.
    pub fn release_next(&mut self) -> bool {
        let Some((owner, list, at)) = self.filled.pop_front() else { return false };
        let waits = |o: &&OpenOrder| o.standing == Standing::Pending;
        let waiting: Vec<OpenOrder> = self.market.of_list(owner, list).filter(waits).copied().collect();
        let Some(first) = waiting.first() else { return true };
        // What was kept for them is free until it is known what they need.
        let before = self.market.held_with(first);
        for order in &waiting {
            if let Some(order) = self.market.order_mut(order.number) {
                order.held = Amount::ZERO;
            }
        }
        self.rehold(first, before);
        match self.ready(&waiting, at) {
            Ok(ready) => self.put(&waiting, ready, at),
            Err(at_fault) => {
                self.expire(waiting[at_fault].number, Expiry::Rejected, at);
                for other in waiting.iter().enumerate().filter(|(i, _)| *i != at_fault).map(|(_, o)| o) {
                    self.expire(other.number, Expiry::OcoTrigger, at);
                }
            }
        }
        true
    }

    /// The orders as they would be placed now, or which of them cannot be.
    fn ready(&mut self, waiting: &[OpenOrder], at: Timestamp) -> Result<Vec<OpenOrder>, usize> {
        let Some(owner) = waiting.first().map(OpenOrder::owner) else { return Ok(Vec::new()) };
        let (terms, rules) = (&self.terms_of(owner), self.market.rules.clone());
        let last = self.market.last_price();
        let paid = waiting.iter().map(|order| paid_size(order, &rules)).min().flatten();
        let mut ready = Vec::with_capacity(waiting.len());
        for (i, order) in waiting.iter().enumerate() {
            let mut order = *order;
            if order.special.received.is_some() {
                let quantity = paid.and_then(|paid| Quantity::new(paid.normalize()).ok()).ok_or(i)?;
                order.size = Size::Base(quantity);
                order.special.iceberg = order.special.iceberg.map(|part| part.min(quantity));
            }
            if let (Some(last), true) = (last, order.special.trail.is_some_and(|trail| trail.activated)) {
                order.kind = with_stop(order.kind, last);
            }
            if let Some(peg) = order.special.peg.filter(|_| order.kind.stop().is_none()) {
                let price = self.market.pegged(order.side, &peg).map_err(|_| i)?;
                order.kind = with_limit(order.kind, price);
            }
            let Size::Base(quantity) = order.size else { return Err(i) };
            let reference = self.market.reference().map(Price::get);
            rules.check(order.side, &order.kind, quantity.get(), reference).map_err(|_| i)?;
            let base = self.total(owner, rules.base);
            if order.side == Side::Buy && is_over_position(&self.market, owner, base, quantity.get()) {
                return Err(i);
            }
            let order = order.placed(at, terms, &rules, last);
            ready.push(if self.market.outside.is_some() { order.on_books(terms, &rules) } else { order });
        }
        self.check_ready(&ready, last)?;
        match self.is_short_for(&ready) {
            Ok(false) => Ok(ready),
            Ok(true) | Err(_) => Err(0),
        }
    }

    /// Where the market stands, as for orders that come now.
    fn check_ready(&self, ready: &[OpenOrder], last: Option<Price>) -> Result<(), usize> {
        let follows = |order: &OpenOrder| order.special.trail.is_some_and(|trail| trail.activated);
        if let [above, below] = ready {
            let kinds = [&above.kind, &below.kind];
            oco::check_prices(last, kinds, [follows(above), follows(below)]).map_err(|_| {
                let passed = |order: &OpenOrder| {
                    check_trigger(&self.market, &order.kind, order.side, follows(order)).is_err()
                };
                usize::from(!passed(above) && passed(below))
            })?;
        }
        for (i, order) in ready.iter().enumerate() {
            if ready.len() == 1 {
                check_trigger(&self.market, &order.kind, order.side, follows(order)).map_err(|_| i)?;
            }
            if ready.len() == 1 || self.market.outside.is_some() {
                check_maker(&self.market, &order.kind, order.side).map_err(|_| i)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, waiting: &[OpenOrder], ready: Vec<OpenOrder>, at: Timestamp) {
        let Some(first) = ready.first().copied() else { return };
        let before = self.market.held_with(&first);
        for order in &ready {
            if let Some(place) = self.market.order_mut(order.number) {
                *place = *order;
            }
        }
        self.rehold(&first, before);
        for (order, was) in ready.iter().zip(waiting) {
            let venue_order = venue_order(order.number);
            let pegged = was.special.peg.filter(|_| order.special.peg.is_none());
            if let Some(price) = pegged.and(order.kind.limit()) {
                self.say(Report::Pegged { order: order.id, venue_order, price, at });
            }
            let quantity = match (was.special.received, order.size) {
                (Some(_), Size::Base(quantity)) => Some(quantity),
                _ => None,
            };
            self.say(Report::Released { order: order.id, venue_order, quantity, at });
        }
        for order in ready {
            match order.standing {
                Standing::Resting => self.work(order.number),
                Standing::Waiting => self.want_quote(),
                Standing::Pending | Standing::Dormant | Standing::Offered(_) => {}
            }
        }
    }
}

/// The largest quantity that the quantity filters allow of what an order was paid; `None` where it was paid nothing.
fn paid_size(order: &OpenOrder, rules: &InstrumentRules) -> Option<Decimal> {
    let received = order.special.received?;
    let is_market = order.kind.limit().is_none();
    let market = |value: Option<Decimal>| value.filter(|_| is_market);
    let step = market(rules.market_lot_size).map_or(rules.lot_size, |step| step.max(rules.lot_size));
    let most = [rules.max_quantity, market(rules.market_max_quantity)].into_iter().flatten().min();
    Some(floor_to(most.map_or(received, |most| most.min(received)), step))
}
