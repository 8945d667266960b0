//! Several accounts on one exchange: each with keys, balances and a stream of its own.

use super::{
    rig::{Make, Rig, now},
    socket::{Socket, sign},
};
use paper_exchange::server::{
    account,
    keys::{PAPER_KEY, PAPER_SECRET},
};
use serde_json::{Value, json};
use venue_binance::sign::Signer;

const COPIER: &str = "CopierCopierCopierCopierCopierCopierCopierCopierCopierCopier0000";
const SECRET: &str = "a secret of the copier";
const FILE: &str = r#"
[balances]
USDT = "10000"
BTC = "1"
[[accounts]]
account = "binance:copier"
[accounts.balances]
USDT = "5000"
[accounts.fees]
maker = "0"
taker = "0.0005"
[[accounts.key]]
api_key = "CopierCopierCopierCopierCopierCopierCopierCopierCopierCopier0000"
secret = "a secret of the copier"
"#;

async fn two() -> Rig {
    Make { account: FILE.to_owned(), ..Make::default() }.start().await
}

fn signature(secret: &str, text: &str) -> String {
    Signer::hmac(secret).expect("a secret").sign(text)
}

/// Signed by the copier.
async fn copier(rig: &Rig, method: &str, path: &str, query: &str) -> Value {
    let query = format!("{query}&timestamp={}", now());
    let query = query.trim_start_matches('&');
    let signed = format!("{query}&signature={}", signature(SECRET, query));
    rig.send(method, path, &signed, "", Some(COPIER)).await.ok()
}

async fn subscribed(rig: &Rig, key: &str, secret: &str) -> Socket {
    let mut socket = Socket::open(rig, "/ws-api/v3").await;
    let at = now();
    let signature = signature(secret, &format!("apiKey={key}&timestamp={at}"));
    let params = json!({ "apiKey": key, "timestamp": at, "signature": signature });
    let answer = socket.ask("userDataStream.subscribe.signature", params).await;
    assert_eq!(answer["status"], 200, "{answer}");
    socket
}

fn free(account: &Value, asset: &str) -> String {
    let rows = account["balances"].as_array().expect("balances");
    let row = rows.iter().find(|row| row["asset"] == asset);
    row.map_or("none".to_owned(), |row| row["free"].as_str().expect("a text").to_owned())
}

/// The event itself.
async fn event(socket: &mut Socket, kind: &str) -> Value {
    socket.until(|heard| heard["event"]["e"] == *kind).await["event"].clone()
}

#[tokio::test]
async fn each_account_has_keys_ids_orders_and_a_stream_of_its_own() {
    let rig = two().await;
    let mut first = subscribed(&rig, PAPER_KEY, PAPER_SECRET).await;
    let mut second = subscribed(&rig, COPIER, SECRET).await;
    let order = |side: &str, price: &str| {
        format!(
            "symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity=0.01&price={price}\
             &newClientOrderId=same"
        )
    };
    let sold = rig.call("POST", "/api/v3/order", &order("SELL", "80000")).await.ok();
    let bought = copier(&rig, "POST", "/api/v3/order", &order("BUY", "30000")).await;
    assert_eq!((&sold["status"], &bought["status"]), (&json!("NEW"), &json!("NEW")));
    let own = copier(&rig, "GET", "/api/v3/openOrders", "").await;
    assert_eq!(own.as_array().map(Vec::len), Some(1), "{own}");
    assert_eq!(own[0]["orderId"], bought["orderId"]);
    let query = format!("symbol=BTCUSDT&orderId={}&timestamp={}", sold["orderId"], now());
    let signed = format!("{query}&signature={}", signature(SECRET, &query));
    let refused = rig.send("DELETE", "/api/v3/order", &signed, "", Some(COPIER)).await;
    assert_eq!(refused.code(), -2011, "{}", refused.body);
    for (socket, number) in [(&mut first, &sold["orderId"]), (&mut second, &bought["orderId"])] {
        let report = event(socket, "executionReport").await;
        assert_eq!(&report["i"], number, "{report}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn one_connection_listens_to_several_accounts_and_to_none_twice() {
    let rig = two().await;
    let mut both = subscribed(&rig, PAPER_KEY, PAPER_SECRET).await;
    let signer = Signer::hmac(SECRET).expect("a secret");
    let method = "userDataStream.subscribe.signature";
    let other = both.ask(method, sign(json!({}), COPIER, &signer, now())).await;
    assert_eq!(other["result"]["subscriptionId"], 1, "{other}");
    let again = both.ask(method, sign(json!({}), COPIER, &signer, now())).await;
    assert_eq!(again["error"]["code"], -2035, "{again}");
    let body = json!({ "account": "binance:copier", "asset": "USDT", "delta": "1" });
    rig.control("balance", body).await.ok();
    let heard = both.until(|heard| heard["event"]["e"] == "balanceUpdate").await;
    assert_eq!(heard["subscriptionId"], 1, "{heard}");
    rig.stop().await;
}

#[tokio::test]
async fn money_goes_between_accounts_by_control() {
    let rig = two().await;
    let mut second = subscribed(&rig, COPIER, SECRET).await;
    let body = json!({ "from": "binance:paper", "to": "binance:copier", "asset": "USDT", "amount": "250.5" });
    let moved = rig.control("transfer", body).await.ok();
    assert_eq!(moved["tranId"], 1);
    let update = event(&mut second, "balanceUpdate").await;
    assert_eq!((&update["a"], &update["d"]), (&json!("USDT"), &json!("250.50000000")));
    assert_eq!(free(&copier(&rig, "GET", "/api/v3/account", "").await, "USDT"), "5250.50000000");
    let mine = rig.call("GET", "/api/v3/account", "").await.ok();
    assert_eq!(free(&mine, "USDT"), "9749.50000000");
    let nobody = json!({ "from": "binance:paper", "to": "binance:nobody", "asset": "USDT", "amount": "1" });
    assert_eq!(rig.control("transfer", nobody).await.status, 400);
    let much = json!({ "from": "binance:copier", "to": "binance:paper", "asset": "USDT", "amount": "6000" });
    assert_eq!(rig.control("transfer", much).await.status, 400);
    let order = json!({ "account": "binance:copier", "symbol": "BTCUSDT", "side": "BUY", "type": "MARKET",
        "quantity": "0.01" });
    assert_eq!(rig.control("order", order).await.ok()["status"], "FILLED");
    let trades = copier(&rig, "GET", "/api/v3/myTrades", "symbol=BTCUSDT").await;
    assert_eq!(trades[0]["commission"], "0.00000500", "its own fee: {trades}");
    rig.stop().await;
}

#[tokio::test]
async fn the_master_account_lists_its_sub_accounts_and_moves_their_money() {
    let rig = two().await;
    let listed = rig.call("GET", "/sapi/v1/sub-account/list", "").await.ok();
    let email = listed["subAccounts"][0]["email"].as_str().expect("an email").to_owned();
    let path = "/sapi/v1/sub-account/universalTransfer";
    let query = format!("toEmail={email}&fromAccountType=SPOT&toAccountType=SPOT&asset=USDT&amount=10.5");
    assert_eq!(rig.call("POST", path, &query).await.ok()["tranId"], 1);
    let assets = rig.call("GET", "/sapi/v3/sub-account/assets", &format!("email={email}")).await.ok();
    assert_eq!(assets["balances"][0]["free"], "5010.50000000", "{assets}");
    let back =
        copier(&rig, "POST", "/sapi/v1/sub-account/transfer/subToMaster", "asset=USDT&amount=0.5").await;
    assert_eq!(back["txnId"], "2");
    let history = rig.call("GET", path, "").await.ok();
    assert_eq!((&history["totalCount"], &history["result"][1]["toEmail"]), (&json!(2), &json!(email)));
    let query = format!("timestamp={}", now());
    let signed = format!("{query}&signature={}", signature(SECRET, &query));
    let refused = rig.send("GET", "/sapi/v1/sub-account/list", &signed, "", Some(COPIER)).await;
    assert_eq!(refused.code(), -2015, "only the master's keys may ask");
    rig.stop().await;
}

#[test]
fn account_files_that_cannot_be_are_refused_with_the_remedy() {
    let refused = |text: &str| account::read(text).expect_err("refused").to_string();
    let twice = FILE.replace("binance:copier", "binance:paper");
    assert!(refused(&twice).contains("binance:paper is there twice"), "{}", refused(&twice));
    let same_key = format!(
        "[[key]]\napi_key = \"{COPIER}\"\nsecret = \"x\"\n{}",
        "[[accounts]]\naccount = \"binance:b\"\n[[accounts.key]]\n"
    ) + &format!("api_key = \"{COPIER}\"\nsecret = \"y\"\n");
    assert!(refused(&same_key).contains("each key once"), "{}", refused(&same_key));
    let keyless = "[[accounts]]\naccount = \"binance:b\"\n";
    assert!(refused(keyless).contains("key"), "{}", refused(keyless));
    let (accounts, _) = account::read(FILE).expect("a file");
    assert_eq!(
        accounts.names().map(|(_, name)| name.to_string()).collect::<Vec<_>>(),
        ["binance:paper", "binance:copier"]
    );
}
