//! One WebSocket connection: opened, listened to, and noticed when it is dead.

use crate::Timeouts;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

/// One WebSocket connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// When something, a ping for instance, last came.
    heard: Instant,
    silence: Duration,
    answer: Duration,
    /// When the connection was made.
    pub opened: Instant,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum NoSocket {
    /// The venue answered the handshake with an error.
    Refused {
        status: u16,
        body: Vec<u8>,
        retry_after: Option<String>,
    },
    Unreached(String),
}

/// The largest frame that is taken; venues' are far smaller.
const LARGEST_FRAME: usize = 16 << 20;

impl Socket {
    /// # Errors
    /// No connection in time, or the venue refused the handshake.
    pub async fn open(url: &str, timeouts: &Timeouts) -> Result<Self, NoSocket> {
        crate::tls();
        let config = WebSocketConfig::default()
            .max_message_size(Some(LARGEST_FRAME))
            .max_frame_size(Some(LARGEST_FRAME));
        let opening = connect_async_with_config(url, Some(config), true);
        let (stream, _) = match timeout(timeouts.connect, opening).await {
            Ok(opened) => opened.map_err(no_socket)?,
            Err(_) => return Err(NoSocket::Unreached(format!("no answer in {:?}", timeouts.connect))),
        };
        let now = Instant::now();
        let (silence, answer) = (timeouts.silence, timeouts.answer);
        Ok(Self { stream, heard: now, silence, answer, opened: now })
    }

    /// The next text; pings are answered on the way. May be dropped and called again.
    ///
    /// # Errors
    /// The connection is over; why.
    pub async fn next(&mut self) -> Result<Vec<u8>, String> {
        loop {
            let deadline = self.heard + self.silence;
            let message = match timeout_at(deadline, self.stream.next()).await {
                Err(_) => return Err(format!("nothing came for {:?}, not even a ping", self.silence)),
                Ok(None) => return Err("it was closed".to_owned()),
                Ok(Some(Err(why))) => return Err(why.to_string()),
                Ok(Some(Ok(message))) => message,
            };
            self.heard = Instant::now();
            match message {
                Message::Text(text) => return Ok(text.as_bytes().to_vec()),
                Message::Binary(bytes) => return Ok(bytes.to_vec()),
                Message::Close(Some(frame)) => {
                    return Err(format!("the venue closed it: {} {}", frame.code, frame.reason));
                }
                Message::Close(None) => return Err("the venue closed it".to_owned()),
                // The answer to a ping is on its way when the next message is asked for.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    /// Of a connection that is over: until when it was heard. One over which nothing came any more ended with the last
    /// that came.
    pub(crate) fn heard_until(&self) -> Instant {
        if self.heard.elapsed() >= self.silence { self.heard } else { Instant::now() }
    }

    /// # Errors
    /// It may have been sent, or not; the connection is of no use.
    pub async fn send(&mut self, text: String) -> Result<(), String> {
        match timeout(self.answer, self.stream.send(Message::text(text))).await {
            Ok(sent) => sent.map_err(|e| e.to_string()),
            Err(_) => Err(format!("it took nothing for {:?}", self.answer)),
        }
    }

    /// Says goodbye, if that is quick.
    pub async fn close(mut self) {
        _ = timeout(Duration::from_millis(200), self.stream.close(None)).await;
    }
}

fn no_socket(e: tungstenite::Error) -> NoSocket {
    match e {
        tungstenite::Error::Http(response) => {
            let status = response.status().as_u16();
            let retry_after = response.headers().get("Retry-After").and_then(|v| v.to_str().ok());
            let retry_after = retry_after.map(ToOwned::to_owned);
            NoSocket::Refused { status, body: response.into_body().unwrap_or_default(), retry_after }
        }
        other => NoSocket::Unreached(other.to_string()),
    }
}
