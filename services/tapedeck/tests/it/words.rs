//! What is printed for people is English: no names of the program's own types, and right plurals.

use crate::support::*;

/// Names of variants in the program, as they once stood in sentences.
const RAW: [&str; 25] = [
    "StopHit",
    "TakeProfitHit",
    "BeyondStop",
    "(Requested)",
    "(Entered)",
    "(Dust)",
    "(Fixed",
    "(Risk",
    "(Market clock)",
    "(Wall clock)",
    "OutOfOrder",
    "Misaligned",
    "Inconsistent",
    "Duplicate",
    "ProhibitedAsset",
    "TradingState",
    "MinNotional",
    "AlreadyInPosition",
    "EntryUnfilled",
    "InsufficientBalance",
    "WouldTrigger",
    "is Halted",
    "is Reducing",
    "Acceptance",
    "Some(",
];

#[track_caller]
fn is_english(text: &str) {
    for raw in RAW {
        let line = text.lines().find(|line| line.contains(raw));
        assert!(line.is_none(), "'{raw}' in: {line:?}");
    }
    for (at, _) in text.match_indices("1 ") {
        let alone =
            text[..at].chars().next_back().is_none_or(|c| !c.is_ascii_digit() && c != '.' && c != ',');
        let word: String = text[at + 2..].chars().take_while(|c| c.is_alphabetic()).collect();
        let plurals =
            ["days", "candles", "instruments", "units", "seeds", "columns", "events", "trades", "signals"];
        assert!(!(alone && plurals.contains(&word.as_str())), "'1 {word}'");
    }
}

#[test]
fn no_view_shows_a_raw_name() {
    let place = Place::finished();
    let trade = text(&place.run("trades --json").well().list()[0]["trade"]).to_owned();
    for command in [
        "trades",
        "orders",
        "positions",
        "portfolio",
        "signals",
        "report",
        "doctor",
        "tape show -n 100000",
        "verify",
        &format!("why {trade}"),
    ] {
        is_english(&place.run(command).well().out);
    }
}

#[test]
fn neither_does_what_is_refused_or_wrong() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 200);
    // A row twice, one off the grid, one whose high is below its low.
    let mut rows = place.read("candles/BTCUSDT-1d.csv");
    let last = rows.lines().last().unwrap().to_owned();
    let (time, rest) = last.split_once(',').unwrap();
    let later = time.parse::<i64>().unwrap() + 86_400_000;
    rows += &format!("{last}\n{},{rest}\n{later},100,90,110,100,1\n", later - 1_000);
    place.write("candles/BTCUSDT-1d.csv", rows);
    place.write("tapedeck.toml", "[limits]\nprohibited = [\"BTC\"]\n");
    let told = place.run("backtest --candles candles --tape sqlite:bt.tape");
    is_english(&told.out);
    let shown = place.run("tape show -n 100000 --tape sqlite:bt.tape").well();
    is_english(&shown.out);
    shown.says(&["on the market clock", "refused (prohibited asset)"]);
    is_english(&place.run("trades --tape sqlite:bt.tape").well().out);
    is_english(&place.run("doctor --candles candles --tape sqlite:bt.tape").out);
}

#[test]
fn one_of_a_thing_is_singular() {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT"], 1);
    is_english(&place.run("backtest --candles candles").well().out);
    is_english(&place.run("doctor --candles candles").well().out);
    place.run("simulate --seeds 1").well().says(&["1 seed: "]);
}

#[test]
fn no_option_tells_its_default_twice() {
    let place = Place::new();
    for command in ["up", "run", "backtest", "trades", "portfolio", "replay", "why", "report", "tape tail"] {
        let help = place.run(&format!("{command} --help")).well().out;
        for option in help.split("\n  -").skip(1).flat_map(|part| part.split("\n      --")) {
            assert!(option.matches("[default:").count() <= 1, "{command}: {option}");
        }
        assert!(!help.contains("or to look at the newest"), "{help}");
    }
}

/// Amounts that are quotients have no more digits than anybody needs.
#[test]
fn json_has_no_endless_decimals() {
    let place = Place::finished();
    for command in ["trades", "positions", "orders", "portfolio", "report"] {
        let json = place.run(&format!("{command} --json")).well().out;
        for word in json.split('"') {
            let (whole, decimals) = word.split_once('.').unwrap_or((word, ""));
            if whole.parse::<i64>().is_ok() && decimals.chars().all(|c| c.is_ascii_digit()) {
                assert!(decimals.len() <= 16 && !decimals.ends_with('0'), "{command}: {word}");
            }
        }
    }
}

#[test]
fn the_doctor_tells_what_helps_with_a_folder_that_is_none() {
    let place = Place::new();
    place.write("data", "a file where a folder should be");
    let told = place.run("doctor --data-dir data");
    assert_eq!(told.code, Some(1));
    told.says(&["a file stands where the folder should be"]);
    assert!(!told.out.contains("make room"), "{told:?}");
}
