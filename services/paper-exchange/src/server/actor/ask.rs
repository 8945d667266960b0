//! One request, from its admission to its answer.

use super::{Actor, Message};
use crate::{
    answer::Answer,
    endpoint::{Endpoint, Spec, Target},
    faults::{Lost, Then, script_names},
    journal::Outcome,
    refusal::Refusal,
    server::{
        ServeError,
        limits::{STOPPED, TooMany},
        listeners::ConnectionId,
        security::Wish,
    },
};
use domain::Timestamp;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use tokio::sync::oneshot;
use venue_paper::engine::Owner;

/// A request that has passed the checks of `security`, or was refused there.
pub struct Ask {
    pub lane: Lane,
    pub from: IpAddr,
    pub what: What,
    pub wish: Result<Wish, Refusal>,
    /// The key that it came with, if it is known.
    pub key: Option<String>,
    /// A fault has kept it back already.
    pub held: bool,
    pub reply: oneshot::Sender<Reply>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Rest,
    WsApi,
}

pub enum What {
    Spec(&'static Spec),
    /// A method of the session itself, by name; where it succeeds, the connection has these subscriptions.
    Session {
        method: &'static str,
        subscriptions: Option<(ConnectionId, BTreeMap<u32, Owner>)>,
    },
}

/// What is answered, and what becomes of the answer.
#[derive(Debug)]
pub struct Reply {
    pub answer: Outcome,
    /// A fault's own status and body, instead of the answer.
    pub instead: Option<(u16, String)>,
    /// Seconds.
    pub retry_after: Option<u64>,
    pub weight: u32,
    /// Of a request that placed orders: how many count now.
    pub orders: Option<[u32; 2]>,
    /// For the WebSocket API.
    pub rate_limits: Option<Value>,
    /// The exchange's clock, as it shows itself.
    pub server_time: Timestamp,
    pub fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Goes out, perhaps late.
    Answer {
        after: Duration,
    },
    Silence,
    Cut,
}

const AT_ONCE: Fate = Fate::Answer { after: Duration::ZERO };
/// How long the connections of a banned address may last.
const UNTIL_CLOSED: Duration = Duration::from_millis(100);
/// Every session method weighs two.
const SESSION: u32 = 2;

impl What {
    fn weight(&self, wish: &Result<Wish, Refusal>) -> u32 {
        match (self, wish) {
            (Self::Spec(spec), Ok(wish)) => (spec.weight)(&wish.params),
            (Self::Spec(spec), Err(_)) => (spec.weight)(&Default::default()).min(SESSION),
            (Self::Session { .. }, _) => SESSION,
        }
    }

    fn is(&self, name: &str) -> bool {
        match self {
            Self::Spec(spec) => script_names(spec, name),
            Self::Session { method, .. } => *method == name,
        }
    }

    fn orders(&self) -> u32 {
        if let Self::Spec(spec) = self { spec.orders } else { 0 }
    }
}

impl Actor {
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), ServeError> {
        let now = self.time();
        let weight = ask.what.weight(&ask.wish);
        if self.faults.maintenance(now) {
            let body = closed_for_maintenance().body().to_string();
            let reply =
                Reply { instead: Some((503, body)), ..self.reply(&ask, now, Ok(Value::Null.into()), None) };
            self.answers.push((ask.reply, reply));
            return Ok(());
        }
        if let Err(too_many) = self.meter.admit(ask.from, now, weight) {
            let reply = self.too_many(&ask, now, too_many);
            self.answers.push((ask.reply, reply));
            return Ok(());
        }
        let fault = if ask.held { None } else { self.faults.request(now, |name| ask.what.is(name)) };
        match fault {
            Some(Then::Hold(span)) => self.hold(ask, span.0),
            Some(Then::Status { status, body, retry_after }) => {
                self.meter.charge(ask.from, now, weight);
                let retry_after = retry_after.or_else(|| usual_wait(status, now));
                let body = with_wait(ask.lane, status, body, retry_after, now);
                let reply = self.reply(&ask, now, Ok(Value::Null.into()), None);
                let reply = Reply { instead: Some((status, body)), retry_after, ..reply };
                self.answers.push((ask.reply, reply));
            }
            Some(Then::Limit { status, retry_after }) => {
                let until = now + Duration::from_secs(retry_after);
                let too_many = self.meter.stop(ask.from, now, status, until);
                let reply = self.too_many(&ask, now, too_many);
                self.answers.push((ask.reply, reply));
            }
            Some(Then::Close) => {
                let reply = Reply { fate: Fate::Cut, ..self.reply(&ask, now, Ok(Value::Null.into()), None) };
                self.answers.push((ask.reply, reply));
            }
            Some(Then::Delay(span)) => self.execute(ask, weight, Fate::Answer { after: span.0 }, None)?,
            Some(Then::Timeout(lost)) => {
                let fate = match lost {
                    Lost::Error => AT_ONCE,
                    Lost::Silence => Fate::Silence,
                    Lost::Cut => Fate::Cut,
                };
                self.execute(ask, weight, fate, (lost == Lost::Error).then(timed_out))?;
            }
            Some(then) => {
                self.strike(then)?;
                self.execute(ask, weight, AT_ONCE, None)?;
            }
            None => self.execute(ask, weight, AT_ONCE, None)?,
        }
        Ok(())
    }

    /// Comes to the exchange later, as if it had been long on its way.
    fn hold(&self, ask: Ask, span: Duration) {
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(span).await;
            // The exchange has stopped otherwise.
            let _ = inbox.send(Message::Ask(Box::new(Ask { held: true, ..ask }))).await;
        });
    }

    /// Does what is asked. `lost` is told instead of the answer.
    fn execute(
        &mut self,
        mut ask: Ask,
        weight: u32,
        fate: Fate,
        lost: Option<Refusal>,
    ) -> Result<(), ServeError> {
        let now = self.time();
        let orders = ask.what.orders();
        let owner = self.owner(&ask);
        if orders > 0
            && ask.wish.is_ok()
            && let Err(too_many) = self.meter.may_place(owner, now, orders)
        {
            self.meter.charge(ask.from, now, weight);
            let reply = self.too_many(&ask, now, too_many);
            self.answers.push((ask.reply, reply));
            return Ok(());
        }
        let wish = std::mem::replace(&mut ask.wish, Err(timed_out()));
        let clocks = self.clock.clocks(self.shown(now), self.faults.clock_offset(now));
        let checked = wish.and_then(|wish| match wish.timing {
            Some(timing) => timing.check(&clocks).map(|()| wish),
            None => Ok(wish),
        });
        // Counted before, since its own fills take it off again.
        self.meter.placed(owner, now, orders);
        let answer = match checked {
            Ok(wish) => self.perform(&ask, wish, now)?,
            Err(refusal) => Err(refusal),
        };
        let placed = answer.is_ok() && orders > 0;
        if !placed {
            self.meter.not_placed(owner, now, orders);
        }
        let free = answer.is_ok() && matches!(ask.what, What::Spec(spec) if spec.free_when_done);
        self.meter.charge(ask.from, now, if free { 0 } else { weight });
        let counted = placed.then(|| self.meter.orders(owner, now));
        let answer = lost.map_or(answer, Err);
        let reply = Reply { fate, ..self.reply(&ask, now, answer, counted) };
        self.answers.push((ask.reply, reply));
        Ok(())
    }

    fn perform(&mut self, ask: &Ask, wish: Wish, now: Timestamp) -> Result<Outcome, ServeError> {
        let owner = self.owner(ask);
        let spec = match &ask.what {
            What::Spec(spec) => *spec,
            What::Session { subscriptions, .. } => {
                if let Some((id, subscriptions)) = subscriptions {
                    self.listeners.set_subscriptions(*id, subscriptions.clone());
                }
                return Ok(Ok(Value::Null.into()));
            }
        };
        let Target::Exchange(endpoint) = spec.target else {
            return Ok(self.own(spec.target, ask.key.as_deref(), owner).map(Answer::from));
        };
        if spec.changes {
            if let Some(at) = self.clock.now() {
                self.due(at)?;
            }
            let micro = wish.unit == crate::params::TimeUnit::Micro;
            let input = self.call(owner, spec.name(), wish.params, micro);
            return self.input(input);
        }
        Ok(match endpoint {
            Endpoint::Time => Ok(json!({ "serverTime": wish.unit.of(self.shown(now)) }).into()),
            Endpoint::RateLimitOrder => Ok(Value::Array(self.meter.order_limits(owner, now)).into()),
            Endpoint::ExchangeInfo => self.exchange_info(&wish, now).map(Answer::from),
            _ => self.exchange.answer_as(owner, endpoint, &wish.params, wish.unit),
        })
    }

    /// The account of the key that the request came with; the first one's, where it needs none.
    fn owner(&self, ask: &Ask) -> Owner {
        let key = ask.key.as_deref().and_then(|key| self.keys.get(key));
        key.map(|key| key.owner).unwrap_or_default()
    }

    /// The exchange's clock as it shows itself: a fault may have put it wrong.
    pub(super) fn shown(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_micros(now.micros().saturating_add(self.faults.clock_offset(now)))
    }

    /// Closes the connections of an address that has been banned, as soon as the answer that says so is out.
    pub(super) fn see_ban(&mut self, from: IpAddr, too_many: &TooMany) {
        if !too_many.is_ban() || self.listeners.from(from).is_empty() || !self.closing.insert(from) {
            return;
        }
        let inbox = self.inbox.clone();
        tokio::spawn(async move {
            tokio::time::sleep(UNTIL_CLOSED).await;
            // The exchange has stopped otherwise.
            let _ = inbox.send(Message::Banned(from)).await;
        });
    }

    fn too_many(&mut self, ask: &Ask, now: Timestamp, too_many: TooMany) -> Reply {
        self.see_ban(ask.from, &too_many);
        let seconds = too_many.seconds(now);
        let TooMany { refusal, retry_at } = too_many;
        let refusal = match ask.lane {
            Lane::Rest => refusal,
            Lane::WsApi => {
                refusal.data(json!({ "serverTime": now.millis(), "retryAfter": retry_at.millis() }))
            }
        };
        let reply = self.reply(ask, now, Err(refusal), None);
        Reply { retry_after: Some(seconds), ..reply }
    }

    fn reply(&mut self, ask: &Ask, now: Timestamp, answer: Outcome, orders: Option<[u32; 2]>) -> Reply {
        let placing = ask.what.orders() > 0;
        let rate_limits = (ask.lane == Lane::WsApi).then(|| {
            let owner = placing.then(|| self.owner(ask));
            self.meter.rate_limits(ask.from, now, owner)
        });
        Reply {
            answer,
            instead: None,
            retry_after: None,
            weight: self.meter.weight(ask.from, now),
            orders,
            rate_limits,
            server_time: self.shown(now),
            fate: AT_ONCE,
        }
    }
}

/// Seconds. Binance's weights are counted by the minute, and its first ban lasts two.
fn usual_wait(status: u16, now: Timestamp) -> Option<u64> {
    match status {
        429 => Some(60 - now.millis().div_euclid(1_000).rem_euclid(60).unsigned_abs()),
        418 => Some(120),
        _ => None,
    }
}

/// A scripted answer's body. Of a limit it is an error in any case; over the WebSocket API, which has no header for
/// it, the error tells when it ends.
fn with_wait(lane: Lane, status: u16, body: String, retry_after: Option<u64>, now: Timestamp) -> String {
    let Some(wait) = retry_after else { return body };
    let is_limit = matches!(status, 429 | 418);
    let body = match body.as_str() {
        "" if is_limit => Refusal::new(-1003, STOPPED).body().to_string(),
        _ => body,
    };
    match (lane, serde_json::from_str::<Value>(&body)) {
        (Lane::WsApi, Ok(mut error)) if error["code"].is_i64() && error["data"].is_null() => {
            let retry_at = now + Duration::from_secs(wait);
            error["data"] = json!({ "serverTime": now.millis(), "retryAfter": retry_at.millis() });
            error.to_string()
        }
        (Lane::WsApi | Lane::Rest, _) => body,
    }
}

fn timed_out() -> Refusal {
    let text =
        "Timeout waiting for response from backend server. Send status unknown; execution status unknown.";
    Refusal::new(-1007, text).status(504)
}

pub(super) fn closed_for_maintenance() -> Refusal {
    Refusal::new(-1016, "This service is no longer available.").status(503)
}
