//! Points in time, UTC, to the microsecond.

use crate::Invalid;
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::Duration,
};

/// Microseconds since 1970-01-01T00:00:00Z. Written as RFC 3339 in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const ZERO: Self = Self(0);
    /// Far enough for any market, near enough for every database: 9999-12-31T00:00:00Z.
    pub const MAX: Self = Self(253_402_214_400_000_000);

    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000)
    }
    pub const fn micros(self) -> i64 {
        self.0
    }
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }
    /// How long after `earlier` this is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
    fn civil(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
    /// `20240115T0000`, for ids.
    pub fn compact(self) -> String {
        self.civil().format("%Y%m%dT%H%M").to_string()
    }
    /// `2024-01-15 00:00`, for people.
    pub fn minute(self) -> String {
        self.civil().format("%Y-%m-%d %H:%M").to_string()
    }
    /// The day that it falls on, counted from 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, rhs: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(rhs.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.0 % 1_000_000 == 0 {
            SecondsFormat::Secs
        } else if self.0 % 1_000 == 0 {
            SecondsFormat::Millis
        } else {
            SecondsFormat::Micros
        };
        f.write_str(&self.civil().to_rfc3339_opts(format, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    /// RFC 3339 (`2024-01-15T00:00:00Z`), the same without a zone or seconds (`2024-01-15 12:00`, UTC), or a day
    /// (`2024-01-15`, its first instant in UTC).
    fn from_str(given: &str) -> Result<Self, Invalid> {
        let parsed = DateTime::parse_from_rfc3339(given).map(|t| t.with_timezone(&Utc)).or_else(|_| {
            let to_minute = |form| NaiveDateTime::parse_from_str(given, form).map(|time| time.and_utc());
            ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
                .into_iter()
                .find_map(|form| to_minute(form).ok())
                .map_or_else(
                    || given.parse::<NaiveDate>().map(|day| day.and_time(chrono::NaiveTime::MIN).and_utc()),
                    Ok,
                )
        });
        match parsed {
            Ok(time) if (0..=Self::MAX.0).contains(&time.timestamp_micros()) => {
                Ok(Self(time.timestamp_micros()))
            }
            _ => Err(Invalid::new(
                "time",
                given,
                "write 2024-01-15T00:00:00Z, 2024-01-15 12:00 or 2024-01-15 (UTC)",
            )),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Reader;
        impl de::Visitor<'_> for Reader {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time, RFC 3339 in UTC")
            }
            fn visit_str<E: de::Error>(self, given: &str) -> Result<Timestamp, E> {
                given.parse().map_err(E::custom)
            }
        }
        d.deserialize_str(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read_back() {
        for text in ["2024-01-15T00:00:00Z", "2024-01-15T00:00:00.123Z", "2024-01-15T00:00:00.123456Z"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), text);
        }
        assert_eq!("2024-01-15".parse::<Timestamp>().unwrap().to_string(), "2024-01-15T00:00:00Z");
        // As views print them.
        for text in ["2024-01-15 12:30", "2024-01-15T12:30", "2024-01-15 12:30:00", "2024-01-15T12:30:00"] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), "2024-01-15T12:30:00Z");
        }
    }

    #[test]
    fn nonsense_names_the_right_form() {
        let err = "yesterday".parse::<Timestamp>().unwrap_err().to_string();
        assert!(err.contains("2024-01-15T00:00:00Z"), "{err}");
    }

    #[test]
    fn a_time_is_within_the_bounds() {
        for (text, is_one) in [
            ("1970-01-01", true),
            ("1969-12-31T23:59:59Z", false),
            ("9999-12-31", true),
            ("9999-12-31T00:00:01Z", false),
        ] {
            assert_eq!(text.parse::<Timestamp>().is_ok(), is_one, "{text}");
        }
    }

    #[test]
    fn a_time_is_read_from_json_and_a_bad_one_is_told() {
        let read = |json: &str| serde_json::from_str::<Timestamp>(json).map_err(|why| why.to_string());
        let time = read("\"2024-01-15T12:30:00Z\"").unwrap();
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2024-01-15T12:30:00Z\"");
        assert_eq!(format!("{time:?}"), "2024-01-15T12:30:00Z");
        assert!(read("\"noon\"").unwrap_err().contains("write 2024-01-15T00:00:00Z"));
        assert!(read("12").unwrap_err().contains("a time, RFC 3339 in UTC"));
    }

    #[test]
    fn times_are_counted_and_written_in_their_units() {
        let time: Timestamp = "2024-01-15T12:30:00.123456Z".parse().unwrap();
        assert_eq!((time.micros(), time.millis()), (1_705_321_800_123_456, 1_705_321_800_123));
        assert_eq!(Timestamp::from_micros(time.micros()), time);
        assert_eq!(Timestamp::from_millis(time.millis()).to_string(), "2024-01-15T12:30:00.123Z");
        assert_eq!(
            (time.compact(), time.minute()),
            ("20240115T1230".to_owned(), "2024-01-15 12:30".to_owned())
        );
        assert_eq!((time.day(), Timestamp::from_micros(-1).day()), (19_737, -1));
        let later = time + Duration::from_micros(7);
        assert_eq!((later.micros() - time.micros(), later - Duration::from_micros(7)), (7, time));
        assert_eq!((later.since(time), time.since(later)), (Duration::from_micros(7), Duration::ZERO));
    }
}
