//! What is bought can be protected and sold again, as far as the venue's rules tell.

use crate::{Limits, refusal::Refusal};
use domain::{
    Decimal, Direction, ExitPlan, InstrumentRules, Price, Quantity,
    exits::{self, Held},
};

/// How much better than the trigger an entry may fill with its exits still asked about: one that fills lower has
/// its stop lower, where it is worth less.
const BETTER: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// What is about to be entered.
pub(crate) struct Entry {
    pub direction: Direction,
    pub trigger: Price,
    /// The worst price.
    pub limit: Price,
    /// The highest of the prices at which it is expected.
    pub highest: Price,
    pub quantity: Quantity,
    /// The part of it that the fee takes.
    pub fee: Decimal,
}

/// Asks for the stop, the take-profit order and the exit at market, of what the entry's fee leaves,
/// with the prices that follow from the best and from the worst entry.
///
/// # Errors
/// The first rule that an exit would break, or too large a part that is no whole lot.
pub(crate) fn check(
    limits: &Limits,
    exit: Option<&ExitPlan>,
    rules: &InstrumentRules,
    entry: &Entry,
) -> Result<(), Refusal> {
    let &Entry { direction, trigger, limit, highest, quantity, fee } = entry;
    let held = exits::after_fee(rules, quantity.get(), fee);
    // The fee may be rounded up piece by piece or not at all: the part that is no whole lot differs.
    let most = quantity.get() - quantity.get().saturating_mul(fee);
    [held, most].into_iter().try_for_each(|held| unsellable(limits, rules, held))?;
    sales(limits, rules, held, highest)?;
    let Some(plan) = exit else { return Ok(()) };
    for entry in [direction.entry().better(trigger.get(), BETTER), limit.get()] {
        let held =
            Held { direction, quantity: held, entry, moved: None, average: entry, raised: Decimal::ZERO };
        let unprotected = |obstacle| Refusal::unprotectable(&obstacle, rules);
        let orders = exits::exit_orders(plan, rules, &held).map_err(unprotected)?;
        // On this side of its stop it may have to be left at any price.
        exits::market_exit(rules, held.quantity, orders.trigger.get()).map_err(unprotected)?;
    }
    Ok(())
}

/// Counts the market orders that leaving takes, at the worst price of the entry: a venue that caps their notional
/// has more of them wanted the higher the price is.
fn sales(limits: &Limits, rules: &InstrumentRules, held: Decimal, price: Price) -> Result<(), Refusal> {
    let Some(most) = limits.max_exit_orders else { return Ok(()) };
    // What cannot be sold at all is told by the rule that is in the way.
    let Ok((orders, largest)) = exits::market_orders(rules, held, price.get()) else { return Ok(()) };
    if orders > most { Err(Refusal::too_many_sales(held, largest, orders, most, rules)) } else { Ok(()) }
}

fn unsellable(limits: &Limits, rules: &InstrumentRules, held: Decimal) -> Result<(), Refusal> {
    let Some(limit) = limits.max_unsellable_ratio else { return Ok(()) };
    let left = exits::unsellable(rules, held);
    let share = left.checked_div(held).unwrap_or(Decimal::ONE);
    if share > limit { Err(Refusal::unsellable(held, left, share, limit, rules)) } else { Ok(()) }
}
