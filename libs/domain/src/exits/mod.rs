//! How a trade is protected and left, and whether the venue takes the orders for it.
//!
//! Sizer and planner ask the same functions: one before it buys, the other once it holds.
//! So what is bought can be protected, as far as the venue's rules tell.

use crate::{
    Amount, Breach, Decimal, Direction, InstrumentRules, OrderKind, Price, Quantity, Side, TimeInForce,
};
mod market;

pub use market::{after_fee, least_for_same_lots, market_exit, market_orders, market_part, unsellable};

use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an order of an exit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// This part of the average entry price away from it.
    Ratio(Decimal),
    Price(Price),
}

impl Level {
    /// Where the price is worse for an exit of that side than an entry at that price.
    pub fn worse(&self, exit: Side, entry: Decimal) -> Decimal {
        match self {
            Self::Ratio(ratio) => exit.worse(entry, *ratio),
            Self::Price(price) => price.get(),
        }
    }

    /// Where it is better.
    pub fn better(&self, exit: Side, entry: Decimal) -> Decimal {
        match self {
            Self::Ratio(ratio) => exit.better(entry, *ratio),
            Self::Price(price) => price.get(),
        }
    }
}

/// The worst price for which a stop trades, as a ratio beyond something: below it for a long trade, above it for a
/// short one. Wide, because a stop that does not fill is no stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopLimit {
    BeyondStop(Decimal),
    /// Beyond the average entry price, and not on the other side of the stop.
    BeyondEntry(Decimal),
}

/// How a trade is protected and left. It travels with the trade: what its edge's configuration says, or else the
/// signal that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitPlan {
    /// What triggers the stop.
    pub stop: Level,
    pub limit: StopLimit,
    /// Where the profit is taken; stop and take-profit are then one-cancels-other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Level>,
    /// The stop follows the market this far behind, as a ratio of its price, and never goes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailing: Option<Decimal>,
    /// So long after its first fill the trade is left at market, whatever it is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_limit_seconds: Option<u64>,
}

impl ExitPlan {
    /// A stop-limit order: triggered at entry × (1 − `stop`), sold for at least
    /// the trigger price × (1 − `limit_below`). Of a short trade each minus is a plus, here and below.
    pub fn stop_limit(stop: Decimal, limit_below: Decimal) -> Self {
        Self {
            stop: Level::Ratio(stop),
            limit: StopLimit::BeyondStop(limit_below),
            take_profit: None,
            trailing: None,
            time_limit_seconds: None,
        }
    }

    /// One-cancels-other: take profit at entry × (1 + `take_profit`); stop at entry × (1 − `stop`)
    /// with its limit at entry × (1 − `stop_limit`).
    pub fn oco(stop: Decimal, stop_limit: Decimal, take_profit: Decimal) -> Self {
        let limit = StopLimit::BeyondEntry(stop_limit);
        Self { limit, take_profit: Some(Level::Ratio(take_profit)), ..Self::stop_limit(stop, stop_limit) }
    }

    /// How far from an entry at that price its stop lies, as a ratio of the entry; 0 for one on the wrong side.
    pub fn stop_ratio(&self, direction: Direction, entry: Decimal) -> Decimal {
        match self.stop {
            Level::Ratio(ratio) => ratio,
            Level::Price(price) => {
                let lost = direction.gain(price.get(), entry);
                lost.checked_div(entry).unwrap_or(Decimal::ZERO).max(Decimal::ZERO)
            }
        }
    }

    /// Whether stop and take-profit are a list at the venue.
    pub fn is_list(&self) -> bool {
        self.take_profit.is_some()
    }

    /// How many orders of the venue's count rest while a trade is protected by it.
    pub fn orders(&self) -> u32 {
        if self.is_list() { 2 } else { 1 }
    }
}

/// What is to be protected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    pub direction: Direction,
    /// Base asset, whichever the direction.
    pub quantity: Amount,
    /// Average entry price.
    pub entry: Decimal,
    /// Where the owner moved the stop to.
    pub moved: Option<Price>,
    /// What is taken for the venue's average price.
    pub average: Decimal,
    /// How far the stop's limit is raised from where the plan puts it towards its trigger, as a ratio:
    /// 0, or more once the venue has refused it there.
    pub raised: Decimal,
}

/// The orders that protect a holding, as the venue's rules allow them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExitOrders {
    /// Whole lots.
    pub quantity: Quantity,
    /// A stop-limit order.
    pub stop: OrderKind,
    /// The stop's trigger price.
    pub trigger: Price,
    /// The take-profit price of an OCO.
    pub take_profit: Option<Price>,
}

/// Which order the venue would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Stop,
    TakeProfit,
    /// The order at market.
    Market,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "its stop",
            Self::TakeProfit => "its take-profit order",
            Self::Market => "its exit at market",
        })
    }
}

/// Why the venue's rules leave no room for an exit: the order, the rule, the figure, the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Obstacle {
    pub exit: Exit,
    /// `None` where the venue does not offer orders of that type for the instrument.
    pub breach: Option<Breach>,
    pub figure: Decimal,
    pub limit: Option<Decimal>,
}

impl Obstacle {
    fn not_offered(exit: Exit) -> Self {
        Self { exit, breach: None, figure: Decimal::ZERO, limit: None }
    }

    fn new(exit: Exit, breach: Breach, figure: Decimal, limit: Option<Decimal>) -> Self {
        Self { exit, breach: Some(breach), figure, limit }
    }
}

/// By how much the venue's average may be beyond what is taken for it, before a raised limit is refused.
const MARGIN: Decimal = Decimal::from_parts(101, 0, 0, false, 2);

/// The orders that protect `held` by `plan`.
///
/// The stop's limit is moved from where the plan puts it to what the rules allow, at most to its
/// trigger: `PRICE_FILTER`, `PERCENT_PRICE(_BY_SIDE)` and the notional, which the venue judges at
/// the limit (Binance's `filters.md`).
///
/// # Errors
/// The first rule that leaves no room.
pub fn exit_orders(plan: &ExitPlan, rules: &InstrumentRules, held: &Held) -> Result<ExitOrders, Obstacle> {
    use Exit::TakeProfit;
    let orders = stop_alone(plan, rules, held)?;
    let take_profit = match plan.take_profit {
        None => None,
        Some(take_profit) => {
            if !rules.oco_allowed || rules.unlisted.limit_maker {
                return Err(Obstacle::not_offered(TakeProfit));
            }
            let side = held.direction.exit();
            let raw = take_profit.better(side, held.entry);
            let bound = match side {
                Side::Sell => rules.max_price,
                Side::Buy => rules.min_price,
            };
            let no_price = || Obstacle::new(TakeProfit, Breach::PriceFilter, raw, bound);
            let price = rules.better_price(side, raw).ok_or_else(no_price)?;
            let order = OrderKind::LimitMaker { price };
            check(rules, TakeProfit, side, &order, orders.quantity, held.average)?;
            Some(price)
        }
    };
    Ok(ExitOrders { take_profit, ..orders })
}

/// The stop of `plan` by itself: what protects where the venue takes no take-profit order beside it.
///
/// # Errors
/// The first rule that leaves no room for the stop.
pub fn stop_alone(plan: &ExitPlan, rules: &InstrumentRules, held: &Held) -> Result<ExitOrders, Obstacle> {
    use Exit::Stop;
    if rules.unlisted.stop_loss_limit {
        return Err(Obstacle::not_offered(Stop));
    }
    let side = held.direction.exit();
    let most = rules.max_quantity.map_or(held.quantity, |max| held.quantity.min(max));
    let quantity = rules
        .floor_quantity(most)
        .ok_or_else(|| Obstacle::new(Stop, Breach::LotSize, most, Some(rules.min_quantity)))?;
    let raw_trigger = held.moved.map_or_else(|| plan.stop.worse(side, held.entry), Price::get);
    let bound = match side {
        Side::Sell => rules.min_price,
        Side::Buy => rules.max_price,
    };
    let no_trigger = || Obstacle::new(Stop, Breach::PriceFilter, raw_trigger, bound);
    let trigger = rules.worse_price(side, raw_trigger).ok_or_else(no_trigger)?;
    let planned = match plan.limit {
        StopLimit::BeyondStop(ratio) => side.worse(trigger.get(), ratio),
        StopLimit::BeyondEntry(ratio) => side.worse_of(side.worse(held.entry, ratio), trigger.get()),
    };
    // Towards the trigger.
    let planned = planned.saturating_add((trigger.get() - planned).saturating_mul(held.raised));
    let limit = stop_limit(rules, held, quantity, trigger, planned)?;
    let stop = OrderKind::StopLossLimit { stop: trigger, price: limit, time_in_force: TimeInForce::Gtc };
    check(rules, Stop, side, &stop, quantity, held.average)?;
    Ok(ExitOrders { quantity, stop, trigger, take_profit: None })
}

/// Where the stop's limit may be, at `planned` or as little nearer to the trigger as the rules want.
fn stop_limit(
    rules: &InstrumentRules,
    held: &Held,
    quantity: Quantity,
    trigger: Price,
    planned: Decimal,
) -> Result<Price, Obstacle> {
    let side = held.direction.exit();
    // The worst prices that the rules take: the least of a sale, the highest of a buy.
    let (price, notional, percent, percent_with_margin) = match side {
        Side::Sell => {
            let percent =
                rules.sell_price_range.map_or(Decimal::ZERO, |range| held.average.saturating_mul(range.down));
            let notional = rules.min_notional / quantity.get();
            (rules.min_price.unwrap_or_default(), notional, percent, percent.saturating_mul(MARGIN))
        }
        Side::Buy => {
            let percent =
                rules.buy_price_range.map_or(Decimal::MAX, |range| held.average.saturating_mul(range.up));
            let notional = rules.max_notional.map_or(Decimal::MAX, |max| max / quantity.get());
            (rules.max_price.unwrap_or(Decimal::MAX), notional, percent, percent / MARGIN)
        }
    };
    let worst = side.better_of(price, notional);
    let within = |worst: Decimal| {
        let as_planned = rules.worse_price(side, planned).filter(|price| !side.is_worse(price.get(), worst));
        as_planned
            .or_else(|| rules.better_price(side, worst))
            .filter(|price| !side.is_worse(trigger.get(), price.get()))
    };
    let limit =
        within(side.better_of(worst, percent_with_margin)).or_else(|| within(side.better_of(worst, percent)));
    limit.ok_or_else(|| {
        let trigger = trigger.get();
        let obstacle = |breach, figure, limit| Obstacle::new(Exit::Stop, breach, figure, Some(limit));
        if side.is_worse(trigger, percent) {
            obstacle(Breach::PercentPrice, trigger, percent)
        } else if side.is_worse(trigger, notional) {
            let bound = match side {
                Side::Sell => rules.min_notional,
                Side::Buy => rules.max_notional.unwrap_or_default(),
            };
            obstacle(Breach::Notional, trigger.saturating_mul(quantity.get()), bound)
        } else {
            obstacle(Breach::PriceFilter, trigger, worst)
        }
    })
}

fn check(
    rules: &InstrumentRules,
    exit: Exit,
    side: Side,
    kind: &OrderKind,
    quantity: Quantity,
    average: Decimal,
) -> Result<(), Obstacle> {
    let quantity = quantity.get();
    rules.check(side, kind, quantity, Some(average)).map_err(|breach| {
        let price = kind.limit().or(kind.stop()).map_or(average, Price::get);
        let notional = quantity.saturating_mul(price);
        let range = rules.price_range(side);
        let (figure, limit) = match breach {
            Breach::PriceFilter => (price, rules.max_price.filter(|max| price > *max).or(rules.min_price)),
            Breach::PercentPrice => (
                price,
                range
                    .map(|range| average.saturating_mul(if price < average { range.down } else { range.up })),
            ),
            Breach::LotSize => (quantity, rules.max_quantity),
            Breach::MarketLotSize => (quantity, rules.market_max_quantity),
            Breach::Notional if notional < rules.min_notional => (notional, Some(rules.min_notional)),
            Breach::Notional => (notional, rules.max_notional),
            Breach::MaxNumOrders | Breach::MaxNumAlgoOrders | Breach::MaxPosition => (quantity, None),
        };
        Obstacle::new(exit, breach, figure, limit)
    })
}

#[cfg(test)]
mod tests;
