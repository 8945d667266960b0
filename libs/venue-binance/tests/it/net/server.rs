//! A venue that says what a test tells it to, over HTTP and WebSocket on one port.

use super::SECRET;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use venue_binance::sign::Signer;

/// Runs until it is dropped.
pub struct Server {
    pub address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    sockets: mpsc::UnboundedReceiver<Peer>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
pub struct Request {
    /// E.g. `GET /api/v3/order`.
    pub what: String,
    pub query: BTreeMap<String, String>,
    pub raw_query: String,
    pub headers: BTreeMap<String, String>,
    pub at: Instant,
}

#[derive(Debug, Clone)]
pub enum Reply {
    Json(u16, String),
    With(u16, Vec<(&'static str, String)>, String),
    /// Closes without a word.
    HangUp,
    /// The head and a part of the body.
    Half,
    /// The same with a status and a header, and then the end, or nothing more for ever.
    HalfOf(u16, (&'static str, String), End),
    /// After so long.
    Later(Duration, String),
    Never,
    /// Of a handshake: takes it.
    Upgrade,
}

#[derive(Debug, Clone, Copy)]
pub enum End {
    Breaks,
    Stalls,
}

pub fn ok(body: impl ToString) -> Reply {
    Reply::Json(200, body.to_string())
}

pub fn error(status: u16, code: i64, text: &str) -> Reply {
    Reply::Json(status, serde_json::json!({"code": code, "msg": text}).to_string())
}

/// One WebSocket of the client's, from the other end.
pub struct Peer {
    pub path: String,
    pub stream: WebSocketStream<TcpStream>,
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

impl Server {
    pub async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (sender, sockets) = mpsc::unbounded_channel();
        let script: Arc<Script> = Arc::new(script);
        let task = tokio::spawn(accept(listener, script, Arc::clone(&requests), sender));
        Self { address, requests, sockets, task }
    }

    /// All so far, in order; those of the clock only if asked for by their path.
    pub fn requests(&self, what: &str) -> Vec<Request> {
        self.requests.lock().unwrap().iter().filter(|r| r.what == what).cloned().collect()
    }

    pub fn count(&self, what: &str) -> usize {
        self.requests(what).len()
    }

    /// The next WebSocket that the client opens.
    pub async fn socket(&mut self) -> Peer {
        timeout(Duration::from_secs(20), self.sockets.recv()).await.expect("a connection").unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// The client's next message.
    pub async fn hear(&mut self) -> Value {
        loop {
            let next = timeout(Duration::from_secs(20), self.stream.next()).await.expect("a message");
            match next.expect("an open socket").expect("a message") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("no text: {other:?}"),
            }
        }
    }

    pub async fn say(&mut self, text: impl ToString) {
        self.stream.send(Message::text(text.to_string())).await.unwrap();
    }

    /// Takes the subscription to the account's stream.
    pub async fn subscribe(&mut self, number: i64) -> Value {
        let asked = self.hear().await;
        self.say(serde_json::json!({
            "id": asked["id"], "status": 200, "result": {"subscriptionId": number}
        }))
        .await;
        asked
    }

    /// Takes the subscription to market streams.
    pub async fn subscribe_streams(&mut self) -> Vec<String> {
        let asked = self.hear().await;
        assert_eq!(asked["method"], "SUBSCRIBE");
        self.say(serde_json::json!({"result": null, "id": asked["id"]})).await;
        serde_json::from_value(asked["params"].clone()).unwrap()
    }
}

impl Request {
    /// Whether key and signature are right, as Binance checks them.
    pub fn is_signed(&self) -> bool {
        let Some((payload, signature)) = self.raw_query.split_once("&signature=") else { return false };
        let verifier = Signer::from_secret(SECRET).unwrap().verifier();
        self.headers.get("x-mbx-apikey").is_some_and(|key| key == "key")
            && verifier.verify(payload, signature)
    }

    pub fn timestamp(&self) -> i64 {
        self.query["timestamp"].parse().unwrap()
    }
}

async fn accept(
    listener: TcpListener,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    sockets: mpsc::UnboundedSender<Peer>,
) {
    // Connections end with the server.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, Arc::clone(&script), Arc::clone(&requests), sockets.clone()));
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
    sockets: mpsc::UnboundedSender<Peer>,
) {
    loop {
        let Some((head, length)) = peek(&stream).await else { return };
        let request = parse(&head);
        requests.lock().unwrap().push(request.clone());
        let reply = script(&request);
        if let Reply::Upgrade = reply {
            let Ok(ws) = accept_async(stream).await else { return };
            let path = request.what.trim_start_matches("GET ").to_owned();
            _ = sockets.send(Peer { path, stream: ws });
            return;
        }
        let mut taken = vec![0; length];
        stream.read_exact(&mut taken).await.unwrap();
        let (status, headers, body) = match reply {
            Reply::Json(status, body) => (status, Vec::new(), body),
            Reply::Later(pause, body) => {
                tokio::time::sleep(pause).await;
                (200, Vec::new(), body)
            }
            Reply::HalfOf(status, (name, value), end) => {
                let head = format!("HTTP/1.1 {status} X\r\n{name}: {value}\r\nContent-Length: 500\r\n\r\n{{");
                _ = stream.write_all(head.as_bytes()).await;
                match end {
                    End::Breaks => return,
                    End::Stalls => std::future::pending().await,
                }
            }
            Reply::With(status, headers, body) => (status, headers, body),
            Reply::HangUp | Reply::Upgrade => return,
            Reply::Never => std::future::pending().await,
            Reply::Half => {
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"symbol\":").await;
                return;
            }
        };
        let mut answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str("\r\n");
        answer.push_str(&body);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The head of the next request, and its length; it stays unread. No request here has a body.
async fn peek(stream: &TcpStream) -> Option<(String, usize)> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = stream.peek(&mut buffer).await.ok()?;
        if read == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if let Some(end) = text.find("\r\n\r\n") {
            return Some((text[..end].to_owned(), end + 4));
        }
        tokio::task::yield_now().await;
    }
}

fn parse(head: &str) -> Request {
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let (path, raw_query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = raw_query.split('&').filter_map(|pair| pair.split_once('='));
    let headers = lines.filter_map(|line| line.split_once(": "));
    Request {
        what: format!("{method} {path}"),
        query: pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        raw_query: raw_query.to_owned(),
        headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
        at: Instant::now(),
    }
}

/// The machine's time, moved by so many milliseconds, as `GET /api/v3/time` tells it.
pub fn time(ahead_ms: i64) -> Reply {
    ok(serde_json::json!({"serverTime": super::machine().millis() + ahead_ms}))
}
