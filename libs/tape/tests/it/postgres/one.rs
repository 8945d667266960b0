//! One process and its tape.

use super::*;
use tape::{
    CursorMove, Entry, Frame, Head, LeaseError, OpenError, ReadError, Snapshot,
    archive::{ImportError, export, import},
    verify::{VerifyError, check_file},
};
use tokio::time::timeout;

#[tokio::test]
async fn reopening_keeps_everything() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=300)).await;
    let fence = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap().fence;
    append(&tape, moves([step("a", fence, 200)])).await;
    let snapshot = Snapshot { unit: unit("a"), position: 200, tag: "t".into(), state: vec![7; 10_000] };
    tape.save_snapshot(snapshot.clone()).await.unwrap();
    let before = (all(&tape).await, tape.marks().await.unwrap());
    tape.close().await.unwrap();
    tape.close().await.unwrap();
    let error = refused(&tape, facts([1])).await;
    assert!(matches!(error, AppendError::Backend(StorageError::Closed { .. })), "{error}");
    assert!(matches!(tape.head().await, Err(ReadError::Storage(StorageError::Closed { .. }))));

    let tape = open(&url.replace("postgres://", "postgresql://")).await;
    assert_eq!((all(&tape).await, tape.marks().await.unwrap()), before);
    assert_eq!(tape.snapshots(200).await.unwrap(), [snapshot]);
    assert_eq!(*tape.watch().borrow(), 300);
    assert_eq!(append(&tape, facts([300, 301])).await, [Outcome::Duplicate(300), Outcome::Appended(301)]);
    sound(&tape).await;
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_an_event() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=3)).await;
    assert_eq!(check_file(&tape).await.unwrap(), [] as [String; 0]);
    let before = all(&tape).await;
    for sql in [
        "UPDATE tapedeck.event SET body = '{}'",
        "UPDATE tapedeck.event SET position = 9 WHERE position = 3",
        "DELETE FROM tapedeck.event",
        "DELETE FROM tapedeck.event WHERE position = 3",
        "TRUNCATE tapedeck.event",
        "TRUNCATE tapedeck.event CASCADE",
        "INSERT INTO tapedeck.event SELECT * FROM tapedeck.event WHERE position = 1 \
         ON CONFLICT (position) DO UPDATE SET body = '{}'",
        "SET session_replication_role = replica; DELETE FROM tapedeck.event",
    ] {
        let error = execute(&url, sql).await.unwrap_err();
        assert!(error.contains("append-only: an event is never changed nor deleted"), "{sql}: {error}");
    }
    assert_eq!(all(&tape).await, before);
    execute(&url, "ALTER TABLE tapedeck.event DISABLE TRIGGER event_no_truncate").await.unwrap();
    let found = check_file(&tape).await.unwrap();
    assert!(found.len() == 1 && found[0].contains("event_no_truncate"), "{found:?}");
}

#[tokio::test]
async fn what_was_changed_behind_our_back_is_found_at_its_row() {
    for (sql, at) in [
        ("UPDATE tapedeck.event SET body = '{}' WHERE position = 6", 6),
        ("UPDATE tapedeck.event SET trade = NULL WHERE position = 6", 6),
        ("UPDATE tapedeck.event SET recorded_at = recorded_at + 1 WHERE position = 6", 6),
        ("UPDATE tapedeck.event SET schema = 99999 WHERE position = 6", 6),
        ("UPDATE tapedeck.event SET source = 'no unit name' WHERE position = 6", 6),
        ("DELETE FROM tapedeck.event WHERE position = 6", 6),
        ("DELETE FROM tapedeck.event WHERE position = 12", 12),
        ("UPDATE tapedeck.head SET hash = sha256('')", 12),
        ("UPDATE tapedeck.head SET position = 11", 12),
        ("UPDATE tapedeck.cursor SET position = 13", 13),
    ] {
        let url = testkit::postgres();
        let tape = open(&url).await;
        append(&tape, facts(1..=12)).await;
        tape.acquire(unit("sizer"), "me", Duration::ZERO, false).await.unwrap();
        execute(&url, &format!("ALTER TABLE tapedeck.event DISABLE TRIGGER ALL; {sql}")).await.unwrap();
        match verify_chain(&tape, |_, _| ()).await {
            Err(VerifyError::Broken { position, .. }) => assert_eq!(position, at, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_reader_reads_and_writes_nothing() {
    let url = testkit::postgres();
    let error = Tape::open(&url, Mode::Read).await.unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    let tape = open(&url).await;
    append(&tape, facts([1, 2])).await;
    let reader = read_only(&url).await;
    assert_eq!(all(&reader).await, all(&tape).await);
    let error = refused(&reader, facts([3])).await.to_string();
    assert!(error.contains("was opened for reading"), "{error}");
    let lease = reader.acquire(unit("a"), "me", HOUR, true).await;
    assert!(matches!(lease, Err(LeaseError::Storage(StorageError::ReadOnly { .. }))));
    let frames = reader.keep_frames(vec![Frame::new(time(1), vec![])]).await;
    assert!(matches!(frames, Err(StorageError::ReadOnly { .. })));
    // It follows, too.
    let mut watch = reader.watch();
    watch.mark_unchanged();
    append(&tape, facts([3])).await;
    timeout(LIMIT, watch.wait_for(|position| *position == 3)).await.unwrap().unwrap();
}

#[tokio::test]
async fn urls_are_refused_without_telling_secrets() {
    let url = testkit::postgres();
    let (head, database) = url.rsplit_once('/').unwrap();
    let address = head.rsplit_once('@').unwrap().1;
    for url in [
        "postgres://me:secret@127.0.0.1:1/db".to_owned(),
        "postgres://me:secret@127.0.0.1".to_owned(),
        "postgres://me:secret@127.0.0.1:port/db".to_owned(),
        "postgrse://me:secret@127.0.0.1/db".to_owned(),
        format!("postgres://nobody:secret@{address}/{database}"),
        format!("postgres://tapedeck:secret@{address}/nowhere"),
    ] {
        let error = Tape::open(&url, Mode::Write).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let tape = open(&format!("postgres://tapedeck:secret@{address}/{database}")).await;
    let shown = format!("{tape:?} {}", refused(&read_only(&url).await, facts([1])).await);
    assert!(
        !shown.contains("secret") && shown.contains(&format!("postgres://{address}/{database}")),
        "{shown}"
    );
}

#[tokio::test]
async fn a_newer_format_and_another_program_s_schema_are_refused() {
    let url = testkit::postgres();
    open(&url).await.close().await.unwrap();
    execute(&url, "UPDATE tapedeck.format SET version = 2").await.unwrap();
    for mode in [Mode::Write, Mode::Read] {
        let error = Tape::open(&url, mode).await.unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error}");
    }
    let url = testkit::postgres();
    execute(&url, "CREATE SCHEMA tapedeck; CREATE TABLE tapedeck.songs ()").await.unwrap();
    let error = Tape::open(&url, Mode::Write).await.unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
}

#[tokio::test]
async fn a_commit_far_larger_than_a_group_is_one_commit() {
    let tape = in_database().await;
    let outcomes = append(&tape, facts(1..=25_000)).await;
    assert_eq!(outcomes, (1..=25_000).map(Outcome::Appended).collect::<Vec<_>>());
    assert_eq!(sound(&tape).await.len(), 25_000);
    assert_eq!(tape.of_kind(events::Kind::SignalGiven).await.unwrap().len(), 25_000);
}

#[tokio::test]
async fn a_tape_is_the_same_in_either_database_and_back() {
    let disk = OnDisk::new().await;
    append(&disk.tape, facts(1..=2_500)).await;
    let taken = disk.tape.acquire_all(&[unit("a"), unit("b")], "me", HOUR, false).await.unwrap();
    append(&disk.tape, moves([CursorMove { unit: unit("b"), fence: taken[1].fence, to: 2_000, reach: 3 }]))
        .await;
    let mut file = Vec::new();
    export(&disk.tape, &mut file, |_, _| ()).await.unwrap();

    let tape = in_database().await;
    let mut told = Vec::new();
    let head = import(&file[..], &tape, |done, of| told.push((done, of))).await.unwrap();
    assert_eq!(told, [0, 1_000, 2_000, 2_500].map(|done| (done, 2_500)));
    assert_eq!((tape.head().await.unwrap(), all(&tape).await), (head, all(&disk.tape).await));
    let mut again = Vec::new();
    export(&tape, &mut again, |_, _| ()).await.unwrap();
    assert!(again == file, "and the file is the same again");
    let back = OnDisk::new().await;
    assert_eq!(import(&again[..], &back.tape, |_, _| ()).await.unwrap(), head);
    sound(&tape).await;

    let error = import(&file[..], &tape, |_, _| ()).await.unwrap_err();
    assert!(matches!(error, ImportError::NotEmpty(2_500)), "{error}");
}

#[tokio::test]
async fn few_connections_are_used_and_idle_ones_are_let_go() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=100)).await;
    let readings = (0..40).map(|_| tape.read(0, 100));
    for read in futures_util::future::join_all(readings).await {
        assert_eq!(read.unwrap().len(), 100);
    }
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tapedeck'";
    let mut raw = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let used: i64 = sqlx::query_scalar(count).fetch_one(&mut raw).await.unwrap();
    assert!(used <= 5, "a writer, a listener and at most three readers: {used}");
    tape.close().await.unwrap();
    let begun = Instant::now();
    while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut raw).await.unwrap() > 0 {
        assert!(begun.elapsed() < LIMIT, "a closed tape keeps connections");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_database_s_clock_counts() {
    let tape = in_database().await;
    append(&tape, Commit::new(vec![Entry::wall(draft(1)), Entry::wall(draft(2))])).await;
    let rows = all(&tape).await;
    assert!(rows[0].recorded_at == rows[1].recorded_at && rows[0].recorded_at > time(1_700_000_000));
    assert_eq!(tape.head().await.unwrap().recorded_at, rows[1].recorded_at);
    let cursor = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap();
    assert!(cursor.lease_until > Some(rows[1].recorded_at + HOUR));
    let far = tape.acquire(unit("a"), "me", Duration::MAX, false).await.unwrap();
    assert!(far.lease_until > cursor.lease_until);
    assert_ne!(tape.head().await.unwrap(), Head::EMPTY);
}
