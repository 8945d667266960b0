//! The arithmetic: from a budget to a quantity that the venue takes.

use crate::{EdgeRules, Limits, Method, Terms, refusal::Refusal};
use domain::{
    Asset, Decimal, Direction, EntryPlan, InstrumentRules, OrderKind, Price, Quantity, Side, TimeInForce,
};
use events::SizingMethod;

/// What a trade may spend, in the quote asset, fees apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    pub method: SizingMethod,
    pub equity: Decimal,
    pub cash: Decimal,
    pub quote: Decimal,
}

/// The money for one trade.
///
/// Risk: `equity × max_loss / stop`, so that hitting the stop loses `max_loss` of the equity, capped by
/// `max_trade`, `max_quote` and the cash; without a stop, or with one at the entry, the whole equity is taken for the
/// first term. `stop_ratio` is how far from the worst entry the stop lies.
/// Fixed: the amount, never less.
pub(crate) fn budget(
    terms: &Terms,
    quote_asset: &Asset,
    edge: &EdgeRules,
    stop_ratio: Option<Decimal>,
    valued: Option<Decimal>,
    cash: Decimal,
) -> Result<Budget, Refusal> {
    match edge.method {
        Method::Fixed { quote } => {
            let needed = terms.with_fee(quote);
            if cash < needed {
                return Err(Refusal::cash(cash, needed, quote_asset));
            }
            let equity = valued.unwrap_or(cash);
            Ok(Budget { method: SizingMethod::Fixed, equity, cash, quote })
        }
        Method::Risk { max_loss_ratio, max_quote } => {
            let equity = valued.ok_or_else(Refusal::no_valuation)?;
            let part = part_of_equity(max_loss_ratio, stop_ratio, &terms.limits);
            let wanted = equity.saturating_mul(part).min(max_quote.unwrap_or(Decimal::MAX));
            if cash <= Decimal::ZERO {
                return Err(Refusal::cash(cash, wanted, quote_asset));
            }
            let affordable = without_fee(terms, cash);
            Ok(Budget { method: SizingMethod::Risk, equity, cash, quote: wanted.min(affordable) })
        }
    }
}

fn part_of_equity(max_loss: Decimal, stop: Option<Decimal>, limits: &Limits) -> Decimal {
    let by_stop = stop.and_then(|stop| max_loss.checked_div(stop)).unwrap_or(Decimal::ONE);
    by_stop.min(limits.max_trade_ratio.unwrap_or(Decimal::MAX))
}

/// The notional whose cost, its fee included, is `cash`.
fn without_fee(terms: &Terms, cash: Decimal) -> Decimal {
    let factor = Decimal::ONE.saturating_add(terms.entry_fee_ratio);
    cash.checked_div(factor).unwrap_or(Decimal::ZERO)
}

/// The worst price at which to enter: never beyond the allowed slippage.
pub(crate) fn limit_price(
    edge: &EdgeRules,
    rules: &InstrumentRules,
    direction: Direction,
    trigger: Price,
) -> Result<Price, Refusal> {
    let side = direction.entry();
    let raw = side.worse(trigger.get(), edge.slippage_ratio);
    rules.better_price(side, raw).ok_or_else(|| Refusal::no_price(raw, rules))
}

/// As many whole lots as the budget pays for at that price.
pub(crate) fn quantity(
    terms: &Terms,
    rules: &InstrumentRules,
    budget: &Budget,
    price: Price,
) -> Result<Quantity, Refusal> {
    let raw = budget.quote.checked_div(price.get()).unwrap_or(Decimal::ZERO);
    let floored = rules.floor_quantity(raw).ok_or_else(|| Refusal::too_little(raw, rules))?;
    if fits(terms, budget, price, floored.get()) {
        return Ok(floored);
    }
    // The quotient's last digit was rounded up, and with it the lots.
    let less = floored.get().saturating_sub(rules.lot_size);
    rules.floor_quantity(less).ok_or_else(|| Refusal::too_little(raw, rules))
}

fn fits(terms: &Terms, budget: &Budget, price: Price, quantity: Decimal) -> bool {
    let notional = quantity.saturating_mul(price.get());
    notional <= budget.quote && terms.with_fee(notional) <= budget.cash
}

/// The order that enters.
pub(crate) fn order(plan: EntryPlan, limit: Price) -> OrderKind {
    match plan {
        EntryPlan::Market => OrderKind::Market,
        EntryPlan::LimitIoc | EntryPlan::Maker { .. } => {
            OrderKind::Limit { price: limit, time_in_force: TimeInForce::Ioc }
        }
    }
}

/// A market order keeps lots of its own.
pub(crate) fn at_market(
    rules: &InstrumentRules,
    order: &OrderKind,
    quantity: Quantity,
) -> Result<Quantity, Refusal> {
    let raw = quantity.get();
    match order.limit() {
        Some(_) => Ok(quantity),
        None => rules.floor_market_quantity(raw).ok_or_else(|| Refusal::too_little(raw, rules)),
    }
}

/// Checks the entry order as the venue will, with the trigger as its reference price.
pub(crate) fn check(
    rules: &InstrumentRules,
    side: Side,
    order: &OrderKind,
    trigger: Price,
    limit: Price,
    quantity: Quantity,
    held: Decimal,
) -> Result<(), Refusal> {
    let quantity = quantity.get();
    let notional = quantity.saturating_mul(limit.get());
    if notional < rules.min_notional {
        return Err(Refusal::min_notional(notional, rules));
    }
    rules
        .check(side, order, quantity, Some(trigger.get()))
        .map_err(|breach| Refusal::filter(breach, rules, side, trigger, quantity, limit))?;
    let would_be = held.saturating_add(quantity);
    match rules.max_position {
        Some(max) if side == Side::Buy && would_be > max => Err(Refusal::max_position(would_be, max)),
        _ => Ok(()),
    }
}
