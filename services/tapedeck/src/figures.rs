//! Figures as people and programs want to meet them: few digits, right plurals, whole units.

use domain::{Decimal, Timestamp};
use serde::Serializer;

/// Decimals of a figure from 0.01 on; below that as many significant digits.
const DIGITS: u32 = 8;

/// Rounded to eight decimals, below 0.01 to eight significant digits, without trailing zeros. What venues
/// and people write is finer in neither, so only quotients and products lose anything.
pub fn tidy(amount: Decimal) -> Decimal {
    let cent = Decimal::new(1, 2);
    let rounded = if amount.abs() < cent { amount.round_sf(DIGITS) } else { None };
    rounded.unwrap_or_else(|| amount.round_dp(DIGITS)).normalize()
}

/// For a field of JSON.
///
/// # Errors
/// The serializer's.
pub fn as_tidy<S: Serializer>(amount: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&tidy(*amount))
}

/// For an optional field of JSON; absent is null.
///
/// # Errors
/// The serializer's.
pub fn as_tidy_option<S: Serializer>(amount: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match amount {
        Some(amount) => as_tidy(amount, serializer),
        None => serializer.serialize_none(),
    }
}

/// `1 day`, `2 days`: the word is given in the singular and takes an s.
pub fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// How long from one time to another, in the two largest units that it has: `12d 4h`, `3m 20s`.
pub fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.since(from).as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let Some(first) = units.iter().position(|(length, _)| seconds >= *length) else {
        return "0s".to_owned();
    };
    let (length, name) = units[first];
    let large = format!("{}{name}", seconds / length);
    match units.get(first + 1) {
        Some((smaller, name)) if seconds % length >= *smaller => {
            format!("{large} {}{name}", seconds % length / smaller)
        }
        _ => large,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_no_more_digits_than_anybody_needs() {
        for (given, shown) in [
            ("2.7194194194194194194194194194", "2.71941942"),
            ("99.43122000000000000000000000", "99.43122"),
            ("0.00000123456789123", "0.0000012345679"),
            ("-0.0000000000012", "-0.0000000000012"),
            ("1234567890123.123456789", "1234567890123.12345679"),
            ("0", "0"),
            ("0.000", "0"),
        ] {
            assert_eq!(tidy(given.parse().unwrap()).to_string(), shown);
        }
    }

    #[test]
    fn one_is_singular_and_none_is_plural() {
        assert_eq!([0, 1, 2].map(|n| count(n, "day")), ["0 days", "1 day", "2 days"]);
    }

    #[test]
    fn a_span_tells_its_two_largest_units() {
        for (seconds, shown) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3_599, "59m 59s"),
            (3_605, "1h"),
            (86_400, "1d"),
            (90_000, "1d 1h"),
            (3_135 * 86_400, "3135d"),
        ] {
            let to = Timestamp::from_millis(seconds * 1_000);
            assert_eq!(span(Timestamp::ZERO, to), shown);
        }
    }
}
