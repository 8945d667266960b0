//! `verify_chain` names the row that was changed, whatever was changed about it.

use crate::support::*;
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::Path;
use tape::{
    Head, Mode, Row, Tape,
    verify::{VerifyError, check_file, verify_chain},
};

const ROWS: u64 = 12;

/// A closed tape of `ROWS` rows with something in every column of the sixth.
async fn written() -> OnDisk {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts(1..=10)).await;
    append(&disk.tape, facts(11..=u128::from(ROWS))).await;
    disk.tape.acquire(unit("sizer"), "me", std::time::Duration::ZERO, false).await.unwrap();
    append(&disk.tape, moves([step("sizer", 1, 3)])).await;
    disk.tape.close().await.unwrap();
    disk
}

async fn raw(path: &Path) -> SqliteConnection {
    let mut raw = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    raw.execute(
        "DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete; DROP TRIGGER event_no_replace; \
         PRAGMA ignore_check_constraints = ON",
    )
    .await
    .unwrap();
    raw
}

async fn after(sql: &'static str) -> Result<Head, VerifyError> {
    let disk = written().await;
    let mut raw = raw(&disk.path()).await;
    let changed = raw.execute(sql).await.unwrap().rows_affected();
    assert_ne!(changed, 0, "{sql}");
    raw.close().await.unwrap();
    verify_chain(&read(&disk.path()).await, |_, _| ()).await
}

async fn broken_at(sql: &'static str) -> u64 {
    match after(sql).await {
        Err(VerifyError::Broken { position, .. }) => position,
        other => panic!("{sql}: {other:?}"),
    }
}

#[tokio::test]
async fn a_whole_tape_is_proven_up_to_its_head() {
    let disk = written().await;
    let tape = read(&disk.path()).await;
    let mut told = Vec::new();
    let head = verify_chain(&tape, |done, of| told.push((done, of))).await.unwrap();
    assert_eq!(head, tape.head().await.unwrap());
    assert_eq!(told, [(0, ROWS), (ROWS, ROWS)]);
    assert_eq!(check_file(&tape).await.unwrap(), [] as [String; 0]);
}

#[tokio::test]
async fn a_change_in_any_column_is_found_at_its_row() {
    for sql in [
        "UPDATE event SET id = x'00000000000000000000000000000099' WHERE position = 6",
        "UPDATE event SET id = x'0000' WHERE position = 6",
        "UPDATE event SET kind = 'signal.givem' WHERE position = 6",
        "UPDATE event SET schema = 2 WHERE position = 6",
        "UPDATE event SET schema = 65537 WHERE position = 6",
        "UPDATE event SET schema = -1 WHERE position = 6",
        "UPDATE event SET subject = 'signal:7' WHERE position = 6",
        "UPDATE event SET subject = CAST(x'ff' AS TEXT) WHERE position = 6",
        "UPDATE event SET source = 'edge71-signals' WHERE position = 6",
        "UPDATE event SET source = 'no unit name' WHERE position = 6",
        "UPDATE event SET cause = NULL WHERE position = 6",
        "UPDATE event SET cause = id WHERE position = 6",
        "UPDATE event SET cause = x'' WHERE position = 6",
        "UPDATE event SET trade = NULL WHERE position = 6",
        "UPDATE event SET trade = '' WHERE position = 6",
        "UPDATE event SET at = at + 1 WHERE position = 6",
        "UPDATE event SET recorded_at = recorded_at + 1 WHERE position = 6",
        "UPDATE event SET recorded_at = 0 WHERE position = 6",
        "UPDATE event SET body = body || ' ' WHERE position = 6",
        "UPDATE event SET body = replace(body, '6', '7') WHERE position = 6",
        "UPDATE event SET hash = zeroblob(32) WHERE position = 6",
        "UPDATE event SET hash = zeroblob(31) WHERE position = 6",
        "UPDATE event SET position = -6 WHERE position = 6",
        "UPDATE event SET position = 100 WHERE position = 6",
        "DELETE FROM event WHERE position = 6",
        "DELETE FROM event WHERE position BETWEEN 6 AND 9",
        "DELETE FROM event WHERE position > 5",
    ] {
        assert_eq!(broken_at(sql).await, 6, "{sql}");
    }
}

#[tokio::test]
async fn a_changed_end_is_found() {
    for (sql, position) in [
        ("DELETE FROM event WHERE position = 12", 12),
        ("UPDATE place SET position = 11 WHERE unit = ''", 12),
        ("UPDATE place SET position = 13 WHERE unit = ''", 13),
        ("UPDATE place SET position = 0 WHERE unit = ''", 1),
        ("UPDATE place SET position = -1 WHERE unit = ''", 0),
        ("UPDATE place SET hash = zeroblob(32) WHERE unit = ''", 12),
        ("UPDATE place SET hash = zeroblob(3) WHERE unit = ''", 0),
        ("UPDATE place SET recorded_at = recorded_at + 1 WHERE unit = ''", 12),
        ("DELETE FROM place WHERE unit = ''", 0),
        ("UPDATE place SET position = 13 WHERE unit = 'sizer'", 13),
        (
            "INSERT INTO event SELECT 13, x'ff', kind, schema, subject, source, cause, trade, at, recorded_at, body, meta, hash FROM event WHERE position = 12",
            13,
        ),
    ] {
        assert_eq!(broken_at(sql).await, position, "{sql}");
    }
}

#[tokio::test]
async fn what_is_not_part_of_the_fact_is_not_proven() {
    assert_eq!(after("UPDATE event SET meta = 'another replica'").await.unwrap().position, ROWS);
}

/// Bits of the file itself are changed, at random, most of them where the events lie: either it is
/// found, or no event is different for it.
#[tokio::test]
async fn no_changed_byte_of_the_file_goes_unseen() {
    let seed: u64 = std::env::var("TAPEDECK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    println!("seed {seed} (set TAPEDECK_SEED for another)");
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[&seed.to_be_bytes()[..], &[0; 24]].concat());

    let disk = written().await;
    let path = disk.path();
    let whole = std::fs::read(&path).unwrap();
    let tape = read(&path).await;
    let facts = fact_rows(&tape).await;
    tape.close().await.unwrap();

    let body = br#"{"n":"#;
    let events: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(body)).collect();
    let mut found = 0;
    for n in 0..400 {
        let mut bytes = whole.clone();
        let mut any = |below: usize| rng.next_u64() as usize % below;
        // The other columns stand before the body.
        let at = if n % 4 == 0 { any(bytes.len()) } else { events[any(events.len())] - 90 + any(130) };
        bytes[at] ^= 1 << (rng.next_u32() % 8);
        std::fs::write(&path, &bytes).unwrap();
        match Tape::open(&url(&path), Mode::Read).await {
            Err(_) => found += 1,
            Ok(tape) => {
                match verify_chain(&tape, |_, _| ()).await {
                    Err(_) => found += 1,
                    Ok(_) => assert_eq!(fact_rows(&tape).await, facts, "byte {at}"),
                }
                tape.close().await.unwrap();
            }
        }
    }
    println!("found {found} of 400; the others changed no event");
    assert!(found > 200, "most events are hashed byte for byte: {found}");
}

/// An index that was tampered with lets the rows alone, but would let an id in twice.
#[tokio::test]
async fn a_damaged_index_is_found_in_the_file() {
    let disk = written().await;
    let mut raw = raw(&disk.path()).await;
    raw.execute(
        "CREATE TABLE other (id BLOB); PRAGMA writable_schema = ON; \
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'other') \
         WHERE name = 'event_trade'; PRAGMA writable_schema = RESET",
    )
    .await
    .unwrap();
    raw.close().await.unwrap();
    let problems = check_file(&read(&disk.path()).await).await;
    assert!(problems.is_err() || !problems.unwrap().is_empty());
}

async fn fact_rows(tape: &Tape) -> Vec<Row> {
    let mut rows = all(tape).await;
    rows.iter_mut().for_each(|row| row.draft.meta = None);
    rows
}
