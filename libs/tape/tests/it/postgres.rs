//! What only a database can do: be shared by many writers, go away, come back.

use crate::support::*;
use proptest::{
    prelude::Rng,
    test_runner::{RngAlgorithm, TestRng},
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tape::{
    AppendError, Commit, CursorMove, Entry, Frame, Head, LeaseError, Mode, OnConflict, OpenError, Outcome,
    ReadError, Snapshot, StorageError, Tape,
    archive::{ImportError, export, import},
    verify::{VerifyError, check_file, verify_chain},
};
use testkit::{Fault, Postgres, Proxy};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

const HOUR: Duration = Duration::from_secs(3_600);

/// Longer than any request may take.
const LIMIT: Duration = Duration::from_secs(12);

async fn read_only(url: &str) -> Tape {
    Tape::open(url, Mode::Read).await.unwrap()
}

async fn execute(url: &str, sql: &str) -> Result<(), String> {
    use sqlx::{Connection, Executor};
    let mut raw = sqlx::PgConnection::connect(url).await.unwrap();
    raw.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.map(drop).map_err(|e| e.to_string())
}

fn is_away(e: &AppendError) -> bool {
    matches!(e, AppendError::Backend(StorageError::Away { .. }))
}

fn seed() -> u64 {
    let drawn = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("TAPEDECK_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(drawn);
    println!("seed {seed} (set TAPEDECK_SEED to it to do the same again)");
    seed
}

/// Says it until it is known to be recorded, as whoever got `Away` does; how often that took.
async fn insist(tape: &Tape, commit: Commit) -> (Vec<Outcome>, u32) {
    let begun = Instant::now();
    let mut times = 0;
    loop {
        times += 1;
        match tape.append(commit.clone()).await {
            Ok(done) => return (done.outcomes, times),
            Err(e) => assert!(is_away(&e), "{e}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "the database does not come back");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Every id once, no gap, each link; the rows of the tape.
async fn sound(tape: &Tape) -> Vec<tape::Row> {
    let head = verify_chain(tape, |_, _| ()).await.unwrap();
    let rows = all(tape).await;
    assert_eq!(rows.len() as u64, head.position);
    let mut ids: Vec<_> = rows.iter().map(|row| row.draft.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), rows.len(), "no id twice");
    rows
}

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_make_the_tape_at_once() {
    let url = testkit::postgres();
    let mut openings = JoinSet::new();
    for n in 1..=8 {
        let url = url.clone();
        openings.spawn(async move {
            let tape = open(&url).await;
            append(&tape, facts([n])).await;
        });
    }
    while let Some(done) = openings.join_next().await {
        done.unwrap();
    }
    assert_eq!(sound(&open(&url).await).await.len(), 8);
}

#[tokio::test]
async fn whoever_watches_is_woken_by_another_s_commit() {
    let url = testkit::postgres();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut watch = two.watch();
    for n in 1..=50 {
        append(&one, facts([n])).await;
        timeout(LIMIT, watch.wait_for(|position| *position == n as u64)).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_listener_whose_connection_was_cut_listens_again() {
    let url = testkit::postgres();
    let (one, two) = (open(&url).await, open(&url).await);
    let mut watch = two.watch();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    for n in 1..=5 {
        execute(&url, cut).await.unwrap();
        insist(&one, facts([n])).await;
        timeout(LIMIT, watch.wait_for(|position| *position == n as u64)).await.unwrap().unwrap();
    }
}

/// Two commits of two processes that each append `size` facts at a time, `commits` times, and readers who
/// follow by position alone: they see every row, in order, the same everywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_follow_by_position_never_skip() {
    const WRITERS: u128 = 4;
    const COMMITS: u128 = 500;
    let url = testkit::postgres();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let url = url.clone();
        writers.spawn(async move {
            let tape = open(&url).await;
            for n in 0..COMMITS {
                let from = (writer * COMMITS + n) * 3 + 1;
                let outcomes = append(&tape, facts(from..from + 1 + n % 3)).await;
                let first = outcomes[0].position();
                let row = outcomes.iter().zip(first..).all(|(outcome, at)| *outcome == Outcome::Appended(at));
                assert!(row, "a commit stands in one piece: {outcomes:?}");
            }
        });
    }
    let expected: u128 = WRITERS * (0..COMMITS).map(|n| 1 + n % 3).sum::<u128>();
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let url = url.clone();
        readers.spawn(async move {
            let tape = open(&url).await;
            let (mut watch, mut seen) = (tape.watch(), Vec::<tape::Row>::new());
            while (seen.len() as u128) < expected {
                let after = seen.last().map_or(0, |row| row.position);
                // An error here is a gap.
                let rows = tape.read(after, 100).await.unwrap();
                if rows.is_empty() {
                    timeout(LIMIT, watch.wait_for(|last| *last > after)).await.unwrap().unwrap();
                }
                seen.extend(rows);
            }
            seen
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let rows = sound(&read_only(&url).await).await;
    while let Some(seen) = readers.join_next().await {
        assert!(seen.unwrap() == rows, "a reader saw another tape");
    }
}

/// Only the commits under the fence that counts at that moment are recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_take_a_unit_from_each_other_one_speaks_at_a_time() {
    const ROUNDS: u128 = 150;
    let url = testkit::postgres();
    let mut rivals = JoinSet::new();
    for rival in 0..2_u128 {
        let url = url.clone();
        rivals.spawn(async move {
            let (tape, name) = (open(&url).await, format!("rival-{rival}"));
            let mut said = BTreeMap::new();
            for round in 0..ROUNDS {
                let fence = tape.acquire(unit("sizer"), &name, HOUR, true).await.unwrap().fence;
                for n in 0..4 {
                    let id = (rival * ROUNDS + round) * 4 + n + 1;
                    let to = tape.cursors().await.unwrap()[0].position;
                    let commit = Commit { cursors: vec![step("sizer", fence, to)], ..facts([id]) };
                    match tape.append(commit).await {
                        Ok(done) => said.insert(done.outcomes[0].position(), fence),
                        Err(AppendError::Fenced { stored, .. }) => {
                            assert!(stored > Some(fence));
                            break;
                        }
                        // The other one moved it between asking and saying.
                        Err(AppendError::Backwards { .. }) => break,
                        Err(e) => panic!("{e}"),
                    };
                }
            }
            said
        });
    }
    let mut said = BTreeMap::new();
    while let Some(done) = rivals.join_next().await {
        said.extend(done.unwrap());
    }
    let rows = sound(&read_only(&url).await).await;
    assert_eq!(said.len(), rows.len());
    let fences: Vec<u64> = said.into_values().collect();
    assert!(fences.is_sorted(), "once a later fence spoke, no earlier one did");
}

/// What is said at the same time goes as one, and each gets its own verdict.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_commit_of_a_group_does_not_fail_the_others() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=5)).await;
    let units = ["a", "b", "c", "d"].map(unit);
    let fences = tape.acquire_all(&units, "me", HOUR, false).await.unwrap();
    append(&tape, moves([step("b", 1, 4)])).await;
    assert!(fences.iter().all(|cursor| cursor.fence == 1));
    let conflict = |on_conflict| Commit {
        on_conflict,
        ..Commit::new(vec![Entry::wall(draft(500)), Entry::wall(other(2))])
    };
    for round in 0..20_u128 {
        // Nobody is served while this lock is held, so that all of them gather.
        let lock = "BEGIN; SELECT FROM tapedeck.head FOR UPDATE; SELECT pg_sleep(0.05); COMMIT";
        let (lock_url, from) = (url.clone(), 1_000 + round * 100);
        let lock = tokio::spawn(async move { execute(&lock_url, lock).await.unwrap() });
        let say = |commit: Commit| {
            let tape = tape.clone();
            tokio::spawn(async move { tape.append(commit).await })
        };
        let with = |commit: Commit, cursor: CursorMove| Commit { cursors: vec![cursor], ..commit };
        let good: Vec<_> = (0..10).map(|n| say(facts([from + n, from + 50 + n]))).collect();
        let fenced = say(with(facts([501]), step("a", 0, 0)));
        let back = say(with(facts([502]), step("b", 1, 3)));
        let beyond = say(with(facts([503]), step("c", 1, 1 << 40)));
        let failed = say(conflict(OnConflict::Fail));
        let duplicate = say(facts([3, 3]));
        let moved = say(with(facts([from + 20]), step("d", 1, 5 + round as u64)));
        let only = say(moves([step("d", 1, 5 + round as u64)]));
        let after = say(facts([from + 70]));
        for good in good {
            let done = good.await.unwrap().unwrap();
            let first = done.outcomes[0].position();
            assert_eq!(done.outcomes, [Outcome::Appended(first), Outcome::Appended(first + 1)]);
            assert!(done.head.position > first);
        }
        assert!(matches!(fenced.await.unwrap(), Err(AppendError::Fenced { given: 0, stored: Some(1), .. })));
        assert!(matches!(back.await.unwrap(), Err(AppendError::Backwards { given: 3, stored: 4, .. })));
        assert!(matches!(beyond.await.unwrap(), Err(AppendError::Beyond { .. })));
        let failed = failed.await.unwrap();
        assert!(matches!(failed, Err(AppendError::Conflict { position: 2, .. })), "{failed:?}");
        assert_eq!(duplicate.await.unwrap().unwrap().outcomes, [Outcome::Duplicate(3); 2]);
        assert!(matches!(moved.await.unwrap().unwrap().outcomes[..], [Outcome::Appended(_)]));
        only.await.unwrap().unwrap();
        after.await.unwrap().unwrap();
        lock.await.unwrap();
    }
    let rows = sound(&tape).await;
    assert_eq!(rows.len(), 5 + 20 * 22);
    let none = |n| rows.iter().all(|row| row.draft.id != draft(n).id);
    assert!((500..=503).all(none), "what was refused is not there");
}

/// The same commits in one task after the other and all at once come to the same verdicts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_depend_on_each_other_come_out_as_if_one_after_the_other() {
    let mut random = random(seed());
    let mut below = |limit: u64| random.next_u64() % limit;
    let tape = in_database().await;
    let fence = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap().fence;
    let memory = tape::Memory::default();
    memory.acquire_all_now(&[unit("a")], "me", HOUR, false).unwrap();
    for _ in 0..60 {
        let commits: Vec<Commit> = (0..12)
            .map(|_| {
                let entry = |id: u64| {
                    let n = u128::from(id);
                    Entry::market(if n % 7 == 0 && n > 100 { other(n) } else { draft(n) }, time(1))
                };
                let mut commit = Commit::new((0..below(4)).map(|_| entry(1 + below(400))).collect());
                if below(3) == 0 {
                    commit.on_conflict = OnConflict::Report;
                    commit.entries.extend(commit.entries.clone().into_iter().rev().map(|mut entry| {
                        entry.draft.body.push(' ');
                        entry
                    }));
                }
                if below(4) == 0 {
                    commit.cursors.push(step(
                        "a",
                        fence + below(8) / 7,
                        below(memory.head_now().position + 3),
                    ));
                }
                commit
            })
            .collect();
        // One task polls them in this order, so the writer is asked in this order.
        let answers =
            futures_util::future::join_all(commits.iter().map(|commit| tape.append(commit.clone()))).await;
        for (answer, commit) in answers.into_iter().zip(commits) {
            assert_eq!(answer, memory.append_now(commit));
        }
    }
    assert_eq!(all(&tape).await, memory.read_now(0, usize::MAX));
    assert_eq!(tape.head().await.unwrap(), memory.head_now());
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
async fn cursors_and_leases_do_not_wait_for_the_head() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=5)).await;
    let fence = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap().fence;
    let mut holder = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM tapedeck.head FOR UPDATE").execute(&mut holder).await.unwrap();
    let elsewhere = open(&url).await;
    let quick = Duration::from_secs(2);
    timeout(quick, tape.renew(unit("a"), fence, HOUR)).await.unwrap().unwrap();
    timeout(quick, append(&elsewhere, moves([step("a", fence, 4)]))).await.unwrap();
    let snapshot = Snapshot { unit: unit("a"), position: 4, tag: String::new(), state: vec![] };
    timeout(quick, tape.save_snapshot(snapshot)).await.unwrap().unwrap();
    // An append waits, with a limit; meanwhile leases go on beside it.
    let waiting = tokio::spawn({
        let tape = tape.clone();
        async move { tape.append(facts([6])).await }
    });
    timeout(quick, tape.acquire(unit("b"), "me", HOUR, false)).await.unwrap().unwrap();
    let error = timeout(LIMIT, waiting).await.unwrap().unwrap().unwrap_err();
    assert!(matches!(error, AppendError::Busy(_)), "{error}");
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
    assert_eq!(append(&tape, facts([6])).await, [Outcome::Appended(6)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_commit_is_recorded_whole_or_not_at_all() {
    let tape = in_database().await;
    for n in 0..60_u128 {
        let commit = facts(n * 10 + 1..n * 10 + 11);
        // Cut off after a different number of steps each time.
        let _cut = timeout(Duration::from_micros(30 * n as u64), tape.append(commit.clone())).await;
        if n % 2 == 0 {
            let again = append(&tape, commit).await;
            let kinds: Vec<_> = again.iter().map(std::mem::discriminant).collect();
            assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{again:?}");
        }
    }
    assert!(sound(&tape).await.len().is_multiple_of(10));
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_loses_and_doubles_nothing() {
    const WRITERS: u128 = 4;
    const COMMITS: u128 = 250;
    let mut random = random(seed());
    let (url, mut server) = own_server().await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let url = url.clone();
        writers.spawn(async move {
            let tape = open(&url).await;
            let mut acknowledged = Vec::new();
            for n in 0..COMMITS {
                let from = (writer * COMMITS + n) * 4 + 1;
                let (outcomes, times) = insist(&tape, facts(from..from + 4)).await;
                let kind = std::mem::discriminant(&outcomes[0]);
                assert!(outcomes.iter().all(|o| std::mem::discriminant(o) == kind), "{outcomes:?}");
                assert!(times > 1 || matches!(outcomes[0], Outcome::Appended(_)), "{outcomes:?}");
                acknowledged.push((from, outcomes[0].position()));
            }
            acknowledged
        });
    }
    let follower = open(&url).await;
    let mut watcher = follower.watch();
    for _ in 0..3 {
        // Somewhere in the middle of so many more rows.
        let more = 300 + random.next_u64() % 300;
        let last = *watcher.borrow_and_update() + more;
        timeout(Duration::from_secs(60), watcher.wait_for(|position| *position >= last))
            .await
            .unwrap()
            .unwrap();
        server = tokio::task::spawn_blocking(move || {
            server.kill();
            server.start_again();
            server
        })
        .await
        .unwrap();
    }
    let mut acknowledged = Vec::new();
    while let Some(done) = writers.join_next().await {
        acknowledged.extend(done.unwrap());
    }
    let rows = sound(&open(&url).await).await;
    assert_eq!(rows.len() as u128, WRITERS * COMMITS * 4);
    for (from, position) in acknowledged {
        assert_eq!(rows[position as usize - 1].draft, draft(from), "it is where it was said to be");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_away_and_later_everything_goes_on() {
    let (url, server) = own_server().await;
    let tape = open(&url).await;
    append(&tape, facts(1..=10)).await;
    let fence = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap().fence;
    let mut watch = tape.watch();
    server.pause();
    let asked = Instant::now();
    let ask = |n| {
        let tape = tape.clone();
        tokio::spawn(async move { tape.append(facts([n])).await })
    };
    let (first, second) = (ask(11), ask(12));
    let (reading, leasing, saving) = tokio::join!(
        tape.head(),
        tape.renew(unit("a"), fence, HOUR),
        tape.keep_frames(vec![Frame::new(time(1), vec![1])])
    );
    assert!(matches!(reading, Err(ReadError::Storage(StorageError::Away { .. }))), "{reading:?}");
    assert!(matches!(leasing, Err(LeaseError::Storage(StorageError::Away { .. }))), "{leasing:?}");
    assert!(matches!(saving, Err(StorageError::Away { .. })), "{saving:?}");
    for answer in [first, second] {
        let error = answer.await.unwrap().unwrap_err();
        assert!(is_away(&error), "{error}");
    }
    assert!(asked.elapsed() < LIMIT, "nobody waits longer than ten seconds");
    let opening = Tape::open(&url, Mode::Write).await.unwrap_err();
    assert!(matches!(opening, OpenError::Storage(StorageError::Away { .. })), "{opening}");
    server.resume();

    for n in 11..=13 {
        let (outcomes, _) = insist(&tape, facts([n])).await;
        assert!(matches!(outcomes[..], [Outcome::Appended(_) | Outcome::Duplicate(_)]), "{outcomes:?}");
    }
    assert_eq!(sound(&tape).await.len(), 13);
    tape.renew(unit("a"), fence, HOUR).await.unwrap();
    timeout(LIMIT, watch.wait_for(|position| *position == 13)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_half_open_is_given_up() {
    let url = testkit::postgres();
    let (head, database) = url.rsplit_once('/').unwrap();
    let target = head.rsplit_once('@').unwrap().1.parse().unwrap();
    let proxy = Proxy::start(target);
    let tape = open(&format!("postgres://tapedeck@{}/{database}", proxy.address())).await;
    let direct = open(&url).await;
    append(&tape, facts([1])).await;

    proxy.set(Fault::HalfOpen);
    let asked = Instant::now();
    let (said, read) = tokio::join!(tape.append(facts([2])), tape.head());
    assert!(is_away(&said.unwrap_err()));
    assert!(matches!(read, Err(ReadError::Storage(StorageError::Away { .. }))));
    assert!(asked.elapsed() < LIMIT);
    // Whoever is not cut off goes on meanwhile.
    append(&direct, facts([3])).await;

    proxy.set(Fault::None);
    insist(&tape, facts([2])).await;
    let mut watch = tape.watch();
    append(&direct, facts([4])).await;
    timeout(LIMIT, watch.wait_for(|position| *position == 4)).await.unwrap().unwrap();

    for fault in [Fault::Reset, Fault::Refuse, Fault::CutAfter(100)] {
        proxy.set(fault);
        let first = tape.append(facts([5])).await;
        proxy.set(Fault::None);
        assert!(first.is_ok() || is_away(first.as_ref().unwrap_err()), "{first:?}");
        insist(&tape, facts([5])).await;
        tape.head().await.unwrap();
    }
    assert_eq!(sound(&tape).await.len(), 5);
}

#[tokio::test]
async fn too_many_connections_is_away_and_passes() {
    let (url, server) = own_server().await;
    let tape = open(&url).await;
    append(&tape, facts([1])).await;
    let mut holders = Vec::new();
    // Until the server takes no more.
    while let Ok(holder) = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await {
        holders.push(holder);
    }
    let error = Tape::open(&url, Mode::Write).await.unwrap_err();
    assert!(matches!(error, OpenError::Storage(StorageError::Away { .. })), "{error}");
    append(&tape, facts([2])).await;
    drop(holders);
    let begun = Instant::now();
    while let Err(e) = Tape::open(&url, Mode::Write).await {
        assert!(begun.elapsed() < LIMIT, "{e}");
        sleep(Duration::from_millis(20)).await;
    }
    drop(server);
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

async fn own_server() -> (String, Postgres) {
    tokio::task::spawn_blocking(|| {
        let server = Postgres::start();
        (server.fresh_database(), server)
    })
    .await
    .unwrap()
}

fn random(seed: u64) -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[&seed.to_be_bytes()[..], &[0; 24]].concat())
}
