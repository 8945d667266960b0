//! Positions and the portfolio that they make.

use super::{Fee, payload};
use domain::{
    Account, Asset, Decimal, Direction, EdgeName, Instrument, PositionSide, Price, Timestamp, VenueTradeId,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What tells positions apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PositionKey {
    pub account: Account,
    pub instrument: Instrument,
    pub side: PositionSide,
    /// An edge, or `manual`.
    pub owner: EdgeName,
}

impl fmt::Display for PositionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.account, self.instrument, self.owner)
    }
}

/// From nothing to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionOpened {
    pub position: PositionKey,
    pub direction: Direction,
    pub fill: VenueTradeId,
    /// Base asset held, or owed by a short position; net of fees taken from it, with the dust that is carried on.
    pub quantity: Decimal,
    /// Quantity-weighted average entry price, the dust's too.
    pub average: Decimal,
    /// Dust of the owner's last position of that instrument and direction, for what it was entered.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub carried: Decimal,
}
payload!(
    PositionOpened,
    |e| format!("position:{}", e.position),
    account = Some(e.position.account),
    instrument = e.position.instrument,
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionIncreased {
    pub position: PositionKey,
    pub direction: Direction,
    pub fill: VenueTradeId,
    pub by: Decimal,
    pub quantity: Decimal,
    pub average: Decimal,
}
payload!(
    PositionIncreased,
    |e| format!("position:{}", e.position),
    account = Some(e.position.account),
    instrument = e.position.instrument,
);

/// Also of dust: of a position that is closed already, of which the owner leaves the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionReduced {
    pub position: PositionKey,
    pub direction: Direction,
    pub fill: VenueTradeId,
    pub by: Decimal,
    pub price: Price,
    pub quantity: Decimal,
    pub average: Decimal,
    /// Profit realised by this fill, in the quote asset, less its fee where that is in the quote asset.
    pub profit: Decimal,
}
payload!(
    PositionReduced,
    |e| format!("position:{}", e.position),
    account = Some(e.position.account),
    instrument = e.position.instrument,
);

/// Nothing is left of which an order could be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionClosed {
    pub position: PositionKey,
    pub direction: Direction,
    /// Its last exit, and how much that left.
    pub fill: VenueTradeId,
    pub by: Decimal,
    /// Base asset entered and left over its life: bought and sold, or sold and bought back. What was carried on
    /// counts as entered.
    pub entered: Decimal,
    pub exited: Decimal,
    pub entry_price: Decimal,
    pub exit_price: Decimal,
    /// Realised over its life by what was left, in the quote asset; fees in third assets are not in it.
    pub profit: Decimal,
    /// `profit` as a part of what that had been entered for.
    pub profit_ratio: Decimal,
    pub fees: Vec<Fee>,
    /// Base asset too little for an order, which the owner's next position of that instrument carries on.
    pub left: Decimal,
    /// What that was entered for, and what it is worth at the price of the last exit; quote asset.
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub left_cost: Decimal,
    #[serde(default, skip_serializing_if = "Decimal::is_zero")]
    pub left_worth: Decimal,
    /// The venue's times of its first fill and of its last exit.
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
}
payload!(
    PositionClosed,
    |e| format!("position:{}", e.position),
    account = Some(e.position.account),
    instrument = e.position.instrument,
);

/// One asset's part of a valuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    pub asset: Asset,
    pub quantity: Decimal,
    /// The price used, in the portfolio's quote asset; `None` if none is known, and then no value.
    pub price: Option<Decimal>,
    pub value: Decimal,
}

/// The account in one quote asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioValued {
    pub account: Account,
    pub quote: Asset,
    /// Cash and holdings.
    pub equity: Decimal,
    pub cash: Decimal,
    /// Value of everything that is not the quote asset.
    pub exposure: Decimal,
    /// The highest equity so far, scaled by what was paid in or out since: a withdrawal is no drawdown.
    pub peak: Decimal,
    /// `1 − equity/peak`.
    pub drawdown: Decimal,
    pub holdings: Vec<Holding>,
}
payload!(PortfolioValued, |e| format!("portfolio:{}", e.account), account = Some(e.account));
