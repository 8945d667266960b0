//! Many who write and follow one tape at the same time.

use super::*;
use proptest::prelude::Rng;
use std::collections::BTreeMap;
use tape::{CursorMove, Entry, OnConflict, Snapshot};
use tokio::{task::JoinSet, time::timeout};

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
async fn cursors_and_leases_do_not_wait_for_the_head() {
    let url = testkit::postgres();
    let tape = open(&url).await;
    append(&tape, facts(1..=5)).await;
    let fence = tape.acquire(unit("a"), "me", HOUR, false).await.unwrap().fence;
    let mut holder = <sqlx::PgConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT FROM tapedeck.head FOR UPDATE").execute(&mut holder).await.unwrap();
    let elsewhere = open(&url).await;
    // Less than a statement may wait for a lock.
    let quick = Duration::from_secs(4);
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
    // What nobody waited for may be under way still; behind this nothing is.
    append(&tape, facts([1_000_000])).await;
    assert_eq!(sound(&tape).await.len() % 10, 1);
}
