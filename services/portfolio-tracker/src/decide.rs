//! The core: balances and prices in, valuations out.

use crate::{account::Holdings, prices::Prices};
use domain::{Account, Asset, Timestamp};
use events::{
    AccountEvent, CandleEvent, Event, InstrumentEvent, Kind, PortfolioEvent, QuoteEvent, TimeEvent,
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
}

impl Service for PortfolioTracker {
    type Config = Config;
    type State = State;

    const HEARS: &'static [Kind] = &[
        Kind::InstrumentListed,
        Kind::CandleClosed,
        Kind::QuoteSeen,
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
                state.prices.see(e.candle.instrument, e.candle.close, e.candle.close_time());
            }
            Event::Quote(QuoteEvent::Seen(e)) => state.prices.see(e.instrument, e.price, e.at),
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
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let Event::Time(TimeEvent::Passed(_)) = heard else { return Vec::new() };
        let every = Duration::from_secs(self.config.value_every_seconds.get());
        let due = state.accounts.iter().filter(|(_, holdings)| holdings.is_due(now, every));
        due.map(|(&account, holdings)| holdings.value(account, self.config.quote, &state.prices).into())
            .collect()
    }
}
