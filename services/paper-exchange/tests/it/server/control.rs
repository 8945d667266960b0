//! Driving the exchange from outside, and its journal.

use super::{
    rig::{Make, Rig, START, candle, driven, fact, instrument, rules},
    socket::Socket,
};
use paper_exchange::server::{Pace, ServeError};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A market order, at the exchange's own time.
async fn market_order(rig: &Rig, id: &str) -> Value {
    let query = format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&newClientOrderId={id}");
    let at = rig.status().await["time"].as_i64().expect("a time") / 1_000;
    rig.call_at("POST", "/api/v3/order", &query, at).await.ok()
}

async fn frames(rig: &Rig, after: u64) -> Vec<Value> {
    let answer = rig.get("/control/account-frames", &format!("after={after}")).await.ok();
    answer["frames"].as_array().expect("frames").clone()
}

fn quote(position: u64, at: i64) -> Value {
    let body =
        json!({ "instrument": instrument(), "price": "50010", "at": domain::Timestamp::from_micros(at) });
    fact(position, at, "quote.seen", body)
}

#[tokio::test]
async fn facts_are_heard_once_and_in_order() {
    let rig = driven().await;
    let listed = json!({ "instrument": instrument(), "rules": rules() });
    let first =
        json!({ "after": 0, "events": [fact(3, START.micros(), "instrument.listed", listed), candle(5, 1)] });
    let heard = rig.control("market", first.clone()).await.ok();
    assert_eq!((&heard["heard"], &heard["account_frames"]), (&json!(5), &json!(1)), "the balances: {heard}");
    let again = rig.control("market", first).await.ok();
    assert_eq!((&again["heard"], &again["account_frames"]), (&json!(5), &json!(1)));
    let gap = rig.control("market", json!({ "after": 6, "events": [candle(7, 2)] })).await;
    assert_eq!(gap.status, 409, "{}", gap.body);
    let back = rig.control("market", json!({ "after": 5, "events": [candle(7, 2), candle(6, 3)] })).await;
    assert_eq!(back.status, 400);
    let wrong = json!({ "after": 5, "events": [candle(6, 2), fact(7, 0, "no.such", json!({}))] });
    assert_eq!(rig.control("market", wrong).await.status, 400);
    let status = rig.status().await;
    assert_eq!(status["heard"], 5, "nothing of a wrong batch is heard");
    assert_eq!(status["time"], START.micros() + 3_600_000_000_i64);
    let until =
        rig.control("market", json!({ "after": 5, "events": [candle(6, 2)], "until": 20 })).await.ok();
    assert_eq!(until["heard"], 20);
    rig.control("market", json!({ "after": 20, "events": [candle(21, 3)] })).await.ok();
    rig.stop().await;
}

#[tokio::test]
async fn quotes_are_wanted_until_they_come() {
    let rig = driven().await;
    rig.open_market().await;
    market_order(&rig, "one").await;
    let wanted = json!([instrument()]);
    for _ in 0..2 {
        let answer = rig.control("market", json!({ "after": 2 })).await.ok();
        assert_eq!(answer["quotes_wanted"], wanted, "an answer may be lost");
    }
    let before = frames(&rig, 0).await.len() as u64;
    let at = START.micros() + 3_600_000_000;
    let heard = rig.control("market", json!({ "after": 2, "events": [quote(3, at)] })).await.ok();
    assert_eq!(heard["quotes_wanted"], json!([]), "{heard}");
    let told = frames(&rig, before).await;
    assert!(
        told.iter().any(|frame| frame["frame"].as_str().is_some_and(|text| text.contains("\"FILLED\""))),
        "{told:?}"
    );
    assert_eq!(told[0]["number"], before + 1);
    assert_eq!(heard["account_frames"], before + told.len() as u64);
    rig.stop().await;
}

#[tokio::test]
async fn a_live_exchange_hears_no_facts_but_moves_its_hands() {
    let rig = super::rig::live().await;
    let refused = rig.control("market", json!({ "after": 0 })).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    api.ask_signed("userDataStream.subscribe.signature", json!({})).await;
    rig.control("balance", json!({ "asset": "USDT", "delta": "-1.5" })).await.ok();
    let told = api.until(|heard| heard["event"]["e"] == "balanceUpdate").await;
    assert_eq!(told["event"]["d"], "-1.50000000");
    let order = json!({ "symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
        "quantity": "0.001", "price": "40000", "newClientOrderId": "by-hand" });
    rig.control("order", order).await.ok();
    api.until(|heard| heard["event"]["c"] == "by-hand").await;
    rig.control("status", json!({ "symbol": "BTCUSDT", "status": "BREAK" })).await.ok();
    let refused = rig.rest_order("late").await;
    assert_eq!((refused.status, &refused.body["msg"]), (400, &json!("Market is closed.")));
    assert_eq!(rig.control("balance", json!({ "asset": "USDT", "delta": "-1e9" })).await.status, 400);
    assert_eq!(rig.control("balance", json!({ "asset": "USDT" })).await.status, 400);
    assert_eq!(rig.control("faults", json!("x")).await.status, 400);
    rig.stop().await;
}

fn with(journal: &Path, pace: Pace) -> Make {
    Make { pace, journal: Some(journal.to_owned()), ..Make::default() }
}

#[tokio::test]
async fn a_killed_exchange_stands_where_it_stood() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, Pace::Driven).start().await;
    rig.open_market().await;
    let placed = market_order(&rig, "one").await;
    let before = (frames(&rig, 0).await, rig.status().await);
    let account = rig.control("market", json!({ "after": 2 })).await.ok();
    // What a kill would leave, in the middle of a line.
    let mut text = fs::read(&journal).expect("a journal");
    let whole = text.len();
    text.extend_from_slice(b"{\"n\":99,\"adv");
    let left = folder.path().join("left");
    fs::write(&left, &text).expect("written");
    rig.stop().await;

    let rig = with(&left, Pace::Driven).start().await;
    assert_eq!((frames(&rig, 0).await, rig.status().await), before);
    assert_eq!(rig.control("market", json!({ "after": 2 })).await.ok(), account);
    let at = START.micros() + 3_600_000_000;
    rig.control("market", json!({ "after": 2, "events": [quote(3, at)] })).await.ok();
    let found =
        rig.call_at("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=one", at / 1_000).await.ok();
    assert_eq!((&found["orderId"], &found["status"]), (&placed["orderId"], &json!("FILLED")));
    rig.stop().await;
    assert!(fs::read(&left).expect("a journal").len() > whole);
}

#[tokio::test]
async fn a_live_exchange_takes_its_journal_up_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, Pace::Wall).start().await;
    rig.rest_order("resting").await.ok();
    let bought =
        rig.call("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01").await.ok();
    assert_eq!(bought["status"], "FILLED", "{bought}");
    let _socket = Socket::open(&rig, "/ws/btcusdt@depth@100ms").await;
    let told = frames(&rig, 0).await;
    let account = rig.call("GET", "/api/v3/account", "").await.ok();
    // What a kill would leave.
    let left = folder.path().join("left");
    fs::copy(&journal, &left).expect("a copy");
    rig.stop().await;
    let rig = with(&left, Pace::Wall).start().await;
    assert_eq!(frames(&rig, 0).await, told);
    let open = rig.call("GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    assert_eq!(open[0]["clientOrderId"], "resting", "{open}");
    assert_eq!(rig.call("GET", "/api/v3/account", "").await.ok()["balances"], account["balances"]);
    rig.stop().await;
}

#[tokio::test]
async fn anothers_journal_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = folder.path().join("journal");
    let rig = with(&journal, Pace::Driven).start().await;
    let second = with(&journal, Pace::Driven).try_start().await.err().expect("one at a time");
    assert!(second.to_string().contains("another exchange is running on it"), "{second}");
    rig.stop().await;
    let other = Make { account: "[balances]\nUSDT = \"1\"\n".to_owned(), ..with(&journal, Pace::Driven) };
    let refused = other.try_start().await.err().expect("refused");
    assert!(matches!(refused, ServeError::Journal(_)), "{refused}");
    fs::write(&journal, "no journal\n").expect("written");
    assert!(paper_exchange::journal::header(&journal).is_err());
}
