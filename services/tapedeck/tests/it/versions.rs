//! A tape on which a newer version of Tapedeck has written.

use crate::support::*;
use domain::{Timestamp, UnitName};
use events::{Draft, UnitStarted, Uuid};
use tape::{Commit, Entry, Mode};

/// Appends an event that this version does not know, as a newer one would have.
async fn newer(place: &Place, kind: &'static str, schema: u16) {
    let tape = place.tape(&place.kept(), Mode::Write).await;
    let head = tape.head().await.unwrap();
    let draft = Draft {
        id: Uuid::from_u128(77),
        kind: kind.into(),
        schema,
        subject: "position:binance:paper".to_owned(),
        source: UnitName::new("position-tracker").unwrap(),
        cause: None,
        trade: None,
        at: Timestamp::ZERO,
        body: r#"{"what":"nobody here knows"}"#.to_owned(),
        meta: None,
    };
    tape.append(Commit::new(vec![Entry::market(draft, head.recorded_at)])).await.unwrap();
    tape.close().await.unwrap();
}

async fn is_refused(kind: &'static str, schema: u16, readers: &[&str], words: &[&str]) {
    let place = Place::finished();
    newer(&place, kind, schema).await;
    let head = place.head();
    let at = format!("position {}: ", head.position);
    let words: Vec<&str> =
        words.iter().copied().chain([at.as_str(), "newer build", "upgrade this one"]).collect();
    for command in [up(MARKET).as_str(), "replay", "verify"].iter().chain(readers) {
        place.run(command).ends(1, &words);
    }
    assert_eq!(place.head(), head, "nothing is lost, and nothing is added");
    // What the row says of itself can be looked at.
    let shown = place.run(&format!("tape show --json --from {}", head.position)).well();
    assert_eq!(shown.json()["body"]["what"], "nobody here knows");
    place.run("tape tail -n 1").well().says(&[kind, "upgrade this one"]);
    // Until the row, all is as it was.
    place.run(&format!("replay --until {}", head.position - 1)).well();
}

#[tokio::test]
async fn a_newer_schema_of_a_known_kind_is_refused_and_nothing_is_lost() {
    is_refused("position.opened", 2, &["positions"], &["'position.opened' has schema 2, this build knows 1"])
        .await;
}

#[tokio::test]
async fn an_unknown_kind_is_refused_and_nothing_is_lost() {
    is_refused("position.teleported", 1, &[], &["unknown event kind 'position.teleported'"]).await;
}

/// Views read the kinds that they know by their index; what they do not know may change any of their figures.
#[tokio::test]
async fn every_view_refuses_a_tape_with_an_unknown_kind_of_whatever_family() {
    let views = [
        "positions",
        "trades",
        "orders",
        "signals",
        "portfolio",
        "report",
        "trading halted --why x",
        "close --all",
    ];
    for kind in ["order.amended_at_venue", "split.executed"] {
        is_refused(kind, 1, &views, &["unknown event kind", kind]).await;
    }
}

#[tokio::test]
async fn a_view_until_before_the_unknown_kind_answers_as_it_did() {
    let place = Place::finished();
    let before = place.head().position;
    let views = ["positions", "trades", "orders", "signals", "portfolio"];
    let shown = views.map(|view| place.run(&format!("{view} --until {before}")).well().out);
    newer(&place, "order.teleported", 1).await;
    for (view, shown) in views.iter().zip(shown) {
        assert_eq!(place.run(&format!("{view} --until {before}")).well().out, shown, "{view}");
        place.run(view).ends(1, &["unknown event kind 'order.teleported'"]);
    }
}

/// A kind that a command does not look at does not keep it from answering.
#[tokio::test]
async fn what_a_command_does_not_read_does_not_stop_it() {
    let place = Place::finished();
    let trades = place.run("trades").well().out;
    newer(&place, "position.opened", 2).await;
    assert_eq!(place.run("trades").well().out, trades);
}

#[tokio::test]
async fn a_newer_tape_format_is_refused_and_left_alone() {
    use sqlx::{ConnectOptions, Connection, Executor, sqlite::SqliteConnectOptions};
    let place = Place::finished();
    let path = place.path(&place.kept());
    let mut raw = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    raw.execute("PRAGMA user_version = 9").await.unwrap();
    raw.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    for command in [&up(MARKET), "positions", "tape head"] {
        place.run(command).ends(1, &["written by a newer version of Tapedeck", "upgrade"]);
    }
    assert!(std::fs::read(&path).unwrap() == before);
}

/// Its state, its signals and the rows that `replay` and `verify` walk are those of its first core.
#[tokio::test]
async fn an_edge_of_another_kind_under_the_name_of_one_on_the_tape_is_refused() {
    let place = Place::finished();
    let tape = place.tape(&place.kept(), Mode::Write).await;
    let head = tape.head().await.unwrap();
    let unit = UnitName::new("edge70-signals").unwrap();
    let started = UnitStarted {
        unit,
        core: "astrology".to_owned(),
        build: "b".to_owned(),
        config: serde_json::json!({ "moon": "full" }),
        judged: head.position,
        after: head.position,
    };
    let draft = Draft::new(Uuid::from_u128(77), unit, None, head.recorded_at, &started.into());
    tape.append(Commit::new(vec![Entry::market(draft, head.recorded_at)])).await.unwrap();
    tape.close().await.unwrap();
    let head = place.head();
    let words = [
        "the unit edge70-signals is of the core 'astrology' on this tape, and of 'edge70' by the configuration",
        "another name",
        "--tape",
    ];
    place.run(&up(MARKET)).ends(2, &words);
    let doctor = place.run("doctor");
    assert_eq!(doctor.code, Some(1), "{doctor:#?}");
    doctor.says(&words);
    assert_eq!(place.head(), head, "nothing is added");
}
