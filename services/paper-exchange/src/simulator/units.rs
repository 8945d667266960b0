//! Prices and quantities as whole numbers of 10⁻⁸, as Binance counts and writes them.

use domain::{Decimal, Price, Quantity};

pub const ONE: u64 = 100_000_000;
const DECIMALS: u32 = 8;
/// Units in one of a number's last decimal, by how many decimals it has.
const TENS: [i64; 9] = [100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// Rounded down; `None` for what is negative or beyond 9.2 · 10¹⁰, so that it also is an `i64`.
pub fn units(value: Decimal) -> Option<u64> {
    let (mantissa, scale) = (value.mantissa(), value.scale() as usize);
    // Nearly all have eight decimals or fewer, and fit.
    if let (Ok(small), Some(ten)) = (i64::try_from(mantissa), TENS.get(scale)) {
        return small.checked_mul(*ten).and_then(|units| u64::try_from(units).ok());
    }
    let scaled = match DECIMALS.checked_sub(value.scale()) {
        Some(missing) => mantissa.checked_mul(10_i128.pow(missing))?,
        None => mantissa / 10_i128.checked_pow(value.scale() - DECIMALS)?,
    };
    i64::try_from(scaled).ok().and_then(|units| u64::try_from(units).ok())
}

/// As [`units`], of a sum that may be greater.
pub fn sum_units(value: Decimal) -> Option<u128> {
    let whole = u128::try_from(value.trunc().mantissa()).ok()?;
    let part = units(value.fract())?;
    Some(whole * u128::from(ONE) + u128::from(part))
}

/// `None` for nothing, and for what no price can be.
pub fn price(units: u64) -> Option<Price> {
    Price::new(decimal(units)).ok()
}

/// `None` for nothing.
pub fn quantity(units: u64) -> Option<Quantity> {
    Quantity::new(decimal(units)).ok()
}

pub fn decimal(units: u64) -> Decimal {
    // Trailing zeros cost time wherever the number goes; most prices and lots have at least two.
    let (mut value, mut scale) = (units, DECIMALS);
    while scale >= 2 && value.is_multiple_of(100) {
        (value, scale) = (value / 100, scale - 2);
    }
    if scale >= 1 && value.is_multiple_of(10) {
        (value, scale) = (value / 10, scale - 1);
    }
    Decimal::from_i128_with_scale(value.into(), scale)
}

/// With eight decimals, as Binance writes it.
pub fn text(units: impl Into<u128>) -> String {
    let (units, one) = (units.into(), u128::from(ONE));
    // Nearly all fit in half the width, where division is a single instruction.
    match u64::try_from(units) {
        Ok(small) => format!("{}.{:08}", small / ONE, small % ONE),
        Err(_) => format!("{}.{:08}", units / one, units % one),
    }
}

/// As [`text`], at the end of another one; deep books have tens of thousands of them.
pub fn push_text(to: &mut String, units: u64) {
    const POINT: usize = DECIMALS as usize;
    // The twenty digits of the largest number, and the point.
    let mut digits = [b'0'; 21];
    let (mut place, mut rest, mut written) = (digits.len(), units, 0);
    while written <= POINT || rest > 0 {
        if written == POINT {
            place -= 1;
            digits[place] = b'.';
        }
        place -= 1;
        digits[place] += (rest % 10) as u8;
        rest /= 10;
        written += 1;
    }
    to.push_str(str::from_utf8(&digits[place..]).unwrap_or_default());
}

/// A difference.
pub fn signed_text(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    format!("{sign}{}", text(units.unsigned_abs()))
}

/// A sum of prices times quantities (in 10⁻¹⁶), rounded down to eight decimals.
pub fn notional_text(notional: u128) -> String {
    text(notional / u128::from(ONE))
}

/// The average price of a quantity and its notional, in units; 0 of nothing.
pub fn average(notional: u128, volume: u128) -> u128 {
    notional.checked_div(volume).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_with_eight_decimals() {
        let units = |text: &str| units(text.parse().unwrap());
        assert_eq!(units("61737.63"), Some(6_173_763_000_000));
        assert_eq!(units("0.000000019"), Some(1));
        assert_eq!(units("-1"), None);
        assert_eq!(units("1000000000000"), None);
        assert_eq!(text(150_000_001_u64), "1.50000001");
        assert_eq!(signed_text(-5), "-0.00000005");
        for units in [0, 1, ONE - 1, ONE, 10 * ONE, 123_456_789_012, u64::MAX] {
            let mut pushed = "~".to_owned();
            push_text(&mut pushed, units);
            assert_eq!(pushed, format!("~{}", text(units)));
        }
        assert_eq!(sum_units("1000000000000.5".parse().unwrap()), Some(100_000_000_000_050_000_000));
        assert_eq!(price(6_173_763_000_000).unwrap().to_string(), "61737.63");
        assert_eq!(quantity(1_000_000_000).unwrap().to_string(), "10");
        assert_eq!(quantity(0), None);
        assert_eq!(notional_text(u128::from(ONE) * 3), "0.00000003");
    }
}
