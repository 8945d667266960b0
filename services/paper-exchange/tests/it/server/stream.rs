//! `web-socket-streams.md`: raw and combined streams, live subscribing, limits.

use super::{
    rig::{Make, live, now},
    socket::{Ended, Socket},
};
use paper_exchange::server::{
    Limits,
    commands::{Listening, command},
};
use serde_json::{Value, json};

#[tokio::test]
async fn raw_and_combined_streams() {
    let rig = live().await;
    let mut raw = Socket::open(&rig, "/ws/btcusdt@depth@100ms").await;
    let update = raw.hear().await;
    assert_eq!(update["e"], "depthUpdate", "{update}");
    let mut two = Socket::open(&rig, "/ws/btcusdt@bookTicker/btcusdt@depth5@100ms").await;
    two.until(|heard| heard["lastUpdateId"].is_u64()).await;
    let mut combined =
        Socket::open(&rig, "/stream?streams=btcusdt@depth@100ms/btcusdt%40depth5%40100ms").await;
    for name in ["btcusdt@depth@100ms", "btcusdt@depth5@100ms"] {
        let heard = combined.until(|heard| heard["stream"] == name).await;
        assert!(heard["data"].is_object());
    }
    let mut micro = Socket::open(&rig, "/stream?streams=btcusdt@depth@100ms&timeUnit=MICROSECOND").await;
    let update = micro.hear().await;
    assert!(update["data"]["E"].as_i64() > Some(now() * 999), "{update}");
    rig.stop().await;
}

/// A plus in a path is a plus: names of time zones have one.
#[tokio::test]
async fn a_stream_of_another_time_zone_is_named_in_the_path() {
    let rig = live().await;
    for path in [
        "/ws/btcusdt@kline_1d@+08:00",
        "/ws/btcusdt@kline_1d@%2B08:00",
        "/stream?streams=btcusdt@kline_1d@+08:00",
        "/stream?streams=btcusdt%40kline_1d%40%2B08:00",
    ] {
        let mut socket = Socket::open(&rig, path).await;
        socket.say(json!({ "method": "LIST_SUBSCRIPTIONS", "id": 3 })).await;
        let listed = socket.until(|heard| heard["id"] == 3).await;
        assert_eq!(listed["result"], json!(["btcusdt@kline_1d@+08:00"]), "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn live_subscribing_and_unsubscribing() {
    let rig = live().await;
    let mut socket = Socket::open(&rig, "/ws").await;
    socket.say(json!({ "method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1 })).await;
    assert_eq!(socket.hear().await, json!({ "result": null, "id": 1 }));
    assert_eq!(socket.hear().await["e"], "depthUpdate");
    socket.say(json!({ "method": "SET_PROPERTY", "params": ["combined", true], "id": "p" })).await;
    socket.until(|heard| *heard == json!({ "result": null, "id": "p" })).await;
    socket.until(|heard| heard["stream"] == "btcusdt@depth@100ms").await;
    socket.say(json!({ "method": "UNSUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 2 })).await;
    socket.until(|heard| heard["id"] == 2).await;
    socket.say(json!({ "method": "LIST_SUBSCRIPTIONS", "id": 3 })).await;
    assert_eq!(socket.hear().await, json!({ "result": [], "id": 3 }), "nothing comes after the answer");
    rig.stop().await;
}

#[tokio::test]
async fn who_closes_is_answered_with_a_close_frame() {
    let rig = live().await;
    for path in ["/ws/btcusdt@depth@100ms", "/stream", "/ws-api/v3"] {
        let mut socket = Socket::open(&rig, path).await;
        assert_eq!(socket.leave().await, Ended::Closed(1000), "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn five_messages_a_second() {
    let rig = live().await;
    let mut socket = Socket::open(&rig, "/ws").await;
    for id in 0..6 {
        socket.say(json!({ "method": "LIST_SUBSCRIPTIONS", "id": id })).await;
    }
    let mut answers = 0;
    let ended = loop {
        match socket.next().await {
            Ok(_) => answers += 1,
            Err(ended) => break ended,
        }
    };
    assert_eq!((answers, ended), (5, Ended::Closed(1008)));
    rig.stop().await;
}

#[tokio::test]
async fn three_hundred_connections_in_five_minutes() {
    let rig =
        Make { limits: Limits { connections: 2, ..Limits::default() }, ..Make::default() }.start().await;
    let _one = Socket::open(&rig, "/ws").await;
    let _two = Socket::open(&rig, "/ws-api/v3").await;
    let refused = Socket::try_open(&rig, "/ws").await.err().expect("refused");
    let tokio_tungstenite::tungstenite::Error::Http(answer) = refused else { panic!("{refused}") };
    assert_eq!(answer.status(), 429);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(rig.status().await["connections"], 2);
    rig.stop().await;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let rig = Make { limits: Limits { queue: 16, ..Limits::default() }, ..Make::default() }.start().await;
    let mut mute = super::tcp::Mute::open(rig.address, "/ws-api/v3").await;
    let mut good = Socket::open(&rig, "/ws-api/v3").await;
    // A masked text frame, mask zero, asking for exchange info again and again without reading.
    let text = br#"{"id":1,"method":"exchangeInfo"}"#;
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(text);
    for _ in 0..200 {
        mute.write(&frame).await;
    }
    assert_eq!(good.ask("ping", json!({})).await["status"], 200, "nobody else waits for it");
    rig.stop().await;
    assert!(mute.ends().await);
}

/// "Error Messages"
#[test]
fn error_messages() {
    let cases = [
        (
            r#"{"method":"SET_PROPERTY","params":["colour",true],"id":1}"#,
            json!({ "code": 0, "msg": "Unknown property", "id": 1 }),
        ),
        (
            r#"{"method":"GET_PROPERTY","params":["colour"],"id":1}"#,
            json!({ "code": 0, "msg": "Unknown property", "id": 1 }),
        ),
        (
            r#"{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}"#,
            json!({ "code": 1, "msg": "Invalid value type: expected Boolean" }),
        ),
        (r#"{"method":"SET_PROPERTY","params":[1,true],"id":1}"#, invalid("property name must be a string")),
        (r#"{"method":"GET_PROPERTY","params":[],"id":1}"#, invalid("property name must be a string")),
        (r#"{"method":"GET_PROPERTY","params":["combined","x"],"id":1}"#, invalid("too many parameters")),
        (r#"{"method":"SUBSCRIBE","params":["a@trade"]}"#, invalid("request ID must be an unsigned integer")),
        (
            r#"{"method":"SUBSCRIBE","params":["a@trade"],"id":1.5}"#,
            invalid("request ID must be an unsigned integer"),
        ),
        (r#"{"params":["a@trade"],"id":1}"#, invalid("missing field `method` at line 1 column 29")),
        (
            r#"{"method":"subscribe","params":[],"id":1}"#,
            invalid(
                "unknown variant `subscribe`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 21",
            ),
        ),
        ("what", json!({ "code": 3, "msg": "Invalid JSON: expected value at line 1 column 1" })),
    ];
    for (text, expected) in cases {
        let mut listening = Listening::default();
        assert_eq!(command(text, &mut listening, 1_024), expected, "{text}");
        assert_eq!(listening, Listening::default());
    }
}

#[test]
fn a_connection_has_1024_streams_at_most() {
    let names: Vec<String> = (0..1_024).map(|n| format!("s{n}@trade")).collect();
    let mut listening = Listening::default();
    let answer = command(
        &json!({ "method": "SUBSCRIBE", "params": names, "id": null }).to_string(),
        &mut listening,
        1_024,
    );
    assert_eq!(answer, json!({ "result": null, "id": null }));
    let more = command(r#"{"method":"SUBSCRIBE","params":["more@trade"],"id":1}"#, &mut listening, 1_024);
    assert_eq!((more["code"].as_i64(), listening.streams.len()), (Some(2), 1_024));
}

fn invalid(why: &str) -> Value {
    json!({ "code": 2, "msg": format!("Invalid request: {why}") })
}
