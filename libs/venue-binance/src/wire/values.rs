//! The values that Binance writes: text, decimals in quotes, times in milliseconds or microseconds.

use domain::{Decimal, Timestamp};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, ops::Deref};

/// A text, borrowed from the frame unless it was written with escapes. A number or a truth value is taken as
/// it reads: most texts are kept for their own sake, and must not make a frame unreadable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

/// A decimal, written in quotes or as a whole number, without the zeros behind its last digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Number(pub Decimal);

/// A time, in milliseconds or, where the connection was opened so, in microseconds.
///
/// Which of the two is told by its size: 10¹⁴ ms lie in the year 5138, 10¹⁴ µs in 1973.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(pub Timestamp);

/// A part of a frame, kept as it was written.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Raw<'a>(#[serde(borrow)] &'a RawValue);

impl<'a> Raw<'a> {
    pub fn bytes(self) -> &'a [u8] {
        self.0.get().as_bytes()
    }
}

impl PartialEq for Raw<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

const FIRST_IN_MICROSECONDS: i64 = 100_000_000_000_000;

impl Stamp {
    /// To the millisecond: one fact reaches us over connections of either unit, and must be the same.
    pub fn to_the_millisecond(self) -> Timestamp {
        Timestamp::from_millis(self.0.millis())
    }

    /// `None` before 1970 and after 9999.
    pub fn read(raw: i64) -> Option<Self> {
        let micros = if raw < FIRST_IN_MICROSECONDS { raw.checked_mul(1_000)? } else { raw };
        let known = 0..=Timestamp::MAX.micros();
        known.contains(&micros).then(|| Self(Timestamp::from_micros(micros)))
    }
}

impl Number {
    /// `None` for what is no decimal number, or has more digits than one can hold.
    pub fn read(text: &str) -> Option<Self> {
        match short(text.as_bytes()) {
            Some(value) => Some(Self(value)),
            None => Decimal::from_str_exact(text).ok().map(|value| Self(value.normalize())),
        }
    }
}

/// The usual case, without the detours of the general one: plain digits that fit an `i64`.
fn short(text: &[u8]) -> Option<Decimal> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let (mut value, mut scale, mut count, mut zeros) = (0_i64, 0_u32, 0_u32, 0_u32);
    let mut after_point = false;
    for &byte in digits {
        match byte {
            // Zeros behind the point count only if a digit follows.
            b'0' if after_point => zeros += 1,
            b'0'..=b'9' => {
                for _ in 0..=zeros {
                    value = value.checked_mul(10)?;
                }
                value = value.checked_add(i64::from(byte - b'0'))?;
                if after_point {
                    scale += zeros + 1;
                }
                zeros = 0;
            }
            b'.' if !after_point && count > 0 => after_point = true,
            _ => return None,
        }
        count += 1;
    }
    if count == 0 || scale > 18 || digits.last() == Some(&b'.') {
        return None;
    }
    Some(Decimal::new(if negative { -value } else { value }, scale))
}

impl Deref for Text<'_> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> de::Visitor<'de> for Reader {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: de::Error>(self, given: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(given))
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(given.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, given: i64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(given.to_string()))
            }
            fn visit_u64<E: de::Error>(self, given: u64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(given.to_string()))
            }
            fn visit_f64<E: de::Error>(self, given: f64) -> Result<Self::Value, E> {
                Ok(Cow::Owned(given.to_string()))
            }
            fn visit_bool<E: de::Error>(self, given: bool) -> Result<Self::Value, E> {
                Ok(Cow::Owned(given.to_string()))
            }
        }
        from.deserialize_any(Reader).map(Self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal number in quotes")
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Number, E> {
                Number::read(given).ok_or_else(|| E::invalid_value(de::Unexpected::Str(given), &self))
            }
            fn visit_u64<E: de::Error>(self, given: u64) -> Result<Number, E> {
                Ok(Number(given.into()))
            }
            fn visit_i64<E: de::Error>(self, given: i64) -> Result<Number, E> {
                Ok(Number(given.into()))
            }
        }
        // By the value itself: in quotes as a rule.
        from.deserialize_any(Reader)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Stamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time from 1970 to 9999, in milliseconds or microseconds")
            }
            fn visit_i64<E: de::Error>(self, given: i64) -> Result<Stamp, E> {
                Stamp::read(given).ok_or_else(|| E::invalid_value(de::Unexpected::Signed(given), &self))
            }
            fn visit_u64<E: de::Error>(self, given: u64) -> Result<Stamp, E> {
                let wrong = || E::invalid_value(de::Unexpected::Unsigned(given), &self);
                i64::try_from(given).ok().and_then(Stamp::read).ok_or_else(wrong)
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Stamp, E> {
                let wrong = || E::invalid_value(de::Unexpected::Str(given), &self);
                given.parse().ok().and_then(Stamp::read).ok_or_else(wrong)
            }
        }
        from.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_and_without_idle_zeros() {
        for (given, kept) in [
            ("1.00000000", "1"),
            ("0.00100000", "0.001"),
            ("100", "100"),
            ("-0.50", "-0.5"),
            ("0.00000000", "0"),
            ("92233720368.54775807", "92233720368.54775807"),
            ("0.0000000000000000001", "0.0000000000000000001"),
            ("1000000000000.123456780", "1000000000000.12345678"),
        ] {
            let read = Number::read(given).unwrap_or_else(|| panic!("{given} is not read"));
            assert_eq!(read.0.to_string(), kept);
        }
        for wrong in [
            "",
            "-",
            ".",
            ".5.",
            "1e5",
            "NaN",
            " 1",
            "1 ",
            "0x1",
            "1.2.3",
            "123456789012345678901234567890123",
        ] {
            assert_eq!(Number::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_told_apart_by_their_size() {
        let millis = Stamp::read(1_499_405_658_658).unwrap();
        let micros = Stamp::read(1_499_405_658_658_999).unwrap();
        assert_eq!(millis.0.to_string(), "2017-07-07T05:34:18.658Z");
        assert_eq!(micros.0.to_string(), "2017-07-07T05:34:18.658999Z");
        assert_eq!(micros.to_the_millisecond(), millis.0);
        assert_eq!((Stamp::read(-1), Stamp::read(i64::MAX)), (None, None));
    }
}
