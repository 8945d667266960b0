//! What a candle costs: one price taken. `cargo bench -p portfolio-tracker`; aim: under 50 ns.

use domain::{Decimal, Instrument, Interval, Timestamp};
use events::*;
use portfolio_tracker::{Config, PortfolioTracker, State};
use service::Service;
use std::{hint::black_box, time::Instant};

fn main() {
    // `cargo test --all-targets` runs this without `--bench`: then it only has to work.
    let full = std::env::args().any(|arg| arg == "--bench");
    let candles = if full { 5_000_000 } else { 1_000 };
    println!("{:>11}  {:>15}  {:>15}", "instruments", "by turns: ns", "at random: ns");
    for instruments in [1, 45, 500] {
        println!(
            "{instruments:>11}  {:>15.1}  {:>15.1}",
            run(instruments, 1, candles),
            run(instruments, 7_919, candles)
        );
    }
}

/// Nanoseconds a candle, `stride` instruments apart.
fn run(instruments: usize, stride: usize, candles: usize) -> f64 {
    let tracker = PortfolioTracker::new(Config::new("USDT".parse().unwrap()));
    let mut state = State::default();
    let mut events: Vec<Event> = (0..instruments).map(closed).collect();
    let start = Instant::now();
    for n in 0..candles {
        let event = &mut events[n * stride % instruments];
        tracker.apply(&mut state, Timestamp::ZERO, event);
        black_box(tracker.decide(&state, Timestamp::ZERO, event));
    }
    start.elapsed().as_secs_f64() * 1e9 / candles as f64
}

fn closed(n: usize) -> Event {
    let instrument: Instrument = format!("binance:spot:COIN{n:03}USDT").parse().unwrap();
    let price = "100.25".parse().unwrap();
    let (interval, open_time, volume) = (Interval::Minute1, Timestamp::ZERO, Decimal::ONE);
    let candle = Candle {
        instrument,
        interval,
        open_time,
        open: price,
        high: price,
        low: price,
        close: price,
        volume,
    };
    CandleClosed { candle }.into()
}
