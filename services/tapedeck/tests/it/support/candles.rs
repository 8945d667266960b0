//! Recorded candles, made up.

use super::Place;
use domain::Timestamp;
use std::{fmt::Write, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);

/// Writes `folder/SYMBOL-1d.csv` for the symbols, `days` days from 2022 on. Each price goes up and down
/// between 100 and 200 in waves of 160 days, so that channels of 59 and 21 days are broken every wave. The
/// volume has five decimals, and so the lot: hardly anything is left of what a fee in coins is taken from.
pub fn candles(place: &Place, folder: &str, symbols: &[&str], days: i64) {
    let start: Timestamp = "2022-01-01".parse().unwrap();
    for (n, symbol) in symbols.iter().enumerate() {
        let mut csv = "open_time,open,high,low,close,volume\n".to_owned();
        let (mut at, mut open) = (start, wave(40 * n as i64 - 1));
        for day in 0..days {
            let close = wave(40 * n as i64 + day);
            let (high, low) = (open.max(close) + 75, open.min(close) - 75);
            let [o, h, l, c] =
                [open, high, low, close].map(|cents| format!("{}.{:02}", cents / 100, cents % 100));
            writeln!(csv, "{},{o},{h},{l},{c},5000.50001", at.millis()).unwrap();
            (at, open) = (at + DAY, close);
        }
        place.write(&format!("{folder}/{symbol}-1d.csv"), csv);
    }
}

/// In cents.
fn wave(day: i64) -> i64 {
    let phase = day.rem_euclid(160);
    10_000 + 125 * phase.min(160 - phase)
}
