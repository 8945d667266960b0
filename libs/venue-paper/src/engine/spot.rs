//! The exchange as something that does what it is asked, for a program that keeps no tape of it.
//!
//! Whatever it answers with has happened already: the reports are for telling, not for applying.

use super::{
    Book, Change, Exchange, Expiry, Extras, Last, Limits, Market, OpenOrder, Outside, Owner, Quote, Refusal,
    Report, Standing, Terms, Wanted, WantedList, admission,
    desk::{Outcome, venue_order},
};
use domain::{Amount, Asset, ClientOrderId, Instrument, InstrumentRules, Price, Quantity, Side, Timestamp};
use events::Candle;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spot {
    pub exchange: Exchange,
    pub terms: Terms,
    pub limits: Limits,
}

/// What accounts do.
impl Spot {
    pub fn new(terms: Terms) -> Self {
        Self { exchange: Exchange::default(), terms, limits: Limits::default() }
    }

    /// Accepted and what that did at once, or rejected: one such report for each order of the request.
    pub fn place(&mut self, now: Timestamp, instrument: Instrument, wanted: &Wanted) -> Vec<Report> {
        match self.exchange.placed(&self.terms, Some(&self.limits), now, &instrument, wanted) {
            Ok(desk) => {
                let outcome = desk.settle();
                self.settle(instrument, outcome)
            }
            Err(refusal) => admission::rejected(&wanted.request, &refusal, now),
        }
    }

    /// As [`Self::place`], for an order and those that are placed once it is filled.
    pub fn place_list(&mut self, now: Timestamp, instrument: Instrument, wanted: &WantedList) -> Vec<Report> {
        match self.exchange.placed_list(&self.terms, &self.limits, now, &instrument, wanted) {
            Ok(desk) => {
                let outcome = desk.settle();
                self.settle(instrument, outcome)
            }
            Err(refusal) => {
                let rejected =
                    |order: ClientOrderId| Report::Rejected { order, refusal: refusal.clone(), at: now };
                wanted.each().map(|(order, _)| rejected(order.id)).collect()
            }
        }
    }

    /// What the interface would say to it; the matching engine (ids, balances, triggers) is not asked.
    ///
    /// # Errors
    /// As [`Self::place`] would reject it.
    pub fn test(&self, _now: Timestamp, instrument: Instrument, wanted: &Wanted) -> Result<(), Refusal> {
        self.exchange.check_request(&self.terms, Some(&self.limits), &instrument, wanted).map(|_| ())
    }

    /// Cancels the account's order of that id with all of its list, or the list of that id.
    pub fn cancel(
        &mut self,
        now: Timestamp,
        owner: Owner,
        instrument: Instrument,
        id: ClientOrderId,
    ) -> Vec<Report> {
        match self.exchange.canceled(&self.terms, now, owner, &instrument, &id) {
            Ok(desk) => {
                let outcome = desk.settle();
                self.settle(instrument, outcome)
            }
            Err(refusal) => vec![Report::CancelRejected { order: id, refusal, at: now }],
        }
    }

    /// Makes an open order, and its twin, smaller; it keeps its place in the queue.
    pub fn amend(
        &mut self,
        now: Timestamp,
        owner: Owner,
        instrument: Instrument,
        id: ClientOrderId,
        new_id: Option<ClientOrderId>,
        quantity: Quantity,
    ) -> Vec<Report> {
        let amended =
            self.exchange.amended(&self.terms, &self.limits, now, owner, &instrument, &id, new_id, quantity);
        match amended {
            Ok(desk) => {
                let outcome = desk.settle();
                self.settle(instrument, outcome)
            }
            Err(refusal) => vec![Report::AmendRejected { order: id, refusal, at: now }],
        }
    }

    /// A deposit, or a withdrawal of what is free.
    ///
    /// # Errors
    /// There is less than that, or it would be more than can be reckoned with.
    pub fn adjust(
        &mut self,
        now: Timestamp,
        owner: Owner,
        asset: Asset,
        delta: Amount,
    ) -> Result<Vec<Report>, Refusal> {
        let balance = self.adjusted(owner, asset, delta)?;
        self.exchange.balances_of_mut(owner).set(asset, balance);
        Ok(vec![Report::Balance { owner, asset, free: balance.free, locked: balance.locked, as_of: now }])
    }
}

/// What the market does.
impl Spot {
    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        self.exchange.list(instrument, rules);
    }

    /// Fills by the candle rules; nothing once the market trades on books.
    pub fn see_candle(&mut self, now: Timestamp, candle: &Candle) -> Vec<Report> {
        let dormant = self.dormant(&candle.instrument);
        self.exchange.see_candle(&self.terms, candle);
        let Some(desk) = self.exchange.traded_candle(&self.terms, now, candle) else { return Vec::new() };
        let outcome = desk.settle();
        let reports = self.settle(candle.instrument, outcome);
        self.with_triggers(candle, &dormant, reports)
    }

    /// A quote of `at`, which may be some time ago. Fills by the candle rules; nothing once the
    /// market trades on books.
    pub fn see_quote_of(
        &mut self,
        now: Timestamp,
        instrument: Instrument,
        price: Price,
        at: Timestamp,
    ) -> Vec<Report> {
        let quote = Quote { price, at, best: None };
        self.exchange.see_quote(&self.terms, &instrument, &quote);
        let Some(desk) = self.exchange.traded_quote(&self.terms, now, &instrument, &quote) else {
            return Vec::new();
        };
        let outcome = desk.settle();
        self.settle(instrument, outcome)
    }

    /// What others have on the book. From the first one on the market trades on books.
    pub fn see_book(&mut self, now: Timestamp, instrument: Instrument, book: &Book) -> Vec<Report> {
        let Some(desk) = self.exchange.saw_book(&self.terms, now, &instrument, book) else {
            return Vec::new();
        };
        let outcome = desk.settle();
        self.settle(instrument, outcome)
    }

    /// Others have traded, in this order, and of what they have on the book `change` is otherwise after it. What
    /// the trades trigger meets that book. From the first one on the market trades on books.
    pub fn see_market(
        &mut self,
        now: Timestamp,
        instrument: Instrument,
        trades: &[(Price, Quantity, Side)],
        change: &Change,
    ) -> Vec<Report> {
        let Some(market) = self.exchange.markets.get_mut(&instrument) else { return Vec::new() };
        let begins = market.outside.is_none();
        let outside = market.outside.get_or_insert_default();
        outside.settle();
        outside.change(change);
        let Some(desk) = self.exchange.saw_market(&self.terms, now, &instrument, trades, begins) else {
            return Vec::new();
        };
        let outcome = desk.settle();
        self.settle(instrument, outcome)
    }

    /// What has been taken of others' levels since this was last asked, by the side on which it rested.
    pub fn take_taken(&mut self, instrument: Instrument) -> Vec<(Side, Price, Amount)> {
        let market = self.exchange.markets.get_mut(&instrument);
        market.and_then(|market| market.outside.as_mut()).map(Outside::settle).unwrap_or_default()
    }

    /// What we show on the book.
    pub fn shown(&self, instrument: Instrument) -> Book {
        self.exchange.markets.get(&instrument).map(Market::shown).unwrap_or_default()
    }

    /// The last trade, where nobody is told of every one: no order is open, and nothing is triggered by it.
    pub fn set_last(&mut self, now: Timestamp, instrument: Instrument, price: Price) {
        if let Some(market) = self.exchange.markets.get_mut(&instrument) {
            market.last = Some(Last { price, at: now });
        }
    }

    /// Others traded: `taker` is the side of the one who came last.
    pub fn see_trade(
        &mut self,
        now: Timestamp,
        instrument: Instrument,
        price: Price,
        quantity: Quantity,
        taker: Side,
    ) -> Vec<Report> {
        let Some(desk) = self.exchange.saw_trade(&self.terms, now, &instrument, price, quantity, taker)
        else {
            return Vec::new();
        };
        let outcome = desk.settle();
        self.settle(instrument, outcome)
    }

    /// The reference price of `PERCENT_PRICE` and `NOTIONAL` from now on, in place of the last price.
    pub fn set_average(&mut self, instrument: Instrument, price: Price) {
        if let Some(market) = self.exchange.markets.get_mut(&instrument) {
            market.average = Some(price);
        }
    }

    /// What others have on the book and what we show there, together; `None` where no book was seen.
    pub fn book(&self, instrument: Instrument) -> Option<Book> {
        self.exchange.markets.get(&instrument)?.merged_book()
    }

    fn dormant(&self, instrument: &Instrument) -> Vec<OpenOrder> {
        let orders = self.exchange.markets.get(instrument).map(|market| &market.orders);
        orders.into_iter().flatten().filter(|o| o.standing == Standing::Dormant).copied().collect()
    }

    /// The engine does not say of a candle which stops it triggered; whoever tells the world must.
    fn with_triggers(&self, candle: &Candle, dormant: &[OpenOrder], mut reports: Vec<Report>) -> Vec<Report> {
        let market = self.exchange.markets.get(&candle.instrument);
        for order in dormant {
            let first = reports.iter().position(|report| report.order() == Some(order.id));
            let triggered = match first.map(|place| &reports[place]) {
                // Its twin was faster.
                Some(Report::Ended(end)) => end.expiry != Some(Expiry::OcoTrigger),
                Some(_) => true,
                None => {
                    market.and_then(|m| m.order(order.number)).is_some_and(|o| o.standing != order.standing)
                }
            };
            if triggered {
                let (order, venue_order) = (order.id, venue_order(order.number));
                let triggered = Report::Triggered { order, venue_order, at: candle.close_time() };
                reports.insert(first.unwrap_or(reports.len()), triggered);
            }
        }
        reports
    }

    fn settle(&mut self, instrument: Instrument, outcome: Outcome) -> Vec<Report> {
        self.exchange.settle(&instrument, outcome)
    }
}

impl Wanted {
    /// The extras of each order.
    pub fn each(&self) -> impl Iterator<Item = (&domain::NewOrder, Extras)> {
        self.request.orders().zip(self.extras)
    }
}
