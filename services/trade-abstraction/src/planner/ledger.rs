//! What a trade has bought, sold and paid.

use domain::{Asset, Decimal, Side, money::share};
use events::{Fee, OrderFilled};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Running sums.
///
/// Invariant: what was sold has cost `cost() − cost_left`, to the last digit.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Base asset bought and sold, before fees.
    pub bought: Decimal,
    pub sold: Decimal,
    /// Quote asset exchanged, before fees.
    pub paid: Decimal,
    pub received: Decimal,
    /// Fees in the base and the quote asset, which change what is held and what it cost.
    pub base_fees: Decimal,
    pub buying_fees: Decimal,
    pub selling_fees: Decimal,
    /// Base asset that other hands than the trade's own have sold.
    pub elsewhere: Decimal,
    /// What that brought, as the position tells it.
    #[serde(default)]
    pub elsewhere_received: Decimal,
    /// All fees, in whatever asset.
    pub fees: BTreeMap<Asset, Decimal>,
    /// Dust of earlier trades that this one sells, too.
    #[serde(default)]
    pub carried: Dust,
    /// Its own dust that a later trade has taken over.
    #[serde(default)]
    pub passed_on: Decimal,
    /// What that which is held has cost; a sale takes its share.
    #[serde(default)]
    pub cost_left: Decimal,
}

/// Base asset too little to be sold, and what it has cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dust {
    pub quantity: Decimal,
    pub cost: Decimal,
}

impl Dust {
    pub fn add(&mut self, other: Self) {
        self.quantity += other.quantity;
        self.cost += other.cost;
    }

    /// Somebody else has sold of it: at most `quantity` is left.
    pub fn limit_to(&mut self, quantity: Decimal) {
        let gone = self.quantity - quantity;
        if gone > Decimal::ZERO {
            self.cost -= share(self.cost, gone, self.quantity);
            self.quantity = quantity;
        }
    }

    pub fn is_none(&self) -> bool {
        self.quantity <= Decimal::ZERO
    }
}

impl Ledger {
    pub fn add(&mut self, fill: &OrderFilled, base: Asset, quote: Asset) {
        let fee_in =
            |asset| fill.fee.filter(|fee| fee.asset == asset).map_or(Decimal::ZERO, |fee| fee.amount);
        let (base_fee, quote_fee) = (fee_in(base), fee_in(quote));
        match fill.side {
            Side::Buy => {
                self.bought += fill.quantity.get();
                self.paid += fill.quote;
                self.buying_fees += quote_fee;
                self.cost_left += fill.quote + quote_fee;
            }
            Side::Sell => {
                let gone = fill.quantity.get() + base_fee;
                self.cost_left -= share(self.cost_left, gone, self.holding());
                self.sold += fill.quantity.get();
                self.received += fill.quote;
                self.selling_fees += quote_fee;
            }
        }
        self.base_fees += base_fee;
        if let Some(Fee { asset, amount }) = fill.fee {
            *self.fees.entry(asset).or_default() += amount;
        }
    }

    /// Takes over the dust of earlier trades.
    pub fn carry(&mut self, dust: Dust) {
        self.carried.add(dust);
        self.cost_left += dust.cost;
    }

    /// What was carried turns out not to be there. Says whether that changes anything: only as long as
    /// nothing is sold.
    pub fn drop_carried(&mut self) -> bool {
        if self.carried.is_none() || !self.sold.is_zero() {
            return false;
        }
        self.cost_left -= self.carried.cost;
        self.carried = Dust::default();
        true
    }

    /// Other hands have sold of it, with that profit.
    pub fn sell_elsewhere(&mut self, quantity: Decimal, profit: Decimal) {
        let cost = share(self.cost_left, quantity, self.holding());
        self.cost_left -= cost;
        self.elsewhere += quantity;
        self.elsewhere_received += cost + profit;
    }

    /// Its dust is another trade's from here on.
    pub fn pass_on(&mut self) {
        self.passed_on += self.holding().max(Decimal::ZERO);
        self.cost_left = Decimal::ZERO;
    }

    /// What of it is still held, as dust.
    pub fn dust(&self) -> Dust {
        Dust { quantity: self.holding().max(Decimal::ZERO), cost: self.cost_left }
    }

    /// Base asset still held.
    pub fn holding(&self) -> Decimal {
        self.carried.quantity + self.bought - self.sold - self.base_fees - self.elsewhere - self.passed_on
    }
    /// Quote asset paid for all that it ever held.
    pub fn cost(&self) -> Decimal {
        self.paid + self.buying_fees + self.carried.cost
    }
    pub fn proceeds(&self) -> Decimal {
        self.received - self.selling_fees + self.elsewhere_received
    }
    pub fn entry_price(&self) -> Decimal {
        average(self.paid, self.bought)
    }
    pub fn exit_price(&self) -> Decimal {
        average(self.received, self.sold)
    }
    pub fn fee_list(&self) -> Vec<Fee> {
        self.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect()
    }
}

fn average(quote: Decimal, base: Decimal) -> Decimal {
    if base.is_zero() { Decimal::ZERO } else { (quote / base).round_dp(12).normalize() }
}
