//! `tapedeck verify` finds what was changed, and names the row.

use crate::support::*;
use domain::Timestamp;
use events::{Draft, Hash, Uuid};
use serde_json::{Value, json};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, Row, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tape::{Mode, Snapshot, chain};

/// A tape of ours, opened by somebody who means no good.
async fn raw(place: &Place) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(place.path(&place.kept()));
    let mut raw = options.connect().await.unwrap();
    raw.execute(
        "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete; PRAGMA ignore_check_constraints = ON",
    )
    .await
    .unwrap();
    raw
}

/// Changes one bit of that column in a row taken by chance; the row's position.
async fn change(raw: &mut SqliteConnection, column: &str, seed: &mut Seed) -> i64 {
    let query = |sql: String| sqlx::query(AssertSqlSafe(sql));
    let counted = query(format!("SELECT count(*) FROM event WHERE {column} IS NOT NULL"));
    let rows: i64 = counted.fetch_one(&mut *raw).await.unwrap().get(0);
    let nth = seed.below(rows as u64);
    let chosen = query(format!(
        "SELECT position, typeof({column}), iif(typeof({column}) = 'integer', {column}, 0), CAST({column} AS BLOB) \
         FROM event WHERE {column} IS NOT NULL ORDER BY position LIMIT 1 OFFSET {nth}"
    ));
    let row = chosen.fetch_one(&mut *raw).await.unwrap();
    let (position, kind): (i64, String) = (row.get(0), row.get(1));
    let changed = match kind.as_str() {
        "integer" => {
            let number: i64 = row.get(2);
            query(format!("UPDATE event SET {column} = ? WHERE position = {position}"))
                .bind(number ^ (1 << seed.below(62)))
        }
        kind => {
            let mut bytes: Vec<u8> = row.get(3);
            let at = seed.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << seed.below(8);
            query(format!("UPDATE event SET {column} = CAST(? AS {kind}) WHERE position = {position}"))
                .bind(bytes)
        }
    };
    assert_eq!(changed.execute(&mut *raw).await.unwrap().rows_affected(), 1);
    position
}

async fn assert_broken_at(place: &Place, position: i64, what: &str) {
    let found = place.run("verify --json");
    assert_eq!(found.code, Some(1), "{what}: {found:#?}");
    assert_eq!(found.json()["ok"], false, "{what}");
    assert_eq!(found.json()["broken"]["position"], position, "{what}: {found:#?}");
}

#[tokio::test]
async fn one_changed_bit_in_any_column_of_any_row_is_found_at_its_position() {
    let mut seed = Seed::new("changed bits");
    let place = Place::new();
    place.run(&up("synthetic:1:100")).well();
    place.run("verify").well().says(&["whole", "9 units say the same again"]);
    let tape = place.kept();
    let whole = std::fs::read(place.path(&tape)).unwrap();
    for column in
        ["id", "kind", "schema", "subject", "source", "cause", "trade", "at", "recorded_at", "body", "hash"]
    {
        place.write(&tape, &whole);
        let mut raw = raw(&place).await;
        let position = change(&mut raw, column, &mut seed).await;
        raw.close().await.unwrap();
        assert_broken_at(&place, position, column).await;
    }
}

/// Changes the database behind the tape's back; how many rows.
async fn behind_its_back(place: &Place, sql: &str) -> u64 {
    let mut raw = raw(place).await;
    let changed = raw.execute(AssertSqlSafe(sql.to_owned())).await.unwrap().rows_affected();
    raw.close().await.unwrap();
    changed
}

const MORE_MONEY: &str = "UPDATE snapshot SET state = CAST(replace(CAST(state AS TEXT), \
     '\"USDT\":{\"free\":\"', '\"USDT\":{\"free\":\"9') AS BLOB) WHERE unit = 'venue-paper:binance:paper'";

/// A run that has a snapshot and goes on from it, on a market that has not ended.
fn cut_short() -> Place {
    let place = Place::new();
    place.run("up --market synthetic:1:200 --to 2024-05-01 --speed max --exit-when-done").well();
    place
}

#[tokio::test]
async fn a_snapshot_with_more_money_is_found_by_verify_and_doctor_and_not_gone_on_from() {
    let whole = cut_short();
    whole.run(&up(MARKET)).well();
    let place = cut_short();
    place.run("verify").well().says(&["10 snapshots and 0 frames as they were written"]);
    assert_eq!(behind_its_back(&place, MORE_MONEY).await, 1);

    for command in ["verify", "doctor"] {
        let found = place.run(command);
        assert_eq!(found.code, Some(1), "{command}: {found:#?}");
        found.says(&[
            "the snapshot of venue-paper:binance:paper at position",
            "was changed: its sum does not follow",
        ]);
    }
    let gone_on = place.run(&up(MARKET)).well();
    gone_on.tells(&["the snapshot of venue-paper:binance:paper", "is dropped"]);
    assert_eq!(place.head(), whole.head(), "the run ends as if nothing had been changed");
    place.run("verify").well();
    place.run("doctor").well();
}

#[tokio::test]
async fn a_unit_whose_cursor_is_gone_is_found_and_nothing_is_recorded_over_it() {
    for gone in ["unit = 'trade-planner'", "unit = 'order-tracker'", "unit <> ''"] {
        let place = cut_short();
        let head = place.head();
        assert!(behind_its_back(&place, &format!("DELETE FROM place WHERE {gone}")).await > 0);
        for command in ["verify", "doctor", &up(MARKET)] {
            let found = place.run(command);
            assert_eq!(found.code, Some(1), "{command}: {found:#?}");
            let told = found.out.clone() + &found.err;
            assert!(
                told.contains("is gone, and ") && told.contains("restore the tape from a copy"),
                "{told}"
            );
        }
        assert_eq!(place.head(), head, "{gone}");
    }
}

/// Whoever knows how the sum is made can make it anew; the walk along the tape knows better.
#[tokio::test]
async fn a_snapshot_that_was_forged_with_its_sum_is_found_by_verify() {
    let place = cut_short();
    let tape = place.tape(&place.kept(), Mode::Write).await;
    let stored = tape.snapshots(u64::MAX).await.unwrap();
    let of = |unit: &str| stored.iter().find(|s| s.unit.as_str() == unit).unwrap().clone();
    let (tracker, paper) = (of("portfolio-tracker"), of("venue-paper:binance:paper"));
    let richer = String::from_utf8(paper.state.clone()).unwrap();
    let richer = richer.replace("\"USDT\":{\"free\":\"", "\"USDT\":{\"free\":\"9");
    assert_ne!(richer.as_bytes(), paper.state);
    tape.save_snapshot(Snapshot { state: richer.into_bytes(), ..paper.clone() }).await.unwrap();
    tape.close().await.unwrap();
    let found = place.run("verify");
    assert_eq!(found.code, Some(1), "{found:#?}");
    found.says(&[
        "the snapshot of venue-paper:binance:paper at position",
        "USDT.free is \"9",
        "and the tape makes it",
    ]);
    assert_eq!(place.run("verify --json").json()["ok"], false);

    let tape = place.tape(&place.kept(), Mode::Write).await;
    tape.save_snapshot(paper).await.unwrap();
    let earlier = Snapshot { position: tracker.position - 40, ..tracker };
    tape.save_snapshot(earlier).await.unwrap();
    tape.close().await.unwrap();
    let found = place.run("verify");
    assert_eq!(found.code, Some(1), "{found:#?}");
    found.says(&["the snapshot of portfolio-tracker at position", "says that it stands at position"]);
}

#[tokio::test]
async fn a_cursor_that_was_put_back_is_found() {
    let place = Place::finished();
    let back = "UPDATE place SET position = 100 WHERE unit = 'portfolio-tracker'";
    assert_eq!(behind_its_back(&place, back).await, 1);
    let found = place.run("verify");
    assert_eq!(found.code, Some(1), "{found:#?}");
    found.says(&["the cursor of portfolio-tracker was changed"]);
}

#[tokio::test]
async fn a_cursor_that_was_put_back_or_lost_its_reach_is_found_by_doctor_and_verify() {
    for (sql, words) in [
        ("UPDATE place SET position = 100 WHERE unit = 'portfolio-tracker'", "its position is 100"),
        ("UPDATE place SET reach = 0 WHERE unit = 'trade-planner'", "its reach is 0"),
    ] {
        let place = Place::finished();
        place.run("doctor").well();
        assert_eq!(behind_its_back(&place, sql).await, 1);
        for command in ["doctor", "verify"] {
            let found = place.run(command);
            assert_eq!(found.code, Some(1), "{command}: {found:#?}");
            found.says(&["WRONG", "was changed", words, "restore the tape from a copy"]);
        }
    }
}

#[tokio::test]
async fn up_records_nothing_behind_an_end_that_was_changed() {
    for (sql, words) in [
        ("UPDATE place SET hash = zeroblob(32) WHERE unit = ''", "the head row's hash is not"),
        ("UPDATE place SET recorded_at = recorded_at - 1 WHERE unit = ''", "the head row's recorded_at is"),
        ("UPDATE place SET position = position - 1 WHERE unit = ''", "the head row's position is"),
        (
            "UPDATE place SET position = 900000 WHERE unit = 'position-sizer'",
            "the cursor of position-sizer stands at 900000",
        ),
    ] {
        let place = cut_short();
        behind_its_back(&place, sql).await;
        let before = place.rows(&["tape", "trade", "order"]).len();
        place.run(&up(MARKET)).ends(1, &[words, "restore the tape from a copy", "nothing is recorded"]);
        assert_eq!(place.rows(&["tape", "trade", "order"]).len(), before, "{sql}");
        for command in ["doctor", "verify"] {
            let found = place.run(command);
            assert_eq!(found.code, Some(1), "{command}: {found:#?}");
            let named = words.trim_end_matches(|c: char| c.is_ascii_digit());
            found.says(&[named]);
        }
    }
}

#[tokio::test]
async fn a_row_that_was_taken_away_is_missed() {
    let mut seed = Seed::new("rows taken away");
    let place = Place::finished();
    let mut raw = raw(&place).await;
    let position = 1 + seed.below(29_000) as i64;
    let delete = format!("DELETE FROM event WHERE position = {position}");
    raw.execute(AssertSqlSafe(delete)).await.unwrap();
    raw.close().await.unwrap();
    assert_broken_at(&place, position, "deleted").await;
    let told = place.run("verify");
    assert_eq!(told.code, Some(1));
    told.says(&[&format!("BROKEN at position {position}: it is gone")]);
}

/// Whoever makes every hash anew still cannot make a service say what it would not have said.
#[tokio::test]
async fn a_forged_tape_whose_hashes_are_right_is_found_out_by_its_cores() {
    let place = Place::finished();
    place.run("tape export --out whole.jsonl").well();
    let export = place.read("whole.jsonl");
    let mut lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sized = lines.iter_mut().find(|line| line["kind"] == "trade.sized").unwrap();
    let position = sized["position"].as_u64().unwrap();
    let mut body: Value = serde_json::from_str(text(&sized["body"])).unwrap();
    body["limit"] = json!("99999.99");
    sized["body"] = json!(body.to_string());
    let mut hash = chain::GENESIS;
    for line in &mut lines[1..] {
        hash = link(hash, line);
        line["hash"] = json!(chain::hex(&hash));
    }
    lines[0]["head"]["hash"] = json!(chain::hex(&hash));
    let forged: String = lines.iter().map(|line| format!("{line}\n")).collect();
    place.write("forged.jsonl", forged);
    place.run("tape import forged.jsonl --tape sqlite:forged.tape").well();

    let found = place.run("verify --json --tape sqlite:forged.tape");
    assert_eq!(found.code, Some(1), "{found:#?}");
    let difference = &found.json()["difference"];
    assert_eq!(difference["unit"], "position-sizer");
    assert_eq!(difference["position"], position);
    assert!(text(&difference["recorded"]).contains("99999.99"), "{difference}");
    let told = place.run("verify --tape sqlite:forged.tape");
    assert_eq!(told.code, Some(1));
    told.says(&["whole, head", "DIFFERENCE: position-sizer"]);
}

fn link(previous: Hash, line: &Value) -> Hash {
    let id = |value: &Value| value.as_str().map(|id| id.parse::<Uuid>().unwrap());
    let time = |name: &str| Timestamp::from_micros(line[name].as_i64().unwrap());
    let draft = Draft {
        id: id(&line["id"]).unwrap(),
        kind: text(&line["kind"]).to_owned().into(),
        schema: line["schema"].as_u64().unwrap() as u16,
        subject: text(&line["subject"]).to_owned(),
        source: text(&line["source"]).parse().unwrap(),
        cause: id(&line["cause"]),
        trade: line["trade"].as_str().map(str::to_owned),
        at: time("at"),
        body: text(&line["body"]).to_owned(),
        meta: None,
    };
    chain::link(&previous, line["position"].as_u64().unwrap(), time("recorded_at"), &draft)
}
