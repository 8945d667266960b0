//! `executionReport` frames per second: bytes to events, beside bare serde_json into the same struct, its
//! decimals and times included.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use domain::Account;
use std::hint::black_box;
use venue_binance::frame::{self, ExecutionReport};

/// As Binance sends a fill today.
const BARE: &str = r#"{"e":"executionReport","E":1499405658658,"s":"ETHBTC","c":"td4k2m9q0v7c1x8b3n5j6h4g2f1d","S":"BUY","o":"LIMIT","f":"GTC","q":"1.00000000","p":"0.10264410","P":"0.00000000","F":"0.00000000","g":-1,"C":"","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":4293153,"l":"0.25000000","z":"0.75000000","L":"0.10264400","n":"0.00025000","N":"ETH","T":1499405658657,"t":28457,"I":8641984,"w":true,"m":false,"M":false,"O":1499405658600,"Z":"0.07698300","Y":"0.02566100","Q":"0.00000000","W":1499405658600,"V":"NONE"}"#;

fn report(c: &mut Criterion) {
    let account: Account = "binance:main".parse().expect("an account");
    let wrapped = format!(r#"{{"subscriptionId":0,"event":{BARE}}}"#);
    let mut group = c.benchmark_group("executionReport");
    group.throughput(Throughput::Elements(1));
    group.bench_function("serde_json into the struct", |b| {
        b.iter(|| serde_json::from_slice::<ExecutionReport>(black_box(BARE.as_bytes())).expect("a report"));
    });
    group.bench_function("bare frame to events", |b| {
        b.iter(|| frame::parse(account, black_box(BARE.as_bytes())).expect("events"));
    });
    group.bench_function("wrapped frame to events", |b| {
        b.iter(|| frame::parse(account, black_box(wrapped.as_bytes())).expect("events"));
    });
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
