//! Trades and klines: streams and answers say the same.

use super::*;
use domain::Side;

#[test]
fn streams_of_trades_are_the_answers_and_have_no_gap() {
    let mut simulator = simulator(11, 1);
    want(&mut simulator, &["btcusdt@trade", "btcusdt@aggTrade"]);
    advance(&mut simulator, NEW_YEAR + 300 * SECOND);
    let fills =
        [("60100.5", "0.5"), ("60100.5", "0.25"), ("60101", "1")].map(|(p, q)| (price(p), quantity(q)));
    let now = at(NEW_YEAR + 300 * SECOND + 17);
    let first = simulator.traded(now, instrument("BTCUSDT"), Side::Sell, &fills).unwrap();
    advance(&mut simulator, NEW_YEAR + 400 * SECOND);
    let frames = simulator.take_frames();
    let trades: Vec<_> = of(&frames, "btcusdt@trade").collect();
    let aggregates: Vec<_> = of(&frames, "btcusdt@aggTrade").collect();
    assert!(
        trades.len() > aggregates.len() && aggregates.len() > 300,
        "{} {}",
        trades.len(),
        aggregates.len()
    );

    let limit = ("limit", "1000");
    let from = trades[0]["t"].to_string();
    let pairs = [("symbol", "BTCUSDT"), ("fromId", &*from), limit];
    let answered = answer(&mut simulator, Endpoint::HistoricalTrades, &pairs);
    let answered = answered.as_array().unwrap();
    assert_eq!(answered.len(), trades.len());
    for (row, frame) in answered.iter().zip(&trades) {
        assert_eq!(
            [&row["id"], &row["price"], &row["qty"], &row["time"], &row["isBuyerMaker"]],
            [&frame["t"], &frame["p"], &frame["q"], &frame["T"], &frame["m"]]
        );
    }
    let ids: Vec<_> = trades.iter().map(|trade| trade["t"].as_u64().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "ids have no gap");

    let start = trades[0]["T"].to_string();
    let pairs = [("symbol", "BTCUSDT"), ("startTime", &*start), limit];
    let answered = answer(&mut simulator, Endpoint::AggTrades, &pairs);
    let answered = answered.as_array().unwrap();
    assert_eq!(answered.len(), aggregates.len());
    let mut next_trade = ids[0];
    for (row, frame) in answered.iter().zip(&aggregates) {
        for field in ["a", "p", "q", "f", "l", "T", "m", "M"] {
            assert_eq!(row[field], frame[field]);
        }
        assert_eq!(row["f"], next_trade, "aggregates cover every trade");
        next_trade = row["l"].as_u64().unwrap() + 1;
    }

    // Ours: two at one price are one aggregate.
    let ours: Vec<_> =
        trades.iter().filter(|trade| (first..first + 3).contains(&trade["t"].as_u64().unwrap())).collect();
    assert_eq!(ours.len(), 3);
    assert_eq!(ours[0]["m"], true, "the seller took");
    let ours: Vec<_> = aggregates.iter().filter(|one| one["f"].as_u64().unwrap() >= first).take(2).collect();
    assert_eq!([&ours[0]["q"], &ours[1]["q"]], ["0.75000000", "1.00000000"]);
}

/// Each closes once, in order, and is what REST answers.
#[test]
fn klines_close_once_and_are_what_is_answered() {
    let spans = ["1s", "1m", "3m", "15m", "1h", "4h", "1d", "1w", "1M"];
    let mut simulator = simulator(12, 5);
    let names: Vec<String> = spans.iter().map(|span| format!("btcusdt@kline_{span}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["btcusdt@kline_4h@+08:00"]).collect();
    want(&mut simulator, &names);
    // In pieces of any length.
    for cut in 1..=100 {
        advance(&mut simulator, NEW_YEAR + cut * 123 * SECOND + cut * 1_234);
    }
    let frames = simulator.take_frames();
    let over = 100 * 123 * SECOND + 100 * 1_234;
    for span in spans {
        let stream = format!("btcusdt@kline_{span}");
        let klines: Vec<_> = of(&frames, &stream).collect();
        let pace = if span == "1s" { SECOND } else { 2 * SECOND };
        let told = klines.iter().filter(|frame| frame["k"]["x"] == false).count() as i64;
        assert!((told - over / pace).abs() <= 1, "{stream}: {told} instead of {}", over / pace);
        let closed: Vec<_> =
            klines.iter().filter(|frame| frame["k"]["x"] == true).map(|frame| &frame["k"]).collect();
        let length = match span {
            "1s" => SECOND,
            "1m" => 60 * SECOND,
            "3m" => 180 * SECOND,
            "15m" => 900 * SECOND,
            "1h" => HOUR,
            _ => i64::MAX,
        };
        assert_eq!(closed.len() as i64, over / length, "{stream}");
        for pair in closed.windows(2) {
            assert_eq!(
                pair[1]["t"].as_i64().unwrap(),
                pair[0]["T"].as_i64().unwrap() + 1,
                "one follows the other"
            );
        }
        let start = (NEW_YEAR / 1_000).to_string();
        let pairs = [("symbol", "BTCUSDT"), ("interval", span), ("startTime", &*start), ("limit", "1000")];
        let rows = answer(&mut simulator, Endpoint::Klines, &pairs);
        let rows = rows.as_array().unwrap();
        let kept = closed.into_iter().filter(|kline| kline["t"].as_i64() >= rows[0][0].as_i64());
        for (row, kline) in rows.iter().zip(kept) {
            for (place, field) in ["t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q"].iter().enumerate() {
                assert_eq!(row[place], kline[*field], "{stream} {field}");
            }
        }
    }
    let zoned: Vec<_> = of(&frames, "btcusdt@kline_4h@+08:00").collect();
    assert_eq!(zoned[0]["k"]["t"], NEW_YEAR / 1_000, "08:00 there is a bound too");
}

#[test]
fn coarser_klines_are_made_of_finer_ones_in_any_time_zone() {
    let mut simulator = simulator(13, 3);
    advance(&mut simulator, NEW_YEAR + 2 * HOUR + 1_800 * SECOND);
    let mut klines = |span: &str, zone: &str| {
        let pairs = [("symbol", "BTCUSDT"), ("interval", span), ("timeZone", zone)];
        answer(&mut simulator, Endpoint::Klines, &pairs).as_array().unwrap().clone()
    };
    let volume = |rows: &[Value]| rows.iter().map(|row| d(row[5].as_str().unwrap())).sum::<Decimal>();
    let hours = klines("1h", "0");
    assert_eq!(hours.len(), 27, "a day, two hours, and one that has begun");
    for (span, zone, count) in [
        ("2h", "0", 14),
        ("12h", "0", 3),
        ("1d", "0", 2),
        ("3d", "0", 2),
        ("1w", "0", 1),
        ("1M", "0", 2),
        ("1d", "8", 2),
        ("1d", "-3:00", 2),
        ("1w", "8", 1),
        ("1M", "8", 2),
    ] {
        let rows = klines(span, zone);
        assert_eq!(rows.len(), count, "{span} {zone}");
        assert_eq!(volume(&rows), volume(&hours), "{span} {zone}");
        assert_eq!(rows[0][1], hours[0][1]);
        assert_eq!(rows.last().unwrap()[4], hours.last().unwrap()[4]);
    }
    assert_eq!(klines("1d", "8")[1][0], (NEW_YEAR - 8 * HOUR) / 1_000);
    assert_eq!(klines("1M", "8")[1][0], (NEW_YEAR - 8 * HOUR) / 1_000);
    for zone in ["05:45", "-9:30", "12:59"] {
        assert_eq!(volume(&klines("1d", zone)), volume(&hours), "{zone}");
    }
}

#[test]
fn driven_from_outside_klines_are_the_candles_that_were_told() {
    let mut simulator = Simulator::default();
    for (instrument, rules) in rules() {
        simulator.list(instrument, &rules);
    }
    assert_eq!(simulator.listings().len(), 3);
    want(&mut simulator, &["btcusdt@kline_1h", "btcusdt@kline_1d", "btcusdt@kline_1m"]);
    for hour in 0..30 {
        let candle =
            candle("BTCUSDT", Interval::Hour1, NEW_YEAR + hour * HOUR, ["100", "110", "90", "105.5"], "7");
        simulator.learn(&candle);
    }
    let day = candle("BTCUSDT", Interval::Day1, NEW_YEAR, ["1", "1", "1", "1"], "1");
    simulator.learn(&day);
    let frames = simulator.take_frames();
    let closed = |stream| of(&frames, stream).filter(|frame| frame["k"]["x"] == true).count();
    assert_eq!(
        (closed("btcusdt@kline_1h"), closed("btcusdt@kline_1d"), closed("btcusdt@kline_1m")),
        (30, 1, 0)
    );
    let days = answer(&mut simulator, Endpoint::Klines, &[("symbol", "BTCUSDT"), ("interval", "1d")]);
    assert_eq!(days[0][5], "168.00000000", "the finest wins");
    let price = answer(&mut simulator, Endpoint::TickerPrice, &[("symbol", "BTCUSDT")]);
    assert_eq!(price["price"], "105.50000000");
    let depth = answer(&mut simulator, Endpoint::Depth, &[("symbol", "BTCUSDT")]);
    assert_eq!(depth["bids"].as_array().unwrap().len(), 100);
    assert!(simulator.next_tick(at(NEW_YEAR + 40 * HOUR)).is_none());
    let ticker = answer(&mut simulator, Endpoint::Ticker24hr, &[("symbol", "BTCUSDT")]);
    assert_eq!(ticker["lastPrice"], "105.50000000");
}

#[test]
fn memory_is_bounded() {
    let mut simulator = simulator(14, 1);
    simulator.watch(BTreeSet::new());
    assert!(simulator.next_tick(at(NEW_YEAR + 12 * HOUR)).is_none());
    let mut count = |endpoint, pairs: &[(&str, &str)]| {
        let mut pairs = pairs.to_vec();
        pairs.extend([("symbol", "BTCUSDT"), ("limit", "1000")]);
        let rows = answer(&mut simulator, endpoint, &pairs);
        (rows.as_array().unwrap().len(), rows[0].clone())
    };
    // Trades of about two hours are kept, and seconds of 83 minutes.
    let (_, oldest) = count(Endpoint::HistoricalTrades, &[("fromId", "0")]);
    assert!(oldest["time"].as_i64().unwrap() * 1_000 > NEW_YEAR + 9 * HOUR, "{oldest}");
    let own = (NEW_YEAR / 1_000).to_string();
    let (rows, oldest) = count(Endpoint::Klines, &[("interval", "1s"), ("startTime", &own)]);
    assert_eq!(rows, 1_000);
    assert_eq!(oldest[0].as_i64().unwrap() * 1_000, NEW_YEAR + 12 * HOUR - 4_999 * SECOND);
    // What was before the market went its own way can be made at any time.
    let (rows, oldest) = count(Endpoint::Klines, &[("interval", "1s"), ("startTime", "0")]);
    assert_eq!((rows, oldest[0].as_i64().unwrap() * 1_000), (1_000, NEW_YEAR - 24 * HOUR));
}
