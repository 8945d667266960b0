//! Real sockets, and deadlines short enough to wait for.

use axum::{
    Router,
    extract::{ConnectInfo, WebSocketUpgrade},
    routing::{any, get, post},
};
use http_server::{Limits, serve};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, timeout},
};

/// No answer takes nearly that long.
const PATIENCE: Duration = Duration::from_secs(20);

fn short() -> Limits {
    Limits {
        head: Duration::from_millis(300),
        body: Duration::from_millis(300),
        idle: Duration::from_millis(900),
        write: Duration::from_millis(300),
        largest_body: 1_000,
        connections: 8,
    }
}

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let app = Router::new()
            .route("/", get(|| async { "well" }))
            .route("/me", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
            .route("/echo", post(|body: String| async move { body }))
            .route("/large", get(|| async { "x".repeat(64 << 20) }))
            .route(
                "/ws",
                any(|ws: WebSocketUpgrade| async move {
                    ws.on_upgrade(|mut ws| async move { _ = ws.recv().await })
                }),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, app, limits, async {
            let _ = stopped.await;
        }));
        Self { address, stop: Some(stop), task }
    }

    async fn send(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// What comes until the server closes; a reset is an end, too.
    async fn ask(&self, bytes: &str) -> String {
        rest(&mut self.send(bytes).await).await
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let read = async {
        let mut some = [0; 4_096];
        while let Ok(n @ 1..) = stream.read(&mut some).await {
            all.extend_from_slice(&some[..n]);
        }
    };
    timeout(PATIENCE, read).await.expect("the server closes");
    String::from_utf8_lossy(&all).into_owned()
}

/// One answer with a body of `body` on a connection that stays open.
async fn answer(stream: &mut TcpStream, body: &str) {
    let mut all = String::new();
    while !all.ends_with(body) {
        let mut some = [0; 4_096];
        let n = timeout(PATIENCE, stream.read(&mut some)).await.expect("an answer").unwrap();
        assert_ne!(n, 0, "closed after {all}");
        all += &String::from_utf8_lossy(&some[..n]);
    }
    assert!(all.starts_with("HTTP/1.1 200"), "{all}");
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: here\r\n\r\n";
const ASK_ONCE: &str = "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let server = Server::start(short()).await;
    assert!(server.ask(ASK_ONCE).await.ends_with("well"));
    let mut stream = server.send("GET /me HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
    let me = stream.local_addr().unwrap().to_string();
    assert!(rest(&mut stream).await.ends_with(&me));
}

#[tokio::test]
async fn half_a_request_is_ended_after_the_head_timeout() {
    let server = Server::start(short()).await;
    for half in [
        "",
        "G",
        "GET / HTTP/1.1\r\nX: ",
        "GET /ws HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: web",
    ] {
        let began = Instant::now();
        let told = server.ask(half).await;
        assert!(!told.contains("200"), "{half}: {told}");
        assert!(began.elapsed() < Duration::from_secs(5), "{half}");
    }
}

#[tokio::test]
async fn a_head_that_trickles_in_is_ended_too() {
    let server = Server::start(short()).await;
    let mut stream = server.send("GET / HTTP/1.1\r\n").await;
    let began = Instant::now();
    // More bytes win no more time. Between two of them it is looked whether the server has closed.
    let mut told = [0; 4_096];
    while stream.write_all(b"x: y\r\n").await.is_ok() && began.elapsed() < PATIENCE {
        match timeout(Duration::from_millis(20), stream.read(&mut told)).await {
            Ok(Ok(1..)) | Err(_) => {}
            Ok(Ok(0) | Err(_)) => break,
        }
    }
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_second_request_of_a_connection_has_the_same_deadline() {
    let server = Server::start(short()).await;
    let mut stream = server.send(ASK).await;
    answer(&mut stream, "well").await;
    let began = Instant::now();
    stream.write_all(b"GET / HT").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
    assert!(began.elapsed() < Duration::from_millis(850), "before the idle limit: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_rests_for_longer_than_a_head_may_take_and_not_for_ever() {
    let server = Server::start(short()).await;
    let mut stream = server.send(ASK).await;
    answer(&mut stream, "well").await;
    // Half a head that begins now is ended by the head timeout, and this one rests on.
    rest(&mut server.send("GET / HTTP/1.1\r\n").await).await;
    stream.write_all(ASK.as_bytes()).await.unwrap();
    answer(&mut stream, "well").await;
    assert_eq!(rest(&mut stream).await, "", "it is closed while it rests");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_with_408_and_one_too_large_with_413() {
    let server = Server::start(short()).await;
    let slow = server.ask("POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 9\r\n\r\nhalf").await;
    assert!(slow.starts_with("HTTP/1.1 408") && slow.contains("did not come in time"), "{slow}");
    let large =
        format!("POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 2000\r\n\r\n{}", "x".repeat(2_000));
    let large = server.ask(&large).await;
    assert!(large.starts_with("HTTP/1.1 413"), "{large}");
    let whole = "POST /echo HTTP/1.1\r\nhost: here\r\ncontent-length: 5\r\nconnection: close\r\n\r\nwhole";
    assert!(server.ask(whole).await.ends_with("whole"));
}

#[tokio::test]
async fn a_body_of_malformed_chunks_is_answered_with_400_and_one_of_too_many_with_413() {
    let server = Server::start(short()).await;
    let chunked =
        |body: &str| format!("POST /echo HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n{body}");
    for body in ["zz\r\nwell\r\n0\r\n\r\n", "2\r\nwell\r\n0\r\n\r\n", "-1\r\n", "ffffffffffffffffff\r\nx"] {
        let told = server.ask(&chunked(body)).await;
        assert!(told.starts_with("HTTP/1.1 400") && told.contains("malformed"), "{body}: {told}");
    }
    let large = server.ask(&chunked(&format!("7d0\r\n{}\r\n0\r\n\r\n", "x".repeat(2_000)))).await;
    assert!(large.starts_with("HTTP/1.1 413") && large.contains("1000 bytes at most"), "{large}");
    // One that is cut off in the middle has nobody left who reads the answer but whoever closed one half.
    for body in ["5\r\nwh", ""] {
        let mut stream = server.send(&chunked(body)).await;
        stream.shutdown().await.unwrap();
        let told = rest(&mut stream).await;
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 400"), "{body}: {told}");
    }
    assert!(server.ask(ASK_ONCE).await.ends_with("well"));
}

#[tokio::test]
async fn one_connection_too_many_is_told_so_at_once_and_the_next_one_after_an_end_is_served() {
    let server = Server::start(Limits { head: Duration::from_secs(60), ..short() }).await;
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(server.send("GET / HTTP/1.1\r\n").await);
    }
    let began = Instant::now();
    let refused = server.ask(ASK).await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("8 connections are open, which is the limit"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(5));
    held.pop();
    let mut told = String::new();
    while !told.ends_with("well") && began.elapsed() < PATIENCE {
        told = server.ask(ASK_ONCE).await;
    }
    assert!(told.ends_with("well"), "{told}");
}

#[tokio::test]
async fn a_web_socket_keeps_its_seat_and_is_not_ended_for_resting() {
    let server = Server::start(Limits { connections: 2, ..short() }).await;
    let upgrade = "GET /ws HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let mut socket = server.send(upgrade).await;
    let mut head = [0; 32];
    socket.read_exact(&mut head).await.unwrap();
    assert!(head.starts_with(b"HTTP/1.1 101"));
    // A connection that rests from now on is ended before.
    let mut resting = server.send(ASK).await;
    answer(&mut resting, "well").await;
    assert_eq!(rest(&mut resting).await, "", "it is closed while it rests");
    drop(resting);
    let began = Instant::now();
    let other = loop {
        // The seat of the closed one is free a moment later.
        let mut socket = server.send(upgrade).await;
        let mut head = [0; 12];
        socket.read_exact(&mut head).await.unwrap();
        if head.starts_with(b"HTTP/1.1 101") {
            break socket;
        }
        assert!(began.elapsed() < PATIENCE);
    };
    assert!(server.ask(ASK).await.starts_with("HTTP/1.1 503"), "both seats are taken");
    drop((socket, other));
    let began = Instant::now();
    while !server.ask(ASK_ONCE).await.ends_with("well") {
        assert!(began.elapsed() < PATIENCE);
    }
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_let_go_of() {
    let server = Server::start(Limits { connections: 1, ..short() }).await;
    let _deaf = server.send("GET /large HTTP/1.1\r\nhost: here\r\n\r\n").await;
    let began = Instant::now();
    while !server.ask(ASK_ONCE).await.ends_with("well") {
        assert!(began.elapsed() < PATIENCE, "the deaf peer keeps the only seat");
    }
}

#[tokio::test]
async fn it_stops_though_somebody_has_sent_half_a_request_or_rests() {
    let mut server = Server::start(Limits { head: Duration::from_secs(2), ..short() }).await;
    let _half = server.send("GET / HTTP/1.1\r\n").await;
    let mut resting = server.send(ASK).await;
    answer(&mut resting, "well").await;
    server.stop.take().unwrap().send(()).unwrap();
    timeout(PATIENCE, server.task).await.expect("it stops").unwrap();
}
