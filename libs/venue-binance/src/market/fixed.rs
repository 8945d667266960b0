//! Amounts in units of 10⁻⁸, as Binance itself counts.

use domain::Decimal;
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// A price or an amount, not negative, in units of 10⁻⁸: the ticks of a book.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fixed(pub u64);

const DECIMALS: u32 = 8;
const ONE: u64 = 100_000_000;

impl Fixed {
    pub const ZERO: Self = Self(0);

    /// `None` for what is no plain decimal number, has more than eight decimals, or is beyond 1.8 · 10¹¹.
    pub fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if whole.is_empty() || text.ends_with('.') {
            return None;
        }
        let (part, rest) = part.split_at_checked(DECIMALS as usize).unwrap_or((part, ""));
        if rest.bytes().any(|digit| digit != b'0') {
            return None;
        }
        let missing = 10_u64.pow(DECIMALS - part.len() as u32);
        let whole = digits(whole)?.checked_mul(ONE)?;
        whole.checked_add(digits(part)? * missing).map(Self)
    }

    pub fn decimal(self) -> Decimal {
        Decimal::from_i128_with_scale(self.0.into(), DECIMALS).normalize()
    }
}

/// At most nineteen digits; none is zero.
fn digits(text: &str) -> Option<u64> {
    text.bytes().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// With eight decimals, as Binance writes it.
impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:08}", self.0 / ONE, self.0 % ONE)
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for Fixed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Fixed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in quotes, with at most eight decimals")
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Fixed, E> {
                Fixed::read(given).ok_or_else(|| E::invalid_value(de::Unexpected::Str(given), &self))
            }
        }
        from.deserialize_str(Reader)
    }
}

/// As [`Fixed`]; an amount beyond it is taken as the largest that there is, so that one wall of a cheap coin
/// does not make a book unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Capped(pub Fixed);

impl Capped {
    fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let large = || (plain(whole) && plain(part) && whole.len() >= 12).then_some(Fixed(u64::MAX));
        Fixed::read(text).or_else(large).map(Self)
    }
}

impl<'de> Deserialize<'de> for Capped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Capped;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in quotes, with at most eight decimals")
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Capped, E> {
                Capped::read(given).ok_or_else(|| E::invalid_value(de::Unexpected::Str(given), &self))
            }
        }
        from.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (given, units) in [
            ("61737.63000000", 6_173_763_000_000),
            ("0.00000001", 1),
            ("0", 0),
            ("10", 1_000_000_000),
            ("1.5", 150_000_000),
            ("1.5000000000", 150_000_000),
            ("92233720368.54775807", 9_223_372_036_854_775_807),
        ] {
            assert_eq!(Fixed::read(given), Some(Fixed(units)), "{given}");
        }
        for wrong in ["", ".5", "1.", "-1", "1e5", "0.000000001", "999999999999", "1.2.3", " 1", "１"] {
            assert_eq!(Fixed::read(wrong), None, "{wrong}");
        }
        for (given, units) in
            [("10", Some(1_000_000_000)), ("999999999999", Some(u64::MAX)), ("1e12", None), ("", None)]
        {
            assert_eq!(Capped::read(given), units.map(|units| Capped(Fixed(units))), "{given}");
        }
        assert_eq!(Fixed(150_000_001).to_string(), "1.50000001");
        assert_eq!(Fixed(150_000_000).decimal().to_string(), "1.5");
    }
}
