//! What Binance does not have: telling the exchange facts of the market, and moving its hands.

use super::Actor;
use crate::{
    answer::Answer,
    exchange::RuleChange,
    faults::{Faults, Script},
    journal::Input,
    server::ServeError,
};
use domain::{Account, Amount, Asset};
use events::Event;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use thiserror::Error;
use venue_paper::engine::Owner;

pub enum Control {
    Status,
    Market(Market),
    Frames { after: u64, account: Option<Account> },
    Transfer(Transfer),
    Balance(Balance),
    Order(BTreeMap<String, String>),
    SymbolStatus(SymbolStatus),
    Rules(Box<RuleChange>),
    Faults(Script),
}

/// Facts of the market, as they lie on a tape.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Market {
    /// Everything until there has been told before.
    pub after: u64,
    /// In ascending order of position.
    #[serde(default)]
    pub events: Vec<Fact>,
    /// Nothing else of the market happened until there; without it, until the last event.
    pub until: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub position: u64,
    /// Microseconds.
    pub at: i64,
    pub kind: String,
    pub schema: u16,
    pub body: Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The first one, if it is left out.
    pub account: Option<Account>,
    pub asset: Asset,
    pub delta: Amount,
}

/// From one account to another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    pub from: Account,
    pub to: Account,
    pub asset: Asset,
    pub amount: Amount,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SymbolStatus {
    pub symbol: String,
    pub status: String,
}

/// Why control did not do as it was told.
#[derive(Debug, Error)]
pub enum ControlError {
    #[error(
        "facts until position {after} were to be known, but the last one heard is {heard}; tell what lies between"
    )]
    Gap { after: u64, heard: u64 },
    #[error("position {position} does not follow {previous}; tell facts in ascending order")]
    Order { position: u64, previous: u64 },
    #[error("position {position}: {why}")]
    Fact { position: u64, why: String },
    #[error("this exchange runs on its own time; facts are told to one that was started with --driven")]
    NotDriven,
    #[error("account frames until {oldest} are gone; the last {kept} are kept")]
    Gone { oldest: u64, kept: usize },
    #[error("refused with {code}: {text}")]
    Refused { code: i64, text: String },
    #[error("there is no account {0} on this exchange; the account file names them")]
    NoAccount(String),
}

/// Account frames in one answer.
const MOST_FRAMES: usize = 10_000;

impl Actor {
    pub(super) fn control(&mut self, control: Control) -> Result<Result<Value, ControlError>, ServeError> {
        match control {
            Control::Status => {
                let mut standing = self.standing();
                standing["connections"] = self.listeners.len().into();
                Ok(Ok(standing))
            }
            Control::Market(market) => self.market(market),
            Control::Frames { after, account } => {
                Ok(self.named(account).and_then(|owner| self.frames_after(owner, after)))
            }
            Control::Balance(Balance { account, asset, delta }) => match self.named(account) {
                Ok(owner) => self.hand(Input::Balance { owner, asset, delta }),
                Err(error) => Ok(Err(error)),
            },
            Control::Transfer(Transfer { from, to, asset, amount }) => {
                match (self.named(Some(from)), self.named(Some(to))) {
                    (Ok(from), Ok(to)) => {
                        let number = self.hand(Input::Transfer { from, to, asset, amount })?;
                        Ok(number.map(|number| json!({ "tranId": number })))
                    }
                    (Err(error), _) | (_, Err(error)) => Ok(Err(error)),
                }
            }
            Control::Order(mut params) => {
                let name = params.remove("account");
                let unknown = || ControlError::NoAccount(name.clone().unwrap_or_default());
                let account = name.as_deref().map(str::parse).transpose().map_err(|_| unknown());
                match account.and_then(|account| self.named(account)) {
                    Ok(owner) => {
                        let input = self.call(owner, "order.place", super::by_hand(params), false);
                        self.hand(input)
                    }
                    Err(error) => Ok(Err(error)),
                }
            }
            Control::SymbolStatus(SymbolStatus { symbol, status }) => {
                self.hand(Input::Status { symbol, status })
            }
            Control::Rules(change) => self.hand(Input::Rules(change)),
            Control::Faults(script) => {
                let now = self.time();
                self.faults = Faults::new(script, now);
                Ok(Ok(json!({})))
            }
        }
    }

    fn market(&mut self, market: Market) -> Result<Result<Value, ControlError>, ServeError> {
        if self.clock.period().is_some() {
            return Ok(Err(ControlError::NotDriven));
        }
        if let Err(error) = self.check(&market) {
            return Ok(Err(error));
        }
        for fact in market.events {
            if fact.position <= self.heard {
                continue;
            }
            let Fact { position, at, kind, schema, body } = fact;
            // It was read already, and cannot be refused.
            self.input(Input::Hear { position, at, kind, schema, body })?.ok();
            let now = self.exchange.now();
            self.due(now)?;
        }
        if let Some(until) = market.until.filter(|until| *until > self.heard) {
            self.input(Input::Heard { until })?.ok();
        }
        Ok(Ok(self.standing()))
    }

    /// How far it is: its time, the market heard, the account frames sent, and what orders wait for.
    fn standing(&mut self) -> Value {
        let quotes: Vec<String> = self.quotes.iter().map(ToString::to_string).collect();
        json!({
            "time": self.time().micros(),
            "heard": self.heard,
            "account_frames": self.frames(Owner::FIRST),
            "quotes_wanted": quotes,
        })
    }

    /// Everything, before anything is heard.
    fn check(&self, market: &Market) -> Result<(), ControlError> {
        if market.after > self.heard {
            return Err(ControlError::Gap { after: market.after, heard: self.heard });
        }
        let mut previous = market.after;
        for fact in &market.events {
            let position = fact.position;
            if position <= previous {
                return Err(ControlError::Order { position, previous });
            }
            previous = position;
            if position > self.heard {
                let read = Event::decode(&fact.kind, fact.schema, &fact.body.to_string());
                read.map_err(|e| ControlError::Fact { position, why: e.to_string() })?;
            }
        }
        Ok(())
    }

    /// The account of that name; the first one, where none is named.
    fn named(&self, account: Option<Account>) -> Result<Owner, ControlError> {
        let Some(account) = account else { return Ok(Owner::FIRST) };
        let owner = self.exchange.accounts().owner(&account);
        owner.ok_or_else(|| ControlError::NoAccount(account.to_string()))
    }

    fn hand(&mut self, input: Input) -> Result<Result<Value, ControlError>, ServeError> {
        let outcome = self.input(input)?;
        Ok(outcome
            .map(Answer::into_value)
            .map_err(|refusal| ControlError::Refused { code: refusal.code, text: refusal.msg }))
    }

    /// How many the exchange has sent of the account.
    fn frames(&self, owner: Owner) -> u64 {
        self.history.get(&owner).and_then(|frames| frames.back()).map_or(0, |frame| frame.number)
    }

    /// Each as the exact text that was sent.
    fn frames_after(&self, owner: Owner, after: u64) -> Result<Value, ControlError> {
        let none = VecDeque::new();
        let history = self.history.get(&owner).unwrap_or(&none);
        let oldest = history.front().map_or(1, |frame| frame.number);
        if after + 1 < oldest {
            return Err(ControlError::Gone { oldest: oldest - 1, kept: history.len() });
        }
        let first = history.partition_point(|frame| frame.number <= after);
        let frames: Vec<Value> = history
            .range(first..)
            .take(MOST_FRAMES)
            .map(|frame| json!({ "number": frame.number, "at": frame.at.micros(), "frame": frame.milli }))
            .collect();
        Ok(json!({ "frames": frames, "account_frames": self.frames(owner) }))
    }
}
