//! The whole engine over a few made candles: the cases that a backtester must get right.

use domain::{Decimal, Instrument, InstrumentRules, Interval, Price, Timestamp};
use events::{Candle, Event, PositionEvent, Recorded, SignalDirection, SignalEvent, TradeEvent, Uuid};
use market_data::{Feed, Memory};
use service::Journal;
use settings::Settings;
use sim::backtest::Backtest;
use std::collections::BTreeMap;
use tapedeck::units;

/// What happened, in single words.
#[derive(Default)]
struct Log(Vec<&'static str>);

impl Journal for Log {
    fn record(&mut self, event: &Recorded) {
        let word = match &event.event {
            Event::Signal(SignalEvent::Given(signal)) => match signal.direction {
                SignalDirection::Long => "long",
                SignalDirection::Short => "short",
                SignalDirection::Flat => "flat",
            },
            Event::Position(PositionEvent::Opened(_)) => "opened",
            Event::Position(PositionEvent::Increased(_)) => "increased",
            Event::Position(PositionEvent::Closed(_)) => "closed",
            Event::Trade(TradeEvent::Refused(_)) => "refused",
            _ => return,
        };
        self.0.push(word);
    }
}

fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

/// Plays daily candles around these closes through an edge with a channel of three and two candles.
fn play(forward: &str, closes: &[i64]) -> Vec<&'static str> {
    let settings = Settings::from_toml(&format!(
        "[edges.edge70]\nlong = 3\nshort = 2\nforward = \"{forward}\"\nsizing = {{ method = \"fixed\", amount = 1000 }}"
    ), units::EDGES)
    .unwrap();
    let price = |n: i64| Price::new(Decimal::from(n)).unwrap();
    let candles = closes.iter().enumerate().map(|(day, &close)| Candle {
        instrument: btc(),
        interval: Interval::Day1,
        open_time: Timestamp::from_millis(i64::try_from(day).unwrap() * 86_400_000),
        open: price(close),
        high: price(close + 1),
        low: price(close - 1),
        close: price(close),
        volume: Decimal::from(1_000_000),
    });
    let asset = |name: &str| name.parse().unwrap();
    let (tick, lot) = (Decimal::new(1, 2), Decimal::new(1, 5));
    let rules = InstrumentRules::open(asset("BTC"), asset("USDT"), tick, lot, Decimal::from(5));
    let feed = Feed::new(Box::new(Memory::new(candles)), BTreeMap::from([(btc(), rules)]), None, None);
    let mut log = Log::default();
    let run = Backtest {
        hosts: units::all(&settings).unwrap(),
        feed,
        source: units::feed(),
        describe: "cases".to_owned(),
        tape_id: Uuid::from_u128(1),
        build: units::BUILD.to_owned(),
    };
    run.run(&mut log).unwrap();
    log.0
}

/// The first direction, short, is not traded; then the edge turns long, and the last candle gives the
/// entry its price.
const UP: [i64; 8] = [1000, 1000, 1000, 990, 990, 990, 1000, 1000];

#[test]
fn signal_long_is_in_position_with_one_position_opened() {
    assert_eq!(play("direction_flips", &UP), ["long", "opened"]);
}

#[test]
fn signal_long_then_signal_short_closes_the_position() {
    let closes = [UP.as_slice(), &[1000, 980, 980]].concat();
    assert_eq!(play("direction_flips", &closes), ["long", "opened", "short", "closed"]);
}

#[test]
fn signal_long_twice_does_not_enter_twice() {
    let closes = [UP.as_slice(), &[1010, 1020, 1030]].concat();
    assert_eq!(play("direction_flips", &closes), ["long", "opened"]);
}

#[test]
fn two_long_signals_make_one_position_opened() {
    // Without the last quiet day: the entry fills only when the next candle opens, far above its limit,
    // so the edge, which forwards until a trade is open, says long again.
    let closes = [&UP[..7], &[1030, 1030, 1040, 1040]].concat();
    let log = play("all_until_open", &closes);
    assert!(log.iter().filter(|word| **word == "long").count() >= 2, "{log:?}");
    assert_eq!(log.iter().filter(|word| **word == "opened").count(), 1, "{log:?}");
    assert!(!log.contains(&"increased"), "{log:?}");
}
