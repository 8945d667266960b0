//! A tape whose end was changed behind its back is not gone on with, and the field is named.

use crate::support::*;
use events::{Draft, Event, UnitStarted, Uuid};
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tape::{Commit, CursorMove, Entry, Mode, OpenError, Tape, verify::check_cursors};

const ROWS: u64 = 12;

/// What somebody may do to the end of a tape of twelve rows, in SQLite and in PostgreSQL; the position and the
/// words with which it is refused.
const CHANGES: [(&str, &str, u64, &str); 7] = [
    (
        "UPDATE place SET position = 11 WHERE unit = ''",
        "UPDATE tapedeck.head SET position = 11",
        12,
        "the head row's position is 11, not 12",
    ),
    (
        "UPDATE place SET position = 13 WHERE unit = ''",
        "UPDATE tapedeck.head SET position = 13",
        13,
        "the head row's position is 13, and the last event stands at 12",
    ),
    (
        "UPDATE place SET position = 0 WHERE unit = ''",
        "UPDATE tapedeck.head SET position = 0",
        1,
        "the head row's position is 0, not 12",
    ),
    (
        "UPDATE place SET hash = zeroblob(32) WHERE unit = ''",
        "UPDATE tapedeck.head SET hash = decode(repeat('00', 32), 'hex')",
        12,
        "the head row's hash is not that of the last event",
    ),
    (
        "UPDATE place SET recorded_at = recorded_at + 1 WHERE unit = ''",
        "UPDATE tapedeck.head SET recorded_at = recorded_at + 1",
        12,
        "the head row's recorded_at is",
    ),
    (
        "UPDATE place SET position = 13 WHERE unit = 'sizer'",
        "UPDATE tapedeck.cursor SET position = 13 WHERE unit = 'sizer'",
        13,
        "the cursor of sizer stands at 13, behind the tape's end at position 12",
    ),
    (
        "DROP TRIGGER event_no_update; UPDATE event SET body = '{}' WHERE position = 12",
        "ALTER TABLE tapedeck.event DISABLE TRIGGER ALL; UPDATE tapedeck.event SET body = '{}' WHERE position = 12",
        12,
        "its hash does not follow from its content",
    ),
];

async fn fill(tape: &Tape) {
    append(tape, facts(1..=u128::from(ROWS))).await;
    tape.acquire(unit("sizer"), "me", std::time::Duration::ZERO, false).await.unwrap();
    append(tape, moves([step("sizer", 1, ROWS)])).await;
    tape.close().await.unwrap();
}

async fn assert_refused(url: &str, position: u64, words: &str, what: &str) {
    let error = Tape::open(url, Mode::Write).await.unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, OpenError::Unsound { position: at, .. } if at == position), "{what}: {told}");
    for words in [words, "restore the tape from a copy", "tapedeck verify"] {
        assert!(told.contains(words), "{what}: {told}");
    }
    // Whoever looks for what is wrong can read it.
    Tape::open(url, Mode::Read).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_file_whose_end_was_changed_is_not_opened_to_write() {
    for (sql, _, position, words) in CHANGES {
        let disk = OnDisk::new().await;
        fill(&disk.tape).await;
        let options = SqliteConnectOptions::new().filename(disk.path());
        let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
        raw.execute(sql).await.unwrap();
        raw.close().await.unwrap();
        assert_refused(&url(&disk.path()), position, words, sql).await;
        // The lock is let go of.
        let again = Tape::open(&url(&disk.path()), Mode::Write).await.unwrap_err();
        assert!(!matches!(again, OpenError::Taken { .. }), "{again}");
    }
}

#[tokio::test]
async fn a_database_whose_end_was_changed_is_not_opened_to_write() {
    for (_, sql, position, words) in CHANGES {
        let url = testkit::postgres();
        fill(&open(&url).await).await;
        let mut raw = PgConnection::connect(&url).await.unwrap();
        raw.execute(AssertSqlSafe(sql)).await.unwrap();
        raw.close().await.unwrap();
        assert_refused(&url, position, words, sql).await;
    }
}

#[tokio::test]
async fn a_tape_without_an_event_whose_head_was_changed_is_not_opened_to_write() {
    let disk = OnDisk::new().await;
    disk.tape.close().await.unwrap();
    let options = SqliteConnectOptions::new().filename(disk.path());
    let mut raw = SqliteConnection::connect_with(&options).await.unwrap();
    raw.execute("UPDATE place SET position = 3 WHERE unit = ''").await.unwrap();
    raw.close().await.unwrap();
    assert_refused(&url(&disk.path()), 1, "the head row's position is 3", "an empty tape").await;
}

/// Facts 1 to 12 as one unit says them: each on hearing the one before.
async fn said(tape: &Tape, to: u64, reach: u64) {
    let who = unit("edge70-signals");
    let fence = tape.acquire(who, "me", std::time::Duration::ZERO, false).await.unwrap().fence;
    let mut commit = facts(1..=u128::from(ROWS));
    commit.cursors = vec![CursorMove { unit: who, fence, to, reach }];
    append(tape, commit).await;
    append(tape, started(who)).await;
}

/// A unit that answers what it hears; who only records does not start.
fn started(unit: domain::UnitName) -> Commit {
    let event = Event::from(UnitStarted {
        unit,
        core: "toy".into(),
        build: "1".to_owned(),
        config: serde_json::Value::Null,
        judged: 0,
        after: 0,
    });
    let draft = Draft::new(Uuid::from_u128(1_000), unit, None, time(1), &event);
    Commit::new(vec![Entry::market(draft, time(1))])
}

/// The recorder's cursor is not kept up: what it says of a conflict has a cause all the same.
#[tokio::test]
async fn the_cursor_of_who_only_records_is_not_looked_at() {
    let tape = Tape::memory();
    let who = unit("event-logger");
    let fence = tape.acquire(who, "me", std::time::Duration::ZERO, false).await.unwrap().fence;
    let mut commit = facts(1..=u128::from(ROWS));
    commit.cursors = vec![CursorMove { unit: who, fence, to: 0, reach: 0 }];
    append(&tape, commit).await;
    assert_eq!(check_cursors(&tape).await.unwrap(), [] as [String; 0]);
}

async fn assert_cursors_are_looked_at(tape: Tape, other: Tape) {
    said(&tape, 11, 1).await;
    assert_eq!(check_cursors(&tape).await.unwrap(), [] as [String; 0]);
    said(&other, 10, 0).await;
    let wrong = check_cursors(&other).await.unwrap();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
    assert!(
        wrong[0].contains("its position is 10, and edge70-signals has answered position 11"),
        "{wrong:?}"
    );
    assert!(wrong[1].contains("its reach is 0, and edge70-signals has answered 1 positions"), "{wrong:?}");
}

#[tokio::test]
async fn a_cursor_before_what_its_unit_has_answered_is_found_in_memory() {
    assert_cursors_are_looked_at(Tape::memory(), Tape::memory()).await;
}

#[tokio::test]
async fn a_cursor_before_what_its_unit_has_answered_is_found_in_a_file() {
    let (one, other) = (OnDisk::new().await, OnDisk::new().await);
    assert_cursors_are_looked_at(one.tape.clone(), other.tape.clone()).await;
}

#[tokio::test]
async fn a_cursor_before_what_its_unit_has_answered_is_found_in_a_database() {
    assert_cursors_are_looked_at(in_database().await, in_database().await).await;
}

async fn assert_a_unit_needs_its_cursor(url: &str) {
    let tape = open(url).await;
    append(&tape, started(unit("sizer"))).await;
    assert_eq!(check_cursors(&tape).await.unwrap().len(), 1);
    tape.close().await.unwrap();
    let error = Tape::open(url, Mode::Write).await.unwrap_err();
    assert_eq!(error, OpenError::LostCursor { unit: unit("sizer") });
    assert!(error.to_string().contains("restore the tape from a copy"));
    let tape = Tape::open(url, Mode::Read).await.unwrap();
    assert_eq!(check_cursors(&tape).await.unwrap(), [error.to_string()]);
    tape.close().await.unwrap();
}

#[tokio::test]
async fn a_file_that_has_lost_a_units_cursor_is_not_opened_to_write() {
    let disk = OnDisk::new().await;
    disk.tape.close().await.unwrap();
    assert_a_unit_needs_its_cursor(&url(&disk.path())).await;
}

#[tokio::test]
async fn a_database_that_has_lost_a_units_cursor_is_not_opened_to_write() {
    assert_a_unit_needs_its_cursor(&testkit::postgres()).await;
}
