//! Prices, quantities and amounts of money: `Decimal` end to end.

use crate::{Decimal, Invalid};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// A sum of some asset, of either sign: a balance, a fee, a profit. Units: that asset.
pub type Amount = Decimal;

macro_rules! positive {
    ($($(#[$doc:meta])* $name:ident $what:literal $most:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub struct $name(Decimal);

        impl $name {
            /// The largest there is: so that a price times a quantity always is a `Decimal`.
            pub const MOST: Decimal = Decimal::from_parts($most as u32, ($most >> 32) as u32, 0, false, 0);

            /// # Errors
            /// Zero, negative, or beyond [`Self::MOST`].
            pub fn new(value: Decimal) -> Result<Self, Invalid> {
                if value <= Decimal::ZERO {
                    Err(Invalid::new($what, value, "must be greater than zero"))
                } else if value > Self::MOST {
                    Err(Invalid::new($what, value, format!("must be at most {}", Self::MOST)))
                } else {
                    Ok(Self(value))
                }
            }
            pub const fn get(self) -> Decimal {
                self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
        impl FromStr for $name {
            type Err = Invalid;
            fn from_str(given: &str) -> Result<Self, Invalid> {
                let value = Decimal::from_str_exact(given)
                    .map_err(|e| Invalid::new($what, given, format!("must be a decimal number ({e})")))?;
                Self::new(value)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                Self::new(<Decimal as Deserialize>::deserialize(d)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

positive! {
    /// Quote asset per one unit of base asset; always positive.
    /// At most 10^11: a coin of a million US dollars costs 2.6 · 10^10 Vietnamese dong.
    Price "price" 100_000_000_000_u64;
    /// An amount of base asset; always positive.
    /// At most 10^17: of the cheapest coins some 10^15 are traded in a week (PEPE at Binance, February 2024:
    /// 1.2 · 10^15).
    Quantity "quantity" 100_000_000_000_000_000_u64;
}

/// `raw` rounded towards zero to a whole number of `step`s, for steps of any size.
/// A step of zero means that there is none.
pub fn floor_to(raw: Decimal, step: Decimal) -> Decimal {
    if step.is_zero() { raw } else { raw - raw % step }
}

/// `raw` rounded away from zero to a whole number of `step`s.
pub fn ceil_to(raw: Decimal, step: Decimal) -> Decimal {
    let floor = floor_to(raw, step);
    let away = if raw.is_sign_negative() { -step } else { step };
    if floor == raw { floor } else { floor + away }
}

/// Decimals to which money is divided: more than any venue's eight, and few enough that sums of
/// such parts never have to be rounded.
pub const DIVISION: u32 = 12;

/// The part of `total` that goes with `part` of `whole`, to [`DIVISION`] decimals; all of it with all of it.
pub fn share(total: Amount, part: Decimal, whole: Decimal) -> Amount {
    if part >= whole {
        return total;
    }
    let exact = total.checked_mul(part).and_then(|product| product.checked_div(whole));
    let ratio = || part.checked_div(whole).unwrap_or_default();
    exact.unwrap_or_else(|| total.saturating_mul(ratio())).round_dp(DIVISION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn rounding_is_right_for_steps_of_any_size() {
        for (raw, step, floor, ceil) in [
            ("1234.9", "10", "1230", "1240"),
            ("1.04", "0.05", "1.00", "1.05"),
            ("0.123456789", "0.00000001", "0.12345678", "0.12345679"),
            ("3", "0", "3", "3"),
            ("0.3", "0.1", "0.3", "0.3"),
            ("7", "3", "6", "9"),
            ("-7", "3", "-6", "-9"),
            ("0", "3", "0", "0"),
        ] {
            assert_eq!(floor_to(d(raw), d(step)), d(floor), "floor of {raw} by {step}");
            assert_eq!(ceil_to(d(raw), d(step)), d(ceil), "ceil of {raw} by {step}");
        }
    }

    #[test]
    fn a_price_is_positive() {
        assert!("0".parse::<Price>().is_err());
        assert!("-1".parse::<Price>().is_err());
        assert!("100000000001".parse::<Price>().unwrap_err().to_string().contains("at most 100000000000"));
        assert!(serde_json::from_str::<Price>("\"0\"").is_err());
        assert_eq!("0.00000001".parse::<Price>().unwrap().to_string(), "0.00000001");
    }

    #[test]
    fn figures_of_the_cheapest_and_the_dearest_coins_are_within_the_bounds() {
        // A week of PEPE; the supply of BTTC a hundred times; a thousandth of the smallest tick of Binance.
        for quantity in ["1176749593025514", "99000000000000000", "0.00000001"] {
            assert!(quantity.parse::<Quantity>().is_ok(), "{quantity}");
        }
        // BTC in Vietnamese dong and in rupiah.
        for price in ["0.00000000001", "2900000000", "26000000000.5"] {
            assert!(price.parse::<Price>().is_ok(), "{price}");
        }
        assert!("100000000000000001".parse::<Quantity>().is_err());
    }

    #[test]
    fn the_sum_of_the_largest_products_is_still_a_number() {
        let largest = Price::MOST.checked_mul(Quantity::MOST).unwrap();
        assert!(largest.checked_mul(Decimal::from(7)).is_some(), "{largest}");
    }

    #[test]
    fn what_is_owed_is_rounded_as_what_is_held() {
        assert_eq!((floor_to(d("-1.04"), d("0.05")), ceil_to(d("-1.04"), d("0.05"))), (d("-1"), d("-1.05")));
    }

    #[test]
    fn parts_get_their_share_and_the_last_one_all_of_it() {
        assert_eq!(share(d("10"), d("1"), d("3")), d("3.333333333333"));
        assert_eq!(share(d("10"), d("3"), d("3")), d("10"));
        assert_eq!(share(d("10"), d("4"), d("3")), d("10"));
        // What cannot be multiplied first is divided first.
        assert_eq!(share(Decimal::MAX, d("5"), d("10")), (Decimal::MAX * d("0.5")).round_dp(DIVISION));
    }
}
