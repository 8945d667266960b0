//! What the exchange takes and what it refuses, with Binance's numbers and texts (its `errors.md`,
//! `filters.md`): first what its interface checks, then what its matching engine does.

use super::{
    Desk, Exchange, Extras, Limits, Market, OpenOrder, Owner, Refusal, Report, Standing, Terms, Wanted,
    extras::{check_extras, check_listing, check_more_counts, named_as_listed},
    oco,
    order::is_marketable,
    pricing::{is_beyond, product, slipped},
    trailing,
};
use domain::{
    Amount, Breach, ClientOrderId, Decimal, Instrument, NewOco, NewOrder, OrderKind, OrderRequest, Price,
    Quantity, Side, Size, Timestamp, money::floor_to,
};
use events::Rejection;

impl Exchange {
    /// A request reaches the exchange.
    pub fn place(
        &self,
        terms: &Terms,
        now: Timestamp,
        instrument: &Instrument,
        request: &OrderRequest,
    ) -> Vec<Report> {
        match self.placed(terms, None, now, instrument, &Wanted::from(*request)) {
            Ok(desk) => desk.close(),
            Err(refusal) => rejected(request, &refusal, now),
        }
    }

    /// A request with extras reaches the exchange.
    pub(super) fn placed<'a>(
        &'a self,
        terms: &'a Terms,
        limits: Option<&Limits>,
        now: Timestamp,
        instrument: &Instrument,
        wanted: &Wanted,
    ) -> Result<Desk<'a>, Refusal> {
        let market = self.check_request(terms, limits, instrument, wanted)?;
        check_ids(market, wanted.owner, &wanted.request)?;
        check_standing(market, wanted)?;
        let mut desk = Desk::open(self, terms, market, now);
        let orders = self.orders_of(terms, market, wanted, now);
        if desk.is_short_for(&orders)? {
            return Err(Refusal::new(
                Rejection::InsufficientBalance,
                -2010,
                "Account has insufficient balance for requested action.",
            ));
        }
        if market.outside.is_some() {
            desk.enter(orders)
        } else {
            desk.line_up(orders)
        }
        Ok(desk)
    }

    fn orders_of(&self, terms: &Terms, market: &Market, wanted: &Wanted, at: Timestamp) -> Vec<OpenOrder> {
        let list = list_of(&wanted.request);
        let terms = &self.terms_of(terms, wanted.owner);
        let numbered = (self.next_number()..).zip(wanted.each());
        let (rules, last) = (&market.rules, market.last_price());
        let orders = numbered.map(|(number, (new, extras))| {
            let order =
                OpenOrder::new(number, new, list, at, terms, rules, last).with(wanted.owner, &extras, last);
            if market.outside.is_some() { order.on_books(terms, rules) } else { order }
        });
        orders.collect()
    }

    /// What the interface checks before the matching engine hears of it.
    pub(super) fn check_request(
        &self,
        terms: &Terms,
        limits: Option<&Limits>,
        instrument: &Instrument,
        wanted: &Wanted,
    ) -> Result<&Market, Refusal> {
        let market = self.markets.get(instrument).ok_or_else(Refusal::unknown_instrument)?;
        let Some(listing) = market.rules.listing.as_deref() else {
            return self.check_in(market, limits, terms, wanted).map(|()| market);
        };
        for (order, extras) in wanted.each() {
            check_listing(listing, order, &extras)?;
        }
        let checked = self.check_in(market, Limits::of(Some(listing), limits).as_ref(), terms, wanted);
        checked.map(|()| market).map_err(|refusal| named_as_listed(listing, refusal))
    }

    /// The symbol's filters, and the counts of the account's orders there.
    fn check_in(
        &self,
        market: &Market,
        limits: Option<&Limits>,
        terms: &Terms,
        wanted: &Wanted,
    ) -> Result<(), Refusal> {
        if let OrderRequest::Oco(oco) = &wanted.request {
            oco::check_shape(&market.rules, oco)?;
        }
        for (order, extras) in wanted.each() {
            check_numbers(terms, market, order)?;
            check_filters(market, order)?;
            if let Some(limits) = limits {
                check_extras(limits, &market.rules, order, &extras)?;
            }
        }
        self.check_counts(market, wanted.owner, &wanted.request)?;
        if let Some(limits) = limits {
            check_more_counts(limits, market, wanted)?;
        }
        Ok(())
    }

    fn check_counts(&self, market: &Market, owner: Owner, request: &OrderRequest) -> Result<(), Refusal> {
        let is_algo = |kind: &OrderKind| kind.stop().is_some();
        let own = || market.orders.iter().filter(|o| o.owner() == owner);
        let orders = own().count() + request.orders().count();
        let algo = own().filter(|o| is_algo(&o.kind)).count()
            + request.orders().filter(|o| is_algo(&o.kind)).count();
        let rules = &market.rules;
        let over = |count: usize, max: Option<u32>| max.is_some_and(|max| count > max as usize);
        if over(orders, rules.max_orders) {
            return Err(filter(Breach::MaxNumOrders));
        }
        if request.orders().any(|o| is_algo(&o.kind)) && over(algo, rules.max_algo_orders) {
            return Err(filter(Breach::MaxNumAlgoOrders));
        }
        if let (Some(max), Some(wanted)) = (rules.max_position, request.orders().find_map(bought)) {
            let working: Amount = own().filter(|o| o.side == Side::Buy).filter_map(left_of).sum();
            let position = self.balances_of(owner).of(&rules.base).total() + working;
            if position.checked_add(wanted).is_none_or(|after| after > max) {
                return Err(filter(Breach::MaxPosition));
            }
        }
        Ok(())
    }
}

/// The OCO list of a request.
pub fn list_of(request: &OrderRequest) -> Option<ClientOrderId> {
    match request {
        OrderRequest::Single(_) => None,
        OrderRequest::Oco(oco) => Some(oco.list),
    }
}

/// Every order of a request that was refused.
pub fn rejected(request: &OrderRequest, refusal: &Refusal, at: Timestamp) -> Vec<Report> {
    let rejected = |o: &NewOrder| Report::Rejected { order: o.id, refusal: refusal.clone(), at };
    request.orders().map(rejected).collect()
}

impl Desk<'_> {
    /// Whether the account has less than the orders, which are of one side, need.
    fn is_short_for(&mut self, orders: &[OpenOrder]) -> Result<bool, Refusal> {
        let Some(first) = orders.first() else { return Ok(false) };
        let owner = first.owner();
        let free = self.free(owner, self.gives(first.side));
        let held = orders.iter().map(|o| o.held).max().unwrap_or_default();
        let takes = match self.market.outside {
            Some(_) => self.market.costs(first, &self.terms_of(owner), &self.kin_of(owner))?,
            None => None,
        };
        Ok(takes.unwrap_or(held).max(held) > free)
    }

    /// The orders wait for candles and quotes.
    fn line_up(&mut self, orders: Vec<OpenOrder>) {
        let waits = orders.iter().any(|o| o.standing == Standing::Waiting);
        for order in orders {
            self.admit(order, self.now());
        }
        self.report_balances();
        if waits {
            self.want_quote();
        }
    }
}

fn bought(order: &NewOrder) -> Option<Amount> {
    match (order.side, order.size) {
        (Side::Buy, Size::Base(quantity)) => Some(quantity.get()),
        _ => None,
    }
}

fn left_of(order: &OpenOrder) -> Option<Amount> {
    match order.size {
        Size::Base(_) => Some(order.left()),
        Size::Quote(_) => None,
    }
}

pub fn filter(breach: Breach) -> Refusal {
    Refusal::new(Rejection::Filter, -1013, breach.to_string())
}

/// Decimals, and numbers that cannot be reckoned with.
fn check_numbers(terms: &Terms, market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let rules = &market.rules;
    let fits = |name: &str, value: Decimal, precision: u32| match value.normalize().scale() <= precision {
        true => Ok(()),
        false => {
            Err(Refusal::new(Rejection::Filter, -1111, format!("Parameter '{name}' has too much precision.")))
        }
    };
    for (name, price) in [("price", order.kind.limit()), ("stopPrice", order.kind.stop())] {
        if let Some(price) = price {
            fits(name, price.get(), rules.quote_precision)?;
        }
    }
    match order.size {
        Size::Base(quantity) => {
            fits("quantity", quantity.get(), rules.base_precision)?;
            let last = market.last_price();
            let prices = [order.kind.limit(), order.kind.stop(), last];
            let slips = |price: Price| slipped(rules, terms.slippage_ratio, order.side, price);
            let mut reckoned = prices.into_iter().flatten().map(|price| {
                let far = slips(price)?.get().checked_mul(Decimal::TEN)?;
                product(price.get(), quantity.get()).and(far.checked_mul(quantity.get()))
            });
            if reckoned.any(|sum| sum.is_none()) {
                return Err(Refusal::new(Rejection::Filter, -1108, "Parameter 'quantity' overflowed."));
            }
            Ok(())
        }
        Size::Quote(_) if order.kind != OrderKind::Market => Err(Refusal::new(
            Rejection::Other,
            -1102,
            "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
        )),
        Size::Quote(_) if !rules.quote_quantity_allowed => Err(Refusal::new(
            Rejection::Other,
            -1013,
            "Quote order qty market orders are not support for this symbol.",
        )),
        Size::Quote(sum) => fits("quoteOrderQty", sum.get(), rules.quote_precision),
    }
}

/// The symbol's filters. The reference price is the last known one, where no average was given.
fn check_filters(market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let last = market.reference().map(Price::get);
    match order.size {
        Size::Base(quantity) => {
            market.rules.check(order.side, &order.kind, quantity.get(), last).map_err(filter)
        }
        Size::Quote(sum) => check_quote_size(market, order, sum, last),
    }
}

/// A market order by its sum: that is its notional, and its quantity is what it buys at the last price.
fn check_quote_size(
    market: &Market,
    order: &NewOrder,
    sum: Quantity,
    last: Option<Decimal>,
) -> Result<(), Refusal> {
    let (rules, sum) = (&market.rules, sum.get());
    let too_small = rules.min_notional_applies_to_market && sum < rules.min_notional;
    let too_large = rules.max_notional_applies_to_market && rules.max_notional.is_some_and(|max| sum > max);
    if too_small || too_large {
        return Err(filter(Breach::Notional));
    }
    let Some(last) = last else { return Ok(()) };
    let step = rules.market_lot_size.unwrap_or(rules.lot_size).max(rules.lot_size);
    let quantity = floor_to(sum.checked_div(last).unwrap_or(Decimal::MAX), step);
    rules.check(order.side, &order.kind, quantity, None).map_err(filter)
}

/// An id is taken as long as an order of the account of that id is open.
fn check_ids(market: &Market, owner: Owner, request: &OrderRequest) -> Result<(), Refusal> {
    let ids: Vec<_> = request.orders().map(|o| o.id).chain(list_of(request)).collect();
    let twice = ids.iter().enumerate().any(|(i, id)| ids[..i].contains(id));
    if twice || ids.iter().any(|id| market.named(owner, id).is_some()) {
        return Err(Refusal::duplicate());
    }
    Ok(())
}

/// Where the market stands: a stop that has been passed already, a maker that would take.
fn check_standing(market: &Market, wanted: &Wanted) -> Result<(), Refusal> {
    let follows = |extras: &Extras| extras.trailing.is_some_and(|trailing| trailing.activated);
    match &wanted.request {
        OrderRequest::Single(order) => {
            check_trigger(market, order, follows(&wanted.extras[0]))?;
            check_maker(market, order)
        }
        OrderRequest::Oco(oco) => {
            oco::check_prices(market.last_price(), oco, wanted.extras.each_ref().map(follows))?;
            match market.outside {
                Some(_) => oco_legs(oco).try_for_each(|leg| check_maker(market, leg)),
                None => Ok(()),
            }
        }
    }
}

fn oco_legs(oco: &NewOco) -> impl Iterator<Item = &NewOrder> {
    [&oco.above, &oco.below].into_iter()
}

/// `follows`: its trigger moves with the market and cannot have been passed.
fn check_trigger(market: &Market, order: &NewOrder, follows: bool) -> Result<(), Refusal> {
    match (market.last_price(), order.kind.stop()) {
        (Some(last), Some(stop)) if !follows && trailing::reached(&order.kind, order.side, stop, last) => {
            Err(would_trigger("Order would trigger immediately."))
        }
        _ => Ok(()),
    }
}

fn check_maker(market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let OrderKind::LimitMaker { price } = order.kind else { return Ok(()) };
    let takes = match market.outside {
        Some(_) => {
            market.best_price_against(order.side).is_some_and(|best| !is_beyond(order.side, price, best))
        }
        None => market.last_price().is_some_and(|last| is_marketable(order.side, price, last)),
    };
    if takes { Err(would_trigger("Order would immediately match and take.")) } else { Ok(()) }
}

pub fn would_trigger(text: &str) -> Refusal {
    Refusal::new(Rejection::WouldTrigger, -2010, text)
}
