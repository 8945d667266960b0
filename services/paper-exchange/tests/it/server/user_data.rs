//! `web-socket-api.md`: requests, session authentication, user data streams.

use super::{
    rig::{Make, live, now},
    socket::{Ended, Socket, sign},
};
use paper_exchange::server::Limits;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use venue_binance::sign::Signer;

/// RFC 8032's first test key, whose secret everybody knows, as PKCS#8.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";

fn order(id: &str) -> Value {
    json!({ "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.00100000",
        "price": "40000.00", "newClientOrderId": id, "recvWindow": 5000 })
}

#[tokio::test]
async fn request_and_response_format() {
    let rig = live().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let time = api.ask("time", json!({})).await;
    assert_eq!(time["status"], 200);
    assert!(time["result"]["serverTime"].is_i64());
    assert_eq!(time["rateLimits"][0]["rateLimitType"], "REQUEST_WEIGHT");
    let quiet = api.ask("v3/time", json!({ "returnRateLimits": false })).await;
    assert!(quiet.get("rateLimits").is_none(), "{quiet}");
    for (text, id, status, code) in [
        ("nonsense", Value::Null, 400, -1135),
        ("[1]", Value::Null, 400, -1135),
        ("{\"id\":{},\"method\":\"time\"}", Value::Null, 400, -1135),
        ("{\"id\":7}", json!(7), 400, -1102),
        ("{\"id\":8,\"method\":\"no.such\"}", json!(8), 400, -1020),
        ("{\"id\":9,\"method\":\"userDataStream.start\"}", json!(9), 410, -1016),
        ("{\"id\":null,\"method\":\"account.status\",\"params\":{}}", Value::Null, 400, -1102),
        ("{\"id\":\"x\",\"method\":\"depth\",\"params\":{\"symbol\":\"NONE\"}}", json!("x"), 400, -1121),
    ] {
        api.say(text).await;
        let answer = api.hear().await;
        assert_eq!(
            (&answer["id"], &answer["status"], &answer["error"]["code"]),
            (&id, &json!(status), &json!(code)),
            "{text}: {answer}"
        );
    }
    let mut quiet = Socket::open(&rig, "/ws-api/v3?returnRateLimits=false&timeUnit=MICROSECOND").await;
    let time = quiet.ask("time", json!({})).await;
    assert!(time.get("rateLimits").is_none(), "{time}");
    assert!(time["result"]["serverTime"].as_i64() > Some(now() * 999), "{time}");
    let time = quiet.ask("time", json!({ "returnRateLimits": true })).await;
    assert!(time.get("rateLimits").is_some(), "{time}");
    rig.stop().await;
}

#[tokio::test]
async fn signature_subscription_hears_every_order() {
    let rig = live().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let subscribed = api.ask_signed("userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(subscribed["result"], json!({ "subscriptionId": 0 }), "{subscribed}");
    let again = api.ask_signed("userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(again["error"]["code"], -2035);
    assert_eq!(api.ask("session.subscriptions", json!({})).await["result"], json!([{ "subscriptionId": 0 }]));

    rig.rest_order("over-rest").await.ok();
    let told = api.until(|heard| heard["event"]["e"] == "executionReport").await;
    assert_eq!((&told["subscriptionId"], &told["event"]["c"]), (&json!(0), &json!("over-rest")));
    let placed = api.ask_signed("order.place", order("over-ws")).await;
    assert_eq!(placed["result"]["status"], "NEW", "{placed}");
    assert_eq!(placed["rateLimits"][0]["count"], 2, "orders count: {placed}");

    let ended = api.ask("userDataStream.unsubscribe", json!({})).await;
    assert_eq!(ended["result"], json!({}));
    let told = api.until(|heard| heard["event"]["e"] == "eventStreamTerminated").await;
    assert_eq!(told["subscriptionId"], 0);
    let wrong = api.ask("userDataStream.unsubscribe", json!({ "subscriptionId": 0 })).await;
    assert_eq!(wrong["error"]["code"], -2036);
    let subscribed = api.ask_signed("userDataStream.subscribe.signature", json!({})).await;
    assert_eq!(subscribed["result"]["subscriptionId"], 1, "numbers are not used again");
    rig.stop().await;
}

#[tokio::test]
async fn session_authentication() {
    let account = format!(
        "[[key]]\napi_key = \"ed\"\npublic_key = \"\"\"{PUBLIC}\"\"\"\n[[key]]\napi_key = \"hmac\"\nsecret = \"s\"\n"
    );
    let rig = Make { account, ..Make::default() }.start().await;
    let ed = Signer::ed25519(PRIVATE).expect("a key");
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let before = api.ask("session.status", json!({})).await;
    assert_eq!(before["result"]["apiKey"], Value::Null, "{before}");
    assert_eq!(api.ask("userDataStream.subscribe", json!({})).await["error"]["code"], -2015);

    let hmac = Signer::hmac("s").expect("a secret");
    let refused = api.ask("session.logon", sign(json!({}), "hmac", &hmac, now())).await;
    assert_eq!(refused["status"], 400, "{refused}");
    let refused = api.ask("session.logon", sign(json!({}), "ed", &hmac, now())).await;
    assert_eq!(refused["error"]["code"], -1022);
    let stale = api.ask("session.logon", sign(json!({}), "ed", &ed, now() - 60_000)).await;
    assert_eq!(stale["error"]["code"], -1021);

    let on = api.ask("session.logon", sign(json!({}), "ed", &ed, now())).await;
    assert_eq!(on["result"]["apiKey"], "ed", "{on}");
    assert_eq!(api.ask("userDataStream.subscribe", json!({})).await["result"]["subscriptionId"], 0);
    assert_eq!(api.ask("session.status", json!({})).await["result"]["userDataStream"], true);
    // Neither key nor signature is needed now, but a time still is.
    let mut wish = order("by-session");
    wish["timestamp"] = now().into();
    assert_eq!(api.ask("order.place", wish).await["status"], 200);
    assert_eq!(api.ask("order.place", order("without-time")).await["error"]["code"], -1102);
    // Another key for one request.
    let ad_hoc = api.ask("account.status", sign(json!({}), "hmac", &hmac, now())).await;
    assert_eq!(ad_hoc["status"], 200, "{ad_hoc}");

    let off = api.ask("session.logout", json!({})).await;
    assert_eq!(off["result"]["apiKey"], Value::Null);
    let told = api.hear().await;
    assert_eq!(told["event"]["e"], "eventStreamTerminated");
    let refused = api.ask("account.status", json!({ "timestamp": now() })).await;
    assert_eq!(refused["error"]["code"], -1102);
    rig.stop().await;
}

#[tokio::test]
async fn pings_and_their_pongs() {
    let limits = Limits { ping_every: Duration::from_millis(20), ..Limits::default() };
    let rig = Make { limits, ..Make::default() }.start().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    // The client answers by itself as long as it reads.
    for _ in 0..3 {
        assert!(matches!(api.message().await, Message::Ping(payload) if !payload.is_empty()));
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_connection_without_pongs_ends() {
    let limits = Limits {
        ping_every: Duration::from_millis(20),
        pong_within: Duration::from_millis(100),
        ..Limits::default()
    };
    let rig = Make { limits, ..Make::default() }.start().await;
    let mut mute = super::tcp::Mute::open(rig.address, "/ws-api/v3").await;
    assert!(mute.ends().await);
    rig.stop().await;
}

#[tokio::test]
async fn twenty_four_hours_are_the_longest() {
    let limits = Limits { longest_connection: Duration::from_millis(50), ..Limits::default() };
    let rig = Make { limits, ..Make::default() }.start().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    assert_eq!(api.next().await, Err(Ended::Closed(1001)));
    rig.stop().await;
}

#[tokio::test]
async fn server_shutdown_is_told() {
    let rig = live().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let mut raw = Socket::open(&rig, "/ws/btcusdt@trade").await;
    let mut combined = Socket::open(&rig, "/stream?streams=btcusdt@avgPrice").await;
    assert_eq!(api.ask("ping", json!({})).await["result"], json!({}));
    rig.stop().await;
    let told = api.until(|heard| heard["event"]["e"] == "serverShutdown").await;
    assert!(told["event"]["E"].is_i64());
    raw.until(|heard| heard["e"] == "serverShutdown").await;
    combined.until(|heard| heard["stream"] == "!serverShutdown").await;
    assert!(matches!(api.next().await, Err(Ended::Closed(1001))));
}
