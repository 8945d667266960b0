//! Rows per second out of a plain CSV file of Binance's 12 columns, beside what it costs to walk
//! over the same lines without reading them.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use market_store::Store;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader},
};

const ROWS: u64 = 44_640;

/// A month of minutes, with the columns as wide as in a real archive.
fn archive() -> String {
    let mut text = String::new();
    let mut price = 42_283_580_000_u64;
    for row in 0..ROWS {
        let time = 1_704_067_200_000 + row * 60_000;
        price = price + (row * 7_919) % 4_000_000 - 1_999_000;
        let p = |change: u64| {
            format!("{}.{:08}", (price + change) / 1_000_000, (price + change) % 100 * 1_000_000)
        };
        let (o, h, l, c) = (p(1_000), p(9_000), p(0), p(5_000));
        let end = time + 59_999;
        let _ = writeln!(
            text,
            "{time},{o},{h},{l},{c},35.{:05}000,{end},1487462.87{:06},1327,18.{:05}000,790000.44{:06},0",
            row % 99_999,
            row % 999_999,
            row % 99_999,
            row % 999_999
        );
    }
    text
}

fn parse(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder for the archive");
    let path = folder.path().join("BTCUSDT-1m-2024-01.csv");
    fs::write(&path, archive()).expect("the archive is written");
    let store = Store::open(&path, "binance".parse().expect("a venue")).expect("a sound archive");
    let mut group = c.benchmark_group("plain csv");
    group.throughput(Throughput::Elements(ROWS));
    group.bench_function("candles", |b| {
        b.iter(|| store.series[0].read().filter(Result::is_ok).count());
    });
    group.bench_function("lines only", |b| {
        b.iter(|| {
            let mut text = BufReader::with_capacity(64 * 1024, File::open(&path).expect("the archive"));
            let (mut line, mut lines) = (Vec::new(), 0);
            while text.read_until(b'\n', &mut line).expect("a line") > 0 {
                lines += 1;
                line.clear();
            }
            lines
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
