//! Real candles, where they are at hand.

use crate::{binance, data};
use market_store::Store;

#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn every_real_series_is_read() {
    let store = Store::open(&data("candles"), binance()).unwrap();
    let told: Vec<String> = store
        .series
        .iter()
        .map(|s| {
            let rows = s.read().inspect(|c| assert!(c.as_ref().unwrap().is_consistent())).count();
            assert_eq!(rows as u64, s.rows);
            let rules = &store.rules()[&s.instrument];
            format!(
                "{} {} {} {} {}",
                s.instrument.symbol, s.interval, s.rows, rules.tick_size, rules.lot_size
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "ADAUSDT 1d 2892 0.00001 0.01",
            "ATOMUSDT 1d 1840 0.001 0.001",
            "BTCUSDT 1h 55597 0.01 0.000001",
            "BTCUSDT 4h 8588 0.01 0.000001",
            "BTCUSDT 1d 2461 0.01 0.000001",
            "ETHUSDT 4h 8588 0.01 0.00001",
            "ETHUSDT 1d 2461 0.01 0.00001",
            "LINKUSDT 1d 1944 0.0001 0.001",
            "LTCUSDT 1d 2920 0.01 0.00001",
            "TRXUSDT 1d 2163 0.00001 0.1",
            "XRPUSDT 1d 2200 0.00001 0.01",
        ]
    );
    assert!(store.ignored.is_empty());
}
