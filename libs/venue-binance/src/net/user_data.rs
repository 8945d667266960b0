//! The account's own stream, over the WebSocket API (Binance's `web-socket-api.md`, "User Data Stream requests").
//!
//! Subscribed by a signature, which keys of every kind can give; listen keys are gone since 2026-02-20.

use super::Rest;
use crate::{
    errors,
    frame::{self, Message},
    reply::Reply,
    request::{self, Signing},
};
use tokio::time::{Instant, timeout_at};
use venue_net::{Delivery, Farewell, NotOpen, Open, Opener, Reconnecting, Socket, Unheard};

/// The account's stream; the connection ends when it is dropped.
pub struct UserData(Reconnecting);

/// `recvWindow` of the subscription, in milliseconds.
const WINDOW_MS: u32 = 5_000;
/// More frames than that do not come before the subscription is answered.
const MOST_EARLY: usize = 1_000;

impl UserData {
    /// Starts keeping a connection. Needs a runtime to be in.
    pub fn open(rest: &Rest) -> Self {
        Self::open_counting(rest, Unheard::default())
    }

    /// As [`Self::open`], for whoever has counted the time without a live stream before.
    pub fn open_counting(rest: &Rest, unheard: Unheard) -> Self {
        let account = Account { rest: rest.clone() };
        Self(Reconnecting::start_counting(rest.0.access.clone(), account, unheard))
    }

    /// What comes next; waits for it. `None` never, but at the process's end. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.0.next().await
    }

    /// What has come already.
    pub fn try_next(&mut self) -> Option<Delivery> {
        self.0.try_next()
    }
}

struct Account {
    rest: Rest,
}

impl Opener for Account {
    async fn open(&self) -> Result<Open, NotOpen> {
        let rest = &self.rest;
        let Some(keys) = &rest.0.setup.keys else {
            return Err(NotOpen {
                why: "the account's stream needs an API key; configure one".to_owned(),
                wait: rest.timeouts().longest_pause,
            });
        };
        rest.freshen_clock().await.map_err(|e| e.to_string())?;
        // Reading the clock takes its time, and may itself have met a limit.
        rest.0.access.not_quiet()?;
        let url = &rest.0.setup.endpoints.ws_api;
        let mut socket = Socket::open(url, rest.timeouts()).await.map_err(|e| rest.refused(e))?;
        let signing = Signing {
            api_key: &keys.api_key,
            signer: &keys.signer,
            timestamp: rest.clock().now(),
            recv_window_ms: WINDOW_MS,
        };
        socket.send(request::subscribe_user_data(SUBSCRIBE, &signing)).await?;
        let (subscription, early) = self.subscribed(&mut socket).await?;
        Ok(Open { socket, subscription, early })
    }

    fn farewell(&self, bytes: &[u8]) -> Option<Farewell> {
        // Only what looks like one is read.
        let named = |name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
        if !(named(b"eventStreamTerminated") || named(b"serverShutdown") || named(b"listenKeyExpired")) {
            return None;
        }
        match frame::decode(bytes) {
            Ok(Message::EventStreamTerminated(_) | Message::ListenKeyExpired(_)) => Some(Farewell::Deaf),
            Ok(Message::ServerShutdown(_)) => Some(Farewell::Leaving),
            _ => None,
        }
    }
}

/// The id of the one request on each connection.
const SUBSCRIBE: &str = "subscribe";

/// There is no other request that an error without an id could be about.
fn is_ours(reply: &Reply) -> bool {
    reply.id.as_deref().map_or(reply.status != 200, |id| id == SUBSCRIBE)
}

impl Account {
    async fn subscribed(&self, socket: &mut Socket) -> Result<(Option<i64>, Vec<Vec<u8>>), NotOpen> {
        let deadline = Instant::now() + self.rest.timeouts().answer;
        let mut early = Vec::new();
        loop {
            let heard = timeout_at(deadline, socket.next()).await;
            let bytes = heard.map_err(|_| "the subscription was not answered".to_owned())??;
            let Some(reply) = Reply::read(&bytes).filter(is_ours) else {
                if early.len() == MOST_EARLY {
                    return Err("the subscription was not answered among 1,000 frames".to_owned().into());
                }
                early.push(bytes);
                continue;
            };
            if reply.status == 200 {
                return Ok((reply.subscription(), early));
            }
            let failure = errors::read(reply.status, reply.body(), None);
            if failure.verdict == errors::Verdict::Retry(errors::Retry::OutsideWindow) {
                self.rest.read_clock().await.map_err(|e| e.to_string())?;
            }
            return Err(self.rest.not_open(&failure));
        }
    }
}
