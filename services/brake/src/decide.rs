//! The core: what an account is worth, closes and sends in, and a word on its trading out.

use crate::meter::Meter;
use domain::{Account, Decimal, Timestamp};
use events::{
    ControlEvent, Event, Kind, OrderEvent, PortfolioEvent, TradeEvent, TradingState, TradingStateChanged,
};
use serde::{Deserialize, Serialize};
use service::Service;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, PartialEq)]
pub struct Brake {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of each account that has one.
    pub accounts: BTreeMap<Account, Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    pub limits: Limits,
    /// What a limit that is reached does: `Reducing` or `Halted`.
    pub state: TradingState,
    /// After how many seconds the account trades again by itself; `None` is when a person says so.
    pub release_after_seconds: Option<u64>,
}

/// Each is the figure at which the account stops; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// From the peak; a ratio.
    pub drawdown: Option<Decimal>,
    /// Of the trades closed on a day in UTC, as a ratio of what the account was worth at the day's first valuation.
    pub daily_loss: Option<Decimal>,
    /// Trades closed with a loss in a row.
    pub losing_trades: Option<u32>,
    /// Of ours, whatever they are for.
    pub orders_per_minute: Option<u32>,
    /// By the venue.
    pub rejected_per_hour: Option<u32>,
}

pub type State = BTreeMap<Account, Meter>;

impl Service for Brake {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "brake";
    const HEARS: &'static [Kind] = &[
        Kind::PortfolioValued,
        Kind::TradeClosed,
        Kind::OrderSubmitted,
        Kind::OrderRejected,
        Kind::TradingStateChanged,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        let Some((account, setting)) = self.of(event) else { return };
        let (meter, limits) = (state.entry(account).or_default(), setting.limits);
        meter.pass(now);
        match event {
            Event::Portfolio(PortfolioEvent::Valued(e)) => meter.valued(now, e),
            Event::Trade(TradeEvent::Closed(e)) => meter.closed(now, e),
            Event::Order(OrderEvent::Submitted(_)) => meter.ordered(now, limits.orders_per_minute),
            Event::Order(OrderEvent::Rejected(_)) => meter.rejected(now, limits.rejected_per_hour),
            Event::Control(ControlEvent::TradingStateChanged(e)) => meter.trading_changed(e),
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let Some((account, setting)) = self.of(heard) else { return Vec::new() };
        let Some(meter) = state.get(&account).filter(|meter| meter.may_more_than(setting.state)) else {
            return Vec::new();
        };
        let Some(why) = meter.reached(now, &setting.limits) else { return Vec::new() };
        let until = setting.release_after_seconds.map(|seconds| now + Duration::from_secs(seconds));
        let (account, who, state) = (Some(account), Self::CORE.to_owned(), setting.state);
        vec![TradingStateChanged { account, state, who, why, until }.into()]
    }
}

impl Brake {
    /// The account that the event is of, if it has a brake.
    fn of(&self, event: &Event) -> Option<(Account, &Setting)> {
        let account = event.account()?;
        Some((account, self.config.accounts.get(&account)?))
    }
}
