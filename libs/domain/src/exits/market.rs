//! Leaving at market: how much one order takes, how many it takes, and what no order can.

use super::{Exit, Obstacle};
use crate::{
    Amount, Breach, Decimal, InstrumentRules, Quantity,
    money::{ceil_to, floor_to},
};

/// How much of the venue's largest notional one sale at market is worth at most.
///
/// The venue judges it at its own average, over `avgPriceMins` (at Binance 5 minutes, or the last price where that
/// is 0; `filters.md`), and we at the last price that we heard. With a tenth of room the sale still passes while the
/// venue's average is up to a ninth above our price. Where the cap bites, the room costs one order more in ten.
const ROOM: Decimal = Decimal::from_parts(9, 0, 0, false, 1);

/// What a market order can sell of `held` now, at about `price`.
///
/// More than one such order may be needed: one sells at most what the venue takes at once, with some room
/// ([`ROOM`]), and leaves nothing that could not be sold by itself.
///
/// # Errors
/// The rule that leaves no room.
pub fn market_exit(rules: &InstrumentRules, held: Amount, price: Decimal) -> Result<Quantity, Obstacle> {
    market_part(rules, held, held, price)
}

/// As [`market_exit`], and at most `most` of it.
///
/// # Errors
/// The rule that leaves no room.
pub fn market_part(
    rules: &InstrumentRules,
    held: Amount,
    most: Amount,
    price: Decimal,
) -> Result<Quantity, Obstacle> {
    let quantity = one_sale(rules, held.min(most), price)?;
    let rest = held - quantity.get();
    if floor_to(rest, rules.market_step()).is_zero() || one_sale(rules, rest, price).is_ok() {
        return Ok(quantity);
    }
    // Two even parts are sold where a large one would leave one that is too small; where the lesser one sells, so does
    // the other.
    Ok(one_sale(rules, (held / Decimal::TWO).min(most), price).unwrap_or(quantity))
}

/// What one market order sells of `held`.
fn one_sale(rules: &InstrumentRules, held: Amount, price: Decimal) -> Result<Quantity, Obstacle> {
    if rules.unlisted.market {
        return Err(Obstacle::not_offered(Exit::Market));
    }
    let capped = match rules.max_notional {
        Some(max) if rules.max_notional_applies_to_market => {
            held.min(max.saturating_mul(ROOM).checked_div(price).unwrap_or(held))
        }
        Some(_) | None => held,
    };
    let least = rules.market_min_quantity.unwrap_or(rules.min_quantity).max(rules.min_quantity);
    let too_little = || Obstacle::new(Exit::Market, Breach::MarketLotSize, held, Some(least));
    let quantity = rules.floor_market_quantity(capped).ok_or_else(too_little)?;
    let notional = quantity.get().saturating_mul(price);
    if rules.min_notional_applies_to_market && notional < rules.min_notional {
        return Err(Obstacle::new(Exit::Market, Breach::Notional, notional, Some(rules.min_notional)));
    }
    Ok(quantity)
}

/// How many market orders, one after the other, sell what can be sold of `held`, at about `price`, and what the
/// first of them sells.
///
/// # Errors
/// The rule that leaves no room for the first.
pub fn market_orders(
    rules: &InstrumentRules,
    held: Amount,
    price: Decimal,
) -> Result<(u32, Quantity), Obstacle> {
    let largest = one_sale(rules, held, price)?;
    let sellable = floor_to(held, rules.market_step());
    let orders = sellable.checked_div(largest.get()).unwrap_or(Decimal::MAX).ceil();
    Ok((u32::try_from(orders).unwrap_or(u32::MAX), largest))
}

/// What of `held` no exit can sell, because it is no whole lot.
pub fn unsellable(rules: &InstrumentRules, held: Amount) -> Amount {
    held - floor_to(held, rules.market_step())
}

/// The least quantity to buy of which a fee in the base asset leaves as many whole lots as it leaves of
/// `quantity`. `fee` is the part of a buy that the fee takes, at most.
pub fn least_for_same_lots(rules: &InstrumentRules, quantity: Quantity, fee: Decimal) -> Quantity {
    let lots = floor_to(after_fee(rules, quantity.get(), fee), rules.market_step());
    if lots <= Decimal::ZERO {
        return quantity;
    }
    let kept = Decimal::ONE - fee;
    let raw = lots.saturating_add(fee_dust(rules, fee)).checked_div(kept).unwrap_or(quantity.get());
    let least = ceil_to(raw, rules.lot_size).normalize();
    let leaves_them = |least: &Quantity| after_fee(rules, least.get(), fee) >= lots && *least <= quantity;
    Quantity::new(least).ok().filter(leaves_them).unwrap_or(quantity)
}

/// What is held at least after a buy of `quantity` whose fee is taken from the base asset.
pub fn after_fee(rules: &InstrumentRules, quantity: Decimal, fee: Decimal) -> Amount {
    let taken = quantity.saturating_mul(fee).saturating_add(fee_dust(rules, fee));
    (quantity - taken).max(Decimal::ZERO)
}

/// What rounding up may add to the fee of an order that fills in a few pieces; nothing where the fee of
/// each lot has no more decimals than the venue keeps.
fn fee_dust(rules: &InstrumentRules, fee: Decimal) -> Amount {
    let precision = rules.base_precision.min(Decimal::MAX_SCALE);
    let of_a_lot = rules.lot_size.saturating_mul(fee).normalize();
    let exact = of_a_lot.scale() <= precision && !rules.lot_size.is_zero();
    if exact { Decimal::ZERO } else { Decimal::new(8, precision) }
}
