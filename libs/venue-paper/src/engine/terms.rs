//! On which terms the exchange trades: fees, and how pessimistic it is.

use domain::{Asset, Decimal, Price};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub fees: Fees,
    /// How much worse than the price in hand a taker trades, e.g. 0.0005.
    pub slippage_ratio: Decimal,
    /// The part of a candle's volume that all orders together may take, e.g. 0.1.
    pub participation: Decimal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fees {
    /// Fee per amount received, e.g. 0.001.
    pub maker: Decimal,
    pub taker: Decimal,
    pub paid_in: PaidIn,
}

/// Which asset fees are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidIn {
    /// What the order receives: base when buying, quote when selling (Binance's default).
    Received,
    /// Always the quote asset; a buy holds it on top of its price.
    Quote,
    /// A third asset, e.g. BNB; what is received when there is not enough of it or no price for it.
    Third { asset: Asset, price: ThirdPrice },
}

/// What one unit of the third asset is worth in the quote asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThirdPrice {
    Fixed(Price),
    /// The last known price of the instrument of the third asset in that quote asset.
    LastPrice,
}

impl Default for Terms {
    /// Binance's fees without discounts, half a thousandth of slippage, a tenth of the volume.
    fn default() -> Self {
        let fee = Decimal::new(1, 3);
        Self {
            fees: Fees { maker: fee, taker: fee, paid_in: PaidIn::Received },
            slippage_ratio: Decimal::new(5, 4),
            participation: Decimal::new(1, 1),
        }
    }
}
