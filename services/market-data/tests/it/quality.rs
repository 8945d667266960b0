//! What is said of candle files before they are played: the gate's own verdicts, with their places.

use market_data::{MarketSpec, open};
use std::{fmt::Write as _, fs};
use tempfile::TempDir;

const DAY: i64 = 86_400_000;
const START: i64 = 1_704_067_200_000;

fn row(open_ms: i64, rest: &str) -> String {
    format!("{open_ms},{rest}\n")
}

fn day(n: i64) -> String {
    row(START + n * DAY, "100,103,99,102,7")
}

fn days(numbers: impl IntoIterator<Item = i64>) -> String {
    numbers.into_iter().map(day).collect()
}

/// A line for each series that is amiss; or why the market is not played.
fn told(files: &[(&str, String)]) -> String {
    let folder: TempDir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().to_string_lossy().into_owned();
    match open(&MarketSpec::Recorded(folder.path().to_owned())) {
        Ok(market) => {
            let mut out = String::new();
            for quality in market.quality.iter().filter(|quality| !quality.words().is_empty()) {
                _ = writeln!(out, "{}: {}", quality.name(), quality.words());
            }
            out.replace(&path, "DIR")
        }
        Err(error) => format!("error: {error}").replace(&path, "DIR"),
    }
}

fn check(text: String, expected: &str) {
    assert_eq!(told(&[("BTCUSDT-1d.csv", text)]), expected);
}

#[test]
fn whole_candles_are_not_worth_a_word() {
    check(days(0..100), "");
    check(days((0..100).rev()), "");
}

#[test]
fn each_kind_of_fault_is_counted_with_its_first_place() {
    let bad = |n: i64, rest: &str| row(START + n * DAY, rest);
    check(
        days(0..10) + &bad(10, "100,99,101,100,7") + &days(11..20),
        "BTCUSDT 1d: 1 of 20 candles refused (1 inconsistent), first at DIR/BTCUSDT-1d.csv, line 11; \
         1 missing, longest gap 1 from 2024-01-11 00:00 to 2024-01-12 00:00, the first before DIR/BTCUSDT-1d.csv, line 12\n",
    );
    check(
        days(0..10) + &bad(10, "100,103,99,104,7") + &bad(10, "100,103,99,101,-7") + &days(10..20),
        "BTCUSDT 1d: 2 of 22 candles refused (2 inconsistent), first at DIR/BTCUSDT-1d.csv, line 11\n",
    );
    check(
        days(0..10) + &day(9) + &bad(9, "100,103,99,101,7") + &days(10..20),
        "BTCUSDT 1d: 2 of 22 candles refused (1 doubled, 1 different from their first copies), \
         first at DIR/BTCUSDT-1d.csv, line 11\n",
    );
    check(
        days(0..10) + &row(START + 9 * DAY + 3_600_000, "100,103,99,102,7") + &days(10..20),
        "BTCUSDT 1d: 1 of 21 candles refused (1 misaligned), first at DIR/BTCUSDT-1d.csv, line 11\n",
    );
}

#[test]
fn gaps_are_told_with_the_longest() {
    check(
        days((0..10).chain(12..40).chain(60..100)),
        "BTCUSDT 1d: 22 missing, longest gap 20 from 2024-02-10 00:00 to 2024-03-01 00:00, the first before DIR/BTCUSDT-1d.csv, line 11\n",
    );
}

#[test]
fn a_row_too_early_and_one_in_the_far_future_are_told() {
    check(
        days((0..50).chain([60]).chain(50..60).chain(61..100)),
        "BTCUSDT 1d: 10 of 100 candles refused (10 out of order), first at DIR/BTCUSDT-1d.csv, line 52 (behind 2024-03-01 00:00 of \
         line 51); \
         10 missing, longest gap 10 from 2024-02-20 00:00 to 2024-03-01 00:00, the first before DIR/BTCUSDT-1d.csv, line 51\n",
    );
    let text = days(0..90) + &row(9_000_000_000_000 / DAY * DAY, "100,103,99,102,7") + &days(90..100);
    let told = told(&[("BTCUSDT-1d.csv", text)]);
    assert!(
        told.contains(
            "10 of 101 candles refused (10 out of order), first at DIR/BTCUSDT-1d.csv, line 92 (behind 2255-"
        ),
        "{told}"
    );
    assert!(told.contains("from 2024-03-31 00:00 to 2255-"), "{told}");
}

#[test]
fn where_three_in_a_hundred_are_refused_it_is_told_and_no_error() {
    let text: String = (0..100)
        .map(|n| if n % 33 == 5 { row(START + n * DAY, "100,99,101,100,7") } else { day(n) })
        .collect();
    let told = told(&[("BTCUSDT-1d.csv", text)]);
    assert!(told.starts_with("BTCUSDT 1d: 3 of 100 candles refused (3 inconsistent)"), "{told}");
}

#[test]
fn where_most_candles_are_refused_the_market_is_not_played_and_the_remedy_is_told() {
    // Days of Berlin's winter, summer and the step between them.
    let berlin: String = (0..100)
        .map(|n| row(START + n * DAY - if n < 90 { 1 } else { 2 } * 3_600_000, "1,1,1,1,1"))
        .collect();
    check(
        berlin,
        "error: DIR/BTCUSDT-1d.csv, line 1: 100 of 100 candles refused (100 misaligned): open times must be whole \
         multiples of 1d, in UTC",
    );
    let tokyo: String = (0..100).map(|n| row(START + n * DAY - 9 * 3_600_000, "1,1,1,1,1")).collect();
    check(
        tokyo,
        "error: DIR/BTCUSDT-1d.csv, line 1: 100 of 100 candles refused (100 misaligned): they open at 15:00 UTC; \
         write times in UTC, with days that begin at 00:00",
    );
    // The columns of a file without a header are in another order.
    let jesse: String = (0..100).map(|n| row(START + n * DAY, "100,102,103,99,7")).collect();
    let told = told(&[("BTCUSDT-1d.csv", jesse)]);
    assert!(told.contains("line 1: 100 of 100 candles refused (100 inconsistent)"), "{told}");
    assert!(told.contains("are the columns named rightly in the header?"), "{told}");
}

#[test]
fn a_file_named_with_another_interval_is_refused_with_the_right_name() {
    assert_eq!(
        told_as("BTCUSDT-1h.csv", DAY),
        "error: DIR/BTCUSDT-1h.csv, line 2: its candles lie 1d apart, and its name says 1h: name it BTCUSDT-1d"
    );
    assert_eq!(
        told_as("BTCUSDT-1d.csv", 3_600_000),
        "error: DIR/BTCUSDT-1d.csv, line 2: its candles lie 1h apart, and its name says 1d: name it BTCUSDT-1h"
    );
    assert_eq!(
        told_as("BTCUSDT-1m.csv", 300_000),
        "error: DIR/BTCUSDT-1m.csv, line 2: its candles lie 5m apart, and its name says 1m: name it BTCUSDT-5m"
    );
    assert!(told_as("BTCUSDT-1m.csv", 31 * DAY).contains("a month apart"));
}

fn told_as(name: &str, step: i64) -> String {
    let text = (0..50).map(|n| row(START + n * step, "100,103,99,102,7")).collect();
    told(&[(name, text)])
}

#[test]
fn overlapping_files_are_told_by_what_differs() {
    let other: String = (5..15)
        .map(|n| row(START + n * DAY, if n == 7 { "1,1,1,1,1" } else { "100,103,99,102,7" }))
        .collect();
    assert_eq!(
        told(&[("BTCUSDT-1d.csv", days(0..10)), ("BTCUSDT-1d-2024-01.csv", other)]),
        "BTCUSDT 1d: 5 of 20 candles refused (4 doubled, 1 different from their first copies), \
         first at DIR/BTCUSDT-1d-2024-01.csv, line 1\n"
    );
}

#[test]
fn rows_without_figures_and_steps_of_the_clock_are_told() {
    let na = |n: i64| row(START + n * DAY, "NA,NA,NA,NA,NA");
    check(
        days(0..10) + &na(10) + &na(11) + &days(12..20),
        "BTCUSDT 1d: 2 missing, longest gap 2 from 2024-01-11 00:00 to 2024-01-13 00:00, the first before DIR/BTCUSDT-1d.csv, line 13; 2 rows left out (2 without prices), first at DIR/BTCUSDT-1d.csv, line 11\n",
    );
    // Local hours: one is left out in spring, one comes twice in autumn.
    let hours: String = (0..48)
        .chain(49..100)
        .chain([99])
        .chain(100..150)
        .map(|hour| {
            let price = 100 + hour;
            row(START + hour * 3_600_000, &format!("{price},{price},{price},{price},7"))
        })
        .collect();
    assert_eq!(
        told(&[("BTCUSDT-1h.csv", hours)]),
        "BTCUSDT 1h: 1 of 150 candles refused (1 doubled), first at DIR/BTCUSDT-1h.csv, line 100; \
         1 missing, longest gap 1 from 2024-01-03 00:00 to 2024-01-03 01:00, the first before DIR/BTCUSDT-1h.csv, line 49\n"
    );
}

#[test]
fn whose_rules_are_inferred_is_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("BTCUSDT-1d.csv"), days(0..3)).unwrap();
    fs::write(folder.path().join("ETHUSDT-1d.csv"), days(0..3)).unwrap();
    let info = r#"{"symbols":[{"symbol":"ETHUSDT","baseAsset":"ETH","quoteAsset":"USDT","filters":[
        {"filterType":"PRICE_FILTER","tickSize":"0.01"},{"filterType":"LOT_SIZE","stepSize":"0.0001"}]}]}"#;
    fs::write(folder.path().join("exchangeInfo.json"), info).unwrap();
    let market = open(&MarketSpec::Recorded(folder.path().to_owned())).unwrap();
    let inferred: Vec<&str> = market.inferred.iter().map(|instrument| instrument.symbol.as_str()).collect();
    assert_eq!(inferred, ["BTCUSDT"]);
    let told = market_data::quality::told_of_inferred(&market.inferred).unwrap();
    assert!(told.starts_with("ticks and lots of BTCUSDT are inferred"), "{told}");
}
