//! The WebSocket API: one request a message, answered as soon as it is done.

use super::{
    Shared,
    actor::{self, Ask, Fate, Lane, Message, Reply, What},
    listeners::{Kind, Out},
    security::{self, Sent, Wish},
    session::Session,
    socket::{self, LARGEST_MESSAGE, Talk},
    streams,
    tcp::Switch,
};
use crate::{
    endpoint::{self, Security, Spec},
    journal::Outcome,
    params::TimeUnit,
    refusal::Refusal,
};
use axum::{
    extract::{ConnectInfo, State, WebSocketUpgrade},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Semaphore, mpsc, oneshot};

pub async fn open(
    State(shared): State<Shared>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let Ok(unit) = streams::unit(query) else { return StatusCode::BAD_REQUEST.into_response() };
    if let Some(refusal) = no_format(query) {
        return (StatusCode::BAD_REQUEST, axum::Json(refusal.body())).into_response();
    }
    let shows = streams::parameter(query, "returnRateLimits") != Some("false");
    let nothing = Kind::Api { subscriptions: BTreeMap::new() };
    let connection = match socket::connect(shared.clone(), switch.clone(), actor::API, unit, nothing).await {
        Ok(connection) => connection,
        Err(answer) => return answer,
    };
    let id = connection.opened.id;
    let inbox = shared.0.inbox.clone();
    let line = Line { shared, switch, unit, shows, own: connection.own.clone() };
    let session = Session::new(id, connection.opened.at);
    let talk = Api { line, session, together: Arc::new(Semaphore::new(TOGETHER)) };
    upgrade
        .max_message_size(LARGEST_MESSAGE)
        .on_failed_upgrade(move |_| {
            tokio::spawn(async move { socket::leave(&inbox, id).await });
        })
        .on_upgrade(move |socket| socket::live(socket, connection, talk, false))
}

/// Requests of one connection that may be under way; with more it is not listened to.
const TOGETHER: usize = 64;

struct Api {
    line: Line,
    session: Session,
    together: Arc<Semaphore>,
}

/// A connection's way to the exchange.
#[derive(Clone)]
pub struct Line {
    pub shared: Shared,
    pub switch: Switch,
    pub unit: TimeUnit,
    /// Whether answers tell the limits, unless a request says otherwise.
    shows: bool,
    own: mpsc::Sender<Out>,
}

/// A request as it was sent.
pub struct Request {
    pub id: Value,
    pub method: String,
    pub sent: Sent,
    /// Whether the answer tells the limits.
    pub shows: bool,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<crate::answer::Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    #[serde(rename = "rateLimits", skip_serializing_if = "Option::is_none")]
    rate_limits: Option<Value>,
}

impl Talk for Api {
    async fn heard(&mut self, text: &str) -> Vec<String> {
        let request = match read(text, self.line.shows) {
            Ok(request) => request,
            Err((id, refusal)) => {
                return vec![written(&id, Err(refusal), None)];
            }
        };
        let method = request.method.strip_prefix("v3/").unwrap_or(&request.method);
        if let Some(own) = Session::method(method) {
            return self.session.answer(&self.line, own, &request).await;
        }
        let Some(spec) = endpoint::by_method(method) else {
            let refusal = Refusal::new(-1020, "This operation is not supported.");
            return vec![written(&request.id, Err(refusal), None)];
        };
        let permit = self.together.clone().acquire_owned().await;
        let (wish, key) = self.wish(spec, request.sent);
        let line = self.line.clone();
        let (id, shows) = (request.id, request.shows);
        let asked = line.ask(What::Spec(spec), wish, key).await;
        tokio::spawn(async move {
            if let Some(text) = line.answered(&id, shows, asked).await {
                let text = Out::Text(text.into());
                // The connection has ended otherwise.
                let _ = line.own.send(text).await;
            }
            drop(permit);
        });
        Vec::new()
    }
}

impl Api {
    fn wish(&self, spec: &Spec, sent: Sent) -> (Result<Wish, Refusal>, Option<String>) {
        let unit = self.line.unit;
        if spec.security == Security::Nobody {
            return (security::wished(spec, sent.unsigned().into_params(), unit, None), None);
        }
        let text = sent.get("apiKey").map(ToOwned::to_owned);
        let ad_hoc = text.is_some() || sent.get("signature").is_some();
        let text = if ad_hoc { text } else { self.session.key().map(ToOwned::to_owned) };
        let checked = || {
            let key = match &text {
                None => return Err(Refusal::mandatory("apiKey")),
                Some(text) => security::key(&self.line.shared.0.keys, Some(text), spec.security)?,
            };
            let timing = sent.timing()?;
            if ad_hoc {
                sent.verify(key)?;
            }
            Ok(timing)
        };
        match checked() {
            Ok(timing) => (security::wished(spec, sent.into_params(), unit, Some(timing)), text),
            Err(refusal) => (Err(refusal), None),
        }
    }
}

impl Line {
    /// Whether answers tell the limits by default.
    pub fn shows(&self) -> bool {
        self.shows
    }

    /// Puts it to the exchange; in order with whatever else this connection asks.
    pub async fn ask(
        &self,
        what: What,
        wish: Result<Wish, Refusal>,
        key: Option<String>,
    ) -> Option<oneshot::Receiver<Reply>> {
        let (reply, answered) = oneshot::channel();
        let from = self.switch.peer().ip();
        let ask = Ask { lane: Lane::WsApi, from, what, wish, key, held: false, reply };
        self.shared.0.inbox.send(Message::Ask(Box::new(ask))).await.ok()?;
        Some(answered)
    }

    /// Waits for the exchange, and for what a fault makes of its answer.
    pub async fn reply(&self, asked: Option<oneshot::Receiver<Reply>>) -> Option<Reply> {
        let reply = asked?.await.ok()?;
        match reply.fate {
            Fate::Answer { after } => {
                if !after.is_zero() {
                    tokio::time::sleep(after).await;
                }
                Some(reply)
            }
            Fate::Silence => None,
            Fate::Cut => {
                self.switch.cut();
                None
            }
        }
    }

    async fn answered(
        &self,
        id: &Value,
        shows: bool,
        asked: Option<oneshot::Receiver<Reply>>,
    ) -> Option<String> {
        let reply = self.reply(asked).await?;
        let limits = if shows { reply.rate_limits } else { None };
        let answer = match reply.instead {
            Some((status, body)) => Err(foreign(status, &body)),
            None => reply.answer,
        };
        Some(written(id, answer, limits))
    }
}

/// A fault's body as an error: Binance's own where it is one.
pub fn foreign(status: u16, body: &str) -> Refusal {
    let read: Option<Value> = serde_json::from_str(body).ok();
    let code = read.as_ref().and_then(|body| body["code"].as_i64()).unwrap_or(-1000);
    let text = read.as_ref().and_then(|body| body["msg"].as_str());
    let text = text.unwrap_or("An unknown error occurred while processing the request.");
    let data = read.as_ref().map(|body| body["data"].clone()).filter(|data| !data.is_null());
    Refusal { data, ..Refusal::new(code, text).status(status) }
}

/// An answer's text.
pub fn written(id: &Value, answer: Outcome, rate_limits: Option<Value>) -> String {
    let answer = match answer {
        Ok(result) => Answer { id, status: 200, result: Some(result), error: None, rate_limits },
        Err(refusal) => {
            Answer { id, status: refusal.status, result: None, error: Some(refusal.body()), rate_limits }
        }
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// Why a connection may not speak in the wanted format (`faqs/sbe_faq.md`): there is no SBE here.
fn no_format(query: &str) -> Option<Refusal> {
    let wanted: Vec<&str> =
        query.split('&').filter_map(|pair| pair.strip_prefix("responseFormat=")).collect();
    match wanted[..] {
        [] => None,
        [one] if one.eq_ignore_ascii_case("json") => None,
        [one] if one.eq_ignore_ascii_case("sbe") => Some(Refusal::new(-1155, "SBE is not enabled.")),
        [_] => Some(Refusal::new(-1130, "Data sent for parameter 'responseFormat' is not valid.")),
        [_, _, ..] => Some(Refusal::new(-1101, "Duplicate values for a parameter detected.")),
    }
}

/// The members of an object in their order, a name that is there twice among them.
struct Named(Vec<(String, Box<RawValue>)>);

impl<'de> serde::Deserialize<'de> for Named {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Named;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Named(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn read(text: &str, shows: bool) -> Result<Request, (Value, Refusal)> {
    type Object = BTreeMap<String, Box<RawValue>>;
    let no_json = || (Value::Null, Refusal::new(-1135, "Invalid JSON Request"));
    let fields: Object = serde_json::from_str(text).map_err(|_| no_json())?;
    let id: Value = match fields.get("id") {
        None => Value::Null,
        Some(raw) => serde_json::from_str(raw.get()).unwrap_or_default(),
    };
    if !matches!(&id, Value::Null | Value::String(_) | Value::Number(_)) {
        return Err(no_json());
    }
    let method = fields.get("method").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let Some(method) = method else { return Err((id, Refusal::mandatory("method"))) };
    let params: Vec<(String, Box<RawValue>)> = match fields.get("params").map(|raw| raw.get()) {
        None | Some("null") => Vec::new(),
        Some(raw) => match serde_json::from_str::<Named>(raw) {
            Ok(params) => params.0,
            Err(_) => {
                let refusal = Refusal::new(-1135, "JSON sent for parameter 'params' is not valid");
                return Err((id, refusal));
            }
        },
    };
    let sent = match Sent::object(params) {
        Ok(sent) => sent,
        Err(refusal) => return Err((id, refusal)),
    };
    let shows = match sent.get("returnRateLimits") {
        Some("true") => true,
        Some("false") => false,
        _ => shows,
    };
    Ok(Request { id, method, sent, shows })
}
