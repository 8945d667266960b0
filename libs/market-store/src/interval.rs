//! Intervals as people and programs write them in names of files.

use domain::Interval;

/// What a part of a file's name says of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Known(Interval),
    /// A calendar month has no fixed length.
    Month,
    /// It is an interval, but none that Binance offers: 10m, 3h.
    Foreign,
    /// `m` may be a minute or a month.
    MinuteOrMonth,
    No,
}

impl Word {
    /// `1d`, `1D`, `d`, `day`, `1h`, `60m`, `1hour`, `minute`, …; `1M` is a month and `1m` a minute.
    pub fn read(word: &str) -> Self {
        if let Ok(interval) = word.parse() {
            return Self::Known(interval);
        }
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = &word[..word.len() - unit.len()];
        let Some(seconds) = seconds(unit, !digits.is_empty()) else {
            return match (unit, unit.to_ascii_lowercase().as_str()) {
                ("M", _) | (_, "mo" | "mon" | "month" | "months" | "monthly") => Self::Month,
                ("m", _) if digits.is_empty() => Self::MinuteOrMonth,
                _ => Self::No,
            };
        };
        let count: u64 = if digits.is_empty() { 1 } else { digits.parse().unwrap_or(0) };
        let length = count.checked_mul(seconds);
        let known = Interval::ALL.iter().find(|interval| Some(interval.length().as_secs()) == length);
        known.map_or(Self::Foreign, |interval| Self::Known(*interval))
    }
}

/// Of one unit. Single letters that may be the name of a coin count only behind a number.
fn seconds(unit: &str, counted: bool) -> Option<u64> {
    if unit == "M" {
        return None;
    }
    Some(match unit.to_ascii_lowercase().as_str() {
        "s" if counted => 1,
        "m" | "t" if counted => 60,
        "sec" | "secs" | "second" | "seconds" => 1,
        "min" | "mins" | "minute" | "minutes" => 60,
        "h" | "hr" | "hour" | "hours" | "hourly" => 3_600,
        "d" | "day" | "days" | "daily" => 86_400,
        "w" | "wk" | "week" | "weeks" | "weekly" => 604_800,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_of_other_programs_are_known_and_months_are_no_minutes() {
        for (words, expected) in [
            ("1d 1D d D day daily 1day 24h 1440m", "1d"),
            ("1h 1H h hour 1hour hourly 60m 60min", "1h"),
            ("1m 1min minute 1Minute 1T 60s", "1m"),
            ("1w 1W w week weekly 7d", "1w"),
            ("4h 240m 4H", "4h"),
        ] {
            for word in words.split(' ') {
                assert_eq!(Word::read(word), Word::Known(expected.parse().unwrap()), "{word}");
            }
        }
        for word in ["1M", "M", "1mo", "1Mo", "month", "3M"] {
            assert_eq!(Word::read(word), Word::Month, "{word}");
        }
        for word in ["10m", "3h", "2d", "0h"] {
            assert_eq!(Word::read(word), Word::Foreign, "{word}");
        }
        assert_eq!(Word::read("m"), Word::MinuteOrMonth);
        for word in ["BTCUSDT", "2024", "S", "T", "", "1INCH", "00"] {
            assert_eq!(Word::read(word), Word::No, "{word}");
        }
    }
}
