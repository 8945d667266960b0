//! Snapshots and frames that somebody changed behind the tape's back are found, and not used.

use crate::support::*;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tape::{Frame, Snapshot, Tape, chain, verify::check_frames};

/// What somebody may do to the table of snapshots; the newest one of `a` is not sound afterwards.
/// `{table}` stands for the table; each works in SQLite and in PostgreSQL.
const CHANGES: [(&str, &str); 8] = [
    ("its state", "UPDATE {table} SET state = {other} WHERE unit = 'a' AND position = 20"),
    ("its tag", "UPDATE {table} SET tag = tag || ' ' WHERE unit = 'a' AND position = 20"),
    ("its tag, the sum left out", "UPDATE {table} SET tag = 't' WHERE unit = 'a' AND position = 20"),
    ("its position", "UPDATE {table} SET position = 21 WHERE unit = 'a' AND position = 20"),
    ("its position, behind the end", "UPDATE {table} SET position = 4000 WHERE unit = 'a' AND position = 20"),
    ("its position, below nothing", "UPDATE {table} SET position = -1 WHERE unit = 'a' AND position = 20"),
    (
        "the snapshot of another unit",
        "UPDATE {table} SET state = (SELECT o.state FROM {table} o WHERE o.unit = 'b'), \
         tag = (SELECT o.tag FROM {table} o WHERE o.unit = 'b') WHERE unit = 'a' AND position = 20",
    ),
    (
        "the snapshot of another position",
        "UPDATE {table} SET state = (SELECT o.state FROM {table} o WHERE o.unit = 'a' AND o.position = 10), \
         tag = (SELECT o.tag FROM {table} o WHERE o.unit = 'a' AND o.position = 10) WHERE unit = 'a' AND position = 20",
    ),
];

fn snapshot(name: &str, position: u64) -> Snapshot {
    let state = format!("{{\"of\":\"{name}\",\"at\":{position}}}").into_bytes();
    Snapshot { unit: unit(name), position, tag: "build {}".into(), state }
}

async fn with_snapshots(tape: &Tape) {
    append(tape, facts(1..=30)).await;
    for (name, position) in [("a", 10), ("a", 20), ("b", 20)] {
        tape.save_snapshot(snapshot(name, position)).await.unwrap();
    }
}

async fn assert_dropped(tape: &Tape, what: &str) {
    let found = tape.found_snapshots().await.unwrap();
    let unsound: Vec<_> = found.iter().filter(|found| found.snapshot.is_err()).collect();
    assert_eq!(unsound.len(), 1, "{what}: {found:?}");
    assert_eq!(unsound[0].unit, "a", "{what}");
    let used = tape.snapshots(u64::MAX).await.unwrap();
    assert_eq!(used, [snapshot("a", 10), snapshot("b", 20)], "{what}: the one before is used");
    let found = tape.found_snapshots().await.unwrap();
    assert!(found.iter().all(|found| found.snapshot.is_ok()), "{what}: it is dropped");
    tape.save_snapshot(snapshot("a", 30)).await.unwrap();
    assert_eq!(tape.snapshots(u64::MAX).await.unwrap()[0], snapshot("a", 30), "{what}");
}

async fn raw(disk: &OnDisk) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(disk.path())).await.unwrap()
}

#[tokio::test]
async fn a_changed_snapshot_in_a_file_is_dropped_and_the_one_before_it_used() {
    for (what, sql) in CHANGES {
        let mut disk = OnDisk::new().await;
        with_snapshots(&disk.tape).await;
        disk.tape.close().await.unwrap();
        let sql = sql.replace("{table}", "snapshot").replace("{other}", "CAST('{}' AS BLOB)");
        let mut raw = raw(&disk).await;
        assert_eq!(raw.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected(), 1, "{what}");
        raw.close().await.unwrap();
        let reader = read(&disk.path()).await;
        assert!(reader.found_snapshots().await.unwrap().iter().any(|f| f.snapshot.is_err()), "{what}");
        reader.close().await.unwrap();
        disk.reopen().await;
        assert_dropped(&disk.tape, what).await;
    }
}

#[tokio::test]
async fn a_changed_snapshot_in_a_database_is_dropped_and_the_one_before_it_used() {
    for (what, sql) in CHANGES {
        let url = testkit::postgres();
        let tape = open(&url).await;
        with_snapshots(&tape).await;
        let sql = sql.replace("{table}", "tapedeck.snapshot").replace("{other}", "convert_to('{}', 'UTF8')");
        let mut raw = sqlx::PgConnection::connect(&url).await.unwrap();
        assert_eq!(raw.execute(AssertSqlSafe(sql)).await.unwrap().rows_affected(), 1, "{what}");
        raw.close().await.unwrap();
        assert_dropped(&tape, what).await;
        tape.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_snapshot_of_another_tape_is_dropped() {
    let (one, mut other) = (OnDisk::new().await, OnDisk::new().await);
    append(&one.tape, facts((1..=29).chain([99]))).await;
    one.tape.save_snapshot(Snapshot { unit: unit("a"), ..snapshot("z", 30) }).await.unwrap();
    one.tape.close().await.unwrap();
    with_snapshots(&other.tape).await;
    other.tape.close().await.unwrap();
    let mut raw = raw(&other).await;
    let attach = format!("ATTACH '{}' AS one", one.path().display());
    raw.execute(AssertSqlSafe(attach)).await.unwrap();
    raw.execute("DELETE FROM snapshot WHERE unit = 'a' AND position = 20").await.unwrap();
    raw.execute("INSERT INTO main.snapshot SELECT * FROM one.snapshot").await.unwrap();
    raw.close().await.unwrap();
    other.reopen().await;
    assert_dropped(&other.tape, "of another tape").await;
}

#[tokio::test]
async fn a_sum_that_was_made_anew_without_the_chain_does_not_help() {
    let mut disk = OnDisk::new().await;
    with_snapshots(&disk.tape).await;
    disk.tape.close().await.unwrap();
    let sum = chain::hex(&chain::sha256(b"{}"));
    let mut raw = raw(&disk).await;
    let forge = format!(
        "UPDATE snapshot SET state = CAST('{{}}' AS BLOB), tag = '{sum} build {{}}' WHERE unit = 'a' AND position = 20"
    );
    raw.execute(AssertSqlSafe(forge)).await.unwrap();
    raw.close().await.unwrap();
    disk.reopen().await;
    assert_dropped(&disk.tape, "forged").await;
}

#[tokio::test]
async fn a_changed_frame_is_named() {
    let disk = OnDisk::new().await;
    let frames: Vec<Frame> = (0..300_u32).map(|n| Frame::new(time(1), n.to_be_bytes().to_vec())).collect();
    let (bytes, hash) = (chain::hex(&frames[7].hash), chain::hex(&frames[8].hash));
    disk.tape.keep_frames(frames).await.unwrap();
    assert_eq!(check_frames(&disk.tape).await.unwrap(), (300, vec![]));
    disk.tape.close().await.unwrap();
    let mut raw = raw(&disk).await;
    let change = format!("UPDATE frame SET bytes = x'ff' WHERE hash = x'{bytes}'");
    assert_eq!(raw.execute(AssertSqlSafe(change)).await.unwrap().rows_affected(), 1);
    let moved = "0".repeat(64);
    let change = format!("UPDATE frame SET hash = x'{moved}' WHERE hash = x'{hash}'");
    assert_eq!(raw.execute(AssertSqlSafe(change)).await.unwrap().rows_affected(), 1);
    raw.close().await.unwrap();
    let tape = read(&disk.path()).await;
    assert_eq!(check_frames(&tape).await.unwrap(), (300, vec![moved, bytes]));
}
