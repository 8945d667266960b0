//! One line of a candle file, read without allocation or floats.

use domain::{Decimal, Price, Timestamp};

/// The columns of a row that needs no header, in this order; what follows them is ignored.
pub const COLUMNS: [&str; 6] = ["open_time", "open", "high", "low", "close", "volume"];

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    pub open_time: Timestamp,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    pub volume: Decimal,
}

impl Row {
    /// Reads the usual case: whole milliseconds or microseconds and short decimals, between commas.
    /// `None` of everything else, right or wrong: [`crate::layout`] reads that, or says what is wrong with it.
    #[inline]
    pub fn plain(line: &[u8]) -> Option<Self> {
        let mut rest = line;
        // Fields are evaluated in the order written here, which is the order of the columns.
        Some(Self {
            open_time: time(&mut rest)?,
            open: price(&mut rest)?,
            high: price(&mut rest)?,
            low: price(&mut rest)?,
            close: price(&mut rest)?,
            volume: number(&mut rest)?,
        })
    }
}

pub fn count_columns(line: &[u8]) -> usize {
    // Sums of bytes, so that the compiler can count sixteen at once.
    let commas = |part: &[u8]| part.iter().fold(0_u8, |sum, byte| sum + u8::from(*byte == b','));
    1 + line.chunks(usize::from(u8::MAX)).map(|part| usize::from(commas(part))).sum::<usize>()
}

/// Milliseconds or microseconds since 1970, told apart by their size: 10^14 ms lie in the year 5138,
/// 10^14 µs in 1973.
#[inline(always)]
fn time(rest: &mut &[u8]) -> Option<Timestamp> {
    let (value, length) = plain_integer(rest)?;
    if !matches!(rest.get(length), None | Some(b',')) {
        return None;
    }
    *rest = rest.get(length + 1..).unwrap_or_default();
    match value {
        millis @ 100_000_000_000..100_000_000_000_000 => Some(Timestamp::from_millis(millis as i64)),
        micros @ 100_000_000_000_000.. => Some(Timestamp::from_micros(micros as i64)),
        _ => None,
    }
}

#[inline(always)]
fn price(rest: &mut &[u8]) -> Option<Price> {
    Price::new(number(rest)?).ok()
}

/// Cuts the next field off the line, as a number without trailing zeros.
#[inline(always)]
fn number(rest: &mut &[u8]) -> Option<Decimal> {
    let (value, length) = plain_number(rest)?;
    *rest = rest.get(length + 1..).unwrap_or_default();
    Some(value)
}

/// `digits[.digits]` up to a comma or the end, with at most 16 digits before and 8 behind the point and 18 in
/// all, trailing zeros not counted; with it, its length. Almost every number in almost every file is one of these.
#[inline(always)]
fn plain_number(text: &[u8]) -> Option<(Decimal, usize)> {
    let (whole, at) = plain_integer(text)?;
    match text.get(at) {
        None | Some(b',') => Some((decimal(whole, 0), at)),
        Some(b'.') => {
            let digits = Digits::at(text, at + 1);
            let end = at + 1 + digits.count;
            if digits.count == 0 || !matches!(text.get(end), None | Some(b',')) {
                return None;
            }
            let digits = digits.without_trailing_zeros();
            if at + digits.count > 18 {
                return None;
            }
            Some((decimal(whole * POWERS[digits.count] + digits.value(), digits.count as u32), end))
        }
        Some(_) => None,
    }
}

/// The digits at the start of the text, one to 16 of them; with their number.
#[inline(always)]
fn plain_integer(text: &[u8]) -> Option<(u64, usize)> {
    let high = Digits::at(text, 0);
    if high.count < 8 {
        return (high.count > 0).then(|| (high.value(), high.count));
    }
    let low = Digits::at(text, 8);
    Some((high.value() * POWERS[low.count] + low.value(), 8 + low.count))
}

fn decimal(mantissa: u64, scale: u32) -> Decimal {
    Decimal::from_parts(mantissa as u32, (mantissa >> 32) as u32, 0, false, scale)
}

const POWERS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Up to eight digits, handled at once as the bytes of a word, the first one lowest.
/// Known as SWAR; after Daniel Lemire, "Quickly parsing eight digits" (2018).
#[derive(Clone, Copy)]
struct Digits {
    /// Values from 0 to 9; what lies above `count` is no digit.
    bytes: u64,
    count: usize,
}

impl Digits {
    #[inline(always)]
    fn at(text: &[u8], at: usize) -> Self {
        let rest = text.get(at..).unwrap_or_default();
        let word = match rest.first_chunk::<8>() {
            Some(word) => u64::from_le_bytes(*word),
            None => short_word(rest),
        };
        let bytes = word ^ 0x3030_3030_3030_3030;
        // The highest bit of a byte above 9 is set now or by the sum; a carry only disturbs what
        // lies behind the first such byte.
        let others = (bytes | bytes.wrapping_add(0x7676_7676_7676_7676)) & 0x8080_8080_8080_8080;
        Self { bytes, count: others.trailing_zeros() as usize / 8 }
    }

    fn without_trailing_zeros(self) -> Self {
        let zeros = self.left().leading_zeros() as usize / 8;
        Self { count: self.count.saturating_sub(zeros), ..self }
    }

    fn value(self) -> u64 {
        let pairs = self.left();
        let pairs = pairs.wrapping_mul(10).wrapping_add(pairs >> 8);
        let mask = 0x0000_00ff_0000_00ff;
        let high = (pairs & mask).wrapping_mul(0x000f_4240_0000_0064);
        let low = (pairs >> 16 & mask).wrapping_mul(0x0000_2710_0000_0001);
        high.wrapping_add(low) >> 32
    }

    /// The digits moved to the top, zeros below.
    fn left(self) -> u64 {
        self.bytes.checked_shl(64 - 8 * self.count as u32).unwrap_or(0)
    }
}

/// Fewer than eight bytes, filled up with what is no digit.
fn short_word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn check(line: &str, expected: &str) {
        let told = Row::plain(line.as_bytes()).map_or_else(
            || "no".to_owned(),
            |r| format!("{} {} {} {} {} {}", r.open_time, r.open, r.high, r.low, r.close, r.volume),
        );
        assert_eq!(told, expected, "{line}");
    }

    #[test]
    fn a_row_is_read_and_trailing_zeros_are_dropped() {
        check("1704067200000,1.10,2.000,100,1.5,0.0", "2024-01-01T00:00:00Z 1.1 2 100 1.5 0");
        check("1704067200000,1,2,1,1,12345.678,9,9", "2024-01-01T00:00:00Z 1 2 1 1 12345.678");
        check("1704067200000,1,2,1,1,1176749593025514.00", "2024-01-01T00:00:00Z 1 2 1 1 1176749593025514");
    }

    #[test]
    fn microseconds_are_told_from_milliseconds() {
        check("1735689600000000,1,2,1,1,0", "2025-01-01T00:00:00Z 1 2 1 1 0");
        check("1735689600000,1,2,1,1,0", "2025-01-01T00:00:00Z 1 2 1 1 0");
    }

    #[test]
    fn whatever_is_unusual_is_left_to_the_general_way() {
        for line in [
            "1704067200,1,2,1,1,0",
            "1704067200000.0,1,2,1,1,0",
            "2024-01-01,1,2,1,1,0",
            "\"1704067200000\",1,2,1,1,0",
            "1704067200000,1,x,1,1,0",
            "1704067200000,1,,1,1,0",
            "1704067200000,1.,2,1,1,0",
            "1704067200000,1,2,1,0.00,0",
            "1704067200000,1,2,1,1,-3",
            "1704067200000,1,2,1,1,1e3",
            "1704067200000,1,2,1,1,0.123456789",
            "1704067200000,1,2,1,1,12345678901234567",
            "1704067200000,1,2,1,1,12345678901.12345678",
            "1704067200000,1,2,1,1",
            "1704067200000;1;2;1;1;0",
        ] {
            check(line, "no");
        }
    }

    #[test]
    fn plain_numbers_are_what_the_general_way_says() {
        let mut seed = 1_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..20_000 {
            let whole: String = (0..=next(15)).map(|_| char::from(b'0' + next(10) as u8)).collect();
            let part: String = (0..next(10)).map(|_| char::from(b'0' + next(10) as u8)).collect();
            let text = if part.is_empty() { whole } else { format!("{whole}.{part}") };
            let general = Decimal::from_str(&text).unwrap().normalize();
            let more = format!("{text},{text}");
            let text = if next(2) == 0 { text.as_str() } else { more.as_str() };
            let Some((value, length)) = plain_number(text.as_bytes()) else {
                let point = text.find(['.', ',']).unwrap_or(text.len());
                let decimals = text[point..].find(',').unwrap_or(text.len() - point);
                assert!(point + decimals > 18 || decimals > 9, "{text}");
                continue;
            };
            assert_eq!(length, text.find(',').unwrap_or(text.len()));
            assert_eq!((value, value.scale()), (general, general.scale()), "{text}");
        }
    }
}
