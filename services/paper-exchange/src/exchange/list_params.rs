//! What an OCO says: the list of today (`rest-api.md`, "New Order list - OCO") and the deprecated one.

use super::{
    ask::{Ask, invalid, missing},
    order_params::{Asked, Detail, Names, Type, detail, order, quantity, side},
};
use crate::refusal::Refusal;
use domain::{ClientOrderId, Listing, NewOco, OrderRequest, Price, Side, Size};
use venue_paper::engine::{Owner, Wanted};

/// An order list as it was asked for.
pub struct AskedList {
    pub wanted: Wanted,
    pub list: ClientOrderId,
    /// Above, below.
    pub legs: [Asked; 2],
    pub detail: Detail,
}

impl AskedList {
    /// The list with the self-trade mode that was asked for, or the symbol's own.
    ///
    /// # Errors
    /// −1013 for a mode that the symbol does not allow.
    pub fn with_modes(mut self, listing: Option<&Listing>) -> Result<Self, Refusal> {
        for (leg, extras) in self.legs.iter_mut().zip(&mut self.wanted.extras) {
            *leg = leg.with_mode(listing)?;
            extras.self_trade = leg.extras.self_trade;
        }
        Ok(self)
    }
}

/// Names for what was not named: of the list, of the order above, of the order below.
pub type Spare = [ClientOrderId; 3];

const ABOVE: Names = Names {
    kind: "aboveType",
    time_in_force: "aboveTimeInForce",
    price: "abovePrice",
    stop: "aboveStopPrice",
    trailing: "aboveTrailingDelta",
    iceberg: "aboveIcebergQty",
    id: "aboveClientOrderId",
    strategy: "aboveStrategyId",
    strategy_type: "aboveStrategyType",
};

const BELOW: Names = Names {
    kind: "belowType",
    time_in_force: "belowTimeInForce",
    price: "belowPrice",
    stop: "belowStopPrice",
    trailing: "belowTrailingDelta",
    iceberg: "belowIcebergQty",
    id: "belowClientOrderId",
    strategy: "belowStrategyId",
    strategy_type: "belowStrategyType",
};

/// Of the deprecated OCO: the `LIMIT_MAKER`.
const LIMIT: Names = Names {
    kind: "limitType",
    time_in_force: "limitTimeInForce",
    price: "price",
    stop: "limitStopPrice",
    trailing: "limitTrailingDelta",
    iceberg: "limitIcebergQty",
    id: "limitClientOrderId",
    strategy: "limitStrategyId",
    strategy_type: "limitStrategyType",
};

/// Of the deprecated OCO: the stop.
const STOP: Names = Names {
    kind: "stopType",
    time_in_force: "stopLimitTimeInForce",
    price: "stopLimitPrice",
    stop: "stopPrice",
    trailing: "trailingDelta",
    iceberg: "stopIcebergQty",
    id: "stopClientOrderId",
    strategy: "stopStrategyId",
    strategy_type: "stopStrategyType",
};

const LIST: &[&str] =
    &["symbol", "listClientOrderId", "side", "quantity", "newOrderRespType", "selfTradePreventionMode"];

/// # Errors
/// The first parameter that is wrong, missing or not wanted.
pub fn oco(ask: Ask, last: Option<Price>, spare: Spare) -> Result<AskedList, Refusal> {
    let ask = ask.only(&[LIST, &all(&ABOVE), &all(&BELOW)])?;
    let (side, size) = common(ask)?;
    let above = leg_type(ask, ABOVE.kind)?;
    let below = leg_type(ask, BELOW.kind)?;
    let [list, first, second] = spare;
    let above = order(ask, &ABOVE, above, side, size, last, first)?;
    let below = order(ask, &BELOW, below, side, size, last, second)?;
    together(ask, list, [above, below])
}

/// # Errors
/// The first parameter that is wrong, missing or not wanted.
pub fn old_oco(ask: Ask, last: Option<Price>, spare: Spare) -> Result<AskedList, Refusal> {
    let known = |names: &Names| -> Vec<&'static str> {
        all(names).into_iter().filter(|name| !DERIVED.contains(name)).collect()
    };
    let ask = ask.only(&[LIST, &known(&LIMIT), &known(&STOP)])?;
    let (side, size) = common(ask)?;
    if !ask.has(LIMIT.price) {
        return Err(missing(LIMIT.price));
    }
    if !ask.has(STOP.stop) && !ask.has(STOP.trailing) {
        return Err(missing(STOP.stop));
    }
    let stop_type = match ask.has(STOP.price) {
        true if !ask.has(STOP.time_in_force) => return Err(missing(STOP.time_in_force)),
        true => Type::StopLossLimit,
        false => Type::StopLoss,
    };
    let [list, first, second] = spare;
    let limit = order(ask, &LIMIT, Type::LimitMaker, side, size, last, first)?;
    let stop = order(ask, &STOP, stop_type, side, size, last, second)?;
    match side {
        Side::Sell => together(ask, list, [limit, stop]),
        Side::Buy => together(ask, list, [stop, limit]),
    }
}

/// Names that only the list of today has.
const DERIVED: [&str; 5] =
    ["limitType", "limitTimeInForce", "limitStopPrice", "limitTrailingDelta", "stopType"];

fn all(names: &Names) -> Vec<&'static str> {
    let Names { kind, time_in_force, price, stop, trailing, iceberg, id, strategy, strategy_type } = *names;
    vec![kind, time_in_force, price, stop, trailing, iceberg, id, strategy, strategy_type]
}

fn common(ask: Ask) -> Result<(Side, Size), Refusal> {
    let side = side(ask)?;
    let quantity = quantity(ask, "quantity")?.ok_or_else(|| missing("quantity"))?;
    Ok((side, Size::Base(quantity)))
}

fn leg_type(ask: Ask, name: &'static str) -> Result<Type, Refusal> {
    match Type::read(ask, name)? {
        Type::Limit | Type::Market => Err(Refusal::new(-1158, "Order type not supported in OCO.")),
        kind => Ok(kind),
    }
}

fn together(ask: Ask, spare: ClientOrderId, legs: [Asked; 2]) -> Result<AskedList, Refusal> {
    let list = ask.id("listClientOrderId")?.unwrap_or(spare);
    let [above, below] = legs;
    let request = OrderRequest::Oco(NewOco { list, above: above.order, below: below.order });
    let wanted = Wanted { owner: Owner::FIRST, request, extras: [above.extras, below.extras] };
    let detail = detail(ask)?.unwrap_or(Detail::Result);
    if list == above.order.id || list == below.order.id {
        return Err(invalid("listClientOrderId"));
    }
    Ok(AskedList { wanted, list, legs, detail })
}
