//! One line of a candle file, read without allocation or floats.

use domain::{Decimal, Price, Quantity, Timestamp};
use std::str::{self, FromStr};

/// The columns that are read, in this order in every known format; what follows them is ignored.
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
    /// # Errors
    /// In words, with the column's name, what is wrong with the line.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        let mut rest = line;
        // Fields are evaluated in the order written here, which is the order of the columns.
        Ok(Self {
            open_time: time(next_field(&mut rest))?,
            open: price(&mut rest, "open")?,
            high: price(&mut rest, "high")?,
            low: price(&mut rest, "low")?,
            close: price(&mut rest, "close")?,
            volume: volume(&mut rest)?,
        })
    }
}

pub fn count_columns(line: &[u8]) -> usize {
    // Sums of bytes, so that the compiler can count sixteen at once.
    let commas = |part: &[u8]| part.iter().fold(0_u8, |sum, byte| sum + u8::from(*byte == b','));
    1 + line.chunks(usize::from(u8::MAX)).map(|part| usize::from(commas(part))).sum::<usize>()
}

/// Whether the line is a header, that is starts like no row could.
pub fn is_header(line: &[u8]) -> bool {
    line.trim_ascii_start()
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'"' | b'#' | b'_'))
}

/// # Errors
/// In words: which column is called otherwise.
pub fn check_header(line: &[u8]) -> Result<(), String> {
    let mut rest = line;
    for (at, wanted) in COLUMNS.iter().enumerate() {
        let given = next_field(&mut rest).trim_ascii().to_ascii_lowercase();
        let good = given == wanted.as_bytes() || (at == 0 && given == b"open_time_ms");
        if !good {
            return Err(format!(
                "column {} of the header is '{}'; the header must begin with {}",
                at + 1,
                String::from_utf8_lossy(&given),
                COLUMNS.join(",")
            ));
        }
    }
    Ok(())
}

/// Cuts the field up to the next comma off the line.
fn next_field<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|b| *b == b',').unwrap_or(rest.len());
    let field = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    field
}

/// Milliseconds or microseconds since 1970, told apart by their size: 10^14 ms lie in the year 5138,
/// 10^14 µs in 1973.
fn time(field: &[u8]) -> Result<Timestamp, String> {
    let field = field.trim_ascii();
    match plain_integer(field).filter(|(_, length)| *length == field.len()) {
        Some((millis @ 100_000_000_000..100_000_000_000_000, _)) => Ok(Timestamp::from_millis(millis as i64)),
        Some((micros @ 100_000_000_000_000.., _)) => Ok(Timestamp::from_micros(micros as i64)),
        _ => Err(format!(
            "open_time '{}' is no time: write milliseconds or microseconds since 1970, UTC",
            String::from_utf8_lossy(field)
        )),
    }
}

#[inline(always)]
fn price(rest: &mut &[u8], name: &str) -> Result<Price, String> {
    let value = number(rest, name)?;
    Price::new(value).map_err(|e| format!("{name} is {value}: a price {}", e.why))
}

/// A negative one is the gate's to refuse; one beyond every quantity would break arithmetic.
#[inline(always)]
fn volume(rest: &mut &[u8]) -> Result<Decimal, String> {
    let value = number(rest, "volume")?;
    if value.abs() > Quantity::MOST {
        return Err(format!("volume is {value}: a quantity must be at most {}", Quantity::MOST));
    }
    Ok(value)
}

/// Cuts the next field off the line, as a number without trailing zeros.
#[inline(always)]
fn number(rest: &mut &[u8], name: &str) -> Result<Decimal, String> {
    match plain_number(rest) {
        Some((value, length)) => {
            *rest = rest.get(length + 1..).unwrap_or_default();
            Ok(value)
        }
        None => odd_number(rest, name),
    }
}

#[cold]
fn odd_number(rest: &mut &[u8], name: &str) -> Result<Decimal, String> {
    let field = next_field(rest);
    any_number(field)
        .ok_or_else(|| format!("{name} '{}' is not a decimal number", String::from_utf8_lossy(field)))
}

/// `digits[.digits]` up to a comma or the end, with at most 10 digits before and 8 behind the point;
/// with it, its length. Almost every number in almost every file is one of these.
#[inline(always)]
fn plain_number(text: &[u8]) -> Option<(Decimal, usize)> {
    let (whole, at) = plain_integer(text)?;
    if at > 10 {
        return None;
    }
    match text.get(at) {
        None | Some(b',') => Some((decimal(whole, 0), at)),
        Some(b'.') => {
            let digits = Digits::at(text, at + 1);
            let end = at + 1 + digits.count;
            if digits.count == 0 || !matches!(text.get(end), None | Some(b',')) {
                return None;
            }
            let digits = digits.without_trailing_zeros();
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

/// Long numbers, signs and exponents. Beyond 28 decimals a number is rounded.
fn any_number(field: &[u8]) -> Option<Decimal> {
    let text = str::from_utf8(field.trim_ascii()).ok()?;
    let known = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
    if !text.bytes().all(known) {
        return None;
    }
    let value = Decimal::from_str(text).or_else(|_| Decimal::from_scientific_lossy(text)).ok()?;
    Some(value.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let told = match Row::parse(line.as_bytes()) {
            Ok(r) => {
                format!("{} {} {} {} {} {}", r.open_time, r.open, r.high, r.low, r.close, r.volume)
            }
            Err(why) => why,
        };
        assert_eq!(told, expected, "{line}");
    }

    #[test]
    fn a_row_is_read_and_trailing_zeros_are_dropped() {
        check("1704067200000,1.10,2.000,100,1.5,0.0", "2024-01-01T00:00:00Z 1.1 2 100 1.5 0");
        check("1704067200000,1,2,1,1,12345.678,9,9", "2024-01-01T00:00:00Z 1 2 1 1 12345.678");
    }

    #[test]
    fn microseconds_are_told_from_milliseconds() {
        check("1735689600000000,1,2,1,1,0", "2025-01-01T00:00:00Z 1 2 1 1 0");
        check("1735689600000,1,2,1,1,0", "2025-01-01T00:00:00Z 1 2 1 1 0");
    }

    #[test]
    fn long_numbers_and_exponents_are_read_the_slow_way() {
        check(
            "1704067200000,4625.635714285714,+99999999999,1e-5,1,33.6930792500000012345",
            "2024-01-01T00:00:00Z 4625.635714285714 99999999999 0.00001 1 33.6930792500000012345",
        );
        check("1704067200000,2.10,3,1,1,-3", "2024-01-01T00:00:00Z 2.1 3 1 1 -3");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        check("1704067200000,1,x,1,1,0", "high 'x' is not a decimal number");
        check("1704067200000,1,,1,1,0", "high '' is not a decimal number");
        check("1704067200000,1.,2,1,1,0", "2024-01-01T00:00:00Z 1 2 1 1 0");
        check("1704067200000,1,2,1,0.00,0", "close is 0: a price must be greater than zero");
        check("1704067200000,1,2,-1,1,0", "low is -1: a price must be greater than zero");
        check("1704067200000,1,9e12,1,1,0", "high is 9000000000000: a price must be at most 1000000000000");
        check(
            "1704067200000,1,2,1,1,9e15",
            "volume is 9000000000000000: a quantity must be at most 1000000000000000",
        );
        check("1704067200000,1,2,1,1", "volume '' is not a decimal number");
        check(
            "1704067200,1,2,1,1,0",
            "open_time '1704067200' is no time: write milliseconds or microseconds since 1970, UTC",
        );
        check(
            "2024-01-01,1,2,1,1,0",
            "open_time '2024-01-01' is no time: write milliseconds or microseconds since 1970, UTC",
        );
    }

    #[test]
    fn plain_numbers_are_what_the_general_way_says() {
        let mut seed = 1_u64;
        let mut next = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        for _ in 0..20_000 {
            let whole: String = (0..=next(9)).map(|_| char::from(b'0' + next(10) as u8)).collect();
            let part: String = (0..next(10)).map(|_| char::from(b'0' + next(10) as u8)).collect();
            let text = if part.is_empty() { whole } else { format!("{whole}.{part}") };
            let general = Decimal::from_str(&text).unwrap().normalize();
            let more = format!("{text},{text}");
            let text = if next(2) == 0 { text.as_str() } else { more.as_str() };
            let Some((value, length)) = plain_number(text.as_bytes()) else {
                let point = text.find(['.', ',']).unwrap_or(text.len());
                assert!(point > 10 || text[point..].find(',').unwrap_or(text.len() - point) > 9, "{text}");
                continue;
            };
            assert_eq!(length, text.find(',').unwrap_or(text.len()));
            assert_eq!((value, value.scale()), (general, general.scale()), "{text}");
        }
    }
}
