//! What an order list says (`rest-api.md`, "New Order list - OCO", "- OTO", "- OTOCO", "- OPO", "- OPOCO"; and
//! the deprecated OCO).

use super::{
    ask::{Ask, invalid, missing},
    order_params::{Asked, Detail, Names, Stage, Type, detail, order, quantity, side},
};
use crate::refusal::Refusal;
use domain::{ClientOrderId, Listing, NewOco, OrderRequest, Price, Side, Size};
use venue_paper::engine::{Extras, Owner, Wanted, WantedList};

/// An order list as it was asked for.
pub struct AskedList {
    pub wanted: ListWanted,
    pub list: ClientOrderId,
    /// In the order of their numbers.
    pub legs: Vec<Asked>,
    pub detail: Detail,
}

pub enum ListWanted {
    AtOnce(Box<Wanted>),
    Then(Box<WantedList>),
}

impl AskedList {
    /// The list with the self-trade mode that was asked for, or the symbol's own.
    ///
    /// # Errors
    /// −1013 for a mode that the symbol does not allow.
    pub fn with_modes(mut self, listing: Option<&Listing>) -> Result<Self, Refusal> {
        for leg in &mut self.legs {
            *leg = leg.with_mode(listing)?;
        }
        let modes = self.legs.iter().map(|leg| leg.extras.self_trade);
        let all: Vec<&mut Extras> = match &mut self.wanted {
            ListWanted::AtOnce(wanted) => wanted.extras.iter_mut().collect(),
            ListWanted::Then(wanted) => {
                let WantedList { extras, pending, .. } = &mut **wanted;
                std::iter::once(extras).chain(&mut pending.extras).collect()
            }
        };
        for (extras, mode) in all.into_iter().zip(modes) {
            extras.self_trade = mode;
        }
        Ok(self)
    }
}

/// Lists whose other orders wait for the first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Oto,
    Otoco,
    Opo,
    Opoco,
}

impl Kind {
    /// Whether what waits is an OCO.
    fn has_oco(self) -> bool {
        matches!(self, Self::Otoco | Self::Opoco)
    }

    /// Whether the working order pays for what waits.
    fn pays(self) -> bool {
        matches!(self, Self::Opo | Self::Opoco)
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
    peg_type: "abovePegPriceType",
    peg_offset_type: "abovePegOffsetType",
    peg_offset: "abovePegOffsetValue",
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
    peg_type: "belowPegPriceType",
    peg_offset_type: "belowPegOffsetType",
    peg_offset: "belowPegOffsetValue",
};

const WORKING: Names = Names {
    kind: "workingType",
    time_in_force: "workingTimeInForce",
    price: "workingPrice",
    stop: "workingStopPrice",
    trailing: "workingTrailingDelta",
    iceberg: "workingIcebergQty",
    id: "workingClientOrderId",
    strategy: "workingStrategyId",
    strategy_type: "workingStrategyType",
    peg_type: "workingPegPriceType",
    peg_offset_type: "workingPegOffsetType",
    peg_offset: "workingPegOffsetValue",
};

const PENDING: Names = Names {
    kind: "pendingType",
    time_in_force: "pendingTimeInForce",
    price: "pendingPrice",
    stop: "pendingStopPrice",
    trailing: "pendingTrailingDelta",
    iceberg: "pendingIcebergQty",
    id: "pendingClientOrderId",
    strategy: "pendingStrategyId",
    strategy_type: "pendingStrategyType",
    peg_type: "pendingPegPriceType",
    peg_offset_type: "pendingPegOffsetType",
    peg_offset: "pendingPegOffsetValue",
};

const PENDING_ABOVE: Names = Names {
    kind: "pendingAboveType",
    time_in_force: "pendingAboveTimeInForce",
    price: "pendingAbovePrice",
    stop: "pendingAboveStopPrice",
    trailing: "pendingAboveTrailingDelta",
    iceberg: "pendingAboveIcebergQty",
    id: "pendingAboveClientOrderId",
    strategy: "pendingAboveStrategyId",
    strategy_type: "pendingAboveStrategyType",
    peg_type: "pendingAbovePegPriceType",
    peg_offset_type: "pendingAbovePegOffsetType",
    peg_offset: "pendingAbovePegOffsetValue",
};

const PENDING_BELOW: Names = Names {
    kind: "pendingBelowType",
    time_in_force: "pendingBelowTimeInForce",
    price: "pendingBelowPrice",
    stop: "pendingBelowStopPrice",
    trailing: "pendingBelowTrailingDelta",
    iceberg: "pendingBelowIcebergQty",
    id: "pendingBelowClientOrderId",
    strategy: "pendingBelowStrategyId",
    strategy_type: "pendingBelowStrategyType",
    peg_type: "pendingBelowPegPriceType",
    peg_offset_type: "pendingBelowPegOffsetType",
    peg_offset: "pendingBelowPegOffsetValue",
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
    peg_type: "limitPegPriceType",
    peg_offset_type: "limitPegOffsetType",
    peg_offset: "limitPegOffsetValue",
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
    peg_type: "stopPegPriceType",
    peg_offset_type: "stopPegOffsetType",
    peg_offset: "stopPegOffsetValue",
};

const LIST: &[&str] = &["symbol", "listClientOrderId", "newOrderRespType", "selfTradePreventionMode"];
const COMMON: &[&str] = &["side", "quantity"];

/// # Errors
/// The first parameter that is wrong, missing or not wanted.
pub fn oco(ask: Ask, last: Option<Price>, spare: Spare) -> Result<AskedList, Refusal> {
    let ask = ask.only(&[LIST, COMMON, &all(&ABOVE), &all(&BELOW)])?;
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
    let ask = ask.only(&[LIST, COMMON, &known(&LIMIT), &known(&STOP)])?;
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
const DERIVED: [&str; 11] = [
    "limitType",
    "limitTimeInForce",
    "limitStopPrice",
    "limitTrailingDelta",
    "limitPegPriceType",
    "limitPegOffsetType",
    "limitPegOffsetValue",
    "stopType",
    "stopPegPriceType",
    "stopPegOffsetType",
    "stopPegOffsetValue",
];
/// What a working order, which has a limit and no stop, is not asked for.
const NOT_WORKING: [&str; 2] = ["workingStopPrice", "workingTrailingDelta"];

/// An OTO, OTOCO, OPO or OPOCO. Names for what was not named: of the list, and of its orders in turn.
///
/// # Errors
/// The first parameter that is wrong, missing or not wanted.
pub fn then(
    ask: Ask,
    kind: Kind,
    last: Option<Price>,
    spare: [ClientOrderId; 4],
) -> Result<AskedList, Refusal> {
    let working: Vec<_> = all(&WORKING).into_iter().filter(|name| !NOT_WORKING.contains(name)).collect();
    let pending = match kind.has_oco() {
        true => [all(&PENDING_ABOVE), all(&PENDING_BELOW)].concat(),
        false => all(&PENDING),
    };
    let quantities: &[&str] =
        if kind.pays() { &["workingQuantity"] } else { &["workingQuantity", "pendingQuantity"] };
    let ask = ask.only(&[LIST, &["workingSide", "pendingSide"], quantities, &working, &pending])?;
    let [list, first, second, third] = spare;
    let list = ask.id("listClientOrderId")?.unwrap_or(list);
    let sized = |name| Ok::<_, Refusal>(Size::Base(quantity(ask, name)?.ok_or_else(|| missing(name))?));

    let working_type = match Type::read(ask, WORKING.kind)? {
        kind @ (Type::Limit | Type::LimitMaker) => kind,
        _ => return Err(Refusal::new(-1159, "Order type not supported in OTO.")),
    };
    let working_side = side(ask, "workingSide")?;
    let size = sized("workingQuantity")?;
    let working = order(ask, &WORKING, working_type, working_side, size, last, first)?;
    let pending_side = side(ask, "pendingSide")?;
    let size = if kind.pays() { size } else { sized("pendingQuantity")? };
    let stage = if kind.pays() { Stage::Paid } else { Stage::Pending };
    let mut legs = vec![working];
    let pending = if kind.has_oco() {
        let (above, below) = (leg_type(ask, PENDING_ABOVE.kind)?, leg_type(ask, PENDING_BELOW.kind)?);
        let above = order(ask, &PENDING_ABOVE, above, pending_side, size, last, second)?;
        let below = order(ask, &PENDING_BELOW, below, pending_side, size, last, third)?;
        legs.extend([above, below].map(|leg| Asked { stage, ..leg }));
        let request = OrderRequest::Oco(NewOco { list, above: above.order, below: below.order });
        Wanted { owner: Owner::FIRST, request, extras: [above.extras, below.extras] }
    } else {
        let pending = Type::read(ask, PENDING.kind)?;
        let pending = order(ask, &PENDING, pending, pending_side, size, last, second)?;
        legs.push(Asked { stage, ..pending });
        let request = OrderRequest::Single(pending.order);
        Wanted { owner: Owner::FIRST, request, extras: [pending.extras, Extras::default()] }
    };
    if legs.iter().any(|leg| leg.order.id == list) {
        return Err(invalid("listClientOrderId"));
    }
    let detail = detail(ask)?.unwrap_or(Detail::Result);
    let (extras, paid, working) = (working.extras, kind.pays(), working.order);
    let wanted =
        ListWanted::Then(Box::new(WantedList { owner: Owner::FIRST, list, working, extras, pending, paid }));
    Ok(AskedList { wanted, list, legs, detail })
}

fn all(names: &Names) -> Vec<&'static str> {
    let Names { kind, time_in_force, price, stop, trailing, iceberg, id, strategy, strategy_type, .. } =
        *names;
    let Names { peg_type, peg_offset_type, peg_offset, .. } = *names;
    let order = [kind, time_in_force, price, stop, trailing, iceberg, id, strategy, strategy_type];
    [order.as_slice(), &[peg_type, peg_offset_type, peg_offset]].concat()
}

fn common(ask: Ask) -> Result<(Side, Size), Refusal> {
    let side = side(ask, "side")?;
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
    let extras = [above.extras, below.extras];
    let wanted = ListWanted::AtOnce(Box::new(Wanted { owner: Owner::FIRST, request, extras }));
    let legs = legs.to_vec();
    let detail = detail(ask)?.unwrap_or(Detail::Result);
    if list == above.order.id || list == below.order.id {
        return Err(invalid("listClientOrderId"));
    }
    Ok(AskedList { wanted, list, legs, detail })
}
