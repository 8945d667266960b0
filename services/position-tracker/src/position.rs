//! What one owner holds of one instrument, what it was entered for and what leaving it brought.

use domain::{Asset, ClientOrderId, Decimal, Direction, Price, Timestamp, VenueTradeId, money::share};
use events::Fee;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sums over the life of a position, from its first fill until nothing is left that an order could be made of.
///
/// Money is in the quote asset with quote fees in it, quantities are in the base asset with base
/// fees in them: a fee in the base makes a holding smaller and so its average dearer, a fee in
/// the quote makes a buy dearer and a sale poorer, a fee in a third asset is only listed.
///
/// Invariants: `0 ≤ exited ≤ entered`; `value` is zero once nothing is held; the profits of all exits
/// sum up to the gain from `entered_for − value` to `exited_for`, to the last digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub direction: Direction,
    /// Bought and sold, or sold and bought back.
    pub entered: Decimal,
    pub exited: Decimal,
    pub entered_for: Decimal,
    pub exited_for: Decimal,
    /// The part of `entered_for` that goes with what is held.
    pub value: Decimal,
    /// Dust of the owner's last position, in `entered` for what it was entered.
    #[serde(default)]
    pub carried: Decimal,
    /// Every fee, in whatever asset.
    pub fees: BTreeMap<Asset, Decimal>,
    pub opened_at: Timestamp,
    pub last_exit: Option<Exit>,
}

/// Which fill it was that left last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    pub order: ClientOrderId,
    pub fill: VenueTradeId,
    /// Base asset that it left.
    pub by: Decimal,
    pub price: Price,
    pub at: Timestamp,
}

/// What a closed position has left: too little for an order, and what it was entered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dust {
    pub quantity: Decimal,
    pub cost: Decimal,
}

impl Dust {
    /// Leaves `lot.base`, which is at most all of it, and returns the profit.
    pub fn leave(&mut self, direction: Direction, lot: Lot) -> Decimal {
        let cost = share(self.cost, lot.base, self.quantity);
        self.cost -= cost;
        self.quantity -= lot.base;
        direction.gain(cost, lot.quote)
    }

    pub fn average(&self) -> Decimal {
        ratio(self.cost, self.quantity)
    }
}

/// Base asset that changes hands, the money for it, and the fee that is listed with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    pub base: Decimal,
    pub quote: Decimal,
    pub fee: Option<Fee>,
}

impl Position {
    pub fn new(direction: Direction, opened_at: Timestamp) -> Self {
        Self {
            direction,
            entered: Decimal::ZERO,
            exited: Decimal::ZERO,
            entered_for: Decimal::ZERO,
            exited_for: Decimal::ZERO,
            value: Decimal::ZERO,
            carried: Decimal::ZERO,
            fees: BTreeMap::new(),
            opened_at,
            last_exit: None,
        }
    }

    /// Base asset held, or owed by a short position.
    pub fn quantity(&self) -> Decimal {
        self.entered - self.exited
    }

    /// What a unit of the base asset held was entered for; zero if nothing is held.
    pub fn average(&self) -> Decimal {
        ratio(self.value, self.quantity())
    }

    pub fn entry_price(&self) -> Decimal {
        ratio(self.entered_for, self.entered)
    }

    pub fn exit_price(&self) -> Decimal {
        ratio(self.exited_for, self.exited)
    }

    /// Of what was left over the whole life; what is still held keeps its value.
    pub fn profit(&self) -> Decimal {
        self.direction.gain(self.entered_for - self.value, self.exited_for)
    }

    pub fn profit_ratio(&self) -> Decimal {
        ratio(self.profit(), self.entered_for - self.value)
    }

    /// Takes over what the owner's last position has left.
    pub fn carry(&mut self, dust: Dust) {
        self.carried += dust.quantity;
        self.entered = self.entered.saturating_add(dust.quantity);
        self.entered_for = self.entered_for.saturating_add(dust.cost);
        self.value = self.value.saturating_add(dust.cost);
    }

    pub fn enter(&mut self, lot: Lot) {
        self.entered = self.entered.saturating_add(lot.base);
        self.entered_for = self.entered_for.saturating_add(lot.quote);
        self.value = self.value.saturating_add(lot.quote);
        self.charge(lot.fee);
    }

    /// Leaves `lot.base`, which is at most what is held, and returns the profit of it.
    pub fn leave(&mut self, lot: Lot, exit: Exit) -> Decimal {
        let value = share(self.value, lot.base, self.quantity());
        self.value -= value;
        self.exited += lot.base;
        self.exited_for = self.exited_for.saturating_add(lot.quote);
        self.charge(lot.fee);
        self.last_exit = Some(Exit { by: lot.base, ..exit });
        self.direction.gain(value, lot.quote)
    }

    fn charge(&mut self, fee: Option<Fee>) {
        if let Some(fee) = fee {
            let sum = self.fees.entry(fee.asset).or_default();
            *sum = sum.saturating_add(fee.amount);
        }
    }
}

impl Lot {
    /// Takes `base` of it, which is at most all, with the money and the fee that go with it.
    /// The last part takes what is left of them, so that the parts sum up to the whole.
    pub fn take(&mut self, base: Decimal) -> Self {
        let quote = share(self.quote, base, self.base);
        let fee = self.fee.map(|fee| Fee { amount: share(fee.amount, base, self.base), ..fee });
        self.base -= base;
        self.quote -= quote;
        self.fee = self.fee.zip(fee).map(|(all, part)| Fee { amount: all.amount - part.amount, ..all });
        Self { base, quote, fee }
    }
}

/// `a / b`, and zero where there is no such thing.
fn ratio(a: Decimal, b: Decimal) -> Decimal {
    a.checked_div(b).unwrap_or_default()
}
