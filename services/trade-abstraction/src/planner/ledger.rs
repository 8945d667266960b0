//! What a trade has bought, sold and paid.

use domain::{Asset, Decimal, Side};
use events::{Fee, OrderFilled};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Running sums; nothing is divided before it is shown.
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
    /// All fees, in whatever asset.
    pub fees: BTreeMap<Asset, Decimal>,
}

impl Ledger {
    pub fn add(&mut self, fill: &OrderFilled, base: Asset, quote: Asset) {
        match fill.side {
            Side::Buy => {
                self.bought += fill.quantity.get();
                self.paid += fill.quote;
            }
            Side::Sell => {
                self.sold += fill.quantity.get();
                self.received += fill.quote;
            }
        }
        let Some(Fee { asset, amount }) = fill.fee else { return };
        *self.fees.entry(asset).or_default() += amount;
        if asset == base {
            self.base_fees += amount;
        } else if asset == quote {
            match fill.side {
                Side::Buy => self.buying_fees += amount,
                Side::Sell => self.selling_fees += amount,
            }
        }
    }

    /// Base asset still held.
    pub fn holding(&self) -> Decimal {
        self.bought - self.sold - self.base_fees - self.elsewhere
    }
    pub fn cost(&self) -> Decimal {
        self.paid + self.buying_fees
    }
    pub fn proceeds(&self) -> Decimal {
        self.received - self.selling_fees
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
