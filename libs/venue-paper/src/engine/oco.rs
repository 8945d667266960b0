//! What makes two orders an OCO (Binance's `rest-api.md`, "New Order list - OCO").

use super::{Refusal, admission::would_trigger};
use domain::{InstrumentRules, NewOco, NewOrder, OrderKind, Price, Side};
use events::Rejection;

/// What a leg may be.
#[derive(PartialEq, Eq)]
enum Role {
    /// `LIMIT_MAKER`
    Maker,
    TakeProfit,
    StopLoss,
}

/// Types and sides; prices are looked at by [`check_prices`].
pub fn check_shape(rules: &InstrumentRules, oco: &NewOco) -> Result<(), Refusal> {
    if !rules.oco_allowed {
        return refuse(-1013, "OCO orders are not supported for this symbol");
    }
    if oco.above.side != oco.below.side || oco.above.size != oco.below.size {
        return Err(Refusal::unnumbered("both legs of an OCO must have the same side and quantity"));
    }
    let (Some(above), Some(below)) = (role(&oco.above), role(&oco.below)) else {
        return refuse(-1158, "Order type not supported in OCO.");
    };
    if above != Role::StopLoss && below != Role::StopLoss {
        return refuse(-1168, "At least one OCO order must be contingent.");
    }
    match oco.above.side {
        Side::Sell => match (above, below) {
            (Role::Maker | Role::TakeProfit, Role::StopLoss) => Ok(()),
            (_, Role::Maker) => refuse(-1166, "A limit order in a sell OCO must be above."),
            (_, Role::TakeProfit) => refuse(-1199, "A take profit order in a sell OCO must be above."),
            (Role::StopLoss, Role::StopLoss) => {
                refuse(-1197, "A stop loss order in a sell OCO must be below.")
            }
        },
        Side::Buy => match (above, below) {
            (Role::StopLoss, Role::Maker | Role::TakeProfit) => Ok(()),
            (Role::Maker, _) => refuse(-1165, "A limit order in a buy OCO must be below."),
            (Role::TakeProfit, _) => refuse(-1198, "A take profit order in a buy OCO must be below."),
            (Role::StopLoss, Role::StopLoss) => {
                refuse(-1196, "A stop loss order in a buy OCO must be above.")
            }
        },
    }
}

/// The market must stand between the legs, above and below; where it is unknown, one leg must at least be above the other.
/// Where a leg's trigger `follows` the market, it cannot stand on the wrong side of it.
pub fn check_prices(last: Option<Price>, kinds: [&OrderKind; 2], follows: [bool; 2]) -> Result<(), Refusal> {
    let [above, below] = kinds;
    let above = reached_at(above).filter(|_| !follows[0]);
    let below = reached_at(below).filter(|_| !follows[1]);
    const TEXT: &str = "The relationship of the prices for the orders is not correct.";
    if above.zip(below).is_some_and(|(above, below)| above <= below) {
        return Err(would_trigger(TEXT));
    }
    match last {
        Some(last) if above.is_some_and(|a| last >= a) || below.is_some_and(|b| last <= b) => {
            Err(would_trigger(TEXT))
        }
        _ => Ok(()),
    }
}

fn role(order: &NewOrder) -> Option<Role> {
    match order.kind {
        OrderKind::LimitMaker { .. } => Some(Role::Maker),
        OrderKind::TakeProfit { .. } | OrderKind::TakeProfitLimit { .. } => Some(Role::TakeProfit),
        OrderKind::StopLoss { .. } | OrderKind::StopLossLimit { .. } => Some(Role::StopLoss),
        OrderKind::Market | OrderKind::Limit { .. } => None,
    }
}

/// The price at which a leg comes to life.
fn reached_at(kind: &OrderKind) -> Option<Price> {
    kind.stop().or(kind.limit())
}

fn refuse(code: i64, text: &str) -> Result<(), Refusal> {
    Err(Refusal::new(Rejection::Other, code, text))
}
