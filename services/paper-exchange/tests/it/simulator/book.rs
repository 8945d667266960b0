//! Depth: diffs, partial books and snapshots say the same.

use super::*;
use domain::Side;
use venue_binance::{
    book::{Change, LocalBook, Step},
    market::{self, Fixed, Message},
};

/// Own orders on both sides, within the spread and deep down, that come and go.
struct Own {
    dice: Dice,
    orders: Vec<(Side, Price, Quantity)>,
}

impl Own {
    /// Own levels as they stand now.
    fn show(&mut self, others: &Book) -> Book {
        if self.dice.below(4) == 0 {
            let side = if self.dice.below(2) == 0 { Side::Buy } else { Side::Sell };
            let best = if side == Side::Buy { others.bids[0].0 } else { others.asks[0].0 };
            let away = Decimal::new(self.dice.below(3_000) as i64, 2);
            let price = if side == Side::Buy { best.get() - away } else { best.get() + away };
            self.orders.push((
                side,
                Price::new(price).unwrap(),
                Quantity::new(Decimal::new(1 + self.dice.below(99_999) as i64, 5)).unwrap(),
            ));
        }
        if self.orders.len() > 20 || self.dice.below(9) == 0 {
            let gone = self.dice.below(self.orders.len() as u64) as usize;
            if gone < self.orders.len() {
                self.orders.swap_remove(gone);
            }
        }
        // What the market has run over is filled.
        let (bid, ask) = (others.bids[0].0, others.asks[0].0);
        self.orders.retain(|(side, price, _)| match side {
            Side::Buy => *price < ask,
            Side::Sell => *price > bid,
        });
        let mut own = Book::default();
        for &(side, price, quantity) in &self.orders {
            let levels = if side == Side::Buy { &mut own.bids } else { &mut own.asks };
            levels.push((price, quantity));
        }
        own
    }
}

/// Others' levels and own ones together.
fn merged(others: &Book, own: &Book) -> Book {
    let side = |others: &[(Price, Quantity)], own: &[(Price, Quantity)]| {
        let mut all: std::collections::BTreeMap<Price, Decimal> = Default::default();
        for (price, quantity) in others.iter().chain(own) {
            *all.entry(*price).or_default() += quantity.get();
        }
        let level = |(price, quantity): (Price, Decimal)| (price, Quantity::new(quantity).unwrap());
        all.into_iter().map(level).collect::<Vec<_>>()
    };
    let mut bids = side(&others.bids, &own.bids);
    bids.reverse();
    Book { bids, asks: side(&others.asks, &own.asks) }
}

fn fixed(levels: &[(Price, Quantity)]) -> Vec<(Fixed, Fixed)> {
    let fixed = |value: Decimal| Fixed::read(&value.to_string()).unwrap();
    levels.iter().map(|(p, q)| (fixed(p.get()), fixed(q.get()))).collect()
}

fn follow(local: &mut LocalBook, frames: &[MarketFrame], stream: &str) -> Vec<Step> {
    let of = frames.iter().filter(|frame| frame.stream == stream);
    of.map(|frame| match market::decode(frame.milli.as_bytes()).unwrap().message {
        Message::DepthUpdate(update) => local.change(&Change::from(update)),
        other => panic!("{other:?}"),
    })
    .collect()
}

fn assert_same(local: &LocalBook, book: &Book) {
    let held = local.book().expect("a book");
    let side = |levels: &mut dyn Iterator<Item = market::Level>| {
        levels.map(|l| (l.price, l.quantity)).collect::<Vec<_>>()
    };
    assert_eq!(side(&mut held.bids.iter()), fixed(&book.bids));
    assert_eq!(side(&mut held.asks.iter()), fixed(&book.asks));
}

/// "How to manage a local order book correctly", by `venue-binance`'s own book.
#[test]
fn a_local_book_ends_in_the_published_one() {
    for seed in seeds().into_iter().take(3) {
        println!("TAPEDECK_SEED={seed}");
        for stream in ["btcusdt@depth@100ms", "btcusdt@depth"] {
            let mut simulator = simulator(seed, 2);
            simulator.watch(BTreeSet::new());
            let mut own = Own { dice: Dice(seed), orders: Vec::new() };
            let mut last = Book::default();
            // Somebody has been listening for a while.
            want(&mut simulator, &["btcusdt@depth@100ms"]);
            let btc = instrument("BTCUSDT");
            let mut show = |simulator: &Simulator, _| own.show(&simulator.book(btc).unwrap());
            advance_with(&mut simulator, NEW_YEAR + 5 * SECOND, &mut show);
            simulator.take_frames();
            want(&mut simulator, &["btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@bookTicker"]);
            let mut local = LocalBook::default();
            let mut steps = Vec::new();
            for cut in 1..=60 {
                let to = NEW_YEAR + 5 * SECOND + cut * 737_000;
                advance_with(&mut simulator, to, &mut show);
                // An order between two ticks, which takes something too.
                let tick = simulator.current(btc).unwrap();
                assert_eq!(tick.trades, []);
                let others = simulator.book(btc).unwrap();
                let (price, quantity) = others.asks[0];
                simulator.took(at(to), btc, &[(Side::Sell, price, quantity.get())]);
                let others = simulator.book(btc).unwrap();
                assert_ne!(others.asks[0].0, price, "what was taken is gone");
                let ours = show(&simulator, btc);
                simulator.published(at(to), btc, &ours);
                last = merged(&others, &ours);
                let now = follow(&mut local, &simulator.take_frames(), stream);
                if now.iter().any(|step| matches!(step, Step::FetchSnapshot(_))) {
                    let pairs = params(&[("symbol", "BTCUSDT"), ("limit", "5000")]);
                    let snapshot = simulator.call(Endpoint::Depth, &pairs, TimeUnit::Milli).unwrap();
                    let snapshot = snapshot.to_string();
                    let Message::PartialDepth(snapshot) =
                        market::decode(snapshot.as_bytes()).unwrap().message
                    else {
                        panic!("{snapshot}")
                    };
                    assert_eq!(local.snapshot(&snapshot), Step::Applied);
                }
                steps.extend(now);
            }
            // Until the streams have spoken of everything; no tick follows that changes it.
            let full = (NEW_YEAR + 5 * SECOND + 60 * 737_000) / SECOND * SECOND + SECOND;
            advance_with(&mut simulator, full, |simulator, instrument| {
                let ours = show(simulator, instrument);
                last = merged(&simulator.book(btc).unwrap(), &ours);
                ours
            });
            follow(&mut local, &simulator.take_frames(), stream);
            assert_same(&local, &last);
            assert_eq!(local.synchronised, 1, "nothing was missed");
            let applied = steps.iter().filter(|step| **step == Step::Applied).count();
            let least = if stream.ends_with("100ms") { 400 } else { 40 };
            assert!(applied >= least, "{applied} of {} diffs on {stream}", steps.len());
        }
    }
}

#[test]
fn diffs_join_without_gap_or_overlap_and_come_at_their_pace() {
    let mut simulator = simulator(6, 1);
    want(&mut simulator, &["btcusdt@depth@100ms", "btcusdt@depth"]);
    advance(&mut simulator, NEW_YEAR + 60 * SECOND);
    let frames = simulator.take_frames();
    for (stream, pace, count) in [("btcusdt@depth@100ms", 100, 600), ("btcusdt@depth", 1_000, 60)] {
        let diffs: Vec<_> = of(&frames, stream).collect();
        assert!(diffs.len() <= count && diffs.len() > count * 9 / 10, "{stream}: {}", diffs.len());
        let mut next = None;
        for diff in diffs {
            let (first, last) = (diff["U"].as_u64().unwrap(), diff["u"].as_u64().unwrap());
            assert!(first <= last);
            assert!(next.is_none_or(|next| next == first), "{next:?} {first}");
            next = Some(last + 1);
            assert_eq!(diff["E"].as_i64().unwrap() % pace, 0);
            let changes = diff["b"].as_array().unwrap().len() + diff["a"].as_array().unwrap().len();
            assert!(changes as u64 <= last - first + 1, "each change counts");
        }
    }
}

#[test]
fn partial_books_and_best_prices_are_those_of_the_snapshot() {
    let mut simulator = simulator(6, 1);
    want(&mut simulator, &["btcusdt@depth20@100ms", "btcusdt@depth5", "btcusdt@bookTicker"]);
    advance(&mut simulator, NEW_YEAR + 10 * SECOND);
    let frames = simulator.take_frames();
    let depth = answer(&mut simulator, Endpoint::Depth, &[("symbol", "BTCUSDT"), ("limit", "20")]);
    let twenty = of(&frames, "btcusdt@depth20@100ms").last().unwrap();
    assert_eq!(twenty, depth);
    let five = of(&frames, "btcusdt@depth5").last().unwrap();
    assert_eq!(five["lastUpdateId"], depth["lastUpdateId"]);
    assert_eq!(five["bids"].as_array().unwrap()[..], depth["bids"].as_array().unwrap()[..5]);
    let best = of(&frames, "btcusdt@bookTicker").last().unwrap();
    assert_eq!(serde_json::json!([best["b"], best["B"]]), depth["bids"][0]);
    assert_eq!(serde_json::json!([best["a"], best["A"]]), depth["asks"][0]);
    let ticker = answer(&mut simulator, Endpoint::TickerBookTicker, &[("symbol", "BTCUSDT")]);
    assert_eq!([&ticker["bidPrice"], &ticker["askQty"]], [&best["b"], &best["A"]]);
}

#[test]
fn from_one_step_to_the_next_a_book_changes_a_little() {
    let mut simulator = simulator(6, 1);
    want(&mut simulator, &["btcusdt@depth@100ms"]);
    advance(&mut simulator, NEW_YEAR + 60 * SECOND);
    let frames = simulator.take_frames();
    let sizes: Vec<_> = of(&frames, "btcusdt@depth@100ms")
        .skip(1)
        .map(|diff| diff["b"].as_array().unwrap().len() + diff["a"].as_array().unwrap().len())
        .collect();
    let mean = sizes.iter().sum::<usize>() / sizes.len();
    assert!((10..100).contains(&mean), "{mean} levels change on average");
}
