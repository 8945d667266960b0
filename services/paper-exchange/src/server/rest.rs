//! REST: every path of the table.

use super::{
    Shared,
    actor::{Ask, Fate, Lane, Message, Reply, What},
    security::{self, Sent, Wish, wished},
    tcp::Switch,
    until,
};
use crate::{
    endpoint::{self, Found, Security, Spec, Verb},
    refusal::Refusal,
};
use axum::{
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// Answers whatever is no socket and no control.
pub async fn answer(
    State(shared): State<Shared>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let verb = match method {
        Method::GET => Verb::Get,
        Method::POST => Verb::Post,
        Method::PUT => Verb::Put,
        Method::DELETE => Verb::Delete,
        _ => return plain(StatusCode::METHOD_NOT_ALLOWED, uri.path()),
    };
    let spec = match endpoint::by_path(verb, uri.path()) {
        Found::Spec(spec) => spec,
        Found::WrongVerb => return plain(StatusCode::METHOD_NOT_ALLOWED, uri.path()),
        Found::Nothing => return plain(StatusCode::NOT_FOUND, uri.path()),
    };
    if only_sbe(&headers) {
        return sbe_is_not_enabled();
    }
    let api_key = headers.get("x-mbx-apikey").and_then(|key| key.to_str().ok());
    // Parameters of a GET are in its query alone.
    let body = if verb == Verb::Get { &[] } else { body.as_ref() };
    let wish = wish(&shared, spec, &headers, api_key, uri.query().unwrap_or_default(), body);
    let (reply, answered) = oneshot::channel();
    let key = api_key.filter(|key| shared.0.keys.get(key).is_some()).map(ToOwned::to_owned);
    let ask = Ask {
        lane: Lane::Rest,
        from: switch.peer().ip(),
        what: What::Spec(spec),
        wish,
        key,
        held: false,
        reply,
    };
    if shared.0.inbox.send(Message::Ask(Box::new(ask))).await.is_err() {
        return stopped();
    }
    let Ok(reply) = answered.await else { return stopped() };
    match reply.fate {
        Fate::Answer { after } => {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            respond(reply)
        }
        Fate::Silence => {
            until(shared.0.stopped.clone()).await;
            stopped()
        }
        Fate::Cut => {
            switch.cut();
            // The connection takes this task with it.
            until(shared.0.stopped.clone()).await;
            stopped()
        }
    }
}

fn wish(
    shared: &Shared,
    spec: &Spec,
    headers: &HeaderMap,
    api_key: Option<&str>,
    query: &str,
    body: &[u8],
) -> Result<Wish, Refusal> {
    let unit =
        security::time_unit(headers.get("x-mbx-time-unit").map(|unit| unit.to_str().unwrap_or_default()))?;
    let body =
        str::from_utf8(body).map_err(|_| Refusal::new(-1100, "Illegal characters found in a parameter."))?;
    let timing = match spec.security {
        Security::Nobody => None,
        Security::Key => {
            security::key(&shared.0.keys, api_key, spec.security)?;
            // Clients sign it all the same, and nobody looks.
            return wished(spec, Sent::form(query, body)?.into_params(), unit, None);
        }
        Security::UserData | Security::Trade => {
            let key = security::key(&shared.0.keys, api_key, spec.security)?;
            let sent = Sent::form(query, body)?;
            let timing = sent.timing()?;
            sent.verify(key)?;
            return wished(spec, sent.into_params(), unit, Some(timing));
        }
    };
    wished(spec, Sent::form(query, body)?.unsigned().into_params(), unit, timing)
}

fn respond(reply: Reply) -> Response {
    let (status, body) = match (reply.instead, &reply.answer) {
        (Some((status, body)), _) => (status, body),
        (None, Ok(value)) => (200, value.to_string()),
        // What comes with a limit is for the WebSocket API alone; the halves of a cancel-replace are for both.
        (None, Err(refusal)) => (refusal.status, refusal.body().to_string()),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = if body.starts_with(['{', '[']) { "application/json;charset=UTF-8" } else { "text/html" };
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    let headers = response.headers_mut();
    headers.insert("x-mbx-used-weight", reply.weight.into());
    headers.insert("x-mbx-used-weight-1m", reply.weight.into());
    if let Some([ten_seconds, day]) = reply.orders {
        headers.insert("x-mbx-order-count-10s", ten_seconds.into());
        headers.insert("x-mbx-order-count-1d", day.into());
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    headers.insert(HeaderName::from_static("x-mbx-uuid"), HeaderValue::from_static("paper-exchange"));
    response
}

/// Whether an answer is accepted in SBE and not in JSON (`faqs/sbe_faq.md`).
fn only_sbe(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = accepted.flat_map(|value| value.split(',')).map(kind_of).collect();
    let json = ["application/json", "application/*", "*/*"];
    accepted.contains(&"application/sbe") && !accepted.iter().any(|kind| json.contains(kind))
}

/// A media type without its parameters.
fn kind_of(accepted: &str) -> &str {
    accepted.split(';').next().unwrap_or_default().trim()
}

fn sbe_is_not_enabled() -> Response {
    let body = Refusal::new(-1155, "SBE is not enabled.").body();
    (StatusCode::NOT_ACCEPTABLE, axum::Json(body)).into_response()
}

fn plain(status: StatusCode, path: &str) -> Response {
    let body = json!({
        "status": status.as_u16(), "error": status.canonical_reason().unwrap_or_default(), "path": path,
    });
    (status, axum::Json(body)).into_response()
}

/// The exchange has gone; what became of the request nobody knows.
pub(super) fn stopped() -> Response {
    let text = "Internal error; unable to process your request. Please try again.";
    let body: Value = Refusal::new(-1001, text).body();
    (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response()
}
