//! Reading a tape of a million events into all services against a raw read, decoding included in
//! both; and how long a start takes with and without snapshots.
//!
//! Run with `cargo bench -p tapedeck --bench recovery`.

use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp};
use events::{Candle, Uuid};
use market_data::{Feed, Memory};
use runtime::{
    market::{Market, Pace},
    reached::Reached,
    recover::{self, Plan},
};
use service::Walk;
use settings::Settings;
use std::{collections::BTreeMap, path::Path, time::Instant};
use tape::{Mode, Tape};
use tapedeck::units;
use tokio::sync::watch;

/// Enough for a million events.
const CANDLES: i64 = 200_000;

fn main() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.tape");
    let start = Instant::now();
    let tape = open(&path).await;
    play(&tape).await;
    let head = tape.head().await.expect("readable").position;
    println!("recorded {head} events in {:.1} s", start.elapsed().as_secs_f64());

    for round in 1..=3 {
        let raw = raw_read(&tape).await;
        let services = into_services(&tape).await;
        println!(
            "round {round}: raw read {:>8.0} events/s, into all services {:>8.0} events/s, ratio {:.2}",
            head as f64 / raw,
            head as f64 / services,
            raw / services
        );
    }

    let start = Instant::now();
    play(&tape).await;
    println!("start from snapshots {:.3} s", start.elapsed().as_secs_f64());
    tape.forget_snapshots().await.expect("writable");
    let start = Instant::now();
    play(&tape).await;
    println!("start from the tape  {:.3} s", start.elapsed().as_secs_f64());
}

async fn open(path: &Path) -> Tape {
    Tape::open(&format!("sqlite:{}", path.display()), Mode::Write).await.expect("a tape")
}

/// Plays the market on the tape: all of it at first, nothing once it has been played.
async fn play(tape: &Tape) {
    let run = Market {
        tape: tape.clone(),
        hosts: units::all(&settings()).expect("a right configuration"),
        feed: Feed::new(Box::new(Memory::new(candles())), rules(), None, None),
        source: units::feed(),
        describe: "bench".to_owned(),
        tape_id: Uuid::from_u128(1),
        build: units::BUILD.to_owned(),
        owner: "bench".to_owned(),
        pace: Pace::Max,
        reached: Reached::default(),
        observer: None,
        external: None,
        hands: None,
    };
    let (_stop, stopped) = watch::channel(false);
    run.run(stopped).await.expect("a run");
}

async fn raw_read(tape: &Tape) -> f64 {
    let start = Instant::now();
    let (mut after, mut seen) = (0, 0_u64);
    loop {
        let rows = tape.read(after, 5_000).await.expect("readable");
        let Some(last) = rows.last() else { break };
        after = last.position;
        for row in &rows {
            seen += u64::from(row.decode().expect("ours").position > 0);
        }
    }
    assert!(seen > 0);
    start.elapsed().as_secs_f64()
}

async fn into_services(tape: &Tape) -> f64 {
    let hosts = units::all(&settings()).expect("a right configuration");
    let plan = Plan {
        build: units::BUILD,
        walk: Walk::Follow,
        snapshots: false,
        until: None,
        learn: &[],
        checkpoints: &[],
    };
    let start = Instant::now();
    let walked = recover::follow(tape, hosts, None, &plan, |_| {}).await.expect("readable");
    assert!(walked.pending.is_empty());
    start.elapsed().as_secs_f64()
}

fn settings() -> Settings {
    Settings::from_toml(
        r#"
[paper]
balances = { USDT = 100000000000 }
[limits]
max_open_positions = "none"
max_open_risk = "none"
max_asset_exposure = "none"
[edges.edge70]
interval = "1m"
long = 3
short = 2
"#,
        units::EDGES,
    )
    .expect("a right configuration")
}

fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().expect("an instrument")
}

fn rules() -> BTreeMap<Instrument, InstrumentRules> {
    let asset = |name: &str| name.parse().expect("an asset");
    let rules = InstrumentRules::open(
        asset("BTC"),
        asset("USDT"),
        Decimal::new(1, 2),
        Decimal::new(1, 5),
        Decimal::from(5),
    );
    BTreeMap::from([(btc(), rules)])
}

/// Up and down, so that the edge turns every few candles.
fn candles() -> Vec<Candle> {
    let price = |cents| Price::new(Decimal::new(cents, 2)).expect("positive");
    let mut close = 2_000_000;
    (0..CANDLES)
        .map(|n| {
            let open = close;
            close += if (n / 6) % 2 == 0 { 900 } else { -900 } + n % 7;
            Candle {
                instrument: btc(),
                interval: Interval::Minute1,
                open_time: Timestamp::from_millis(1_500_000_000_000 / 60_000 * 60_000 + n * 60_000),
                open: price(open),
                high: price(open.max(close) + 60),
                low: price(open.min(close) - 60),
                close: price(close),
                volume: Decimal::new(123_456_789, 4),
            }
        })
        .collect()
}
