//! Takers on a book: they trade at once, price by price, and what is left rests or expires.

use super::{
    Desk, Expiry, OpenOrder, Report, SelfTrade, Standing,
    counter::{Counter, opposite},
    desk::venue_order,
    order::time_in_force,
    pricing::is_beyond,
};
use domain::{Amount, Ending, OrderKind, Price, Size, TimeInForce};
use std::collections::VecDeque;

impl Desk<'_> {
    /// Orders that have been checked come to the book.
    pub fn enter(&mut self, orders: Vec<OpenOrder>) {
        let numbers: Vec<u64> = orders.iter().map(|o| o.number).collect();
        for order in orders {
            self.admit(order, self.now());
        }
        for number in numbers {
            if self.market.order(number).is_some_and(|o| o.standing == Standing::Resting) {
                self.work(number);
            }
        }
        self.echo();
    }

    /// What the trades made here do to stops and to orders that wait for another one, and what those do
    /// then, until nothing more happens.
    pub fn echo(&mut self) {
        let mut due = VecDeque::new();
        let mut heard = 0;
        loop {
            if let Some(number) = due.pop_front() {
                self.trigger(number);
            } else if let Some(&price) = self.prints.get(heard) {
                heard += 1;
                due.extend(self.market.see_print(price, self.now()));
            } else if !self.release_next() {
                return;
            }
        }
    }

    fn trigger(&mut self, number: u64) {
        let at = self.now();
        let Some(order) = self.market.order(number).copied().filter(|o| o.standing == Standing::Dormant)
        else {
            return;
        };
        self.expire_twin(&order, at);
        if !self.peg(&order, at) {
            return;
        }
        if let Some(order) = self.market.order_mut(number) {
            order.standing = Standing::Resting;
        }
        self.say(Report::Triggered { order: order.id, venue_order: venue_order(number), at });
        self.work(number);
    }

    /// The order takes what it can; then it is filled, or rests, or expires.
    pub fn work(&mut self, number: u64) {
        let Some(order) = self.market.order(number).copied() else { return };
        if order.is_all_or_nothing() && self.available(&order) < order.left() {
            return self.expire(number, Expiry::UnfilledFok, self.now());
        }
        let last = self.sweep(number);
        let Some(order) = self.market.order(number).copied() else { return };
        let at = self.now();
        if self.is_done(&order, last) {
            self.end(number, Ending::Filled, at);
        } else if rests(&order.kind) {
            self.market.line_up(number);
        } else {
            self.expire(number, order.expiry(), at);
        }
    }

    /// Trades until there is nothing more for it, or nothing more of it; its last price.
    fn sweep(&mut self, number: u64) -> Option<Price> {
        let mut last = None;
        while let Some(order) = self.market.order(number).copied() {
            let Some(counter) = self.counter(&order) else { break };
            let price = counter.price();
            let wanted = self.wanted(&order, price);
            let within = order.kind.limit().is_none_or(|limit| !is_beyond(order.side, limit, price));
            if wanted <= Amount::ZERO && !order.filled.quantity.is_zero() {
                // What is left of its sum buys nothing more here.
                return Some(price);
            }
            if !within || wanted <= Amount::ZERO {
                break;
            }
            let goes_on = match counter {
                Counter::Outside { quantity, .. } => self.take_outside(&order, price, wanted.min(quantity)),
                Counter::Elsewhere { route, quantity, .. } => {
                    self.take_elsewhere(&order, route, price, wanted.min(quantity))
                }
                Counter::Own { maker, .. } => self.meet_own(&order, maker, price, wanted),
            };
            if !goes_on {
                break;
            }
            last = Some(price);
        }
        last
    }

    /// Who is first in line for the order, here or on its routes.
    fn counter(&self, order: &OpenOrder) -> Option<Counter> {
        let here = self.market.best_against(order.side);
        let Some((route, price, quantity)) = self.routes.best(order) else { return here };
        match here {
            Some(here) if !is_beyond(order.side, price, here.price()) => Some(here),
            _ => Some(Counter::Elsewhere { route, price, quantity }),
        }
    }

    fn take_elsewhere(&mut self, order: &OpenOrder, route: usize, price: Price, quantity: Amount) -> bool {
        let payable = self.payable(order, price, quantity);
        if payable <= Amount::ZERO {
            return false;
        }
        let Some(from) = self.routes.take(route, payable) else { return false };
        self.allocate(from, order, price, payable)
    }

    /// What an order could get at once within its limit.
    fn available(&self, order: &OpenOrder) -> Amount {
        let within = |price: Price| order.kind.limit().is_none_or(|l| !is_beyond(order.side, l, price));
        let kin = self.kin_of(order.owner());
        let offers = self.routes.offers(&self.market, order, &kin).into_iter();
        offers.take_while(|(price, ..)| within(*price)).map(|(_, quantity, _)| quantity).sum()
    }

    /// Whether all of it was traded that the account can pay for: else it takes no more.
    fn take_outside(&mut self, order: &OpenOrder, price: Price, quantity: Amount) -> bool {
        let payable = self.payable(order, price, quantity);
        if payable <= Amount::ZERO {
            return false;
        }
        let filled = match self.routes.allocates(order) {
            Some(own) => self.allocate(own, order, price, payable),
            None => self.fill(order, price, payable, false, self.now()),
        };
        if !filled {
            return false;
        }
        self.market.outside_gives(opposite(order.side), price, payable);
        self.prints.push(price);
        payable == quantity
    }

    /// Two orders of this exchange's accounts have met: whether that leaves the taker free to go on.
    fn meet_own(&mut self, order: &OpenOrder, maker: u64, price: Price, wanted: Amount) -> bool {
        let Some(maker) = self.market.order(maker).copied() else { return false };
        if !self.kin_of(order.owner()).has(maker.owner()) {
            return self.take_own(order, &maker, price, wanted);
        }
        match order.special.self_trade {
            SelfTrade::None => self.take_own(order, &maker, price, wanted),
            SelfTrade::ExpireTaker
            | SelfTrade::ExpireMaker
            | SelfTrade::ExpireBoth
            | SelfTrade::Decrement
            | SelfTrade::Transfer => self.prevent(order, &maker, price, wanted),
        }
    }

    /// One trade, of which both sides are known.
    fn take_own(&mut self, order: &OpenOrder, maker: &OpenOrder, price: Price, wanted: Amount) -> bool {
        let quantity = wanted.min(maker.visible());
        let payable = self.payable(order, price, quantity);
        let trade = self.market.trades + 1;
        if payable <= Amount::ZERO || !self.fill_in(trade, order, price, payable, false, self.now()) {
            return false;
        }
        self.expire_twin(maker, self.now());
        // What the taker could trade, the maker can.
        self.fill_in(trade, maker, price, payable, true, self.now());
        self.after_making(maker.number, payable);
        self.prints.push(price);
        payable == quantity
    }

    /// Whether nothing is left of it, or of its sum nothing that buys another lot.
    fn is_done(&self, order: &OpenOrder, last: Option<Price>) -> bool {
        match order.size {
            Size::Base(_) => order.left() <= Amount::ZERO,
            Size::Quote(_) => last.is_some_and(|price| self.wanted(order, price) <= Amount::ZERO),
        }
    }
}

/// Whether what cannot trade at once stays on the book.
fn rests(kind: &OrderKind) -> bool {
    matches!(kind, OrderKind::LimitMaker { .. }) || time_in_force(kind) == Some(TimeInForce::Gtc)
}
