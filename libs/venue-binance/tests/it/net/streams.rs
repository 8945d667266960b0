//! `web-socket-streams.md`, "Live Subscribing": market streams on a connection that is kept.

use super::{
    client, run,
    server::{Reply, Request, Server, time},
};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use venue_binance::net::{Delivery, Streams};

fn script(request: &Request) -> Reply {
    match &*request.what {
        "GET /stream" => Reply::Upgrade,
        _ => time(0),
    }
}

async fn word(streams: &mut Streams) -> String {
    match timeout(Duration::from_secs(20), streams.next()).await.expect("a delivery").expect("streams") {
        Delivery::Opened(connected) => format!("opened {}", connected.connection),
        Delivery::Frame { bytes, .. } => String::from_utf8(bytes).unwrap(),
        Delivery::Away { why } => format!("away: {why}"),
    }
}

const FRAME: &str = r#"{"stream":"s1@kline_1m","data":{"e":"ofTomorrow"}}"#;

#[test]
fn many_streams_are_subscribed_in_few_messages() {
    run(async {
        let mut server = Server::start(script).await;
        let names: Vec<String> = (0..450).map(|n| format!("s{n}@kline_1m")).collect();
        let mut streams = Streams::open(&client(&server), names.clone()).unwrap();
        let mut peer = server.socket().await;
        assert_eq!(peer.path, "/stream");
        let since = Instant::now();
        let mut asked = peer.subscribe_streams().await;
        peer.say(FRAME).await;
        for _ in 0..4 {
            asked.extend(peer.subscribe_streams().await);
        }
        assert_eq!(asked, names);
        assert!(since.elapsed() >= Duration::from_millis(1_100), "five messages a second at most");
        assert_eq!(word(&mut streams).await, "opened 1");
        assert_eq!(word(&mut streams).await, FRAME, "what came while subscribing is not lost");
    });
}

#[test]
fn a_refused_subscription_is_said() {
    run(async {
        let mut server = Server::start(script).await;
        let mut streams = Streams::open(&client(&server), vec!["x".to_owned()]).unwrap();
        let mut peer = server.socket().await;
        peer.hear().await;
        peer.say(r#"{"error":{"code":2,"msg":"Invalid request: unknown stream"},"id":1}"#).await;
        let said = word(&mut streams).await;
        assert!(said.contains("refused: 2 Invalid request"), "{said}");
    });
}

#[test]
fn a_server_that_goes_away_is_left_in_time() {
    run(async {
        let mut server = Server::start(script).await;
        let mut streams = Streams::open(&client(&server), vec!["x".to_owned()]).unwrap();
        let mut old = server.socket().await;
        old.subscribe_streams().await;
        assert_eq!(word(&mut streams).await, "opened 1");
        let farewell = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}"#;
        old.say(farewell).await;
        assert_eq!(word(&mut streams).await, farewell);
        let mut new = server.socket().await;
        new.subscribe_streams().await;
        assert_eq!(word(&mut streams).await, "opened 2");
        new.say(FRAME).await;
        assert_eq!(word(&mut streams).await, FRAME);
    });
}

#[test]
fn more_streams_than_a_connection_takes_are_refused_at_once() {
    run(async {
        let server = Server::start(script).await;
        let names = vec!["x".to_owned(); 1_025];
        let why = Streams::open(&client(&server), names).err().expect("a refusal").to_string();
        assert!(why.contains("1025") && why.contains("1024"), "{why}");
    });
}
