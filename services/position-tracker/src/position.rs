//! What one owner holds of one instrument, what it cost and what it brought.

use domain::{Asset, ClientOrderId, Decimal, Price, Timestamp, VenueTradeId, money::share};
use events::Fee;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Sums over the life of a position, from its first buy until nothing sellable is left.
///
/// Money is in the quote asset with quote fees in it, quantities are in the base asset with base
/// fees in them: a fee in the base makes the holding smaller and so its average dearer, a fee in
/// the quote makes a buy dearer and a sale poorer, a fee in a third asset is only listed.
///
/// Invariants: `0 ≤ sold ≤ bought`; `cost` is zero once nothing is held; the profits of all sales
/// sum up to `received − paid + cost`, to the last digit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub bought: Decimal,
    pub sold: Decimal,
    pub paid: Decimal,
    pub received: Decimal,
    /// The part of `paid` that what is held has cost.
    pub cost: Decimal,
    /// Dust of the owner's last position, in `bought` at its cost.
    #[serde(default)]
    pub carried: Decimal,
    /// Every fee, in whatever asset.
    pub fees: BTreeMap<Asset, Decimal>,
    pub opened_at: Timestamp,
    pub last_sale: Option<Sale>,
}

/// Which fill it was that sold last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub order: ClientOrderId,
    pub fill: VenueTradeId,
    pub price: Price,
    pub at: Timestamp,
}

/// What a closed position has left: too little to be sold by itself, and what it has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dust {
    pub quantity: Decimal,
    pub cost: Decimal,
}

impl Dust {
    /// Sells `lot.base`, which is at most all of it, and returns the profit.
    pub fn sell(&mut self, lot: Lot) -> Decimal {
        let cost = share(self.cost, lot.base, self.quantity);
        self.cost -= cost;
        self.quantity -= lot.base;
        lot.quote.saturating_sub(cost)
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
    pub fn new(opened_at: Timestamp) -> Self {
        Self {
            bought: Decimal::ZERO,
            sold: Decimal::ZERO,
            paid: Decimal::ZERO,
            received: Decimal::ZERO,
            cost: Decimal::ZERO,
            carried: Decimal::ZERO,
            fees: BTreeMap::new(),
            opened_at,
            last_sale: None,
        }
    }

    /// Base asset held.
    pub fn quantity(&self) -> Decimal {
        self.bought - self.sold
    }

    /// What a unit of the base asset held has cost; zero if nothing is held.
    pub fn average(&self) -> Decimal {
        ratio(self.cost, self.quantity())
    }

    pub fn entry_price(&self) -> Decimal {
        ratio(self.paid, self.bought)
    }

    pub fn exit_price(&self) -> Decimal {
        ratio(self.received, self.sold)
    }

    /// Of what was sold over the whole life; what is left unsold keeps its cost.
    pub fn profit(&self) -> Decimal {
        self.received - (self.paid - self.cost)
    }

    pub fn profit_ratio(&self) -> Decimal {
        ratio(self.profit(), self.paid - self.cost)
    }

    /// Takes over what the owner's last position has left.
    pub fn carry(&mut self, dust: Dust) {
        self.carried += dust.quantity;
        self.bought = self.bought.saturating_add(dust.quantity);
        self.paid = self.paid.saturating_add(dust.cost);
        self.cost = self.cost.saturating_add(dust.cost);
    }

    pub fn buy(&mut self, lot: Lot) {
        self.bought = self.bought.saturating_add(lot.base);
        self.paid = self.paid.saturating_add(lot.quote);
        self.cost = self.cost.saturating_add(lot.quote);
        self.charge(lot.fee);
    }

    /// Sells `lot.base`, which is at most what is held, and returns the profit of it.
    pub fn sell(&mut self, lot: Lot, sale: Sale) -> Decimal {
        let cost = share(self.cost, lot.base, self.quantity());
        self.cost -= cost;
        self.sold += lot.base;
        self.received = self.received.saturating_add(lot.quote);
        self.charge(lot.fee);
        self.last_sale = Some(sale);
        lot.quote.saturating_sub(cost)
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
