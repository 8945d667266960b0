//! `faqs/api_key_types.md`: RSA beside HMAC and Ed25519.

use super::{
    rig::{Make, now},
    socket::{Socket, sign},
};
use serde_json::json;
use testkit::{RSA_PRIVATE as PRIVATE, RSA_PUBLIC as PUBLIC};
use venue_binance::sign::Signer;

const KEY: &str = "RsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsa0";

#[tokio::test]
async fn an_rsa_key_signs_requests_over_rest_and_the_websocket_api_and_logs_nobody_on() {
    let account = format!("[[key]]\napi_key = \"{KEY}\"\npublic_key = \"\"\"{PUBLIC}\"\"\"\n");
    let rig = Make { account, ..Make::default() }.start().await;
    let signer = Signer::from_secret(PRIVATE).expect("a key");
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000";
    let query = format!("{order}&timestamp={}", now());
    let escaped = signer.sign(&query).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let placed =
        rig.send("POST", "/api/v3/order", &format!("{query}&signature={escaped}"), "", Some(KEY)).await;
    assert_eq!(placed.ok()["status"], "NEW");
    let wrong = format!("{query}0&signature={escaped}");
    let refused = rig.send("POST", "/api/v3/order", &wrong, "", Some(KEY)).await;
    assert_eq!((refused.status, refused.code()), (400, -1022));
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let open = api.ask("openOrders.status", sign(json!({ "symbol": "BTCUSDT" }), KEY, &signer, now())).await;
    assert_eq!(open["result"].as_array().map(Vec::len), Some(1), "{open}");
    let logon = api.ask("session.logon", sign(json!({}), KEY, &signer, now())).await;
    assert_eq!(logon["error"]["code"], -4056, "{logon}");
    rig.stop().await;
}
