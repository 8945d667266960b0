//! Values of the command line that are more than a word.

use crate::deployment::Service;
use domain::{Invalid, Timestamp};
use market_data::MarketSpec;
use paper_exchange::server::Limits;
use std::{path::PathBuf, str::FromStr};

/// A name in a list: a space beside the comma is none of its letters.
///
/// # Errors
/// None.
pub fn trimmed(given: &str) -> Result<String, std::convert::Infallible> {
    Ok(given.trim().to_owned())
}

/// What an exchange trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeMarket {
    /// Candles, and a way that is made through them.
    Candles(MarketSpec),
    /// Recorded frames of Binance: `<local time in ns> <message>` a line.
    Frames(PathBuf),
}

impl FromStr for ExchangeMarket {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        const WAYS: &str = "write synthetic[:SEED[:DAYS]], recorded:PATH or recorded-l2:PATH";
        match given.strip_prefix("recorded-l2:") {
            Some("") => Err(Invalid::new("market", given, "name the file or folder of trades and depth")),
            Some(path) => Ok(Self::Frames(path.into())),
            None => played(given, WAYS).map(Self::Candles),
        }
    }
}

/// `ways`: what may be written.
fn played(given: &str, ways: &str) -> Result<MarketSpec, Invalid> {
    let wrong = |why: String| Invalid::new("market", given, why);
    if !["synthetic", "recorded"].contains(&given.split(':').next().unwrap_or_default()) {
        let live = given.starts_with("binance");
        let elsewhere =
            if live { "; live candles are for `tapedeck up` and `tapedeck run market-data`" } else { "" };
        return Err(wrong(format!("{ways}{elsewhere}")));
    }
    given.parse()
}

pub(super) fn times(given: &str) -> Result<f64, String> {
    let times = given.parse::<f64>().ok().filter(|times| (0.001..=1e6).contains(times));
    times.ok_or_else(|| {
        "write how many seconds pass there in one second, from 0.001 to 1e6, e.g. 60".to_owned()
    })
}

pub(super) fn limits(given: &str) -> Result<Limits, String> {
    if given == "off" {
        return Ok(Limits::off());
    }
    let factor = given.parse::<f64>().ok().filter(|factor| (0.001..=1e6).contains(factor));
    factor.map(Limits::times).ok_or_else(|| {
        "write off, or how many times Binance's limits hold, from 0.001 to 1e6, e.g. 10".to_owned()
    })
}

/// Where a whole engine in one process sends its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum UpVenue {
    VenuePaper,
    PaperExchange,
    Binance,
}

/// Where a fleet sends its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum RunVenue {
    VenuePaper,
    Binance,
}

impl RunVenue {
    /// Of a real one.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::VenuePaper => None,
            Self::Binance => Some("binance"),
        }
    }
}

/// A service, or all of them.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    All,
    One(Service),
}

impl std::str::FromStr for Which {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given == "all" { Ok(Self::All) } else { given.parse().map(Self::One) }
    }
}

/// What trading is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    Active,
    Reducing,
    Halted,
}

/// How fast a market plays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed(pub runtime::market::Pace);

impl std::str::FromStr for Speed {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if given == "max" {
            return Ok(Self(runtime::market::Pace::Max));
        }
        match given.parse::<f64>() {
            Ok(times) if (0.001..=1e12).contains(&times) => Ok(Self(runtime::market::Pace::Times(times))),
            _ => Err(
                "write max, or how many seconds of market pass in one second, from 0.001 to 1e12, e.g. 3600"
                    .to_owned(),
            ),
        }
    }
}

/// A moment on a tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Position(u64),
    Time(Timestamp),
}

impl std::str::FromStr for Until {
    type Err = String;
    fn from_str(given: &str) -> Result<Self, String> {
        if let Ok(position) = given.parse() {
            return Ok(Self::Position(position));
        }
        given.parse().map(Self::Time).map_err(|_| {
            "write a position (a whole number) or a time (2024-01-15 or 2024-01-15T00:00:00Z)".to_owned()
        })
    }
}
