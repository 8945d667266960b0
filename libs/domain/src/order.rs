//! What we ask of a venue.

use crate::{ClientOrderId, Price, Quantity, TradeId};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Buy,
    Sell,
}

/// Which way an edge wants to be in the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Long,
    Short,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Long => "long",
            Self::Short => "short",
        })
    }
}

/// Which position an order works on. One-way accounts know only `Net`; hedge mode has the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum PositionSide {
    #[default]
    Net,
    Long,
    Short,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeInForce {
    /// Works until filled or canceled.
    Gtc,
    /// What cannot be filled at once expires.
    Ioc,
    /// All at once or nothing.
    Fok,
}

/// The order types of Binance spot (its `enums.md`), without their quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum OrderKind {
    Market,
    Limit { price: Price, time_in_force: TimeInForce },
    LimitMaker { price: Price },
    StopLoss { stop: Price },
    StopLossLimit { stop: Price, price: Price, time_in_force: TimeInForce },
    TakeProfit { stop: Price },
    TakeProfitLimit { stop: Price, price: Price, time_in_force: TimeInForce },
}

impl OrderKind {
    /// The limit price, where there is one.
    pub fn limit(&self) -> Option<Price> {
        match *self {
            Self::Market | Self::StopLoss { .. } | Self::TakeProfit { .. } => None,
            Self::Limit { price, .. }
            | Self::LimitMaker { price }
            | Self::StopLossLimit { price, .. }
            | Self::TakeProfitLimit { price, .. } => Some(price),
        }
    }
    /// The price that triggers it, where there is one.
    pub fn stop(&self) -> Option<Price> {
        match *self {
            Self::Market | Self::Limit { .. } | Self::LimitMaker { .. } => None,
            Self::StopLoss { stop }
            | Self::StopLossLimit { stop, .. }
            | Self::TakeProfit { stop }
            | Self::TakeProfitLimit { stop, .. } => Some(stop),
        }
    }
    /// Binance's name of it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Market => "MARKET",
            Self::Limit { .. } => "LIMIT",
            Self::LimitMaker { .. } => "LIMIT_MAKER",
            Self::StopLoss { .. } => "STOP_LOSS",
            Self::StopLossLimit { .. } => "STOP_LOSS_LIMIT",
            Self::TakeProfit { .. } => "TAKE_PROFIT",
            Self::TakeProfitLimit { .. } => "TAKE_PROFIT_LIMIT",
        }
    }
}

/// How much, and in which unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    Base(Quantity),
    /// Spend (or receive) this much of the quote asset; market orders only.
    Quote(Quantity),
}

/// What an order is for within its trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    Entry,
    /// The stop that protects; also the stop leg of an OCO.
    Stop,
    /// The take-profit leg of an OCO.
    TakeProfit,
    /// A market sale that ends the trade.
    Exit,
}

impl Leg {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Stop => "stop",
            Self::TakeProfit => "take_profit",
            Self::Exit => "exit",
        }
    }
}

/// Who wanted an order, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    Trade {
        trade: TradeId,
        leg: Leg,
        attempt: u32,
    },
    /// The owner asked for it by hand; the amount was given and checked, not sized.
    Manual {
        request: TradeId,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    pub id: ClientOrderId,
    pub side: Side,
    pub kind: OrderKind,
    pub size: Size,
    pub origin: Origin,
    /// May only make a position smaller.
    pub reduce_only: bool,
    pub position_side: PositionSide,
}

/// One cancels the other: as soon as one order trades, the venue cancels its twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOco {
    /// Our id of the list.
    pub list: ClientOrderId,
    /// The order whose price lies above the market.
    pub above: NewOrder,
    /// The order whose price lies below the market.
    pub below: NewOrder,
}

/// One request to a venue: a single order or an OCO list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "it is boxed wherever it is kept")]
pub enum OrderRequest {
    Single(NewOrder),
    Oco(NewOco),
}

impl OrderRequest {
    /// What the request goes by: the order's id, or the list's.
    pub fn id(&self) -> ClientOrderId {
        match self {
            Self::Single(order) => order.id,
            Self::Oco(oco) => oco.list,
        }
    }
    pub fn orders(&self) -> impl Iterator<Item = &NewOrder> {
        let (one, two) = match self {
            Self::Single(order) => (order, None),
            Self::Oco(oco) => (&oco.above, Some(&oco.below)),
        };
        std::iter::once(one).chain(two)
    }
    /// The trade that it belongs to, if any.
    pub fn trade(&self) -> Option<TradeId> {
        self.orders().find_map(|order| match order.origin {
            Origin::Trade { trade, .. } => Some(trade),
            Origin::Manual { .. } => None,
        })
    }
}

/// How an order came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Filled,
    Canceled,
    /// The venue ended it: an IOC's remainder, a market order on a thin book, the other leg of an
    /// OCO, a closed market.
    Expired,
    /// The venue never took it.
    Rejected,
    /// It was proved that the request never reached the venue.
    Absent,
    /// We refused to send it.
    Refused,
}

impl Ending {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
            Self::Rejected => "rejected",
            Self::Absent => "absent",
            Self::Refused => "refused",
        }
    }
}

/// What has been traded of an order so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Filled {
    /// Base asset.
    pub quantity: Decimal,
    /// Quote asset.
    pub quote: Decimal,
}

impl Filled {
    /// Quote per base, or `None` if nothing was traded.
    pub fn average(&self) -> Option<Decimal> {
        (!self.quantity.is_zero()).then(|| self.quote / self.quantity)
    }
}
