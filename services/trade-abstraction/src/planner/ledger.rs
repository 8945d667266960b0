//! What a trade has entered, left and paid.

use domain::{Asset, Decimal, Direction, money::share};
use events::{Fee, OrderFilled};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Running sums, the same for a long trade and a short one: what it holds, or owes, is never less than nothing, and
/// its value is what that was entered for.
///
/// Invariant: what was left again had been entered for `value() − value_left`, to the last digit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ledger {
    direction: Direction,
    /// Base asset entered and left again, before fees.
    pub entered: Decimal,
    pub exited: Decimal,
    /// Quote asset exchanged for it, before fees.
    entered_for: Decimal,
    exited_for: Decimal,
    /// Fees in the base and the quote asset, which change what is held and what it is worth.
    base_fees: Decimal,
    entry_fees: Decimal,
    exit_fees: Decimal,
    /// Base asset that other hands than the trade's own have left.
    elsewhere: Decimal,
    /// For what, as the position tells it.
    elsewhere_for: Decimal,
    /// All fees, in whatever asset.
    pub fees: BTreeMap<Asset, Decimal>,
    /// Dust of earlier trades that this one leaves, too.
    pub carried: Dust,
    /// Its own dust that a later trade has taken over.
    passed_on: Decimal,
    /// What that which is held was entered for; an exit takes its share.
    value_left: Decimal,
}

/// Base asset too little for an order, and what it was entered for.
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

    /// Somebody else has left some of it: at most `quantity` is there.
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
    pub fn new(direction: Direction) -> Self {
        let zero = Decimal::ZERO;
        Self {
            direction,
            entered: zero,
            exited: zero,
            entered_for: zero,
            exited_for: zero,
            base_fees: zero,
            entry_fees: zero,
            exit_fees: zero,
            elsewhere: zero,
            elsewhere_for: zero,
            fees: BTreeMap::new(),
            carried: Dust::default(),
            passed_on: zero,
            value_left: zero,
        }
    }

    pub fn add(&mut self, fill: &OrderFilled, base: Asset, quote: Asset) {
        let fee_in =
            |asset| fill.fee.filter(|fee| fee.asset == asset).map_or(Decimal::ZERO, |fee| fee.amount);
        let (base_fee, quote_fee) = (fee_in(base), fee_in(quote));
        if fill.side == self.direction.entry() {
            self.entered += fill.quantity.get();
            self.entered_for += fill.quote;
            self.entry_fees += quote_fee;
            self.value_left += fill.quote + self.direction.signed(quote_fee);
        } else {
            let gone = fill.quantity.get() + self.direction.signed(base_fee);
            self.value_left -= share(self.value_left, gone, self.holding());
            self.exited += fill.quantity.get();
            self.exited_for += fill.quote;
            self.exit_fees += quote_fee;
        }
        self.base_fees += base_fee;
        if let Some(Fee { asset, amount }) = fill.fee {
            *self.fees.entry(asset).or_default() += amount;
        }
    }

    /// Takes over the dust of earlier trades.
    pub fn carry(&mut self, dust: Dust) {
        self.carried.add(dust);
        self.value_left += dust.cost;
    }

    /// What was carried turns out not to be there. Says whether that changes anything: only as long as
    /// nothing is left again.
    pub fn drop_carried(&mut self) -> bool {
        if self.carried.is_none() || !self.exited.is_zero() {
            return false;
        }
        self.value_left -= self.carried.cost;
        self.carried = Dust::default();
        true
    }

    /// Other hands have left some of it, with that profit.
    pub fn leave_elsewhere(&mut self, quantity: Decimal, profit: Decimal) {
        let value = share(self.value_left, quantity, self.holding());
        self.value_left -= value;
        self.elsewhere += quantity;
        self.elsewhere_for += value + self.direction.signed(profit);
    }

    /// Its dust is another trade's from here on.
    pub fn pass_on(&mut self) {
        self.passed_on += self.holding().max(Decimal::ZERO);
        self.value_left = Decimal::ZERO;
    }

    /// What of it is still held, as dust.
    pub fn dust(&self) -> Dust {
        Dust { quantity: self.holding().max(Decimal::ZERO), cost: self.value_left }
    }

    /// Base asset still held, or owed by a short trade.
    pub fn holding(&self) -> Decimal {
        let entered = self.carried.quantity + self.entered - self.direction.signed(self.base_fees);
        entered - self.exited - self.elsewhere - self.passed_on
    }
    /// Quote asset for all that it ever entered: paid, or received by a short trade; fees in it included.
    pub fn value(&self) -> Decimal {
        self.entered_for + self.direction.signed(self.entry_fees) + self.carried.cost
    }
    /// Quote asset for all that it left again.
    pub fn exit_value(&self) -> Decimal {
        self.exited_for - self.direction.signed(self.exit_fees) + self.elsewhere_for
    }
    pub fn entry_price(&self) -> Decimal {
        average(self.entered_for, self.entered)
    }
    pub fn exit_price(&self) -> Decimal {
        average(self.exited_for, self.exited)
    }
    pub fn fee_list(&self) -> Vec<Fee> {
        self.fees.iter().map(|(&asset, &amount)| Fee { asset, amount }).collect()
    }
}

fn average(quote: Decimal, base: Decimal) -> Decimal {
    if base.is_zero() { Decimal::ZERO } else { (quote / base).round_dp(12).normalize() }
}
