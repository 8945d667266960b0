//! The script as it is written, in TOML. Its format is told in the crate's README.

use super::{Signed, Span};
use crate::{endpoint, exchange::RuleChange};
use domain::{Amount, Asset, Timestamp};
use serde::Deserialize;
use std::collections::BTreeMap;
use thiserror::Error;

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    #[serde(default)]
    pub seed: u64,
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub on: On,
    /// Methods of the WebSocket API, paths of REST (`POST /api/v3/order`, or without the verb); none stands for all.
    #[serde(default)]
    pub endpoint: Vec<String>,
    /// Of market frames the stream, of account frames the event, of connections `streams` or `ws-api`;
    /// `*` stands for anything.
    pub stream: Option<String>,
    /// The how-manieth of those that match, from 1.
    pub nth: Option<u64>,
    /// Each so-manieth.
    pub every: Option<u64>,
    /// From 0 to 1.
    pub probability: Option<f64>,
    /// Exchange time since the start.
    #[serde(default)]
    pub from: Span,
    pub until: Option<Span>,
    /// Not more often than that.
    pub times: Option<u64>,
    /// Of connections: how long after they opened.
    #[serde(default)]
    pub after: Span,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    Request,
    MarketFrame,
    AccountFrame,
    /// A WebSocket connection that opens.
    Connection,
    /// At `from`, once; or between `from` and `until`.
    Time,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Executed at once, answered late.
    Delay(Span),
    /// Reaches the exchange late.
    Hold(Span),
    /// Not executed: that status, with a body (plain text, or Binance's JSON).
    Status {
        status: u16,
        #[serde(default)]
        body: String,
        /// Seconds. Of 429 and 418, which never come without, at first until the minute ends, and two minutes.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// Executed, and no word of it.
    Timeout(Lost),
    /// 429 or 418.
    Limit {
        status: u16,
        /// Seconds.
        retry_after: u64,
    },
    Drop,
    Duplicate,
    /// After the next one of its stream.
    Reorder,
    /// The connection hears nothing more but pings.
    Silent,
    /// The connection hears nothing more, and nothing that it says arrives.
    HalfOpen,
    /// The connection ends.
    Close,
    /// The exchange's clock is off.
    ClockOffset(Signed),
    /// 503 for everybody, after `serverShutdown`.
    Maintenance,
    SymbolStatus {
        symbol: String,
        status: String,
    },
    /// A symbol has other rules from then on.
    Rules(Box<RuleChange>),
    Balance {
        asset: Asset,
        delta: Amount,
    },
    /// An order by hand: parameters of `POST /api/v3/order`.
    Order(BTreeMap<String, String>),
}

/// What becomes of the answer to a request that was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    /// −1007.
    Error,
    /// None, ever.
    Silence,
    /// The connection ends.
    Cut,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScriptError {
    #[error("the fault script cannot be read: {0}")]
    Malformed(String),
    #[error("rule {rule} of the fault script: {why}")]
    Rule { rule: usize, why: String },
}

impl Script {
    /// # Errors
    /// No TOML, an unknown field, or a rule that can never strike.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let script: Self = toml::from_str(text).map_err(|e| ScriptError::Malformed(e.to_string()))?;
        for (index, rule) in script.rules.iter().enumerate() {
            rule.check().map_err(|why| ScriptError::Rule { rule: index + 1, why })?;
        }
        Ok(script)
    }
}

impl Rule {
    pub(super) fn begins(&self, start: Timestamp) -> Timestamp {
        start + self.from.0
    }

    pub(super) fn active(&self, start: Timestamp, now: Timestamp) -> bool {
        now >= self.begins(start) && self.until.is_none_or(|until| now < start + until.0)
    }

    pub(super) fn matches_stream(&self, stream: &str) -> bool {
        self.stream.as_deref().is_none_or(|pattern| fits(pattern, stream))
    }

    pub(super) fn chosen(&self, ordinal: u64, chance: impl Fn() -> f64) -> bool {
        self.nth.is_none_or(|nth| ordinal == nth)
            && self.every.is_none_or(|every| ordinal.is_multiple_of(every))
            && self.probability.is_none_or(|probability| chance() < probability)
    }

    fn check(&self) -> Result<(), String> {
        let possible = match self.on {
            On::Request => matches!(
                self.then,
                Then::Delay(_)
                    | Then::Hold(_)
                    | Then::Status { .. }
                    | Then::Timeout(_)
                    | Then::Limit { .. }
                    | Then::Close
                    | Then::SymbolStatus { .. }
                    | Then::Rules(_)
                    | Then::Balance { .. }
                    | Then::Order(_)
            ),
            On::MarketFrame | On::AccountFrame => matches!(
                self.then,
                Then::Drop | Then::Duplicate | Then::Reorder | Then::Silent | Then::HalfOpen | Then::Close
            ),
            On::Connection => matches!(self.then, Then::Silent | Then::HalfOpen | Then::Close),
            On::Time => matches!(
                self.then,
                Then::ClockOffset(_)
                    | Then::Maintenance
                    | Then::SymbolStatus { .. }
                    | Then::Rules(_)
                    | Then::Balance { .. }
                    | Then::Order(_)
                    | Then::Silent
                    | Then::HalfOpen
                    | Then::Close
            ),
        };
        if !possible {
            return Err(format!("{:?} cannot happen on {:?}; the README tells what can", self.then, self.on));
        }
        if let Some(unknown) = self.endpoint.iter().find(|name| !known(name)) {
            return Err(format!(
                "no endpoint '{unknown}'; write a method (order.place) or a path (POST /api/v3/order)"
            ));
        }
        if self.probability.is_some_and(|p| !(0.0..=1.0).contains(&p)) {
            return Err("probability is from 0 to 1".to_owned());
        }
        if self.nth == Some(0) || self.every == Some(0) {
            return Err("nth and every count from 1".to_owned());
        }
        if self.until.is_some_and(|until| until <= self.from) {
            return Err("until must be later than from".to_owned());
        }
        let choosy = self.nth.is_some()
            || self.every.is_some_and(|every| every > 1)
            || self.times.is_some()
            || self.probability.is_some_and(|p| p < 1.0);
        match &self.then {
            Then::Rules(change) => change.check(),
            Then::Reorder if !choosy => Err(
                "reorder of every frame has none left to come first; say nth, every (2 or more), times or \
                     probability (less than 1)"
                    .to_owned(),
            ),
            Then::Status { status, .. } if !(400..=599).contains(status) => {
                Err("status is from 400 to 599".to_owned())
            }
            Then::Limit { status, .. } if *status != 429 && *status != 418 => {
                Err("a limit's status is 429 or 418".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a request that is called `name` in a script is this row of the table.
pub(crate) fn names(spec: &endpoint::Spec, name: &str) -> bool {
    let path = name.split_once(' ').map_or(name, |(_, path)| path);
    let verb = name.split_once(' ').map(|(verb, _)| verb);
    spec.methods.contains(&name)
        || spec
            .rest
            .iter()
            .any(|(v, at)| *at == path && verb.is_none_or(|verb| format!("{v:?}").eq_ignore_ascii_case(verb)))
}

fn known(name: &str) -> bool {
    ["session.", "userDataStream."].iter().any(|own| name.starts_with(own))
        || endpoint::ENDPOINTS.iter().any(|spec| names(spec, name))
}

/// `*` stands for anything.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let parts: Vec<&str> = rest.split('*').collect();
    let Some((tail, middle)) = parts.split_last() else { return true };
    for part in middle {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}
