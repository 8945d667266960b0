//! A market, its rules and a configuration, drawn from a seed.

use domain::{Asset, Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp, rules::PriceRange};
use events::{Candle, Recorded};
use market_data::{Feed, Memory};
use service::Journal;
use settings::Settings;
use sim::{backtest::Backtest, rng::Rng};
use std::{collections::BTreeMap, fmt::Write};
use tapedeck::units;

pub struct Drawn {
    /// `tapedeck.toml`.
    pub settings: String,
    pub balances: BTreeMap<Asset, Decimal>,
    pub rules: BTreeMap<Instrument, InstrumentRules>,
    pub candles: BTreeMap<Instrument, Vec<Candle>>,
}

/// Everything that was said, in order.
pub struct Log(pub Vec<Recorded>);

impl Journal for Log {
    fn record(&mut self, event: &Recorded) {
        self.0.push(event.clone());
    }
}

impl Drawn {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let days = 100 + rng.below(120) as i64;
        let fee = rng.index(4);
        let mut coins: Vec<&str> = ["ADA", "BTC", "DOGE"][..1 + rng.index(3)].to_vec();
        let mut balances = BTreeMap::from([(asset("USDT"), Decimal::from(3_000 + rng.below(20_000)))]);
        if fee >= 2 {
            // Enough for all fees, or soon used up.
            let bnb = Decimal::new(1 + rng.below(if fee == 2 { 100_000 } else { 30 }) as i64, 3);
            balances.insert(asset("BNB"), bnb);
            coins.push("BNB");
        }
        if rng.chance(30) {
            // The owner's own coins.
            balances.insert(asset("ADA"), Decimal::new(rng.below(1_000_000) as i64, 4));
        }
        let (mut rules, mut candles) = (BTreeMap::new(), BTreeMap::new());
        for coin in coins {
            let instrument: Instrument = format!("binance:spot:{coin}USDT").parse().unwrap();
            let exponent = rng.below(10) as i32 - 5;
            let drawn = draw_rules(&mut rng, coin, exponent);
            candles.insert(instrument, draw_candles(&mut rng, instrument, &drawn, exponent, days));
            rules.insert(instrument, drawn);
        }
        let settings = draw_settings(&mut rng, fee, &balances);
        Self { settings, balances, rules, candles }
    }

    pub fn play(&self) -> Log {
        let settings = Settings::from_toml(&self.settings, units::EDGES)
            .unwrap_or_else(|e| panic!("{e:?}\n{}", self.settings));
        let market = Memory::new(self.candles.values().flatten().copied());
        let run = Backtest {
            hosts: units::all(&settings).unwrap(),
            feed: Feed::new(Box::new(market), self.rules.clone(), None, None),
            source: units::feed(),
            describe: "random".to_owned(),
            tape_id: units::tape_id("random", &settings),
            build: units::BUILD.to_owned(),
        };
        let mut log = Log(Vec::new());
        run.run(&mut log).unwrap();
        log
    }
}

pub fn asset(name: &str) -> Asset {
    name.parse().unwrap()
}

fn ten_to(exponent: i32) -> Decimal {
    match exponent {
        0.. => Decimal::from(10_u64.pow(exponent.unsigned_abs())),
        _ => Decimal::new(1, exponent.unsigned_abs()),
    }
}

/// One of some figures, written as text.
fn one_of(rng: &mut Rng, figures: &[&str]) -> Decimal {
    figures[rng.index(figures.len())].parse().unwrap()
}

fn draw_rules(rng: &mut Rng, coin: &str, exponent: i32) -> InstrumentRules {
    let tick = ten_to((exponent - 2 - rng.below(3) as i32).max(-8)) * one_of(rng, &["1", "1", "5"]);
    // A lot is worth between a thousandth and hundreds.
    let lot = ten_to((rng.below(6) as i32 - 4 - exponent).max(-8)) * one_of(rng, &["1", "1", "2", "5"]);
    let min_notional = one_of(rng, &["1", "5", "10", "20"]);
    let mut rules = InstrumentRules::open(asset(coin), asset("USDT"), tick, lot, min_notional);
    rules.min_notional_applies_to_market = rng.chance(70);
    if rng.chance(40) {
        let down = one_of(rng, &["0.2", "0.7", "0.8", "0.85", "0.92"]);
        let up = one_of(rng, &["5", "1.5", "1.1", "1.04"]);
        rules.sell_price_range = Some(PriceRange { down, up });
        rules.buy_price_range = Some(PriceRange { down: one_of(rng, &["0.2"]), up: one_of(rng, &["5"]) });
    }
    if rng.chance(30) {
        rules.market_lot_size = Some(lot * one_of(rng, &["1", "3", "10"]));
        rules.market_min_quantity = rules.market_lot_size;
    }
    if rng.chance(20) {
        rules.market_max_quantity = Some(lot * Decimal::from(1 + rng.below(200)));
    }
    if rng.chance(20) {
        rules.max_notional = Some(Decimal::from(100 + rng.below(2_000)));
        rules.max_notional_applies_to_market = rng.chance(50);
    }
    if rng.chance(20) {
        rules.max_quantity = Some(lot * Decimal::from(10 + rng.below(1_000)));
    }
    if rng.chance(15) {
        rules.min_price = Some(ten_to(exponent));
    }
    rules.oco_allowed = rng.chance(90);
    rules
}

/// Daily candles that trend, turn, and fall by 30 % on some days.
fn draw_candles(
    rng: &mut Rng,
    instrument: Instrument,
    rules: &InstrumentRules,
    exponent: i32,
    days: i64,
) -> Vec<Candle> {
    let tick = rules.tick_size;
    let least = tick * Decimal::from(30);
    let whole = |raw: Decimal| raw.max(least) - raw.max(least) % tick;
    let mut close = whole(ten_to(exponent) * Decimal::new(100 + rng.below(800) as i64, 2));
    let first: Timestamp = "2024-01-01".parse().unwrap();
    let mut trend = 0_i64;
    let mut candles = Vec::new();
    for day in 0..days {
        if rng.chance(8) {
            trend = rng.below(90) as i64 - 40;
        }
        let part = |thousandths: i64| Decimal::ONE + Decimal::new(thousandths, 3);
        let open = if rng.chance(15) { whole(close * part(rng.below(9) as i64 - 4)) } else { close };
        let moved = if rng.chance(3) { -300 } else { rng.below(81) as i64 - 40 + trend };
        close = whole(open * part(moved));
        let high = whole(open.max(close) * part(rng.below(30) as i64));
        let low = whole(open.min(close) * part(-(rng.below(30) as i64)));
        let volume = if rng.chance(10) { rng.below(40) } else { 100_000_000 };
        candles.push(Candle {
            instrument,
            interval: Interval::Day1,
            open_time: Timestamp::from_millis(first.micros() / 1_000 + day * 86_400_000),
            open: price(open),
            high: price(high.max(open).max(close)),
            low: price(low.min(open).min(close)),
            close: price(close),
            volume: Decimal::from(volume) * rules.lot_size * Decimal::TEN,
        });
    }
    candles
}

fn price(value: Decimal) -> Price {
    Price::new(value).unwrap()
}

fn draw_settings(rng: &mut Rng, fee: usize, balances: &BTreeMap<Asset, Decimal>) -> String {
    let mut toml = String::new();
    let balances: Vec<String> =
        balances.iter().map(|(asset, amount)| format!("{asset} = \"{amount}\"")).collect();
    let fee_asset = ["received", "quote", "BNB", "BNB"][fee];
    let ratio = one_of(rng, &["0.001", "0.00075", "0.004", "0"]);
    let slippage = one_of(rng, &["0", "0.0005", "0.003"]);
    let (long, short) = (3 + rng.below(10), 2 + rng.below(6));
    let sizing = match rng.index(2) {
        0 => format!("{{ method = \"fixed\", amount = {} }}", [25, 60, 100, 700, 3_000][rng.index(5)]),
        _ => format!("{{ method = \"risk\", max_loss = 0.0{}, max_amount = \"none\" }}", 1 + rng.below(5)),
    };
    let exit = match rng.index(2) {
        0 => format!(
            "{{ kind = \"stop_limit\", stop = {}, limit_below = 0.2 }}",
            one_of(rng, &["0.05", "0.15", "0.3"])
        ),
        _ => format!(
            "{{ kind = \"oco\", stop = {}, stop_limit = 0.35, take_profit = {} }}",
            one_of(rng, &["0.05", "0.1"]),
            one_of(rng, &["0.05", "0.2"])
        ),
    };
    write!(
        toml,
        "account = \"binance:paper\"
[paper]
balances = {{ {} }}
fee_asset = \"{fee_asset}\"
maker_fee = {ratio}
taker_fee = {ratio}
slippage = {slippage}
[limits]
max_open_risk = \"none\"
max_asset_exposure = \"none\"
max_trade = 0.5
prohibited = [\"BNB\"]
[edges.edge70]
long = {long}
short = {short}
sizing = {sizing}
exit = {exit}
",
        balances.join(", ")
    )
    .unwrap();
    toml
}
