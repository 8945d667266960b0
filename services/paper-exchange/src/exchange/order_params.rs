//! What a new order says (Binance's `rest-api.md`, "New order": mandatory parameters by type), and what it may not say.

use super::{
    archive::{Marks, PegMarks},
    ask::{Ask, bad_combination, invalid, missing, missing_both, not_required, overflowed},
};
use crate::refusal::Refusal;
use domain::{
    ClientOrderId, Decimal, Listing, NewOrder, OrderKind, Origin, PositionSide, Price, Quantity, Side, Size,
    TimeInForce, TradeId,
};
use venue_paper::engine::{Extras, Peg, PegTo, SelfTrade, Trailing};

/// The parameters of `POST /api/v3/order`, but the symbol.
pub const NEW_ORDER: &[&str] = &[
    "side",
    "type",
    "timeInForce",
    "quantity",
    "quoteOrderQty",
    "price",
    "newClientOrderId",
    "strategyId",
    "strategyType",
    "stopPrice",
    "trailingDelta",
    "icebergQty",
    "newOrderRespType",
    "selfTradePreventionMode",
    "pegPriceType",
    "pegOffsetValue",
    "pegOffsetType",
];

/// How much of an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Ack,
    Result,
    Full,
}

/// One order as it was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The self-trade mode that was asked for; without one the symbol's own holds.
    pub mode: Option<SelfTrade>,
    pub order: NewOrder,
    pub extras: Extras,
    pub marks: Marks,
    pub stage: Stage,
}

/// When an order is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    AtOnce,
    /// Once the working order of its list is filled.
    Pending,
    /// So too, in the quantity that the working order has bought.
    Paid,
}

/// How one order's parameters are called: an order list has two of most.
pub struct Names {
    pub kind: &'static str,
    pub time_in_force: &'static str,
    pub price: &'static str,
    pub stop: &'static str,
    pub trailing: &'static str,
    pub iceberg: &'static str,
    pub id: &'static str,
    pub strategy: &'static str,
    pub strategy_type: &'static str,
    pub peg_type: &'static str,
    pub peg_offset_type: &'static str,
    pub peg_offset: &'static str,
}

pub const SINGLE: Names = Names {
    kind: "type",
    time_in_force: "timeInForce",
    price: "price",
    stop: "stopPrice",
    trailing: "trailingDelta",
    iceberg: "icebergQty",
    id: "newClientOrderId",
    strategy: "strategyId",
    strategy_type: "strategyType",
    peg_type: "pegPriceType",
    peg_offset_type: "pegOffsetType",
    peg_offset: "pegOffsetValue",
};

/// Order types, before it is known whether everything is there that they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Limit,
    Market,
    LimitMaker,
    StopLoss,
    StopLossLimit,
    TakeProfit,
    TakeProfitLimit,
}

impl Type {
    /// # Errors
    /// −1102 where it is missing, −1116 where there is no such type.
    pub fn read(ask: Ask, name: &str) -> Result<Self, Refusal> {
        Ok(match ask.must_text(name)? {
            "LIMIT" => Self::Limit,
            "MARKET" => Self::Market,
            "LIMIT_MAKER" => Self::LimitMaker,
            "STOP_LOSS" => Self::StopLoss,
            "STOP_LOSS_LIMIT" => Self::StopLossLimit,
            "TAKE_PROFIT" => Self::TakeProfit,
            "TAKE_PROFIT_LIMIT" => Self::TakeProfitLimit,
            _ => return Err(Refusal::new(-1116, "Invalid orderType.")),
        })
    }

    fn has_limit(self) -> bool {
        match self {
            Self::Limit | Self::LimitMaker | Self::StopLossLimit | Self::TakeProfitLimit => true,
            Self::Market | Self::StopLoss | Self::TakeProfit => false,
        }
    }

    fn has_time_in_force(self) -> bool {
        self.has_limit() && self != Self::LimitMaker
    }

    fn has_stop(self) -> bool {
        match self {
            Self::StopLoss | Self::StopLossLimit | Self::TakeProfit | Self::TakeProfitLimit => true,
            Self::Limit | Self::Market | Self::LimitMaker => false,
        }
    }
}

/// A single order. `last` is where the market stands: a trailing stop may start from there.
///
/// # Errors
/// The first parameter that is wrong.
pub fn single(ask: Ask, last: Option<Price>, spare: ClientOrderId) -> Result<(Asked, Detail), Refusal> {
    let side = side(ask, "side")?;
    let kind = Type::read(ask, "type")?;
    let size = size(ask, kind)?;
    let asked = order(ask, &SINGLE, kind, side, size, last, spare)?;
    let detail = detail(ask)?.unwrap_or(match kind {
        Type::Market | Type::Limit => Detail::Full,
        Type::LimitMaker
        | Type::StopLoss
        | Type::StopLossLimit
        | Type::TakeProfit
        | Type::TakeProfitLimit => Detail::Ack,
    });
    Ok((asked, detail))
}

/// # Errors
/// −1102 where it is missing, −1117 where it is neither.
pub fn side(ask: Ask, name: &str) -> Result<Side, Refusal> {
    match ask.must_text(name)? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(Refusal::new(-1117, "Invalid side.")),
    }
}

/// # Errors
/// −1130 where there is no such type of answer.
pub fn detail(ask: Ask) -> Result<Option<Detail>, Refusal> {
    Ok(match ask.text("newOrderRespType")? {
        None => None,
        Some("ACK") => Some(Detail::Ack),
        Some("RESULT") => Some(Detail::Result),
        Some("FULL") => Some(Detail::Full),
        Some(_) => return Err(invalid("newOrderRespType")),
    })
}

/// # Errors
/// −1013 where it is zero, −1108 beyond all reckoning.
pub fn quantity(ask: Ask, name: &'static str) -> Result<Option<Quantity>, Refusal> {
    let zero = || Refusal::new(-1013, "Invalid quantity.");
    ask.decimal(name)?.map(|given| positive(name, given, Quantity::new(given).ok(), zero)).transpose()
}

/// One order, or one leg of a list, under its names.
///
/// # Errors
/// The first parameter that is wrong, missing or not wanted.
pub fn order(
    ask: Ask,
    names: &Names,
    kind: Type,
    side: Side,
    size: Size,
    last: Option<Price>,
    spare: ClientOrderId,
) -> Result<Asked, Refusal> {
    let peg = peg(ask, names)?;
    let time_in_force = time_in_force(ask, names, kind)?;
    let limit = limit(ask, names, kind, peg.is_some())?;
    let trailing = trailing(ask, names, kind)?;
    let given_stop = stop(ask, names, kind, trailing)?;
    let iceberg = iceberg(ask, names, kind, time_in_force, size)?;
    let marks = Marks {
        iceberg,
        trailing_delta: trailing,
        without_stop: kind.has_stop() && given_stop.is_none(),
        strategy: ask.whole(names.strategy)?,
        strategy_type: strategy_type(ask, names.strategy_type)?,
        self_trade: "",
        peg: peg.map(|(to, offset)| PegMarks { price_type: peg_name(to), offset, price: limit }),
        sor: false,
    };
    let mode = self_trade(ask)?;
    let extras = Extras {
        trailing: trailing.map(|delta_bips| Trailing { delta_bips, activated: given_stop.is_none() }),
        iceberg,
        self_trade: SelfTrade::None,
        peg: peg.map(|(to, offset)| Peg { to, offset: offset.unwrap_or(0), price: limit }),
    };
    let id = ask.id(names.id)?.unwrap_or(spare);
    // What the book will say is not known yet: until then a price that could be it.
    let limit = limit.or(given_stop.filter(|_| peg.is_some())).or(last.filter(|_| peg.is_some()));
    if limit.is_none() && peg.is_some() && kind.has_limit() {
        return Err(Refusal::new(-2010, "Order book liquidity is too low for this pegged order."));
    }
    let kind = shape(kind, limit, given_stop.or(last), time_in_force)?;
    // The exchange knows no more of whoever asks than the name of the order.
    let request = TradeId::new(&id).map_err(|_| invalid(names.id))?;
    let origin = Origin::Manual { request };
    let position_side = PositionSide::Net;
    let order = NewOrder { id, side, kind, size, origin, reduce_only: false, position_side };
    Ok(Asked { mode, order, extras, marks, stage: Stage::AtOnce })
}

fn size(ask: Ask, kind: Type) -> Result<Size, Refusal> {
    let base = quantity(ask, "quantity")?;
    let quote = quantity(ask, "quoteOrderQty")?;
    match (kind, base, quote) {
        (Type::Market, Some(_), Some(_)) => Err(bad_combination()),
        (Type::Market, None, Some(sum)) => Ok(Size::Quote(sum)),
        (Type::Market, None, None) => Err(missing_both("quantity", "quoteOrderQty")),
        (_, _, Some(_)) => Err(not_required("quoteOrderQty")),
        (_, Some(quantity), None) => Ok(Size::Base(quantity)),
        (_, None, None) => Err(missing("quantity")),
    }
}

fn time_in_force(ask: Ask, names: &Names, kind: Type) -> Result<TimeInForce, Refusal> {
    let given = match ask.text(names.time_in_force)? {
        None => None,
        Some("GTC") => Some(TimeInForce::Gtc),
        Some("IOC") => Some(TimeInForce::Ioc),
        Some("FOK") => Some(TimeInForce::Fok),
        Some(_) => return Err(Refusal::new(-1115, "Invalid timeInForce.")),
    };
    match (kind.has_time_in_force(), given) {
        (true, Some(given)) => Ok(given),
        (true, None) => Err(missing(names.time_in_force)),
        (false, None) => Ok(TimeInForce::Gtc),
        (false, Some(_)) => Err(not_required(names.time_in_force)),
    }
}

fn limit(ask: Ask, names: &Names, kind: Type, pegged: bool) -> Result<Option<Price>, Refusal> {
    match (kind.has_limit(), price(ask, names.price)?) {
        (true, None) if !pegged => Err(missing(names.price)),
        (false, Some(_)) => Err(not_required(names.price)),
        (_, given) => Ok(given),
    }
}

/// The side of the book that the limit is pegged to, and how many levels deeper if that was given.
fn peg(ask: Ask, names: &Names) -> Result<Option<(PegTo, Option<u32>)>, Refusal> {
    const MOST: i64 = 100;
    let to = match ask.text(names.peg_type)? {
        None => None,
        Some("PRIMARY_PEG") => Some(PegTo::Primary),
        Some("MARKET_PEG") => Some(PegTo::Market),
        Some(_) => return Err(Refusal::new(-1210, "Invalid pegPriceType.")),
    };
    let by_level = match ask.text(names.peg_offset_type)? {
        None => false,
        Some("PRICE_LEVEL") => true,
        Some(_) => return Err(Refusal::new(-1211, "Invalid pegOffsetType.")),
    };
    let offset = ask.whole(names.peg_offset)?;
    match (to, by_level, offset) {
        (None, false, None) => Ok(None),
        (Some(to), false, None) => Ok(Some((to, None))),
        (Some(to), true, Some(offset @ 0..=MOST)) => Ok(Some((to, u32::try_from(offset).ok()))),
        (Some(_), true, Some(_)) => {
            let name = names.peg_offset;
            let text = format!("'{name}' contains unexpected value. Cannot be greater than {MOST}.");
            Err(Refusal::new(-1102, text))
        }
        (None, true, _) | (None, _, Some(_)) | (Some(_), true, None) | (Some(_), false, Some(_)) => {
            Err(bad_combination())
        }
    }
}

fn peg_name(to: PegTo) -> &'static str {
    match to {
        PegTo::Primary => "PRIMARY_PEG",
        PegTo::Market => "MARKET_PEG",
    }
}

fn trailing(ask: Ask, names: &Names, kind: Type) -> Result<Option<u32>, Refusal> {
    match ask.whole(names.trailing)? {
        None => Ok(None),
        Some(_) if !kind.has_stop() => Err(not_required(names.trailing)),
        Some(given) => u32::try_from(given).map(Some).map_err(|_| overflowed(names.trailing)),
    }
}

fn stop(ask: Ask, names: &Names, kind: Type, trailing: Option<u32>) -> Result<Option<Price>, Refusal> {
    match (kind.has_stop(), price(ask, names.stop)?) {
        (false, Some(_)) => Err(not_required(names.stop)),
        (true, None) if trailing.is_none() => Err(missing_both(names.stop, names.trailing)),
        (_, given) => Ok(given),
    }
}

fn iceberg(
    ask: Ask,
    names: &Names,
    kind: Type,
    time_in_force: TimeInForce,
    size: Size,
) -> Result<Option<Quantity>, Refusal> {
    // Zero, which clients send for none, hides nothing.
    let Some(given) = ask.decimal(names.iceberg)?.filter(|given| !given.is_zero()) else { return Ok(None) };
    if !kind.has_limit() {
        return Err(not_required(names.iceberg));
    }
    if time_in_force != TimeInForce::Gtc {
        return Err(not_lasting(names));
    }
    let shown = Quantity::new(given).map_err(|_| overflowed(names.iceberg))?;
    match size {
        Size::Base(whole) if shown > whole => Err(Refusal::new(-2010, "IcebergQty exceeds QTY.")),
        Size::Base(_) | Size::Quote(_) => Ok(Some(shown)),
    }
}

/// An iceberg must last until it is canceled.
fn not_lasting(names: &Names) -> Refusal {
    let Names { iceberg, time_in_force, .. } = names;
    match names.kind {
        "type" => Refusal::new(-1014, "Unsupported order combination."),
        _ => Refusal::new(
            -1160,
            format!("Parameter '{iceberg}' is not supported if '{time_in_force}' is not GTC."),
        ),
    }
}

fn strategy_type(ask: Ask, name: &str) -> Result<Option<i64>, Refusal> {
    const LEAST: i64 = 1_000_000;
    match ask.whole(name)? {
        Some(given) if given < LEAST => Err(Refusal::new(-1134, format!("{name} was less than {LEAST}."))),
        given => Ok(given),
    }
}

fn self_trade(ask: Ask) -> Result<Option<SelfTrade>, Refusal> {
    let Some(name) = ask.text("selfTradePreventionMode")? else { return Ok(None) };
    mode(name).map(Some).ok_or_else(|| invalid("selfTradePreventionMode"))
}

/// The self-trade mode of that name.
fn mode(name: &str) -> Option<SelfTrade> {
    use SelfTrade::{Decrement, ExpireBoth, ExpireMaker, ExpireTaker, None, Transfer};
    let modes = [None, ExpireTaker, ExpireMaker, ExpireBoth, Decrement, Transfer];
    modes.into_iter().find(|mode| mode.name() == name)
}

impl Asked {
    /// The order with the mode that was asked for, if the symbol allows it, else with the symbol's own.
    ///
    /// # Errors
    /// −1013 for a mode that the symbol does not allow.
    pub fn with_mode(self, listing: Option<&Listing>) -> Result<Self, Refusal> {
        let allowed = listing.and_then(|listing| listing.self_trades.as_deref());
        let allows = |mode: SelfTrade| match allowed {
            Some(allowed) => allowed.iter().any(|name| name == mode.name()),
            None => SELF_TRADE_MODES.contains(&mode.name()),
        };
        let usual = listing.and_then(|listing| listing.self_trade.as_deref());
        let mode = match self.mode {
            Some(mode) if !allows(mode) => {
                let text = "This symbol does not allow the specified self-trade prevention mode.";
                return Err(Refusal::new(-1013, text));
            }
            Some(mode) => mode,
            None => mode(usual.unwrap_or(USUAL_SELF_TRADE_MODE)).unwrap_or_default(),
        };
        let extras = Extras { self_trade: mode, ..self.extras };
        Ok(Self { extras, marks: Marks { self_trade: mode.name(), ..self.marks }, ..self })
    }
}

/// What production lists of its symbols: there is no `NONE`, and `TRANSFER` since 2026-04-02.
pub const SELF_TRADE_MODES: &[&str] =
    &["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT", "TRANSFER"];
pub const USUAL_SELF_TRADE_MODE: &str = "EXPIRE_MAKER";

fn price(ask: Ask, name: &'static str) -> Result<Option<Price>, Refusal> {
    let zero = || Refusal::new(-1013, "Invalid price.");
    ask.decimal(name)?.map(|given| positive(name, given, Price::new(given).ok(), zero)).transpose()
}

fn positive<T>(
    name: &str,
    given: Decimal,
    read: Option<T>,
    zero: impl FnOnce() -> Refusal,
) -> Result<T, Refusal> {
    read.ok_or_else(|| if given.is_zero() { zero() } else { overflowed(name) })
}

fn shape(
    kind: Type,
    limit: Option<Price>,
    stop: Option<Price>,
    time_in_force: TimeInForce,
) -> Result<OrderKind, Refusal> {
    // A trailing stop without a price of its own starts from the last one, and there is none yet.
    let no_price = || Refusal::new(-1112, "No orders on book for symbol.");
    let limit = limit.ok_or_else(|| missing("price"));
    let stop = stop.ok_or_else(no_price);
    Ok(match kind {
        Type::Limit => OrderKind::Limit { price: limit?, time_in_force },
        Type::Market => OrderKind::Market,
        Type::LimitMaker => OrderKind::LimitMaker { price: limit? },
        Type::StopLoss => OrderKind::StopLoss { stop: stop? },
        Type::StopLossLimit => OrderKind::StopLossLimit { stop: stop?, price: limit?, time_in_force },
        Type::TakeProfit => OrderKind::TakeProfit { stop: stop? },
        Type::TakeProfitLimit => OrderKind::TakeProfitLimit { stop: stop?, price: limit?, time_in_force },
    })
}
