//! `web-socket-api.md`: orders over one connection.

use super::{
    account, btc, id, run,
    server::{Peer, Reply, Request, Server, time},
    setup, single, stamp, told,
};
use serde_json::{Value, json};
use std::time::Duration;
use venue::Venue;
use venue_binance::{net::Rest, sign::Signer};

fn script(request: &Request) -> Reply {
    match &*request.what {
        "GET /ws-api/v3" => Reply::Upgrade,
        "GET /api/v3/time" => time(0),
        other => panic!("{other}"),
    }
}

async fn start() -> (Server, Rest) {
    let server = Server::start(script).await;
    let client = Rest::with_ws_api(setup(&server)).unwrap();
    (server, client)
}

fn submitting(client: &Rest) -> tokio::task::JoinHandle<String> {
    let client = client.clone();
    tokio::spawn(async move { told(&client.submit(account(), btc(), &single(), stamp()).await) })
}

async fn answer(peer: &mut Peer, asked: &Value, status: u16, body: Value) {
    let name = if status == 200 { "result" } else { "error" };
    let limits = json!([{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000, "count": 70}]);
    peer.say(json!({"id": asked["id"], "status": status, name: body, "rateLimits": limits})).await;
}

fn placed() -> Value {
    json!({"symbol": "BTCUSDT", "orderId": 12, "clientOrderId": "a", "transactTime": 5})
}

fn is_signed(asked: &Value) -> bool {
    let params = asked["params"].as_object().unwrap();
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    // A JSON object here is sorted by its names already.
    let pairs = params.iter().filter(|(name, _)| *name != "signature");
    let payload: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", plain(value))).collect();
    let verifier = Signer::from_secret(super::SECRET).unwrap().verifier();
    verifier.verify(&payload.join("&"), params["signature"].as_str().unwrap())
}

#[test]
fn an_order_a_cancel_and_a_lookup_go_over_the_connection() {
    run(async {
        let (mut server, client) = start().await;
        let order = submitting(&client);
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        assert_eq!(asked["method"], "order.place");
        assert!(is_signed(&asked));
        answer(&mut peer, &asked, 200, placed()).await;
        assert_eq!(order.await.unwrap(), "a accepted as 12");
        let other = client.clone();
        let cancel =
            tokio::spawn(async move { told(&other.cancel(account(), btc(), id("a"), None, stamp()).await) });
        let asked = peer.hear().await;
        assert_eq!(asked["method"], "order.cancel");
        answer(&mut peer, &asked, 400, json!({"code": -2011, "msg": "Unknown order sent."})).await;
        // What became of it is asked over the same connection.
        let asked = peer.hear().await;
        assert_eq!(asked["method"], "order.status");
        answer(&mut peer, &asked, 400, json!({"code": -2013, "msg": "Order does not exist."})).await;
        // It may have had that name before it was amended.
        let asked = peer.hear().await;
        assert_eq!(asked["method"], "allOrders");
        answer(&mut peer, &asked, 200, json!([])).await;
        assert_eq!(cancel.await.unwrap(), "a cancel rejected Some(-2011) Unknown order sent.");
        let other = client.clone();
        let look_up = tokio::spawn(async move {
            told(&other.look_up(account(), btc(), id("a"), domain::Timestamp::ZERO).await)
        });
        for _ in 0..2 {
            let asked = peer.hear().await;
            assert_eq!(asked["method"], "order.status");
            answer(&mut peer, &asked, 400, json!({"code": -2013, "msg": "Order does not exist."})).await;
        }
        let asked = peer.hear().await;
        assert_eq!(asked["method"], "allOrders");
        answer(&mut peer, &asked, 200, json!([])).await;
        assert_eq!(look_up.await.unwrap(), "not found");
    });
}

#[test]
fn answers_may_come_in_any_order() {
    run(async {
        let (mut server, client) = start().await;
        let (one, two) = (submitting(&client), submitting(&client));
        let mut peer = server.socket().await;
        let (first, second) = (peer.hear().await, peer.hear().await);
        assert_ne!(first["id"], second["id"]);
        answer(&mut peer, &json!({"id": "nobody's"}), 200, json!({})).await;
        answer(&mut peer, &second, 200, placed()).await;
        answer(&mut peer, &first, 200, placed()).await;
        assert_eq!([one.await.unwrap(), two.await.unwrap()], ["a accepted as 12", "a accepted as 12"]);
    });
}

#[test]
fn a_connection_that_is_lost_after_sending_leaves_the_order_unknown() {
    run(async {
        let (mut server, client) = start().await;
        let order = submitting(&client);
        let mut peer = server.socket().await;
        peer.hear().await;
        drop(peer);
        assert_eq!(order.await.unwrap(), "unknown");
        // And the next one gets a connection of its own, once a pause is over.
        while server.count("GET /ws-api/v3") < 2 {
            submitting(&client).abort();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.socket().await;
    });
}

#[test]
fn a_server_that_goes_away_is_left_when_all_is_answered() {
    run(async {
        let (mut server, client) = start().await;
        let order = submitting(&client);
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        peer.say(r#"{"event":{"e":"serverShutdown","E":1770123456789}}"#).await;
        answer(&mut peer, &asked, 200, placed()).await;
        assert_eq!(order.await.unwrap(), "a accepted as 12");
        while server.count("GET /ws-api/v3") < 2 {
            submitting(&client).abort();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.socket().await;
    });
}

#[test]
fn no_answer_leaves_the_order_unknown_and_the_connection_is_given_up() {
    run(async {
        let server = Server::start(script).await;
        let mut setup = setup(&server);
        setup.timeouts.answer = Duration::from_millis(200);
        let mut server = server;
        let client = Rest::with_ws_api(setup).unwrap();
        let order = submitting(&client);
        let mut peer = server.socket().await;
        peer.hear().await;
        assert_eq!(order.await.unwrap(), "unknown");
        use futures_util::StreamExt;
        let end = tokio::time::timeout(Duration::from_secs(20), peer.stream.next()).await.unwrap();
        assert!(!matches!(end, Some(Ok(tokio_tungstenite::tungstenite::Message::Text(_)))), "{end:?}");
    });
}

#[test]
fn a_handshake_that_is_refused_sent_nothing_and_a_ban_is_obeyed() {
    run(async {
        let banned = Server::start(|request| match &*request.what {
            "GET /ws-api/v3" => Reply::With(418, vec![("Retry-After", "3600".to_owned())], String::new()),
            _ => script(request),
        })
        .await;
        let client = Rest::with_ws_api(setup(&banned)).unwrap();
        for _ in 0..3 {
            assert_eq!(submitting(&client).await.unwrap(), "try again after 3600 s");
        }
        assert_eq!(banned.count("GET /ws-api/v3"), 1);
        let away = Server::start(|request| match &*request.what {
            "GET /ws-api/v3" => Reply::Json(503, String::new()),
            _ => script(request),
        })
        .await;
        let client = Rest::with_ws_api(setup(&away)).unwrap();
        assert_eq!(submitting(&client).await.unwrap(), "try again after 1 s");
    });
}

#[test]
fn a_limit_that_an_answer_names_is_obeyed() {
    run(async {
        let (mut server, client) = start().await;
        let order = submitting(&client);
        let mut peer = server.socket().await;
        let asked = peer.hear().await;
        let until = super::machine().millis() + 3_600_000;
        let error = json!({"code": -1003, "msg": "Way too much request weight used.", "data": {"serverTime": 1, "retryAfter": until}});
        answer(&mut peer, &asked, 418, error).await;
        let said = order.await.unwrap();
        assert!(said.starts_with("try again after 36") || said.starts_with("try again after 359"), "{said}");
        assert!(submitting(&client).await.unwrap().starts_with("try again after 3"));
        let silent = tokio::time::timeout(Duration::from_millis(300), peer.hear()).await;
        assert!(silent.is_err(), "nothing more was sent");
    });
}
