//! What one candle costs the edge: `cargo bench -p edge70-signals`.
//!
//! A candle of another interval is to cost less than 20 ns, an evaluated one less than 150 ns.

use domain::{Decimal, Instrument, Interval, Price, Timestamp};
use edge70_signals::{Config, Edge70, Forward, State};
use events::{Candle, CandleClosed, Event};
use service::Service;
use std::{hint::black_box, num::NonZeroU32, time::Instant};

const ROUNDS: usize = 20;

fn main() {
    for instruments in [1, 10, 400] {
        measure("another interval", Interval::Minute1, instruments);
        measure("evaluated", Interval::Day1, instruments);
    }
}

fn measure(what: &str, interval: Interval, instruments: usize) {
    let edge = Edge70::new(Config {
        instruments: None,
        edge: "edge70".parse().expect("a name"),
        interval: Interval::Day1,
        long: NonZeroU32::new(59).expect("not zero"),
        short: NonZeroU32::new(21).expect("not zero"),
        forward: Forward::DirectionFlips,
    });
    let candles = candles(interval, instruments, 200_000);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut state = State::default();
        let start = Instant::now();
        let mut said = 0;
        for event in &candles {
            edge.apply(&mut state, Timestamp::ZERO, black_box(event));
            let signals = edge.decide(&state, Timestamp::ZERO, event);
            for signal in &signals {
                edge.apply(&mut state, Timestamp::ZERO, signal);
            }
            said += signals.len();
        }
        black_box(said);
        best = best.min(start.elapsed().as_nanos() as f64 / candles.len() as f64);
    }
    println!("{what:>16}, {instruments:>3} instruments: {best:6.1} ns per candle");
}

/// A random walk in cents, with the same seed every time.
fn candles(interval: Interval, instruments: usize, count: usize) -> Vec<Event> {
    let mut state = 1_u64;
    let mut random = |m: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) % m) as i64
    };
    let names: Vec<Instrument> = (0..instruments)
        .map(|i| format!("binance:spot:COIN{i}USDT").parse().expect("an instrument"))
        .collect();
    let price = |cents: i64| Price::new(Decimal::new(cents, 2)).expect("above zero");
    let mut close = 1_000_000;
    (0..count)
        .map(|i| {
            let open = close;
            close = (open + random(2_001) - 1_000).max(10_000);
            let candle = Candle {
                instrument: names[i % instruments],
                interval,
                open_time: interval.close_of(Timestamp::ZERO),
                open: price(open),
                high: price(open.max(close) + random(500)),
                low: price(open.min(close) - random(500)),
                close: price(close),
                volume: Decimal::ONE,
            };
            CandleClosed { candle }.into()
        })
        .collect()
}
