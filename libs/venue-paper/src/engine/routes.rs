//! Smart order routing (Binance's `faqs/sor_faq.md`): one order takes from the books of several instruments
//! with the same base asset, and pays, or is paid, in the quote asset of its own.
//!
//! A route is taken from up to the first order of the account on it: who would trade there is decided by that
//! book's own rules, which a router from elsewhere does not know.

use super::{
    Desk, Exchange, Kin, Limits, Market, OpenOrder, Refusal, Report, Spot, Terms, Wanted,
    admission::{check_ids, check_standing, rejected, short},
    counter::{by_price, opposite, quote_for},
    pricing::is_beyond,
};
use domain::{Amount, Instrument, OrderKind, Price, Side, Size, Timestamp, money::floor_to};

/// What an order can take elsewhere.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    /// The only order that takes the routes.
    order: u64,
    /// Its instrument, if all that it takes at once is allocated to it: it reaches another book.
    allocates: Option<Instrument>,
    routes: Vec<Route>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    instrument: Instrument,
    /// Of the side that is taken from, the best price first, in whole lots of the order's own instrument.
    levels: Vec<(Price, Amount)>,
    taken: Vec<(Price, Amount)>,
}

impl Spot {
    /// As [`Self::place`], for an order that takes from the books of `routes` too; what that did to them comes
    /// behind what it did to the order.
    pub fn place_routed(
        &mut self,
        now: Timestamp,
        instrument: Instrument,
        wanted: &Wanted,
        routes: &[Instrument],
    ) -> Vec<(Instrument, Vec<Report>)> {
        let placed = self.exchange.placed_routed(&self.terms, &self.limits, now, &instrument, wanted, routes);
        let (desk, side) = match placed {
            Ok(placed) => placed,
            Err(refusal) => return vec![(instrument, rejected(&wanted.request, &refusal, now))],
        };
        let taken: Vec<Route> =
            desk.routes.routes.iter().filter(|route| !route.taken.is_empty()).cloned().collect();
        let outcome = desk.settle();
        let mut reports = vec![(instrument, self.exchange.settle(&instrument, outcome))];
        for route in taken {
            let Some(desk) = self.exchange.gave(&self.terms, now, &route, side) else { continue };
            let outcome = desk.settle();
            reports.push((route.instrument, self.exchange.settle(&route.instrument, outcome)));
        }
        reports
    }
}

impl Exchange {
    fn placed_routed<'a>(
        &'a self,
        terms: &'a Terms,
        limits: &Limits,
        now: Timestamp,
        instrument: &Instrument,
        wanted: &Wanted,
        routes: &[Instrument],
    ) -> Result<(Desk<'a>, Side), Refusal> {
        let (market, wanted) = self.check_request(terms, Some(limits), instrument, wanted)?;
        let ids: Vec<_> = wanted.request.orders().map(|order| order.id).collect();
        check_ids(market, wanted.owner, &ids)?;
        check_standing(market, &wanted)?;
        let mut desk = Desk::open(self, terms, market, now);
        let orders = self.orders_of(terms, market, &wanted, None, now);
        let Some(order) = orders.first().copied() else { return Err(Refusal::unknown_order()) };
        desk.routes = self.routes(instrument, market, &order, routes);
        if desk.is_short_for(&orders)? {
            return Err(short());
        }
        desk.arrive(orders);
        Ok((desk, order.side))
    }

    fn routes(
        &self,
        instrument: &Instrument,
        market: &Market,
        order: &OpenOrder,
        instruments: &[Instrument],
    ) -> Routes {
        let lot = market.rules.lot_size;
        let route = |instrument: &Instrument| {
            let other = self.markets.get(instrument)?;
            let own = other.best_own(opposite(order.side)).and_then(|own| own.kind.limit());
            let levels = other.outside.as_ref()?.levels(opposite(order.side));
            let free =
                levels.take_while(|(price, _)| own.is_none_or(|own| is_beyond(order.side, *price, own)));
            let levels: Vec<_> =
                free.map(|(price, q)| (price, floor_to(q, lot))).filter(|(_, q)| !q.is_zero()).collect();
            Some(Route { instrument: *instrument, levels, taken: Vec::new() })
        };
        let routes = instruments.iter().filter_map(route).collect();
        let mut routes = Routes { order: order.number, allocates: None, routes };
        routes.allocates =
            routes.is_reached(market, order, &self.kin_of(order.owner())).then_some(*instrument);
        routes
    }

    /// A router has taken that from what others have on a book.
    fn gave<'a>(&'a self, terms: &'a Terms, now: Timestamp, route: &Route, taker: Side) -> Option<Desk<'a>> {
        let market = self.markets.get(&route.instrument)?;
        let mut desk = Desk::open(self, terms, market, now);
        let side = opposite(taker);
        for &(price, quantity) in &route.taken {
            loop {
                let (best, whole) = desk.market.outside.as_ref()?.best(side)?;
                if best == price {
                    break;
                }
                // Less than a lot was left there.
                desk.market.outside_gives(side, best, whole);
            }
            desk.market.outside_gives(side, price, quantity);
            desk.prints.push(price);
        }
        desk.echo();
        Some(desk)
    }
}

impl Routes {
    /// The order's instrument, if what it takes there is an allocation too.
    pub fn allocates(&self, order: &OpenOrder) -> Option<Instrument> {
        self.allocates.filter(|_| self.order == order.number)
    }

    /// The best price for the order on any of the routes, and how much there is at it.
    pub fn best(&self, order: &OpenOrder) -> Option<(usize, Price, Amount)> {
        if self.order != order.number {
            return None;
        }
        let firsts = self.routes.iter().enumerate();
        let firsts = firsts.filter_map(|(i, route)| route.levels.first().map(|(p, q)| (i, *p, *q)));
        firsts.min_by(|a, b| by_price(opposite(order.side), a.1, b.1))
    }

    /// Of the best level of a route, that much is gone.
    pub fn take(&mut self, route: usize, quantity: Amount) -> Option<Instrument> {
        let route = self.routes.get_mut(route)?;
        let (price, left) = route.levels.first_mut()?;
        route.taken.push((*price, quantity));
        *left -= quantity;
        if *left <= Amount::ZERO {
            route.levels.remove(0);
        }
        Some(route.instrument)
    }

    /// What the order could get at its own instrument and on the routes, the best price first; whether it is
    /// on a route.
    pub fn offers(&self, market: &Market, order: &OpenOrder, kin: &Kin) -> Vec<(Price, Amount, bool)> {
        let own = market.offers(order, kin).map(|(p, q)| (p, q, false));
        let mut all: Vec<_> = own.collect();
        if self.order == order.number {
            let routes = self.routes.iter().flat_map(|route| route.levels.iter());
            all.extend(routes.map(|&(price, quantity)| (price, quantity, true)));
            all.sort_by(|a, b| by_price(opposite(order.side), a.0, b.0));
        }
        all
    }

    /// Whether the order would take from any route.
    fn is_reached(&self, market: &Market, order: &OpenOrder, kin: &Kin) -> bool {
        let Size::Base(quantity) = order.size else { return false };
        let mut left = quantity.get();
        let within = |price: Price| order.kind.limit().is_none_or(|l| !is_beyond(order.side, l, price));
        for (price, quantity, elsewhere) in self.offers(market, order, kin) {
            if left <= Amount::ZERO || !within(price) {
                return false;
            }
            if elsewhere {
                return true;
            }
            left -= quantity;
        }
        false
    }
}

impl Desk<'_> {
    /// What a market order by its quantity costs at once, with what it takes elsewhere; `None` for others.
    pub fn routed_costs(&self, order: &OpenOrder) -> Option<Amount> {
        let Size::Base(quantity) = order.size else { return None };
        if order.kind != OrderKind::Market || order.side != Side::Buy || self.routes.order != order.number {
            return None;
        }
        let kin = self.kin_of(order.owner());
        let offers = self.routes.offers(&self.market, order, &kin).into_iter().map(|(p, q, _)| (p, q));
        let cost = quote_for(quantity.get(), offers);
        Some(cost + self.terms_of(order.owner()).fees.on_top(cost, &self.market.rules))
    }
}
