//! Where the outcome of one request or one price is worked out, on copies of what it touches.
//!
//! The desk changes its copies by the very functions by which the exchange later takes the reports,
//! so the two cannot drift apart.

use super::{
    Acceptance, Allocation, Balance, End, Exchange, Exchanged, Execution, Expiry, Kin, Market, OpenOrder,
    Owner, Report, Role, Terms, pricing::product, routes::Routes,
};
use domain::{
    Amount, Asset, ClientOrderId, Decimal, Ending, Instrument, Price, Quantity, Side, Timestamp,
    VenueOrderId, VenueTradeId,
};
use std::collections::VecDeque;

pub struct Desk<'a> {
    pub terms: &'a Terms,
    pub market: Market,
    exchange: &'a Exchange,
    now: Timestamp,
    touched: Vec<Touched>,
    reports: Vec<Report>,
    /// The number of the last order that was admitted.
    numbered: u64,
    /// Prices of the trades made here on the book, in order; what they trigger is looked at last.
    pub prints: Vec<Price>,
    /// Lists whose working order is filled, and since when: their other orders are placed next.
    pub filled: VecDeque<(Owner, ClientOrderId, Timestamp)>,
    /// What the order in hand can take elsewhere.
    pub routes: Routes,
}

/// What a desk has come to: how everything is now, and what is to be told of it.
pub struct Outcome {
    pub market: Market,
    pub balances: Vec<(Owner, Asset, Balance)>,
    pub numbered: u64,
    pub reports: Vec<Report>,
}

struct Touched {
    owner: Owner,
    asset: Asset,
    reported: Balance,
    balance: Balance,
    changed: bool,
}

impl<'a> Desk<'a> {
    pub fn open(exchange: &'a Exchange, terms: &'a Terms, market: &Market, now: Timestamp) -> Self {
        Self {
            terms,
            market: market.clone(),
            exchange,
            now,
            touched: Vec::new(),
            reports: Vec::new(),
            numbered: 0,
            prints: Vec::new(),
            filled: VecDeque::new(),
            routes: Routes::default(),
        }
    }

    /// Everything that happened, in order.
    pub fn close(mut self) -> Vec<Report> {
        self.report_balances();
        self.reports
    }

    /// As [`Self::close`], with what everything is now, for whoever takes that over as it is.
    pub fn settle(mut self) -> Outcome {
        self.report_balances();
        let normal = |t: Touched| {
            let Balance { free, locked } = t.balance;
            (t.owner, t.asset, Balance { free: free.normalize(), locked: locked.normalize() })
        };
        Outcome {
            market: self.market,
            balances: self.touched.into_iter().filter(|t| t.changed).map(normal).collect(),
            numbered: self.numbered,
            reports: self.reports,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    pub fn admit(&mut self, order: OpenOrder, at: Timestamp) {
        let before = self.market.held_with(&order);
        self.numbered = self.numbered.max(order.number);
        self.market.admit(order);
        self.rehold(&order, before);
        self.say(Report::Accepted(Acceptance {
            order: order.id,
            venue_order: venue_order(order.number),
            at,
        }));
    }

    pub fn want_quote(&mut self) {
        if self.market.asked.is_none() {
            self.market.asked = Some(self.now);
            self.say(Report::QuoteWanted);
        }
    }

    /// Executes `quantity` of an order at `price`; whether that could be done.
    /// The caller has seen to it that there is volume and money enough.
    pub fn fill(
        &mut self,
        order: &OpenOrder,
        price: Price,
        quantity: Amount,
        maker: bool,
        at: Timestamp,
    ) -> bool {
        self.fill_in(self.market.trades + 1, order, price, quantity, maker, at)
    }

    /// As [`Self::fill`], as one side of the trade of that number.
    pub fn fill_in(
        &mut self,
        trade: u64,
        order: &OpenOrder,
        price: Price,
        quantity: Amount,
        maker: bool,
        at: Timestamp,
    ) -> bool {
        self.fill_as(trade, None, order, price, quantity, maker, at)
    }

    /// As [`Self::fill`] of a taker, as an allocation of what was taken there.
    pub fn allocate(&mut self, from: Instrument, order: &OpenOrder, price: Price, quantity: Amount) -> bool {
        let (trades, number) = (self.market.trades, self.market.counts.allocated);
        let allocation = Some(Allocation { number, from });
        let filled = self.fill_as(trades, allocation, order, price, quantity, false, self.now());
        self.market.counts.allocated += u64::from(filled);
        filled
    }

    #[expect(clippy::too_many_arguments, reason = "one fill, and how it is counted")]
    fn fill_as(
        &mut self,
        trade: u64,
        allocation: Option<Allocation>,
        order: &OpenOrder,
        price: Price,
        quantity: Amount,
        maker: bool,
        at: Timestamp,
    ) -> bool {
        let (Some(quote), Ok(whole)) = (product(price.get(), quantity), Quantity::new(quantity.normalize()))
        else {
            return false;
        };
        let terms = self.terms_of(order.owner());
        let before = self.market.held_with(order);
        self.market.fill(order.number, quantity, quote, &terms);
        self.market.trades = trade;
        self.rehold(order, before);

        let (given, got) = match order.side {
            Side::Buy => (quote, quantity),
            Side::Sell => (quantity, quote),
        };
        let owner = order.owner();
        self.balance(owner, self.gives(order.side)).free -= given;
        let free_before = self.free(owner, self.gets(order.side));
        self.balance(owner, self.gets(order.side)).free += got;

        let rules = self.market.rules.clone();
        let done = Exchanged { rules: &rules, side: order.side, quantity, quote, maker };
        let exchange = self.exchange;
        let free = |asset| self.balance(owner, asset).free;
        let fee = terms.fees.of(&done, free, |asset, quote| exchange.price_of(asset, quote));
        if let Some(fee) = fee {
            self.balance(owner, fee.asset).free -= fee.amount;
        }
        self.pay(order, quantity, fee, free_before);
        self.say(Report::Filled(Execution {
            order: order.id,
            venue_order: venue_order(order.number),
            venue_trade: venue_trade(allocation.map_or(trade, |allocation| allocation.number)),
            side: order.side,
            price,
            quantity: whole,
            quote,
            fee,
            maker,
            at,
            allocation,
        }));
        true
    }

    pub fn end(&mut self, number: u64, ending: Ending, at: Timestamp) {
        self.end_as(number, ending, None, at);
    }

    pub fn expire(&mut self, number: u64, why: Expiry, at: Timestamp) {
        self.end_as(number, Ending::Expired, Some(why), at);
    }

    fn end_as(&mut self, number: u64, ending: Ending, expiry: Option<Expiry>, at: Timestamp) {
        let Some(order) = self.market.order(number).copied() else { return };
        let before = self.market.held_with(&order);
        self.market.end(number);
        self.rehold(&order, before);
        let venue_order = venue_order(number);
        let prevented = order.special.prevented.quantity.normalize();
        let filled = order.filled;
        self.say(Report::Ended(End { order: order.id, venue_order, ending, filled, expiry, prevented, at }));
        if order.special.role == Role::Working {
            self.go_on_without(&order, ending, at);
        }
    }

    /// The other leg of the OCO, if there is one, goes.
    pub fn expire_twin(&mut self, order: &OpenOrder, at: Timestamp) {
        if let Some(twin) = self.market.twin(order).map(|twin| twin.number) {
            self.expire(twin, Expiry::OcoTrigger, at);
        }
    }

    /// What the account can give for this order: what the order holds, and what is free.
    pub fn means(&mut self, order: &OpenOrder) -> Amount {
        let held = self.market.held_with(order);
        held + self.balance(order.owner(), self.gives(order.side)).free
    }

    /// What the account has of it, free and locked.
    pub fn total(&mut self, owner: Owner, asset: Asset) -> Amount {
        self.balance(owner, asset).total()
    }

    pub fn free(&mut self, owner: Owner, asset: Asset) -> Amount {
        self.balance(owner, asset).free
    }

    /// The exchange's terms with the fees of that account.
    pub fn terms_of(&self, owner: Owner) -> Terms {
        self.exchange.terms_of(self.terms, owner)
    }

    pub fn kin_of(&self, owner: Owner) -> Kin {
        self.exchange.kin_of(owner)
    }

    /// Moves money between two accounts, beside any trade.
    pub fn pass_on(&mut self, from: Owner, to: Owner, asset: Asset, amount: Amount) {
        self.balance(from, asset).free -= amount;
        self.balance(to, asset).free += amount;
    }

    /// Says what has become of the balances since they were last said.
    pub fn report_balances(&mut self) {
        let as_of = self.now;
        for touched in &mut self.touched {
            if touched.balance != touched.reported {
                touched.reported = touched.balance;
                touched.changed = true;
                let Balance { free, locked } = touched.balance;
                let (free, locked) = (free.normalize(), locked.normalize());
                let Touched { owner, asset, .. } = *touched;
                self.reports.push(Report::Balance { owner, asset, free, locked, as_of });
            }
        }
    }

    pub fn gives(&self, side: Side) -> Asset {
        match side {
            Side::Buy => self.market.rules.quote,
            Side::Sell => self.market.rules.base,
        }
    }

    pub fn gets(&self, side: Side) -> Asset {
        match side {
            Side::Buy => self.market.rules.base,
            Side::Sell => self.market.rules.quote,
        }
    }

    /// The lock follows what the order and its twin hold now.
    pub fn rehold(&mut self, order: &OpenOrder, before: Amount) {
        let after = self.market.held_with(order);
        if after != before {
            self.balance(order.owner(), self.gives(order.side)).lock(after - before);
        }
    }

    fn balance(&mut self, owner: Owner, asset: Asset) -> &mut Balance {
        let is_it = |t: &Touched| t.owner == owner && t.asset == asset;
        let place = self.touched.iter().position(is_it).unwrap_or_else(|| {
            let balance = self.exchange.balances_of(owner).of(&asset);
            self.touched.push(Touched { owner, asset, reported: balance, balance, changed: false });
            self.touched.len() - 1
        });
        &mut self.touched[place].balance
    }

    pub fn say(&mut self, report: Report) {
        self.reports.push(report);
    }
}

impl Exchange {
    /// What one unit of `asset` is worth in `quote`, by its own instrument there.
    fn price_of(&self, asset: Asset, quote: Asset) -> Option<Decimal> {
        let market = |(_, m): (&Instrument, &Market)| {
            (m.rules.base == asset && m.rules.quote == quote).then(|| m.last_price()).flatten()
        };
        self.markets.iter().find_map(market).map(Price::get)
    }
}

pub fn venue_order(number: u64) -> VenueOrderId {
    VenueOrderId::new(&number.to_string()).unwrap_or_else(|e| unreachable!("digits: {e}"))
}

fn venue_trade(number: u64) -> VenueTradeId {
    VenueTradeId::new(&number.to_string()).unwrap_or_else(|e| unreachable!("digits: {e}"))
}
