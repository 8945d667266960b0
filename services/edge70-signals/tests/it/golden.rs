//! The golden vectors: what the edge that this one replaces said on the same candles.

use crate::market::{Market, btc, config};
use domain::{Direction, Timestamp};
use edge70_signals::Forward;
use events::{Event, Evidence, SignalDirection, SignalEvent};

#[test]
fn golden_vector_1_flips_repeats_ambiguity_and_equal_extremes() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[
        (10, 9),
        (10, 9),
        (10, 9),
        (10, 9),
        (11, 9),
        (12, 10),
        (11, 8),
        (13, 7),
        (14, 10),
        (14, 10),
    ]);
    market.expect(&["4 possible long 10", "6 short 9.5", "7 ambiguous 13>12 7<8", "8 long 12"]);

    let at: Vec<i64> = market
        .said
        .iter()
        .filter_map(|event| match event {
            Event::Signal(SignalEvent::Given(signal)) => Some(signal.at.millis()),
            _ => None,
        })
        .collect();
    assert_eq!(at, [604_800_000, 777_600_000]);
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Long));
}

#[test]
fn golden_vector_2_four_hundred_days_of_59_and_21() {
    let mut market = Market::new(config(59, 21, Forward::DirectionFlips));
    let days = four_hundred_days();
    assert_eq!(days[0], [10_007, 9_917, 9_937]);
    assert_eq!(days[399], [13_794, 13_604, 13_773]);
    for day in days {
        market.day(day.map(Into::into));
    }
    let (possible, given): (Vec<_>, Vec<_>) = market.log.iter().partition(|line| line.contains("possible"));
    assert_eq!(
        given,
        [
            "108 short 12807",
            "170 long 13033",
            "185 short 12401",
            "200 long 13366",
            "221 short 13196",
            "342 long 13049",
            "385 short 13383",
        ]
    );
    assert_eq!(possible.len(), 1);
    assert!(market.log[0].contains("possible long"));
    assert_eq!(market.edge.state.direction(&btc()), Some(Direction::Short));
}

#[test]
fn a_signal_carries_the_figures_that_made_it() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9), (10, 8)]);
    let Some(Event::Signal(SignalEvent::Given(signal))) = market.said.last() else { panic!("no signal") };
    assert_eq!(signal.previous, Some(SignalDirection::Long));
    let Some(Evidence::Breakout(breakout)) = &signal.evidence else { panic!("{signal:?}") };
    assert_eq!(signal.at, "1970-01-06".parse::<Timestamp>().unwrap(), "the candle's close, not the hearing");
    assert_eq!((breakout.lookback, breakout.interval.as_str()), (2, "1d"));
    assert_eq!((breakout.channel.get(), breakout.extreme.get()), (9.into(), 8.into()));
    assert!(!signal.test);
}

/// High, low and close of the second vector's candles, from its linear congruential generator.
fn four_hundred_days() -> Vec<[i64; 3]> {
    let mut state = 12_345_i64;
    let mut next = |m: i64| {
        state = (1_103_515_245 * state + 12_345) % (1 << 31);
        (state >> 8) % m
    };
    let mut close = 10_000;
    (0..400)
        .map(|i| {
            let open = close;
            let drift = if (i / 80) % 2 == 1 { -12 } else { 12 };
            close = (open + next(401) - 200 + drift).max(100);
            let high = open.max(close) + next(120);
            let low = (open.min(close) - next(120)).max(1);
            [high, low, close]
        })
        .collect()
}
