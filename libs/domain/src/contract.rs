//! What a derivative has beside what spot has.

use crate::{Asset, Decimal};
use serde::{Deserialize, Serialize};

/// What an order of a derivative counts, and what its profit is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The asset of profit, fees, funding and margin.
    pub settlement: Asset,
    /// Base asset in one unit of quantity.
    pub multiplier: Decimal,
}

/// What stands behind a trade of a derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Margin {
    pub mode: MarginMode,
    /// Notional over the margin that is set aside for it; at least 1.
    pub leverage: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginMode {
    /// All that the account has stands behind each of its positions.
    Cross,
    /// A position can lose what is set aside for it, and no more.
    Isolated,
}
