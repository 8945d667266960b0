//! Looking at a tape from a test that blocks.

use events::{Position, Row};
use std::{
    future::Future,
    sync::{LazyLock, mpsc},
    time::Duration,
};
use tape::{Cursor, Head, Mode, Tape};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let made = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    made.expect("a runtime for the tests' own clients")
});

/// Runs it on a runtime that all tests share, to its end.
pub fn block<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (tell, told) = mpsc::sync_channel(1);
    RUNTIME.spawn(async move {
        let _nobody_waits = tell.send(work.await);
    });
    told.recv().expect("a task of the test has panicked: see above")
}

/// Starts something that goes on beside the test.
pub fn spawn<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    RUNTIME.spawn(work)
}

/// A reader's connection to a tape.
#[derive(Clone)]
pub struct Eye {
    tape: Tape,
}

impl Eye {
    pub fn open(url: &str) -> Self {
        Self::try_open(url, Mode::Read).unwrap_or_else(|why| panic!("{why}"))
    }

    pub fn open_to_write(url: &str) -> Self {
        Self::try_open(url, Mode::Write).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The error is why not.
    pub fn try_open(url: &str, mode: Mode) -> Result<Self, String> {
        let url = url.to_owned();
        block(async move { Tape::open(&url, mode).await })
            .map(|tape| Self { tape })
            .map_err(|e| e.to_string())
    }

    pub fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// Head and cursors at one moment; `None` while the tape cannot be reached.
    pub fn marks(&self) -> Option<(Head, Vec<Cursor>)> {
        let tape = self.tape();
        block(async move { tokio::time::timeout(Duration::from_secs(5), tape.marks()).await })
            .ok()
            .and_then(Result::ok)
    }

    pub fn head(&self) -> Head {
        self.marks().expect("the tape can be reached").0
    }

    pub fn cursor(&self, unit: &str) -> Option<Cursor> {
        self.marks()?.1.into_iter().find(|cursor| cursor.unit.as_str() == unit)
    }

    pub fn rows(&self) -> Vec<Row> {
        self.after(0)
    }

    pub fn after(&self, position: Position) -> Vec<Row> {
        let tape = self.tape();
        block(async move { tape.read(position, usize::MAX).await }).expect("a readable tape")
    }
}
