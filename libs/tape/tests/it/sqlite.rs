//! What only a file can do: be shared, be refused, be full, be somebody else's.

use crate::support::*;
use sqlx::{ConnectOptions, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    future::Future,
    io::{BufRead, BufReader},
    path::Path,
    pin::pin,
    process::{Command, Stdio},
    task::{Context, Waker},
    time::Duration,
};
use tape::{
    AppendError, Commit, Head, Mode, OpenError, Outcome, Snapshot, StorageError, Tape, verify::verify_chain,
};

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn refused_open(url: &str, mode: Mode) -> OpenError {
    Tape::open(url, mode).await.unwrap_err()
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let mut disk = OnDisk::new().await;
    append(&disk.tape, facts(1..=300)).await;
    let fence = disk.tape.acquire(unit("a"), "me", Duration::from_secs(99), false).await.unwrap().fence;
    append(&disk.tape, moves([step("a", fence, 200)])).await;
    let snapshot = Snapshot { unit: unit("a"), position: 200, tag: "t".into(), state: vec![7; 10_000] };
    disk.tape.save_snapshot(snapshot.clone()).await.unwrap();
    let before = (all(&disk.tape).await, disk.tape.marks().await.unwrap());

    disk.reopen().await;
    assert_eq!((all(&disk.tape).await, disk.tape.marks().await.unwrap()), before);
    assert_eq!(disk.tape.snapshots(200).await.unwrap(), [snapshot]);
    assert_eq!(*disk.tape.watch().borrow(), 300);
    assert_eq!(
        append(&disk.tape, facts([300, 301])).await,
        [Outcome::Duplicate(300), Outcome::Appended(301)]
    );
    verify_chain(&disk.tape, |_, _| ()).await.unwrap();
}

/// An id that is not there costs no walk through the whole tape.
#[tokio::test]
async fn orders_and_kinds_are_looked_up_by_an_index() {
    let disk = OnDisk::new().await;
    let mut raw = raw(&disk.path()).await;
    for (asked, index) in [
        ("subject = 'order:x' AND kind > 'order.' AND kind < 'order/' ORDER BY position", "event_order"),
        ("kind = 'order.filled' AND position > 7 ORDER BY position LIMIT 9", "event_kind"),
        ("kind = 'order.filled' AND position < 7 ORDER BY position DESC LIMIT 9", "event_kind"),
    ] {
        let sql = format!("EXPLAIN QUERY PLAN SELECT body FROM event WHERE {asked}");
        let plan = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut raw).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| sqlx::Row::get(row, "detail")).collect();
        assert!(steps[0].starts_with("SEARCH") && steps[0].contains(index), "{asked}: {steps:?}");
    }
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_an_event() {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts(1..=3)).await;
    let before = all(&disk.tape).await;
    let mut raw = raw(&disk.path()).await;
    let columns = "kind, schema, subject, source, cause, trade, at, recorded_at, body, meta, hash";
    for (sql, why) in [
        ("UPDATE event SET body = '{}'".to_owned(), "never changed"),
        ("UPDATE event SET position = 9 WHERE position = 3".to_owned(), "never changed"),
        ("DELETE FROM event".to_owned(), "never deleted"),
        ("DELETE FROM event WHERE position = 3".to_owned(), "never deleted"),
        (
            format!(
                "INSERT OR REPLACE INTO event SELECT 2, x'00112233445566778899aabbccddeeff', {columns} FROM event WHERE position = 1"
            ),
            "never replaced",
        ),
        (
            format!("INSERT OR REPLACE INTO event SELECT 4, id, {columns} FROM event WHERE position = 1"),
            "never replaced",
        ),
    ] {
        let error = raw.execute(sqlx::AssertSqlSafe(sql.clone())).await.unwrap_err().to_string();
        assert!(error.contains("append-only") && error.contains(why), "{sql}: {error}");
    }
    assert_eq!(all(&disk.tape).await, before);
}

#[tokio::test]
async fn a_second_writer_is_refused_by_name() {
    let disk = OnDisk::new().await;
    let error = refused_open(&url(&disk.path()), Mode::Write).await.to_string();
    assert!(error.contains("already being written by this very process: stop that first"), "{error}");
    // Also under another name of the same file.
    let link = disk.folder.path().join("link.db");
    std::os::unix::fs::symlink(disk.path(), &link).unwrap();
    assert!(matches!(refused_open(&url(&link), Mode::Write).await, OpenError::Taken { .. }));
    // A reader is welcome, and writes nothing.
    let reader = read(&disk.path()).await;
    let error = refused(&reader, facts([1])).await;
    assert!(error.to_string().contains("was opened for reading; open it for writing"), "{error}");
    assert!(matches!(
        reader.acquire(unit("a"), "me", Duration::ZERO, true).await,
        Err(tape::LeaseError::Storage(StorageError::ReadOnly { .. }))
    ));
    // Once the first has let go, the next one may.
    disk.tape.close().await.unwrap();
    append(&write(&disk.path()).await, facts([1])).await;
}

/// Runs only as a child of the test below.
#[tokio::test]
#[ignore = "a part of the next test, in a process of its own"]
async fn child_that_holds_a_tape() {
    let Some(path) = std::env::var_os("TAPE_OF_CHILD") else { return };
    let tape = write(Path::new(&path)).await;
    append(&tape, facts([1])).await;
    println!("\nheld");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_writer_leaves_the_tape_whole_and_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sqlite::child_that_holds_a_tape", "--ignored", "--nocapture"])
        .env("TAPE_OF_CHILD", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"), "the child opened its tape");

    let error = refused_open(&url(&path), Mode::Write).await.to_string();
    assert!(error.contains(&format!("being written by process {}", child.id())), "{error}");
    let reader = read(&path).await;
    assert_eq!(reader.head().await.unwrap().position, 1, "readers are welcome meanwhile");
    reader.close().await.unwrap();

    child.kill().unwrap();
    child.wait().unwrap();
    let reader = read(&path).await;
    assert_eq!(drafts(&reader).await, [draft(1)], "nobody writes, its log is still there");
    let tape = write(&path).await;
    assert_eq!(append(&tape, facts([1, 2])).await, [Outcome::Duplicate(1), Outcome::Appended(2)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_see_whole_commits_while_they_are_made() {
    const COMMITS: u128 = 150;
    let disk = OnDisk::new().await;
    let elsewhere = read(&disk.path()).await;
    let readers = [disk.tape.clone(), elsewhere].map(|tape| {
        tokio::spawn(async move {
            let (mut seen, mut reads) = (0, 0);
            while seen < COMMITS as u64 * 10 {
                // A gap or a wrong row is an error of `read`.
                let rows = tape.read(seen, 64).await.unwrap();
                let head = tape.head().await.unwrap();
                assert_eq!(head.position % 10, 0, "a commit of ten shows whole");
                assert!(head.position >= seen + rows.len() as u64, "the head is never behind the rows");
                seen += rows.len() as u64;
                reads += 1;
            }
            reads
        })
    });
    for n in 0..COMMITS {
        append(&disk.tape, facts(n * 10 + 1..=n * 10 + 10)).await;
    }
    for reader in readers {
        assert!(reader.await.unwrap() > 1);
    }
}

#[tokio::test]
async fn a_closed_tape_can_be_read_alone_and_as_a_copy() {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts(1..=5)).await;
    disk.tape.close().await.unwrap();
    let log = disk.folder.path().join("tape.db-wal");
    assert!(!log.exists(), "closing folds the write-ahead log into the file");
    let reader = read(&disk.path()).await;
    assert_eq!(all(&reader).await.len(), 5);
    reader.close().await.unwrap();

    let copy = disk.folder.path().join("copy ?%20#.db");
    std::fs::copy(disk.path(), &copy).unwrap();
    assert_eq!(all(&read(&copy).await).await.len(), 5);
}

#[tokio::test]
async fn whatever_is_asked_of_a_closed_tape_says_so() {
    let disk = OnDisk::new().await;
    let twin = disk.tape.clone();
    disk.tape.close().await.unwrap();
    disk.tape.close().await.unwrap();
    let error = refused(&twin, facts([1])).await;
    assert!(error.to_string().ends_with("tape.db is closed"), "{error}");
    assert!(twin.head().await.unwrap_err().to_string().ends_with("tape.db is closed"));
}

/// A future that is dropped half-way leaves the commit whole, or not begun.
#[tokio::test]
async fn a_cancelled_append_leaves_no_half_commit() {
    let disk = OnDisk::new().await;
    for n in 0..40_u128 {
        let commit = facts(n * 20 + 1..=n * 20 + 20);
        let mut future = Box::pin(disk.tape.append(commit.clone()));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..n {
            if pin!(&mut future).poll(&mut context).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(future);
        let position = disk.tape.head().await.unwrap().position;
        assert_eq!(position % 20, 0, "commit {n} is whole or absent");
        let again = append(&disk.tape, commit).await;
        let first = again[0].position();
        assert!(again.iter().zip(first..).all(|(outcome, at)| outcome.position() == at), "{again:?}");
    }
    assert_eq!(disk.tape.head().await.unwrap().position, 800);
    verify_chain(&disk.tape, |_, _| ()).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_the_tape_goes_on() {
    let disk = OnDisk::new().await;
    let Tape::Sqlite(sqlite) = &disk.tape else { unreachable!() };
    append(&disk.tape, facts(1..=50)).await;
    sqlite.limit("max_page_count", 40).await.unwrap();

    for batch in [1, 30] {
        let mut next = u128::from(disk.tape.head().await.unwrap().position) + 1;
        let error = loop {
            match disk.tape.append(facts(next..next + batch)).await {
                Ok(_) => next += batch,
                Err(e) => break e,
            }
            assert!(next < 5_000, "it fills up");
        };
        assert!(matches!(error, AppendError::Full(_)), "{error}");
        assert!(error.to_string().contains("is full: make room"), "{error}");
        assert_eq!(
            u128::from(disk.tape.head().await.unwrap().position),
            next - 1,
            "nothing of it is recorded"
        );
        verify_chain(&disk.tape, |_, _| ()).await.unwrap();

        sqlite.limit("max_page_count", 100_000).await.unwrap();
        append(&disk.tape, facts(next..next + batch)).await;
        let pages = std::fs::metadata(disk.path()).unwrap().len() / 4_096;
        sqlite.limit("max_page_count", pages as u32 + 40).await.unwrap();
    }
    assert_eq!(verify_chain(&disk.tape, |_, _| ()).await.unwrap(), disk.tape.head().await.unwrap());
}

/// `mount -t tmpfs -o size=3m tmpfs DIR; TAPE_SMALL_DISK=DIR cargo test -p tape -- --ignored small_disk`
#[tokio::test]
#[ignore = "needs TAPE_SMALL_DISK, an empty folder on a disk of its own of some 3 MiB"]
async fn a_small_disk_fills_up_and_loses_nothing() {
    let folder =
        std::path::PathBuf::from(std::env::var_os("TAPE_SMALL_DISK").expect("TAPE_SMALL_DISK is set"));
    let path = folder.join("tape.db");
    for (round, batch) in [1, 30, 500].into_iter().enumerate() {
        let ballast = folder.join("ballast");
        std::fs::write(&ballast, vec![0; 600_000]).unwrap();
        let tape = write(&path).await;
        let mut next = u128::from(tape.head().await.unwrap().position) + 1;
        let error = loop {
            match tape.append(facts(next..next + batch)).await {
                Ok(_) => next += batch,
                Err(e) => break e,
            }
        };
        assert!(matches!(&error, AppendError::Full(why) if why.contains("is full: make room")), "{error}");
        assert_eq!(u128::from(verify_chain(&tape, |_, _| ()).await.unwrap().position), next - 1);
        // With room again it goes on, in the same process.
        std::fs::remove_file(&ballast).unwrap();
        append(&tape, facts(next..next + 50)).await;
        tape.close().await.unwrap();
        println!("round {round}: {next} rows, then: {error}");
    }
    verify_chain(&read(&path).await, |_, _| ()).await.unwrap();
}

/// A folder that may not be written, as root too: `mount -t tmpfs tmpfs DIR`, run this with
/// TAPE_DISK=DIR, `mount -o remount,ro DIR`, run it again.
#[tokio::test]
#[ignore = "needs TAPE_DISK, a folder on a disk of its own, first writable, then read-only"]
async fn a_tape_on_a_disk_that_is_read_only_can_be_read() {
    let folder = std::path::PathBuf::from(std::env::var_os("TAPE_DISK").expect("TAPE_DISK is set"));
    let [closed, killed] = ["closed.db", "killed.db"].map(|name| folder.join(name));
    if std::fs::write(folder.join("probe"), "").is_ok() {
        let tape = write(&closed).await;
        append(&tape, facts(1..=5)).await;
        // A copy taken while it is open has a write-ahead log beside it.
        std::fs::copy(&closed, &killed).unwrap();
        std::fs::copy(folder.join("closed.db-wal"), folder.join("killed.db-wal")).unwrap();
        tape.close().await.unwrap();
        panic!("now make it read-only and run this again");
    }
    assert_eq!(all(&read(&closed).await).await.len(), 5);
    assert!(matches!(refused_open(&url(&closed), Mode::Write).await, OpenError::Unwritable { .. }));
    match Tape::open(&url(&killed), Mode::Read).await {
        Ok(tape) => assert_eq!(all(&tape).await.len(), 5),
        Err(e) => assert!(matches!(e, OpenError::Unfinished { .. }), "{e}"),
    }
}

#[tokio::test]
async fn a_database_that_somebody_else_locks_is_busy() {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts([1])).await;
    let Tape::Sqlite(sqlite) = &disk.tape else { unreachable!() };
    sqlite.limit("busy_timeout", 20).await.unwrap();
    let mut raw = raw(&disk.path()).await;
    raw.execute("BEGIN IMMEDIATE").await.unwrap();
    for numbers in [2..=2, 2..=30] {
        let error = refused(&disk.tape, facts(numbers)).await;
        assert!(
            matches!(&error, AppendError::Busy(why) if why.contains("another process has locked")),
            "{error}"
        );
    }
    raw.execute("ROLLBACK").await.unwrap();
    assert_eq!(append(&disk.tape, facts([2])).await, [Outcome::Appended(2)]);
}

/// The writer believes that nobody else moves the head; the statements do not rely on it.
#[tokio::test]
async fn a_row_slipped_in_behind_the_writers_back_is_noticed() {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts([1])).await;
    let memory = Tape::memory();
    append(&memory, facts([1, 2])).await;
    let row = memory.read(1, 1).await.unwrap().remove(0);
    let mut raw = raw(&disk.path()).await;
    sqlx::query("INSERT INTO small_commit SELECT 2, ?, kind, schema, 'signal:2', source, ?, trade, ?, ?, ?, ?, ?, NULL, NULL, NULL, NULL FROM event")
        .bind(row.draft.id.as_bytes().to_vec())
        .bind(row.draft.cause.unwrap().as_bytes().to_vec())
        .bind(row.draft.at.micros())
        .bind(row.recorded_at.micros())
        .bind(row.draft.body)
        .bind(row.draft.meta)
        .bind(row.hash.to_vec())
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(append(&disk.tape, facts([2, 3])).await, [Outcome::Duplicate(2), Outcome::Appended(3)]);
    verify_chain(&disk.tape, |_, _| ()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_tape_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("text"), "This is a letter, not a tape. ".repeat(200)).unwrap();
    std::fs::write(at("empty"), "").unwrap();
    raw(&at("foreign")).await.execute("CREATE TABLE theirs (a)").await.unwrap();
    let newer = raw(&at("newer")).await;
    { newer }
        .execute("PRAGMA application_id = 0x54415045; PRAGMA user_version = 9; CREATE TABLE t (a)")
        .await
        .unwrap();
    let before: Vec<_> = ["text", "foreign", "newer"].map(|name| std::fs::read(at(name)).unwrap()).into();

    for mode in [Mode::Write, Mode::Read] {
        for (name, why) in [
            ("text", "is not a tape: it is no SQLite file"),
            ("foreign", "is not a tape: it is the database of another program"),
            (
                "newer",
                "was written by a newer version of Tapedeck (tape format 9, this one knows 1): upgrade",
            ),
            ("", "it is a folder; name a file in it"),
            ("nowhere/tape.db", "does not exist: make it first"),
        ] {
            let error = refused_open(&url(&at(name)), mode).await.to_string();
            assert!(error.contains(why), "{name}: {error}");
        }
    }
    let error = refused_open(&url(&at("empty")), Mode::Read).await.to_string();
    assert!(error.contains("nothing was ever recorded in it"), "{error}");
    let error = refused_open(&url(&at("absent")), Mode::Read).await.to_string();
    assert!(error.contains("there is no tape at"), "{error}");
    assert!(!at("absent").exists());
    let after: Vec<_> = ["text", "foreign", "newer"].map(|name| std::fs::read(at(name)).unwrap()).into();
    assert!(before == after, "not a byte of them has changed");
    // An empty file is as good as none.
    assert_eq!(write(&at("empty")).await.head().await.unwrap(), Head::EMPTY);
}

#[tokio::test]
async fn an_address_that_is_no_tapes_says_what_to_write() {
    for (url, why) in [
        (
            "mysql://localhost/tape",
            "'mysql://localhost/tape' is no tape: write sqlite:PATH, postgres://USER:PASSWORD@HOST:PORT/DATABASE or memory:",
        ),
        ("postgres://localhost", "a database has to be named"),
        ("tape.db", "write sqlite:PATH, postgres:"),
        ("", "write sqlite:PATH, postgres:"),
        ("sqlite:", "the path is missing"),
        ("sqlite::memory:", "the latter is what is meant"),
        ("sqlite://tape.db", "without the two slashes"),
        ("memory:x", "write sqlite:PATH, postgres:"),
    ] {
        let error = refused_open(url, Mode::Write).await.to_string();
        assert!(error.contains(why), "{url}: {error}");
    }
    assert_eq!(refused_open("memory:", Mode::Read).await, OpenError::MemoryRead);
    append(&Tape::open("memory:", Mode::Write).await.unwrap(), Commit::default()).await;
}
