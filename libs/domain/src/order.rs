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

/// Which way a trade or a position is in the market: whether it gains when the price rises or when it falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Long,
    Short,
}

impl Side {
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// `price` made worse for an order of that side by a part of itself: higher for a buy, lower for a sale.
    pub fn worse(self, price: Decimal, ratio: Decimal) -> Decimal {
        price.saturating_mul(match self {
            Self::Buy => Decimal::ONE.saturating_add(ratio),
            Self::Sell => Decimal::ONE.saturating_sub(ratio),
        })
    }

    /// `price` made better for an order of that side by a part of itself.
    pub fn better(self, price: Decimal, ratio: Decimal) -> Decimal {
        self.opposite().worse(price, ratio)
    }

    /// Whether `price` is worse for an order of that side than `other`.
    pub fn is_worse(self, price: Decimal, other: Decimal) -> bool {
        match self {
            Self::Buy => price > other,
            Self::Sell => price < other,
        }
    }

    /// The one of two prices that is worse for an order of that side.
    pub fn worse_of(self, a: Decimal, b: Decimal) -> Decimal {
        if self.is_worse(a, b) { a } else { b }
    }

    /// The one that is better for it.
    pub fn better_of(self, a: Decimal, b: Decimal) -> Decimal {
        self.opposite().worse_of(a, b)
    }

    /// Where the prices lie that are worse for it.
    pub const fn worse_word(self) -> &'static str {
        match self {
            Self::Buy => "above",
            Self::Sell => "below",
        }
    }
}

impl Direction {
    pub const fn opposite(self) -> Self {
        match self {
            Self::Long => Self::Short,
            Self::Short => Self::Long,
        }
    }

    /// The side of the orders that enter.
    pub const fn entry(self) -> Side {
        match self {
            Self::Long => Side::Buy,
            Self::Short => Side::Sell,
        }
    }

    /// The side of the orders that leave: the stop, the take-profit order, the exit at market.
    pub const fn exit(self) -> Side {
        self.entry().opposite()
    }

    /// The direction that an order of that side enters.
    pub const fn of(entry: Side) -> Self {
        match entry {
            Side::Buy => Self::Long,
            Side::Sell => Self::Short,
        }
    }

    /// What is gained where something was entered for `entry` and left for `exit`, in money: sold for less bought
    /// for, whichever came first.
    pub fn gain(self, entry: Decimal, exit: Decimal) -> Decimal {
        match self {
            Self::Long => exit.saturating_sub(entry),
            Self::Short => entry.saturating_sub(exit),
        }
    }

    /// `quantity` as a signed one: less than nothing is short.
    pub fn signed(self, quantity: Decimal) -> Decimal {
        match self {
            Self::Long => quantity,
            Self::Short => -quantity,
        }
    }
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
    /// A market order that ends the trade.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn worse_is_higher_for_a_buy_and_lower_for_a_sale() {
        assert_eq!(Side::Buy.worse(d("100"), d("0.1")), d("110"));
        assert_eq!(Side::Sell.worse(d("100"), d("0.1")), d("90"));
        assert_eq!(Side::Buy.better(d("100"), d("0.1")), d("90"));
        assert_eq!(
            (Side::Buy.worse_of(d("1"), d("2")), Side::Sell.worse_of(d("1"), d("2"))),
            (d("2"), d("1"))
        );
        assert_eq!(
            (Side::Buy.better_of(d("1"), d("2")), Side::Sell.better_of(d("1"), d("2"))),
            (d("1"), d("2"))
        );
        assert!(!Side::Buy.is_worse(d("1"), d("1")) && !Side::Sell.is_worse(d("1"), d("1")));
    }

    #[test]
    fn a_short_trade_sells_first_and_gains_when_the_price_falls() {
        assert_eq!((Direction::Long.entry(), Direction::Long.exit()), (Side::Buy, Side::Sell));
        assert_eq!((Direction::Short.entry(), Direction::Short.exit()), (Side::Sell, Side::Buy));
        for direction in [Direction::Long, Direction::Short] {
            assert_eq!(Direction::of(direction.entry()), direction);
        }
        assert_eq!(Direction::Long.gain(d("100"), d("130")), d("30"));
        assert_eq!(Direction::Short.gain(d("100"), d("130")), d("-30"));
        assert_eq!((Direction::Long.signed(d("2")), Direction::Short.signed(d("2"))), (d("2"), d("-2")));
        assert_eq!(Direction::Short.opposite(), Direction::Long);
    }

    #[test]
    fn an_order_names_its_prices_and_its_type() {
        let (stop, price): (Price, Price) = ("90".parse().unwrap(), "80".parse().unwrap());
        let time_in_force = TimeInForce::Gtc;
        let kinds = [
            OrderKind::Market,
            OrderKind::Limit { price, time_in_force },
            OrderKind::LimitMaker { price },
            OrderKind::StopLoss { stop },
            OrderKind::StopLossLimit { stop, price, time_in_force },
            OrderKind::TakeProfit { stop },
            OrderKind::TakeProfitLimit { stop, price, time_in_force },
        ];
        let said = kinds.map(|kind| {
            let part =
                |word, price: Option<Price>| price.map_or(String::new(), |price| format!(" {word} {price}"));
            format!("{}{}{}", kind.name(), part("stop", kind.stop()), part("limit", kind.limit()))
        });
        assert_eq!(
            said,
            [
                "MARKET",
                "LIMIT limit 80",
                "LIMIT_MAKER limit 80",
                "STOP_LOSS stop 90",
                "STOP_LOSS_LIMIT stop 90 limit 80",
                "TAKE_PROFIT stop 90",
                "TAKE_PROFIT_LIMIT stop 90 limit 80",
            ]
        );
    }

    #[test]
    fn a_request_goes_by_its_orders_id_or_its_lists_and_knows_its_trade() {
        let order = |id: &str, origin| NewOrder {
            id: ClientOrderId::new(id).unwrap(),
            side: Side::Sell,
            kind: OrderKind::Market,
            size: Size::Base("1".parse().unwrap()),
            origin,
            reduce_only: false,
            position_side: PositionSide::Net,
        };
        let trade = TradeId::new("T1").unwrap();
        let of_trade = |leg| Origin::Trade { trade, leg, attempt: 1 };
        let by_hand = Origin::Manual { request: trade };
        let list = ClientOrderId::new("list").unwrap();
        let (above, below) = (order("up", of_trade(Leg::TakeProfit)), order("down", of_trade(Leg::Stop)));
        for (request, id, orders, of) in [
            (OrderRequest::Single(order("a", by_hand)), "a", "a", None),
            (OrderRequest::Single(order("a", of_trade(Leg::Entry))), "a", "a", Some(trade)),
            (OrderRequest::Oco(NewOco { list, above, below }), "list", "up down", Some(trade)),
        ] {
            let ids: Vec<String> = request.orders().map(|order| order.id.to_string()).collect();
            assert_eq!(
                (request.id().to_string(), ids.join(" "), request.trade()),
                (id.into(), orders.into(), of)
            );
        }
    }

    #[test]
    fn sides_directions_legs_and_endings_are_written_in_words() {
        let sides = [Side::Buy, Side::Sell].map(|side| format!("{side} {}", side.worse_word()));
        assert_eq!(sides, ["buy above", "sell below"]);
        assert_eq!([Direction::Long, Direction::Short].map(|way| way.to_string()), ["long", "short"]);
        let legs = [Leg::Entry, Leg::Stop, Leg::TakeProfit, Leg::Exit].map(Leg::as_str);
        assert_eq!(legs, ["entry", "stop", "take_profit", "exit"]);
        for ending in [
            Ending::Filled,
            Ending::Canceled,
            Ending::Expired,
            Ending::Rejected,
            Ending::Absent,
            Ending::Refused,
        ] {
            assert_eq!(serde_json::to_value(ending).unwrap(), ending.as_str());
        }
    }

    #[test]
    fn what_is_filled_has_an_average() {
        assert_eq!(Filled { quantity: d("4"), quote: d("100") }.average(), Some(d("25")));
        assert_eq!(Filled::default().average(), None);
    }
}
