//! `rest-api.md`, "LIMITS"; `faqs/order_count_decrement.md`.

use super::{
    rig::{Make, live},
    socket::Socket,
};
use domain::Timestamp;
use paper_exchange::{
    frame::AccountFrame,
    server::{Limits, limits::Meter},
};
use serde_json::json;
use std::{net::IpAddr, time::Duration};
use venue_paper::engine::Owner;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_704_153_600_000 + second * 1_000)
}

#[test]
fn a_429_then_a_ban_that_doubles() {
    let limits = Limits { weight: 10, warnings: 2, ..Limits::default() };
    let mut meter = Meter::new(limits);
    meter.charge(HERE, at(1), 10);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(meter.admit(HERE, at(1), 1).expect_err("too much").refusal.status);
    }
    assert_eq!(statuses, [429, 429, 418, 418]);
    let banned = meter.admit(HERE, at(120), 1).expect_err("banned");
    assert_eq!(banned.retry_at, at(121), "two minutes");
    assert!(banned.refusal.msg.contains(&at(121).millis().to_string()), "{}", banned.refusal.msg);
    meter.admit(HERE, at(121), 1).expect("free again");
    meter.charge(HERE, at(121), 10);
    let last = (0..3).map(|_| meter.admit(HERE, at(121), 1).expect_err("too much")).last();
    assert_eq!(last.expect("one").retry_at, at(121 + 240), "twice as long");
    let other: IpAddr = "127.0.0.2".parse().expect("an address");
    meter.admit(other, at(121), 1).expect("another address");
}

#[test]
fn a_429_names_the_end_of_the_minute() {
    let mut meter = Meter::new(Limits { weight: 10, ..Limits::default() });
    meter.charge(HERE, at(61), 8);
    let no = meter.admit(HERE, at(62), 3).expect_err("too much");
    assert_eq!(no.retry_at, at(120));
    assert!(
        no.refusal
            .msg
            .starts_with("Too much request weight used; current limit is 10 request weight per 1 MINUTE.")
    );
    meter.admit(HERE, at(62), 2).expect("just enough");
    meter.admit(HERE, at(120), 10).expect("a new minute");
}

#[test]
fn what_a_script_says_holds_as_long_as_it_says() {
    let mut meter = Meter::new(Limits { warnings: 2, ..Limits::default() });
    let no = meter.stop(HERE, at(0), 429, at(30));
    assert_eq!((no.refusal.status, no.seconds(at(0))), (429, 30));
    let no = meter.admit(HERE, at(20), 1).expect_err("too early");
    assert_eq!((no.refusal.status, no.retry_at), (429, at(30)));
    meter.admit(HERE, at(30), 1).expect("free again");
    meter.stop(HERE, at(60), 429, at(90));
    let statuses = [61, 62].map(|second| meter.admit(HERE, at(second), 1).expect_err("early").refusal.status);
    assert_eq!(statuses, [429, 418]);
    let other: IpAddr = "127.0.0.2".parse().expect("an address");
    assert_eq!(meter.stop(other, at(0), 418, at(9)).retry_at, at(9));
    assert_eq!(meter.connect(other, at(8)).expect_err("banned").refusal.status, 418);
    meter.connect(other, at(9)).expect("free again");
}

#[test]
fn raw_requests_in_five_minutes() {
    let mut meter = Meter::new(Limits { requests: 3, ..Limits::default() });
    for _ in 0..3 {
        meter.admit(HERE, at(0), 0).expect("few");
    }
    let no = meter.admit(HERE, at(0), 0).expect_err("too many");
    assert_eq!((no.refusal.status, no.refusal.code, no.retry_at), (429, -1003, at(300)));
}

#[test]
fn how_filled_orders_affect_the_count() {
    let fill = |maker: bool, last: &str, all: &str| {
        let milli =
            json!({ "e": "executionReport", "x": "TRADE", "m": maker, "l": last, "z": all }).to_string();
        AccountFrame { owner: Owner::FIRST, number: 1, at: at(0), milli: milli.clone(), micro: milli }
    };
    let mut meter = Meter::new(Limits { orders_in_10_seconds: 10, ..Limits::default() });
    meter.placed(Owner::FIRST, at(0), 8);
    meter.see(at(1), &fill(false, "1.0", "1.0"));
    assert_eq!(meter.orders(Owner::FIRST, at(1)), [7, 7], "a first fill as taker");
    meter.see(at(1), &fill(false, "1.0", "2.0"));
    assert_eq!(meter.orders(Owner::FIRST, at(1)), [7, 7], "a second one");
    meter.see(at(1), &fill(true, "1.0", "1.0"));
    assert_eq!(meter.orders(Owner::FIRST, at(1)), [2, 2], "a first fill as maker");
    meter.see(at(1), &fill(true, "1.0", "1.0"));
    assert_eq!(meter.orders(Owner::FIRST, at(1)), [0, 0], "never below nothing");
    meter.placed(Owner::FIRST, at(2), 9);
    let no = meter.may_place(Owner::FIRST, at(2), 2).expect_err("too many");
    assert_eq!(no.refusal.msg, "Too many new orders; current limit is 10 orders per 10 SECOND.");
    assert_eq!((no.refusal.code, no.refusal.status, no.retry_at), (-1015, 429, at(10)));
    let copier = Owner(1);
    meter.may_place(copier, at(2), 10).expect("another account counts for itself");
    meter.may_place(Owner::FIRST, at(2), 1).expect("one more");
    meter.may_place(Owner::FIRST, at(10), 10).expect("ten seconds later");
    assert_eq!(meter.orders(Owner::FIRST, at(10)), [0, 9]);
}

#[tokio::test]
async fn successful_orders_weigh_nothing_and_failures_do() {
    let rig = live().await;
    let before = rig.get("/api/v3/ping", "").await;
    assert_eq!(before.header("x-mbx-used-weight-1m"), Some("1"));
    let placed = rig.rest_order("a").await;
    assert_eq!(placed.status, 200, "{}", placed.body);
    assert_eq!(placed.header("x-mbx-used-weight-1m"), Some("1"));
    assert_eq!(
        (placed.header("x-mbx-order-count-10s"), placed.header("x-mbx-order-count-1d")),
        (Some("1"), Some("1"))
    );
    let refused = rig.call("POST", "/api/v3/order", "symbol=NONE&side=BUY&type=MARKET&quantity=1").await;
    assert_eq!((refused.status, refused.code()), (400, -1121));
    assert_eq!(refused.header("x-mbx-used-weight-1m"), Some("2"));
    assert_eq!(refused.header("x-mbx-order-count-10s"), None);
    let count = rig.call("GET", "/api/v3/rateLimit/order", "").await.ok();
    assert_eq!((&count[0]["count"], &count[1]["interval"]), (&json!(1), &json!("DAY")), "{count}");
    let info = rig.get("/api/v3/exchangeInfo", "").await;
    assert_eq!(info.header("x-mbx-used-weight"), Some("62"), "2 + 40 + 20");
    assert_eq!(info.body["rateLimits"][0]["limit"], 6_000);
    rig.stop().await;
}

#[tokio::test]
async fn every_429_and_418_tells_when_to_come_again() {
    let limits = Limits {
        weight: 45,
        orders_in_10_seconds: 1,
        warnings: 1,
        ban: Duration::from_secs(300),
        ..Limits::default()
    };
    let rig = Make { limits, ..Make::default() }.start().await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    rig.rest_order("a").await.ok();
    let many = rig.rest_order("b").await;
    assert_eq!((many.status, many.code()), (429, -1015));
    let wait: u64 = many.header("retry-after").expect("how long").parse().expect("seconds");
    assert!((1..=10).contains(&wait), "{wait}");
    rig.get("/api/v3/exchangeInfo", "").await.ok();
    rig.get("/api/v3/exchangeInfo", "").await.ok();
    let much = rig.get("/api/v3/exchangeInfo", "").await;
    assert_eq!((much.status, much.code()), (429, -1003));
    let wait: u64 = much.header("retry-after").expect("how long").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    let banned = api.ask("exchangeInfo", json!({})).await;
    assert_eq!((&banned["status"], &banned["error"]["code"]), (&json!(418), &json!(-1003)), "{banned}");
    let data = &banned["error"]["data"];
    let span = data["retryAfter"].as_i64().zip(data["serverTime"].as_i64()).map(|(until, now)| until - now);
    assert_eq!(span, Some(300_000), "{banned}");
    assert_eq!(rig.get("/api/v3/ping", "").await.status, 418, "everything is refused now");
    let ban = rig.get("/api/v3/ping", "").await;
    assert!(ban.header("retry-after").is_some(), "418: {:?}", ban.headers);
    rig.stop().await;
}

#[test]
fn without_limits_nobody_is_refused_and_a_script_still_stops() {
    let mut meter = Meter::new(Limits::off());
    for _ in 0..100 {
        meter.charge(HERE, at(1), 6_000);
        meter.admit(HERE, at(1), 6_000).expect("no limit of weight");
        meter.connect(HERE, at(1)).expect("no limit of connections");
        meter.may_place(Owner::FIRST, at(1), 1_000).expect("no limit of orders");
        meter.placed(Owner::FIRST, at(1), 1_000);
    }
    assert_eq!(meter.stop(HERE, at(2), 429, at(30)).refusal.status, 429);
    assert_eq!(meter.admit(HERE, at(3), 1).expect_err("a script holds").refusal.status, 429);
}

#[test]
fn a_factor_moves_every_limit_that_refuses() {
    let (usual, ten) = (Limits::default(), Limits::times(10.0));
    assert_eq!(Limits::times(1.0), usual);
    assert_eq!(
        ten,
        Limits { weight: 60_000, requests: 3_000_000, orders_in_10_seconds: 1_000, ..ten.clone() }
    );
    assert_eq!((ten.orders_in_a_day, ten.connections, ten.messages), (2_000_000, 3_000, 50));
    assert_eq!((ten.streams, ten.ban, ten.queue), (usual.streams, usual.ban, usual.queue));
    assert_eq!(Limits::times(0.000_001).messages, 1, "something is always allowed");
}

#[tokio::test]
async fn without_limits_sixty_clients_on_one_address_are_all_answered() {
    let rig = Make { limits: Limits::off(), ..Make::default() }.start().await;
    // 6,000 is Binance's weight of a minute; each of these weighs 250.
    for _ in 0..60 {
        let answer = rig.send("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=5000", "", None).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
    }
    let info = rig.send("GET", "/api/v3/exchangeInfo", "", "", None).await.ok();
    assert_eq!(info["rateLimits"][0]["limit"], 1_000_000_000, "clients that slow themselves down need not");
    rig.stop().await;
}
