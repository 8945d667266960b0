//! Public trades and depth that were recorded, played as a market.

use super::*;
use domain::Side;
use paper_exchange::recording::{Recording, RecordingError};
use std::{fs, path::PathBuf};

/// Plays it from New Year on; everything is watched.
fn play(path: &std::path::Path) -> (Simulator, Recording) {
    let recording = Recording::open(path).unwrap();
    let again = Recording::open(path).unwrap();
    let mut simulator = Simulator::new(Source {
        rules: BTreeMap::new(),
        candles: Box::new(std::iter::empty()),
        seed: 1,
        shift: 0,
        start: at(NEW_YEAR),
    });
    let btc = rules()[&instrument("BTCUSDT")].clone();
    let shift = NEW_YEAR - again.first;
    simulator.play(instrument("BTCUSDT"), &btc, again.play(shift));
    (simulator, recording)
}

fn depth(simulator: &mut Simulator) -> Value {
    answer(simulator, Endpoint::Depth, &[("symbol", "BTCUSDT"), ("limit", "5000")])
}

const MADE: &str = r#"1000000000000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":5,"u":9,"b":[["99.00000000","1.00000000"]],"a":[]}}
1000000010000000 {"lastUpdateId":10,"bids":[["100.00000000","2.00000000"],["99.00000000","3.00000000"],["98.00000000","5.00000000"]],"asks":[["101.00000000","2.00000000"]]}
1000000100000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":10,"u":12,"b":[],"a":[["102.50000000","4.00000000"]]}}
1000000150000000 {"stream":"btcusdt@bookTicker","data":{"u":12,"s":"BTCUSDT","b":"100.00000000","B":"2.00000000","a":"101.00000000","A":"2.00000000"}}
1000000160000000 {"e":"trade","E":1,"s":"BTCUSDT","t":70,"p":"100.00000000","q":"2.00000000","T":1,"m":true,"M":true}
1000000161000000 {"e":"trade","E":1,"s":"BTCUSDT","t":71,"p":"98.00000000","q":"1.50000000","T":1,"m":true,"M":true}
1000000200000000 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":13,"u":15,"b":[["100.00000000","0.00000000"],["99.00000000","0.00000000"],["98.00000000","3.50000000"]],"a":[["99.00000000","0.10000000"]]}}
1000002300000000 {"e":"trade","E":1,"s":"BTCUSDT","t":72,"p":"99.00000000","q":"0.10000000","T":1,"m":false,"M":true}
"#;

#[test]
fn a_recording_plays_its_book_and_its_trades() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("btcusdt.txt");
    fs::write(&path, MADE).unwrap();
    let (mut simulator, recording) = play(&path);
    assert_eq!((recording.symbol.as_str(), recording.messages, recording.trades), ("BTCUSDT", 8, 3));
    assert_eq!((recording.tick, recording.lot), (50_000_000 / 5, 10_000_000), "0.1 and 0.1");
    want(&mut simulator, &["btcusdt@trade"]);
    simulator.watch(BTreeSet::from([instrument("BTCUSDT")]));
    let best = |simulator: &mut Simulator| {
        let depth = depth(simulator);
        let first = |side: &str| depth[side][0].as_array().map(|row| [row[0].clone(), row[1].clone()]);
        (first("bids"), first("asks"))
    };
    let level = |price: &str, quantity: &str| Some([Value::from(price), Value::from(quantity)]);
    // A snapshot holds against what came before it, and diffs go on from it.
    advance(&mut simulator, NEW_YEAR + 150_000);
    assert_eq!(
        best(&mut simulator),
        (level("100.00000000", "2.00000000"), level("101.00000000", "2.00000000"))
    );
    assert_eq!(depth(&mut simulator)["asks"].as_array().unwrap().len(), 2);
    // Trades take from it at once, whatever the diffs have told.
    advance(&mut simulator, NEW_YEAR + 160_000);
    assert_eq!(best(&mut simulator).0, level("99.00000000", "3.00000000"));
    advance(&mut simulator, NEW_YEAR + 161_000);
    assert_eq!(best(&mut simulator).0, level("98.00000000", "3.50000000"));
    advance(&mut simulator, NEW_YEAR + 200_000);
    assert_eq!(
        best(&mut simulator),
        (level("98.00000000", "3.50000000"), level("99.00000000", "0.10000000"))
    );
    advance(&mut simulator, NEW_YEAR + 2_300_000);
    assert_eq!(best(&mut simulator).1, level("101.00000000", "2.00000000"));
    let trades: Vec<u64> =
        of(&simulator.take_frames(), "btcusdt@trade").map(|t| t["t"].as_u64().unwrap()).collect();
    assert_eq!(trades, [70, 71, 72]);
    let klines = answer(&mut simulator, Endpoint::Klines, &[("symbol", "BTCUSDT"), ("interval", "1m")]);
    assert_eq!(
        (&klines[0][1], &klines[0][4], &klines[0][5]),
        (&"100.00000000".into(), &"99.00000000".into(), &"3.60000000".into())
    );
    // After its end the market stands, and the book is what the diffs have told last.
    advance(&mut simulator, NEW_YEAR + 10 * SECOND);
    assert_eq!(best(&mut simulator).1, level("99.00000000", "0.10000000"));
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    for (text, says) in [
        ("", "neither trades nor depth"),
        (
            "12 {\"u\":12,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"2\",\"a\":\"1\",\"A\":\"2\"}",
            "neither trades nor depth",
        ),
        ("nonsense", "line 1"),
        ("x {}", "`x` is no time in nanoseconds"),
        ("12 {\"e\":\"trade\"", "line 1"),
        (&MADE.replacen("\"s\":\"BTCUSDT\",\"t\":71", "\"s\":\"ETHUSDT\",\"t\":71", 1), "line 6"),
    ] {
        fs::write(&path, text).unwrap();
        let error: RecordingError = Recording::open(&path).expect_err(says);
        assert!(error.to_string().contains(says), "{error}");
    }
    assert!(Recording::open(&folder.path().join("absent")).is_err());
}

fn recorded_book() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join("l2")
}

/// Eleven minutes of BTCUSDT; the book that it must end in was worked out by another program.
#[test]
#[cfg_attr(not(recorded_book), ignore = "needs a recorded book: set TAPEDECK_DATA")]
fn a_recorded_market_ends_in_the_book_that_was_recorded() {
    let expected = fs::read_to_string(recorded_book().join("btcusdt_expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let (mut simulator, recording) = play(&recorded_book());
    assert_eq!(recording.trades, expected["trades"].as_u64().unwrap());
    assert_eq!((recording.tick, recording.lot), (1_000_000, 1_000));
    simulator.watch(BTreeSet::from([instrument("BTCUSDT")]));
    let (mut trades, mut volume) = (0, Decimal::ZERO);
    let end = NEW_YEAR + recording.last - recording.first + 2 * SECOND;
    while let Some(tick) = simulator.next_tick(at(end)) {
        for (price, quantity, taker) in &tick.trades {
            (trades, volume) = (trades + 1, volume + quantity.get());
            // Whoever a trade sets off meets nothing better than it.
            let change = |levels: &[(Price, Decimal)]| {
                levels
                    .iter()
                    .all(|(p, q)| q.is_zero() || (*p <= *price) == (*taker == Side::Sell) || p == price)
            };
            assert!(change(if *taker == Side::Sell { &tick.change.bids } else { &tick.change.asks }));
        }
        simulator.published(tick.at, tick.instrument, &Book::default());
    }
    assert_eq!(trades, expected["trades"].as_u64().unwrap());
    assert_eq!(volume, d(expected["trade_qty"].as_str().unwrap()));
    let depth = depth(&mut simulator);
    let levels = |side: &str| depth[side].as_array().unwrap().len();
    assert_eq!(serde_json::json!([levels("bids"), levels("asks")]), expected["final_levels"]);
    assert_eq!(depth["bids"][0], expected["final_best_bid"]);
    assert_eq!(depth["asks"][0], expected["final_best_ask"]);
    let klines = answer(&mut simulator, Endpoint::Klines, &[("symbol", "BTCUSDT"), ("interval", "1m")]);
    let sum: Decimal = klines.as_array().unwrap().iter().map(|row| d(row[5].as_str().unwrap())).sum();
    assert_eq!(sum, volume, "candles are built from the trades");
}
