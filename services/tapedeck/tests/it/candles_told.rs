//! Candles that are refused, missing or heard by nobody are told by every command that reads them.

use crate::support::*;
use serde_json::json;
use std::path::PathBuf;

/// The lines of a whole file with a header, to be spoilt.
fn lines(place: &Place, symbol: &str, days: i64) -> Vec<String> {
    candles(place, "whole", &[symbol], days);
    place.read(&format!("whole/{symbol}-1d.csv")).lines().map(str::to_owned).collect()
}

fn backwards(place: &Place) {
    let all = lines(place, "BTCUSDT", 300);
    let (header, rows) = all.split_first().unwrap();
    let text: Vec<&str> =
        [header.as_str()].into_iter().chain(rows.iter().rev().map(String::as_str)).collect();
    place.write("candles/BTCUSDT-1d.csv", text.join("\n"));
}

#[test]
fn a_file_with_its_newest_row_first_is_traded_as_one_with_its_oldest() {
    let place = Place::new();
    backwards(&place);
    let ascending = place.run("backtest --candles whole/BTCUSDT-1d.csv --json").well().json();
    let descending = place.run("backtest --candles candles --json").well();
    assert!(descending.err.contains("candles/BTCUSDT-1d.csv: runs backwards: it is read from its end"));
    let descending = descending.json();
    assert_eq!(descending, ascending);
    assert!(ascending["entries"].as_u64().unwrap() > 0, "{ascending}");
    place.run("doctor --candles candles").well().says(&["300 candles", "runs backwards"]);
}

#[test]
fn missing_candles_are_told_in_the_summary_with_the_longest_gap() {
    let place = Place::new();
    let mut all = lines(&place, "BTCUSDT", 300);
    all.drain(101..121);
    all.remove(50);
    place.write("candles/BTCUSDT-1d.csv", all.join("\n"));
    let words = "BTCUSDT 1d: 21 missing, longest gap 20 from 2022-04-11 00:00 to 2022-05-01 00:00";
    let backtest = place.run("backtest --candles candles --out out").well();
    backtest.says(&[words]);
    assert!(backtest.err.contains(&format!("warning: {words}")), "{backtest:#?}");
    let up = place.run(&(up("recorded:candles") + " --json")).well();
    assert!(up.err.contains(words), "{up:#?}");
    let file: serde_json::Value = serde_json::from_str(&place.read("out/summary.json")).unwrap();
    for summary in [up.json(), file] {
        assert_eq!(summary["candles_missing"], 21, "{summary}");
        assert_eq!(summary["longest_gap"]["candles"], 20);
        assert_eq!(summary["longest_gap"]["from"], "2022-04-11T00:00:00Z");
        assert_eq!(summary["longest_gap"]["until"], "2022-05-01T00:00:00Z");
        assert_eq!(summary["longest_gap"]["instrument"], "binance:spot:BTCUSDT");
        assert_eq!(summary["candles_by_series"][0]["missing"], 21);
        assert_eq!(summary["rules_inferred"][0], "binance:spot:BTCUSDT");
    }
    let doctor = place.run("doctor --candles candles");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&[
        "WRONG  candles",
        words,
        "the first before candles/BTCUSDT-1d.csv, line 51",
        "fetch what is missing",
    ]);
}

#[test]
fn refused_candles_are_told_by_reason_with_file_and_line() {
    let place = Place::new();
    let mut all = lines(&place, "BTCUSDT", 300);
    let (figures, _) = all[60].rsplit_once(',').unwrap();
    all[60] = format!("{figures},-5");
    all.insert(80, all[79].clone());
    all.insert(90, "1640995200000,100.00,101.00,99.00,100.50,5000.5".to_owned());
    place.write("candles/BTCUSDT-1d.csv", all.join("\n"));
    let words = "candles refused (1 doubled, 1 out of order, 1 inconsistent), first at candles/BTCUSDT-1d.csv, line 61";
    let backtest = place.run("backtest --candles candles").well();
    backtest.says(&["candles     BTCUSDT 1d: 3 of 302", words]);
    let json = place.run("backtest --candles candles --json").well().json();
    assert_eq!(
        json["candles_refused"],
        serde_json::json!({ "duplicate": 1, "out_of_order": 1, "inconsistent": 1 }),
        "{json}"
    );
    let first = &json["candles_by_series"][0]["first_refused"];
    assert_eq!((text(&first["file"]), first["line"].as_u64()), ("candles/BTCUSDT-1d.csv", Some(61)));
    let doctor = place.run("doctor --candles candles");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&["WRONG  candles", words]);
}

#[test]
fn a_series_of_which_most_is_refused_is_an_error_of_every_command() {
    let place = Place::new();
    let shifted: String =
        (0..100).map(|day| format!("{},1,1,1,1,1\n", 1_704_060_000_000_i64 + day * 86_400_000)).collect();
    place.write("candles/BTCUSDT-1d.csv", shifted);
    let words = [
        "candles/BTCUSDT-1d.csv, line 1: 100 of 100 candles refused (100 misaligned)",
        "22:00 UTC; write times in UTC",
    ];
    place.run("backtest --candles candles").ends(1, &words);
    place.run(&up("recorded:candles")).ends(1, &words);
    place.run("exchange serve --market recorded:candles --listen 127.0.0.1:0").ends(1, &words);
    place.run("run market-data --market recorded:candles --tape sqlite:run.tape").ends(1, &words);
    let doctor = place.run("doctor --candles candles");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&["WRONG  candles"]).says(&words);
}

#[test]
fn instruments_of_an_edge_that_the_market_lacks_are_named_with_those_there_are() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 40);
    let told = |list: &str, words: &str, deaf: &[&str]| {
        place.write("tapedeck.toml", format!("[edges.edge70]\ninstruments = {list}\n"));
        let run = place.run("backtest --candles candles").well();
        let words = &format!("instruments of [edges.edge70] in tapedeck.toml: this market has {words}");
        run.says(&[words]).tells(&[&format!("warning: {words}")]);
        assert_eq!(run.out.contains("the longest series had"), deaf.is_empty(), "{run:#?}");
        let json = place.run("backtest --candles candles --json").well().json();
        assert_eq!(json["edges_without_candles"], json!(deaf));
        let doctor = place.run("doctor --candles candles");
        assert_eq!(doctor.code, Some(deaf.len().try_into().unwrap()), "{doctor:#?}");
        doctor.says(&[words]);
    };
    told(
        "[\"SOLUSDT\", \"BTCUSDT\"]",
        "no candles of 1d of SOLUSDT, but of BTCUSDT, \
         ETHUSDT, so edge70 trades nothing of it: correct the list, or add the candles",
        &[],
    );
    told(
        "[\"SOLUSDT\", \"ADAUSDT\"]",
        "no candles of 1d of ADAUSDT, SOLUSDT, but of BTCUSDT, ETHUSDT, so edge70 trades nothing: correct the list",
        &["edge70"],
    );
}

#[test]
fn an_edge_that_hears_no_candle_is_told_with_the_intervals_there_are() {
    let place = Place::new();
    let minutes: String =
        (0..2_000).map(|n| format!("{},100,101,99,100,10\n", 1_704_067_200_000_i64 + n * 60_000)).collect();
    place.write("candles/ETHUSDT-1m.csv", minutes);
    let words = [
        "edge70 judges candles of 1d, and this market has only those of 1m",
        "add candles of 1d, or set interval = \"1m\" under [edges.edge70]",
    ];
    for command in ["backtest --candles candles".to_owned(), up("recorded:candles")] {
        let run = place.run(&command).well();
        run.says(&words);
        assert!(run.err.contains(&format!("warning: {}", words[0])), "{run:#?}");
    }
    let json = place.run("backtest --candles candles --json").well().json();
    assert_eq!(json["edges_without_candles"], serde_json::json!(["edge70"]));
    let doctor = place.run("doctor --candles candles");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&["WRONG  candles"]).says(&words);

    // One of two hears: the other is told of, and the run goes on.
    place.write(
        "tapedeck.toml",
        "[edges.edge70]\ninterval = \"1m\"\n[edges.edge60]\nenabled = true\ninterval = \"4h\"\n",
    );
    let heard = place.run("backtest --candles candles").well();
    assert!(
        heard.err.contains("warning: edge60 judges candles of 4h, and this market has only those of 1m"),
        "{heard:#?}"
    );
}

#[test]
fn a_quote_in_which_nothing_is_traded_is_an_error_that_names_those_there_are() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 100);
    place.write("tapedeck.toml", "quote = \"EUR\"\n");
    let words = ["quote = \"EUR\"", "but in USDT"];
    place.run("backtest --candles candles").ends(2, &words);
    place.run(&up("recorded:candles")).ends(2, &words);
    place.run("doctor --candles candles").says(&["WRONG  candles"]).says(&words);

    candles(&place, "candles", &["ETHEUR"], 100);
    let mixed = place.run("backtest --candles candles").well();
    assert!(mixed.err.contains("warning: BTCUSDT: not traded, since quote = \"EUR\""), "{mixed:#?}");
}

#[test]
fn rules_that_were_inferred_are_told_as_such() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 100);
    let words = "ticks and lots of BTCUSDT, ETHUSDT are inferred from the candles' figures";
    let backtest = place.run("backtest --candles candles --json").well();
    assert!(backtest.err.contains(words), "{backtest:#?}");
    assert_eq!(backtest.json()["rules_inferred"].as_array().unwrap().len(), 2);
    place.run("doctor --candles candles").well().says(&["note   candles", words]);
    let info = |symbol: &str, base: &str| {
        format!(
            r#"{{"symbol":"{symbol}","baseAsset":"{base}","quoteAsset":"USDT","filters":[
            {{"filterType":"PRICE_FILTER","tickSize":"0.01"}},{{"filterType":"LOT_SIZE","stepSize":"0.00001","minQty":"0.00001"}}]}}"#
        )
    };
    let symbols = format!(r#"{{"symbols":[{},{}]}}"#, info("BTCUSDT", "BTC"), info("ETHUSDT", "ETH"));
    place.write("candles/exchangeInfo.json", symbols);
    let told = place.run("backtest --candles candles --json").well();
    assert!(!told.err.contains("inferred"), "{told:#?}");
    assert_eq!(told.json()["rules_inferred"], serde_json::json!([]));
}

#[test]
fn coins_that_are_never_bought_are_known_in_names_with_a_separator() {
    let place = Place::new();
    candles(&place, "whole", &["BTCUSDT"], 300);
    let text = place.read("whole/BTCUSDT-1d.csv");
    for name in ["PAXG_USDT-1d.csv", "USDC-USDT-1d.csv", "Binance_TUSDUSDT_d.csv"] {
        let folder = name.split('.').next().unwrap();
        place.write(&format!("{folder}/{name}"), &text);
        let summary = place.run(&format!("backtest --candles {folder} --json")).well().json();
        assert_eq!(summary["entries"], 0, "{name}: {summary}");
        assert!(summary["refused"]["prohibited_asset"].as_u64().unwrap() > 0, "{name}: {summary}");
    }
    let other = place.run("backtest --candles whole --json").well().json();
    assert!(other["entries"].as_u64().unwrap() > 0, "{other}");
}

#[test]
fn files_that_seem_to_be_candles_and_are_not_used_are_named() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 100);
    place.write("candles/BTC_USDT_USDT-1d-futures.csv", "x");
    place.write("candles/notes.txt", "x");
    let run = place.run("backtest --candles candles").well();
    let words = "candles/BTC_USDT_USDT-1d-futures.csv is not used: candles of futures are not played";
    assert!(run.err.contains(words) && !run.err.contains("notes.txt"), "{run:#?}");
    place.run("doctor --candles candles").well().says(&[words, "not used: candles/notes.txt"]);
}

fn case(name: &str) -> String {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let data = std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from);
    data.join("../cases/2026-11").join(name).display().to_string()
}

/// The very files of the reports.
#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn the_reported_files_give_what_was_expected_of_them() {
    let place = Place::new();
    let run = |name: &str| place.run(&format!("backtest --candles {} --json", case(name)));
    let ascending = run("ascending").well().json();
    assert_eq!((&ascending["candles"], &ascending["entries"]), (&260.into(), &2.into()));
    let mut descending = run("descending").well().json();
    descending["candles_by_series"] = ascending["candles_by_series"].clone();
    assert_eq!(descending, ascending);
    let gap = run("gap").well().json();
    assert_eq!((&gap["candles"], &gap["candles_missing"]), (&240.into(), &20.into()));
    assert_eq!(run("huge-volume").well().json()["candles"], 12);
    for name in ["names", "names-dash"] {
        assert_eq!(run(name).well().json()["entries"], 0, "{name}");
    }
    assert!(
        run("minutes-only")
            .well()
            .err
            .contains("edge70 judges candles of 1d, and this market has only those of 1m")
    );
}
