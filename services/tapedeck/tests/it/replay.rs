//! `tapedeck replay`: every service as it was.

use crate::support::*;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};

/// The engine keeps its units' states on the tape when a run ends; replay gets them from the events.
#[tokio::test]
async fn replay_ends_with_the_states_that_the_units_had() {
    let place = Place::finished();
    let replayed = place.run("replay --json").well().json();
    assert_eq!(replayed["position"], place.head().position);
    let mut raw = SqliteConnectOptions::new().filename(place.path(&place.kept())).connect().await.unwrap();
    let kept = sqlx::query("SELECT unit, CAST(state AS TEXT) FROM snapshot ORDER BY position DESC")
        .fetch_all(&mut raw)
        .await
        .unwrap();
    raw.close().await.unwrap();
    let units = replayed["units"].as_object().unwrap();
    assert_eq!(units.len(), 9);
    for (unit, state) in units {
        let kept = kept.iter().find(|row| row.get::<&str, _>(0) == unit).unwrap();
        let kept: Value = serde_json::from_str(kept.get(1)).unwrap();
        assert_eq!(kept["state"], *state, "{unit}");
    }
    let told = place.run("replay --unit trade-planner").well();
    assert!(told.out.starts_with(&format!("position {}\n\ntrade-planner\n{{", place.head().position)));
    place.run("replay --unit nobody").ends(2, &["--unit nobody", "trade-planner", "position-sizer"]);
}

#[test]
fn replay_until_a_moment_shows_what_was_so_then() {
    let place = Place::finished();
    let then = Place::new();
    then.run(&format!("{} --to 2024-06-01", up(MARKET))).well();
    let position = then.head().position;
    let as_it_was = then.run("replay --json").well().out;
    for until in [position.to_string(), "2024-06-01".to_owned(), "2024-06-01T00:00:00Z".to_owned()] {
        let seen = place.run(&format!("replay --json --until {until}")).well();
        assert!(seen.out == as_it_was, "--until {until}");
    }
    let nothing = place.run("replay --json --until 2023-01-01").well().json();
    assert_eq!(nothing["position"], 0);
    let end = place.run("replay --json --until 2030-01-01").well().json();
    assert_eq!(end["position"], place.head().position);
    let beyond = place.head().position + 1;
    place
        .run(&format!("replay --until {beyond}"))
        .ends(2, &["the tape ends at position", &(beyond - 1).to_string()]);
    place.run("replay --until soon").ends(2, &["'soon'", "position", "2024-01-15"]);
}
