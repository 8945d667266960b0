//! What the fills of a trade add up to.

use domain::{Asset, Decimal, Direction, Side, Timestamp};
use events::OrderFilled;
use std::collections::BTreeMap;

/// What the trade's orders did since it was opened; fees and all that was entered since it was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fills {
    /// Held, and for what it was entered, when it was opened.
    pub opened_with: Option<(Decimal, Decimal)>,
    pub bought: Decimal,
    pub sold: Decimal,
    pub paid: Decimal,
    pub received: Decimal,
    /// When the first of it was entered, by the venue's clock.
    pub entered_at: Option<Timestamp>,
    /// Before fees.
    pub entered_in_all: Decimal,
    pub fees: BTreeMap<Asset, Decimal>,
}

impl Fills {
    /// The assets are base and quote of the instrument.
    pub fn add(&mut self, direction: Direction, fill: &OrderFilled, assets: Option<(Asset, Asset)>) {
        if fill.side == direction.entry() {
            self.entered_in_all += fill.quantity.get();
            self.entered_at = Some(self.entered_at.map_or(fill.at, |known| known.min(fill.at)));
        }
        let fee = fill.fee.filter(|fee| !fee.amount.is_zero());
        let fee_in = |wanted: Option<Asset>| {
            fee.filter(|fee| Some(fee.asset) == wanted).map_or(Decimal::ZERO, |fee| fee.amount)
        };
        let (in_base, in_quote) = (fee_in(assets.map(|a| a.0)), fee_in(assets.map(|a| a.1)));
        match fill.side {
            Side::Buy => {
                self.bought += fill.quantity.get() - in_base;
                self.paid += fill.quote + in_quote;
            }
            Side::Sell => {
                self.sold += fill.quantity.get() + in_base;
                self.received += fill.quote - in_quote;
            }
        }
        if let Some(fee) = fee {
            *self.fees.entry(fee.asset).or_default() += fee.amount;
        }
    }
}
