//! Market streams: `/ws`, `/ws/<name>[/<name>…]` and `/stream?streams=<name>/<name>…`.

use super::{
    Shared,
    actor::{self, Message},
    commands::{Listening, command},
    listeners::{ConnectionId, Kind},
    security,
    socket::{self, LARGEST_MESSAGE, Talk},
    tcp::Switch,
};
use crate::params::TimeUnit;
use axum::{
    extract::{ConnectInfo, State, WebSocketUpgrade},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::collections::BTreeSet;
use tokio::sync::oneshot;

pub async fn raw(
    State(shared): State<Shared>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let names = uri.path().strip_prefix("/ws").unwrap_or_default();
    open(shared, switch, upgrade, names, uri.query().unwrap_or_default(), false).await
}

pub async fn combined(
    State(shared): State<Shared>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let query = uri.query().unwrap_or_default();
    open(shared, switch, upgrade, parameter(query, "streams").unwrap_or_default(), query, true).await
}

async fn open(
    shared: Shared,
    switch: Switch,
    upgrade: WebSocketUpgrade,
    names: &str,
    query: &str,
    combined: bool,
) -> Response {
    // No name has a space, and those of time zones have a plus.
    let (Ok(unit), Ok(names)) = (unit(query), security::decode(&names.replace('+', "%2B"))) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let streams: BTreeSet<String> =
        names.split('/').filter(|n| !n.is_empty()).map(ToOwned::to_owned).collect();
    if streams.len() > shared.0.limits.streams {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let none = Kind::Streams { streams: BTreeSet::new(), combined };
    let connection = match socket::connect(shared.clone(), switch, actor::STREAMS, unit, none).await {
        Ok(connection) => connection,
        Err(answer) => return answer,
    };
    let id = connection.opened.id;
    let inbox = shared.0.inbox.clone();
    let talk = Streams { shared, id, listening: Listening { streams, combined } };
    talk.tell().await;
    upgrade
        .max_message_size(LARGEST_MESSAGE)
        .on_failed_upgrade(move |_| {
            tokio::spawn(async move { socket::leave(&inbox, id).await });
        })
        .on_upgrade(move |socket| socket::live(socket, connection, talk, true))
}

/// `timeUnit` of a connection's address.
pub fn unit(query: &str) -> Result<TimeUnit, crate::refusal::Refusal> {
    security::time_unit(parameter(query, "timeUnit"))
}

pub fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name)).map(|(_, value)| value)
}

struct Streams {
    shared: Shared,
    id: ConnectionId,
    listening: Listening,
}

impl Streams {
    /// Tells the exchange what is listened to; it is so when this returns.
    async fn tell(&self) {
        let Listening { streams, combined } = self.listening.clone();
        let (reply, done) = oneshot::channel();
        let message = Message::Streams { id: self.id, wanted: streams, combined, reply };
        // The exchange has stopped otherwise, and the connection ends.
        if self.shared.0.inbox.send(message).await.is_ok() {
            let _ = done.await;
        }
    }
}

impl Talk for Streams {
    async fn heard(&mut self, text: &str) -> Vec<String> {
        let before = self.listening.clone();
        let answer = command(text, &mut self.listening, self.shared.0.limits.streams);
        if self.listening != before {
            self.tell().await;
        }
        vec![answer.to_string()]
    }
}
