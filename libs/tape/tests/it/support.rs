//! Tapes and events to test with.

use domain::{Timestamp, UnitName};
use events::{Draft, Event, Position, TapeOpened, Uuid};
use std::path::{Path, PathBuf};
use tape::{AppendError, Commit, CursorMove, Entry, Mode, Outcome, Row, Tape};
use tempfile::TempDir;

/// A new tape in a folder that goes with it.
pub struct OnDisk {
    pub folder: TempDir,
    pub tape: Tape,
}

impl OnDisk {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tape = write(&folder.path().join("tape.db")).await;
        Self { folder, tape }
    }
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("tape.db")
    }
    pub async fn reopen(&mut self) {
        self.tape.close().await.unwrap();
        self.tape = write(&self.path()).await;
    }
}

/// A new tape in a new database.
pub async fn in_database() -> Tape {
    open(&testkit::postgres()).await
}

pub async fn open(url: &str) -> Tape {
    Tape::open(url, Mode::Write).await.unwrap()
}

pub async fn write(path: &Path) -> Tape {
    Tape::open(&url(path), Mode::Write).await.unwrap()
}

pub async fn read(path: &Path) -> Tape {
    Tape::open(&url(path), Mode::Read).await.unwrap()
}

pub fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

pub fn unit(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

pub fn time(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000)
}

/// The same number is the same fact, everywhere.
pub fn draft(n: u128) -> Draft {
    Draft {
        id: Uuid::from_u128(n),
        kind: "signal.given".into(),
        schema: 1,
        subject: format!("signal:{n}"),
        source: unit("edge70-signals"),
        cause: (n > 1).then(|| Uuid::from_u128(n - 1)),
        trade: n.is_multiple_of(3).then(|| format!("trade-{}", n / 3)),
        at: time(n as i64),
        body: format!(r#"{{"n":{n},"note":"a \"quoted\" ä€𝄞"}}"#),
        meta: n.is_multiple_of(2).then(|| format!("replica {n}")),
    }
}

/// Another fact under the id of `draft(n)`.
pub fn other(n: u128) -> Draft {
    Draft { body: r#"{"n":"something else"}"#.into(), ..draft(n) }
}

pub fn opened() -> TapeOpened {
    TapeOpened { tape: Uuid::from_u128(77), clock: events::Clock::Market, market: "synthetic:1".into() }
}

pub fn opening() -> Entry {
    let event = Event::from(opened());
    Entry::market(Draft::new(Uuid::from_u128(77), unit("tapedeck"), None, time(0), &event), time(0))
}

/// Facts `numbers`, each recorded at its own second.
pub fn facts(numbers: impl IntoIterator<Item = u128>) -> Commit {
    Commit::new(numbers.into_iter().map(|n| Entry::market(draft(n), time(n as i64))).collect())
}

pub fn step(name: &str, fence: u64, to: Position) -> CursorMove {
    CursorMove { unit: unit(name), fence, to, reach: 0 }
}

pub fn moves(steps: impl IntoIterator<Item = CursorMove>) -> Commit {
    Commit { cursors: steps.into_iter().collect(), ..Commit::default() }
}

pub async fn append(tape: &Tape, commit: Commit) -> Vec<Outcome> {
    tape.append(commit).await.unwrap().outcomes
}

pub async fn refused(tape: &Tape, commit: Commit) -> AppendError {
    tape.append(commit).await.unwrap_err()
}

pub async fn all(tape: &Tape) -> Vec<Row> {
    tape.read(0, usize::MAX).await.unwrap()
}

pub async fn drafts(tape: &Tape) -> Vec<Draft> {
    all(tape).await.into_iter().map(|row| row.draft).collect()
}
