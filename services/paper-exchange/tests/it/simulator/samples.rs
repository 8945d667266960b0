//! Every answer and every frame has the shape of Binance's own samples: the same fields, the same types.

use super::*;
use std::{fs, path::PathBuf};

/// The first sample of that section of that file.
fn samples(file: &str, section: &str) -> Vec<Value> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from);
    let text = fs::read_to_string(folder.join("binance-samples/samples.jsonl")).unwrap();
    let samples = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let named = samples.filter(|sample| {
        let name = sample["section"].as_str().unwrap().rsplit(" > ").next();
        sample["file"] == file && name == Some(section)
    });
    let found: Vec<_> = named.map(|sample| sample["json"].clone()).collect();
    assert!(!found.is_empty(), "no sample of {section} in {file}");
    found
}

/// The same fields with values of the same type; of a list every item is as the sample's first.
fn same_shape(sample: &Value, ours: &Value, place: &str) {
    match (sample, ours) {
        (Value::Object(sample), Value::Object(ours)) => {
            let keys = |of: &serde_json::Map<String, Value>| of.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(keys(sample), keys(ours), "fields of {place}");
            sample.iter().for_each(|(key, value)| same_shape(value, &ours[key], &format!("{place}.{key}")));
        }
        (Value::Array(sample), Value::Array(ours))
            if sample.iter().all(|v| v.is_object() || v.is_array()) =>
        {
            assert!(!ours.is_empty(), "{place} is empty");
            ours.iter().for_each(|one| same_shape(&sample[0], one, place));
        }
        (Value::Array(sample), Value::Array(ours)) => {
            assert_eq!(sample.len(), ours.len(), "{place}");
            sample.iter().zip(ours).for_each(|(sample, ours)| same_shape(sample, ours, place));
        }
        (Value::String(sample), Value::String(ours)) => {
            let number = |text: &str| text.parse::<Decimal>().is_ok();
            assert_eq!(number(sample), number(ours), "{place}: {sample} {ours}");
        }
        (Value::Number(sample), Value::Number(ours)) => assert_eq!(sample.is_i64(), ours.is_i64(), "{place}"),
        (Value::Bool(_), Value::Bool(_)) => {}
        _ => panic!("{place}: {sample} {ours}"),
    }
}

#[test]
#[cfg_attr(not(binance_samples), ignore = "needs Binance's samples: set TAPEDECK_DATA")]
fn answers_have_the_documented_shape() {
    let mut simulator = simulator(1, 2);
    advance(&mut simulator, NEW_YEAR + 100 * SECOND);
    let (btc, both) = (("symbol", "BTCUSDT"), ("symbols", r#"["BTCUSDT","SHIBUSDT"]"#));
    let (full, mini) = (("type", "FULL"), ("type", "MINI"));
    let hour = ("interval", "1h");
    use Endpoint::*;
    for (section, cases) in [
        ("Order book", vec![(Depth, vec![btc])]),
        ("Recent trades list", vec![(Trades, vec![btc])]),
        ("Old trade lookup", vec![(HistoricalTrades, vec![btc])]),
        ("Compressed/Aggregate trades list", vec![(AggTrades, vec![btc])]),
        ("Kline/Candlestick data", vec![(Klines, vec![btc, hour])]),
        ("UIKlines", vec![(UiKlines, vec![btc, hour])]),
        ("Current average price", vec![(AvgPrice, vec![btc])]),
        (
            "24hr ticker price change statistics",
            vec![
                (Ticker24hr, vec![btc, full]),
                (Ticker24hr, vec![both]),
                (Ticker24hr, vec![btc, mini]),
                (Ticker24hr, vec![both, mini]),
            ],
        ),
        (
            "Trading Day Ticker",
            vec![
                (TickerTradingDay, vec![btc, full]),
                (TickerTradingDay, vec![both]),
                (TickerTradingDay, vec![btc, mini]),
                (TickerTradingDay, vec![both, mini]),
            ],
        ),
        ("Symbol price ticker", vec![(TickerPrice, vec![btc]), (TickerPrice, vec![])]),
        ("Symbol order book ticker", vec![(TickerBookTicker, vec![btc]), (TickerBookTicker, vec![both])]),
        (
            "Rolling window price change statistics",
            vec![
                (TickerRolling, vec![btc, full]),
                (TickerRolling, vec![both]),
                (TickerRolling, vec![btc, mini]),
                (TickerRolling, vec![both, mini]),
            ],
        ),
    ] {
        let samples = samples("rest-api.md", section);
        assert_eq!(samples.len(), cases.len(), "samples of {section}");
        for (sample, (endpoint, pairs)) in samples.iter().zip(cases) {
            same_shape(sample, &answer(&mut simulator, endpoint, &pairs), section);
        }
    }
}

#[test]
#[cfg_attr(not(binance_samples), ignore = "needs Binance's samples: set TAPEDECK_DATA")]
fn frames_have_the_documented_shape() {
    let mut simulator = simulator(1, 2);
    let streams = [
        ("Aggregate Trade Streams", "btcusdt@aggTrade"),
        ("Trade Streams", "btcusdt@trade"),
        ("Kline/Candlestick Streams for UTC", "btcusdt@kline_1m"),
        ("Kline/Candlestick Streams with timezone offset", "btcusdt@kline_1m@+08:00"),
        ("Individual Symbol Mini Ticker Stream", "btcusdt@miniTicker"),
        ("Individual Symbol Ticker Streams", "btcusdt@ticker"),
        ("Individual Symbol Rolling Window Statistics Streams", "btcusdt@ticker_1h"),
        ("Individual Symbol Book Ticker Streams", "btcusdt@bookTicker"),
        ("Average Price", "btcusdt@avgPrice"),
        ("Partial Book Depth Streams", "btcusdt@depth5"),
        ("Diff. Depth Stream", "btcusdt@depth"),
    ];
    let all = ["!miniTicker@arr", "!ticker_1h@arr", "!ticker_4h@arr", "!ticker_1d@arr"];
    let names: Vec<_> = streams.iter().map(|stream| stream.1).chain(all).collect();
    want(&mut simulator, &names);
    advance(&mut simulator, NEW_YEAR + 65 * SECOND);
    let frames = simulator.take_frames();
    for (section, stream) in streams {
        let sample = &samples("web-socket-streams.md", section)[0];
        let mut count = 0;
        for ours in of(&frames, stream) {
            same_shape(sample, &ours, stream);
            assert_eq!(sample["e"], ours["e"], "the event of {stream}");
            count += 1;
        }
        assert!(count > 30, "{count} frames of {stream}");
    }
    for (stream, section) in [
        (all[0], "Individual Symbol Mini Ticker Stream"),
        (all[1], "Individual Symbol Rolling Window Statistics Streams"),
    ] {
        let sample = &samples("web-socket-streams.md", section)[0];
        for ours in of(&frames, stream) {
            ours.as_array().unwrap().iter().for_each(|one| same_shape(sample, one, stream));
        }
    }
    assert!(of(&frames, all[3]).all(|list| list[0]["e"] == "1dTicker"));
    // What reads Binance's frames reads ours, in either unit of time.
    for frame in &frames {
        for text in [&frame.milli, &frame.micro] {
            venue_binance::market::decode(text.as_bytes())
                .unwrap_or_else(|e| panic!("{}: {e}", frame.stream));
        }
    }
}
