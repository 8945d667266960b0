use crate::script::{at, series, told};
use domain::{Decimal, Timestamp};
use events::{Candle, Event};
use market_data::GateState;

/// Candles at the gate, each at the instant of its close, and what is said of them. On the way the
/// state is rebuilt from what was said, and written and read back.
fn check(candles: &str, expected: &str) {
    let mut gates = GateState::default();
    let mut lines = Vec::new();
    for candle in candles.split(" / ").flat_map(series) {
        let mut said = Vec::new();
        let mut rebuilt: GateState = serde_json::from_str(&serde_json::to_string(&gates).unwrap()).unwrap();
        gates.admit(candle.close_time(), candle, &mut said);
        said.iter().for_each(|event| rebuilt.apply(event));
        if !said.iter().any(|e| matches!(e, Event::Candle(events::CandleEvent::Refused(_)))) {
            assert_eq!(rebuilt, gates);
        }
        lines.push(said.iter().map(told).collect::<Vec<_>>().join(", "));
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    assert_eq!(lines, expected);
}

#[test]
fn candles_in_sequence_pass() {
    check("BTC 1h 0:100 1:101", "BTC 1h 0:100\nBTC 1h 1:101");
}

#[test]
fn a_gap_is_said_before_the_candle_after_it() {
    check("BTC 15m 0:100 1:101", "BTC 15m 0:100\nBTC 15m missing 3 from 0.25 until 1, BTC 15m 1:101");
}

#[test]
fn copies_and_latecomers_are_told_apart() {
    check(
        "BTC 1h 0:100 1:101 1:101 1:101~ 0:100 0:100~",
        "BTC 1h 0:100
         BTC 1h 1:101
         BTC 1h 1 refused Duplicate
         BTC 1h 1 differs
         BTC 1h 0 refused OutOfOrder
         BTC 1h 0 refused OutOfOrder",
    );
}

#[test]
fn what_was_refused_is_missing() {
    check(
        "BTC 1h 0:100 1:101! 2:102",
        "BTC 1h 0:100
         BTC 1h 1 refused Inconsistent
         BTC 1h missing 1 from 1 until 2, BTC 1h 2:102",
    );
}

#[test]
fn candles_open_at_multiples_of_their_interval() {
    check("BTC 1h 0.5:100", "BTC 1h 0.5 refused Misaligned");
    check("BTC 4h 4:100 6:101", "BTC 4h 4:100\nBTC 4h 6 refused Misaligned");
    check("BTC 1d 1:100", "BTC 1d 1 refused Misaligned");
}

#[test]
fn weeks_open_on_mondays() {
    // 2024-01-01 was one.
    check("BTC 1w 0:100 168:101", "BTC 1w 0:100\nBTC 1w 168:101");
    check("BTC 1w 72:100", "BTC 1w 72 refused Misaligned");
}

#[test]
fn three_day_candles_must_only_follow_each_other() {
    check(
        "BTC 3d 24:100 96:101 144:102 192:103 264:104",
        "BTC 3d 24:100
         BTC 3d 96:101
         BTC 3d 144 refused Misaligned
         BTC 3d missing 1 from 168 until 192, BTC 3d 192:103
         BTC 3d 264:104",
    );
    check("BTC 3d 1:100", "BTC 3d 1 refused Misaligned");
}

#[test]
fn series_do_not_mix() {
    check(
        "BTC 1h 0:100 / ETH 1h 5:10 / BTC 2h 4:100 / BTC 1h 1:101",
        "BTC 1h 0:100\nETH 1h 5:10\nBTC 2h 4:100\nBTC 1h 1:101",
    );
}

#[test]
fn a_candle_that_has_not_closed_is_partial_and_leaves_no_trace() {
    let candle = series("BTC 1h 1:101")[0];
    let mut gates = GateState::default();
    let mut say = |now: Timestamp, candle: Candle| {
        let mut said = Vec::new();
        gates.admit(now, candle, &mut said);
        said.iter().map(told).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(say(at("1.5"), candle), "BTC 1h 1 refused Partial");
    assert_eq!(say(at("2"), candle), "BTC 1h 1:101");
}

#[test]
fn whatever_is_inconsistent_is_refused() {
    let sound = series("BTC 1h 1:101")[0];
    let price = |n: i64| crate::script::price(n);
    for bad in [
        Candle { high: price(99), ..sound },
        Candle { low: price(102), ..sound },
        Candle { close: price(200), ..sound },
        Candle { open: price(99), ..sound },
        Candle { volume: Decimal::NEGATIVE_ONE, ..sound },
    ] {
        let mut said = Vec::new();
        GateState::default().admit(at("2"), bad, &mut said);
        assert_eq!(said.iter().map(told).collect::<String>(), "BTC 1h 1 refused Inconsistent");
    }
}
