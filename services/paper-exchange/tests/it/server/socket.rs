//! A WebSocket client that shows what it hears.

use super::rig::{Rig, TIMEOUT, now, signer};
use futures_util::{SinkExt, StreamExt};
use paper_exchange::server::keys::PAPER_KEY;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use venue_binance::sign::Signer;

pub struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// Why nothing more comes.
#[derive(Debug, PartialEq)]
pub enum Ended {
    Closed(u16),
    /// Without a close frame.
    Cut,
}

impl Socket {
    pub async fn open(rig: &Rig, path: &str) -> Self {
        Self::try_open(rig, path).await.expect("a connection")
    }

    pub async fn try_open(rig: &Rig, path: &str) -> Result<Self, tungstenite::Error> {
        let url = format!("ws://{}{path}", rig.address);
        Ok(Self(timeout(TIMEOUT, connect_async(url)).await.expect("in time")?.0))
    }

    /// The status with which it is not let in.
    pub async fn refusal(rig: &Rig, path: &str) -> Option<u16> {
        match Self::try_open(rig, path).await {
            Err(tungstenite::Error::Http(answer)) => Some(answer.status().as_u16()),
            _ => None,
        }
    }

    pub async fn say(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.expect("sent");
    }

    /// The next text.
    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Ok(text) => serde_json::from_str(&text).expect("JSON"),
            Err(ended) => panic!("nothing more: {ended:?}"),
        }
    }

    /// The next text, or how it ended.
    pub async fn next(&mut self) -> Result<String, Ended> {
        timeout(TIMEOUT, self.next_for_ever()).await.expect("something in time")
    }

    /// Says that it leaves; what the other side says to that.
    pub async fn leave(&mut self) -> Ended {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.0.send(Message::Close(Some(frame))).await.expect("sent");
        loop {
            if let Err(ended) = self.next().await {
                return ended;
            }
        }
    }

    /// Whether nothing at all is said for so long.
    pub async fn is_silent(&mut self, long: Duration) -> bool {
        timeout(long, self.next_for_ever()).await.is_err()
    }

    async fn next_for_ever(&mut self) -> Result<String, Ended> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => {
                    return Err(Ended::Closed(frame.map_or(0, |frame| frame.code.into())));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(Ended::Cut),
            }
        }
    }

    /// The next message of any kind.
    pub async fn message(&mut self) -> Message {
        timeout(TIMEOUT, self.0.next()).await.expect("in time").expect("a message").expect("whole")
    }

    /// Until one fits.
    pub async fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        let search = async {
            loop {
                let heard = self.hear().await;
                if fits(&heard) {
                    return heard;
                }
            }
        };
        timeout(TIMEOUT, search).await.expect("it in time")
    }

    /// Asks, and hears the answer; what else is heard before is passed over.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.say(json!({ "id": method, "method": method, "params": params })).await;
        self.until(|heard| heard["id"] == *method).await
    }

    /// As [`Self::ask`], signed with the paper key.
    pub async fn ask_signed(&mut self, method: &str, params: Value) -> Value {
        self.ask(method, sign(params, PAPER_KEY, &signer(), now())).await
    }
}

/// Parameters with key, time and signature.
pub fn sign(params: Value, key: &str, signer: &Signer, at: i64) -> Value {
    let mut params = params.as_object().cloned().unwrap_or_default();
    params.insert("apiKey".to_owned(), key.into());
    params.insert("timestamp".to_owned(), at.into());
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let pairs: Vec<String> = params.iter().map(|(name, value)| format!("{name}={}", plain(value))).collect();
    params.insert("signature".to_owned(), signer.sign(&pairs.join("&")).into());
    params.into()
}
