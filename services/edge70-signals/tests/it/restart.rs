//! What survives a restart; on each step of every test the state goes through JSON besides.

use crate::market::{DAY, Market, btc, candle, config};
use domain::{Direction, Interval, Timestamp};
use edge70_signals::{Config, Edge70, Forward, State};
use events::{Event, Evidence, SignalDirection, SignalEvent, SignalPossible};
use service::{Service, Solo};

/// Another process, with what a snapshot kept of the first.
fn restarted(market: Market, config: Config) -> Market {
    let snapshot = serde_json::to_string(&market.edge.state).unwrap();
    let mut market = market;
    market.edge = Solo { service: Edge70::new(config), state: serde_json::from_str(&snapshot).unwrap() };
    market
}

#[test]
fn a_direction_does_not_expire_however_long_the_edge_was_down() {
    let config = config(3, 2, Forward::DirectionFlips);
    let mut market = Market::new(config.clone());
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]);
    let mut market = restarted(market, config);
    market.missing(400).days(&[(10, 8)]).expect(&["3 possible long 10", "404 short 9"]);
}

#[test]
fn a_candle_missed_while_down_is_judged_when_it_is_heard() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]);
    let two_days_late = Timestamp::from_millis(7 * DAY);
    let said =
        market.edge.hear(two_days_late, candle(btc(), Interval::Day1, 4, [10.into(), 8.into(), 9.into()]));
    let [Event::Signal(SignalEvent::Given(signal))] = &said[..] else { panic!("{said:?}") };
    assert_eq!((signal.direction, signal.at.millis()), (SignalDirection::Short, 5 * DAY));
}

#[test]
fn what_was_said_wins_over_what_would_be_said_today() {
    let service = Edge70::new(config(3, 2, Forward::DirectionFlips));
    let mut state = State::default();
    let now = Timestamp::ZERO;
    let day = candle(btc(), Interval::Day1, 0, [10.into(), 9.into(), 9.into()]);
    service.apply(&mut state, now, &day.into());
    let breakout = events::Breakout {
        interval: Interval::Day1,
        lookback: 1,
        channel: day.candle.high,
        extreme: day.candle.low,
    };
    let recorded = SignalPossible {
        edge: "edge70".parse().unwrap(),
        instrument: btc(),
        direction: SignalDirection::Short,
        price: day.candle.close,
        at: now,
        evidence: Some(Evidence::Breakout(breakout)),
    };
    service.apply(&mut state, now, &recorded.into());
    assert_eq!(state.direction(&btc()), Some(Direction::Short));
}

#[test]
fn another_lookback_keeps_the_direction_and_what_the_windows_still_know() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]);
    let mut market = restarted(market, config(2, 3, Forward::DirectionFlips));
    market.days(&[(11, 8)]).expect(&["3 possible long 10"]);
    market.days(&[(11, 7)]).expect(&["3 possible long 10", "5 short 9"]);
}

#[test]
fn another_interval_starts_new_windows_and_keeps_the_direction() {
    let mut market = Market::new(config(3, 2, Forward::DirectionFlips));
    market.days(&[(10, 9), (10, 9), (10, 9), (11, 9)]);
    let hourly = Config { interval: Interval::Hour1, ..config(3, 2, Forward::DirectionFlips) };
    let mut market = restarted(market, hourly);
    for i in 0..3 {
        let low = 9 - i64::from(i == 2);
        market.hear(candle(btc(), Interval::Hour1, 100 + i, [11.into(), low.into(), 10.into()]));
    }
    market.expect(&["3 possible long 10", "3 short 10"]);
}
