//! `/control/…`: for tests, and for a program that drives the exchange. Only from this machine.

use super::{
    Shared,
    actor::{Control, ControlError, Message},
    rest::stopped,
    streams::parameter,
    tcp::Switch,
};
use crate::faults::Script;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, Uri},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;

pub fn router() -> Router<Shared> {
    Router::new()
        .route("/status", get(status).post(symbol_status))
        .route("/market", post(market))
        .route("/account-frames", get(frames))
        .route("/balance", post(balance))
        .route("/order", post(order))
        .route("/transfer", post(transfer))
        .route("/rules", post(rules))
        .route("/faults", post(faults))
        .layer(middleware::from_fn(only_this_machine))
}

async fn only_this_machine(
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
    next: Next,
) -> Response {
    if switch.peer().ip().is_loopback() {
        next.run(request).await
    } else {
        answer_text(StatusCode::FORBIDDEN, "control answers this machine only")
    }
}

async fn status(State(shared): State<Shared>) -> Response {
    send(&shared, Control::Status).await
}

async fn frames(State(shared): State<Shared>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let after = parameter(query, "after").unwrap_or("0").parse();
    let account = parameter(query, "account").map(str::parse).transpose();
    match (after, account) {
        (Ok(after), Ok(account)) => send(&shared, Control::Frames { after, account }).await,
        (Err(_), _) => answer_text(
            StatusCode::BAD_REQUEST,
            "write ?after= and the number of the last frame that is known",
        ),
        (_, Err(_)) => answer_text(
            StatusCode::BAD_REQUEST,
            "write &account= and the name of an account, e.g. binance:copier",
        ),
    }
}

async fn market(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::Market).await
}

async fn balance(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::Balance).await
}

async fn transfer(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::Transfer).await
}

async fn order(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::Order).await
}

async fn rules(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::Rules).await
}

async fn symbol_status(State(shared): State<Shared>, body: Bytes) -> Response {
    read(&shared, &body, Control::SymbolStatus).await
}

/// The script's TOML; an empty one ends all faults.
async fn faults(State(shared): State<Shared>, body: String) -> Response {
    match Script::parse(&body) {
        Ok(script) => send(&shared, Control::Faults(script)).await,
        Err(error) => answer_text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn read<T: DeserializeOwned>(shared: &Shared, body: &[u8], control: fn(T) -> Control) -> Response {
    match serde_json::from_slice(body) {
        Ok(read) => send(shared, control(read)).await,
        Err(error) => answer_text(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

async fn send(shared: &Shared, control: Control) -> Response {
    let (reply, answered) = oneshot::channel();
    if shared.0.inbox.send(Message::Control { control, reply }).await.is_err() {
        return stopped();
    }
    match answered.await {
        Ok(Ok(Value::Null)) => Json(json!({})).into_response(),
        Ok(Ok(value)) => Json(value).into_response(),
        Ok(Err(error)) => {
            let status = match error {
                ControlError::Gap { .. } | ControlError::NotDriven => StatusCode::CONFLICT,
                ControlError::Gone { .. } => StatusCode::GONE,
                ControlError::Order { .. }
                | ControlError::Fact { .. }
                | ControlError::Refused { .. }
                | ControlError::NoAccount(_) => StatusCode::BAD_REQUEST,
            };
            answer_text(status, &error.to_string())
        }
        Err(_) => stopped(),
    }
}

fn answer_text(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
