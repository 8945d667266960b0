//! Rows that are left out, and series that begin late or end early, are told by every command that reads candles.

use crate::support::*;
use serde_json::{Value, json};

/// Rewrites a made-up file with a header, line by line; the number of a row counts from 1. `None` drops it.
fn rewrite(place: &Place, name: &str, line: impl Fn(usize, &str) -> Option<String>) {
    let text = place.read(name);
    let lines: Vec<String> = text.lines().enumerate().filter_map(|(n, text)| line(n, text)).collect();
    place.write(name, lines.join("\n") + "\n");
}

/// What `backtest`, its `summary.json`, `up` and `doctor` tell of a folder as JSON.
fn in_all_commands(place: &Place, folder: &str) -> Vec<Value> {
    let backtest = place.run(&format!("backtest --candles {folder} --json --out out")).well().json();
    let file: Value = serde_json::from_str(&place.read("out/summary.json")).unwrap();
    let played = place.run(&(up(&format!("recorded:{folder}")) + " --json")).well().json();
    let doctor = place.run(&format!("doctor --candles {folder} --json")).json()["candles"].clone();
    vec![backtest, file, played, doctor]
}

/// The row with some of its figures replaced.
fn without(row: &str, columns: &[usize], sign: &str) -> String {
    let cells = row.split(',').enumerate().map(|(n, cell)| if columns.contains(&n) { sign } else { cell });
    cells.collect::<Vec<_>>().join(",")
}

#[test]
fn rows_without_figures_are_told_by_reason_with_the_first_place() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 300);
    rewrite(&place, "candles/BTCUSDT-1d.csv", |n, row| {
        Some(match n {
            60 => without(row, &[1, 2, 3, 4, 5], "NA"),
            61 => without(row, &[1, 2, 3, 4, 5], ""),
            _ => row.to_owned(),
        })
    });
    let words = "2 rows left out (2 without prices), first at candles/BTCUSDT-1d.csv, line 61";
    let backtest = place.run("backtest --candles candles").well();
    backtest.says(&["candles     BTCUSDT 1d: ", words]).tells(&["warning: BTCUSDT 1d: ", words]);
    place.run("doctor --candles candles").says(&["BTCUSDT 1d: ", words]);
    for told in in_all_commands(&place, "candles") {
        assert_eq!(told["rows_left_out"], json!({ "no_prices": 2 }), "{told}");
        assert_eq!(told["candles_by_series"][0]["left_out"], json!({ "no_prices": 2 }));
        let place = json!({ "file": "candles/BTCUSDT-1d.csv", "line": 61 });
        assert_eq!(told["candles_by_series"][0]["first_left_out"], place);
        assert_eq!(told["candles_by_series"][1]["left_out"], json!({}));
        assert_eq!(told["candles_missing"], 2);
    }
}

#[test]
fn a_row_without_its_close_only_is_left_out_and_told() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 300);
    rewrite(&place, "candles/BTCUSDT-1d.csv", |n, row| {
        Some(match n {
            100 => without(row, &[4], "NA"),
            200 => without(row, &[1], ""),
            201 => without(row, &[1, 2, 3, 4], "nan"),
            _ => row.to_owned(),
        })
    });
    let words = "3 rows left out (1 without prices, 2 with only some of their prices), first at candles/BTCUSDT-1d.csv, line 101";
    place.run("backtest --candles candles").well().says(&[words]).tells(&[words]);
    place.run("doctor --candles candles").says(&["note   candles", words]);
    for told in in_all_commands(&place, "candles") {
        assert_eq!(told["rows_left_out"], json!({ "no_prices": 1, "some_prices": 2 }), "{told}");
    }
    // A tape does not hold them, and does not say that there were none.
    place.run("backtest --candles candles --tape sqlite:bt.tape").well();
    let report = place.run("report --json --tape sqlite:bt.tape").well().json();
    assert_eq!((&report["rows_left_out"], &report["candles_missing"]), (&Value::Null, &3.into()));
}

#[test]
fn rows_left_out_of_a_file_that_runs_backwards_are_told_with_its_line() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 300);
    let text = place.read("candles/BTCUSDT-1d.csv");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    let spoilt = without(lines[10], &[4], "NA");
    lines[10] = &spoilt;
    place.write("candles/BTCUSDT-1d.csv", lines.join("\n"));
    let words = "1 row left out (1 with only some of their prices), first at candles/BTCUSDT-1d.csv, line 11";
    place.run("backtest --candles candles").well().says(&[words]);
}

#[test]
fn a_series_that_ends_a_year_early_is_told_with_its_end() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT", "LTCUSDT"], 800);
    rewrite(&place, "candles/ETHUSDT-1d.csv", |n, row| (n <= 435).then(|| row.to_owned()));
    let words = "end earlier than 2024-03-11 00:00: ETHUSDT 1d on 2023-03-12 00:00 (365 fewer)";
    place
        .run("backtest --candles candles")
        .well()
        .says(&["candles     ", words])
        .tells(&["warning: ", words]);
    place.run("doctor --candles candles").well().says(&["note   candles", words]);
    for told in in_all_commands(&place, "candles") {
        assert_eq!(
            (&told["candles_missing_after"], &told["candles_missing_before"]),
            (&365.into(), &0.into())
        );
        let series = &told["candles_by_series"][1];
        assert_eq!((&series["missing_after"], &series["missing"]), (&365.into(), &0.into()));
        assert_eq!(series["to"], "2023-03-12T00:00:00Z");
    }
    // The tape tells it, too.
    place.run("backtest --candles candles --tape sqlite:bt.tape").well();
    place.run("report --tape sqlite:bt.tape").well().says(&[words]);
}

#[test]
fn a_series_that_begins_late_is_told_with_its_beginning() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 300);
    rewrite(&place, "candles/BTCUSDT-1d.csv", |n, row| (n == 0 || n > 100).then(|| row.to_owned()));
    let words = "begin later than 2022-01-01 00:00: BTCUSDT 1d on 2022-04-11 00:00 (100 fewer)";
    place.run("backtest --candles candles").well().says(&[words]).tells(&[words]);
    place.run("doctor --candles candles").well().says(&[words]);
    for told in in_all_commands(&place, "candles") {
        assert_eq!(told["candles_missing_before"], 100);
        assert_eq!(told["candles_by_series"][0]["from"], "2022-04-11T00:00:00Z");
    }
}

#[test]
fn series_that_do_not_reach_the_time_that_was_asked_for_are_told() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 300);
    rewrite(&place, "candles/ETHUSDT-1d.csv", |n, row| (n <= 50).then(|| row.to_owned()));
    let asked = place.run("backtest --candles candles --from 2022-06-01 --to 2023-01-01").well();
    asked.says(&[
        "end earlier than 2023-01-01 00:00: BTCUSDT 1d on 2022-10-28 00:00 (65 fewer)",
        "not one from 2022-06-01 00:00 to 2023-01-01 00:00: ETHUSDT 1d",
    ]);
    let json = place.run("backtest --candles candles --from 2022-06-01 --json").well().json();
    let eth = &json["candles_by_series"][1];
    assert_eq!((&eth["heard"], &eth["missing_after"], &eth["from"]), (&0.into(), &149.into(), &Value::Null));
    // Asked for no more than there is, nothing is told.
    let within = place.run("backtest --candles candles --from 2022-01-10 --to 2022-02-10").well();
    assert!(!within.out.contains("candles     "), "{within:#?}");
}

/// Hours that go on for a part of a day after the last day has closed lack no day.
#[test]
fn a_part_of_a_candle_is_not_lacking() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 100);
    let hours: String = (0..100 * 24 + 7)
        .map(|n| format!("{},100,101,99,100,10\n", 1_640_995_200_000_i64 + n * 3_600_000))
        .collect();
    place.write("candles/BTCUSDT-1h.csv", hours);
    let told = place.run("backtest --candles candles").well();
    assert!(!told.out.contains("candles     "), "{told:#?}");
}
