//! A database that is killed, stands still, is cut off, is full.

use super::*;
use proptest::prelude::Rng;
use tape::{Frame, LeaseError, OpenError, ReadError};
use testkit::{Fault, Proxy};
use tokio::{task::JoinSet, time::timeout};

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

/// As after a restore, or a fail-over to a standby that lacked the last commits.
#[tokio::test]
async fn a_database_that_lost_what_was_recorded_takes_no_more_from_whoever_recorded_it() {
    let url = testkit::postgres();
    let (knows, other) = (open(&url).await, open(&url).await);
    append(&other, facts(1..=5)).await;
    append(&knows, facts(6..=9)).await;
    let back = "BEGIN; \
         ALTER TABLE tapedeck.event DISABLE TRIGGER ALL; \
         DELETE FROM tapedeck.event WHERE position > 7; \
         ALTER TABLE tapedeck.event ENABLE ALWAYS TRIGGER event_append_only; \
         ALTER TABLE tapedeck.event ENABLE ALWAYS TRIGGER event_no_truncate; \
         UPDATE tapedeck.head SET position = 7, hash = e.hash, recorded_at = e.recorded_at \
             FROM tapedeck.event e WHERE e.position = 7; \
         COMMIT";
    execute(&url, back).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    execute(&url, cut).await.unwrap();

    let refused = loop {
        match knows.append(facts([20])).await {
            Err(e) if is_away(&e) => sleep(Duration::from_millis(20)).await,
            done => break done.unwrap_err(),
        }
    };
    assert!(matches!(refused, AppendError::Backend(StorageError::Corrupt { .. })), "{refused}");
    assert!(refused.to_string().contains("put back to an older copy"), "{refused}");
    let still = knows.append(facts([20])).await.unwrap_err();
    assert!(matches!(still, AppendError::Backend(StorageError::Corrupt { .. })), "{still}");
    // Whoever knows nothing of what was lost cannot tell.
    let (outcomes, _) = insist(&other, facts([20])).await;
    assert_eq!(outcomes, [Outcome::Appended(8)]);
}
