//! A file whose maker was killed in the middle of a change: the header is empty or half written, and a rollback
//! journal lies beside it.

use crate::support::*;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection, sqlite::SqliteConnectOptions,
};
use std::{fs, path::Path};
use tape::{Head, Mode, OpenError, Tape};

fn journal(path: &Path) -> std::path::PathBuf {
    format!("{}-journal", path.display()).into()
}

/// At `path` the file and its journal as a kill leaves them: `before` is committed, and much more is under way and
/// partly in the file already.
async fn cut_off(path: &Path, before: &str) {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path().join("live");
    let options = SqliteConnectOptions::new().filename(&live).create_if_missing(true);
    let mut raw: SqliteConnection = options.connect().await.unwrap();
    raw.execute("PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; PRAGMA cache_spill = 2").await.unwrap();
    raw.execute(AssertSqlSafe(before.to_owned())).await.unwrap();
    raw.execute("BEGIN IMMEDIATE; CREATE TABLE half (a)").await.unwrap();
    for _ in 0..20 {
        raw.execute("INSERT INTO half VALUES (randomblob(4000))").await.unwrap();
    }
    fs::copy(&live, path).unwrap();
    fs::copy(journal(&live), journal(path)).unwrap();
    raw.execute("ROLLBACK").await.unwrap();
    raw.close().await.unwrap();
    assert!(fs::metadata(path).unwrap().len() > 4_096, "something is in the file");
}

/// What the maker of a tape that was killed may have committed by then: nothing, or the pages of an empty file.
const MAKING: [&str; 2] = ["SELECT 1", "CREATE TABLE t (a); DROP TABLE t"];

#[tokio::test]
async fn a_tape_whose_maker_was_killed_is_made_by_the_next_writer() {
    for before in MAKING {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.db");
        cut_off(&path, before).await;
        let tape = write(&path).await;
        assert_eq!(tape.head().await.unwrap(), Head::EMPTY, "{before}");
        append(&tape, facts(1..=3)).await;
        tape.close().await.unwrap();
        assert!(!journal(&path).exists(), "{before}: the change is undone");
        assert_eq!(read(&path).await.head().await.unwrap().position, 3, "{before}");
    }
}

#[tokio::test]
async fn a_reader_of_a_tape_whose_maker_was_killed_is_told_what_to_do_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.db");
    cut_off(&path, MAKING[0]).await;
    let before = (fs::read(&path).unwrap(), fs::read(journal(&path)).unwrap());
    let error = Tape::open(&url(&path), Mode::Read).await.unwrap_err();
    assert!(matches!(error, OpenError::Interrupted { .. }), "{error}");
    for words in ["in the middle of a change", "start what records on it once", "-journal"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(before == (fs::read(&path).unwrap(), fs::read(journal(&path)).unwrap()));
    write(&path).await.close().await.unwrap();
    read(&path).await;
}

#[tokio::test]
async fn a_file_of_another_program_in_the_middle_of_a_change_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("database");
    cut_off(&database, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)").await;
    let large = folder.path().join("large");
    cut_off(&large, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (zeroblob(2000000))").await;
    let newer = folder.path().join("newer");
    cut_off(&newer, "PRAGMA application_id = 0x54415045; PRAGMA user_version = 9; CREATE TABLE t (a)").await;
    let text = folder.path().join("text");
    fs::write(&text, "This is a letter, not a tape. ".repeat(200)).unwrap();
    fs::write(journal(&text), "And this is the answer. ".repeat(200)).unwrap();
    for (path, why) in [
        (&database, "is not a tape: it is the database of another program"),
        (&large, "is not a tape: it is the database of another program"),
        (&newer, "was written by a newer version of Tapedeck"),
        (&text, "is not a tape: it is no SQLite file"),
    ] {
        let before = (fs::read(path).unwrap(), fs::read(journal(path)).unwrap());
        for mode in [Mode::Write, Mode::Read] {
            let error = Tape::open(&url(path), mode).await.unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(path.to_str().unwrap()), "{mode:?}: {error}");
            let after = (fs::read(path).unwrap(), fs::read(journal(path)).unwrap());
            assert!(before == after, "{}: not a byte of it has changed", path.display());
        }
    }
}

#[tokio::test]
async fn an_empty_file_with_a_journal_beside_it_is_as_good_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.db");
    cut_off(&path, MAKING[0]).await;
    fs::write(&path, "").unwrap();
    let tape = write(&path).await;
    append(&tape, facts(1..=3)).await;
    tape.close().await.unwrap();
}
