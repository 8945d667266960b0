//! X1: an order that a trade triggers meets the book after that trade.

use super::{
    one_book::{exchange as simulator_exchange, ok},
    stage::{START, Stage, btc, d, rules, setup},
};
use domain::{Decimal, Interval, Timestamp};
use events::{Candle, CandleClosed};
use paper_exchange::{
    endpoint::Endpoint::{OcoPlace, OpenOrdersCancel, OrderPlace, TickerPrice},
    exchange::Exchange,
    frame::{AccountFrame, MarketFrame},
    simulator::{Simulator, Source},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const SECOND: i64 = 1_000_000;
/// Triggered orders that are looked at; `TAPEDECK_ROUNDS` has others.
const WANTED: usize = 40;

fn wanted() -> usize {
    std::env::var("TAPEDECK_ROUNDS").map_or(WANTED, |wanted| wanted.parse().expect("how many"))
}

/// A public trade by its number.
fn trades(frames: &[MarketFrame], into: &mut BTreeMap<i64, Decimal>) {
    for frame in frames.iter().filter(|frame| frame.stream == "btcusdt@trade") {
        let trade: Value = serde_json::from_str(&frame.milli).unwrap();
        into.insert(trade["t"].as_i64().unwrap(), d(trade["p"].as_str().unwrap()));
    }
}

/// Fills of triggered orders that were better than the trade that triggered them, and how many orders filled.
#[derive(Default)]
struct Judge {
    public: BTreeMap<i64, Decimal>,
    /// Orders that were triggered, with what the last trade was by then.
    triggered: BTreeMap<i64, Decimal>,
    filled: usize,
    better: Vec<String>,
}

impl Judge {
    fn see(&mut self, account: &[AccountFrame], market: &[MarketFrame]) {
        trades(market, &mut self.public);
        for frame in account {
            let report: Value = serde_json::from_str(&frame.milli).unwrap();
            if report["e"] != "executionReport" || report["x"] != "TRADE" || report["m"] == true {
                continue;
            }
            let kind = report["o"].as_str().unwrap();
            if !kind.starts_with("STOP_LOSS") && !kind.starts_with("TAKE_PROFIT") {
                continue;
            }
            let (order, trade) = (report["i"].as_i64().unwrap(), report["t"].as_i64().unwrap());
            // Its first fill came right after the trade that triggered it; several may have gone in one go.
            if !self.triggered.contains_key(&order) {
                let before = self.public.range(..trade).next_back().expect("a trade before it");
                self.triggered.insert(order, *before.1);
                self.filled += 1;
            }
            let (trigger, price) = (self.triggered[&order], d(report["L"].as_str().unwrap()));
            let is_better = if report["S"] == "SELL" { price > trigger } else { price < trigger };
            if is_better {
                self.better.push(format!("{kind} {} at {price}, triggered at {trigger}", report["S"]));
            }
        }
    }
}

fn place(exchange: &mut Exchange, dice: &mut u64) {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let draw = |shift: u32, n: u64| (*dice >> shift) % n;
    let price = ok(exchange, TickerPrice, "symbol=BTCUSDT")["price"].as_str().map(d).unwrap();
    let away = |n: u64| Decimal::from(1 + n) / d("2");
    let (below, above) = (price - away(draw(20, 40)), price + away(draw(30, 40)));
    let (side, falls) = if draw(40, 2) == 0 { ("SELL", true) } else { ("BUY", false) };
    let text = |price: Decimal| price.round_dp(2).to_string();
    let (stop, profit) = if falls { (below, above) } else { (above, below) };
    let quantity = ["0.01", "0.5", "30"][draw(44, 3) as usize];
    let base = format!("symbol=BTCUSDT&side={side}&quantity={quantity}");
    match draw(48, 6) {
        0 | 1 => _ = ok(exchange, OrderPlace, &format!("{base}&type=STOP_LOSS&stopPrice={}", text(stop))),
        2 => _ = ok(exchange, OrderPlace, &format!("{base}&type=TAKE_PROFIT&stopPrice={}", text(profit))),
        3 => _ = ok(exchange, OrderPlace, &format!("{base}&type=STOP_LOSS&trailingDelta=10")),
        4 => {
            let limit = if falls { stop - d("200") } else { stop + d("200") };
            let query = format!(
                "{base}&type=STOP_LOSS_LIMIT&timeInForce=GTC&stopPrice={}&price={}",
                text(stop),
                text(limit)
            );
            ok(exchange, OrderPlace, &query);
        }
        _ => {
            let (above_kind, below_kind) = if falls {
                (
                    format!("aboveType=LIMIT_MAKER&abovePrice={}", text(above + d("50"))),
                    format!("belowType=STOP_LOSS&belowStopPrice={}", text(below)),
                )
            } else {
                (
                    format!("aboveType=STOP_LOSS&aboveStopPrice={}", text(above)),
                    format!("belowType=LIMIT_MAKER&belowPrice={}", text(below - d("50"))),
                )
            };
            ok(exchange, OcoPlace, &format!("{base}&{above_kind}&{below_kind}"));
        }
    }
}

/// On the way that is made through candles. Several markets at once, so that the long form takes all processors.
#[test]
fn no_triggered_order_fills_better_than_the_trade_that_triggered_it() {
    let (wanted, next) = (wanted(), AtomicU64::new(0));
    let seen = Mutex::new((0, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let (filled, better) = market(seed);
                    let mut seen = seen.lock().unwrap();
                    seen.0 += filled;
                    seen.1.extend(better);
                    if seen.0 >= wanted {
                        return;
                    }
                    assert!(seed < 1_000, "{} only", seen.0);
                }
            });
        }
    });
    let (filled, better) = seen.into_inner().unwrap();
    println!("{filled} triggered orders, on markets from seed 0 to {}", next.into_inner() - 1);
    assert_eq!(better, [""; 0], "of {filled}");
}

/// How many triggered orders fill on the market of that seed, and which better than what triggered them.
fn market(seed: u64) -> (usize, Vec<String>) {
    let (mut judge, mut dice) = (Judge::default(), 5 + seed);
    let mut exchange = simulator_exchange(seed);
    exchange.want_streams(["btcusdt@trade".to_owned()].into());
    for _ in 0..100 {
        for _ in 0..3 {
            place(&mut exchange, &mut dice);
        }
        exchange.advance(exchange.now() + Duration::from_secs(20));
        judge.see(&exchange.take_account_frames(), &exchange.take_market_frames());
        // Five triggered orders at most may be open.
        let _ = exchange.call(
            OpenOrdersCancel,
            &super::stage::params("symbol=BTCUSDT"),
            paper_exchange::params::TimeUnit::Milli,
        );
        judge.see(&exchange.take_account_frames(), &exchange.take_market_frames());
    }
    (judge.filled, judge.better.into_iter().map(|better| format!("seed {seed}: {better}")).collect())
}

/// The exchange's case: candles of one second that fall from 40,000 to 39,500 at once.
fn gap() -> Exchange {
    let start = START * 1_000 / (60 * SECOND) * 60 * SECOND;
    let candle = |second: i64| {
        let price = if second < 19 { "40000" } else { "39500" };
        Candle {
            instrument: btc(),
            interval: Interval::Second1,
            open_time: Timestamp::from_micros(start + second * SECOND),
            open: price.parse().unwrap(),
            high: price.parse().unwrap(),
            low: price.parse().unwrap(),
            close: price.parse().unwrap(),
            volume: d("10"),
        }
    };
    let candles: Vec<Candle> = (-7_200..60).map(candle).collect();
    let source = Source {
        rules: [(btc(), rules())].into(),
        candles: Box::new(candles.into_iter()),
        seed: 1,
        shift: 0,
        start: Timestamp::from_micros(start),
    };
    let mut setup = setup();
    setup.start = Timestamp::from_micros(start);
    setup.paper.first.balances.insert("USDT".parse().unwrap(), d("10000000"));
    Exchange::new(setup, Simulator::new(source))
}

#[test]
fn a_stop_in_a_gap_sells_below_the_gap() {
    for (kind, worst_bid) in [
        ("side=SELL&type=STOP_LOSS&stopPrice=39600", true),
        ("side=SELL&type=STOP_LOSS&trailingDelta=50", true),
        ("side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&price=39000&stopPrice=39600", true),
        ("side=BUY&type=TAKE_PROFIT&stopPrice=39600", false),
    ] {
        let mut exchange = gap();
        exchange.advance(exchange.now() + Duration::from_secs(10));
        exchange.want_streams(["btcusdt@trade".to_owned()].into());
        ok(&mut exchange, OrderPlace, &format!("symbol=BTCUSDT&quantity=0.01&{kind}"));
        exchange.take_account_frames();
        exchange.advance(exchange.now() + Duration::from_secs(20));
        let frames = exchange.take_account_frames();
        let fill = frames.iter().map(|frame| serde_json::from_str::<Value>(&frame.milli).unwrap());
        let fill = fill
            .into_iter()
            .find(|report| report["x"] == "TRADE")
            .unwrap_or_else(|| panic!("{kind}: no fill"));
        let price = d(fill["L"].as_str().unwrap());
        let after_the_gap = price > d("39000") && price < d("39600");
        assert!(after_the_gap && (price <= d("39500")) | !worst_bid, "{kind}: {price}");
        if !worst_bid {
            assert!(price >= d("39500"), "{kind}: {price}");
        }
    }
}

#[test]
fn an_oco_in_a_gap_sells_below_the_gap() {
    let mut exchange = gap();
    exchange.advance(exchange.now() + Duration::from_secs(10));
    let legs = "aboveType=LIMIT_MAKER&abovePrice=41000&belowType=STOP_LOSS&belowStopPrice=39500";
    ok(&mut exchange, OcoPlace, &format!("symbol=BTCUSDT&side=SELL&quantity=0.01&{legs}"));
    exchange.take_account_frames();
    exchange.advance(exchange.now() + Duration::from_secs(20));
    let frames = exchange.take_account_frames();
    let mut reports = frames.iter().map(|frame| serde_json::from_str::<Value>(&frame.milli).unwrap());
    let fill = reports.find(|report| report["x"] == "TRADE").expect("it sold");
    assert!(d(fill["L"].as_str().unwrap()) <= d("39500"), "{fill}");
}

/// Driven from outside there are candles only: the stop, or the open where that is worse.
#[test]
fn driven_by_candles_a_stop_in_a_gap_sells_at_the_open() {
    let mut stage = Stage::silent(rules());
    let tell = |stage: &mut Stage, n: i64, [open, high, low, close]: [&str; 4]| {
        let start = START.div_euclid(3_600_000) * 3_600_000 + n * 3_600_000;
        let candle = Candle {
            instrument: btc(),
            interval: Interval::Hour1,
            open_time: Timestamp::from_millis(start),
            open: open.parse().unwrap(),
            high: high.parse().unwrap(),
            low: low.parse().unwrap(),
            close: close.parse().unwrap(),
            volume: d("1000"),
        };
        stage.now = candle.close_time();
        stage.exchange.hear(stage.now, &CandleClosed { candle }.into());
    };
    tell(&mut stage, 0, ["40000", "40000", "40000", "40000"]);
    stage.place("side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=39600");
    tell(&mut stage, 2, ["39500", "39700", "39000", "39100"]);
    let fill = stage.frames().into_iter().find(|report| report["x"] == "TRADE").expect("it sold");
    assert!(d(fill["L"].as_str().unwrap()) <= d("39500"), "{fill}");
}
