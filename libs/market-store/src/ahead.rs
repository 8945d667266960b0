//! A series read by a thread of its own, some way ahead of whoever takes the candles.

use crate::{Candles, StoreError};
use events::Candle;
use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// Candles that change hands at once.
const BATCH: usize = 512;
/// Batches that wait at most; with those at either end, about half a megabyte a series.
const WAITING: usize = 2;

type Batch = Vec<Result<Candle, StoreError>>;

/// The same candles in the same order as [`Candles`] gives. The thread ends with the last one, or
/// when this is dropped.
pub struct Ahead {
    batch: std::vec::IntoIter<Result<Candle, StoreError>>,
    source: Source,
}

enum Source {
    /// Nothing has been asked for yet.
    Idle(Option<Candles>),
    Thread(Receiver<Batch>),
    /// The machine gives no more threads.
    Here(Candles),
}

impl Ahead {
    /// The thread starts when the first candle is asked for.
    pub fn new(candles: Candles) -> Self {
        Self { batch: Vec::new().into_iter(), source: Source::Idle(Some(candles)) }
    }

    fn next_batch(&mut self) -> Option<Batch> {
        if let Source::Idle(candles) = &mut self.source {
            self.source = start(candles.take()?);
        }
        match &mut self.source {
            Source::Idle(_) => None,
            Source::Thread(batches) => batches.recv().ok(),
            Source::Here(candles) => Some(gather(candles)).filter(|batch| !batch.is_empty()),
        }
    }
}

impl Iterator for Ahead {
    type Item = Result<Candle, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(candle) = self.batch.next() {
                return Some(candle);
            }
            self.batch = self.next_batch()?.into_iter();
        }
    }
}

fn start(candles: Candles) -> Source {
    let (give, take) = sync_channel(WAITING);
    let again = candles.again();
    match thread::Builder::new().name("candles".to_owned()).spawn(move || read(candles, &give)) {
        Ok(_) => Source::Thread(take),
        Err(_) => Source::Here(again),
    }
}

fn read(mut candles: Candles, give: &SyncSender<Batch>) {
    loop {
        let batch = gather(&mut candles);
        if batch.is_empty() || give.send(batch).is_err() {
            return;
        }
    }
}

fn gather(candles: &mut Candles) -> Batch {
    candles.by_ref().take(BATCH).collect()
}
