//! Three small cores in a row. What each says tells how often it was told what, so anything lost,
//! doubled or forgotten shows in the figures; none looks at the time, so haste does not.

use domain::{Instrument, Interval, Timestamp, UnitName};
use events::{
    Candle, CandleClosed, CandleEvent, CandleMissing, Event, Kind, TimeEvent, TimePassed, WakeAsked,
};
use serde::{Deserialize, Serialize};
use service::{Host, Late, Own, Service};
use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Every(pub u64);

/// At every n-th candle says how many there were, and how often it has said so before.
pub struct Counter(Every);

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    candles: u64,
    said: i64,
}

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
            Event::Candle(CandleEvent::Closed(_)) => {
                state.candles += 1;
                gate::pass(self.0.0, state.candles);
            }
            Event::Candle(CandleEvent::Missing(_)) => state.said += 1,
            _ => {}
        }
    }
    fn decide(&self, state: &Counted, _: Timestamp, _: &Event) -> Vec<Event> {
        if state.candles.is_multiple_of(self.0.0) { vec![counted(state)] } else { Vec::new() }
    }
}

fn counted(state: &Counted) -> Event {
    CandleMissing {
        instrument: btc(),
        interval: Interval::Minute1,
        from: Timestamp::ZERO,
        until: Timestamp::from_millis(state.said),
        count: state.candles,
    }
    .into()
}

/// Takes its own in place, as a sink does; numbers what it hears.
pub struct Echo;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Echoed {
    heard: i64,
    own: i64,
}

impl Service for Echo {
    type Config = ();
    type State = Echoed;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::CandleMissing];
    const OWN: Own = Own::InPlace;

    fn new((): ()) -> Self {
        Self
    }
    fn apply(&self, state: &mut Echoed, _: Timestamp, event: &Event) {
        match event {
            Event::Candle(CandleEvent::Missing(_) | CandleEvent::Closed(_)) => state.heard += 1,
            Event::Time(TimeEvent::WakeAsked(_)) => state.own += 1,
            _ => {}
        }
    }
    fn decide(&self, state: &Echoed, _: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Candle(_) => vec![WakeAsked { at: Timestamp::from_millis(state.heard) }.into()],
            _ => Vec::new(),
        }
    }
}

/// Adds up the numbers, and says the sum twice.
pub struct Adder;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Added {
    sum: i64,
    said: i64,
}

impl Service for Adder {
    type Config = ();
    type State = Added;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::WakeAsked];

    fn new((): ()) -> Self {
        Self
    }
    fn apply(&self, state: &mut Added, _: Timestamp, event: &Event) {
        match event {
            Event::Time(TimeEvent::WakeAsked(wake)) => state.sum += wake.at.millis(),
            Event::Time(TimeEvent::Passed(_)) => state.said += 1,
            _ => {}
        }
    }
    fn decide(&self, state: &Added, _: Timestamp, _: &Event) -> Vec<Event> {
        let time = |n: i64| Event::from(TimePassed { now: Timestamp::from_millis(n) });
        vec![time(state.sum), time(state.sum * 1_000 + state.said)]
    }
}

/// A sink that tells people of every candle: what is old is nothing to tell.
pub struct Messenger;

impl Service for Messenger {
    type Config = ();
    type State = Echoed;
    const CORE: &'static str = "toy";
    const HEARS: &'static [Kind] = &[Kind::CandleClosed];
    const OWN: Own = Own::InPlace;
    const LATE: Late = Late::Learns;

    fn new((): ()) -> Self {
        Self
    }
    fn apply(&self, state: &mut Echoed, at: Timestamp, event: &Event) {
        Echo.apply(state, at, event);
    }
    fn decide(&self, state: &Echoed, at: Timestamp, heard: &Event) -> Vec<Event> {
        Echo.decide(state, at, heard)
    }
}

pub fn messenger() -> Host {
    Host::new::<Messenger>(unit("messenger"), ())
}

pub fn unit(name: &str) -> UnitName {
    UnitName::new(name).unwrap()
}

pub fn counter(every: u64) -> Host {
    Host::new::<Counter>(unit("counter"), Every(every))
}
pub fn echo() -> Host {
    Host::new::<Echo>(unit("echo"), ())
}
pub fn adder() -> Host {
    Host::new::<Adder>(unit("adder"), ())
}

pub fn hosts(every: u64) -> Vec<Host> {
    vec![counter(every), echo(), adder()]
}

pub fn btc() -> Instrument {
    "binance:spot:BTCUSDT".parse().unwrap()
}

pub fn candle(n: u64) -> Event {
    let price = "100".parse().unwrap();
    CandleClosed {
        candle: Candle {
            instrument: btc(),
            interval: Interval::Minute1,
            open_time: Timestamp::from_millis(n as i64 * 60_000),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 1.into(),
        },
    }
    .into()
}

/// Makes one core stand still in the middle of its work, as a stopped process does.
pub mod gate {
    use super::*;

    type Gates = Mutex<BTreeMap<u64, (u64, Arc<Gate>)>>;
    static GATES: Gates = Mutex::new(BTreeMap::new());

    #[derive(Default)]
    pub struct Gate {
        state: Mutex<State>,
        moved: Condvar,
    }

    #[derive(Default)]
    struct State {
        reached: bool,
        open: bool,
    }

    /// The first counter of this configuration to hear that candle stops there.
    pub fn close(every: u64, candle: u64) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        GATES.lock().unwrap().insert(every, (candle, gate.clone()));
        gate
    }

    pub(super) fn pass(every: u64, candle: u64) {
        let mut gates = GATES.lock().unwrap();
        let Some((_, gate)) = gates.remove_if(&every, candle) else { return };
        drop(gates);
        let mut state = gate.state.lock().unwrap();
        state.reached = true;
        while !state.open {
            state = gate.moved.wait(state).unwrap();
        }
    }

    trait RemoveIf {
        fn remove_if(&mut self, every: &u64, candle: u64) -> Option<(u64, Arc<Gate>)>;
    }

    impl RemoveIf for BTreeMap<u64, (u64, Arc<Gate>)> {
        fn remove_if(&mut self, every: &u64, candle: u64) -> Option<(u64, Arc<Gate>)> {
            self.get(every).is_some_and(|(at, _)| *at == candle).then(|| self.remove(every))?
        }
    }

    impl Gate {
        pub fn is_reached(&self) -> bool {
            self.state.lock().unwrap().reached
        }
        pub fn open(&self) {
            self.state.lock().unwrap().open = true;
            self.moved.notify_all();
        }
    }
}
