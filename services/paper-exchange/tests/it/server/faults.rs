//! The script of faults: what goes wrong, and that it goes wrong the same way each time.

use super::{
    rig::{Make, Rig, live, now},
    socket::{Ended, Socket},
};
use domain::Timestamp;
use paper_exchange::faults::{Faults, On, Script, ScriptError};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn with(faults: &'static str) -> Rig {
    Make { faults, ..Make::default() }.start().await
}

async fn subscribed(rig: &Rig) -> Socket {
    let mut api = Socket::open(rig, "/ws-api/v3").await;
    api.ask_signed("userDataStream.subscribe.signature", json!({})).await;
    api
}

#[test]
fn the_readmes_example_is_a_script() {
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("```toml\n# faults.toml").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let script = Script::parse(example).expect("a script");
    assert!(script.rules.len() > 10, "one rule of each kind");
    let (_, rest) = readme.split_once("```toml\n# account.toml").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    paper_exchange::server::account::read(example).expect("an account");
}

#[test]
fn a_rule_that_cannot_strike_is_named() {
    let cases = [
        ("on = \"request\"\nthen = \"drop\"", "Drop cannot happen on Request"),
        (
            "on = \"request\"\nendpoint = [\"order.plaice\"]\nthen = { delay = \"1s\" }",
            "no endpoint 'order.plaice'",
        ),
        ("on = \"request\"\nprobability = 2\nthen = { delay = \"1s\" }", "probability"),
        ("on = \"request\"\nnth = 0\nthen = { delay = \"1s\" }", "from 1"),
        ("on = \"time\"\nfrom = \"2s\"\nuntil = \"1s\"\nthen = \"maintenance\"", "until"),
        ("on = \"request\"\nthen = { limit = { status = 500, retry-after = 1 } }", "retry-after"),
        ("on = \"request\"\nthen = { limit = { status = 500, retry_after = 1 } }", "429 or 418"),
        ("on = \"request\"\nthen = { status = { status = 200 } }", "400 to 599"),
        ("on = \"request\"\nthen = { delay = \"soon\" }", "no length of time"),
        ("on = \"time\"\nthen = { rules = { symbol = \"BTCUSDT\" } }", "no rule is named"),
        (
            "on = \"time\"\nthen = { rules = { symbol = \"BTCUSDT\", step_size = \"0\" } }",
            "step_size is 0; write a number above 0",
        ),
        (
            "on = \"time\"\nthen = { rules = { symbol = \"BTCUSDT\", stepSize = \"1\" } }",
            "unknown field `stepSize`",
        ),
        (
            "on = \"account-frame\"\nthen = { rules = { symbol = \"BTCUSDT\", step_size = \"1\" } }",
            "cannot happen on AccountFrame",
        ),
        ("on = \"market-frame\"\nthen = \"reorder\"", "say nth, every (2 or more), times or probability"),
        ("on = \"account-frame\"\nevery = 1\nthen = \"reorder\"", "say nth, every (2 or more)"),
        ("on = \"account-frame\"\nprobability = 1\nthen = \"reorder\"", "probability (less than 1)"),
    ];
    for (rule, why) in cases {
        let error = Script::parse(&format!("[[rule]]\n{rule}\n")).expect_err(rule);
        assert!(error.to_string().contains(why), "{rule}: {error}");
    }
    assert!(matches!(Script::parse("seed = \"x\""), Err(ScriptError::Malformed(_))));
}

/// Draws come from seed, rule and ordinal alone: not from when, and not from what other rules have drawn.
#[test]
fn the_same_script_and_seed_give_the_same_run() {
    let start = Timestamp::from_millis(0);
    let draws = |seed: u64, late: i64, others: bool| -> Vec<bool> {
        let text = format!(
            "seed = {seed}\n[[rule]]\non = \"request\"\nendpoint = [\"order.place\"]\nprobability = 0.3\n\
             then = {{ delay = \"1ms\" }}\n[[rule]]\non = \"market-frame\"\nprobability = 0.5\nthen = \"drop\"\n"
        );
        let mut faults = Faults::new(Script::parse(&text).expect("a script"), start);
        (0..200)
            .map(|n| {
                let now = Timestamp::from_millis(n * late);
                if others {
                    faults.frame(On::MarketFrame, now, "a@trade");
                    faults.request(now, |name| name == "ping");
                }
                faults.request(now, |name| name == "order.place").is_some()
            })
            .collect()
    };
    let first = draws(7, 1, false);
    assert_eq!(first, draws(7, 1, false));
    assert_eq!(first, draws(7, 1_000, true));
    assert_ne!(first, draws(8, 1, false));
    let share = first.iter().filter(|struck| **struck).count();
    assert!((30..90).contains(&share), "{share} of 200 at 0.3");
}

#[test]
fn when_and_how_often() {
    let text =
        "[[rule]]\non = \"request\"\nevery = 2\ntimes = 2\nfrom = \"1s\"\nuntil = \"9s\"\nthen = \"close\"\n";
    let mut faults = Faults::new(Script::parse(text).expect("a script"), Timestamp::ZERO);
    let mut strikes =
        |second: i64| faults.request(Timestamp::from_millis(second * 1_000), |_| true).is_some();
    let struck: Vec<bool> = [0, 1, 2, 3, 4, 5, 6].map(&mut strikes).into();
    assert_eq!(struck, [false, false, true, false, true, false, false]);
}

#[tokio::test]
async fn timeouts_after_acceptance() {
    let rig = with(
        r#"
        [[rule]]
        on = "request"
        endpoint = ["POST /api/v3/order"]
        nth = 1
        then = { timeout = "error" }
        [[rule]]
        on = "request"
        endpoint = ["order.place"]
        nth = 2
        then = { timeout = "cut" }
        [[rule]]
        on = "request"
        endpoint = ["order.place"]
        nth = 3
        then = { timeout = "silence" }
        "#,
    )
    .await;
    let answer = rig.rest_order("error").await;
    assert_eq!((answer.status, answer.code()), (504, -1007));
    let order = super::rig::signed(&super::rig::resting("cut"), now());
    let key = Some(paper_exchange::server::keys::PAPER_KEY);
    let cut = rig.try_send("POST", "/api/v3/order", &order, "", key).await.expect_err("no answer");
    assert!(!cut.is_timeout() && !cut.is_connect(), "{cut:?}");
    let order = super::rig::signed(&super::rig::resting("silence"), now());
    let silent = rig.try_send("POST", "/api/v3/order", &order, "", key);
    assert!(tokio::time::timeout(Duration::from_millis(300), silent).await.is_err(), "no answer, ever");
    // All three were executed.
    let open = rig.call("GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    assert_eq!(open.as_array().map(Vec::len), Some(3), "{open}");
    rig.stop().await;
}

#[tokio::test]
async fn statuses_limits_delays_and_late_arrivals() {
    let rig = with(
        r#"
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 1
        then = { status = { status = 503, body = "<html>busy</html>" } }
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 2
        then = { delay = "100ms" }
        [[rule]]
        on = "request"
        endpoint = ["account.status"]
        then = { hold = "150ms" }
        [[rule]]
        on = "request"
        endpoint = ["time"]
        then = { status = { status = 503, body = '{"code":-1008,"msg":"busy"}' } }
        "#,
    )
    .await;
    let busy = rig.get("/api/v3/ping", "").await;
    assert_eq!((busy.status, busy.body.as_str()), (503, Some("<html>busy</html>")));
    let began = Instant::now();
    rig.get("/api/v3/ping", "").await.ok();
    assert!(began.elapsed() >= Duration::from_millis(100));
    let late = rig.call("GET", "/api/v3/account", "recvWindow=100").await;
    assert_eq!(late.code(), -1021, "{}", late.body);
    rig.call("GET", "/api/v3/account", "").await.ok();
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let busy = api.ask("time", json!({})).await;
    assert_eq!((&busy["status"], &busy["error"]["code"]), (&json!(503), &json!(-1008)), "{busy}");
    rig.stop().await;
}

#[tokio::test]
async fn a_scripted_429_or_418_says_how_long_to_wait() {
    let rig = with(
        r#"
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 1
        then = { status = { status = 429 } }
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 2
        then = { status = { status = 429, retry_after = 7, body = '{"code":-1003,"msg":"slowly"}' } }
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 3
        then = { status = { status = 418 } }
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 4
        then = { status = { status = 503, retry_after = 3 } }
        [[rule]]
        on = "request"
        endpoint = ["ping"]
        nth = 5
        then = { status = { status = 503 } }
        [[rule]]
        on = "request"
        endpoint = ["time"]
        nth = 1
        then = { status = { status = 429, retry_after = 9 } }
        [[rule]]
        on = "request"
        endpoint = ["time"]
        nth = 2
        then = { status = { status = 418, body = '{"code":-1003,"msg":"banned"}' } }
        "#,
    )
    .await;
    let many = rig.get("/api/v3/ping", "").await;
    let wait: u64 = many.header("retry-after").expect("how long").parse().expect("seconds");
    assert_eq!((many.status, many.code()), (429, -1003), "{}", many.body);
    assert!((1..=60).contains(&wait), "until the minute is over: {wait}");
    let many = rig.get("/api/v3/ping", "").await;
    assert_eq!((many.status, many.header("retry-after"), many.code()), (429, Some("7"), -1003));
    assert_eq!(many.body["msg"], "slowly");
    let banned = rig.get("/api/v3/ping", "").await;
    assert_eq!((banned.status, banned.header("retry-after"), banned.code()), (418, Some("120"), -1003));
    let busy = rig.get("/api/v3/ping", "").await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("3")));
    let busy = rig.get("/api/v3/ping", "").await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, None));
    rig.get("/api/v3/ping", "").await.ok();
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    for (status, wait) in [(429, 9), (418, 120)] {
        let many = api.ask("time", json!({})).await;
        assert_eq!((&many["status"], &many["error"]["code"]), (&json!(status), &json!(-1003)), "{many}");
        let data = &many["error"]["data"];
        let at = |name: &str| data[name].as_i64().expect("a time");
        assert_eq!(at("retryAfter") - at("serverTime"), wait * 1_000, "{many}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn account_frames_dropped_duplicated_and_reordered() {
    let rig = with(
        r#"
        [[rule]]
        on = "account-frame"
        stream = "balanceUpdate"
        nth = 2
        then = "drop"
        [[rule]]
        on = "account-frame"
        stream = "balance*"
        nth = 3
        then = "duplicate"
        [[rule]]
        on = "account-frame"
        stream = "balanceUpdate"
        nth = 4
        then = "reorder"
        "#,
    )
    .await;
    let mut api = subscribed(&rig).await;
    for delta in 1..=6 {
        rig.control("balance", json!({ "asset": "USDT", "delta": delta.to_string() })).await.ok();
    }
    let mut heard = Vec::new();
    while heard.len() < 6 {
        let told = api.until(|told| told["event"]["e"] == "balanceUpdate").await;
        heard.push(told["event"]["d"].as_str().expect("a text")[..1].to_owned());
    }
    // The fourth comes after the next frame of the account, whatever that is.
    heard.sort();
    assert_eq!(heard, ["1", "3", "3", "4", "5", "6"]);
    let all = rig.get("/control/account-frames", "after=0").await.ok();
    let frames = all["frames"].as_array().expect("frames");
    let told =
        frames.iter().filter(|f| f["frame"].as_str().is_some_and(|text| text.contains("balanceUpdate")));
    assert_eq!(told.count(), 6, "out of band nothing is lost");
    rig.stop().await;
}

/// Two that follow each other change places, however many the rule would hold.
#[tokio::test]
async fn one_frame_of_a_stream_is_held_at_a_time() {
    let rig = with("[[rule]]\non = \"account-frame\"\ntimes = 50\nthen = \"reorder\"\n").await;
    let mut api = subscribed(&rig).await;
    for delta in 1..=2 {
        rig.control("balance", json!({ "asset": "USDT", "delta": delta.to_string() })).await.ok();
    }
    let all = rig.get("/control/account-frames", "after=0").await.ok();
    let frames = all["frames"].as_array().expect("frames");
    let mut told: Vec<Value> = frames
        .iter()
        .map(|frame| serde_json::from_str(frame["frame"].as_str().expect("a text")).expect("JSON"))
        .collect();
    assert_eq!(told.len(), 4, "{told:?}");
    told.swap(0, 1);
    told.swap(2, 3);
    for event in told {
        assert_eq!(api.hear().await["event"], event);
    }
    rig.stop().await;
}

/// `rest-api.md`, "IP Limits": who goes on after 429 is banned with 418, and a ban is for the whole address.
#[tokio::test]
async fn a_limit_holds_and_who_goes_on_is_banned() {
    let script = "[[rule]]\non = \"request\"\nendpoint = [\"ping\"]\nnth = 1\n\
                  then = { limit = { status = 429, retry_after = 30 } }\n";
    let rig = with(script).await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let mut streams = Socket::open(&rig, "/ws").await;
    let first = rig.get("/api/v3/ping", "").await;
    assert_eq!((first.status, first.header("retry-after"), first.code()), (429, Some("30"), -1003));
    let over_sockets = api.ask("time", json!({})).await;
    assert_eq!((&over_sockets["status"], &over_sockets["error"]["code"]), (&json!(429), &json!(-1003)));
    let mut statuses = Vec::new();
    while statuses.last() != Some(&418) && statuses.len() < 20 {
        let no = rig.get("/api/v3/time", "").await;
        let wait: u64 = no.header("retry-after").expect("how long").parse().expect("seconds");
        assert!(no.status == 418 || (1..=30).contains(&wait), "{no:?}");
        statuses.push(no.status);
    }
    assert_eq!((statuses.first(), statuses.last()), (Some(&429), Some(&418)), "{statuses:?}");
    for socket in [&mut api, &mut streams] {
        assert_eq!(socket.next().await, Err(Ended::Closed(1008)));
    }
    for path in ["/ws-api/v3", "/ws"] {
        assert_eq!(Socket::refusal(&rig, path).await, Some(418), "{path}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_scripted_ban_is_told_over_the_socket_before_it_closes() {
    let script = "[[rule]]\non = \"request\"\nendpoint = [\"time\"]\n\
                  then = { limit = { status = 418, retry_after = 9 } }\n";
    let rig = with(script).await;
    let mut api = Socket::open(&rig, "/ws-api/v3").await;
    let banned = api.ask("time", json!({})).await;
    assert_eq!((&banned["status"], &banned["error"]["code"]), (&json!(418), &json!(-1003)), "{banned}");
    assert_eq!(api.next().await, Err(Ended::Closed(1008)));
    assert_eq!(rig.get("/api/v3/ping", "").await.status, 418);
    rig.stop().await;
}

#[tokio::test]
async fn market_frames_dropped() {
    let rig =
        with("[[rule]]\non = \"market-frame\"\nstream = \"*@depth@100ms\"\nnth = 3\nthen = \"drop\"\n").await;
    let mut socket = Socket::open(&rig, "/ws/btcusdt@depth@100ms").await;
    let (mut last, mut gaps) = (None, 0);
    for _ in 0..6 {
        let update = socket.hear().await;
        let (first, end) = (update["U"].as_u64().expect("U"), update["u"].as_u64().expect("u"));
        gaps += u32::from(last.is_some_and(|last| first != last + 1));
        last = Some(end);
    }
    assert_eq!(gaps, 1);
    rig.stop().await;
}

#[tokio::test]
async fn silent_sockets_half_open_connections_and_closed_ones() {
    let rig = with(
        r#"
        [[rule]]
        on = "account-frame"
        stream = "balanceUpdate"
        nth = 1
        then = "silent"
        [[rule]]
        on = "connection"
        stream = "streams"
        nth = 1
        then = "half-open"
        [[rule]]
        on = "connection"
        stream = "streams"
        nth = 2
        after = "50ms"
        then = "close"
        "#,
    )
    .await;
    let mut api = subscribed(&rig).await;
    let mut dead = Socket::open(&rig, "/ws/btcusdt@depth@100ms").await;
    let mut short = Socket::open(&rig, "/ws").await;
    assert_eq!(short.next().await, Err(Ended::Closed(1001)));
    rig.control("balance", json!({ "asset": "USDT", "delta": "1" })).await.ok();
    rig.control("balance", json!({ "asset": "USDT", "delta": "1" })).await.ok();
    assert!(api.is_silent(Duration::from_millis(300)).await, "no event");
    assert!(dead.is_silent(Duration::from_millis(300)).await, "nothing at all");
    let mut other = subscribed(&rig).await;
    rig.control("balance", json!({ "asset": "USDT", "delta": "1" })).await.ok();
    other.until(|told| told["event"]["e"] == "balanceUpdate").await;
    assert_eq!(api.ask("ping", json!({})).await["status"], 200, "it is not closed");
    rig.stop().await;
}

#[tokio::test]
async fn clock_offset_balances_orders_and_statuses_at_their_time() {
    let rig = Make {
        pace: paper_exchange::server::Pace::Driven,
        faults: r#"
        [[rule]]
        on = "time"
        from = "1h"
        then = { balance = { asset = "USDT", delta = "5" } }
        [[rule]]
        on = "time"
        from = "2h"
        then = { order = { symbol = "BTCUSDT", side = "BUY", type = "LIMIT", timeInForce = "GTC", quantity = "0.001", price = "40000", newClientOrderId = "scripted" } }
        [[rule]]
        on = "time"
        from = "2h"
        then = { symbol-status = { symbol = "BTCUSDT", status = "HALT" } }
        [[rule]]
        on = "time"
        from = "3h"
        until = "4h"
        then = { clock-offset = "-3s" }
        "#,
        ..Make::default()
    }
    .start()
    .await;
    rig.open_market().await;
    let told = |answer: Value, word: &str| answer.to_string().matches(word).count();
    let frames = rig.get("/control/account-frames", "").await.ok();
    assert_eq!((told(frames.clone(), "balanceUpdate"), told(frames, "scripted")), (1, 0));
    rig.control("market", json!({ "after": 2, "events": [super::rig::candle(3, 2)] })).await.ok();
    let frames = rig.get("/control/account-frames", "").await.ok();
    assert!(told(frames, "scripted") > 0);
    let time = || async { rig.get("/api/v3/time", "").await.ok()["serverTime"].as_i64().expect("a time") };
    let start = super::rig::START.millis();
    assert_eq!(time().await, start + 2 * 3_600_000);
    rig.control("market", json!({ "after": 3, "events": [super::rig::candle(4, 3)] })).await.ok();
    assert_eq!(time().await, start + 3 * 3_600_000 - 3_000);
    let ahead = rig.call_at("GET", "/api/v3/account", "", start + 3 * 3_600_000).await;
    assert_eq!(ahead.body["msg"], "Timestamp for this request was 1000ms ahead of the server's time.");
    rig.stop().await;
}

#[tokio::test]
async fn maintenance() {
    let rig =
        with("[[rule]]\non = \"time\"\nfrom = \"500ms\"\nuntil = \"2500ms\"\nthen = \"maintenance\"\n").await;
    let mut api = subscribed(&rig).await;
    let mut streams = Socket::open(&rig, "/ws/btcusdt@depth@100ms").await;
    streams.until(|told| told["e"] == "serverShutdown").await;
    assert_eq!(streams.next().await, Err(Ended::Closed(1001)), "nothing comes after it");
    api.until(|told| told["event"]["e"] == "serverShutdown").await;
    assert!(matches!(api.next().await, Err(Ended::Closed(1001))));
    assert_eq!(rig.get("/api/v3/ping", "").await.status, 503);
    for path in ["/ws-api/v3", "/ws/btcusdt@trade"] {
        assert_eq!(Socket::refusal(&rig, path).await, Some(503), "{path}");
    }
    let deadline = Instant::now() + super::rig::TIMEOUT;
    while rig.get("/api/v3/ping", "").await.status != 200 {
        assert!(Instant::now() < deadline, "it ends");
        tokio::task::yield_now().await;
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_script_can_be_replaced() {
    let rig = live().await;
    let script = "[[rule]]\non = \"request\"\nendpoint = [\"ping\"]\nthen = { status = { status = 500 } }\n";
    rig.send("POST", "/control/faults", "", script, None).await.ok();
    assert_eq!(rig.get("/api/v3/ping", "").await.status, 500);
    rig.send("POST", "/control/faults", "", "seed = 1", None).await.ok();
    rig.get("/api/v3/ping", "").await.ok();
    rig.stop().await;
}

fn filter<'a>(info: &'a Value, name: &str) -> &'a Value {
    let filters = info["symbols"][0]["filters"].as_array().expect("filters");
    filters.iter().find(|filter| filter["filterType"] == name).expect("one of that name")
}

/// Orders that work stay as they are; new ones are judged by the new rules, which everybody is shown.
#[tokio::test]
async fn rules_change_at_their_time_and_with_a_request() {
    let rig = with(
        r#"
        [[rule]]
        on = "request"
        endpoint = ["order.test"]
        nth = 1
        then = { rules = { symbol = "BTCUSDT", step_size = "0.1", min_qty = "0.1", tick_size = "0.5", min_notional = "25", ask = { down = "0.8", up = "5" } } }
        "#,
    )
    .await;
    let order = |id: &str, quantity: &str, price: &str| {
        format!(
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity={quantity}&price={price}&newClientOrderId={id}"
        )
    };
    rig.call("POST", "/api/v3/order", &order("before", "0.011", "40000.01")).await.ok();
    rig.call("POST", "/api/v3/order/test", &order("test", "0.1", "40000")).await.ok();
    let refused = rig.call("POST", "/api/v3/order", &order("lot", "0.011", "40000")).await;
    assert_eq!((refused.code(), &refused.body["msg"]), (-1013, &json!("Filter failure: LOT_SIZE")));
    let refused = rig.call("POST", "/api/v3/order", &order("tick", "0.1", "40000.01")).await;
    assert_eq!(refused.body["msg"], "Filter failure: PRICE_FILTER");
    rig.call("POST", "/api/v3/order", &order("after", "0.1", "40000.5")).await.ok();
    let info = rig.get("/api/v3/exchangeInfo", "symbol=BTCUSDT").await.ok();
    assert_eq!(filter(&info, "LOT_SIZE")["stepSize"], "0.10000000");
    assert_eq!(filter(&info, "NOTIONAL")["minNotional"], "25.00000000");
    assert_eq!(filter(&info, "PERCENT_PRICE_BY_SIDE")["askMultiplierDown"], "0.8");
    let open = rig.call("GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.ok();
    assert_eq!(open.as_array().expect("orders").len(), 2, "{open}");
    // By hand, too.
    rig.control("rules", json!({ "symbol": "BTCUSDT", "step_size": "0.001", "min_qty": "0.001" })).await.ok();
    rig.call("POST", "/api/v3/order", &order("again", "0.011", "40000")).await.ok();
    let unknown = rig.control("rules", json!({ "symbol": "NONEUSDT", "step_size": "1" })).await;
    assert_eq!(unknown.status, 400, "{}", unknown.body);
    let nothing = rig.control("rules", json!({ "symbol": "BTCUSDT" })).await;
    assert!(nothing.body.to_string().contains("no rule is named"), "{}", nothing.body);
    rig.stop().await;
}
