//! Series against the time that all of them span.

use domain::{Instrument, Interval, Timestamp};
use market_data::{Series, Span, ends};

fn span(from: &str, to: &str) -> Span {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    Span { from: at(from), to: at(to) }
}

fn series(symbol: &str, interval: Interval) -> Series {
    Series { interval, instrument: Instrument::spot("binance".parse().unwrap(), symbol.parse().unwrap()) }
}

#[test]
fn only_whole_candles_are_lacking() {
    let whole = span("2024-01-01", "2024-02-01");
    let lacks = |interval, from, to| {
        let lacks = whole.lacks(interval, span(from, to));
        (lacks.before, lacks.after)
    };
    assert_eq!(lacks(Interval::Day1, "2024-01-01", "2024-02-01"), (0, 0));
    assert_eq!(lacks(Interval::Day1, "2024-01-02", "2024-01-31"), (1, 1));
    assert_eq!(lacks(Interval::Week1, "2024-01-01", "2024-01-29"), (0, 0), "three days are no week");
    assert_eq!(lacks(Interval::Hour1, "2024-01-01", "2024-01-31"), (0, 24));
    assert_eq!(lacks(Interval::Day1, "2023-01-01", "2025-01-01"), (0, 0), "more than was asked for");
    assert_eq!(lacks(Interval::Day1, "2023-01-01", "2023-06-01"), (0, 31), "all of it, and no more");
}

#[test]
fn many_series_are_told_in_a_line_for_each_way() {
    let whole = span("2024-01-01", "2024-02-01");
    let late =
        (0..10).map(|n| (series(&format!("C{n}USDT"), Interval::Day1), span("2024-01-11", "2024-02-01")));
    let told = ends::words(whole, late);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "series begin later than 2024-01-01 00:00: C0USDT 1d on 2024-01-11 00:00 (10 fewer), "
        )
    );
    assert!(told[0].ends_with(" and 2 more"), "{told:?}");
    assert_eq!(ends::words(whole, [(series("BTCUSDT", Interval::Day1), whole)]), [""; 0]);
}
