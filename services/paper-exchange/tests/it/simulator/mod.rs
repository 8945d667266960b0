//! The simulated market: what it does is determined, exact, and says the same on every way.

mod answers;
mod book;
mod history;
mod klines;
mod path;
mod samples;
mod tape;

use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Quantity, Timestamp};
use events::Candle;
use paper_exchange::{
    endpoint::Endpoint,
    frame::MarketFrame,
    params::{Params, TimeUnit},
    refusal::Refusal,
    simulator::{Simulator, Source},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use venue_paper::engine::Book;

/// 2026-01-01T00:00:00Z, a Thursday.
pub const NEW_YEAR: i64 = 1_767_225_600_000_000;
pub const SECOND: i64 = 1_000_000;
pub const HOUR: i64 = 3_600 * SECOND;
pub const DAY: i64 = 24 * HOUR;

pub fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

pub fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub fn instrument(symbol: &str) -> Instrument {
    format!("binance:spot:{symbol}").parse().unwrap()
}

/// BTCUSDT with a tick of 0.01, SHIBUSDT with one of 1e-8, and one that is not written in ASCII.
pub fn rules() -> BTreeMap<Instrument, InstrumentRules> {
    let rules = |base: &str, tick, lot| {
        InstrumentRules::open(base.parse().unwrap(), "USDT".parse().unwrap(), d(tick), d(lot), d("5"))
    };
    BTreeMap::from([
        (instrument("BTCUSDT"), rules("BTC", "0.01", "0.00001")),
        (instrument("SHIBUSDT"), rules("SHIB", "0.00000001", "1")),
        (instrument("币安人生USDT"), rules("币安人生", "0.0001", "0.1")),
    ])
}

pub fn candle(symbol: &str, interval: Interval, open_time: i64, ohlc: [&str; 4], volume: &str) -> Candle {
    let [open, high, low, close] = ohlc.map(price);
    let open_time = at(open_time);
    Candle { instrument: instrument(symbol), interval, open_time, open, high, low, close, volume: d(volume) }
}

/// Some hours of BTCUSDT that end at New Year plus `hours`, after a day of it, and one of SHIBUSDT.
pub fn simulator(seed: u64, hours: i64) -> Simulator {
    let mut candles = vec![
        candle(
            "SHIBUSDT",
            Interval::Day1,
            NEW_YEAR - DAY,
            ["0.00002400", "0.00002600", "0.00002300", "0.00002500"],
            "90000000000",
        ),
        candle(
            "币安人生USDT",
            Interval::Day1,
            NEW_YEAR - DAY,
            ["0.1200", "0.1300", "0.1100", "0.1250"],
            "1000000",
        ),
    ];
    for hour in -24..hours {
        let base = 60_000 + (hour * 37) % 400;
        let text = |plus: i64| format!("{}.{:02}", base + plus, (hour * 13).rem_euclid(100));
        let ohlc = [text(0), text(150), text(-120), text(37)];
        let ohlc = [&*ohlc[0], &*ohlc[1], &*ohlc[2], &*ohlc[3]];
        candles.push(candle("BTCUSDT", Interval::Hour1, NEW_YEAR + hour * HOUR, ohlc, "1234.56789"));
    }
    candles.sort_by_key(|c| (c.close_time(), c.interval));
    made_of(candles, seed, NEW_YEAR)
}

pub fn made_of(candles: Vec<Candle>, seed: u64, start: i64) -> Simulator {
    Simulator::new(Source {
        rules: rules(),
        candles: Box::new(candles.into_iter()),
        seed,
        shift: 0,
        start: at(start),
    })
}

/// As the desk does it, with nobody's orders.
pub fn advance(simulator: &mut Simulator, to: i64) {
    advance_with(simulator, to, |_, _| Book::default());
}

/// As the desk does it; `own` gives own orders beside others' book.
pub fn advance_with(simulator: &mut Simulator, to: i64, mut own: impl FnMut(&Simulator, Instrument) -> Book) {
    while let Some(tick) = simulator.next_tick(at(to)) {
        let own = own(simulator, tick.instrument);
        simulator.published(tick.at, tick.instrument, &own);
    }
}

pub fn want(simulator: &mut Simulator, names: &[&str]) {
    simulator.want_streams(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>());
}

pub fn params(pairs: &[(&str, &str)]) -> Params {
    Params::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

pub fn ask(simulator: &mut Simulator, endpoint: Endpoint, pairs: &[(&str, &str)]) -> Result<Value, Refusal> {
    simulator.call(endpoint, &params(pairs), TimeUnit::Milli)
}

pub fn answer(simulator: &mut Simulator, endpoint: Endpoint, pairs: &[(&str, &str)]) -> Value {
    ask(simulator, endpoint, pairs).unwrap_or_else(|refusal| panic!("{endpoint:?} {pairs:?}: {refusal:?}"))
}

pub fn json(frame: &MarketFrame) -> Value {
    serde_json::from_str(&frame.milli).unwrap_or_else(|e| panic!("{}: {e}: {}", frame.stream, frame.milli))
}

/// Of one stream, as JSON.
pub fn of<'a>(frames: &'a [MarketFrame], stream: &'a str) -> impl Iterator<Item = Value> + 'a {
    frames.iter().filter(move |frame| frame.stream == stream).map(json)
}

/// `TAPEDECK_SEED` repeats one seed; else there are some.
pub fn seeds() -> Vec<u64> {
    match std::env::var("TAPEDECK_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=8).collect(),
    }
}

/// A small generator for tests.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n.max(1)
    }
}
