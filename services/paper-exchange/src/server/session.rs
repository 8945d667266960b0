//! A WebSocket API connection's own methods: logging on and off, and its subscriptions to the account.

use super::{
    actor::{Reply, What},
    api::{Line, Request, foreign, written},
    listeners::ConnectionId,
    security::{self, Wish},
};
use crate::{endpoint::Security, params::Params, refusal::Refusal};
use domain::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use venue_binance::sign::Verifier;
use venue_paper::engine::Owner;

/// The account of a key that is known.
fn owner(line: &Line, key: &str) -> Owner {
    line.shared.0.keys.get(key).map(|key| key.owner).unwrap_or_default()
}

pub struct Session {
    id: ConnectionId,
    connected: Timestamp,
    /// The key that it was logged on with, and since when.
    logon: Option<(String, Timestamp)>,
    subscriptions: BTreeMap<u32, (Via, Owner)>,
    /// The next subscription's number.
    next: u32,
}

/// How a subscription was made; one that the session made ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Via {
    Session,
    Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Logon,
    Status,
    Logout,
    Subscriptions,
    Subscribe,
    SubscribeBySignature,
    Unsubscribe,
}

/// Subscriptions that a connection may have had.
const MOST_SUBSCRIPTIONS: u32 = 65_535;

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Logon => "session.logon",
            Self::Status => "session.status",
            Self::Logout => "session.logout",
            Self::Subscriptions => "session.subscriptions",
            Self::Subscribe => "userDataStream.subscribe",
            Self::SubscribeBySignature => "userDataStream.subscribe.signature",
            Self::Unsubscribe => "userDataStream.unsubscribe",
        }
    }
}

/// What is to be so once the exchange has agreed.
struct Step {
    logon: Option<Option<String>>,
    subscriptions: BTreeMap<u32, (Via, Owner)>,
    next: u32,
    wish: Wish,
}

impl Session {
    pub fn new(id: ConnectionId, connected: Timestamp) -> Self {
        Self { id, connected, logon: None, subscriptions: BTreeMap::new(), next: 0 }
    }

    pub fn method(name: &str) -> Option<Method> {
        use Method::{Logon, Logout, Status, Subscribe, SubscribeBySignature, Subscriptions, Unsubscribe};
        [Logon, Status, Logout, Subscriptions, Subscribe, SubscribeBySignature, Unsubscribe]
            .into_iter()
            .find(|method| method.name() == name)
    }

    /// The key that requests without one of their own go by.
    pub fn key(&self) -> Option<&str> {
        self.logon.as_ref().map(|(key, _)| key.as_str())
    }

    /// The answer, and what follows from it. Until it is there nothing else of this connection is done, so that
    /// no event comes before the answer to its subscription.
    pub async fn answer(&mut self, line: &Line, method: Method, request: &Request) -> Vec<String> {
        let step = self.step(line, method, request);
        let (wish, step) = match step {
            Ok(step) => (Ok(step.wish.clone()), Ok(step)),
            Err(refusal) => (Err(refusal.clone()), Err(refusal)),
        };
        let changed = step.as_ref().ok().filter(|step| step.subscriptions != self.subscriptions);
        let numbers = changed
            .map(|step| (self.id, step.subscriptions.iter().map(|(n, (_, owner))| (*n, *owner)).collect()));
        let what = What::Session { method: method.name(), subscriptions: numbers };
        let Some(reply) = line.reply(line.ask(what, wish, None).await).await else { return Vec::new() };
        let Reply { answer, instead, rate_limits, server_time, .. } = reply;
        let limits = if request.shows { rate_limits } else { None };
        let refused = match (instead, answer) {
            (Some((status, body)), _) => Some(foreign(status, &body)),
            (None, Err(refusal)) => Some(refusal),
            (None, Ok(_)) => None,
        };
        let step = match (refused, step) {
            (Some(refusal), _) | (None, Err(refusal)) => {
                return vec![written(&request.id, Err(refusal), limits)];
            }
            (None, Ok(step)) => step,
        };
        let ended = self.take(step, server_time);
        let unit = line.unit;
        let mut texts = vec![written(&request.id, Ok(self.result(line, method, server_time).into()), limits)];
        texts.extend(ended.into_iter().map(|number| {
            let event = json!({ "e": "eventStreamTerminated", "E": unit.of(server_time) });
            json!({ "subscriptionId": number, "event": event }).to_string()
        }));
        texts
    }

    /// What the method asks for, if it may.
    fn step(&self, line: &Line, method: Method, request: &Request) -> Result<Step, Refusal> {
        let wish = Wish { params: Params::default(), unit: line.unit, timing: None };
        let same = Step { logon: None, subscriptions: self.subscriptions.clone(), next: self.next, wish };
        match method {
            Method::Status | Method::Subscriptions => Ok(same),
            Method::Logon => {
                let (key, wish) = self.signed(line, request, true)?;
                Ok(Step { logon: Some(Some(key)), wish, ..same })
            }
            Method::Logout => {
                let kept = self.subscriptions.iter().filter(|(_, (via, _))| *via != Via::Session);
                let subscriptions = kept.map(|(number, one)| (*number, *one)).collect();
                Ok(Step { logon: Some(None), subscriptions, ..same })
            }
            Method::Subscribe => {
                let Some((key, _)) = &self.logon else { return Err(Refusal::key_rights()) };
                let owner = owner(line, key);
                self.subscribed(same, Via::Session, owner)
            }
            Method::SubscribeBySignature => {
                let (key, wish) = self.signed(line, request, false)?;
                self.subscribed(Step { wish, ..same }, Via::Signature, owner(line, &key))
            }
            Method::Unsubscribe => {
                let mut subscriptions = self.subscriptions.clone();
                match request.sent.get("subscriptionId") {
                    None => subscriptions.clear(),
                    Some(number) => {
                        let number = number.parse().map_err(|_| Refusal::no_number("subscriptionId"))?;
                        if subscriptions.remove(&number).is_none() {
                            return Err(Refusal::new(-2036, "User Data Stream subscription not active."));
                        }
                    }
                }
                Ok(Step { subscriptions, ..same })
            }
        }
    }

    /// One subscription at a time to an account.
    fn subscribed(&self, step: Step, via: Via, owner: Owner) -> Result<Step, Refusal> {
        if self.subscriptions.values().any(|(_, of)| *of == owner) {
            return Err(Refusal::new(-2035, "User Data Stream subscription already active."));
        }
        if self.next >= MOST_SUBSCRIPTIONS {
            return Err(Refusal::new(-2042, "Maximum subscription ID reached for this connection."));
        }
        let mut subscriptions = step.subscriptions.clone();
        subscriptions.insert(self.next, (via, owner));
        Ok(Step { subscriptions, next: self.next + 1, ..step })
    }

    fn signed(&self, line: &Line, request: &Request, logon: bool) -> Result<(String, Wish), Refusal> {
        let text = request.sent.get("apiKey").ok_or_else(|| Refusal::mandatory("apiKey"))?;
        let key = security::key(&line.shared.0.keys, Some(text), Security::UserData)?;
        if logon && !key.can_log_on() {
            let kind = if matches!(key.verifier, Verifier::Rsa(_)) { "RSA" } else { "HMAC_SHA256" };
            return Err(Refusal::new(-4056, format!("{kind} API key is not supported.")));
        }
        let timing = request.sent.timing()?;
        request.sent.verify(key)?;
        Ok((text.to_owned(), Wish { params: Params::default(), unit: line.unit, timing: Some(timing) }))
    }

    /// Makes it so; gives the subscriptions that have ended.
    fn take(&mut self, step: Step, now: Timestamp) -> Vec<u32> {
        match step.logon {
            Some(Some(key)) => self.logon = Some((key, now)),
            Some(None) => self.logon = None,
            None => {}
        }
        self.next = step.next;
        let before = std::mem::replace(&mut self.subscriptions, step.subscriptions);
        before.into_keys().filter(|number| !self.subscriptions.contains_key(number)).collect()
    }

    fn result(&self, line: &Line, method: Method, now: Timestamp) -> Value {
        match method {
            Method::Logon | Method::Status | Method::Logout => json!({
                "apiKey": self.key(),
                "authorizedSince": self.logon.as_ref().map(|(_, since)| line.unit.of(*since)),
                "connectedSince": line.unit.of(self.connected),
                "returnRateLimits": line.shows(),
                "serverTime": line.unit.of(now),
                "userDataStream": !self.subscriptions.is_empty(),
            }),
            Method::Subscriptions => {
                self.subscriptions.keys().map(|number| json!({ "subscriptionId": number })).collect()
            }
            Method::Subscribe | Method::SubscribeBySignature => {
                json!({ "subscriptionId": self.subscriptions.keys().next_back() })
            }
            Method::Unsubscribe => json!({}),
        }
    }
}
