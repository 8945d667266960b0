//! What clients ask of the wallet at their start: answers of the right shape, and errors in JSON.

use super::rig::{Make, Rig, live, now, signed};
use paper_exchange::server::keys::PAPER_KEY;
use serde_json::{Value, json};

async fn wallet(rig: &Rig, method: &str, path: &str, query: &str) -> Value {
    rig.call(method, path, query).await.ok()
}

#[tokio::test]
async fn wallet_questions_are_answered_in_the_right_shape() {
    let rig = live().await;
    for (method, path, query, answer) in [
        ("GET", "/sapi/v1/capital/deposit/hisrec", "", json!([])),
        ("GET", "/sapi/v1/capital/withdraw/history", "coin=BTC", json!([])),
        (
            "GET",
            "/sapi/v1/accountSnapshot",
            "type=SPOT",
            json!({ "code": 200, "msg": "", "snapshotVos": [] }),
        ),
        ("GET", "/sapi/v1/bnbBurn", "", json!({ "spotBNBBurn": false, "interestBNBBurn": false })),
        ("GET", "/sapi/v1/asset/dribblet", "", json!({ "total": 0, "userAssetDribblets": [] })),
        ("GET", "/sapi/v1/asset/assetDividend", "", json!({ "rows": [], "total": 0 })),
        ("GET", "/sapi/v1/asset/transfer", "type=MAIN_UMFUTURE", json!({ "rows": [], "total": 0 })),
        ("GET", "/sapi/v1/sub-account/list", "", json!({ "subAccounts": [] })),
    ] {
        assert_eq!(wallet(&rig, method, path, query).await, answer, "{path}");
    }
    let assets = wallet(&rig, "POST", "/sapi/v3/asset/getUserAsset", "needBtcValuation=true").await;
    let bitcoin = assets.as_array().expect("a list").iter().find(|row| row["asset"] == "BTC");
    assert_eq!(bitcoin.expect("BTC")["btcValuation"], "2.00000000", "{assets}");
    let wallets = wallet(&rig, "GET", "/sapi/v1/asset/wallet/balance", "quoteAsset=USDT").await;
    let worth: f64 = wallets[0]["balance"].as_str().expect("a text").parse().expect("a number");
    assert!((190_000.0..210_000.0).contains(&worth), "100,000 USDT and 2 BTC at 50,000: {wallets}");
    let details = wallet(&rig, "GET", "/sapi/v1/asset/assetDetail", "asset=BTC").await;
    assert_eq!(details["BTC"]["withdrawStatus"], false, "{details}");
    let pairs = rig.get("/sapi/v1/convert/exchangeInfo", "fromAsset=BTC").await.ok();
    assert_eq!((&pairs[0]["fromAsset"], &pairs[0]["toAsset"]), (&json!("BTC"), &json!("USDT")));
    let info = wallet(&rig, "GET", "/sapi/v1/convert/assetInfo", "").await;
    assert!(info.as_array().is_some_and(|rows| rows.iter().any(|row| row["asset"] == "USDT")), "{info}");
    for (method, path, query) in [
        ("POST", "/sapi/v1/asset/dust", "asset=BTC"),
        ("POST", "/sapi/v1/convert/getQuote", "fromAsset=BTC&toAsset=USDT&fromAmount=1"),
        ("POST", "/sapi/v1/capital/withdraw/apply", "coin=BTC&address=x&amount=1"),
    ] {
        let refused = rig.call(method, path, query).await;
        assert_eq!((refused.status, refused.code()), (400, -1020), "{path}: {}", refused.body);
    }
    let nothing = rig.get("/sapi/v1/nothing/there", "").await;
    assert_eq!((nothing.status, nothing.body.is_object()), (404, true), "JSON all the same");
    rig.stop().await;
}

#[tokio::test]
async fn fees_are_paid_in_bnb_once_the_account_says_so() {
    let rig = live().await;
    let on = wallet(&rig, "POST", "/sapi/v1/bnbBurn", "spotBNBBurn=true").await;
    assert_eq!(on, json!({ "spotBNBBurn": true, "interestBNBBurn": false }));
    let commission = wallet(&rig, "GET", "/api/v3/account/commission", "symbol=BTCUSDT").await;
    assert_eq!(commission["discount"]["enabledForAccount"], true, "{commission}");
    let off = wallet(&rig, "POST", "/sapi/v1/bnbBurn", "spotBNBBurn=false").await;
    assert_eq!(off["spotBNBBurn"], false);
    let neither = rig.call("POST", "/sapi/v1/bnbBurn", "").await;
    assert_eq!(neither.code(), -1102, "{}", neither.body);
    rig.stop().await;
}

#[tokio::test]
async fn the_delist_schedule_tells_what_the_script_will_take_to_break() {
    let script = r#"
        [[rule]]
        on = "time"
        from = "10m"
        then = { symbol-status = { symbol = "BTCUSDT", status = "BREAK" } }
        [[rule]]
        on = "time"
        from = "20m"
        then = { symbol-status = { symbol = "BTCUSDT", status = "HALT" } }
    "#;
    let rig = Make { faults: script, ..Make::default() }.start().await;
    let path = "/sapi/v1/spot/delist-schedule";
    let unsigned = rig.send("GET", path, "", "", Some(PAPER_KEY)).await.ok();
    let rows = unsigned.as_array().expect("an array");
    assert_eq!((rows.len(), &rows[0]["symbols"]), (1, &json!(["BTCUSDT"])), "{unsigned}");
    let ahead = rows[0]["delistTime"].as_i64().expect("a time") - now();
    assert!((500_000..=600_000).contains(&ahead), "{ahead}");
    let by_ccxt = rig.send("GET", path, &signed("", now()), "", Some(PAPER_KEY)).await.ok();
    assert_eq!(by_ccxt, unsigned, "a signature does no harm");
    assert_eq!(rig.get(path, "").await.code(), -2014, "a key is wanted");
    rig.stop().await;
    let rig = live().await;
    assert_eq!(rig.send("GET", path, "", "", Some(PAPER_KEY)).await.ok(), json!([]));
    rig.stop().await;
}
