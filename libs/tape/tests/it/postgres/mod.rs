//! What only a database can do: be shared by many writers, go away, come back.

mod away;
mod many;
mod one;

use crate::support::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tape::{AppendError, Commit, Mode, Outcome, StorageError, Tape, verify::verify_chain};
use testkit::Postgres;
use tokio::time::sleep;

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
