//! One instrument: its rules, its last price, its open orders.

use super::{Liquidity, OpenOrder, Outside, Owner, Role, Terms};
use domain::{Amount, ClientOrderId, InstrumentRules, Price, Side, Timestamp};
use events::{BestPrices, Candle};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Market {
    pub rules: Arc<InstrumentRules>,
    pub last: Option<Last>,
    /// Close of the last candle that filled. One that opens before it never fills.
    pub covered_until: Timestamp,
    /// Whether the candle in hand fills.
    pub fills: bool,
    pub liquidity: Liquidity,
    /// Since when a quote has been asked for that has not come.
    pub asked: Option<Timestamp>,
    /// How many fills there have been.
    pub trades: u64,
    /// In the order of their acceptance, that is of their numbers.
    pub orders: Vec<OpenOrder>,
    /// What others have on the book, once one was seen: from then on candles and quotes fill nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
    /// The average price by which orders are judged, where the last price is not to be it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<Price>,
    #[serde(default, skip_serializing_if = "Counts::is_none")]
    pub counts: Counts,
}

/// What a market on books has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Places in queues that were given out.
    pub turns: u64,
    /// Matches that self-trade prevention prevented.
    pub prevented: u64,
    /// Allocations of smart order routing.
    #[serde(default)]
    pub allocated: u64,
}

impl Counts {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A price between candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    pub price: Price,
    pub at: Timestamp,
    /// Of a live market. Without them the price is the open of a candle, which will tell of it again.
    pub best: Option<BestPrices>,
}

impl Quote {
    /// What an order of that side takes.
    pub fn taken_by(&self, side: Side) -> Price {
        self.best.map_or(self.price, |best| best.taken_by(side).0)
    }
}

/// The last known price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Last {
    pub price: Price,
    pub at: Timestamp,
}

impl Market {
    pub fn new(rules: InstrumentRules) -> Self {
        Self {
            rules: Arc::new(rules),
            last: None,
            covered_until: Timestamp::ZERO,
            fills: false,
            liquidity: Liquidity::default(),
            asked: None,
            trades: 0,
            orders: Vec::new(),
            outside: None,
            average: None,
            counts: Counts::default(),
        }
    }

    pub fn last_price(&self) -> Option<Price> {
        self.last.map(|last| last.price)
    }

    /// The reference price of filters.
    pub fn reference(&self) -> Option<Price> {
        self.average.or(self.last_price())
    }

    pub fn see_candle(&mut self, candle: &Candle, terms: &Terms) {
        let at = candle.close_time();
        if self.outside.is_some() {
            // Its prices are in the trades already.
            self.fills = false;
            self.last = self.last.or(Some(Last { price: candle.close, at }));
            return;
        }
        if self.last.is_none_or(|last| last.at < at) {
            self.last = Some(Last { price: candle.close, at });
        }
        self.fills = candle.open_time >= self.covered_until;
        if !self.fills {
            return;
        }
        self.covered_until = at;
        // A quote that has not come by now was lost; whoever waited for it is offered the open.
        self.asked = self.asked.filter(|&asked| asked > candle.open_time);
        self.liquidity.see_candle(candle.volume);
        for order in &mut self.orders {
            order.see_candle(candle, terms, &self.rules);
        }
    }

    pub fn see_quote(&mut self, quote: &Quote, terms: &Terms) {
        let Quote { price, at, .. } = *quote;
        if self.outside.is_some() {
            return;
        }
        if self.last.is_none_or(|last| last.at <= at) {
            self.last = Some(Last { price, at });
        }
        self.asked = None;
        self.liquidity.see_quote(quote.best);
        for order in &mut self.orders {
            order.see_quote(quote, terms, &self.rules);
        }
    }

    /// Numbers are given out in order, so that the newest order comes last.
    pub fn admit(&mut self, order: OpenOrder) {
        self.orders.push(order);
    }

    pub fn fill(&mut self, number: u64, quantity: Amount, quote: Amount, terms: &Terms) {
        self.trades += 1;
        let Some(place) = self.place(number) else { return };
        let order = &mut self.orders[place];
        order.fill(quantity, quote, terms, &self.rules);
        if self.outside.is_none() {
            self.liquidity.take(order.side, quantity);
        }
    }

    pub fn end(&mut self, number: u64) {
        if let Some(place) = self.place(number) {
            self.orders.remove(place);
        }
    }

    pub fn order(&self, number: u64) -> Option<&OpenOrder> {
        self.place(number).map(|i| &self.orders[i])
    }

    /// The account's open order of that id, or the first of an order list of that id.
    pub fn named(&self, owner: Owner, id: &ClientOrderId) -> Option<&OpenOrder> {
        self.orders.iter().find(|o| o.owner() == owner && (o.id == *id || o.list.as_ref() == Some(id)))
    }

    /// The other open leg of the order's OCO.
    pub fn twin(&self, order: &OpenOrder) -> Option<&OpenOrder> {
        self.legs(order)?.find(|o| o.number != order.number)
    }

    /// The open orders of an account's list, in the order of their numbers.
    pub fn of_list(&self, owner: Owner, list: ClientOrderId) -> impl Iterator<Item = &OpenOrder> {
        self.orders.iter().filter(move |o| o.list == Some(list) && o.owner() == owner)
    }

    /// Whether the order belongs to a list that goes on: one of which an order waits for another one,
    /// or can still cancel it.
    pub fn is_listed(&self, order: &OpenOrder) -> bool {
        match order.special.role {
            Role::Working | Role::Pending => true,
            Role::Plain | Role::PendingLeg => self.twin(order).is_some(),
        }
    }

    /// What the order and its twin hold together: they share one lock, as large as the larger needs.
    pub fn held_with(&self, order: &OpenOrder) -> Amount {
        match self.legs(order) {
            None => self.order(order.number).map_or(Amount::ZERO, |o| o.held),
            Some(legs) => legs.map(|o| o.held).max().unwrap_or_default(),
        }
    }

    /// The open legs of the order's OCO, if it is in one.
    fn legs(&self, order: &OpenOrder) -> Option<impl Iterator<Item = &OpenOrder>> {
        let (owner, list, role) = (order.owner(), order.list?, order.special.role);
        Some(self.of_list(owner, list).filter(move |o| o.special.role == role))
    }

    /// The first order that was accepted after the one of that number.
    pub fn next_after(&self, number: u64) -> Option<&OpenOrder> {
        self.orders.get(self.orders.partition_point(|o| o.number <= number))
    }

    pub fn order_mut(&mut self, number: u64) -> Option<&mut OpenOrder> {
        self.place(number).map(|i| &mut self.orders[i])
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.orders.binary_search_by_key(&number, |o| o.number).ok()
    }
}
