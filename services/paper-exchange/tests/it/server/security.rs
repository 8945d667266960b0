//! `rest-api.md`, "Endpoint security type", "SIGNED endpoint security", "Timing security".

use super::rig::{Make, driven, live, now, resting, signed, signer};
use domain::Timestamp;
use paper_exchange::server::{
    Pace,
    clock::Clocks,
    keys::{Given, Keys, PAPER_KEY},
    security::{Sent, Timing},
};
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, path::PathBuf};

#[tokio::test]
async fn an_order_is_placed_queried_and_cancelled() {
    let rig = live().await;
    let placed = rig.rest_order("one").await.ok();
    assert_eq!(placed["status"], "NEW", "{placed}");
    let found = rig.call("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=one").await.ok();
    assert_eq!(found["orderId"], placed["orderId"]);
    let gone = rig.call("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=one").await.ok();
    assert_eq!(gone["status"], "CANCELED");
    rig.stop().await;
}

#[tokio::test]
async fn parameters_in_query_body_or_both() {
    let rig = live().await;
    let at = now();
    let whole = signed(&resting("in-the-body"), at);
    rig.send("POST", "/api/v3/order", "", &whole, Some(PAPER_KEY)).await.ok();

    let (query, body) = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT",
        format!("timeInForce=GTC&quantity=0.001&price=40000&newClientOrderId=mixed&timestamp={at}"),
    );
    let signature = signer().sign(&format!("{query}{body}"));
    let sent = format!("{body}&signature={}", signature.to_uppercase());
    rig.send("POST", "/api/v3/order", query, &sent, Some(PAPER_KEY)).await.ok();

    // The query's is used where a name is in both.
    let (query, body) = (
        "price=40000",
        format!("price=1&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&timestamp={at}"),
    );
    let sent = format!("{body}&signature={}", signer().sign(&format!("{query}{body}")));
    let placed = rig.send("POST", "/api/v3/order", query, &sent, Some(PAPER_KEY)).await.ok();
    assert_eq!(placed["price"], "40000.00000000");
    rig.stop().await;
}

#[tokio::test]
async fn what_is_refused_at_the_door() {
    let rig = live().await;
    let path = "/api/v3/account";
    let (good, other) = (signed("", now()), "x".repeat(64));
    let cases = [
        (None, good.clone(), 401, -2014),
        (Some("short"), good.clone(), 401, -2014),
        (Some(other.as_str()), good.clone(), 401, -2015),
        (Some(PAPER_KEY), String::new(), 400, -1102),
        (Some(PAPER_KEY), format!("timestamp={}", now()), 400, -1102),
        (Some(PAPER_KEY), format!("{}00", good.trim_end_matches(|c: char| c != '=')), 400, -1022),
        (Some(PAPER_KEY), signed("recvWindow=60001", now()), 400, -1131),
        (Some(PAPER_KEY), signed("recvWindow=1e3", now()), 400, -1100),
        (Some(PAPER_KEY), signed("a=1&a=1", now()), 400, -1101),
        (Some(PAPER_KEY), signed("a=%ff", now()), 400, -1100),
        (Some(PAPER_KEY), signed("", now() - 5_500), 400, -1021),
        (Some(PAPER_KEY), signed("recvWindow=60000", now() - 5_500), 200, 0),
        (Some(PAPER_KEY), signed("", now() + 2_000), 400, -1021),
        (Some(PAPER_KEY), signed("", now() * 1_000), 200, 0),
        (Some(PAPER_KEY), signed("recvWindow=5000.125", now()), 200, 0),
    ];
    for (key, query, status, code) in cases {
        let answer = rig.send("GET", path, &query, "", key).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{key:?} {query}: {}", answer.body);
    }
    rig.stop().await;
}

#[tokio::test]
async fn timing_security_in_the_exchanges_own_time() {
    let rig = driven().await;
    rig.open_market().await;
    let time = rig.get("/api/v3/time", "").await.ok()["serverTime"].as_i64().expect("a time");
    let texts = [
        (time, ""),
        (time - 5_000, ""),
        (time - 5_001, "Timestamp for this request is outside of the recvWindow."),
        (time + 999, ""),
        (time + 1_000, "Timestamp for this request was 1000ms ahead of the server's time."),
    ];
    for (at, text) in texts {
        let answer = rig.call_at("GET", "/api/v3/account", "", at).await;
        assert_eq!(answer.body["msg"].as_str().unwrap_or(""), text, "{}", answer.body);
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_key_that_may_only_read() {
    let account = format!(
        "[[key]]\napi_key = \"reader\"\nsecret = \"{}\"\npermissions = [\"read\"]\n",
        paper_exchange::server::keys::PAPER_SECRET
    );
    let rig = Make { account, ..Make::default() }.start().await;
    let query = signed("", now());
    rig.send("GET", "/api/v3/account", &query, "", Some("reader")).await.ok();
    let query = signed(&resting("no"), now());
    let answer = rig.send("POST", "/api/v3/order", &query, "", Some("reader")).await;
    assert_eq!((answer.status, answer.code()), (401, -2015));
    rig.stop().await;
}

#[tokio::test]
async fn microseconds_and_wrong_paths() {
    let rig = live().await;
    let url = format!("http://{}/api/v3/time", rig.address);
    let ask = |unit: &'static str| rig.client.get(&url).header("X-MBX-TIME-UNIT", unit).send();
    let text = ask("MICROSECOND").await.expect("an answer").text().await.expect("a text");
    let time: Value = serde_json::from_str(&text).expect("JSON");
    assert!(time["serverTime"].as_i64().is_some_and(|micros| micros > now() * 999), "{time}");
    let text = ask("minutes").await.expect("an answer").text().await.expect("a text");
    assert!(text.contains("-1194"), "{text}");

    assert_eq!(rig.get("/api/v3/nothing", "").await.status, 404);
    assert_eq!(rig.send("DELETE", "/api/v3/time", "", "", None).await.status, 405);
    assert_eq!(rig.send("POST", "/api/v3/userDataStream", "", "", None).await.status, 410);
    assert_eq!(rig.send("PUT", "/api/v3/userDataStream", "", "", None).await.status, 410);
    rig.get("/api/v3/ping", "").await.ok();
    rig.get("/sapi/v1/system/status", "").await.ok();
    assert_eq!(
        rig.send("GET", "/sapi/v1/margin/allPairs", "", "", Some(PAPER_KEY)).await.ok(),
        serde_json::json!([])
    );
    let coins = rig.call("GET", "/sapi/v1/capital/config/getall", "").await.ok();
    assert!(coins.as_array().is_some_and(|coins| coins.iter().any(|coin| coin["coin"] == "USDT")), "{coins}");
    rig.stop().await;
}

/// The published vectors, as requests.
#[test]
fn signed_endpoint_examples() {
    let Some(vectors) = vectors() else {
        eprintln!("ignored: the published vectors are not here");
        return;
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let given = Given {
        api_key: text(&vectors["apiKey"]),
        secret: Some(text(&vectors["secretKey"])),
        public_key: None,
        permissions: Default::default(),
    };
    let keys = Keys::new(&[(Default::default(), given)]).expect("a key");
    let key = keys.get(vectors["apiKey"].as_str().expect("a text")).expect("it");
    for vector in vectors["vectors"].as_array().expect("vectors") {
        let payload = text(&vector["payload"]);
        let signature = text(&vector["signature"]);
        if vector["case"].as_str().is_some_and(|case| case.starts_with("rest")) {
            for (query, body) in [
                (format!("{payload}&signature={signature}"), String::new()),
                (String::new(), format!("signature={signature}&{payload}")),
                (payload.clone(), format!("signature={signature}")),
            ] {
                Sent::form(&query, &body).expect("a form").verify(key).expect("a good signature");
            }
            let wrong = format!("{payload}0&signature={signature}");
            assert_eq!(Sent::form(&wrong, "").expect("a form").verify(key).expect_err("wrong").code, -1022);
        } else {
            let mut params: serde_json::Map<String, Value> = payload
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect();
            params.insert("signature".to_owned(), signature.to_uppercase().into());
            let text = Value::Object(params).to_string();
            let raw: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&text).expect("JSON");
            Sent::object(raw.into_iter().collect())
                .expect("parameters")
                .verify(key)
                .expect("a good signature");
        }
    }
    // The mixed example of "SIGNED Endpoint Examples": query and body meet without a mark between them.
    let query = "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC";
    let body = "quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559&signature=0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77";
    Sent::form(query, body).expect("a form").verify(key).expect("a good signature");
}

fn vectors() -> Option<Value> {
    let data = std::env::var_os("TAPEDECK_DATA").map(PathBuf::from);
    let data =
        data.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")));
    let text = std::fs::read_to_string(data.join("binance-samples/binance_docs_vectors.json")).ok()?;
    serde_json::from_str(&text).ok()
}

/// X4: clients' clocks go at the ordinary pace.
#[tokio::test]
async fn a_client_is_not_shut_out_where_time_goes_faster() {
    let rig = Make { pace: Pace::Times(2_000.0), ..Make::default() }.start().await;
    let time = async || {
        let answer = rig.send("GET", "/api/v3/time", "", "", None).await.ok();
        answer["serverTime"].as_i64().expect("a time")
    };
    // As `adjustForTimeDifference` does it: set once, and gone on by itself.
    let set = time().await - now();
    while time().await < now() + set + 120_000 {}
    let path = "/api/v3/account";
    let send = async |at: i64| rig.send("GET", path, &signed("", at), "", Some(PAPER_KEY)).await;
    send(now() + set).await.ok();
    send(now()).await.ok();
    send(time().await).await.ok();
    for wrong in [now() + set - 3_600_000, time().await + 86_400_000] {
        let refused = send(wrong).await;
        assert_eq!((refused.status, &refused.body["code"]), (400, &(-1021).into()), "{:?}", refused.body);
    }
    rig.stop().await;
}

/// At the wall's pace nothing but the exchange's time counts.
#[test]
fn timestamps_are_judged_by_the_clocks_that_are_right() {
    let at = |second: i64| Timestamp::from_millis(1_704_153_600_000 + second * 1_000);
    let sent = |second: i64| Timing { sent: at(second), window: 5_000_000 };
    let good = |second: i64, clocks: &Clocks| sent(second).check(clocks).is_ok();
    let wall = Clocks::only(at(100));
    assert_eq!([94, 95, 100, 101].map(|second| good(second, &wall)), [false, true, true, false]);
    let fast = Clocks { slowest: at(10), fastest: at(200), machine: Some(at(-5_000)) };
    assert_eq!([4, 5, 200, 201].map(|second| good(second, &fast)), [false, true, true, false]);
    assert_eq!([-5_006, -5_005, -5_000, -4_999].map(|s| good(s, &fast)), [false, true, true, false]);
    let early = sent(300).check(&fast).expect_err("ahead").msg;
    assert_eq!(early, "Timestamp for this request was 1000ms ahead of the server's time.");
}
