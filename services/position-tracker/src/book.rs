//! Who holds what of one instrument on one account.

use crate::{
    fading::Fading,
    position::{Dust, Lot, Position, Sale},
};
use domain::{Decimal, EdgeName, InstrumentRules, Side, Timestamp, VenueOrderId, VenueTradeId};
use events::{Fee, OrderFilled};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    pub positions: BTreeMap<EdgeName, Position>,
    /// What closed positions have left. The owner's next position takes it over.
    #[serde(default)]
    pub dust: BTreeMap<EdgeName, Dust>,
    /// Fills that have been counted. An account that trades with itself has two fills of one trade
    /// id, told apart by their orders.
    counted: Fading<(VenueOrderId, VenueTradeId), ()>,
}

/// What a fill did to a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub owner: EdgeName,
    pub by: Decimal,
    pub effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Bought,
    Sold {
        profit: Decimal,
    },
    /// Of the dust of a closed position; so much of it is left.
    SoldDust {
        profit: Decimal,
        left: Dust,
    },
}

impl Book {
    /// Whether this fill has not been counted before; it is from now on.
    pub fn count(&mut self, now: Timestamp, keep: Duration, fill: &OrderFilled) -> bool {
        let id = (fill.venue_order, fill.venue_trade);
        let new = self.counted.insert(id, ());
        if new {
            self.counted.retire(now, keep, id);
        }
        new
    }

    /// How many fills are remembered.
    pub fn counted(&self) -> usize {
        self.counted.len()
    }

    /// Takes a fill of an order of `owner`'s into the positions.
    pub fn fill(
        &mut self,
        owner: EdgeName,
        fill: &OrderFilled,
        rules: Option<&InstrumentRules>,
    ) -> Vec<Change> {
        let (base_fee, quote_fee) = fill.fee.map_or_else(Default::default, |fee| fee_parts(fee, fill, rules));
        let (quantity, fee) = (fill.quantity.get(), fill.fee);
        match fill.side {
            Side::Buy => {
                let (base, quote) = (quantity.saturating_sub(base_fee), fill.quote.saturating_add(quote_fee));
                self.buy(owner, Lot { base, quote, fee }, fill.at)
            }
            Side::Sell => {
                let (base, quote) = (quantity.saturating_add(base_fee), fill.quote.saturating_sub(quote_fee));
                let sale = Sale { order: fill.order, fill: fill.venue_trade, price: fill.price, at: fill.at };
                self.sell(owner, Lot { base, quote, fee }, sale)
            }
        }
    }

    /// A buy of which the fee leaves nothing is no position.
    fn buy(&mut self, owner: EdgeName, lot: Lot, at: Timestamp) -> Vec<Change> {
        if lot.base <= Decimal::ZERO {
            return Vec::new();
        }
        let position = self.positions.entry(owner).or_insert_with(|| Position::new(at));
        if let Some(dust) = self.dust.remove(&owner) {
            position.carry(dust);
        }
        position.buy(lot);
        vec![Change { owner, by: lot.base, effect: Effect::Bought }]
    }

    /// Nobody ever holds less than nothing: what the sellers did not hold came from outside the
    /// books (a deposit, dust left from before) and is nobody's profit.
    fn sell(&mut self, owner: EdgeName, mut lot: Lot, sale: Sale) -> Vec<Change> {
        let mut changes = Vec::new();
        for owner in self.sellers(owner) {
            let Some(position) = self.positions.get_mut(&owner) else { continue };
            let by = position.quantity().min(lot.base);
            if by <= Decimal::ZERO {
                continue;
            }
            let profit = position.sell(lot.take(by), sale);
            changes.push(Change { owner, by, effect: Effect::Sold { profit } });
        }
        // Last, what closed positions have left.
        let of_dust =
            self.dust.keys().copied().filter(|other| *other != owner && owner == EdgeName::manual());
        let others: Vec<EdgeName> = [owner].into_iter().chain(of_dust).collect();
        for owner in others {
            let Some(dust) = self.dust.get_mut(&owner) else { continue };
            let by = dust.quantity.min(lot.base);
            if by <= Decimal::ZERO {
                continue;
            }
            let profit = dust.sell(lot.take(by));
            changes.push(Change { owner, by, effect: Effect::SoldDust { profit, left: *dust } });
        }
        self.dust.retain(|_, dust| !dust.quantity.is_zero());
        changes
    }

    /// A position is closed: what it has left is kept with what it has cost.
    pub fn close(&mut self, owner: &EdgeName) {
        let Some(position) = self.positions.remove(owner) else { return };
        if position.quantity() > Decimal::ZERO {
            let dust = self.dust.entry(*owner).or_default();
            dust.quantity += position.quantity();
            dust.cost += position.cost;
        }
    }

    /// Whose coins a sale takes, in this order: the seller's own; if a person sold by hand, then
    /// those of the edges, the oldest position first.
    fn sellers(&self, owner: EdgeName) -> Vec<EdgeName> {
        let mut sellers = vec![owner];
        if owner == EdgeName::manual() {
            let mut others: Vec<_> = self.positions.iter().filter(|(other, _)| **other != owner).collect();
            others.sort_by_key(|(other, position)| (position.opened_at, **other));
            sellers.extend(others.into_iter().map(|(other, _)| *other));
        }
        sellers
    }
}

/// What of a fee goes off the base asset, and what off the quote asset.
fn fee_parts(fee: Fee, fill: &OrderFilled, rules: Option<&InstrumentRules>) -> (Decimal, Decimal) {
    let (is_base, is_quote) = match rules {
        Some(rules) => (fee.asset == rules.base, fee.asset == rules.quote),
        // An instrument that the engine does not follow, traded by hand: its symbol names both.
        None => {
            (fill.instrument.symbol.starts_with(&*fee.asset), fill.instrument.symbol.ends_with(&*fee.asset))
        }
    };
    match (is_base, is_quote) {
        (true, _) => (fee.amount, Decimal::ZERO),
        (false, true) => (Decimal::ZERO, fee.amount),
        (false, false) => (Decimal::ZERO, Decimal::ZERO),
    }
}
