//! `errors.md`, 11xx: parameters that an endpoint does not have, over REST and the WebSocket API.

use super::{
    rig::{Rig, live},
    socket::Socket,
};
use paper_exchange::endpoint::{ENDPOINTS, Security, Verb};
use serde_json::{Value, json};

fn unread(read: usize, sent: usize) -> Value {
    let text =
        format!("Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.");
    json!({ "code": -1104, "msg": text })
}

#[tokio::test]
async fn market_data_refuses_parameters_that_it_does_not_know_and_counts_them() {
    let rig = live().await;
    for (path, query, answer) in [
        ("klines", "symbol=BTCUSDT&interval=1d&start_time=1735689600000", unread(2, 3)),
        ("depth", "symbol=BTCUSDT&depth=5", unread(1, 2)),
        ("trades", "symbol=BTCUSDT&t1=1&t2=2", unread(1, 3)),
        ("avgPrice", "symbol=BTCUSDT&timestamp=1", unread(1, 2)),
        ("exchangeInfo", "symbol=BTCUSDT&limit=5", unread(1, 2)),
        ("ticker/price", "Symbol=BTCUSDT", unread(0, 1)),
    ] {
        let refused = rig.get(&format!("/api/v3/{path}"), query).await;
        assert_eq!((refused.status, refused.body), (400, answer), "{path} {query}");
    }
    let none = rig.get("/api/v3/time", "symbol=BTCUSDT").await;
    assert_eq!(
        none.body,
        json!({ "code": -1101, "msg": "Too many parameters; expected '0' and received '1'." })
    );
    let empty = rig.get("/api/v3/depth", "symbol=").await;
    assert_eq!(empty.body, json!({ "code": -1105, "msg": "Parameter 'symbol' was empty." }));
    rig.stop().await;
}

#[tokio::test]
async fn signed_requests_count_what_was_signed() {
    let rig = live().await;
    let refused = rig.call("GET", "/api/v3/openOrders", "symbol=BTCUSDT&limit=5").await;
    assert_eq!(refused.body, unread(3, 4), "symbol, timestamp, signature");
    let refused = rig.call("GET", "/api/v3/openOrders", "symbol=BTCUSDT&limit=5&recvWindow=5000").await;
    assert_eq!(refused.body, unread(4, 5), "and recvWindow");
    let refused =
        rig.call("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&qty=1").await;
    assert_eq!(refused.body, unread(6, 7));
    rig.stop().await;
}

#[tokio::test]
async fn the_websocket_api_refuses_parameters_that_it_does_not_know() {
    let rig = live().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let params = json!({ "symbol": "BTCUSDT", "interval": "1d", "start_time": 1_735_689_600_000_i64 });
    let refused = api.ask("klines", params).await;
    assert_eq!((&refused["status"], &refused["error"]), (&json!(400), &unread(2, 3)));
    let refused = api.ask_signed("openOrders.status", json!({ "symbol": "BTCUSDT", "limit": 5 })).await;
    assert_eq!(refused["error"], unread(4, 5), "apiKey, signature, symbol, timestamp");
    api.say(r#"{"id":"twice","method":"depth","params":{"symbol":"BTCUSDT","symbol":"BTCUSDT"}}"#).await;
    let twice = api.until(|heard| heard["id"] == "twice").await;
    assert_eq!(twice["error"]["code"], -1101, "{twice}");
    rig.stop().await;
}

#[tokio::test]
async fn no_endpoint_of_the_table_passes_over_a_parameter() {
    let rig = live().await;
    for spec in ENDPOINTS {
        for &(verb, path) in spec.rest {
            let answer = odd(&rig, verb, path, spec.security).await;
            let code = answer["code"].as_i64();
            let refused = [Some(-1104), Some(-1101), Some(-1016)].contains(&code);
            assert!(refused, "{verb:?} {path}: {answer}");
        }
    }
    rig.stop().await;
}

/// What is said to a parameter that nobody knows, beside the symbol that most want.
async fn odd(rig: &Rig, verb: Verb, path: &str, security: Security) -> Value {
    let method = match verb {
        Verb::Get => "GET",
        Verb::Post => "POST",
        Verb::Put => "PUT",
        Verb::Delete => "DELETE",
    };
    let query = "symbol=BTCUSDT&nobody_knows_it=1";
    match security {
        Security::Nobody | Security::Key => {
            let key = paper_exchange::server::keys::PAPER_KEY;
            rig.send(method, path, query, "", Some(key)).await.body
        }
        Security::UserData | Security::Trade => rig.call(method, path, query).await.body,
    }
}

#[tokio::test]
async fn sbe_is_refused_as_an_exchange_refuses_it_that_has_none() {
    let rig = live().await;
    let asked = |accept: &'static str| {
        let request = rig.client.get(format!("http://{}/api/v3/time", rig.address));
        request.header("Accept", accept).header("X-MBX-SBE", "3:5").send()
    };
    let refused = asked("application/sbe").await.expect("an answer");
    assert_eq!(refused.status().as_u16(), 406);
    let body: Value = serde_json::from_str(&refused.text().await.expect("a body")).expect("JSON");
    assert_eq!(body["code"], -1155);
    let fallback = asked("application/sbe, application/json").await.expect("an answer");
    assert_eq!(fallback.status().as_u16(), 200, "it falls back to JSON");
    for (query, status) in [
        ("?responseFormat=sbe&sbeSchemaId=3&sbeSchemaVersion=5", Some(400)),
        ("?responseFormat=sbe&responseFormat=json", Some(400)),
        ("?responseFormat=json", None),
    ] {
        assert_eq!(Socket::refusal(&rig, &format!("/ws-api/v3{query}")).await, status, "{query}");
    }
    rig.stop().await;
}
