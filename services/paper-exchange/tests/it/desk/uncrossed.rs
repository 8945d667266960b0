//! The book is neither crossed nor locked, whatever of ours rests on it and whichever way it is looked at.

use super::{
    one_book::{exchange_of, ok},
    stage::{d, params},
};
use domain::Decimal;
use paper_exchange::{
    endpoint::Endpoint::{
        Depth, OpenOrders, OpenOrdersCancel, OrderCancel, OrderPlace, Ticker24hr, TickerBookTicker,
    },
    exchange::Exchange,
    frame::MarketFrame,
    params::TimeUnit,
};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

const SYMBOL: &str = "symbol=BTCUSDT";
const STREAMS: [&str; 6] = [
    "btcusdt@bookTicker",
    "btcusdt@depth@100ms",
    "btcusdt@depth",
    "btcusdt@depth5@100ms",
    "btcusdt@depth20",
    "btcusdt@ticker",
];
/// BTC traded in an hour.
const BUSY: &str = "36000";
/// So little that seconds pass between two trades.
const QUIET: &str = "2";
/// Random markets, and what is done on each.
const MARKETS: u64 = 12;
const DEEDS: usize = 150;

fn number(value: &Value) -> Decimal {
    d(value.as_str().expect("a number in quotes"))
}

/// Price and quantity of the best bid and ask.
type Best = [(Decimal, Decimal); 2];

/// Where nobody stands on a side it is zero, and nothing is crossed.
#[track_caller]
fn check(what: &str, [bid, ask]: Best) {
    let both = !bid.1.is_zero() && !ask.1.is_zero();
    assert!(!both || bid.0 < ask.0, "{what}: bid {} × {}, ask {} × {}", bid.0, bid.1, ask.0, ask.1);
}

fn of_ticker(ticker: &Value, names: [&str; 4]) -> Best {
    let [bid, bids, ask, asks] = names.map(|name| number(&ticker[name]));
    [(bid, bids), (ask, asks)]
}

fn of_rows(book: &Value) -> Best {
    ["bids", "asks"].map(|side| {
        let first = &book[side][0];
        if first.is_null() { Default::default() } else { (number(&first[0]), number(&first[1])) }
    })
}

/// Whoever follows the book by Binance's procedure.
#[derive(Default)]
struct Follower {
    last: u64,
    sides: [BTreeMap<Decimal, Decimal>; 2],
}

impl Follower {
    fn begin(book: &Value) -> Self {
        let side = |name: &str| -> BTreeMap<Decimal, Decimal> {
            book[name].as_array().unwrap().iter().map(|row| (number(&row[0]), number(&row[1]))).collect()
        };
        Self { last: book["lastUpdateId"].as_u64().unwrap(), sides: ["bids", "asks"].map(side) }
    }

    fn apply(&mut self, diff: &Value) {
        let last = diff["u"].as_u64().unwrap();
        if last <= self.last {
            return;
        }
        self.last = last;
        for (side, name) in self.sides.iter_mut().zip(["b", "a"]) {
            for row in diff[name].as_array().unwrap() {
                let (price, quantity) = (number(&row[0]), number(&row[1]));
                if quantity.is_zero() {
                    side.remove(&price)
                } else {
                    side.insert(price, quantity)
                };
            }
        }
    }

    fn best(&self) -> Best {
        let level = |level: Option<(&Decimal, &Decimal)>| level.map(|(p, q)| (*p, *q)).unwrap_or_default();
        [level(self.sides[0].last_key_value()), level(self.sides[1].first_key_value())]
    }
}

/// An exchange, and everybody who looks at its book.
struct Watched {
    exchange: Exchange,
    followers: BTreeMap<&'static str, Follower>,
    streams: bool,
}

impl Watched {
    /// `streams`: whether anybody listens to them, or the book is only asked for.
    /// `volume`: what is traded in an hour, in BTC.
    fn new(seed: u64, volume: &str, streams: bool) -> Self {
        let mut exchange = exchange_of(seed, volume);
        if streams {
            exchange.want_streams(STREAMS.map(str::to_owned).into());
        }
        exchange.advance(exchange.now() + Duration::from_millis(1_000));
        let book = ok(&mut exchange, Depth, &format!("{SYMBOL}&limit=5000"));
        exchange.take_market_frames();
        let diffs = ["btcusdt@depth@100ms", "btcusdt@depth"];
        let followers = diffs.map(|name| (name, Follower::begin(&book))).into();
        Self { exchange, followers, streams }
    }

    fn pass(&mut self, millis: u64) {
        self.exchange.advance(self.exchange.now() + Duration::from_millis(millis));
    }

    fn hear(&mut self, frame: &MarketFrame) {
        let told: Value = serde_json::from_str(&frame.milli).unwrap();
        let best = match frame.stream.as_str() {
            "btcusdt@bookTicker" => of_ticker(&told, ["b", "B", "a", "A"]),
            "btcusdt@ticker" => of_ticker(&told, ["b", "B", "a", "A"]),
            "btcusdt@depth5@100ms" | "btcusdt@depth20" => of_rows(&told),
            diff => {
                let follower = self.followers.get_mut(diff).expect("a stream that was asked for");
                follower.apply(&told);
                follower.best()
            }
        };
        check(&frame.stream, best);
    }

    /// Looks at every endpoint. What only looks comes first: it must not need the help of `depth`.
    fn look(&mut self, what: &str, deep: bool) -> Best {
        let ticker = ok(&mut self.exchange, TickerBookTicker, SYMBOL);
        let best = of_ticker(&ticker, ["bidPrice", "bidQty", "askPrice", "askQty"]);
        check(&format!("bookTicker {what}"), best);
        let day = ok(&mut self.exchange, Ticker24hr, SYMBOL);
        assert_eq!(of_ticker(&day, ["bidPrice", "bidQty", "askPrice", "askQty"]), best, "{what}");
        if deep {
            let book = ok(&mut self.exchange, Depth, &format!("{SYMBOL}&limit=5"));
            assert_eq!(of_rows(&book), best, "depth is what bookTicker told, {what}");
        }
        let frames = self.exchange.take_market_frames();
        assert!(frames.is_empty() || self.streams, "nobody listens");
        frames.iter().for_each(|frame| self.hear(frame));
        best
    }
}

/// The case that was found: the rest of a limit order that has taken stands where the asks that it took come back.
#[test]
fn what_comes_back_to_the_price_of_a_resting_order_trades_with_it() {
    for (side, streams) in [("BUY", false), ("SELL", false), ("BUY", true), ("SELL", true)] {
        let mut watched = Watched::new(21, BUSY, streams);
        let book = ok(&mut watched.exchange, Depth, &format!("{SYMBOL}&limit=100"));
        let rows = book[if side == "BUY" { "asks" } else { "bids" }].as_array().unwrap();
        let (quantity, price) =
            (rows.iter().map(|row| number(&row[1])).sum::<Decimal>(), number(&rows[99][0]));
        let rest = d("5");
        let order = format!(
            "{SYMBOL}&side={side}&type=LIMIT&timeInForce=GTC&price={price}&quantity={}",
            quantity + rest
        );
        let placed = ok(&mut watched.exchange, OrderPlace, &order);
        assert_eq!(number(&placed["executedQty"]), quantity, "the rest rests");
        watched.exchange.take_account_frames();
        let mut made = Decimal::ZERO;
        for n in 0..400 {
            watched.pass(25);
            watched.look(&format!("{side} after {} ms", 25 * (n + 1)), n % 3 == 0);
            for frame in watched.exchange.take_account_frames() {
                let report: Value = serde_json::from_str(&frame.milli).unwrap();
                if report["x"] == "TRADE" {
                    assert_eq!((number(&report["L"]), &report["m"]), (price, &Value::Bool(true)));
                    made += number(&report["l"]);
                }
            }
        }
        assert_eq!(made, rest, "{side}: it was filled as a maker, at its price, by what came back");
        assert_eq!(ok(&mut watched.exchange, OpenOrders, SYMBOL), Value::Array(Vec::new()));
    }
}

/// A spread that closes by itself does so against whoever stands in it.
#[test]
fn an_order_in_the_spread_is_traded_with_and_not_locked() {
    let mut inside = 0;
    for seed in 0..40 {
        let mut watched = Watched::new(seed, QUIET, seed % 2 == 0);
        let [bid, ask] = watched.look("before", true);
        if ask.0 - bid.0 < d("0.02") {
            continue;
        }
        inside += 1;
        let order = format!("{SYMBOL}&side=BUY&type=LIMIT_MAKER&quantity=0.01&price={}", bid.0 + d("0.01"));
        ok(&mut watched.exchange, OrderPlace, &order);
        for n in 0..200 {
            watched.pass(50);
            watched.look(&format!("seed {seed}, step {n}"), n % 5 == 0);
        }
    }
    assert!(inside >= 2, "{inside} markets with a spread of two ticks");
}

fn deed(watched: &mut Watched, draw: &mut impl FnMut(u64) -> u64, [bid, ask]: Best) -> String {
    let side = if draw(2) == 0 { "BUY" } else { "SELL" };
    // Through the book, at its best price, in the spread, or behind.
    let reach = [Decimal::ZERO, d("0.01"), d("0.5"), d("3"), d("15")][draw(5) as usize];
    let best = [bid.0, ask.0][draw(2) as usize];
    let price = if draw(2) == 0 { best + reach } else { best - reach };
    let quantity = ["0.001", "0.3", "5", "60", "200"][draw(5) as usize];
    let base = format!("{SYMBOL}&side={side}&quantity={quantity}");
    let limit = format!("{base}&type=LIMIT&timeInForce=GTC&price={price}");
    let (endpoint, query) = match draw(12) {
        0..4 => (OrderPlace, limit),
        4 => (OrderPlace, format!("{limit}&icebergQty={}", d(quantity) / d("4"))),
        5 => (OrderPlace, format!("{base}&type=LIMIT_MAKER&price={price}")),
        6 => (OrderPlace, format!("{base}&type=MARKET")),
        7 => (
            OrderPlace,
            format!("{base}&type=STOP_LOSS_LIMIT&timeInForce=GTC&stopPrice={price}&price={price}"),
        ),
        8 => (OrderPlace, format!("{limit}&selfTradePreventionMode=EXPIRE_MAKER")),
        9 => (OpenOrdersCancel, SYMBOL.to_owned()),
        10 => {
            let open = ok(&mut watched.exchange, OpenOrders, SYMBOL);
            let Some(first) = open.as_array().and_then(|open| open.first()) else { return String::new() };
            (OrderCancel, format!("{SYMBOL}&orderId={}", first["orderId"]))
        }
        _ => {
            let status = if draw(2) == 0 { "HALT" } else { "TRADING" };
            watched.exchange.set_status("BTCUSDT", status).unwrap();
            return format!("set {status}");
        }
    };
    // Some are refused: there is nothing to cancel, or the symbol does not trade.
    let answer = watched.exchange.call(endpoint, &params(&query), TimeUnit::Milli);
    format!("{query}: {}", answer.map_or_else(|no| no.msg, |_| "done".to_owned()))
}

#[test]
fn whatever_is_done_no_book_is_crossed_or_locked() {
    let (mut rested, mut done) = (0, 0);
    for seed in 0..MARKETS {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut draw = |n: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % n
        };
        let mut watched = Watched::new(seed, if seed % 2 == 0 { BUSY } else { QUIET }, seed % 3 != 0);
        let mut best = watched.look("at first", true);
        for n in 0..DEEDS {
            let what = format!("seed {seed}, deed {n}: {}", deed(&mut watched, &mut draw, best));
            done += usize::from(what.ends_with("done"));
            best = watched.look(&what, draw(3) == 0);
            for _ in 0..draw(5) {
                let millis = [1, 20, 100, 350, 3_000][draw(5) as usize];
                watched.pass(millis);
                best = watched.look(&format!("{what}, {millis} ms later"), draw(3) == 0);
            }
            let open = ok(&mut watched.exchange, OpenOrders, SYMBOL);
            rested += open.as_array().map_or(0, Vec::len);
        }
    }
    assert!(rested > 1_000 && done > 500, "{rested} orders seen to rest, {done} deeds done");
}
