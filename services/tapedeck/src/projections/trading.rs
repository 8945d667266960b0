//! Whether trading is allowed.

use super::Projection;
use crate::explain::when;
use domain::{Account, Timestamp};
use events::{ControlEvent, Event, Kind, Recorded, TradingState, TradingStateChanged};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Whether trading is allowed: the latest word for all accounts and for each one.
///
/// The stricter of the two holds, as for the units that obey it.
#[derive(Debug, Clone, Default)]
pub struct Trading {
    everywhere: Option<Word>,
    accounts: BTreeMap<Account, Word>,
}

/// What was said of trading, and when.
#[derive(Debug, Clone)]
pub struct Word {
    pub at: Timestamp,
    pub change: TradingStateChanged,
}

impl Trading {
    /// The restrictions that hold at `now`.
    pub fn restrictions(&self, now: Timestamp) -> impl Iterator<Item = &Word> {
        self.everywhere.iter().chain(self.accounts.values()).filter(move |word| word.holds(now))
    }

    /// What forbids entries on the account at `now`; `None` where it may trade.
    pub fn forbids(&self, account: &Account, now: Timestamp) -> Option<&Word> {
        [self.everywhere.as_ref(), self.accounts.get(account)]
            .into_iter()
            .flatten()
            .filter(|word| word.holds(now))
            .max_by_key(|word| word.change.state)
    }

    pub fn state(&self, account: &Account, now: Timestamp) -> TradingState {
        self.forbids(account, now).map_or(TradingState::Active, |word| word.change.state)
    }

    /// A line for each restriction that holds at `now`; empty where everybody may trade.
    pub fn lines(&self, now: Timestamp) -> Vec<String> {
        self.restrictions(now).map(Word::line).collect()
    }

    /// For JSON, of each account.
    pub fn json<'a>(&self, accounts: impl IntoIterator<Item = &'a Account>, now: Timestamp) -> Value {
        let of = |account: &Account| {
            let word = self.forbids(account, now);
            json!({
                "account": account,
                "state": self.state(account, now),
                "since": word.map(|word| word.at),
                "who": word.map(|word| &word.change.who),
                "why": word.map(|word| &word.change.why),
                "until": word.and_then(|word| word.change.until),
            })
        };
        accounts.into_iter().map(of).collect()
    }
}

impl Projection for Trading {
    const KINDS: &'static [Kind] = &[Kind::TradingStateChanged];

    fn see(&mut self, event: &Recorded) {
        let Event::Control(ControlEvent::TradingStateChanged(change)) = &event.event else { return };
        let word = Word { at: event.recorded_at, change: change.clone() };
        match change.account {
            None => self.everywhere = Some(word),
            Some(account) => _ = self.accounts.insert(account, word),
        }
    }
}

impl Word {
    fn holds(&self, now: Timestamp) -> bool {
        self.change.state != TradingState::Active && self.change.until.is_none_or(|until| now < until)
    }

    fn line(&self) -> String {
        let TradingStateChanged { account, state, who, why, until } = &self.change;
        let until = until.map_or_else(String::new, |until| format!(", until {until}"));
        let on = account.map_or_else(|| "all accounts".to_owned(), |account| account.to_string());
        format!("trading is {} on {on} since {} by {who}: {why}{until}", in_words(*state), when(self.at))
    }
}

/// A state as people say it.
pub const fn in_words(state: TradingState) -> &'static str {
    match state {
        TradingState::Active => "active",
        TradingState::Reducing => "reducing (exits only)",
        TradingState::Halted => "halted",
    }
}
