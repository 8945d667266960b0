//! How long a candle is.

use crate::{Invalid, Timestamp};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, time::Duration};

macro_rules! intervals {
    ($($name:ident $text:literal $seconds:literal;)*) => {
        /// The candle intervals of fixed length that Binance offers (its `enums.md`), finest first.
        /// A calendar month has no fixed length and is left out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Interval { $(#[serde(rename = $text)] $name,)* }

        impl Interval {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
            pub const fn length(self) -> Duration {
                match self { $(Self::$name => Duration::from_secs($seconds),)* }
            }
        }

        impl FromStr for Interval {
            type Err = Invalid;
            fn from_str(given: &str) -> Result<Self, Invalid> {
                match given {
                    $($text => Ok(Self::$name),)*
                    _ => Err(Invalid::new("interval", given, concat!("one of", $(" ", $text,)*))),
                }
            }
        }
    };
}

intervals! {
    Second1 "1s" 1;
    Minute1 "1m" 60;
    Minute3 "3m" 180;
    Minute5 "5m" 300;
    Minute15 "15m" 900;
    Minute30 "30m" 1_800;
    Hour1 "1h" 3_600;
    Hour2 "2h" 7_200;
    Hour4 "4h" 14_400;
    Hour6 "6h" 21_600;
    Hour8 "8h" 28_800;
    Hour12 "12h" 43_200;
    Day1 "1d" 86_400;
    Day3 "3d" 259_200;
    Week1 "1w" 604_800;
}

impl Interval {
    /// The instant at which a candle opened at `open` closes and the next one opens.
    pub fn close_of(self, open: Timestamp) -> Timestamp {
        open + self.length()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[test]
fn a_candle_closes_when_the_next_one_opens_and_its_length_is_written_in_columns() {
    let open: Timestamp = "2024-01-15T23:00:00Z".parse().unwrap_or_default();
    assert_eq!(Interval::Hour1.close_of(open).to_string(), "2024-01-16T00:00:00Z");
    assert_eq!(format!("{:>4}", Interval::Minute15), " 15m");
}
