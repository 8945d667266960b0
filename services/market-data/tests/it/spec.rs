use market_data::{MarketSpec, open};
use std::{fs, path::Path};

fn check(given: &str, expected: &str) {
    let told = match given.parse::<MarketSpec>() {
        Ok(spec) => spec.to_string(),
        Err(why) => format!("no: {}", why.why),
    };
    assert_eq!(told, expected, "{given}");
}

#[test]
fn a_market_is_written_in_one_word() {
    check("synthetic", "synthetic:1");
    check("synthetic:7", "synthetic:7");
    check("synthetic:7:731", "synthetic:7");
    check("synthetic:7:30", "synthetic:7:30");
    check("recorded:../data/candles", "recorded:../data/candles");
    check("recorded:C:/candles", "recorded:C:/candles");
    check("binance", "binance:BTCUSDT,ETHUSDT:1d");
    check("binance:btcusdt", "binance:BTCUSDT:1d");
    check("binance:BTCUSDT,币安人生USDT:1h,1d", "binance:BTCUSDT,币安人生USDT:1h,1d");
}

#[test]
fn a_wrong_word_is_answered_with_the_right_ones() {
    for given in ["bybit", ""] {
        check(given, "no: write synthetic[:SEED[:DAYS]], recorded:PATH or binance[:SYMBOLS[:INTERVALS]]");
    }
    for given in ["binance:", "binance:A,", "binance:A:", "binance:A:1d:x", "binance:A B"] {
        check(given, "no: write binance[:SYMBOLS[:INTERVALS]], e.g. binance:BTCUSDT,ETHUSDT:1h,1d");
    }
    for given in ["binance:A:1x", "binance:A:1d,1x"] {
        let why = given.parse::<MarketSpec>().unwrap_err().to_string();
        assert!(why.contains("1x") && why.contains("interval") && why.contains("1m 3m 5m"), "{why}");
    }
    for given in ["recorded", "recorded:"] {
        check(given, "no: name the file or folder of candles, e.g. recorded:data/candles");
    }
    for given in
        ["synthetic:", "synthetic:x", "synthetic:-1", "synthetic:1:0", "synthetic:1:40000", "synthetic:1:2:3"]
    {
        check(
            given,
            "no: write synthetic[:SEED[:DAYS]] with whole numbers, at most 36500 days, e.g. synthetic:7 or synthetic:7:365",
        );
    }
}

fn write(folder: &Path, names: &[&str]) -> String {
    fs::create_dir_all(folder).unwrap();
    for name in names {
        fs::write(folder.join(name), "1704067200000,1,1,1,1,1\n1704070800000,1,1,1,1,1\n").unwrap();
    }
    open(&MarketSpec::Recorded(folder.to_owned())).unwrap().describe
}

#[test]
fn a_recorded_market_is_described_by_its_series_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let in_a = |sub: &str| folder.path().join(sub).join("candles");
    let here = write(&in_a("here"), &["AUSDT-1h.csv", "BUSDT-1h.csv"]);
    let there = write(&in_a("there"), &["AUSDT-1h.csv", "BUSDT-1h.csv"]);
    let other = write(&in_a("other"), &["AUSDT-1h.csv", "BUSDT-2h.csv"]);
    assert_eq!(here, there);
    assert_ne!(here, other);
    assert!(here.starts_with("recorded:candles:"), "{here}");
    let roundabout = MarketSpec::Recorded(in_a("here").join("..").join("candles"));
    assert_eq!(open(&roundabout).unwrap().describe, here);
}

#[test]
fn an_opened_market_tells_its_size_and_span() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["AUSDT-1h.csv", "BUSDT-4h.csv"]);
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let opened = open(&MarketSpec::Recorded(folder.path().to_owned())).unwrap();
    assert_eq!(opened.candles, 4);
    assert_eq!(opened.first.to_string(), "2024-01-01T00:00:00Z");
    assert_eq!(opened.last.to_string(), "2024-01-01T05:00:00Z");
    assert_eq!(opened.ignored.len(), 1);
    let opened = open(&"synthetic:3:10".parse().unwrap()).unwrap();
    assert_eq!(opened.describe, "synthetic:3:10");
    assert_eq!(opened.rules.len(), 5);
    assert_eq!(opened.last.to_string(), "2024-01-11T00:00:00Z");
}

#[test]
fn a_recorded_market_that_is_not_there_says_so() {
    let missing = open(&"recorded:no/such/folder".parse().unwrap()).map(|_| ()).unwrap_err();
    assert_eq!(missing.to_string(), "no/such/folder: there is no such file or folder");
}

#[test]
fn a_live_market_is_not_played() {
    let spec: MarketSpec = "binance:B,A,B:1d,1h".parse().unwrap();
    let series: Vec<String> =
        spec.live().unwrap().iter().map(|s| format!("{} {}", s.instrument, s.interval)).collect();
    let expected = ["binance:spot:A 1h", "binance:spot:B 1h", "binance:spot:A 1d", "binance:spot:B 1d"];
    assert_eq!(series, expected);
    let why = open(&spec).map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("live market"), "{why}");
    assert!("synthetic".parse::<MarketSpec>().unwrap().live().is_none());
}
