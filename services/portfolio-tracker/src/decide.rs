//! The core: balances and prices in, valuations out.

use crate::account::Holdings;
use domain::{Account, Asset, Prices, Timestamp};
use events::{
    AccountEvent, CandleEvent, Event, InstrumentEvent, Kind, OrderEvent, PortfolioEvent, QuoteEvent,
    TimeEvent, WakeAsked,
};
use serde::{Deserialize, Serialize};
use service::Service;
use std::{collections::BTreeMap, num::NonZeroU64, time::Duration};

#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioTracker {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// In which everything is valued, e.g. `USDT`.
    pub quote: Asset,
    /// A valuation is said at least once in every such period; periods are counted from
    /// 1970-01-01T00:00:00Z, so that days begin at midnight UTC.
    #[serde(default = "a_day")]
    pub value_every_seconds: NonZeroU64,
}

impl Config {
    /// Once a day.
    pub fn new(quote: Asset) -> Self {
        Self { quote, value_every_seconds: a_day() }
    }
}

fn a_day() -> NonZeroU64 {
    NonZeroU64::MIN.saturating_add(86_399)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct State {
    prices: Prices,
    accounts: BTreeMap<Account, Holdings>,
    /// The instant at whose end to value, as asked for and not yet come.
    asked: Option<Timestamp>,
    /// Whether the time that passed last is the end of the instant asked for.
    at_the_end: bool,
}

impl Service for PortfolioTracker {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "portfolio-tracker";
    const HEARS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::CandleClosed,
        Kind::QuoteSeen,
        Kind::OrderFilled,
        Kind::BalanceChanged,
        Kind::LedgerEntry,
        Kind::TimePassed,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            Event::Candle(CandleEvent::Closed(e)) => {
                state.prices.close(e.candle.instrument, e.candle.close, e.candle.close_time());
            }
            Event::Quote(QuoteEvent::Seen(e)) => state.prices.quote(e.instrument, e.price, e.at),
            // What was just paid is a price, too: where nobody is asked for quotes, the latest one.
            Event::Order(OrderEvent::Filled(e)) => state.prices.quote(e.instrument, e.price, e.at),
            Event::Instrument(InstrumentEvent::Listed(e)) => state.prices.list(e.instrument, &e.rules),
            Event::Account(AccountEvent::BalanceChanged(e)) => {
                state.accounts.entry(e.account).or_default().balance(e);
            }
            Event::Account(AccountEvent::LedgerEntered(e)) => {
                state.accounts.entry(e.account).or_default().ledger(e);
            }
            Event::Portfolio(PortfolioEvent::Valued(e)) => {
                state.accounts.entry(e.account).or_default().valued(now, e);
            }
            Event::Time(TimeEvent::WakeAsked(e)) => state.asked = Some(e.at),
            Event::Time(TimeEvent::Passed(e)) => {
                state.at_the_end = state.asked.is_some_and(|at| at <= e.now);
                state.asked = state.asked.filter(|_| !state.at_the_end);
            }
            _ => {}
        }
    }

    /// Values at the end of an instant only, once whatever happens at it has happened: a step's candles
    /// may fill orders, and its quotes do. Until then cash and coins are not of one moment.
    ///
    /// The end is a wake that is asked for at the instant itself: it comes when nothing is left to say.
    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let every = Duration::from_secs(self.config.value_every_seconds.get());
        let mut due = state.accounts.iter().filter(|(_, holdings)| holdings.is_due(now, every)).peekable();
        if due.peek().is_none() {
            return Vec::new();
        }
        if matches!(heard, Event::Time(TimeEvent::Passed(_))) && state.at_the_end {
            let value = |(&account, holdings): (&Account, &Holdings)| {
                holdings.value(account, self.config.quote, &state.prices).into()
            };
            return due.map(value).collect();
        }
        let may_be_due = matches!(heard, Event::Time(TimeEvent::Passed(_)) | Event::Account(_));
        if may_be_due && state.asked.is_none() { vec![WakeAsked { at: now }.into()] } else { Vec::new() }
    }
}
