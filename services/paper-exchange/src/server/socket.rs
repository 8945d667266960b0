//! What every WebSocket connection lives through: pings, a last day, a queue, and the faults that befall it.

use super::{
    Shared,
    actor::{Message as ToExchange, Opened, Unopened},
    listeners::{ConnectionId, Kind, Listener, Out},
    rest::stopped,
    tcp::Switch,
};
use crate::{faults::Then, params::TimeUnit};
use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{collections::VecDeque, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

/// A connection that the exchange knows of.
pub struct Connection {
    pub shared: Shared,
    pub switch: Switch,
    pub opened: Opened,
    /// What is to be sent.
    pub out: mpsc::Receiver<Out>,
    /// Puts something there, beside what the exchange does.
    pub own: mpsc::Sender<Out>,
}

/// One kind of connection.
pub trait Talk: Send {
    /// What a text is answered with, at once.
    fn heard(&mut self, text: &str) -> impl Future<Output = Vec<String>> + Send;
}

/// Larger messages end the connection.
pub const LARGEST_MESSAGE: usize = 1 << 20;
/// A peer that takes nothing for so long has gone.
const SENDING: Duration = Duration::from_secs(30);
/// For the last of a connection.
const CLOSING: Duration = Duration::from_secs(1);
/// Beyond any run.
const NEVER: Duration = Duration::from_secs(30 * 86_400);

/// Makes a connection known to the exchange, or tells why it may not be.
///
/// # Errors
/// The answer to give instead.
pub async fn connect(
    shared: Shared,
    switch: Switch,
    kind: &'static str,
    unit: TimeUnit,
    listens: Kind,
) -> Result<Connection, Response> {
    let (own, out) = mpsc::channel(shared.0.limits.queue.max(1));
    let listener = Listener { out: own.clone(), switch: switch.clone(), unit, kind: listens, silent: false };
    let (reply, opened) = oneshot::channel();
    let from = switch.peer().ip();
    let message = ToExchange::Open { from, kind, listener, reply };
    if shared.0.inbox.send(message).await.is_err() {
        return Err(stopped());
    }
    match opened.await {
        Ok(Ok(opened)) => Ok(Connection { shared, switch, opened, out, own }),
        Ok(Err(unopened)) => Err(refused(&unopened)),
        Err(_) => Err(stopped()),
    }
}

fn refused(unopened: &Unopened) -> Response {
    let status = StatusCode::from_u16(unopened.refusal.status).unwrap_or(StatusCode::TOO_MANY_REQUESTS);
    let mut response = (status, axum::Json(unopened.refusal.body())).into_response();
    if let Some(seconds) = unopened.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Lives with the connection until it ends, then tells the exchange.
pub async fn live(mut socket: WebSocket, mut connection: Connection, talk: impl Talk, police: bool) {
    let id = connection.opened.id;
    let inbox = connection.shared.0.inbox.clone();
    let switch = connection.switch.clone();
    tokio::select! {
        () = switch.cut_off() => {}
        () = Life::new(&mut connection, police).run(&mut socket, &mut connection, talk) => {}
    }
    leave(&inbox, id).await;
}

/// For one that never came to be.
pub async fn leave(inbox: &mpsc::Sender<ToExchange>, id: ConnectionId) {
    // The exchange has stopped otherwise.
    let _ = inbox.send(ToExchange::Close(id)).await;
}

struct Life {
    ends: Instant,
    /// When a fault befalls it.
    befalls: Instant,
    fault: Option<Then>,
    silent: bool,
    /// Pings without their pong, oldest first.
    unanswered: VecDeque<(Instant, Vec<u8>)>,
    /// Of the last second; `None` where nobody counts.
    messages: Option<VecDeque<Instant>>,
    pings: u64,
}

/// Whether the connection goes on.
enum Next {
    On,
    Over,
}

impl Life {
    fn new(connection: &mut Connection, police: bool) -> Self {
        let now = Instant::now();
        let fault = connection.opened.fault.take();
        Self {
            ends: now + connection.shared.0.limits.longest_connection,
            befalls: now + fault.as_ref().map_or(NEVER, |(_, after)| *after),
            fault: fault.map(|(then, _)| then),
            silent: false,
            unanswered: VecDeque::new(),
            messages: police.then(VecDeque::new),
            pings: 0,
        }
    }

    async fn run(mut self, socket: &mut WebSocket, connection: &mut Connection, mut talk: impl Talk) {
        let limits = connection.shared.0.limits.clone();
        let every = limits.ping_every.max(Duration::from_millis(1));
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Skip);
        // What befalls it at once befalls it before anything is said.
        let at_once = self.fault.is_some() && self.befalls <= Instant::now();
        if at_once && matches!(self.befall(socket, &connection.switch).await, Next::Over) {
            return;
        }
        loop {
            let overdue =
                self.unanswered.front().map_or(Instant::now() + NEVER, |(at, _)| *at + limits.pong_within);
            let next = tokio::select! {
                out = connection.out.recv() => match out {
                    Some(Out::Text(text)) => self.say(socket, text).await,
                    Some(Out::Close { code, reason }) => close(socket, code, reason).await,
                    None => Next::Over,
                },
                message = socket.recv() => match message {
                    Some(Ok(message)) => self.hear(socket, message, &mut talk, limits.messages).await,
                    Some(Err(_)) | None => Next::Over,
                },
                _ = pings.tick() => self.ping(socket).await,
                () = sleep_until(overdue), if !connection.switch.is_half_open() => {
                    close(socket, 1008, "Pong timeout").await
                }
                () = sleep_until(self.ends) => close(socket, 1001, "24 hours are over").await,
                () = sleep_until(self.befalls), if self.fault.is_some() => self.befall(socket, &connection.switch).await,
            };
            if matches!(next, Next::Over) {
                return;
            }
        }
    }

    async fn say(&mut self, socket: &mut WebSocket, text: Utf8Bytes) -> Next {
        if self.silent { Next::On } else { send(socket, Message::Text(text)).await }
    }

    async fn hear(
        &mut self,
        socket: &mut WebSocket,
        message: Message,
        talk: &mut impl Talk,
        most: u32,
    ) -> Next {
        if self.too_many(most) {
            return close(socket, 1008, "Too many requests").await;
        }
        match message {
            Message::Text(text) => {
                for text in talk.heard(&text).await {
                    if matches!(self.say(socket, text.into()).await, Next::Over) {
                        return Next::Over;
                    }
                }
                Next::On
            }
            Message::Pong(payload) => {
                // A pong that nobody asked for counts for nothing.
                if let Some(at) = self.unanswered.iter().position(|(_, sent)| *sent == payload.as_ref()) {
                    self.unanswered.drain(..=at);
                }
                Next::On
            }
            // The library has answered it.
            Message::Ping(_) => Next::On,
            Message::Binary(_) => close(socket, 1003, "text only").await,
            Message::Close(_) => closed(socket).await,
        }
    }

    fn too_many(&mut self, most: u32) -> bool {
        let Some(messages) = &mut self.messages else { return false };
        let now = Instant::now();
        while messages.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            messages.pop_front();
        }
        messages.push_back(now);
        messages.len() > most as usize
    }

    async fn ping(&mut self, socket: &mut WebSocket) -> Next {
        self.pings += 1;
        let payload = self.pings.to_string().into_bytes();
        self.unanswered.push_back((Instant::now(), payload.clone()));
        send(socket, Message::Ping(payload.into())).await
    }

    async fn befall(&mut self, socket: &mut WebSocket, switch: &Switch) -> Next {
        match self.fault.take() {
            Some(Then::Silent) => self.silent = true,
            Some(Then::HalfOpen) => switch.half_open(),
            Some(Then::Close) => return close(socket, 1001, "going away").await,
            Some(_) | None => {}
        }
        Next::On
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> Next {
    match timeout(SENDING, socket.send(message)).await {
        Ok(Ok(())) => Next::On,
        Ok(Err(_)) | Err(_) => Next::Over,
    }
}

async fn close(socket: &mut WebSocket, code: u16, reason: &'static str) -> Next {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    match send(socket, Message::Close(Some(frame))).await {
        // The peer's own close is waited for, so that it reads ours before the connection is reset.
        Next::On => closed(socket).await,
        Next::Over => Next::Over,
    }
}

/// Until either side has the other's close frame: the library answers one, where it is read on, not before.
async fn closed(socket: &mut WebSocket) -> Next {
    let _ = timeout(CLOSING, async { while let Some(Ok(_)) = socket.recv().await {} }).await;
    Next::Over
}
