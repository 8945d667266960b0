//! What the exchange takes and what it refuses, with Binance's numbers and texts (its `errors.md`,
//! `filters.md`): first what its interface checks, then what its matching engine does.

use super::{
    Desk, Exchange, Market, OpenOrder, Refusal, Report, Standing, Terms, oco,
    order::{falls_to_stop, is_marketable},
    pricing::{product, slipped},
};
use domain::{
    Amount, Breach, ClientOrderId, Decimal, Instrument, NewOrder, OrderKind, OrderRequest, Price, Quantity,
    Side, Size, Timestamp, money::floor_to,
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
        let refuse = |refusal: Refusal| {
            let rejected = |o: &NewOrder| Report::Rejected { order: o.id, refusal: refusal.clone(), at: now };
            request.orders().map(rejected).collect()
        };
        let Some(market) = self.markets.get(instrument) else { return refuse(Refusal::unknown_instrument()) };
        if let Err(refusal) = self.check(terms, market, request) {
            return refuse(refusal);
        }
        let mut desk = Desk::open(self, terms, market, now);
        let orders = self.orders_of(terms, market, request, now);
        let short = orders.iter().map(|o| o.held).max().unwrap_or_default() > free_for(&mut desk, &orders);
        if short {
            return refuse(Refusal::new(
                Rejection::InsufficientBalance,
                -2010,
                "Account has insufficient balance for requested action.",
            ));
        }
        let waits = orders.iter().any(|o| o.standing == Standing::Waiting);
        for order in orders {
            desk.admit(order, now);
        }
        desk.report_balances();
        if waits {
            desk.want_quote();
        }
        desk.close()
    }

    fn orders_of(
        &self,
        terms: &Terms,
        market: &Market,
        request: &OrderRequest,
        at: Timestamp,
    ) -> Vec<OpenOrder> {
        let list = list_of(request);
        let numbered = (self.next_number()..).zip(request.orders());
        let last = market.last_price();
        numbered
            .map(|(number, new)| OpenOrder::new(number, new, list, at, terms, &market.rules, last))
            .collect()
    }

    fn check(&self, terms: &Terms, market: &Market, request: &OrderRequest) -> Result<(), Refusal> {
        if let OrderRequest::Oco(oco) = request {
            oco::check_shape(&market.rules, oco)?;
        }
        for order in request.orders() {
            check_numbers(terms, market, order)?;
            check_filters(market, order)?;
        }
        self.check_counts(market, request)?;
        check_ids(market, request)?;
        match request {
            OrderRequest::Single(order) => check_trigger(market, order),
            OrderRequest::Oco(oco) => oco::check_prices(market.last_price(), oco),
        }
    }

    fn check_counts(&self, market: &Market, request: &OrderRequest) -> Result<(), Refusal> {
        let is_algo = |kind: &OrderKind| kind.stop().is_some();
        let orders = market.orders.len() + request.orders().count();
        let algo = market.orders.iter().filter(|o| is_algo(&o.kind)).count()
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
            let working: Amount =
                market.orders.iter().filter(|o| o.side == Side::Buy).filter_map(left_of).sum();
            let position = self.balances.of(&rules.base).total() + working;
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

/// What is free of the asset that the orders, which are of one side, give.
fn free_for(desk: &mut Desk, orders: &[OpenOrder]) -> Amount {
    orders.first().map_or(Amount::ZERO, |order| desk.free(desk.gives(order.side)))
}

fn bought(order: &NewOrder) -> Option<Amount> {
    match (order.side, order.size) {
        (Side::Buy, Size::Base(quantity)) => Some(quantity.get()),
        _ => None,
    }
}

fn left_of(order: &OpenOrder) -> Option<Amount> {
    match order.size {
        Size::Base(quantity) => Some(quantity.get() - order.filled.quantity),
        Size::Quote(_) => None,
    }
}

fn filter(breach: Breach) -> Refusal {
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

/// The symbol's filters. The reference price is the last known one, for want of an average.
fn check_filters(market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let last = market.last_price().map(Price::get);
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

/// An id is taken as long as an order of that id is open.
fn check_ids(market: &Market, request: &OrderRequest) -> Result<(), Refusal> {
    let ids: Vec<_> = request.orders().map(|o| o.id).chain(list_of(request)).collect();
    let twice = ids.iter().enumerate().any(|(i, id)| ids[..i].contains(id));
    if twice || ids.iter().any(|id| market.named(id).is_some()) {
        return Err(Refusal::duplicate());
    }
    Ok(())
}

/// A stop that has been passed already, a maker that would take.
fn check_trigger(market: &Market, order: &NewOrder) -> Result<(), Refusal> {
    let Some(last) = market.last_price() else { return Ok(()) };
    if let Some(stop) = order.kind.stop() {
        let passed = if falls_to_stop(&order.kind, order.side) { last <= stop } else { last >= stop };
        if passed {
            return Err(would_trigger("Stop price would trigger immediately."));
        }
    }
    if let OrderKind::LimitMaker { price } = order.kind
        && is_marketable(order.side, price, last)
    {
        return Err(would_trigger("Order would immediately match and take."));
    }
    Ok(())
}

pub fn would_trigger(text: &str) -> Refusal {
    Refusal::new(Rejection::WouldTrigger, -2010, text)
}
