//! Who listens to what: WebSocket connections, their streams and their subscriptions to accounts.

use super::tcp::Switch;
use crate::{
    frame::{AccountFrame, MarketFrame},
    params::TimeUnit,
};
use axum::extract::ws::Utf8Bytes;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};
use tokio::sync::mpsc;
use venue_paper::engine::Owner;

/// A connection, for the life of the process.
pub type ConnectionId = u64;

/// What a connection's own task is to do.
#[derive(Debug, Clone)]
pub enum Out {
    Text(Utf8Bytes),
    Close { code: u16, reason: &'static str },
}

/// A connection and what it listens to.
pub struct Listener {
    pub out: mpsc::Sender<Out>,
    pub switch: Switch,
    pub unit: TimeUnit,
    pub kind: Kind,
    /// Hears nothing more, by a fault.
    pub silent: bool,
}

pub enum Kind {
    /// Market streams; `combined` as `/stream` gives them.
    Streams { streams: BTreeSet<String>, combined: bool },
    /// Subscriptions to accounts, by their number.
    Api { subscriptions: BTreeMap<u32, Owner> },
}

#[derive(Default)]
pub struct Listeners {
    listeners: BTreeMap<ConnectionId, Listener>,
    by_stream: BTreeMap<String, BTreeSet<ConnectionId>>,
    /// Whether other streams are wanted than were last asked for.
    changed: bool,
}

impl Listeners {
    pub fn open(&mut self, id: ConnectionId, listener: Listener) {
        self.listeners.insert(id, listener);
    }

    pub fn close(&mut self, id: ConnectionId) {
        let Some(gone) = self.listeners.remove(&id) else { return };
        if let Kind::Streams { streams, .. } = gone.kind {
            for stream in streams {
                self.leave(id, &stream);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.listeners.len()
    }

    pub fn is_empty(&self) -> bool {
        self.listeners.is_empty()
    }

    /// Listens to these streams and to no others.
    pub fn set_streams(&mut self, id: ConnectionId, wanted: BTreeSet<String>, now_combined: bool) {
        let Some(Listener { kind: Kind::Streams { streams, combined }, .. }) = self.listeners.get_mut(&id)
        else {
            return;
        };
        *combined = now_combined;
        let before = std::mem::replace(streams, wanted.clone());
        for stream in before.difference(&wanted) {
            self.leave(id, stream);
        }
        for stream in wanted.difference(&before) {
            let listeners = self.by_stream.entry(stream.clone()).or_default();
            self.changed |= listeners.is_empty();
            listeners.insert(id);
        }
    }

    pub fn set_subscriptions(&mut self, id: ConnectionId, now: BTreeMap<u32, Owner>) {
        if let Some(Listener { kind: Kind::Api { subscriptions }, .. }) = self.listeners.get_mut(&id) {
            *subscriptions = now;
        }
    }

    fn leave(&mut self, id: ConnectionId, stream: &str) {
        let Some(listeners) = self.by_stream.get_mut(stream) else { return };
        listeners.remove(&id);
        if listeners.is_empty() {
            self.by_stream.remove(stream);
            self.changed = true;
        }
    }

    /// The streams that anybody listens to, if they have changed since this was last asked.
    pub fn take_wanted(&mut self) -> Option<BTreeSet<String>> {
        std::mem::take(&mut self.changed).then(|| self.by_stream.keys().cloned().collect())
    }

    pub fn market(&mut self, frame: &MarketFrame) {
        let ids = self.listening_to(&frame.stream);
        let mut made: BTreeMap<(TimeUnit, bool), Utf8Bytes> = BTreeMap::new();
        for id in ids {
            let Some(listener) = self.listeners.get(&id) else { continue };
            let Kind::Streams { combined, .. } = listener.kind else { continue };
            let text = made.entry((listener.unit, combined)).or_insert_with(|| {
                let json = frame.json(listener.unit);
                if combined { wrapped(&frame.stream, json).into() } else { json.into() }
            });
            let out = Out::Text(text.clone());
            self.send(id, out);
        }
    }

    pub fn account(&mut self, frame: &AccountFrame) {
        for id in self.listening_to_account() {
            let Some(listener) = self.listeners.get(&id) else { continue };
            let Kind::Api { subscriptions } = &listener.kind else { continue };
            let json = frame.json(listener.unit);
            let own = subscriptions.iter().filter(|(_, owner)| **owner == frame.owner);
            let texts: Vec<String> = own.map(|(n, _)| event(*n, json)).collect();
            for text in texts {
                self.send(id, Out::Text(text.into()));
            }
        }
    }

    /// Tells every connection that the server goes down, as each kind is told.
    pub fn shut_down(&mut self, milli: i64, micro: i64) {
        let ids: Vec<ConnectionId> = self.listeners.keys().copied().collect();
        for id in ids {
            let Some(listener) = self.listeners.get(&id) else { continue };
            let at = if listener.unit == TimeUnit::Micro { micro } else { milli };
            let json = format!("{{\"e\":\"serverShutdown\",\"E\":{at}}}");
            let text = match &listener.kind {
                Kind::Streams { combined: true, .. } => wrapped("!serverShutdown", &json),
                Kind::Streams { combined: false, .. } => json,
                Kind::Api { .. } => format!("{{\"event\":{json}}}"),
            };
            self.send(id, Out::Text(text.into()));
        }
    }

    pub fn listening_to(&self, stream: &str) -> Vec<ConnectionId> {
        self.by_stream.get(stream).map(|ids| ids.iter().copied().collect()).unwrap_or_default()
    }

    pub fn listening_to_account(&self) -> Vec<ConnectionId> {
        let listens = |listener: &Listener| matches!(&listener.kind, Kind::Api { subscriptions } if !subscriptions.is_empty());
        self.listeners.iter().filter(|(_, listener)| listens(listener)).map(|(id, _)| *id).collect()
    }

    pub fn everybody(&self) -> Vec<ConnectionId> {
        self.listeners.keys().copied().collect()
    }

    /// The connections of an address.
    pub fn from(&self, address: IpAddr) -> Vec<ConnectionId> {
        let of = |listener: &Listener| listener.switch.peer().ip() == address;
        self.listeners.iter().filter(|(_, listener)| of(listener)).map(|(id, _)| *id).collect()
    }

    pub fn silence(&mut self, id: ConnectionId) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.silent = true;
        }
    }

    pub fn half_open(&mut self, id: ConnectionId) {
        if let Some(listener) = self.listeners.get(&id) {
            listener.switch.half_open();
        }
    }

    pub fn end(&mut self, id: ConnectionId) {
        self.send(id, Out::Close { code: 1001, reason: "going away" });
    }

    /// As for too many messages (`web-socket-streams.md`, "WebSocket Limits"): disconnected, for breaking the rules.
    pub fn ban(&mut self, id: ConnectionId) {
        self.send(id, Out::Close { code: 1008, reason: "Too many requests" });
    }

    /// Whoever does not read is cut off.
    fn send(&mut self, id: ConnectionId, out: Out) {
        let Some(listener) = self.listeners.get(&id) else { return };
        if listener.silent && matches!(out, Out::Text(_)) {
            return;
        }
        if listener.out.try_send(out).is_err() {
            tracing::debug!(connection = id, "cut off: it does not read");
            listener.switch.cut();
            self.close(id);
        }
    }
}

fn wrapped(stream: &str, json: &str) -> String {
    format!("{{\"stream\":{},\"data\":{json}}}", serde_json::Value::from(stream))
}

fn event(subscription: u32, json: &str) -> String {
    format!("{{\"subscriptionId\":{subscription},\"event\":{json}}}")
}
