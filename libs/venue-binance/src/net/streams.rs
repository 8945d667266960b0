//! Market data streams (Binance's `web-socket-streams.md`): combined, so that each frame names its stream.

use super::Rest;
use crate::market::{self, Message};
use serde_json::json;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};
use venue_net::{CAPACITY, Delivery, Farewell, NotOpen, Open, Opener, Reconnecting, Socket};

/// Some streams on one connection, which ends when this is dropped.
pub struct Streams(Reconnecting);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0} streams are too many for one connection, {MOST_STREAMS} at most; spread them over several")]
pub struct TooManyStreams(usize);

/// Of one connection.
const MOST_STREAMS: usize = 1_024;
/// Of one message, so that it is short.
const AT_ONCE: usize = 100;
/// Binance takes five messages a second, answers to pings included.
const BETWEEN: Duration = Duration::from_millis(300);

impl Streams {
    /// Starts keeping a connection with these streams, such as `btcusdt@kline_1d`. Needs a runtime to be in.
    ///
    /// # Errors
    /// They are too many.
    pub fn open(rest: &Rest, names: Vec<String>) -> Result<Self, TooManyStreams> {
        if names.len() > MOST_STREAMS {
            return Err(TooManyStreams(names.len()));
        }
        Ok(Self(Reconnecting::start(rest.0.access.clone(), Market { rest: rest.clone(), names })))
    }

    /// What comes next; waits for it. `Opened` comes when all streams are subscribed. `None` never, but at the
    /// process's end. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.0.next().await
    }
}

struct Market {
    rest: Rest,
    names: Vec<String>,
}

impl Opener for Market {
    async fn open(&self) -> Result<Open, NotOpen> {
        let rest = &self.rest;
        let url = format!("{}/stream", rest.0.setup.endpoints.streams);
        let mut socket = Socket::open(&url, rest.timeouts()).await.map_err(|e| rest.refused(e))?;
        let mut early = Vec::new();
        for (n, names) in self.names.chunks(AT_ONCE).enumerate() {
            if n > 0 {
                sleep(BETWEEN).await;
            }
            let id = n + 1;
            socket.send(json!({"method": "SUBSCRIBE", "params": names, "id": id}).to_string()).await?;
            self.subscribed(&mut socket, &mut early).await?;
        }
        Ok(Open { socket, subscription: None, early })
    }

    fn farewell(&self, bytes: &[u8]) -> Option<Farewell> {
        const NAME: &[u8] = b"serverShutdown";
        let is_one = bytes.windows(NAME.len()).any(|part| part == NAME)
            && market::decode(bytes).is_ok_and(|frame| frame.message == Message::ServerShutdown);
        is_one.then_some(Farewell::Leaving)
    }
}

impl Market {
    /// Waits for the reply; frames of streams that are subscribed already are kept.
    async fn subscribed(&self, socket: &mut Socket, early: &mut Vec<Vec<u8>>) -> Result<(), NotOpen> {
        let deadline = Instant::now() + self.rest.timeouts().answer;
        loop {
            let heard = timeout_at(deadline, socket.next()).await;
            let bytes = heard.map_err(|_| "the subscription was not answered".to_owned())??;
            match market::decode(&bytes).map(|frame| frame.message) {
                Ok(Message::Reply(reply)) => match reply.code {
                    None => return Ok(()),
                    Some(code) => {
                        let text = reply.text.unwrap_or_default();
                        return Err(format!("the subscription was refused: {code} {text}").into());
                    }
                },
                _ if early.len() < CAPACITY => early.push(bytes),
                _ => {
                    return Err("the subscription was not answered among thousands of frames"
                        .to_owned()
                        .into());
                }
            }
        }
    }
}
