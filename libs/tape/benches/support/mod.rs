//! What the benchmarks share: the rows, and how two contenders are compared.

// Each benchmark is a program of its own and uses a part of this.
#![allow(dead_code)]

use domain::{Timestamp, UnitName};
use events::{Draft, Uuid};
use std::time::Duration;
use tape::{Commit, Entry};

/// As criterion does: a name on the command line leaves out what does not contain it.
pub fn wanted(name: &str) -> bool {
    let mut filters = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|filter| name.contains(&filter))
}

pub fn commit(after: u64, rows: u64) -> Commit {
    Commit::new((after..after + rows).map(|n| Entry::market(draft(n), time(n))).collect())
}

/// Two candles, then a fill of a trade, about as long as real ones.
pub fn draft(n: u64) -> Draft {
    let id = |n: u64| Uuid::new_v5(&Uuid::from_u128(7), &n.to_be_bytes());
    let trade = (n % 3 == 2).then(|| format!("edge70-BTCUSDT-L-{:010}", n / 30));
    let (kind, subject, body) = match trade {
        None => (
            "candle.closed",
            "candle:binance:spot:BTCUSDT:1d".to_owned(),
            format!(
                r#"{{"instrument":"binance:spot:BTCUSDT","interval":"1d","opened":"2024-01-15T00:00:00Z","closed":"2024-01-16T00:00:00Z","open":"42713.{n:05}","high":"43578.01","low":"41724.02","close":"42511.10","volume":"40269.89303","quote_volume":"1720345678.12345678","trades":1543210}}"#
            ),
        ),
        Some(_) => (
            "order.filled",
            format!("order:binance:main:td{n:026}"),
            format!(
                r#"{{"order":"td{n:026}","account":"binance:main","instrument":"binance:spot:BTCUSDT","side":"buy","price":"42713.{n:05}","quantity":"0.00117","fee":"0.00000117","fee_asset":"BTC","venue_order":"{n}","venue_trade":"{n}","maker":false,"origin":{{"trade":{{"leg":"entry","attempt":1}}}},"at":"2024-01-15T00:00:00.123Z"}}"#
            ),
        ),
    };
    Draft {
        id: id(n),
        kind: kind.into(),
        schema: 1,
        subject,
        source: unit(),
        cause: (n > 0).then(|| id(n - 1)),
        trade,
        at: time(n),
        body,
        meta: None,
    }
}

pub fn unit() -> UnitName {
    UnitName::new("event-logger").expect("a name")
}

pub fn time(n: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + n as i64)
}

/// The ratio is the median of those of each turn, whose two parts met the same disk and load.
pub fn compare(what: &str, rows: u64, ours: &[Duration], bare: &[Duration]) -> String {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let shown = |times: &[Duration]| {
        let rate = rows as f64 / median(times.iter().map(Duration::as_secs_f64).collect());
        if rate < 20_000.0 { format!("{rate:.0}") } else { format!("{:.0} k", rate / 1e3) }
    };
    let ratio =
        median(bare.iter().zip(ours).map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64()).collect());
    format!("{what}: ours {} rows/s, bare {} rows/s, ratio {ratio:.2}", shown(ours), shown(bare))
}
