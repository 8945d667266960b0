//! Placing and canceling orders (Binance's `rest-api.md`, "Trading endpoints").

use super::{Call, Cost, Method};
use crate::{frame::venue_client_order, params::Params};
use domain::{
    ClientOrderId, NewOco, NewOrder, OrderKind, OrderRequest, PositionSide, Side, Size, Symbol, TimeInForce,
};
use thiserror::Error;

/// Why a request cannot be put into Binance's words. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    #[error(
        "the order {0} is for the long or short side of a hedged position; spot accounts know only `net`"
    )]
    Hedged(ClientOrderId),
    #[error("the order {0} gives its size in the quote asset; only a market order may")]
    QuoteSize(ClientOrderId),
    #[error(
        "the two orders of the list {0} differ in side or size; one cancels the other, so they must agree"
    )]
    Uneven(ClientOrderId),
    #[error("the order {0} is a {1}, which an OCO cannot hold; use a limit maker, a stop or a take-profit")]
    NoLeg(ClientOrderId, &'static str),
}

/// A single order (`POST /api/v3/order`) or an OCO (`POST /api/v3/orderList/oco`), with the fullest answer.
/// Served first if all of it reduces a position.
///
/// # Errors
/// Something that Binance spot has no words for.
pub fn place(symbol: Symbol, request: &OrderRequest) -> Result<Call, RequestError> {
    let protective = request.orders().all(|order| order.reduce_only);
    let call = match request {
        OrderRequest::Single(order) => single(symbol, order)?,
        OrderRequest::Oco(oco) => list(symbol, oco)?,
    };
    Ok(if protective { call.protective() } else { call })
}

fn single(symbol: Symbol, order: &NewOrder) -> Result<Call, RequestError> {
    let params = Params::default().with("symbol", symbol.as_str());
    let params = new_order(params, order)?.with("newOrderRespType", "FULL");
    Ok(Call::signed(Method::Post, "/api/v3/order", "order.place", 1).params(params).orders(1))
}

fn list(symbol: Symbol, oco: &NewOco) -> Result<Call, RequestError> {
    let NewOco { list, above, below } = oco;
    if above.side != below.side || above.size != below.size {
        return Err(RequestError::Uneven(*list));
    }
    let Size::Base(quantity) = above.size else { return Err(RequestError::QuoteSize(above.id)) };
    let params = Params::default()
        .with("symbol", symbol.as_str())
        .with("listClientOrderId", venue_client_order(*list))
        .with("side", side(above.side))
        .with("quantity", quantity.to_string());
    let params = leg(params, above, &ABOVE)?;
    let params = leg(params, below, &BELOW)?.with("newOrderRespType", "FULL");
    Ok(Call::signed(Method::Post, "/api/v3/orderList/oco", "orderList.place.oco", 1).params(params).orders(2))
}

/// What a leg's parameters are called: type, id, price, stop price, time in force.
type LegNames = [&'static str; 5];
const ABOVE: LegNames =
    ["aboveType", "aboveClientOrderId", "abovePrice", "aboveStopPrice", "aboveTimeInForce"];
const BELOW: LegNames =
    ["belowType", "belowClientOrderId", "belowPrice", "belowStopPrice", "belowTimeInForce"];

fn leg(params: Params, order: &NewOrder, names: &LegNames) -> Result<Params, RequestError> {
    net(order)?;
    let [kind, id, price, stop, time_in_force] = *names;
    match order.kind {
        OrderKind::Market | OrderKind::Limit { .. } => {
            return Err(RequestError::NoLeg(order.id, order.kind.name()));
        }
        OrderKind::LimitMaker { .. }
        | OrderKind::StopLoss { .. }
        | OrderKind::StopLossLimit { .. }
        | OrderKind::TakeProfit { .. }
        | OrderKind::TakeProfitLimit { .. } => {}
    }
    Ok(params
        .with(kind, order.kind.name())
        .with(id, venue_client_order(order.id))
        .maybe(price, order.kind.limit().map(|price| price.to_string()))
        .maybe(stop, order.kind.stop().map(|price| price.to_string()))
        .maybe(time_in_force, time_in_force_of(&order.kind)))
}

fn new_order(params: Params, order: &NewOrder) -> Result<Params, RequestError> {
    net(order)?;
    let params = params
        .with("side", side(order.side))
        .with("type", order.kind.name())
        .maybe("timeInForce", time_in_force_of(&order.kind));
    let params = match (order.size, order.kind) {
        (Size::Base(quantity), _) => params.with("quantity", quantity.to_string()),
        (Size::Quote(amount), OrderKind::Market) => params.with("quoteOrderQty", amount.to_string()),
        (Size::Quote(_), _) => return Err(RequestError::QuoteSize(order.id)),
    };
    Ok(params
        .maybe("price", order.kind.limit().map(|price| price.to_string()))
        .with("newClientOrderId", venue_client_order(order.id))
        .maybe("stopPrice", order.kind.stop().map(|price| price.to_string())))
}

/// `reduce_only` is ours alone: on spot nothing can be sold that is not there.
fn net(order: &NewOrder) -> Result<(), RequestError> {
    match order.position_side {
        PositionSide::Net => Ok(()),
        PositionSide::Long | PositionSide::Short => Err(RequestError::Hedged(order.id)),
    }
}

/// Cancels an order; one of an OCO takes its twin along.
pub fn cancel(symbol: Symbol, order: ClientOrderId) -> Call {
    let params = by_symbol(symbol).with("origClientOrderId", venue_client_order(order));
    Call::signed(Method::Delete, "/api/v3/order", "order.cancel", 1).params(params).protective()
}

/// The same by the venue's number, whatever client id it has by now.
pub fn cancel_by_number(symbol: Symbol, order: i64) -> Call {
    let params = by_symbol(symbol).with("orderId", order);
    Call::signed(Method::Delete, "/api/v3/order", "order.cancel", 1).params(params).protective()
}

pub(super) fn by_symbol(symbol: Symbol) -> Params {
    Params::default().with("symbol", symbol.as_str())
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// Of those kinds that have one: Binance refuses it on the others.
fn time_in_force_of(kind: &OrderKind) -> Option<&'static str> {
    let time_in_force = match kind {
        OrderKind::Limit { time_in_force, .. }
        | OrderKind::StopLossLimit { time_in_force, .. }
        | OrderKind::TakeProfitLimit { time_in_force, .. } => time_in_force,
        OrderKind::Market
        | OrderKind::LimitMaker { .. }
        | OrderKind::StopLoss { .. }
        | OrderKind::TakeProfit { .. } => return None,
    };
    Some(match time_in_force {
        TimeInForce::Gtc => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    })
}

impl Call {
    fn orders(self, orders: u32) -> Self {
        Self { cost: Cost { orders, ..self.cost }, ..self }
    }
}
