//! The price of one instrument, hour by hour.

use super::{
    START,
    calendar::{Calendar, Hour},
    random::Random,
};
use domain::{Decimal, Instrument, Interval, Price, Timestamp};
use events::Candle;

/// What makes one instrument differ from another.
#[derive(Debug)]
pub struct Profile {
    pub symbol: &'static str,
    /// Decimals of the tick and of the lot.
    pub tick: u32,
    pub lot: u32,
    /// The first price, in ticks.
    pub start: i64,
    /// The most by which the price moves at random in a quarter of an hour, twice over, in ppm.
    /// The hourly standard deviation is 1.63 times this.
    pub noise: i64,
    /// Lots traded in an ordinary hour.
    pub volume: i64,
}

/// Prices are held in thousandths of a tick, so that small drifts are not lost in rounding.
const FINE: i64 = 1_000;
const MILLION: i64 = 1_000_000;
/// Hours in which a quiet range pulls the price half-way back.
const PULL: i64 = 100;

/// Hourly candles of one instrument, those of outages left out.
pub struct Hours {
    instrument: Instrument,
    profile: &'static Profile,
    calendar: Calendar,
    random: Random,
    open_time: Timestamp,
    price: i64,
    mood: Mood,
    hours_left: i64,
}

/// What the market wants for some weeks.
#[derive(Debug, Clone, Copy)]
enum Mood {
    /// Up or down, by so many ppm an hour.
    Trend { drift: i64 },
    /// Back to this price.
    Range { middle: i64 },
}

/// One hour's prices, fine.
struct Bar {
    open: i64,
    high: i64,
    low: i64,
    close: i64,
}

impl Hours {
    pub fn new(instrument: Instrument, profile: &'static Profile, seed: u64, days: u32) -> Self {
        let stream =
            profile.symbol.bytes().fold(1, |sum: u64, b| sum.wrapping_mul(131).wrapping_add(u64::from(b)));
        let price = profile.start * FINE;
        Self {
            instrument,
            profile,
            calendar: Calendar::new(seed, days),
            random: Random::new(seed, stream),
            open_time: START,
            price,
            mood: Mood::Range { middle: price },
            hours_left: 0,
        }
    }

    fn bar(&mut self, hour: Hour) -> Bar {
        if hour.crash {
            self.price -= self.price / 100 * self.random.within(20, 40);
            self.hours_left = 0;
        }
        if self.hours_left <= 0 {
            self.change_mood();
        }
        self.hours_left -= 1;
        let noise = self.profile.noise;
        let open = self.price;
        let (mut high, mut low) = (open, open);
        for _ in 0..4 {
            let random = self.random.within(-noise, noise) + self.random.within(-noise, noise);
            self.price += parts(self.price, self.drift() / 4 + random);
            self.price = self.price.clamp(self.profile.start * FINE / 20, self.profile.start * FINE * 40);
            high = high.max(self.price);
            low = low.min(self.price);
        }
        high += parts(high, self.random.within(0, noise / 2));
        low -= parts(low, self.random.within(0, noise / 2));
        Bar { open, high, low, close: self.price }
    }

    /// In ppm an hour.
    fn drift(&self) -> i64 {
        match self.mood {
            Mood::Trend { drift } => drift,
            Mood::Range { middle } => (middle - self.price) * (MILLION / PULL) / self.price,
        }
    }

    /// Trends last long enough, and are strong enough, for slow edges to follow them; a price that
    /// has gone far is driven back.
    fn change_mood(&mut self) {
        let start = self.profile.start * FINE;
        let (up, down) = match self.price {
            high if high > start * 5 => (1, 7),
            low if low < start / 3 => (7, 1),
            _ => (4, 3),
        };
        let strength = self.random.within(240, 420);
        let kind = self.random.within(1, up + down + 3);
        (self.mood, self.hours_left) = if kind <= up {
            (Mood::Trend { drift: strength }, self.random.within(30 * 24, 75 * 24))
        } else if kind <= up + down {
            (Mood::Trend { drift: -strength }, self.random.within(20 * 24, 50 * 24))
        } else {
            (Mood::Range { middle: self.price }, self.random.within(12 * 24, 40 * 24))
        };
    }

    fn candle(&mut self, bar: &Bar) -> Candle {
        Candle {
            instrument: self.instrument,
            interval: Interval::Hour1,
            open_time: self.open_time,
            open: self.price_of(bar.open),
            high: self.price_of(bar.high),
            low: self.price_of(bar.low),
            close: self.price_of(bar.close),
            volume: self.volume(bar),
        }
    }

    /// To the nearest tick.
    fn price_of(&self, fine: i64) -> Price {
        let ticks = ((fine + FINE / 2) / FINE).max(1);
        Price::new(Decimal::new(ticks, self.profile.tick).normalize())
            .unwrap_or_else(|e| unreachable!("at least one tick: {e}"))
    }

    /// More when prices move.
    fn volume(&mut self, bar: &Bar) -> Decimal {
        let range = (bar.high - bar.low) * 100 / (bar.open / 100 * self.profile.noise / 10_000).max(1);
        let percent = self.random.within(30, 90) + range.min(1_000) / 5;
        Decimal::new(self.profile.volume / 100 * percent, self.profile.lot).normalize()
    }
}

impl Iterator for Hours {
    type Item = Candle;

    fn next(&mut self) -> Option<Candle> {
        loop {
            let hour = self.calendar.next()?;
            let bar = self.bar(hour);
            // Drawn in outages too, so that an outage changes nothing but what is seen.
            let candle = self.candle(&bar);
            self.open_time = self.open_time + Interval::Hour1.length();
            if hour.recorded {
                return Some(candle);
            }
        }
    }
}

fn parts(price: i64, ppm: i64) -> i64 {
    price * ppm / MILLION
}
