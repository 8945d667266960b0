//! Two small cores: one counts candles and asks for a quote at every third, the other answers
//! every asked quote with a wish to be woken.

use domain::{Instrument, Timestamp, UnitName};
use events::{Candle, CandleClosed, CandleEvent, Event, Kind, QuoteAsked, QuoteEvent, TimeEvent, WakeAsked};
use serde::{Deserialize, Serialize};
use service::{Host, Own, Service};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Every(pub u64);

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    candles: u64,
    asked: u64,
}

pub struct Counter(Every);

impl Service for Counter {
    type Config = Every;
    type State = Counted;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::CandleClosed];

    fn new(config: Every) -> Self {
        Self(config)
    }
    fn apply(&self, state: &mut Counted, _: Timestamp, event: &Event) {
        match event {
            Event::Candle(CandleEvent::Closed(_)) => state.candles += 1,
            Event::Quote(QuoteEvent::Asked(_)) => state.asked += 1,
            _ => {}
        }
    }
    fn decide(&self, state: &Counted, _: Timestamp, _: &Event) -> Vec<Event> {
        if state.candles.is_multiple_of(self.0.0) {
            vec![QuoteAsked { instrument: btc() }.into()]
        } else {
            Vec::new()
        }
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Echoed {
    heard: u64,
    own: u64,
}

/// Takes its own in place, as a sink does.
pub struct Echo;

impl Service for Echo {
    type Config = Every;
    type State = Echoed;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::QuoteAsked];
    const OWN: Own = Own::InPlace;

    fn new(_: Every) -> Self {
        Self
    }
    fn apply(&self, state: &mut Echoed, _: Timestamp, event: &Event) {
        match event {
            Event::Quote(_) => state.heard += 1,
            Event::Time(TimeEvent::WakeAsked(_)) => state.own += 1,
            _ => {}
        }
    }
    fn decide(&self, _: &Echoed, now: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Quote(QuoteEvent::Asked(_)) => {
                vec![WakeAsked { at: now + Duration::from_secs(1) }.into()]
            }
            _ => Vec::new(),
        }
    }
}

pub fn unit(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

pub fn hosts(every: u64) -> Vec<Host> {
    vec![Host::new::<Counter>(unit("counter"), Every(every)), Host::new::<Echo>(unit("echo"), Every(every))]
}

pub fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

pub fn candle(n: i64) -> Event {
    let price = "100".parse().unwrap();
    CandleClosed {
        candle: Candle {
            instrument: btc(),
            interval: domain::Interval::Minute1,
            open_time: Timestamp::from_millis(n * 60_000),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 1.into(),
        },
    }
    .into()
}
