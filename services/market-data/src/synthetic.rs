//! A synthetic market: seeded, the same on every machine, generated as it is played.
//!
//! Only integers are used, prices in thousandths of a tick, so that no machine rounds otherwise.
//! Each instrument goes through trends, quiet ranges and crashes of its own; crashes and outages,
//! in which candles are missing, come over the whole market at once.

mod calendar;
mod path;
mod random;

use crate::{Market, MarketError, Series};
use calendar::Calendar;
use domain::{Asset, Decimal, Instrument, InstrumentRules, Interval, Invalid, Symbol, Timestamp, Venue};
use events::Candle;
use path::{Hours, Profile};
use std::collections::BTreeMap;

/// 2024-01-01T00:00:00Z.
pub const START: Timestamp = Timestamp::from_millis(1_704_067_200_000);
pub const DEFAULT_SEED: u64 = 1;
/// Two years: to 2026-01-01.
pub const DEFAULT_DAYS: u32 = 731;
/// A century.
pub const MOST_DAYS: u32 = 36_500;

/// Hourly candles, and daily ones made of exactly these, of several instruments.
pub struct Synthetic {
    rules: BTreeMap<Instrument, InstrumentRules>,
    series: Vec<Series>,
    candles: Vec<Box<dyn Iterator<Item = Candle> + Send>>,
    seed: u64,
    days: u32,
}

/// Figures are plausible for 2024; lots and ticks are of very different size on purpose.
const PROFILES: &[Profile] = &[
    Profile { symbol: "BTCUSDT", tick: 2, lot: 5, start: 4_228_000, noise: 2_700, volume: 150_000_000 },
    Profile { symbol: "ETHUSDT", tick: 2, lot: 4, start: 228_100, noise: 3_300, volume: 120_000_000 },
    Profile { symbol: "SOLUSDT", tick: 2, lot: 3, start: 10_170, noise: 4_900, volume: 150_000_000 },
    Profile { symbol: "ADAUSDT", tick: 4, lot: 1, start: 5_940, noise: 4_400, volume: 60_000_000 },
    Profile { symbol: "SHIBUSDT", tick: 8, lot: 0, start: 2_500, noise: 5_600, volume: 20_000_000_000 },
];

impl Synthetic {
    /// `days` beyond [`MOST_DAYS`] are cut off.
    pub fn new(seed: u64, days: u32) -> Self {
        let days = days.min(MOST_DAYS);
        let mut rules = BTreeMap::new();
        let mut sorted: BTreeMap<Series, Box<dyn Iterator<Item = Candle> + Send>> = BTreeMap::new();
        for profile in PROFILES {
            let listed = listing(profile).unwrap_or_else(|e| unreachable!("a valid profile: {e}"));
            let instrument = listed.0;
            rules.insert(instrument, listed.1);
            let hours = || Hours::new(instrument, profile, seed, days);
            sorted.insert(Series { interval: Interval::Hour1, instrument }, Box::new(hours()));
            sorted.insert(Series { interval: Interval::Day1, instrument }, Box::new(Days::of(hours())));
        }
        let (series, candles) = sorted.into_iter().unzip();
        Self { rules, series, candles, seed, days }
    }

    /// What is traded, with the venue's rules.
    pub fn rules(&self) -> &BTreeMap<Instrument, InstrumentRules> {
        &self.rules
    }

    /// How many there are in all.
    pub fn candles(&self) -> u64 {
        let (hours, days) = Calendar::new(self.seed, self.days).recorded();
        (hours + days) * PROFILES.len() as u64
    }

    pub fn end(&self) -> Timestamp {
        START + Interval::Day1.length() * self.days
    }
}

impl Market for Synthetic {
    fn series(&self) -> &[Series] {
        &self.series
    }
    fn next(&mut self, index: usize) -> Result<Option<Candle>, MarketError> {
        Ok(self.candles[index].next())
    }
}

fn listing(profile: &Profile) -> Result<(Instrument, InstrumentRules), Invalid> {
    let symbol = profile.symbol;
    let instrument = Instrument::spot(Venue::new(crate::spec::VENUE)?, Symbol::new(symbol)?);
    let base = Asset::new(symbol.strip_suffix("USDT").unwrap_or(symbol))?;
    let step = |decimals| Decimal::new(1, decimals);
    let rules = InstrumentRules::open(
        base,
        Asset::new("USDT")?,
        step(profile.tick),
        step(profile.lot),
        Decimal::from(5),
    );
    Ok((instrument, rules))
}

/// Daily candles of hourly ones; a day without any hour has none.
struct Days<I> {
    hours: I,
    /// Of the day that is being gathered.
    day: Option<Candle>,
}

impl<I: Iterator<Item = Candle>> Days<I> {
    fn of(hours: I) -> Self {
        Self { hours, day: None }
    }
}

impl<I: Iterator<Item = Candle>> Iterator for Days<I> {
    type Item = Candle;

    fn next(&mut self) -> Option<Candle> {
        for hour in self.hours.by_ref() {
            match &mut self.day {
                Some(day) if day.open_time.day() == hour.open_time.day() => {
                    day.high = day.high.max(hour.high);
                    day.low = day.low.min(hour.low);
                    day.close = hour.close;
                    day.volume += hour.volume;
                }
                _ => {
                    if let Some(day) = self.day.replace(opened(hour)) {
                        return Some(day);
                    }
                }
            }
        }
        self.day.take()
    }
}

/// The day of which that hour is the first one that is there.
fn opened(hour: Candle) -> Candle {
    let midnight = Timestamp::from_micros(hour.open_time.day() * 86_400_000_000);
    Candle { interval: Interval::Day1, open_time: midnight, ..hour }
}
