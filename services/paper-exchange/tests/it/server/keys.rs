//! `faqs/api_key_types.md`: RSA beside HMAC and Ed25519.

use super::{
    rig::{Make, now},
    socket::{Socket, sign},
};
use serde_json::json;
use venue_binance::sign::Signer;

const KEY: &str = "RsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsaRsa0";
/// Made for this test alone.
const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIIEvAIBADANBgkqhkiG9w0BAQEFAASCBKYwggSiAgEAAoIBAQDeKFQaw6MsVNXZ
YYp4x+z+fW4i2pZiwbp6aEgShBSS5ZvW4i7cIdPs05E+waF6EVoevVgH9aJ5mxQh
JV1hPYvkwh3IM3oNlLoi1wgNbArjlHTSm8lWE1ZV7l15MXH5z/NNjTi2f0kKlEY7
7nUQxRbP2OCMXlKj3YXrApjFiuOj/TVhkuclHdv64xiFzqzPn+SadDNyiFNoC6Hd
cpUKzj9TTKgGbEcRNenu4CbqWZqw7No3Hp15dCSruyc8zmxE87IXkEZATBb4f+l2
FiCv3GXK9CquC+f7w6crcJCYoX0zhyGbZBJn1Py48nx0FjbE4b6N5xUqrXs7vdo0
+FZjmWZ9AgMBAAECggEAI2o7ah7Y8ta9Vo+ZowKAEdvOBGljQvAOObhJEQaUPwyy
aLGa9cXAwobBp0b35n1AqBjYIUCzu34Q2e3acod8tyWI2OL36JVWjPpJktYv8DK4
4uAp2vpvL3i11v2eZUwUxb6nFVS6QKD9h01OxTMeHVk+BrJ8qxnD4QCDeS5Ydso5
QMSEsw1MgjeUFmEhAafQbDsWk0rymMBJbIa4WnkROgCg/Zh/iAHPUdW6o5G3BuG1
wRciZd0IKdhi6xGKNXQw67jw2EmFDTdQtiugBV5MM2wiQLryNnsvxO3kKOllXMYD
ngqllCbyxODUK6ACT+GJ1d+1zBgl/oKeh2FivGYk0wKBgQDvNAqKOJupeBU6HJzI
t15PqkS9cRMpGvk9aPYx8p3kdBhs2ZYf9UnIsnSanZ4eBaNZF7Rx8dlLlHKFG2q+
JHkELP8R8bkrcqokVBmbMEeW10sePb6UsFRGR9OOeAYx3AoT9BDaL3lkx8EQPqLT
vBleRCN5Gla75IvGnPNjjQyJFwKBgQDtwd657NCegnWAdzSgPNghEo0eM082Smdg
3q4uW7jusxnwaNiGyGG2xvMEIGvilsJ5hO9x16vzZf/5XSeEclXj9fb3MI97MW+k
MC2MWOUOOgOMQIo3x2/13gwOTFTp4yYnikgwqm7a7TiZ3CGVZEIBjDEfqhyZOLkH
R+Uj5jkhiwKBgF6vhPSNz+BXbl+gb9dr7mMujSNIHUOKL9rFL5854JJL+lcsEib4
W4qcSVfiyHIt3SkpHv5zs4Ydbu+NmMVHfrfOb/FUc+3k58CVocUyaUQmWM/RtRz6
Z4GicPXWQO1/omWfmQQlArKH975MbPvPW2NbKYeIi4i4wTOPcTCY5rtlAoGAPTv0
UDBk3p49AxQwkqB5DbOIcuHGIfZxv6o6dCgdbiTkpl1qfvQ27ms5BbQP9TDc741E
Wi6w06ROk/vhBKSp6Gdd7vYrzg/CcCgUYxQ2Ej7w0PuCXbFY7Zr9weT47bAaEI71
3srWeD4mmMHwSFilA18G+9/FM9U/Glfy9RcDWdcCgYB3dFkkrT+ppLFg99b5LkKF
TH+xAwawuz0UYnagiUPETC8beaqZ/58xxoLLwuZsyrzb0I0vk6ZvGeEF+/8MSkt8
K7sSa0nc8XGCIGqt1x0u/dLHe1K2u9UAlCaPBemR/zpTWyCq2CbutbUK2IceOy2n
VyRATywyweXr9o7q4PM9qw==
-----END PRIVATE KEY-----
";
const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA3ihUGsOjLFTV2WGKeMfs
/n1uItqWYsG6emhIEoQUkuWb1uIu3CHT7NORPsGhehFaHr1YB/WieZsUISVdYT2L
5MIdyDN6DZS6ItcIDWwK45R00pvJVhNWVe5deTFx+c/zTY04tn9JCpRGO+51EMUW
z9jgjF5So92F6wKYxYrjo/01YZLnJR3b+uMYhc6sz5/kmnQzcohTaAuh3XKVCs4/
U0yoBmxHETXp7uAm6lmasOzaNx6deXQkq7snPM5sRPOyF5BGQEwW+H/pdhYgr9xl
yvQqrgvn+8OnK3CQmKF9M4chm2QSZ9T8uPJ8dBY2xOG+jecVKq17O73aNPhWY5lm
fQIDAQAB
-----END PUBLIC KEY-----
";

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
