//! Prices as each side sees them, and arithmetic that is exact or says that it is not.

use domain::{Amount, Decimal, InstrumentRules, Price, Side};

/// Whether `price` is worse than `limit` for that side.
pub fn is_beyond(side: Side, limit: Price, price: Price) -> bool {
    match side {
        Side::Buy => price > limit,
        Side::Sell => price < limit,
    }
}

/// The worse of two prices for that side.
pub fn worse(side: Side, one: Price, other: Price) -> Price {
    match side {
        Side::Buy => one.max(other),
        Side::Sell => one.min(other),
    }
}

/// What a taker gets where the market stands at `reference`: slipped, and rounded to the tick
/// against it. `None` for prices too large to be reckoned with.
pub fn slipped(rules: &InstrumentRules, ratio: Decimal, side: Side, reference: Price) -> Option<Price> {
    match side {
        Side::Buy => rules.ceil_price(reference.get().checked_mul(Decimal::ONE + ratio)?),
        Side::Sell => {
            let raw = reference.get().checked_mul(Decimal::ONE - ratio)?;
            rules.floor_price(raw).or_else(|| Price::new(rules.tick_size).ok())
        }
    }
}

/// `a × b` to the last digit, or `None` if 28 digits cannot hold it.
pub fn product(a: Decimal, b: Decimal) -> Option<Amount> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.is_zero() || product.scale() == a.scale() + b.scale()).then(|| product.normalize())
}

/// The most whole steps that `sum` pays for at `price` each; never more than it pays for.
pub fn most_for(sum: Amount, price: Decimal, step: Decimal) -> Amount {
    let Some(raw) = sum.checked_div(price) else { return Amount::ZERO };
    let whole = domain::money::floor_to(raw, step);
    // A quotient is rounded at its 28th digit; what it gives may cost that much too much.
    match whole.checked_mul(price) {
        Some(cost) if cost <= sum => whole.max(Amount::ZERO),
        _ => (whole - step).max(Amount::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn slipped_prices_are_worse_and_on_the_tick() {
        let rules =
            InstrumentRules::open("A".parse().unwrap(), "B".parse().unwrap(), d("0.05"), d("1"), d("0"));
        let at =
            |side, price: &str| slipped(&rules, d("0.0005"), side, price.parse().unwrap()).unwrap().get();
        assert_eq!(at(Side::Buy, "99"), d("99.05"));
        assert_eq!(at(Side::Sell, "99"), d("98.95"));
        assert_eq!(at(Side::Sell, "0.05"), d("0.05"), "nothing is sold for nothing");
    }

    #[test]
    fn a_product_is_exact_or_not_at_all() {
        assert_eq!(product(d("0.00000001"), d("0.00000001")), Some(d("0.0000000000000001")));
        assert_eq!(product(d("1.50"), d("2.0")), Some(d("3")));
        assert_eq!(product(d("12345678901234567.89"), d("1234567890123.45678")), None);
        assert_eq!(product(Decimal::MAX, d("2")), None);
    }

    #[test]
    fn a_sum_never_pays_for_more_than_it_can() {
        assert_eq!(most_for(d("100"), d("3"), d("0.001")), d("33.333"));
        assert_eq!(most_for(d("100"), d("3"), d("10")), d("30"));
        assert_eq!(most_for(d("2"), d("3"), d("1")), d("0"));
        // The quotient is rounded up to 1.
        assert_eq!(most_for(d("2.9999999999999999999999999999"), d("3"), d("1")), d("0"));
    }
}
