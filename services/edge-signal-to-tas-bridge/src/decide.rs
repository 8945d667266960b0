//! One signal, one request per routed account.

use crate::trade_id::trade_id;
use domain::{Account, Direction, EdgeName, Timestamp};
use events::{CloseRequested, Event, Kind, RequestedBy, SignalEvent, SignalGiven, TradeRequested};
use serde::{Deserialize, Serialize};
use service::Service;

pub struct Bridge {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Config {
    /// Who trades what. A route given twice counts once.
    pub routes: Vec<Route>,
}

/// Signals of this edge are traded on this account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    pub edge: EdgeName,
    pub account: Account,
}

/// The bridge remembers nothing: every signal stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {}

impl Service for Bridge {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "edge-signal-to-tas-bridge";
    const HEARS: &'static [Kind] = &[Kind::SignalGiven];

    fn new(mut config: Config) -> Self {
        let mut seen = Vec::new();
        config.routes.retain(|route| {
            let first = !seen.contains(route);
            seen.push(*route);
            first
        });
        Self { config }
    }

    fn apply(&self, _state: &mut State, _now: Timestamp, _event: &Event) {}

    fn decide(&self, _state: &State, _now: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Signal(SignalEvent::Given(signal)) if !signal.test => self.forward(signal),
            _ => Vec::new(),
        }
    }
}

impl Bridge {
    fn forward(&self, signal: &SignalGiven) -> Vec<Event> {
        let routes = self.config.routes.iter().filter(|route| route.edge == signal.edge);
        routes.flat_map(|route| self::forward(signal, route.account)).collect()
    }
}

/// Whoever wants to be short of what cannot be sold short leaves.
fn forward(signal: &SignalGiven, account: Account) -> Vec<Event> {
    match signal.direction.entry() {
        None => vec![leave(signal, None, account)],
        Some(Direction::Long) if !signal.instrument.kind.can_be_short() => {
            vec![enter(signal, Direction::Long, account)]
        }
        Some(Direction::Short) if !signal.instrument.kind.can_be_short() => {
            vec![leave(signal, None, account)]
        }
        Some(direction) => {
            vec![leave(signal, Some(direction.opposite()), account), enter(signal, direction, account)]
        }
    }
}

fn enter(signal: &SignalGiven, direction: Direction, account: Account) -> Event {
    TradeRequested {
        trade: trade_id(signal, direction, account),
        account,
        instrument: signal.instrument,
        edge: signal.edge,
        direction,
        trigger: signal.price,
        signal_at: signal.at,
        stop: signal.stop,
        target: signal.target,
        valid_until: signal.valid_until,
        by: RequestedBy::Edge,
    }
    .into()
}

fn leave(signal: &SignalGiven, direction: Option<Direction>, account: Account) -> Event {
    CloseRequested {
        account,
        instrument: signal.instrument,
        edge: signal.edge,
        direction,
        by: RequestedBy::Edge,
        signal_at: Some(signal.at),
        why: None,
    }
    .into()
}
