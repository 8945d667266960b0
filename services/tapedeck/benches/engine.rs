//! The whole engine: candles per second with an idle edge, events per second while trading, and
//! orders per second from two thousand to a million orders.
//!
//! Run with `cargo bench -p tapedeck --bench engine`. Every figure is printed with its ratio to a
//! baseline of the same run.

use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp};
use events::{Candle, Event, OrderEvent, Recorded, Uuid};
use market_data::{Feed, Memory};
use service::{Journal, Steps};
use settings::Settings;
use sim::{backtest::Backtest, rng::Rng};
use std::{collections::BTreeMap, time::Instant};
use tapedeck::units;

fn main() {
    let candles = 3_000_000;
    let flat = flat(candles);
    let bare = feed_alone(&flat);
    println!("feed alone           {:>10.0} candles/s", candles as f64 / bare);
    let (events, seconds) = play(&settings(IDLE), flat, &mut ());
    println!(
        "engine, idle edge    {:>10.0} candles/s  {events} events  ratio to the feed alone {:.2}",
        candles as f64 / seconds,
        bare / seconds
    );

    let swinging = swinging(300_000);
    let bare = feed_alone(&swinging);
    println!("feed alone           {:>10.0} candles/s", 300_000.0 / bare);
    let mut kinds = Kinds::default();
    let (events, seconds) = play(&settings(TRADING), swinging, &mut kinds);
    println!(
        "engine, trading      {:>10.0} events/s   {events} events, {} orders  ratio to the feed alone {:.2}",
        events as f64 / seconds,
        kinds.orders,
        bare / seconds
    );

    let mut first = None;
    for orders in [2_000, 20_000, 200_000, 1_000_000] {
        let mut pace = Pace { wanted: orders, ..Pace::default() };
        let candles = swinging_for(orders);
        let (_, _) = play(&settings(TRADING), candles, &mut pace);
        let rate = pace.last_rate();
        let base = *first.get_or_insert(rate);
        println!(
            "orders, {:>9} in all {:>8.0} orders/s among the last 2,000  ratio to the first 2,000 {:.2}",
            pace.orders,
            rate,
            rate / base
        );
    }
}

const IDLE: &str = "";
const TRADING: &str = r#"
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
max_age = "26h"
"#;

fn settings(toml: &str) -> Settings {
    Settings::from_toml(toml, units::EDGES).expect("a right configuration")
}

fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().expect("an instrument")
}

fn rules() -> BTreeMap<Instrument, InstrumentRules> {
    let rules = InstrumentRules::open(
        "BTC".parse().expect("an asset"),
        "USDT".parse().expect("an asset"),
        Decimal::new(1, 2),
        Decimal::new(1, 5),
        Decimal::from(5),
    );
    BTreeMap::from([(btc(), rules)])
}

fn candle(n: i64, open: i64, high: i64, low: i64, close: i64) -> Candle {
    let price = |cents| Price::new(Decimal::new(cents, 2)).expect("positive");
    Candle {
        instrument: btc(),
        interval: Interval::Minute1,
        open_time: Timestamp::from_millis(1_500_000_000_000 / 60_000 * 60_000 + n * 60_000),
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        volume: Decimal::new(123_456_789, 4),
    }
}

/// Never a new extreme.
fn flat(count: i64) -> Vec<Candle> {
    (0..count).map(|n| candle(n, 2_000_000, 2_000_100, 1_999_900, 2_000_000 + n % 50)).collect()
}

/// Up and down, so that the edge turns every few candles.
fn swinging(count: i64) -> Vec<Candle> {
    let mut rng = Rng::new(1);
    let mut close = 2_000_000;
    (0..count)
        .map(|n| {
            let open = close;
            let push = if (n / 6) % 2 == 0 { 900 } else { -900 };
            let noise = i64::try_from(rng.below(301)).expect("small") - 150;
            close = (open + push + noise).max(100_000);
            candle(n, open, open.max(close) + 60, open.min(close) - 60, close)
        })
        .collect()
}

/// Enough candles for that many orders: two or three a turn.
fn swinging_for(orders: u64) -> Vec<Candle> {
    swinging(i64::try_from(orders).expect("small") * 5 + 100)
}

fn feed(candles: Vec<Candle>) -> Feed {
    Feed::new(Box::new(Memory::new(candles)), rules(), None, None)
}

fn feed_alone(candles: &[Candle]) -> f64 {
    let mut feed = feed(candles.to_vec());
    let mut events = Vec::new();
    let start = Instant::now();
    while Steps::next_into(&mut feed, &mut events).expect("in memory").is_some() {
        events.clear();
    }
    start.elapsed().as_secs_f64()
}

fn play(settings: &Settings, candles: Vec<Candle>, journal: &mut impl Journal) -> (u64, f64) {
    let run = Backtest {
        hosts: units::all(settings).expect("a right configuration"),
        feed: feed(candles),
        source: units::feed(),
        describe: "bench".to_owned(),
        tape_id: Uuid::from_u128(1),
        build: units::BUILD.to_owned(),
    };
    let start = Instant::now();
    let events = run.run(journal).expect("in memory");
    (events, start.elapsed().as_secs_f64())
}

#[derive(Default)]
struct Kinds {
    orders: u64,
}

impl Journal for Kinds {
    fn record(&mut self, event: &Recorded) {
        if let Event::Order(OrderEvent::Submitted(_)) = &event.event {
            self.orders += 1;
        }
    }
}

/// How fast the last two thousand orders up to `wanted` went.
#[derive(Default)]
struct Pace {
    wanted: u64,
    orders: u64,
    from: Option<Instant>,
    seconds: f64,
}

const LAST: u64 = 2_000;

impl Pace {
    fn last_rate(&self) -> f64 {
        LAST as f64 / self.seconds
    }
}

impl Journal for Pace {
    fn record(&mut self, event: &Recorded) {
        if !matches!(&event.event, Event::Order(OrderEvent::Submitted(_))) {
            return;
        }
        self.orders += 1;
        if self.orders + LAST == self.wanted.max(LAST + 1) {
            self.from = Some(Instant::now());
        }
        if self.orders == self.wanted
            && let Some(from) = self.from
        {
            self.seconds = from.elapsed().as_secs_f64();
        }
    }
}
