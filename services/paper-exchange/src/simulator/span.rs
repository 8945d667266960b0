//! Binance's kline intervals, the calendar month included, in any time zone.

use domain::Interval;

/// How long a kline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    Fixed(Interval),
    /// `1M`, which `domain::Interval` leaves out, for it has no fixed length.
    Month,
}

/// Microseconds.
pub const SECOND: i64 = 1_000_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Weeks begin on Mondays; 1970-01-01 was a Thursday.
const FIRST_MONDAY: i64 = 4 * DAY;

impl Span {
    /// All, finest first.
    pub fn all() -> impl Iterator<Item = Self> {
        Interval::ALL.iter().copied().map(Self::Fixed).chain([Self::Month])
    }

    /// Its place in [`Self::all`].
    pub fn index(self) -> usize {
        match self {
            Self::Fixed(interval) => {
                Interval::ALL.iter().position(|&known| known == interval).unwrap_or_default()
            }
            Self::Month => Interval::ALL.len(),
        }
    }

    /// As Binance writes it; case counts.
    pub fn parse(given: &str) -> Option<Self> {
        if given == "1M" { Some(Self::Month) } else { given.parse().ok().map(Self::Fixed) }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fixed(interval) => interval.as_str(),
            Self::Month => "1M",
        }
    }

    /// In microseconds; `None` of a month.
    pub fn length(self) -> Option<i64> {
        match self {
            Self::Fixed(interval) => Some(micros(interval)),
            Self::Month => None,
        }
    }

    /// When the kline that holds `at` opens, in a zone that is `zone` ahead of UTC. All in microseconds.
    pub fn open_of(self, at: i64, zone: i64) -> i64 {
        let local = at.saturating_add(zone);
        let open = match self {
            Self::Fixed(interval) => {
                let anchor = if interval == Interval::Week1 { FIRST_MONDAY } else { 0 };
                let length = micros(interval);
                (local - anchor).div_euclid(length) * length + anchor
            }
            Self::Month => {
                let (year, month) = month_of(local.div_euclid(DAY));
                first_day(year, month) * DAY
            }
        };
        open - zone
    }

    /// When the kline that opens at `open` closes and the next one opens.
    pub fn close_of(self, open: i64, zone: i64) -> i64 {
        match self {
            Self::Fixed(interval) => open + micros(interval),
            // No month is longer than 31 days, and none shorter than 28.
            Self::Month => self.open_of(open + 31 * DAY + HOUR, zone),
        }
    }
}

/// An interval in microseconds.
pub fn micros(interval: Interval) -> i64 {
    interval.length().as_secs() as i64 * SECOND
}

/// Year and month (0 to 11) of a day since 1970-01-01, by the proleptic Gregorian calendar
/// (Hinnant, "chrono-compatible low-level date algorithms").
fn month_of(day: i64) -> (i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = (from_march + 2) % 12;
    (year_of_era + era * 400 + i64::from(month < 2), month)
}

/// The day since 1970-01-01 on which a month (0 to 11) begins.
fn first_day(year: i64, month: i64) -> i64 {
    let year = if month < 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 10) % 12) + 2) / 5;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().micros()
    }
    fn open(span: &str, time: &str, zone: i64) -> String {
        let span = Span::parse(span).unwrap();
        let open = span.open_of(at(time), zone);
        assert!(open <= at(time) && at(time) < span.close_of(open, zone), "{time} in {}", span.as_str());
        assert_eq!(span.open_of(span.close_of(open, zone), zone), span.close_of(open, zone));
        Timestamp::from_micros(open).minute()
    }

    #[test]
    fn klines_open_where_binance_opens_them() {
        assert_eq!(open("1w", "2024-01-17T12:00:00Z", 0), "2024-01-15 00:00");
        assert_eq!(open("1M", "2024-02-29T23:59:59Z", 0), "2024-02-01 00:00");
        assert_eq!(open("1M", "2024-12-31T23:59:59Z", 0), "2024-12-01 00:00");
        assert_eq!(open("1M", "2025-01-01T00:00:00Z", 0), "2025-01-01 00:00");
        assert_eq!(open("1d", "2024-01-17T12:00:00Z", 8 * HOUR), "2024-01-16 16:00");
        assert_eq!(open("1d", "2024-01-17T17:00:00Z", 8 * HOUR), "2024-01-17 16:00");
        assert_eq!(open("1M", "2024-01-31T17:00:00Z", 8 * HOUR), "2024-01-31 16:00");
        assert_eq!(open("15m", "2024-01-17T12:44:00Z", -HOUR), "2024-01-17 12:30");
        assert_eq!(Span::parse("1m"), Some(Span::Fixed(Interval::Minute1)));
        assert_eq!(Span::parse("2m"), None);
        for (at, span) in Span::all().enumerate() {
            assert_eq!(span.index(), at);
            assert_eq!(Span::parse(span.as_str()), Some(span));
        }
    }

    #[test]
    fn every_month_of_four_centuries_has_its_length() {
        let mut day = first_day(1_900, 0);
        for month in 0..4_800 {
            let (year, of_year) = (1_900 + month / 12, month % 12);
            assert_eq!(first_day(year, of_year), day, "{year}-{of_year}");
            assert_eq!(month_of(day), (year, of_year));
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            day += [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][of_year as usize];
            assert_eq!(month_of(day - 1), (year, of_year));
        }
    }
}
