//! What the tape costs over the bare database: `cargo bench -p tape`.
//!
//! SQLite is compared with bare inserts of the same rows into the same tables, and with a raw read of
//! every column, through the same client and with the same settings: without hashes, fences, cursors,
//! head and duplicates. A second figure leaves the append-only triggers of the table out as well.
//! How long a disk takes to flush drifts more within a minute than they differ; so they take turns, a
//! few commits each, and the turns are compared one by one.
//! What needs no disk is measured by criterion.
//!
//! `TAPE_BENCH_ROWS` (1,000,000) is the length of the tape that is read.

mod support;

use criterion::{BatchSize, Criterion, Throughput};
use domain::Timestamp;
use sqlx::{
    ConnectOptions, Executor, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};
use support::{commit, compare, draft, unit, wanted};
use tape::{Commit, CursorMove, Entry, Memory, Mode, Tape, chain, verify};

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    memory(&mut criterion);
    criterion.final_summary();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let lines = runtime.block_on(async {
        // As in the engine, where units are tasks: not on the thread that only waits for them.
        tokio::spawn(async {
            let mut lines = Vec::new();
            if wanted("append/1") {
                lines.extend(append(1, 10, 400).await);
            }
            if wanted("append/1000") {
                lines.extend(append(1_000, 2, 120).await);
            }
            if wanted("read") {
                lines.extend(read().await);
            }
            lines
        })
        .await
        .expect("the benchmark runs to its end")
    });
    println!("\n{}", lines.join("\n"));
}

fn memory(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("memory");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).throughput(Throughput::Elements(1_000));
    group.bench_function("append/1000", |b| {
        let mut next = 0;
        let tape = Memory::default();
        let batch = || {
            next += 1_000;
            commit(next - 1_000, 1_000)
        };
        b.iter_batched(batch, |commit| tape.append_now(commit).expect("appended"), BatchSize::PerIteration);
    });
    group.bench_function("read/1000", |b| {
        let tape = Memory::default();
        tape.append_now(commit(0, 10_000)).expect("appended");
        b.iter(|| tape.read_now(5_000, 1_000));
    });
    group.throughput(Throughput::Elements(1));
    let (draft, zero) = (draft(7), chain::GENESIS);
    group.bench_function("link", |b| b.iter(|| chain::link(&zero, 1, Timestamp::ZERO, black_box(&draft))));
    group.finish();
}

/// `turns` turns of `commits` commits each. Ours moves a cursor with every commit, as a unit does.
async fn append(batch: u64, commits: u64, turns: u64) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let tape = open(&folder.path().join("ours.db")).await;
    let fence = tape.acquire(unit(), "bench", Duration::from_secs(9), false).await.expect("acquired").fence;
    let mut bare = bare_table(&folder.path().join("bare.db")).await;
    let mut plain = bare_table(&folder.path().join("plain.db")).await;
    let triggers =
        "DROP TRIGGER event_no_replace; DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete";
    plain.execute(triggers).await.expect("dropped");
    let insert = insert(batch.min(100));
    let mut times = [const { Vec::new() }; 3];
    for turn in 0..turns {
        for contender in [0, 1, 2].map(|n| ((n + turn) % 3) as usize) {
            let first = turn * commits * batch;
            let mut batches: Vec<Commit> = (0..commits).map(|n| commit(first + n * batch, batch)).collect();
            for (to, commit) in (first + batch..).step_by(batch as usize).zip(&mut batches) {
                commit.cursors = vec![CursorMove { unit: unit(), fence, to, reach: 1 }];
            }
            let begun = Instant::now();
            match contender {
                0 => {
                    for commit in batches {
                        tape.append(commit).await.expect("appended");
                    }
                }
                other => {
                    let table = if other == 1 { &mut bare } else { &mut plain };
                    for (after, commit) in (first..).step_by(batch as usize).zip(&batches) {
                        bare_inserts(table, insert, after, &commit.entries).await.expect("inserted");
                    }
                }
            }
            times[contender].push(begun.elapsed());
        }
    }
    tape.close().await.expect("closed");
    let [ours, bare, plain] = times;
    vec![
        compare(&format!("append/{batch}"), commits * batch, &ours, &bare),
        compare(&format!("append/{batch}, without append-only triggers"), commits * batch, &ours, &plain),
    ]
}

async fn bare_inserts(
    bare: &mut SqliteConnection,
    insert: &'static str,
    after: u64,
    entries: &[Entry],
) -> sqlx::Result<()> {
    if entries.len() > 1 {
        bare.execute("BEGIN IMMEDIATE").await?;
    }
    for (n, entries) in entries.chunks(100).enumerate() {
        let mut query = sqlx::query(insert);
        for (m, Entry { draft, .. }) in entries.iter().enumerate() {
            query = query
                .bind(after as i64 + (n * 100 + m) as i64 + 1)
                .bind(draft.id.as_bytes().to_vec())
                .bind(draft.kind.to_string())
                .bind(i64::from(draft.schema))
                .bind(draft.subject.clone())
                .bind(draft.source.to_string())
                .bind(draft.cause.map(|id| id.as_bytes().to_vec()))
                .bind(draft.trade.clone())
                .bind(draft.at.micros())
                .bind(draft.at.micros())
                .bind(draft.body.clone())
                .bind(draft.meta.clone())
                .bind(vec![0; 32]);
        }
        query.execute(&mut *bare).await?;
    }
    if entries.len() > 1 {
        bare.execute("COMMIT").await?;
    }
    Ok(())
}

async fn read() -> Vec<String> {
    let rows: u64 = std::env::var("TAPE_BENCH_ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ours.db");
    let tape = open(&path).await;
    let begun = Instant::now();
    for first in (0..rows).step_by(1_000) {
        tape.append(commit(first, 1_000)).await.expect("appended");
    }
    let written = begun.elapsed();
    let mut raw = settings(&path).read_only(true).connect().await.expect("opened");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..6 {
        let begun = Instant::now();
        if turn % 2 == 0 {
            assert_eq!(raw_read(&mut raw).await.expect("read"), rows);
            theirs.push(begun.elapsed());
        } else {
            assert_eq!(tape_read(&tape).await, rows);
            ours.push(begun.elapsed());
        }
    }
    let begun = Instant::now();
    verify::verify_chain(&tape, |_, _| ()).await.expect("whole");
    let verified = begun.elapsed();
    tape.close().await.expect("closed");
    let thousands = rows as f64 / 1e3;
    vec![
        compare(&format!("read/{rows}"), rows, &ours, &theirs),
        format!(
            "write/{rows}: {:.0} k rows/s in batches of 1000, without a cursor",
            thousands / written.as_secs_f64()
        ),
        format!("verify/{rows}: {:.0} k rows/s", thousands / verified.as_secs_f64()),
    ]
}

async fn tape_read(tape: &Tape) -> u64 {
    let mut position = 0;
    loop {
        let rows = tape.read(position, 2_000).await.expect("read");
        match black_box(&rows).last() {
            Some(last) => position = last.position,
            None => return position,
        }
    }
}

type RawRow = (
    i64,
    Vec<u8>,
    String,
    i64,
    String,
    String,
    Option<Vec<u8>>,
    Option<String>,
    i64,
    i64,
    String,
    Option<String>,
    Vec<u8>,
);

async fn raw_read(raw: &mut SqliteConnection) -> sqlx::Result<u64> {
    let mut position = 0;
    loop {
        let rows: Vec<RawRow> =
            sqlx::query_as("SELECT * FROM event WHERE position > ? ORDER BY position LIMIT 2000")
                .bind(position)
                .fetch_all(&mut *raw)
                .await?;
        match black_box(&rows).last() {
            Some(last) => position = last.0,
            None => return Ok(position as u64),
        }
    }
}

async fn open(path: &Path) -> Tape {
    Tape::open(&format!("sqlite:{}", path.display()), Mode::Write).await.expect("opened")
}

/// The tables of a tape, and the settings of its writer.
async fn bare_table(path: &Path) -> SqliteConnection {
    open(path).await.close().await.expect("closed");
    let settings = settings(path).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let settings = settings.pragma("wal_autocheckpoint", "4000").pragma("cache_size", "-16000");
    settings.connect().await.expect("opened")
}

fn settings(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).row_buffer_size(512).disable_statement_logging()
}

/// Made once and kept, so that it is prepared once.
fn insert(rows: u64) -> &'static str {
    let row = "(?,?,?,?,?,?,?,?,?,?,?,?,?)";
    format!("INSERT INTO event VALUES {}", [row].repeat(rows as usize).join(",")).leak()
}
