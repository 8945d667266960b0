//! What a step costs the feed: candles in memory through gate and merge, by one series and by many;
//! beside it the same candles only looked at, and the synthetic market that makes them itself.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use domain::{Decimal, Interval, Price, Timestamp};
use events::Candle;
use market_data::{Feed, Market, Memory, Recorded, Synthetic};
use market_store::Store;
use service::Steps;
use std::{collections::BTreeMap, fmt::Write as _, hint::black_box};

const CANDLES: u32 = 100_000;

fn market(instruments: u32) -> Memory {
    let mut candles = Vec::new();
    for n in 0..instruments {
        let instrument = format!("binance:spot:COIN{n}USDT").parse().expect("an instrument");
        candles.extend((0..CANDLES / instruments).map(|i| {
            let price = |more: i64| Price::new(Decimal::new(4_228_358 + more, 2)).expect("a price");
            let wave = i64::from(i % 1_000);
            Candle {
                instrument,
                interval: Interval::Minute1,
                open_time: Timestamp::from_millis(1_704_067_200_000) + Interval::Minute1.length() * i,
                open: price(wave),
                high: price(wave + 900),
                low: price(wave - 900),
                close: price(wave + 1),
                volume: Decimal::new(3_512_345, 5),
            }
        }));
    }
    Memory::new(candles)
}

/// The candles of one series as Binance's archives have them, without the columns that nobody reads.
fn csv() -> String {
    let mut market = market(1);
    let mut text = String::new();
    while let Some(c) = market.next(0).expect("a market in memory") {
        let prices = [c.open, c.high, c.low, c.close].map(|p| format!("{:.8}", p.get())).join(",");
        let _ = writeln!(text, "{},{prices},{:.8}", c.open_time.millis(), c.volume);
    }
    text
}

fn drain(market: impl Market + Send + 'static) -> u64 {
    let mut feed = Feed::new(Box::new(market), BTreeMap::new(), None, None);
    let mut events = Vec::new();
    while feed.next_into(&mut events).expect("a sound market").is_some() {
        black_box(&events);
    }
    feed.taken()
}

fn feed(c: &mut Criterion) {
    let mut group = c.benchmark_group("feed");
    group.throughput(Throughput::Elements(u64::from(CANDLES)));
    for instruments in [1, 10, 500] {
        let market = market(instruments);
        group.bench_function(format!("{instruments} series in memory"), |b| {
            b.iter_batched(|| market.clone(), drain, BatchSize::LargeInput);
        });
    }
    let market = market(1);
    group.bench_function("1 series only looked at", |b| {
        b.iter_batched(
            || Box::new(market.clone()) as Box<dyn Market + Send>,
            |mut market| {
                while let Some(candle) = market.next(0).expect("a sound market") {
                    black_box(&candle);
                }
            },
            BatchSize::LargeInput,
        );
    });
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("BTCUSDT-1m.csv");
    std::fs::write(&path, csv()).expect("the candles are written");
    let store = Store::open(&path, "binance".parse().expect("a venue")).expect("sound candles");
    group.bench_function("1 series from plain CSV", |b| b.iter(|| drain(Recorded::new(&store))));
    let synthetic = Synthetic::new(1, 365);
    group.throughput(Throughput::Elements(synthetic.candles()));
    group.bench_function("synthetic", |b| b.iter(|| drain(Synthetic::new(1, 365))));
    group.finish();
}

criterion_group!(benches, feed);
criterion_main!(benches);
