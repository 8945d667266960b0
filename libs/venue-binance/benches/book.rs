//! Level updates per second onto a local book: frames recorded from Binance (`$TAPEDECK_DATA/l2`), parsed
//! beforehand; what it costs to read them too is measured beside it.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::MultiGzDecoder;
use std::{
    fs::File,
    hint::black_box,
    io::{BufRead, BufReader},
    path::PathBuf,
};
use venue_binance::{
    book::{Change, LocalBook, Step},
    market::{self, Message, PartialDepth},
};

fn book(c: &mut Criterion) {
    let (snapshot, frames) = recorded().expect("the recording l2 in $TAPEDECK_DATA or ../shared/data");
    let changes: Vec<Change> = frames.iter().map(|frame| change(frame)).collect();
    let levels: usize = changes.iter().map(|change| change.bids.len() + change.asks.len()).sum();
    let mut group = c.benchmark_group("book");
    group.throughput(Throughput::Elements(levels as u64));
    group.bench_function("levels applied", |b| {
        b.iter_batched(
            || synchronised(&snapshot),
            |mut book| {
                for change in &changes {
                    black_box(book.change(change));
                }
                book
            },
            BatchSize::LargeInput,
        );
    });
    group.bench_function("levels read and applied", |b| {
        b.iter_batched(
            || synchronised(&snapshot),
            |mut book| {
                for frame in &frames {
                    black_box(book.change(&change(frame)));
                }
                book
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn synchronised(snapshot: &PartialDepth) -> LocalBook {
    let mut book = LocalBook::default();
    assert_eq!(book.snapshot(snapshot), Step::Applied);
    book
}

fn change(frame: &str) -> Change {
    match market::decode(frame.as_bytes()).expect("a frame").message {
        Message::DepthUpdate(update) => update.into(),
        other => panic!("no update: {other:?}"),
    }
}

/// The snapshot, and the updates that came after it.
fn recorded() -> Option<(PartialDepth, Vec<String>)> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let folder = std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join("l2");
    let (mut snapshot, mut frames) = (None, Vec::new());
    for file in ["btcusdt_20240808.gz", "btcusdt_20240809.gz"] {
        for line in BufReader::new(MultiGzDecoder::new(File::open(folder.join(file)).ok()?)).lines() {
            let line = line.ok()?;
            let (_, frame) = line.split_once(' ')?;
            match market::decode(frame.as_bytes()).ok()?.message {
                Message::PartialDepth(depth) => snapshot = Some(depth),
                Message::DepthUpdate(_) => frames.push(frame.to_owned()),
                _ => {}
            }
        }
    }
    Some((snapshot?, frames))
}

criterion_group!(benches, book);
criterion_main!(benches);
