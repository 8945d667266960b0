//! Times as other programs write them: numbers since 1970 and calendars.

use crate::figure;
use chrono::{NaiveDate, NaiveTime};
use domain::{Decimal, Timestamp};

/// How `01/02/2024` is meant, as far as a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Days {
    #[default]
    Unknown,
    DayFirst,
    MonthFirst,
}

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub at: Timestamp,
    pub written: Written,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Seconds, milliseconds, microseconds or nanoseconds since 1970.
    Number,
    /// The same with an exponent; a spreadsheet may have cut digits off.
    Exponent,
    WithZone,
    /// Taken as UTC.
    WithoutZone,
}

const REMEDY: &str = "write milliseconds since 1970, or 2024-01-31T00:00:00Z";

/// # Errors
/// In words, without the column's name.
pub fn read(field: &str, days: Days) -> Result<Moment, String> {
    let text = field.trim();
    if figure::is_blank(text) {
        return Err(format!("is empty: {REMEDY}"));
    }
    let numeric = |b: u8| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+');
    if text.bytes().all(numeric)
        && let Some(value) = figure::number(text)
    {
        return count(text, value);
    }
    calendar(text, days)
}

/// Whether it could be a time at all; a header or a row's number is none.
pub fn is_one(field: &str) -> bool {
    // An ambiguous date is a time all the same.
    [Days::DayFirst, Days::MonthFirst].into_iter().any(|days| read(field, days).is_ok())
}

/// What a date alone tells of the order of day and month: `31/12/2024`.
pub fn told_by(field: &str) -> Days {
    let date = field.trim().split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<u32> = date.split(['/', '-']).filter_map(|part| part.parse().ok()).collect();
    let day = 13..32;
    match parts.as_slice() {
        [first, _, year] if *year >= 1_000 && day.contains(first) => Days::DayFirst,
        [_, second, year] if *year >= 1_000 && day.contains(second) => Days::MonthFirst,
        _ => Days::Unknown,
    }
}

/// Since 1970. The units are told apart by their size: 10^11 s lie in the year 5138, 10^11 ms in 1973,
/// and so on by thousands.
fn count(text: &str, value: Decimal) -> Result<Moment, String> {
    let micros = |text: String| format!("'{text}' is no time: {REMEDY}");
    if let Some(date) = compact(text) {
        return Ok(Moment { at: at(date, NaiveTime::MIN, 0), written: Written::WithoutZone });
    }
    let ten = |exponent| Decimal::from(10_u64.pow(exponent));
    let value = if value < ten(8) {
        let day = (Decimal::from(20_000)..Decimal::from(80_000)).contains(&value);
        let remedy =
            "is a spreadsheet's number of a day: format the column as a date, YYYY-MM-DD, and save again";
        return Err(if day { format!("'{text}' {remedy}") } else { micros(text.to_owned()) });
    } else if value < ten(11) {
        value.checked_mul(ten(6))
    } else if value < ten(14) {
        value.checked_mul(ten(3))
    } else if value < ten(17) {
        Some(value)
    } else {
        value.checked_div(ten(3))
    };
    let whole = value.filter(|v| v.is_integer() && *v <= Decimal::from(Timestamp::MAX.micros()));
    let Some(at) = whole.and_then(|v| i64::try_from(v).ok()) else { return Err(micros(text.to_owned())) };
    let exponent = text.bytes().any(|b| b.eq_ignore_ascii_case(&b'e'));
    let written = if exponent { Written::Exponent } else { Written::Number };
    Ok(Moment { at: Timestamp::from_micros(at), written })
}

/// `20240131`; as a number of seconds it would lie in 1970.
fn compact(text: &str) -> Option<NaiveDate> {
    let year = text.starts_with("19") || text.starts_with("20");
    if text.len() != 8 || !year || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    NaiveDate::from_ymd_opt(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
}

fn calendar(text: &str, days: Days) -> Result<Moment, String> {
    let no_time = || format!("'{text}' is no time: {REMEDY}");
    let (day, clock) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let date = date(day, days).map_err(|why| why.unwrap_or_else(no_time))?;
    let (clock, zone) = zone(clock.trim());
    let offset = zone.map(|zone| seconds(zone).ok_or_else(no_time)).transpose()?;
    let time = if clock.is_empty() { NaiveTime::MIN } else { clock_time(clock).ok_or_else(no_time)? };
    let written = if offset.is_some() { Written::WithZone } else { Written::WithoutZone };
    let at = at(date, time, offset.unwrap_or(0));
    if !(Timestamp::ZERO..=Timestamp::MAX).contains(&at) {
        return Err(no_time());
    }
    Ok(Moment { at, written })
}

fn at(date: NaiveDate, time: NaiveTime, offset: i64) -> Timestamp {
    Timestamp::from_micros(date.and_time(time).and_utc().timestamp_micros() - offset * 1_000_000)
}

/// Year first, whatever stands between; day first with points, as wherever dates have points; else as
/// the file tells.
fn date(text: &str, days: Days) -> Result<NaiveDate, Option<String>> {
    let sign = text.chars().find(|c| matches!(c, '-' | '/' | '.')).ok_or(None)?;
    let parts: Vec<&str> = text.split(sign).collect();
    let [a, b, c] = parts.as_slice() else { return Err(None) };
    let number = |text: &str| {
        let short = text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| short).ok_or(None)
    };
    let (year, month, day) = if a.len() == 4 {
        (a, b, c)
    } else if c.len() != 4 {
        return Err(None);
    } else if sign == '.' || days == Days::DayFirst {
        (c, b, a)
    } else if days == Days::MonthFirst {
        (c, a, b)
    } else {
        return Err(Some(format!("'{text}' may begin with its day or its month: {REMEDY}")));
    };
    let year = i32::try_from(number(year)?).map_err(|_| None)?;
    NaiveDate::from_ymd_opt(year, number(month)?, number(day)?).ok_or(None)
}

/// Cuts the zone off: `Z`, `UTC`, `+02:00`, `-0500`, `+00`.
fn zone(clock: &str) -> (&str, Option<&str>) {
    if let Some(rest) = ["UTC", "GMT", "Z", "z"].iter().find_map(|end| clock.strip_suffix(end)) {
        return (rest.trim_end(), Some("+00"));
    }
    match clock.rfind(['+', '-']) {
        Some(at) if clock[at + 1..].bytes().all(|b| b.is_ascii_digit() || b == b':') && at > 0 => {
            (clock[..at].trim_end(), Some(&clock[at..]))
        }
        _ => (clock, None),
    }
}

fn seconds(zone: &str) -> Option<i64> {
    let (sign, rest) = (if zone.starts_with('-') { -1 } else { 1 }, &zone[1..]);
    let digits = rest.replace(':', "");
    if !matches!(digits.len(), 2 | 4) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// `00:00`, `7:30:00.5`, `12:00 AM`; CryptoDataDownload's `11-AM` as well.
fn clock_time(clock: &str) -> Option<NaiveTime> {
    let upper = clock.to_ascii_uppercase();
    let (text, half) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(text), _) => (text, Some(0)),
        (_, Some(text)) => (text, Some(12)),
        (None, None) => (upper.as_str(), None),
    };
    let text = text.trim_end_matches(['-', ' ']);
    let (text, fraction) = text.split_once('.').map_or((text, ""), |(text, fraction)| (text, fraction));
    let parts: Vec<u32> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hour, minute, second) = match (parts.as_slice(), half) {
        ([hour], Some(_)) => (*hour, 0, 0),
        ([hour, minute], _) => (*hour, *minute, 0),
        ([hour, minute, second], _) => (*hour, *minute, *second),
        _ => return None,
    };
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos).filter(|_| nanos.is_multiple_of(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&str], days: Days, expected: &str) {
        for text in texts {
            let told = match read(text, days) {
                Ok(moment) => format!("{} {:?}", moment.at, moment.written),
                Err(why) => why,
            };
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }

    #[test]
    fn times_since_1970_are_read_in_every_unit() {
        let number = "2023-01-01T00:00:00Z Number";
        check(
            &[
                "1672531200",
                "1672531200000",
                "1672531200000000",
                "1672531200000000000",
                "1672531200000.0",
                "1672531200.0",
            ],
            Days::Unknown,
            number,
        );
        check(
            &["1.6725312e+12", "1.6725312E12", "1.6725312e9"],
            Days::Unknown,
            "2023-01-01T00:00:00Z Exponent",
        );
        check(&["1672531200.5"], Days::Unknown, "2023-01-01T00:00:00.500Z");
    }

    #[test]
    fn calendars_are_read_in_every_order_that_is_unambiguous() {
        check(
            &[
                "2023-01-01T00:00:00Z",
                "2023-01-01 00:00:00+00:00",
                "2023-01-01 02:00:00+0200",
                "2023-01-01 00:00:00 UTC",
                "2022-12-31T19:00:00-05:00",
                "2023-01-01T00:00:00.000000000Z",
                "2023-01-01 00:00:00.000 UTC",
            ],
            Days::Unknown,
            "2023-01-01T00:00:00Z WithZone",
        );
        check(
            &[
                "2023-01-01",
                "2023/01/01",
                "2023.01.01 00:00",
                "01.01.2023",
                "1.1.2023 0:00",
                "2023-01-01 00:00:00",
                "20230101",
                "2023-01-01 12:00:00 AM",
                "2023-01-01 12-AM",
            ],
            Days::Unknown,
            "2023-01-01T00:00:00Z WithoutZone",
        );
        check(&["2023-01-01 11-PM", "2023-01-01 23:00"], Days::Unknown, "2023-01-01T23:00:00Z");
        check(&["02/01/2023", "2/1/2023 0:00"], Days::DayFirst, "2023-01-02T00:00:00Z");
        check(&["01/02/2023"], Days::MonthFirst, "2023-01-02T00:00:00Z");
        assert_eq!(told_by("31/12/2023"), Days::DayFirst);
        assert_eq!(told_by("12/31/2023 0:00"), Days::MonthFirst);
        assert_eq!(told_by("2023-12-31"), Days::Unknown);
    }

    #[test]
    fn what_is_no_time_says_what_to_write() {
        for text in ["02/01/2023", "2-1-2023"] {
            assert!(read(text, Days::Unknown).unwrap_err().contains("may begin with its day or its month"));
        }
        check(&["45292", "45292.5"], Days::Unknown, "'45292");
        assert!(read("45292", Days::Unknown).unwrap_err().contains("a spreadsheet's number of a day"));
        for text in [
            "0",
            "-5",
            "1",
            "2023-02-30",
            "2023-01-01 25:00",
            "01/02/23",
            "Jan 1, 2023",
            "x",
            "2023-01-01T00:00:00+99:00",
        ] {
            assert!(
                read(text, Days::DayFirst).unwrap_err().contains("is no time: write milliseconds"),
                "{text}"
            );
        }
        assert!(read("", Days::Unknown).unwrap_err().starts_with("is empty"));
    }
}
