//! From one value of the file to what it means. Each says in words what is wrong.

use domain::Decimal;
use std::{str::FromStr, time::Duration};
use toml::de::DeValue;

pub(crate) type Parsed<T> = Result<T, String>;

/// The exact digits of a number, written as one or as text.
pub(crate) fn decimal(value: &DeValue<'_>) -> Parsed<Decimal> {
    let text = match value {
        DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        DeValue::String(text) => text,
        other => return Err(format!("is {}, not a decimal number", describe(other))),
    };
    let digits = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    if digits.contains(['e', 'E']) && digits.parse::<f64>().is_ok() {
        return Err(format!("{text} has an exponent"));
    }
    Decimal::from_str_exact(&digits).map_err(|e| format!("'{text}' is not a decimal number ({e})"))
}

pub(crate) fn whole(value: &DeValue<'_>) -> Parsed<u32> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => {
            number.as_str().parse().map_err(|_| format!("{number} is out of range"))
        }
        other => Err(format!("is {}, not a whole number", describe(other))),
    }
}

pub(crate) fn boolean(value: &DeValue<'_>) -> Parsed<bool> {
    value.as_bool().ok_or_else(|| format!("is {}", describe(value)))
}

pub(crate) fn text<'v>(value: &'v DeValue<'_>) -> Parsed<&'v str> {
    value.as_str().ok_or_else(|| format!("is {}, not text", describe(value)))
}

/// Any value that is written as text.
pub(crate) fn parsed<T: FromStr<Err = domain::Invalid>>(value: &DeValue<'_>) -> Parsed<T> {
    text(value)?.parse().map_err(|invalid: domain::Invalid| invalid.to_string())
}

/// No venue writes an asset or a symbol with small letters: such a one would never be met.
pub(crate) fn capitals<T: FromStr<Err = domain::Invalid>>(value: &DeValue<'_>) -> Parsed<T> {
    let given = text(value)?;
    if given.chars().any(char::is_lowercase) {
        return Err(format!("'{given}' has small letters, write {}", given.to_uppercase()));
    }
    parsed(value)
}

/// From zero to less than one.
pub(crate) fn ratio(value: &DeValue<'_>) -> Parsed<Decimal> {
    within(decimal(value)?, |ratio| Decimal::ZERO <= ratio && ratio < Decimal::ONE)
}

/// A base URL of the first scheme, with TLS, or of the second; without a slash at its end.
pub(crate) fn base_url(given: &str, schemes: [&str; 2]) -> Parsed<String> {
    let known =
        given.split_once("://").is_some_and(|(scheme, rest)| schemes.contains(&scheme) && !rest.is_empty());
    if known { Ok(given.trim_end_matches('/').to_owned()) } else { Err("is no such address".to_owned()) }
}

/// What to write for [`base_url`].
pub(crate) fn wanted_url([tls, plain]: [&str; 2]) -> String {
    format!("write {tls}://HOST, or {plain}://127.0.0.1:PORT for a server here")
}

/// More than zero and less than one.
pub(crate) fn distance(value: &DeValue<'_>) -> Parsed<Decimal> {
    within(decimal(value)?, |ratio| Decimal::ZERO < ratio && ratio < Decimal::ONE)
}

/// More than zero, at most one.
pub(crate) fn part(value: &DeValue<'_>) -> Parsed<Decimal> {
    within(decimal(value)?, |ratio| Decimal::ZERO < ratio && ratio <= Decimal::ONE)
}

/// An amount that can be spent: more than zero.
pub(crate) fn amount(value: &DeValue<'_>) -> Parsed<Decimal> {
    within(decimal(value)?, |amount| Decimal::ZERO < amount && amount <= MOST)
}

/// An amount that can be owned.
pub(crate) fn balance(value: &DeValue<'_>) -> Parsed<Decimal> {
    within(decimal(value)?, |amount| Decimal::ZERO <= amount && amount <= MOST_OWNED)
}

/// A thousand times [`MOST`]: of a cheap coin that may be a few million dollars.
const MOST_OWNED: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// A million millions; beyond it sums could lose digits.
const MOST: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

fn within(number: Decimal, allowed: impl Fn(Decimal) -> bool) -> Parsed<Decimal> {
    if allowed(number) { Ok(number) } else { Err(format!("{number} is out of range")) }
}

/// At least one.
pub(crate) fn count(value: &DeValue<'_>) -> Parsed<u32> {
    match whole(value)? {
        0 => Err("0 is out of range".to_owned()),
        count => Ok(count),
    }
}

/// A duration of whole units, at least one of them and at most `most`.
pub(crate) fn span(value: &DeValue<'_>, unit: Duration, most: Duration) -> Parsed<Duration> {
    let duration = duration(value)?;
    let whole = duration.as_millis().is_multiple_of(unit.as_millis().max(1));
    if whole && duration >= unit && duration <= most {
        Ok(duration)
    } else {
        Err(format!("'{}' is out of range", text(value)?))
    }
}

/// Numbers with units, added up: `90s`, `1h 30m`.
pub(crate) fn duration(value: &DeValue<'_>) -> Parsed<Duration> {
    let given = text(value)?;
    let wrong = || format!("'{given}' is not a duration");
    let mut rest = given.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let millis = number.checked_mul(unit_in_millis(unit).ok_or_else(wrong)?).ok_or_else(wrong)?;
        sum = sum.checked_add(Duration::from_millis(millis)).ok_or_else(wrong)?;
        rest = after.trim_start();
    }
    Ok(sum)
}

fn unit_in_millis(unit: &str) -> Option<u64> {
    Some(match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    })
}

/// A value in words, for the one who wrote another.
pub(crate) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text '{text}'"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(time) => format!("the time {time}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> DeValue<'_> {
        DeValue::parse(text).unwrap().into_inner()
    }

    #[test]
    fn every_digit_of_a_number_is_kept() {
        for (written, digits) in [
            ("0.005", "0.005"),
            ("0.1234567890123456789012345678", "0.1234567890123456789012345678"),
            ("\"0.30\"", "0.30"),
            ("100", "100"),
            ("10_000.5", "10000.5"),
            ("+1.5", "1.5"),
            ("-1", "-1"),
        ] {
            assert_eq!(decimal(&value(written)).unwrap().to_string(), digits, "{written}");
        }
    }

    #[test]
    fn what_is_no_exact_number_is_refused() {
        for written in
            ["1e3", "inf", "nan", "\"ten\"", "true", "[1]", "0x10", "0.12345678901234567890123456789012"]
        {
            assert!(decimal(&value(written)).is_err(), "{written}");
        }
    }

    #[test]
    fn a_word_with_an_e_is_no_number_with_an_exponent() {
        assert_eq!(decimal(&value("\"1E3\"")).unwrap_err(), "1E3 has an exponent");
        let told = decimal(&value("\"nonee\"")).unwrap_err();
        assert!(told.starts_with("'nonee' is not a decimal number"), "{told}");
    }

    #[test]
    fn amounts_end_at_a_million_millions() {
        assert_eq!(MOST.to_string(), "1000000000000");
        assert_eq!(MOST_OWNED.to_string(), "1000000000000000");
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (written, seconds) in
            [("26h", 93_600), ("1h 30m", 5_400), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800)]
        {
            let quoted = format!("\"{written}\"");
            assert_eq!(duration(&value(&quoted)), Ok(Duration::from_secs(seconds)), "{written}");
        }
        assert_eq!(duration(&value("\"250ms\"")), Ok(Duration::from_millis(250)));
        for written in
            ["\"\"", "\"30\"", "30", "\"h\"", "\"1 h\"", "\"1y\"", "\"-1s\"", "\"99999999999999999999s\""]
        {
            assert!(duration(&value(written)).is_err(), "{written}");
        }
    }
}
