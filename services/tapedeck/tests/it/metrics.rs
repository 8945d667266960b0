//! `docs/METRICS.md` against real reports: it defines every name in them, once, and no other.

use crate::support::*;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Objects whose keys are data: reasons, rules, assets.
const MAPS: [&str; 7] = [
    "refused",
    "aborted",
    "fees",
    "candles_refused",
    "candles_by_series.refused",
    "rows_left_out",
    "left_out",
];

/// What stands in the first column of the tables whose header says `figure` or `name`.
fn defined() -> BTreeMap<String, usize> {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/METRICS.md")).unwrap();
    let mut names = BTreeMap::new();
    let mut in_table = false;
    for line in page.lines() {
        let Some(row) = line.strip_prefix("| ") else {
            in_table = in_table && line.starts_with("|---");
            continue;
        };
        let first = row.split(" | ").next().unwrap();
        if ["figure", "name"].contains(&first) {
            in_table = true;
        } else if in_table {
            for name in first.split('`').skip(1).step_by(2) {
                *names.entry(name.to_owned()).or_insert(0) += 1;
            }
        }
    }
    names
}

/// Every name in a value, behind the names that lead to it; lists leave no trace.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                // The trades that are open are rows as any others.
                let under = if path == "open" { "trade" } else { path };
                let path = if under.is_empty() { name.clone() } else { format!("{under}.{name}") };
                let is_map = MAPS.iter().any(|map| path == *map || path.ends_with(&format!(".{map}")));
                if !(is_map && value.is_object()) {
                    paths(value, &path, found);
                }
                found.insert(path);
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| paths(row, path, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The definition of a name: the one of the most names that lead to it.
fn definition<'a>(path: &str, defined: &'a BTreeMap<String, usize>) -> Option<&'a String> {
    let mut path = path;
    loop {
        if let Some((name, _)) = defined.get_key_value(path) {
            return Some(name);
        }
        path = path.split_once('.')?.1;
    }
}

#[test]
fn every_name_in_reports_and_trades_is_defined_exactly_once() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT", "LTCUSDT", "ADAUSDT"], 365);
    // All that can be wrong with a file is: names that are there only then are looked at, too.
    let file = "candles/ETHUSDT-1d.csv";
    let mut lines: Vec<String> = place.read(file).lines().map(str::to_owned).collect();
    lines.drain(101..103);
    lines[50] = lines[50].split(',').next().unwrap().to_owned() + ",NA,NA,NA,NA,NA";
    let early = lines[20].clone();
    lines.insert(40, early);
    place.write(file, lines.join("\n"));

    let mut found = BTreeSet::new();
    let run = place.run("backtest --candles candles --json --out bt --tape sqlite:bt.tape").well().json();
    let file: Value = serde_json::from_str(&place.read("bt/summary.json")).unwrap();
    let report = place.run("report --json --tape sqlite:bt.tape").well().json();
    let doctor = place.run("doctor --candles candles --json").json()["candles"].clone();
    assert!(run["trades_open"].as_u64().unwrap() > 0 && run["trades_closed"].as_u64().unwrap() > 0, "{run}");
    assert!(!run["dust"].as_array().unwrap().is_empty(), "{run}");
    for told in [run, file, report, doctor] {
        paths(&told, "", &mut found);
    }
    let trades = place.run("trades --json --tape sqlite:bt.tape").well().json();
    paths(&trades, "trade", &mut found);
    for csv in [
        place.run("trades --csv --tape sqlite:bt.tape").well().out,
        place.read("bt/trades.csv"),
        place.read("bt/requests.csv"),
    ] {
        found.extend(csv.lines().next().unwrap().split(',').map(|name| format!("trade.{name}")));
    }
    // Of a tape's end: `docs/METRICS.md` tells them in the line of `head`.
    found.retain(|path| !path.starts_with("head."));

    let defined = defined();
    let twice: Vec<_> = defined.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "defined more than once: {twice:?}");
    let lacking: Vec<_> = found.iter().filter(|path| definition(path, &defined).is_none()).collect();
    assert!(lacking.is_empty(), "not defined: {lacking:?}");
    let used: BTreeSet<_> = found.iter().filter_map(|path| definition(path, &defined)).collect();
    let vain: Vec<_> = defined.keys().filter(|name| !used.contains(name)).collect();
    assert!(vain.is_empty(), "defined, and in no report: {vain:?}");
}
