//! The edge itself: which candles give which signals.

use crate::series::{Broken, Series};
use domain::{Direction, EdgeName, Instrument, InstrumentKind, Interval, Timestamp, TradeId};
use events::{
    Breakout, Candle, CandleEvent, Event, Evidence, Kind, SignalAmbiguous, SignalDirection, SignalEvent,
    SignalGiven, SignalPossible, TradeEvent,
};
use serde::{Deserialize, Serialize};
use service::{
    Late, Service,
    edge::{Edge, Keys, Of, Wants},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

pub struct Edge70 {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    pub edge: EdgeName,
    /// The instruments that it trades; `None` is every one whose candles come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruments: Option<BTreeSet<Instrument>>,
    /// Only candles of this interval count.
    pub interval: Interval,
    /// How many candles before the new one its high must exceed; one less than TradingView's
    /// indicator, which counts the new candle too.
    pub long: NonZeroU32,
    /// How many candles before the new one its low must undercut.
    pub short: NonZeroU32,
    pub forward: Forward,
}

/// Which breakouts become signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forward {
    /// Only those that turn the direction. After a stop-out there is no new entry before it has
    /// turned twice.
    #[default]
    DirectionFlips,
    /// Besides, every further entry in the direction of the last extreme, until a trade of this
    /// edge on the instrument is open. On spot a short is an exit and never repeated.
    AllUntilOpen,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    series: BTreeMap<Instrument, Series>,
    /// Trades of this edge that are open.
    open: BTreeMap<Instrument, BTreeSet<TradeId>>,
    /// What the latest candle broke, if it broke anything: set by `apply`, judged by `decide`.
    broken: Option<Broken>,
}

impl State {
    /// Which way the last extreme of the instrument pointed. It never expires.
    pub fn direction(&self, instrument: &Instrument) -> Option<Direction> {
        self.series.get(instrument).and_then(|series| series.direction)
    }

    fn has_open_trade(&self, instrument: &Instrument) -> bool {
        self.open.get(instrument).is_some_and(|trades| !trades.is_empty())
    }

    fn turn(&mut self, instrument: &Instrument, direction: SignalDirection) {
        if let Some(series) = self.series.get_mut(instrument) {
            // This edge is never flat: it has nothing that says so.
            series.direction = direction.entry().or(series.direction);
        }
    }

    fn end(&mut self, instrument: &Instrument, trade: &TradeId) {
        if let Some(trades) = self.open.get_mut(instrument) {
            trades.remove(trade);
            if trades.is_empty() {
                self.open.remove(instrument);
            }
        }
    }
}

impl Service for Edge70 {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "edge70";
    const HEARS: &'static [Kind] =
        &[Kind::CandleClosed, Kind::CandleMissing, Kind::TradeOpened, Kind::TradeClosed, Kind::TradeAborted];

    /// A signal that comes late is worse than none.
    const LATE: Late = Late::Learns;

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            // Candles of other intervals, by far the most, cost this comparison.
            Event::Candle(CandleEvent::Closed(closed)) if self.judges(&closed.candle) => {
                let series = state.series.entry(closed.candle.instrument);
                let series = series.or_insert_with(|| Series::new(&self.config, now));
                state.broken = series.take(&self.config, now, &closed.candle);
            }
            // Own sayings: the direction follows what was said, so that what is recorded counts.
            Event::Signal(SignalEvent::Given(signal)) => state.turn(&signal.instrument, signal.direction),
            Event::Signal(SignalEvent::Possible(signal)) => state.turn(&signal.instrument, signal.direction),
            Event::Trade(TradeEvent::Opened(trade)) if trade.edge == self.config.edge => {
                state.open.entry(trade.instrument).or_default().insert(trade.trade);
            }
            Event::Trade(TradeEvent::Closed(trade)) => state.end(&trade.instrument, &trade.trade),
            Event::Trade(TradeEvent::Aborted(trade)) => state.end(&trade.instrument, &trade.trade),
            // A missing candle is not made up: the windows then span more time.
            _ => {}
        }
    }

    fn decide(&self, state: &State, _now: Timestamp, heard: &Event) -> Vec<Event> {
        let Event::Candle(CandleEvent::Closed(closed)) = heard else { return Vec::new() };
        if !self.judges(&closed.candle) {
            return Vec::new();
        }
        state.broken.as_ref().and_then(|broken| self.judge(state, broken)).into_iter().collect()
    }
}

impl Edge for Edge70 {
    fn configure(of: Of, keys: &mut dyn Keys) -> Option<Config> {
        let interval = match keys.has("interval") {
            true => keys.parsed("interval", "write e.g. \"1d\""),
            false => Some(Interval::Day1),
        };
        let long = lookback(keys, "long");
        let short = lookback(keys, "short");
        let policies =
            [("direction_flips", Forward::DirectionFlips), ("all_until_open", Forward::AllUntilOpen)];
        let forward =
            if keys.has("forward") { keys.one_of("forward", &policies) } else { Some(Forward::default()) };
        let Of { edge, instruments } = of;
        Some(Config { edge, instruments, interval: interval?, long: long?, short: short?, forward: forward? })
    }

    fn wants(config: &Config) -> Wants {
        Wants { interval: config.interval, history: config.long.max(config.short).get() }
    }
}

fn lookback(keys: &mut dyn Keys, key: &'static str) -> Option<NonZeroU32> {
    let wanted = "write a whole number of candles from 1 to 100000, e.g. 59";
    keys.within(key, 1..=100_000, wanted).and_then(NonZeroU32::new)
}

impl Edge70 {
    fn judges(&self, candle: &Candle) -> bool {
        let Config { interval, instruments, .. } = &self.config;
        candle.interval == *interval
            && instruments.as_ref().is_none_or(|instruments| instruments.contains(&candle.instrument))
    }

    fn judge(&self, state: &State, broken: &Broken) -> Option<Event> {
        match (broken.long, broken.short) {
            (Some(long), Some(short)) => Some(self.ambiguous(broken, long, short)),
            (Some(long), None) => self.extreme(state, broken, Direction::Long, long),
            (None, Some(short)) => self.extreme(state, broken, Direction::Short, short),
            (None, None) => None,
        }
    }

    fn extreme(
        &self,
        state: &State,
        broken: &Broken,
        direction: Direction,
        breakout: Breakout,
    ) -> Option<Event> {
        let Broken { instrument, price, at, .. } = *broken;
        let edge = self.config.edge;
        let Some(previous) = state.direction(&instrument) else {
            // Whether this one turns the trend nobody can tell.
            let (direction, evidence) = (direction.into(), Some(Evidence::Breakout(breakout)));
            return Some(SignalPossible { edge, instrument, direction, price, at, evidence }.into());
        };
        if direction == previous && !self.repeats(state, &instrument, direction) {
            return None;
        }
        let given = SignalGiven {
            edge,
            instrument,
            direction: direction.into(),
            price,
            at,
            previous: Some(previous.into()),
            evidence: Some(Evidence::Breakout(breakout)),
            stop: None,
            target: None,
            strength: None,
            valid_until: None,
            test: false,
        };
        Some(given.into())
    }

    /// Whether a further extreme in the same direction is a signal.
    fn repeats(&self, state: &State, instrument: &Instrument, direction: Direction) -> bool {
        let enters = match (direction, instrument.kind) {
            (Direction::Long, _) | (Direction::Short, InstrumentKind::LinearPerpetual) => true,
            (Direction::Short, InstrumentKind::Spot) => false,
        };
        match self.config.forward {
            Forward::DirectionFlips => false,
            Forward::AllUntilOpen => enters && !state.has_open_trade(instrument),
        }
    }

    fn ambiguous(&self, broken: &Broken, long: Breakout, short: Breakout) -> Event {
        let Broken { instrument, at, .. } = *broken;
        let (long, short) = (Some(Evidence::Breakout(long)), Some(Evidence::Breakout(short)));
        SignalAmbiguous { edge: self.config.edge, instrument, at, long, short }.into()
    }
}
