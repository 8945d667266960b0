//! Files that run backwards, have no order, or overlap.

use crate::{folder, gzip, open, zip};
use std::fmt::Write as _;
use zip::CompressionMethod;

const DAY: i64 = 86_400_000;
const START: i64 = 1_704_067_200_000;
const HEADER: &str = "open_time,open,high,low,close,volume\n";

fn row(day: i64) -> String {
    format!("{},{day}.5,{day}.9,{day}.1,{day}.2,7\n", START + day * DAY)
}

fn rows(days: impl Iterator<Item = i64>) -> String {
    days.map(row).collect()
}

/// The days of the only series as read, with the line of each; or why it is refused.
fn told(files: &[(&str, &[u8])]) -> String {
    let folder = folder(files);
    let mut seen = String::new();
    let store = market_store::Store::open_with(folder.path(), crate::binance(), &mut |candle, place| {
        let day = (candle.open_time.millis() - START) / DAY;
        _ = write!(seen, "{day}@{} ", place.line);
    });
    match store {
        Ok(store) => {
            let days: Vec<i64> =
                store.series[0].read().map(|c| (c.unwrap().open_time.millis() - START) / DAY).collect();
            let looked: Vec<i64> =
                seen.split(' ').filter_map(|s| s.split('@').next()?.parse().ok()).collect();
            assert_eq!(days, looked, "what is looked at is what is read");
            seen.trim_end().to_owned()
        }
        Err(why) => why.to_string().replace(&*folder.path().to_string_lossy(), "DIR"),
    }
}

#[test]
fn rows_that_end_in_carriage_returns_only_are_refused_and_not_read_as_one() {
    let old_mac = format!("{HEADER}{}", rows(0..6)).replace('\n', "\r");
    let without_header = rows(0..6).replace('\n', "\r");
    let many = rows(0..400).replace('\n', "\r");
    for text in [&old_mac, &without_header, &many] {
        let said = told(&[("BTCUSDT-1d.csv", text.as_bytes())]);
        assert!(said.contains("line 1") && said.contains("carriage return") && said.contains("LF"), "{said}");
    }
    let windows = format!("{HEADER}{}", rows(0..3)).replace('\n', "\r\n");
    assert_eq!(told(&[("BTCUSDT-1d.csv", windows.as_bytes())]), "0@2 1@3 2@4");
}

#[test]
fn a_file_that_runs_backwards_is_read_from_its_end() {
    let text = format!("https://www.CryptoDataDownload.com\n{HEADER}{}", rows((0..5).rev()));
    let expected = "0@7 1@6 2@5 3@4 4@3";
    assert_eq!(told(&[("AUSDT-1d.csv", text.as_bytes())]), expected);
    assert_eq!(told(&[("AUSDT-1d.csv", text.trim_end().as_bytes())]), expected);
    assert_eq!(told(&[("AUSDT-1d.csv", text.replace('\n', "\r\n").as_bytes())]), expected);
    assert_eq!(told(&[("AUSDT-1d.csv.gz", &gzip(&text))]), expected);
    assert_eq!(told(&[("AUSDT-1d.zip", &zip(&[("a.csv", &text)], CompressionMethod::Deflated))]), expected);
    // Longer than what is read at once.
    let many = rows((0..5_000).rev());
    let told = told(&[("AUSDT-1d.csv.gz", &gzip(&many))]);
    assert!(told.starts_with("0@5000 1@4999 ") && told.ends_with(" 4999@1"));
}

#[test]
fn a_file_without_an_order_is_refused_with_its_remedy() {
    let shuffled = rows((0..40).map(|day| day * 17 % 40));
    let halves = rows((0..20).chain((20..40).rev()));
    for text in [shuffled, halves] {
        let told = told(&[("AUSDT-1d.csv", text.as_bytes())]);
        assert!(told.contains("sort the file by open time, oldest or newest first"), "{told}");
        assert!(told.starts_with("DIR/AUSDT-1d.csv, line "), "{told}");
    }
    // One stray row is for the gate to judge.
    let stray = rows((0..20).chain([30]).chain(20..30));
    assert!(told(&[("AUSDT-1d.csv", stray.as_bytes())]).contains("19@20 30@21 20@22"));
}

#[test]
fn files_of_a_series_are_read_by_time_and_both_copies_of_a_candle_are_given() {
    assert_eq!(
        told(&[
            ("AUSDT-1d.csv", rows(4..8).as_bytes()),
            ("A_USDT-1d-2024-01.csv", rows((0..5).rev()).as_bytes()),
            ("AUSDT-1d-2024-01-11.csv", rows(10..12).as_bytes()),
        ]),
        "0@5 1@4 2@3 3@2 4@1 4@1 5@2 6@3 7@4 10@1 11@2"
    );
}

#[test]
fn a_file_without_candles_among_others_is_named() {
    let folder = folder(&[("AUSDT-1d.csv", row(0).as_bytes()), ("AUSDT-1d-2024-02.csv", HEADER.as_bytes())]);
    let store = open(&folder).unwrap();
    assert_eq!(store.ignored.len(), 1);
    assert_eq!(store.ignored[0].why.as_deref(), Some("holds no candle"));
    for empty in ["", HEADER, "\n\n", "\u{feff}"] {
        let told = told(&[("AUSDT-1d.csv", empty.as_bytes())]);
        assert_eq!(told, "DIR/AUSDT-1d.csv: holds no candle; remove it or fetch it again", "{empty:?}");
    }
}

#[test]
fn what_was_assumed_of_a_file_is_noted() {
    let text = "date,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\n2024-01-01,1,1,1,1,1\n";
    let store = open(&folder(&[("AUSDT-1d.csv", text.as_bytes())])).unwrap();
    let notes: Vec<&str> = store.series[0].notes.iter().map(|(_, words)| *words).collect();
    assert_eq!(notes, ["runs backwards: it is read from its end", "times without a zone are read as UTC"]);
}
