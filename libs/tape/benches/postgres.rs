//! What the tape costs over bare PostgreSQL: `cargo bench -p tape --bench postgres`.
//!
//! Compared with plain inserts of the same rows by the same client, one per commit or by UNNEST, into a
//! table of the same shape and indexes: without hashes, duplicates, fences, head, notification and
//! triggers. And with a raw read of every column in pages of the same size.
//! How long a disk takes to flush drifts more within a minute than they differ; so they take turns, and
//! the turns are compared one by one.
//!
//! It starts a server of its own. `TAPE_BENCH_ROWS` (1,000,000) is the length of the tape that is read.

mod support;

use domain::Timestamp;
use events::Uuid;
use sqlx::{
    ConnectOptions, Executor, PgConnection,
    postgres::{PgBindIterExt, PgConnectOptions},
};
use std::{
    hint::black_box,
    str::FromStr,
    time::{Duration, Instant},
};
use support::{commit, compare, unit, wanted};
use tape::{Commit, CursorMove, Entry, Mode, Tape, verify};

/// Rows per statement of either reader.
const PAGE: i64 = 2_000;

const COLUMNS: &str = "position bigint PRIMARY KEY, id uuid NOT NULL UNIQUE, kind text COLLATE \"C\" NOT NULL, \
     schema integer NOT NULL, subject text COLLATE \"C\" NOT NULL, source text COLLATE \"C\" NOT NULL, \
     cause uuid, trade text COLLATE \"C\", at bigint NOT NULL, recorded_at bigint NOT NULL, \
     body text COLLATE \"C\" NOT NULL, meta text COLLATE \"C\", hash bytea NOT NULL";

fn main() {
    let server = testkit::Postgres::start();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let lines = runtime.block_on(async {
        // As in the engine, where units are tasks: not on the thread that only waits for them.
        let urls = [0; 5].map(|_| server.fresh_database());
        tokio::spawn(measure(urls)).await.expect("the benchmark runs to its end")
    });
    println!("\n{}", lines.join("\n"));
}

async fn measure([one, one_cursor, many, group, long]: [String; 5]) -> Vec<String> {
    let mut lines = Vec::new();
    if wanted("append/1") {
        lines.push(append(&one, 1, 20, 150, false).await);
        lines.push(append(&one_cursor, 1, 20, 150, true).await);
    }
    if wanted("append/512") {
        lines.push(append(&many, 512, 2, 120, true).await);
    }
    if wanted("group") {
        lines.extend(groups(&group).await);
    }
    if wanted("read") {
        lines.extend(read(&long).await);
    }
    lines
}

/// `turns` turns of `commits` commits each; ours moves a cursor with every commit, as a unit does, or not.
async fn append(url: &str, batch: u64, commits: u64, turns: u64, moves: bool) -> String {
    let tape = open(url).await;
    let fence = tape.acquire(unit(), "bench", Duration::from_secs(9), false).await.expect("acquired").fence;
    let mut bare = bare_table(url).await;
    let mut times = [const { Vec::new() }; 2];
    for turn in 0..turns {
        for contender in [0, 1].map(|n| ((n + turn) % 2) as usize) {
            let first = turn * commits * batch;
            let mut batches: Vec<Commit> = (0..commits).map(|n| commit(first + n * batch, batch)).collect();
            for (to, commit) in (first + batch..).step_by(batch as usize).zip(&mut batches) {
                if moves {
                    commit.cursors = vec![CursorMove { unit: unit(), fence, to, reach: 1 }];
                }
            }
            let begun = Instant::now();
            if contender == 0 {
                for commit in batches {
                    tape.append(commit).await.expect("appended");
                }
            } else {
                for (after, commit) in (first..).step_by(batch as usize).zip(&batches) {
                    insert(&mut bare, after, &commit.entries).await.expect("inserted");
                }
            }
            times[contender].push(begun.elapsed());
        }
    }
    tape.close().await.expect("closed");
    let [ours, bare] = times;
    let what = if moves { ", with a cursor" } else { "" };
    compare(&format!("postgres append/{batch}{what}"), commits * batch, &ours, &bare)
}

async fn insert(bare: &mut PgConnection, after: u64, entries: &[Entry]) -> sqlx::Result<()> {
    if let [Entry { draft, recorded_at }] = entries {
        sqlx::query("INSERT INTO bare VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
            .bind(after as i64 + 1)
            .bind(draft.id)
            .bind(&*draft.kind)
            .bind(i32::from(draft.schema))
            .bind(&draft.subject)
            .bind(&*draft.source)
            .bind(draft.cause)
            .bind(&draft.trade)
            .bind(draft.at.micros())
            .bind(recorded_at.map(Timestamp::micros))
            .bind(&draft.body)
            .bind(&draft.meta)
            .bind(&[0_u8; 32][..])
            .execute(bare)
            .await?;
        return Ok(());
    }
    let drafts = || entries.iter().map(|entry| &entry.draft);
    sqlx::query(
        "INSERT INTO bare SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind((after as i64 + 1..).take(entries.len()).bind_iter())
    .bind(drafts().map(|d| d.id).bind_iter())
    .bind(drafts().map(|d| &*d.kind).bind_iter())
    .bind(drafts().map(|d| i32::from(d.schema)).bind_iter())
    .bind(drafts().map(|d| &*d.subject).bind_iter())
    .bind(drafts().map(|d| &*d.source).bind_iter())
    .bind(drafts().map(|d| d.cause).bind_iter())
    .bind(drafts().map(|d| d.trade.as_deref()).bind_iter())
    .bind(drafts().map(|d| d.at.micros()).bind_iter())
    .bind(entries.iter().map(|entry| entry.recorded_at.map(Timestamp::micros)).bind_iter())
    .bind(drafts().map(|d| &*d.body).bind_iter())
    .bind(drafts().map(|d| d.meta.as_deref()).bind_iter())
    .bind(drafts().map(|_| &[0_u8; 32][..]).bind_iter())
    .execute(bare)
    .await
    .map(drop)
}

/// Sixteen at once who say one event each, again and again; beside it sixteen connections that insert.
async fn groups(url: &str) -> Vec<String> {
    const AT_ONCE: u64 = 16;
    const EACH: u64 = 300;
    let tape = open(url).await;
    drop(bare_table(url).await);
    let mut connections = Vec::new();
    for _ in 0..AT_ONCE {
        connections.push(connect(url).await);
    }
    let mut times = [const { Vec::new() }; 2];
    for turn in 0..5 {
        let from = move |n: u64| (turn * AT_ONCE + n) * EACH;
        let begun = Instant::now();
        let ours = (0..AT_ONCE).map(|n| {
            let tape = tape.clone();
            tokio::spawn(async move {
                for n in from(n)..from(n) + EACH {
                    tape.append(commit(n, 1)).await.expect("appended");
                }
            })
        });
        for done in ours.collect::<Vec<_>>() {
            done.await.expect("done");
        }
        times[0].push(begun.elapsed());
        let begun = Instant::now();
        let theirs = connections.drain(..).zip(0..).map(|(mut bare, n)| {
            tokio::spawn(async move {
                for n in from(n)..from(n) + EACH {
                    insert(&mut bare, n, &commit(n, 1).entries).await.expect("inserted");
                }
                bare
            })
        });
        let theirs: Vec<_> = theirs.collect();
        for done in theirs {
            connections.push(done.await.expect("done"));
        }
        times[1].push(begun.elapsed());
    }
    tape.close().await.expect("closed");
    let [ours, bare] = times;
    vec![compare("postgres group commit of 16 at once", AT_ONCE * EACH, &ours, &bare)]
}

async fn read(url: &str) -> Vec<String> {
    let rows: u64 = std::env::var("TAPE_BENCH_ROWS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let tape = open(url).await;
    let begun = Instant::now();
    for first in (0..rows).step_by(1_000) {
        tape.append(commit(first, 1_000.min(rows - first))).await.expect("appended");
    }
    let written = begun.elapsed();
    let mut raw = connect(url).await;
    raw.execute("VACUUM ANALYZE tapedeck.event").await.expect("vacuumed");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..8 {
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
    let rate = |took: Duration| thousands / took.as_secs_f64();
    vec![
        compare(&format!("postgres read/{rows}"), rows, &ours, &theirs),
        format!("postgres write/{rows}: {:.0} k rows/s in batches of 1000, without a cursor", rate(written)),
        format!("postgres verify/{rows}: {:.0} k rows/s", rate(verified)),
    ]
}

async fn tape_read(tape: &Tape) -> u64 {
    let mut position = 0;
    loop {
        let rows = tape.read(position, PAGE as usize).await.expect("read");
        match black_box(&rows).last() {
            Some(last) => position = last.position,
            None => return position,
        }
    }
}

type RawRow = (
    i64,
    Uuid,
    String,
    i32,
    String,
    String,
    Option<Uuid>,
    Option<String>,
    i64,
    i64,
    String,
    Option<String>,
    Vec<u8>,
);

async fn raw_read(raw: &mut PgConnection) -> sqlx::Result<u64> {
    let mut position = 0;
    loop {
        let rows: Vec<RawRow> =
            sqlx::query_as("SELECT * FROM tapedeck.event WHERE position > $1 ORDER BY position LIMIT $2")
                .bind(position)
                .bind(PAGE)
                .fetch_all(&mut *raw)
                .await?;
        match black_box(&rows).last() {
            Some(last) => position = last.0,
            None => return Ok(position as u64),
        }
    }
}

async fn open(url: &str) -> Tape {
    Tape::open(url, Mode::Write).await.expect("opened")
}

async fn connect(url: &str) -> PgConnection {
    let options = PgConnectOptions::from_str(url).expect("a URL").disable_statement_logging();
    options.options([("synchronous_commit", "on")]).connect().await.expect("connected")
}

async fn bare_table(url: &str) -> PgConnection {
    let mut bare = connect(url).await;
    let make = format!(
        "CREATE TABLE bare ({COLUMNS}); CREATE INDEX ON bare (trade, position) WHERE trade IS NOT NULL; \
         CREATE INDEX ON bare (kind, position)"
    );
    bare.execute(sqlx::AssertSqlSafe(make)).await.expect("made");
    bare
}
