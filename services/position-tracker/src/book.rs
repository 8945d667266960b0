//! Who holds what of one instrument on one account.

use crate::{
    fading::Fading,
    position::{Dust, Exit, Lot, Position},
};
use domain::{Decimal, Direction, EdgeName, InstrumentRules, Side, Timestamp, VenueOrderId, VenueTradeId};
use events::{Fee, OrderFilled};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Book {
    /// A fill may close one and open the other of an owner.
    #[serde(with = "service::pairs")]
    pub positions: BTreeMap<(EdgeName, Direction), Position>,
    /// What closed positions have left. The owner's next position in that direction takes it over.
    #[serde(with = "service::pairs", default)]
    pub dust: BTreeMap<(EdgeName, Direction), Dust>,
    /// Fills that have been counted. An account that trades with itself has two fills of one trade
    /// id, told apart by their orders.
    counted: Fading<(VenueOrderId, VenueTradeId), ()>,
}

/// What a fill did to a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub owner: EdgeName,
    pub direction: Direction,
    pub by: Decimal,
    pub effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Entered,
    Left {
        profit: Decimal,
    },
    /// Of the dust of a closed position; so much of it is left.
    LeftDust {
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

    /// Takes a fill of an order of `owner`'s into the positions: first it leaves what is held the other way, and the
    /// rest enters.
    ///
    /// On spot nobody ever holds less than nothing: what the sellers did not hold came from outside the
    /// books (a deposit, dust left from before) and is nobody's profit.
    pub fn fill(
        &mut self,
        owner: EdgeName,
        fill: &OrderFilled,
        rules: Option<&InstrumentRules>,
    ) -> Vec<Change> {
        let (base_fee, quote_fee) = fill.fee.map_or_else(Default::default, |fee| fee_parts(fee, fill, rules));
        let (quantity, fee) = (fill.quantity.get(), fill.fee);
        let (base, quote) = match fill.side {
            Side::Buy => (quantity.saturating_sub(base_fee), fill.quote.saturating_add(quote_fee)),
            Side::Sell => (quantity.saturating_add(base_fee), fill.quote.saturating_sub(quote_fee)),
        };
        let mut lot = Lot { base, quote, fee };
        let enters = Direction::of(fill.side);
        let exit =
            Exit { order: fill.order, fill: fill.venue_trade, by: quantity, price: fill.price, at: fill.at };
        let mut changes = self.leave(owner, enters.opposite(), &mut lot, exit);
        if enters == Direction::Long || fill.instrument.kind.can_be_short() {
            changes.extend(self.enter(owner, enters, lot, fill.at));
        }
        changes
    }

    /// A buy of which the fee leaves nothing is no position.
    fn enter(&mut self, owner: EdgeName, direction: Direction, lot: Lot, at: Timestamp) -> Option<Change> {
        if lot.base <= Decimal::ZERO {
            return None;
        }
        let key = (owner, direction);
        let position = self.positions.entry(key).or_insert_with(|| Position::new(direction, at));
        if let Some(dust) = self.dust.remove(&key) {
            position.carry(dust);
        }
        position.enter(lot);
        Some(Change { owner, direction, by: lot.base, effect: Effect::Entered })
    }

    /// Leaves what is held in that direction, as far as `lot` goes: the positions first, then what closed ones have
    /// left.
    fn leave(&mut self, owner: EdgeName, direction: Direction, lot: &mut Lot, exit: Exit) -> Vec<Change> {
        let mut changes = Vec::new();
        for owner in self.leavers(owner, direction) {
            let Some(position) = self.positions.get_mut(&(owner, direction)) else { continue };
            let by = position.quantity().min(lot.base);
            if by <= Decimal::ZERO {
                continue;
            }
            let profit = position.leave(lot.take(by), exit);
            changes.push(Change { owner, direction, by, effect: Effect::Left { profit } });
        }
        let others = self.dust.keys().map(|(other, _)| *other).filter(|_| owner == EdgeName::manual());
        let owners: Vec<EdgeName> = [owner].into_iter().chain(others).collect();
        for owner in owners {
            let Some(dust) = self.dust.get_mut(&(owner, direction)) else { continue };
            let by = dust.quantity.min(lot.base);
            if by <= Decimal::ZERO {
                continue;
            }
            let profit = dust.leave(direction, lot.take(by));
            changes.push(Change { owner, direction, by, effect: Effect::LeftDust { profit, left: *dust } });
        }
        self.dust.retain(|_, dust| !dust.quantity.is_zero());
        changes
    }

    /// A position is closed: what it has left is kept with what it was entered for.
    pub fn close(&mut self, owner: EdgeName, direction: Direction) {
        let key = (owner, direction);
        let Some(position) = self.positions.remove(&key) else { return };
        if position.quantity() > Decimal::ZERO {
            let dust = self.dust.entry(key).or_default();
            dust.quantity += position.quantity();
            dust.cost += position.value;
        }
    }

    /// Whose position a fill leaves, in this order: that of whoever's order it is; if a person traded by hand, then
    /// those of the edges, the oldest position first.
    fn leavers(&self, owner: EdgeName, direction: Direction) -> Vec<EdgeName> {
        let mut leavers = vec![owner];
        if owner == EdgeName::manual() {
            let others = self.positions.iter().filter(|((_, way), _)| *way == direction);
            let mut others: Vec<_> =
                others.map(|((other, _), position)| (position.opened_at, *other)).collect();
            others.sort();
            leavers.extend(others.into_iter().map(|(_, other)| other));
        }
        leavers
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
