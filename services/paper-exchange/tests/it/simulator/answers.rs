//! What is refused, and the finer points of what is answered.

use super::*;

fn refusal(simulator: &mut Simulator, endpoint: Endpoint, pairs: &[(&str, &str)]) -> (i64, String) {
    let refusal = ask(simulator, endpoint, pairs).expect_err(&format!("{endpoint:?} {pairs:?}"));
    assert_eq!(refusal.status, 400);
    (refusal.code, refusal.msg)
}

#[test]
fn errors_are_those_of_the_documentation() {
    use Endpoint::*;
    let mut simulator = simulator(1, 1);
    let btc = ("symbol", "BTCUSDT");
    let mandatory =
        |name: &str| format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed.");
    let invalid = |name: &str| format!("Data sent for parameter '{name}' is not valid.");
    let symbol_range =
        r"Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'.";
    for (endpoint, pairs, code, msg) in [
        (Depth, &[][..], -1102, &*mandatory("symbol")),
        (Depth, &[("symbol", "")], -1105, "Parameter 'symbol' was empty."),
        (Depth, &[("symbol", "NOPE")], -1121, "Invalid symbol."),
        (Depth, &[("symbol", "btcusdt")], -1100, symbol_range),
        (
            Trades,
            &[btc, ("limit", "ten")],
            -1100,
            "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
        ),
        (Trades, &[btc, ("limit", "0")], -1130, &invalid("limit")),
        (Trades, &[btc, ("limit", "")], -1105, "Parameter 'limit' was empty."),
        (
            HistoricalTrades,
            &[btc, ("fromId", "99999999999999999999")],
            -1108,
            "Parameter 'fromId' overflowed.",
        ),
        (
            AggTrades,
            &[btc, ("fromId", "1"), ("startTime", "1")],
            -1128,
            "Combination of optional parameters invalid.",
        ),
        (Klines, &[btc], -1102, &mandatory("interval")),
        (Klines, &[btc, ("interval", "7m")], -1120, "Invalid interval."),
        (UiKlines, &[btc, ("interval", "1m"), ("timeZone", "15")], -1130, &invalid("timeZone")),
        (
            Ticker24hr,
            &[btc, ("symbols", "[\"BTCUSDT\"]")],
            -1128,
            "Combination of optional parameters invalid.",
        ),
        (Ticker24hr, &[btc, ("type", "HUGE")], -1139, "Invalid ticker type."),
        (
            TickerPrice,
            &[("symbols", "[\"BTCUSDT\",\"BTCUSDT\"]")],
            -1151,
            "Symbol is present multiple times in the list.",
        ),
        (TickerPrice, &[("symbols", "[\"BTCUSDT\",\"NOPE\"]")], -1121, "Invalid symbol."),
        (TickerPrice, &[btc, ("symbolStatus", "OPEN")], -1122, "Invalid symbolStatus."),
        (
            TickerPrice,
            &[btc, ("symbolStatus", "HALT")],
            -1220,
            "The symbol's status does not match the requested symbolStatus.",
        ),
        (TickerTradingDay, &[], -1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!"),
        (TickerRolling, &[btc, ("windowSize", "8d")], -1130, &invalid("windowSize")),
        (ReferencePrice, &[btc], -2043, "This symbol doesn't have a reference price."),
        (ReferencePriceCalculation, &[("symbol", "NOPE")], -1121, "Invalid symbol."),
        (HistoricalBlockTrades, &[btc], -1102, &mandatory("fromId")),
        (
            ExecutionRules,
            &[btc, ("symbolStatus", "TRADING")],
            -1128,
            "Combination of optional parameters invalid.",
        ),
    ] {
        assert_eq!(
            refusal(&mut simulator, endpoint, pairs),
            (code, msg.to_owned()),
            "{endpoint:?} {pairs:?}"
        );
    }
    let (code, msg) = refusal(&mut simulator, TickerPrice, &[("symbols", "BTCUSDT")]);
    assert_eq!(code, -1100);
    assert!(
        msg.starts_with("Illegal characters found in parameter 'symbols'; legal range is '^\\[("),
        "{msg}"
    );
    assert_eq!(refusal(&mut simulator, OrderPlace, &[btc]).0, -1020);
}

#[test]
fn there_are_no_execution_rules_and_no_block_trades() {
    let mut simulator = simulator(1, 1);
    for pairs in [&[][..], &[("symbol", "BTCUSDT")], &[("symbolStatus", "HALT")]] {
        let rules = answer(&mut simulator, Endpoint::ExecutionRules, pairs);
        assert_eq!(rules, serde_json::json!({ "symbolRules": [] }));
    }
    let blocks = [("symbol", "BTCUSDT"), ("fromId", "0")];
    assert_eq!(answer(&mut simulator, Endpoint::HistoricalBlockTrades, &blocks), serde_json::json!([]));
}

#[test]
fn one_symbol_is_an_object_and_some_or_all_are_a_list() {
    let mut simulator = simulator(1, 1);
    simulator.set_status(instrument("SHIBUSDT"), "BREAK");
    for endpoint in [Endpoint::Ticker24hr, Endpoint::TickerPrice, Endpoint::TickerBookTicker] {
        assert_eq!(answer(&mut simulator, endpoint, &[("symbol", "币安人生USDT")])["symbol"], "币安人生USDT");
        let list = answer(&mut simulator, endpoint, &[("symbols", r#"["SHIBUSDT","BTCUSDT"]"#)]);
        assert_eq!([&list[0]["symbol"], &list[1]["symbol"]], ["SHIBUSDT", "BTCUSDT"]);
        assert_eq!(answer(&mut simulator, endpoint, &[]).as_array().unwrap().len(), 3);
        let trading = answer(&mut simulator, endpoint, &[("symbolStatus", "TRADING")]);
        assert_eq!(trading.as_array().unwrap().len(), 2, "{endpoint:?}");
    }
}

#[test]
fn limits_and_times_of_klines() {
    let mut simulator = simulator(1, 1);
    advance(&mut simulator, NEW_YEAR + 30 * SECOND);
    let mut klines = |more: &[(&str, &str)]| {
        let mut pairs = vec![("symbol", "BTCUSDT"), ("interval", "1h")];
        pairs.extend(more);
        let rows = answer(&mut simulator, Endpoint::Klines, &pairs);
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| (row[0].as_i64().unwrap() - NEW_YEAR / 1_000) / 3_600_000)
            .collect::<Vec<_>>()
    };
    let time = |hours: i64| ((NEW_YEAR + hours * HOUR) / 1_000).to_string();
    assert_eq!(klines(&[("limit", "2")]), [-1, 0], "the latest");
    assert_eq!(klines(&[("startTime", &time(-5)), ("limit", "2")]), [-5, -4], "the first ones");
    assert_eq!(klines(&[("endTime", &time(-5)), ("limit", "2")]), [-6, -5], "the last ones until then");
    assert_eq!(klines(&[("startTime", &time(-5)), ("endTime", &time(-3))]), [-5, -4, -3]);
    assert_eq!(klines(&[("startTime", &time(-3)), ("endTime", &time(-5))]), [0; 0]);
    assert_eq!(klines(&[("limit", "100000")]).len(), 25);
    let micros = (NEW_YEAR - 2 * HOUR).to_string();
    assert_eq!(klines(&[("startTime", &micros)]), [-2, -1, 0], "microseconds will do too");
}

#[test]
fn microseconds_are_written_where_they_are_asked_for() {
    let mut simulator = simulator(1, 1);
    let mut ask = |endpoint, more: &[(&str, &str)], unit| {
        let mut pairs = vec![("symbol", "BTCUSDT")];
        pairs.extend(more);
        simulator.call(endpoint, &params(&pairs), unit).unwrap()
    };
    let kline = [("interval", "1h"), ("limit", "1")];
    let (milli, micro) =
        (ask(Endpoint::Klines, &kline, TimeUnit::Milli), ask(Endpoint::Klines, &kline, TimeUnit::Micro));
    assert_eq!(milli[0][0].as_i64().unwrap() * 1_000, micro[0][0].as_i64().unwrap());
    assert_eq!(milli[0][6].as_i64().unwrap() * 1_000 + 999, micro[0][6].as_i64().unwrap());
    let trade = ask(Endpoint::Trades, &[("limit", "1")], TimeUnit::Micro);
    assert!(trade[0]["time"].as_i64().unwrap() > NEW_YEAR - HOUR);
}

#[test]
fn tickers_tell_of_their_windows() {
    let mut simulator = simulator(1, 2);
    let now = NEW_YEAR + 90 * 60 * SECOND + 47_099_000;
    advance(&mut simulator, now);
    let btc = ("symbol", "BTCUSDT");
    let day = answer(&mut simulator, Endpoint::Ticker24hr, &[btc]);
    assert_eq!(day["closeTime"], now / 1_000);
    assert_eq!(day["openTime"], (now - DAY) / 1_000);
    let rolling = answer(&mut simulator, Endpoint::TickerRolling, &[btc, ("windowSize", "1h")]);
    assert_eq!(rolling["openTime"], (NEW_YEAR + 30 * 60 * SECOND) / 1_000, "on a minute");
    assert_eq!(rolling["closeTime"], now / 1_000);
    let trading_day = answer(&mut simulator, Endpoint::TickerTradingDay, &[btc]);
    assert_eq!(trading_day["openTime"], NEW_YEAR / 1_000);
    assert_eq!(trading_day["closeTime"], (NEW_YEAR + DAY) / 1_000 - 1);
    for ticker in [&day, &rolling, &trading_day] {
        let get = |name: &str| d(ticker[name].as_str().unwrap());
        assert_eq!(get("lastPrice"), get("openPrice") + get("priceChange"));
        assert!(get("lowPrice") <= get("weightedAvgPrice") && get("weightedAvgPrice") <= get("highPrice"));
        let count = ticker["lastId"].as_i64().unwrap() - ticker["firstId"].as_i64().unwrap() + 1;
        assert_eq!(ticker["count"], count);
    }
    // The minutes of a window, added up.
    let start = (NEW_YEAR / 1_000 + 1_800_000).to_string();
    let minutes = answer(&mut simulator, Endpoint::Klines, &[btc, ("interval", "1m"), ("startTime", &start)]);
    let sum = |place: usize| {
        minutes.as_array().unwrap().iter().map(|row| d(row[place].as_str().unwrap())).sum::<Decimal>()
    };
    assert_eq!(d(rolling["volume"].as_str().unwrap()), sum(5));
    let average = answer(&mut simulator, Endpoint::AvgPrice, &[btc]);
    let low = d(rolling["lowPrice"].as_str().unwrap());
    let high = d(rolling["highPrice"].as_str().unwrap());
    assert!((low..=high).contains(&d(average["price"].as_str().unwrap())));
    assert_eq!(
        simulator.average_price(instrument("BTCUSDT")).unwrap().get(),
        d(average["price"].as_str().unwrap())
    );
}

#[test]
fn streams_are_known_by_their_names() {
    let simulator = simulator(1, 1);
    for known in [
        "btcusdt@trade",
        "btcusdt@aggTrade",
        "btcusdt@depth",
        "btcusdt@depth@100ms",
        "btcusdt@depth20@100ms",
        "btcusdt@kline_1M",
        "btcusdt@kline_1m",
        "btcusdt@kline_3d@+08:00",
        "btcusdt@bookTicker",
        "btcusdt@miniTicker",
        "btcusdt@ticker",
        "btcusdt@ticker_4h",
        "btcusdt@avgPrice",
        "币安人生usdt@trade",
        "!miniTicker@arr",
        "!miniTicker@arr@1000ms",
        "!ticker_1h@arr",
    ] {
        assert!(simulator.is_stream(known), "{known}");
    }
    for unknown in [
        "",
        "@",
        "btcusdt",
        "BTCUSDT@trade",
        "nope@trade",
        "btcusdt@depth7",
        "btcusdt@depth5@200ms",
        "btcusdt@kline_7m",
        "btcusdt@kline_1h@+09:00",
        "!ticker@arr",
        "!ticker_2h@arr",
        "!bookTicker",
    ] {
        assert!(!simulator.is_stream(unknown), "{unknown}");
    }
}
