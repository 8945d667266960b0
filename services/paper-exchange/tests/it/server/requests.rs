//! The requests of `shared/cases/2026-11/requests.jsonl`, read where they lie, and what is expected of each.

use super::{
    rig::{Make, Rig, instrument, live, simulator_of},
    socket::Socket,
};
use domain::{InstrumentRules, Timestamp};
use market_store::parse_exchange_info;
use paper_exchange::server::keys::PAPER_KEY;
use serde_json::Value;
use std::path::PathBuf;

/// The folder of the cases; `None` where it is not there.
fn cases() -> Option<PathBuf> {
    let data = std::env::var_os("TAPEDECK_DATA").map(PathBuf::from);
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = data.unwrap_or(beside).join("../cases/2026-11");
    let found = folder.join("requests.jsonl").is_file();
    if !found {
        eprintln!("ignored: the cases are not here");
    }
    found.then_some(folder)
}

fn lines(folder: &std::path::Path, case: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("requests.jsonl")).expect("the requests");
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let lines: Vec<Value> =
        lines.filter(|line| line["case"].as_str().is_some_and(|name| name.starts_with(case))).collect();
    assert!(!lines.is_empty(), "no request of case {case}");
    lines
}

/// BTCUSDT around 50,000 by the recorded rules.
async fn recorded(folder: &std::path::Path) -> Rig {
    let text = std::fs::read_to_string(folder.join("recorded-rules/exchangeInfo.json")).expect("rules");
    let info = parse_exchange_info(&text).expect("exchange info");
    let rules: InstrumentRules = info.rules.get(&instrument().symbol).expect("BTCUSDT").clone();
    let make = Make {
        simulator: Some(Box::new(move |start: Timestamp| simulator_of(start, rules.clone()))),
        ..Make::default()
    };
    make.start().await
}

/// `name=value` pairs of a request in words; `(last x 0.9)` is that part of the last price.
fn parameters(words: &str, last: f64) -> String {
    let words = words.replace(" x ", "*");
    let pairs = words.split([' ', ',']).filter_map(|word| word.split_once('='));
    let value = |text: &str| match text.strip_prefix("(last*").and_then(|text| text.strip_suffix(')')) {
        Some(part) => format!("{:.2}", last * part.parse::<f64>().expect("a number")),
        None => text.to_owned(),
    };
    pairs.map(|(name, text)| format!("{name}={}", value(text))).collect::<Vec<_>>().join("&")
}

/// Status and body of the answer.
async fn ask(rig: &Rig, request: &str) -> (i64, Value) {
    if let Some(json) = request.strip_prefix("ws-api ") {
        let mut api = Socket::open(rig, "/ws-api/v3").await;
        api.say(json).await;
        let answer = api.hear().await;
        let body = if answer["error"].is_null() { &answer["result"] } else { &answer["error"] };
        return (answer["status"].as_i64().expect("a status"), body.clone());
    }
    let (signed, request) = match request.strip_prefix("signed ") {
        Some(request) => (true, request),
        None => (false, request),
    };
    let (verb, rest) = request.split_once(' ').expect("a verb");
    let (target, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let answer = if signed {
        let price = rig.get("/api/v3/ticker/price", "symbol=BTCUSDT").await.ok();
        let last = price["price"].as_str().expect("a text").parse().expect("a price");
        rig.call(verb, target, &parameters(words, last)).await
    } else {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        rig.send(verb, path, query, "", Some(PAPER_KEY)).await
    };
    (answer.status.into(), answer.body)
}

fn check(line: &Value, (status, body): (i64, Value)) {
    let request = &line["request"];
    assert_eq!(status, line["expect_status"].as_i64().unwrap_or(200), "{request}: {body}");
    let code = match &line["expect_code"] {
        Value::String(text) => text.split(',').next().and_then(|code| code.parse().ok()),
        other => other.as_i64(),
    };
    if code.is_some() {
        assert_eq!(body["code"].as_i64(), code, "{request}: {body}");
    }
    let found = if body["symbols"][0].is_object() { &body["symbols"][0] } else { &body };
    match &line["expect"] {
        Value::Object(fields) => {
            for (name, value) in fields {
                assert_eq!(&found[name], value, "{name} of {request}");
            }
        }
        Value::String(words) => {
            let said = body["msg"].as_str().unwrap_or_default();
            for what in ["Stop loss orders", "Iceberg orders", "railing stop"] {
                if words.contains(&what.to_lowercase()) {
                    assert!(said.contains(what), "{request}: {said}");
                }
            }
            if words.starts_with("an array") {
                assert!(body.is_array(), "{request}: {body}");
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn requests_with_unknown_parameters_and_of_the_delist_schedule_are_answered_as_binance_does() {
    let Some(folder) = cases() else { return };
    let rig = live().await;
    for line in lines(&folder, "8").iter().chain(&lines(&folder, "11")) {
        check(line, ask(&rig, line["request"].as_str().expect("a request")).await);
    }
    rig.stop().await;
}

#[tokio::test]
async fn recorded_rules_are_listed_and_kept() {
    let Some(folder) = cases() else { return };
    let rig = recorded(&folder).await;
    for line in lines(&folder, "10") {
        check(&line, ask(&rig, line["request"].as_str().expect("a request")).await);
    }
    rig.stop().await;
}
