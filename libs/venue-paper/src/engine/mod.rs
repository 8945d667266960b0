//! A spot exchange, without any event, clock or I/O. The unit has one account on it, [`Spot`] may open more.
//!
//! It is asked (`place`, `cancel`, `trade_candle`, `trade_quote`) and answers with [`Report`]s, without
//! changing; it changes only by being told: what the market did (`list`, `see_candle`, `see_quote`),
//! and what it reported itself (`accepted`, `filled`, `ended`, `quote_wanted`, and the balances).
//! So its state is a function of what is recorded.
//!
//! [`Spot`] is the same exchange for a program that keeps no record: there asking is doing. Whatever is
//! worked out at its desk is then taken over as it is. Only there do markets trade on books.

mod admission;
mod amend;
mod balances;
mod book;
mod counter;
mod desk;
mod extras;
mod fees;
mod liquidity;
mod lists;
mod market;
mod markets;
mod matching;
mod oco;
mod order;
mod owner;
mod peg;
mod pricing;
mod queue;
mod report;
mod routes;
mod self_trade;
mod spot;
mod sweep;
mod terms;
mod trailing;

pub use admission::list_of;
pub use balances::{Balance, Balances};
pub use book::{Book, Change, Outside};
pub use extras::{Extras, Limits, SelfTrade, Trailing, Wanted};
pub use lists::{Role, WantedList};
pub use market::{Counts, Last, Market, Quote};
pub use markets::Markets;
pub use order::{Offer, OpenOrder, Queue, Special, Standing};
pub use owner::{Kin, Member, Owner};
pub use peg::{Peg, PegTo};
pub use report::{Acceptance, Allocation, Amendment, End, Execution, Expiry, Prevention, Refusal, Report};
pub use spot::Spot;
pub use terms::{Fees, PaidIn, Terms, ThirdPrice};
pub use trailing::Trail;

use desk::{Desk, Outcome};
use domain::{
    Amount, ClientOrderId, Ending, Instrument, InstrumentRules, NewOrder, Quantity, Timestamp, VenueOrderId,
};
use events::Candle;
use fees::Exchanged;
use liquidity::Liquidity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    pub balances: Balances,
    pub markets: Markets,
    /// The number of the last order that was accepted.
    numbered: u64,
    /// Accounts besides the first; only [`Spot`] has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
    /// The first account's trade group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
}

/// What the market did.
impl Exchange {
    /// An instrument is listed, or its rules change; open orders stay as they are.
    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        match self.markets.get_mut(&instrument) {
            Some(market) => market.rules = Arc::new(rules.clone()),
            None => self.markets.insert(instrument, Market::new(rules.clone())),
        }
    }

    pub fn see_candle(&mut self, terms: &Terms, candle: &Candle) {
        if let Some(market) = self.markets.get_mut(&candle.instrument) {
            market.see_candle(candle, terms);
        }
    }

    pub fn see_quote(&mut self, terms: &Terms, instrument: &Instrument, quote: &Quote) {
        if let Some(market) = self.markets.get_mut(instrument) {
            market.see_quote(quote, terms);
        }
    }
}

/// What was reported.
impl Exchange {
    /// `new`, which belongs to the OCO `list` if there is one, was accepted.
    pub fn accepted(
        &mut self,
        terms: &Terms,
        instrument: &Instrument,
        new: &NewOrder,
        list: Option<ClientOrderId>,
        report: &Acceptance,
    ) {
        if let (Some(market), Some(number)) =
            (self.markets.get_mut(instrument), number_of(&report.venue_order))
        {
            self.numbered = self.numbered.max(number);
            let last = market.last_price();
            market.admit(OpenOrder::new(number, new, list, report.at, terms, &market.rules, last));
        }
    }

    pub fn filled(
        &mut self,
        terms: &Terms,
        instrument: &Instrument,
        order: &VenueOrderId,
        quantity: Quantity,
        quote: Amount,
    ) {
        if let (Some(market), Some(number)) = (self.markets.get_mut(instrument), number_of(order)) {
            market.fill(number, quantity.get(), quote, terms);
        }
    }

    pub fn ended(&mut self, instrument: &Instrument, order: &VenueOrderId) {
        if let (Some(market), Some(number)) = (self.markets.get_mut(instrument), number_of(order)) {
            market.end(number);
        }
    }

    pub fn quote_wanted(&mut self, instrument: &Instrument, now: Timestamp) {
        if let Some(market) = self.markets.get_mut(instrument) {
            market.asked = Some(now);
        }
    }
}

/// What is asked of it.
impl Exchange {
    /// Cancels the order of that id with all of its list, or the list of that id.
    pub fn cancel(
        &self,
        terms: &Terms,
        now: Timestamp,
        instrument: &Instrument,
        id: ClientOrderId,
    ) -> Vec<Report> {
        match self.canceled(terms, now, Owner::FIRST, instrument, &id) {
            Ok(desk) => desk.close(),
            Err(refusal) => vec![Report::CancelRejected { order: id, refusal, at: now }],
        }
    }

    fn canceled<'a>(
        &'a self,
        terms: &'a Terms,
        now: Timestamp,
        owner: Owner,
        instrument: &Instrument,
        id: &ClientOrderId,
    ) -> Result<Desk<'a>, Refusal> {
        let market = self.markets.get(instrument).ok_or_else(Refusal::unknown_instrument)?;
        let order = market.named(owner, id).copied().ok_or_else(Refusal::unknown_order)?;
        let mut desk = Desk::open(self, terms, market, now);
        let others: Vec<u64> = match order.list {
            Some(list) => {
                market.of_list(owner, list).map(|o| o.number).filter(|n| *n != order.number).collect()
            }
            None => Vec::new(),
        };
        desk.end(order.number, Ending::Canceled, now);
        for other in others {
            desk.end(other, Ending::Canceled, now);
        }
        Ok(desk)
    }

    pub fn open_orders(&self) -> impl Iterator<Item = (&Instrument, &OpenOrder)> {
        self.markets
            .iter()
            .flat_map(|(instrument, market)| market.orders.iter().map(move |o| (instrument, o)))
    }

    fn next_number(&self) -> u64 {
        self.numbered + 1
    }

    /// Everything is as a desk has worked it out.
    fn settle(&mut self, instrument: &Instrument, outcome: Outcome) -> Vec<Report> {
        if let Some(market) = self.markets.get_mut(instrument) {
            *market = outcome.market;
        }
        for (owner, asset, balance) in outcome.balances {
            self.balances_of_mut(owner).set(asset, balance);
        }
        self.numbered = self.numbered.max(outcome.numbered);
        outcome.reports
    }
}

/// Ours are plain numbers.
fn number_of(venue_order: &VenueOrderId) -> Option<u64> {
    venue_order.parse().ok()
}
