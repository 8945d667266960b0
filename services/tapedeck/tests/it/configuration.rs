//! A tape that was begun under one configuration goes on under another.

use crate::support::*;
use serde_json::Value;

const HALF: &str = "2024-04-10";

/// Half of the market under the default, the rest under `config`.
fn changed(config: &str) -> Place {
    let place = Place::new();
    place.run(&format!("{} --to {HALF}", up(MARKET))).well();
    place.write("tapedeck.toml", config);
    place.run(&up(MARKET)).well();
    place.run("verify --json").well();
    place
}

/// The units that started anew after the first half, with their configuration.
fn started(place: &Place) -> Vec<(String, Value)> {
    let half = domain::Timestamp::ZERO;
    let at = |row: &Value| time(&row["recorded_at"]);
    let begun = place.rows(&["unit"]).first().map_or(half, at);
    let later = place.rows(&["unit"]).into_iter().filter(|row| at(row) > begun);
    later.map(|row| (text(&row["source"]).to_owned(), row["body"]["config"].clone())).collect()
}

#[test]
fn another_size_is_taken_up_by_the_sizer_alone() {
    let place = changed("[edges.edge70]\nsizing = { method = \"fixed\", amount = 250 }\n");
    let started = started(&place);
    assert_eq!(started.len(), 1, "{started:?}");
    assert_eq!(started[0].0, "position-sizer");
    assert!(started[0].1.to_string().contains("250"), "{started:?}");

    let half: domain::Timestamp = HALF.parse().unwrap();
    let budgets = |later: bool| -> Vec<String> {
        let sized = place.rows(&["trade.sized"]);
        let part = sized.iter().filter(|row| (time(&row["recorded_at"]) > half) == later);
        part.map(|row| text(&row["body"]["sizing"]["budget"]).to_owned()).collect()
    };
    assert!(!budgets(false).is_empty() && budgets(false).iter().all(|budget| budget == "100"));
    assert!(!budgets(true).is_empty() && budgets(true).iter().all(|budget| budget == "250"));
}

#[test]
fn another_lookback_is_taken_up_by_the_edge_alone() {
    let place = changed("[edges.edge70]\nlong = 20\nshort = 10\n");
    let started = started(&place);
    assert_eq!(started.len(), 1, "{started:?}");
    assert_eq!(started[0].0, "edge70-signals");
    let lookbacks = |row: &Value| row["body"]["evidence"]["breakout"]["lookback"].as_u64().unwrap();
    let half: domain::Timestamp = HALF.parse().unwrap();
    for signal in place.rows(&["signal.given"]) {
        let known: [u64; 2] = if time(&signal["recorded_at"]) > half { [20, 10] } else { [59, 21] };
        assert!(known.contains(&lookbacks(&signal)), "{signal}");
    }
}

#[test]
fn the_same_configuration_written_otherwise_starts_nothing() {
    let place = changed("[edges.edge70]\n# As it was.\nlong = 59\n");
    assert_eq!(started(&place), []);
    assert_eq!(place.head(), Place::finished().head());
}

#[test]
fn an_edge_that_is_switched_on_begins_to_trade() {
    let place = changed("[edges.edge70]\n[edges.edge60]\nenabled = true\n");
    let started = started(&place);
    assert!(started.iter().any(|(unit, _)| unit == "edge60-signals"), "{started:?}");
    let half: domain::Timestamp = HALF.parse().unwrap();
    let signals = place.rows(&["signal.given"]);
    let (mine, theirs): (Vec<_>, Vec<_>) = signals.iter().partition(|row| row["source"] == "edge60-signals");
    assert!(!mine.is_empty() && mine.iter().all(|row| time(&row["recorded_at"]) > half), "{mine:?}");
    assert!(theirs.iter().any(|row| time(&row["recorded_at"]) > half), "the other one goes on");
}

#[test]
fn an_edge_that_is_switched_off_says_no_more_and_is_still_verified() {
    let place = changed("[edges.edge60]\nenabled = true\n");
    let half: domain::Timestamp = HALF.parse().unwrap();
    for row in place.rows(&["signal.given"]) {
        assert!(row["source"] != "edge70-signals" || time(&row["recorded_at"]) <= half, "{row}");
    }
}
