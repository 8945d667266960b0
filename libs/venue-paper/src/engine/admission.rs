//! What the exchange takes and what it refuses, with Binance's numbers and texts (its `errors.md`,
//! `filters.md`): first what its interface checks, then what its matching engine does.

use super::{
    Desk, Exchange, Extras, Limits, Market, OpenOrder, Owner, Refusal, Report, Standing, Terms, Wanted,
    desk::venue_order,
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
        let (market, wanted) = &self.check_request(terms, limits, instrument, wanted)?;
        let ids: Vec<_> = wanted.request.orders().map(|o| o.id).chain(list_of(&wanted.request)).collect();
        check_ids(market, wanted.owner, &ids)?;
        check_standing(market, wanted)?;
        let mut desk = Desk::open(self, terms, market, now);
        let orders = self.orders_of(terms, market, wanted, list_of(&wanted.request), now);
        if desk.is_short_for(&orders)? {
            return Err(short());
        }
        desk.say_pegged(&orders, wanted);
        desk.arrive(orders);
        Ok(desk)
    }

    /// The orders of a request as they come to the exchange.
    pub(super) fn orders_of(
        &self,
        terms: &Terms,
        market: &Market,
        wanted: &Wanted,
        list: Option<ClientOrderId>,
        at: Timestamp,
    ) -> Vec<OpenOrder> {
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

    /// What the interface checks before the matching engine hears of it; the request with the limits that
    /// follow from the book.
    pub(super) fn check_request(
        &self,
        terms: &Terms,
        limits: Option<&Limits>,
        instrument: &Instrument,
        wanted: &Wanted,
    ) -> Result<(&Market, Wanted), Refusal> {
        let market = self.markets.get(instrument).ok_or_else(Refusal::unknown_instrument)?;
        let Some(listing) = market.rules.listing.as_deref() else {
            return self.check_in(market, limits, terms, wanted).map(|wanted| (market, wanted));
        };
        for (order, extras) in wanted.each() {
            check_listing(listing, order, &extras)?;
        }
        let checked = self.check_in(market, Limits::of(Some(listing), limits).as_ref(), terms, wanted);
        checked.map(|wanted| (market, wanted)).map_err(|refusal| named_as_listed(listing, refusal))
    }

    /// The symbol's filters, and the counts of the account's orders there.
    fn check_in(
        &self,
        market: &Market,
        limits: Option<&Limits>,
        terms: &Terms,
        wanted: &Wanted,
    ) -> Result<Wanted, Refusal> {
        if let OrderRequest::Oco(oco) = &wanted.request {
            oco::check_shape(&market.rules, oco)?;
        }
        let pegged = market.pegged_request(wanted)?;
        check_each(terms, limits, market, wanted, &pegged)?;
        let first = pegged.request.orders().next();
        if let Some(first) = first {
            self.check_counts(market, wanted.owner, pegged.request.orders(), first)?;
        }
        if let Some(limits) = limits {
            let adds_list = matches!(wanted.request, OrderRequest::Oco(_));
            let extras = wanted.extras[..wanted.request.orders().count()].iter();
            check_more_counts(limits, market, wanted.owner, extras, adds_list)?;
        }
        Ok(pegged)
    }

    /// `orders` of an account come together; `first` is the one of them that works at once.
    pub(super) fn check_counts<'a>(
        &self,
        market: &Market,
        owner: Owner,
        orders: impl Iterator<Item = &'a NewOrder>,
        first: &NewOrder,
    ) -> Result<(), Refusal> {
        let is_algo = |kind: &OrderKind| kind.stop().is_some();
        let (mut more, mut more_algo) = (0, 0);
        for order in orders {
            more += 1;
            more_algo += usize::from(is_algo(&order.kind));
        }
        let own = || market.orders.iter().filter(|o| o.owner() == owner);
        let orders = own().count() + more;
        let algo = own().filter(|o| is_algo(&o.kind)).count() + more_algo;
        let rules = &market.rules;
        let over = |count: usize, max: Option<u32>| max.is_some_and(|max| count > max as usize);
        if over(orders, rules.max_orders) {
            return Err(filter(Breach::MaxNumOrders));
        }
        if more_algo > 0 && over(algo, rules.max_algo_orders) {
            return Err(filter(Breach::MaxNumAlgoOrders));
        }
        let base = self.balances_of(owner).of(&rules.base).total();
        match bought(first) {
            Some(wanted) if is_over_position(market, owner, base, wanted) => Err(filter(Breach::MaxPosition)),
            _ => Ok(()),
        }
    }
}

/// Whether `MAX_POSITION` forbids an account to buy that much, where it has `base` of the base asset.
pub fn is_over_position(market: &Market, owner: Owner, base: Amount, wanted: Amount) -> bool {
    let Some(max) = market.rules.max_position else { return false };
    let own = market.orders.iter().filter(|o| o.owner() == owner);
    let buys = own.filter(|o| o.side == Side::Buy && o.standing != Standing::Pending);
    let position = base + buys.filter_map(left_of).sum::<Amount>();
    position.checked_add(wanted).is_none_or(|after| after > max)
}

/// Numbers, filters and extras of each order; of a pegged one at its own limit, if it has one, and at that
/// of the book.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_each(
    terms: &Terms,
    limits: Option<&Limits>,
    market: &Market,
    wanted: &Wanted,
    pegged: &Wanted,
) -> Result<(), Refusal> {
    for ((order, extras), found) in wanted.each().zip(pegged.request.orders()) {
        if extras.peg.is_none_or(|peg| peg.price.is_some()) {
            check_numbers(terms, market, order)?;
            check_filters(market, order)?;
        }
        if extras.peg.is_some() {
            check_numbers(terms, market, found)?;
            check_filters(market, found)?;
        }
        if let Some(limits) = limits {
            check_extras(limits, &market.rules, order, &extras)?;
        }
    }
    Ok(())
}

/// An order that is placed later; of one whose quantity is not known (`paid`) only prices.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_pending(
    terms: &Terms,
    limits: &Limits,
    market: &Market,
    order: &NewOrder,
    extras: &Extras,
    paid: bool,
) -> Result<(), Refusal> {
    if let Size::Quote(_) = order.size {
        return Err(Refusal::new(
            Rejection::Other,
            -1106,
            "Parameter 'quoteOrderQty' sent when not required.",
        ));
    }
    check_numbers(terms, market, order)?;
    if paid {
        let reference = market.reference().map(Price::get);
        market.rules.check_prices(order.side, &order.kind, reference).map_err(filter)?;
    } else {
        check_filters(market, order)?;
    }
    check_extras(limits, &market.rules, order, extras)
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
    /// Orders that have been checked come to the exchange.
    pub fn arrive(&mut self, orders: Vec<OpenOrder>) {
        if self.market.outside.is_some() { self.enter(orders) } else { self.line_up(orders) }
    }

    /// Says what limits the book has given to the orders of that request.
    pub fn say_pegged(&mut self, orders: &[OpenOrder], wanted: &Wanted) {
        for (order, extras) in orders.iter().zip(wanted.extras) {
            let at_once = extras.peg.filter(|_| order.kind.stop().is_none());
            if let Some(price) = at_once.and(order.kind.limit()) {
                let (venue_order, at) = (venue_order(order.number), self.now());
                self.say(Report::Pegged { order: order.id, venue_order, price, at });
            }
        }
    }

    /// Whether the account has less than the orders, which are of one side, need.
    pub fn is_short_for(&mut self, orders: &[OpenOrder]) -> Result<bool, Refusal> {
        let Some(first) = orders.first() else { return Ok(false) };
        let owner = first.owner();
        let free = self.free(owner, self.gives(first.side));
        let held = orders.iter().map(|o| o.held).max().unwrap_or_default();
        let takes = match &self.market.outside {
            Some(_) => match self.routed_costs(first) {
                Some(cost) => Some(cost),
                None => self.market.costs(first, &self.terms_of(owner), &self.kin_of(owner))?,
            },
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
pub fn check_ids(market: &Market, owner: Owner, ids: &[ClientOrderId]) -> Result<(), Refusal> {
    let twice = ids.iter().enumerate().any(|(i, id)| ids[..i].contains(id));
    if twice || ids.iter().any(|id| market.named(owner, id).is_some()) {
        return Err(Refusal::duplicate());
    }
    Ok(())
}

/// Where the market stands: a stop that has been passed already, a maker that would take.
pub fn check_standing(market: &Market, wanted: &Wanted) -> Result<(), Refusal> {
    match &wanted.request {
        OrderRequest::Single(order) => {
            check_trigger(market, &order.kind, order.side, follows(&wanted.extras[0]))?;
            check_maker(market, &order.kind, order.side)
        }
        OrderRequest::Oco(oco) => {
            let kinds = [&oco.above.kind, &oco.below.kind];
            oco::check_prices(market.last_price(), kinds, wanted.extras.each_ref().map(follows))?;
            match market.outside {
                Some(_) => oco_legs(oco).try_for_each(|leg| check_maker(market, &leg.kind, leg.side)),
                None => Ok(()),
            }
        }
    }
}

fn oco_legs(oco: &NewOco) -> impl Iterator<Item = &NewOrder> {
    [&oco.above, &oco.below].into_iter()
}

/// Whether the order's trigger moves with the market from the start and cannot have been passed.
pub fn follows(extras: &Extras) -> bool {
    extras.trailing.is_some_and(|trailing| trailing.activated)
}

pub fn check_trigger(market: &Market, kind: &OrderKind, side: Side, follows: bool) -> Result<(), Refusal> {
    match (market.last_price(), kind.stop()) {
        (Some(last), Some(stop)) if !follows && trailing::reached(kind, side, stop, last) => {
            Err(would_trigger("Order would trigger immediately."))
        }
        _ => Ok(()),
    }
}

pub fn check_maker(market: &Market, kind: &OrderKind, side: Side) -> Result<(), Refusal> {
    let OrderKind::LimitMaker { price } = *kind else { return Ok(()) };
    let takes = match market.outside {
        Some(_) => market.best_price_against(side).is_some_and(|best| !is_beyond(side, price, best)),
        None => market.last_price().is_some_and(|last| is_marketable(side, price, last)),
    };
    if takes { Err(would_trigger("Order would immediately match and take.")) } else { Ok(()) }
}

pub fn short() -> Refusal {
    const TEXT: &str = "Account has insufficient balance for requested action.";
    Refusal::new(Rejection::InsufficientBalance, -2010, TEXT)
}

pub fn would_trigger(text: &str) -> Refusal {
    Refusal::new(Rejection::WouldTrigger, -2010, text)
}
