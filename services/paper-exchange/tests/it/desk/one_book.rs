//! There is one book: what is asked for, what streams tell and what orders trade with are the same.

use super::stage::{START, btc, d, params, rules, setup};
use domain::{Decimal, InstrumentRules, Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    endpoint::Endpoint::{self, Account, Depth, OrderPlace, TickerBookTicker},
    exchange::Exchange,
    params::TimeUnit,
    simulator::{Simulator, Source},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const HOUR: i64 = 3_600_000;
/// Rounds of reading, trading and reading again; `TAPEDECK_ROUNDS` has others.
const ROUNDS: usize = 100;
/// So many clients share them.
const CLIENTS: usize = 4;

fn rounds() -> usize {
    std::env::var("TAPEDECK_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"))
}

/// Two days of hours around 60,000, of 36,000 BTC each: ten a second.
pub fn exchange(seed: u64) -> Exchange {
    exchange_of(seed, "36000")
}

/// The same where so many BTC are traded in an hour.
pub fn exchange_of(seed: u64, volume: &str) -> Exchange {
    let volume = d(volume);
    let candle = move |hour: i64| Candle {
        instrument: btc(),
        interval: Interval::Hour1,
        open_time: Timestamp::from_millis(START.div_euclid(HOUR) * HOUR + (hour - 24) * HOUR),
        open: "60000".parse().unwrap(),
        high: "60300".parse().unwrap(),
        low: "59700".parse().unwrap(),
        close: "60000".parse().unwrap(),
        volume,
    };
    let candles: Vec<Candle> = (0..48).map(candle).collect();
    let source = Source {
        rules: [(btc(), InstrumentRules { max_quantity: None, ..rules() })].into(),
        candles: Box::new(candles.into_iter()),
        seed,
        shift: 0,
        start: Timestamp::from_millis(START),
    };
    let mut setup = setup();
    setup.paper.first.balances = BTreeMap::from([
        ("USDT".parse().unwrap(), d("1000000000000")),
        ("BTC".parse().unwrap(), d("100000000")),
    ]);
    Exchange::new(setup, Simulator::new(source))
}

pub fn ok(exchange: &mut Exchange, endpoint: Endpoint, query: &str) -> Value {
    let answer = exchange.call(endpoint, &params(query), TimeUnit::Milli);
    answer.unwrap_or_else(|no| panic!("{endpoint:?} {query}: {no:?}"))
}

fn pass(exchange: &mut Exchange, millis: u64) {
    exchange.advance(exchange.now() + Duration::from_millis(millis));
}

type Side = Vec<(Decimal, Decimal)>;

/// Bids and asks.
fn depth(exchange: &mut Exchange, limit: usize) -> [Side; 2] {
    let depth = ok(exchange, Depth, &format!("symbol=BTCUSDT&limit={limit}"));
    let row = |row: &Value| (d(row[0].as_str().unwrap()), d(row[1].as_str().unwrap()));
    ["bids", "asks"].map(|side| depth[side].as_array().unwrap().iter().map(row).collect())
}

fn fills(placed: &Value) -> Side {
    let fill = |fill: &Value| (d(fill["price"].as_str().unwrap()), d(fill["qty"].as_str().unwrap()));
    placed["fills"].as_array().unwrap().iter().map(fill).collect()
}

/// What a taker of `quantity` finds, and what is left of the book then.
fn taken(book: &Side, quantity: Decimal) -> (Side, Side) {
    let (mut wanted, mut found, mut left) = (quantity, Side::new(), Side::new());
    for &(price, offered) in book {
        let part = wanted.min(offered);
        if part > Decimal::ZERO {
            found.push((price, part));
        }
        if part < offered {
            left.push((price, offered - part));
        }
        wanted -= part;
    }
    assert!(wanted.is_zero(), "the book has enough");
    (found, left)
}

/// X2: with or without an order open elsewhere, whatever the side and the size. Several clients, each on a market
/// of its own, so that the long form takes all processors.
#[test]
fn who_reads_the_book_and_trades_on_it_trades_what_was_read() {
    let each = rounds().div_ceil(CLIENTS);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || reads_and_trades(11 + client as u64, each));
        }
    });
}

fn reads_and_trades(seed: u64, rounds: usize) {
    let mut exchange = exchange(seed);
    pass(&mut exchange, 1_000);
    let mut n = seed - 11;
    for round in 0..rounds {
        if round == rounds / 2 {
            let resting = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=36000";
            ok(&mut exchange, OrderPlace, resting);
        }
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let buys = (n >> 40).is_multiple_of(2);
        // An order reaches at most four levels deep; now and then all of the book is read.
        let limit = if round.is_multiple_of(25) { 5_000 } else { 20 };
        let before = depth(&mut exchange, limit);
        let side = &before[usize::from(buys)];
        // Exactly the best level, a part of it, or some levels and a part of the next one.
        let quantity = match (n >> 33) % 4 {
            0 => side[0].1,
            1 => (side[0].1 / d("3")).trunc_with_scale(5).max(d("0.1")),
            2 => side[..2].iter().map(|level| level.1).sum(),
            _ => side[..3].iter().map(|level| level.1).sum::<Decimal>() + d("0.1"),
        };
        let quantity = quantity.max(d("0.1"));
        let (found, left) = taken(side, quantity);
        let name = if buys { "BUY" } else { "SELL" };
        let query = format!("symbol=BTCUSDT&side={name}&type=MARKET&quantity={quantity}");
        let placed = ok(&mut exchange, OrderPlace, &query);
        let what = format!("seed {seed}, round {round}");
        assert_eq!(fills(&placed), found, "{what}");
        let after = depth(&mut exchange, limit);
        // Of a side with more levels than are told, the last ones follow.
        let known = left.len().min(after[usize::from(buys)].len() - found.len());
        assert!(known >= limit / 2, "{what}: {known} levels to compare");
        assert_eq!(after[usize::from(buys)][..known], left[..known], "{what}: what was taken is gone");
        assert_eq!(
            after[usize::from(!buys)],
            before[usize::from(!buys)],
            "{what}: the other side is as it was"
        );
        let ticker = ok(&mut exchange, TickerBookTicker, "symbol=BTCUSDT");
        let [price, size] = if buys { ["askPrice", "askQty"] } else { ["bidPrice", "bidQty"] };
        let best = (d(ticker[price].as_str().unwrap()), d(ticker[size].as_str().unwrap()));
        assert_eq!(best, left[0], "{what}");
        pass(&mut exchange, (n >> 20) % 400);
    }
    ok(&mut exchange, Account, "");
}

#[test]
fn asking_changes_nothing() {
    let run = |asks: bool| {
        let mut exchange = exchange(12);
        exchange.want_streams(BTreeSet::from(["btcusdt@bookTicker".to_owned()]));
        pass(&mut exchange, 1_000);
        exchange.take_market_frames();
        let mut said = Vec::new();
        for n in 0..60 {
            pass(&mut exchange, 90);
            for _ in 0..if asks { 3 } else { 0 } {
                depth(&mut exchange, 100);
                ok(&mut exchange, TickerBookTicker, "");
                ok(&mut exchange, Endpoint::Ticker24hr, "symbol=BTCUSDT");
            }
            if n % 5 == 0 {
                ok(&mut exchange, OrderPlace, "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=20");
            }
            said.extend(exchange.take_market_frames().into_iter().map(|frame| frame.milli));
            said.extend(exchange.take_account_frames().into_iter().map(|frame| frame.milli));
        }
        said
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn what_was_taken_is_gone_on_every_stream_until_it_comes_back() {
    let mut exchange = exchange(13);
    exchange.want_streams(
        ["btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@depth5@100ms"].map(str::to_owned).into(),
    );
    pass(&mut exchange, 1_050);
    exchange.take_market_frames();
    let [_, asks] = depth(&mut exchange, 10);
    let (price, quantity) = asks[0];
    ok(&mut exchange, OrderPlace, &format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity={quantity}"));
    pass(&mut exchange, 60);
    let frames = exchange.take_market_frames();
    let of = |stream: &str| -> Vec<Value> {
        let of = frames.iter().filter(|frame| frame.stream == stream);
        of.map(|frame| serde_json::from_str(&frame.milli).unwrap()).collect()
    };
    let price_of = |value: &Value| d(value.as_str().unwrap());
    assert!(of("btcusdt@bookTicker").iter().all(|frame| price_of(&frame["a"]) > price));
    let gone = of("btcusdt@depth@100ms").iter().any(|frame| {
        frame["a"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| price_of(&row[0]) == price && price_of(&row[1]).is_zero())
    });
    assert!(gone, "the diff says that the level is gone");
    for frame in of("btcusdt@depth5@100ms") {
        assert!(price_of(&frame["asks"][0][0]) > price);
    }
}

/// It comes back over seconds, not at once, and not never.
#[test]
fn liquidity_comes_back_over_seconds() {
    let mut exchange = exchange(14);
    pass(&mut exchange, 1_000);
    let spread = |exchange: &mut Exchange| -> Decimal {
        let [bids, asks] = depth(exchange, 5);
        asks[0].0 - bids[0].0
    };
    let before = spread(&mut exchange);
    let eaten: Decimal = depth(&mut exchange, 100)[1].iter().map(|level| level.1).sum();
    ok(&mut exchange, OrderPlace, &format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity={eaten}"));
    let open = spread(&mut exchange);
    assert!(open > before * d("100"), "{before} {open}");
    let mut seen = Vec::new();
    for (millis, least, most) in [(250, "0.8", "1.2"), (2_750, "0.1", "0.9"), (57_000, "0", "0.01")] {
        pass(&mut exchange, millis);
        let part = spread(&mut exchange) / open;
        seen.push(part);
        assert!(part >= d(least) && part <= d(most), "{seen:?} of the gap after {millis} ms");
    }
}

#[test]
fn a_sliced_order_pays_for_the_slices_before() {
    let above_bid = |wait: u64| -> Vec<Decimal> {
        let mut exchange = exchange(15);
        pass(&mut exchange, 1_000);
        let mut seen = Vec::new();
        for _ in 0..10 {
            let bid = depth(&mut exchange, 5)[0][0].0;
            let placed = ok(&mut exchange, OrderPlace, "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=60");
            let paid: Decimal = fills(&placed).iter().map(|(price, quantity)| price * quantity).sum();
            seen.push(paid / d("60") - bid);
            pass(&mut exchange, wait);
        }
        seen
    };
    let at_once = above_bid(0);
    assert!(at_once.is_sorted_by(|a, b| a < b), "each slice finds less: {at_once:?}");
    let slowly = above_bid(1_000);
    assert!(slowly[4] > slowly[0] * d("1.5"), "a second brings a fifth back: {slowly:?}");
    assert!(slowly[9] < at_once[9], "and waiting pays: {slowly:?} {at_once:?}");
    let patient = above_bid(60_000);
    assert!(patient.iter().all(|one| *one < at_once[5]), "{patient:?}");
}

/// X9: as deep as it is asked for, and shaped like a recorded one.
#[test]
fn depth_is_as_deep_as_it_is_asked_for() {
    let mut exchange = exchange(16);
    pass(&mut exchange, 1_000);
    for limit in [5, 10, 20, 50, 100, 500, 1_000, 5_000] {
        let [bids, asks] = depth(&mut exchange, limit);
        assert_eq!((bids.len(), asks.len()), (limit, limit), "{limit}");
        assert!(bids.is_sorted_by(|a, b| a.0 > b.0) && asks.is_sorted_by(|a, b| a.0 < b.0));
        assert!(bids[0].0 < asks[0].0);
    }
    let [bids, asks] = depth(&mut exchange, 5_000);
    for side in [&bids, &asks] {
        let within = |part: &str| -> Decimal {
            let reach = side[0].0 * d(part);
            side.iter().filter(|level| (level.0 - side[0].0).abs() <= reach).map(|level| level.1).sum()
        };
        // Ten a second: recorded books hold some seconds of trade within a thousandth, and minutes within a hundredth.
        let (near, far) = (within("0.001"), within("0.01"));
        assert!(near > d("100") && near < d("5000"), "{near}");
        assert!(far > near * d("2") && far < d("20000"), "{far}");
        let sizes: BTreeSet<Decimal> = side.iter().map(|level| level.1).collect();
        assert!(sizes.len() > 100, "sizes differ: {}", sizes.len());
    }
}

/// Large orders find what is deep in the book.
#[test]
fn a_large_order_walks_as_deep_as_the_book_goes() {
    let mut exchange = exchange(17);
    pass(&mut exchange, 1_000);
    let [_, asks] = depth(&mut exchange, 5_000);
    let quantity: Decimal = asks[..3_000].iter().map(|level| level.1).sum();
    let query =
        format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=240000&quantity={quantity}");
    let placed = ok(&mut exchange, OrderPlace, &query);
    assert_eq!(fills(&placed), asks[..3_000]);
    assert_eq!(depth(&mut exchange, 1)[1], asks[3_000..3_001]);
}
