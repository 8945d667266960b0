//! The brake: an account stops at its figure, stays stopped over restarts, and goes on when a person says so.

use crate::support::*;
use serde_json::Value;

const UP: &str = "up --market synthetic:1:400 --speed max --exit-when-done";

fn place(brake: &str) -> Place {
    let place = Place::new();
    place.write("tapedeck.toml", format!("[brake]\n{brake}"));
    place
}

fn stops(place: &Place) -> Vec<Value> {
    let mut rows = place.rows(&["control.trading_state_changed"]);
    rows.retain(|row| row["body"]["who"] == "brake");
    rows
}

/// Positions of trades that were entered, and of those that were refused.
fn entries(place: &Place, kind: &str) -> Vec<u64> {
    place.rows(&[kind]).iter().filter_map(|row| row["position"].as_u64()).collect()
}

#[test]
fn an_account_stops_at_its_figure_stays_stopped_over_restarts_and_goes_on_when_it_is_resumed() {
    let place = place("losing_trades = 2\n");
    place.run(&format!("{UP} --to 2024-09-01")).well();
    let stopped = stops(&place);
    assert_eq!(stopped.len(), 1, "{stopped:#?}");
    assert_eq!(stopped[0]["body"]["state"], "reducing");
    assert_eq!(stopped[0]["body"]["why"], "2 losing trades in a row (limit: 2)");
    let at = stopped[0]["position"].as_u64().unwrap();
    let losses = place.rows(&["trade.closed"]);
    let is_loss = |row: &&Value| text(&row["body"]["profit"]).starts_with('-');
    let before = losses.iter().filter(|row| row["position"].as_u64().unwrap() < at);
    assert!(before.rev().take(2).filter(is_loss).count() == 2, "{losses:#?}");
    assert!(entries(&place, "trade.sized").iter().all(|position| *position < at), "nothing is entered");
    assert!(entries(&place, "trade.refused").iter().any(|position| *position > at), "it was asked for");
    // What was open has been left since.
    assert!(losses.iter().any(|row| row["position"].as_u64().unwrap() > at) || losses.len() == 2);
    place.run("trading").well().says(&["trading is reducing", "by brake: 2 losing trades in a row"]);

    place.run(&format!("{UP} --to 2024-10-01")).well();
    assert_eq!(stops(&place).len(), 1);
    assert!(entries(&place, "trade.sized").iter().all(|position| *position < at));
    place.run("trading active --account binance:paper --why looked").well();
    place.run(UP).well();
    assert!(entries(&place, "trade.sized").iter().any(|position| *position > at));
    place.run("verify").well();
}

#[test]
fn a_brake_that_is_put_on_or_taken_off_a_tape_that_has_begun_holds_from_there() {
    let place = Place::new();
    place.run(&format!("{UP} --to 2024-06-01")).well();
    assert!(!entries(&place, "trade.closed").is_empty());
    place.write("tapedeck.toml", "[brake]\ndrawdown = 0.0001\non_limit = \"halted\"\n");
    place.run(&format!("{UP} --to 2024-09-01")).well();
    let stopped = stops(&place);
    assert_eq!((stopped.len(), &stopped[0]["body"]["state"]), (1, &"halted".into()));
    place.write("tapedeck.toml", "");
    place.run("trading active --account binance:paper --why test").well();
    place.run(UP).well();
    assert_eq!(stops(&place).len(), 1);
    place.run("verify").well();
}
