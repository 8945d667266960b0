//! Every sample of Binance's own documentation that this crate is to read.

use crate::{account, data, draft};
use serde_json::Value;
use std::fs;
use venue_binance::{
    content,
    errors::{self, Verdict},
    frame, market,
    reply::Reply,
    rows, rules,
};

struct Sample {
    file: String,
    section: String,
    json: Value,
}

fn samples() -> Vec<Sample> {
    let text = fs::read_to_string(data("binance-samples/samples.jsonl")).unwrap();
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let of = |name: &str| line[name].as_str().unwrap().to_owned();
        Sample { file: of("file"), section: of("section"), json: line["json"].clone() }
    };
    text.lines().map(read).collect()
}

#[test]
fn user_data_events_decode_and_parse() {
    let mut count = 0;
    for sample in samples() {
        let of_the_stream = sample.file == "user-data-stream.md" || sample.json.get("event").is_some();
        if of_the_stream {
            let bytes = sample.json.to_string();
            frame::parse(account(), bytes.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", sample.section));
            count += 1;
        }
    }
    assert_eq!(count, 8);
}

/// What the recorder asks of every event: a fact of that account. And its table finds each parser.
#[test]
fn every_parser_of_the_table_gives_facts_of_the_account() {
    let accounts = r#"{"updateTime":1564034571073,"balances":[{"asset":"ETH","free":"1","locked":"0"}]}"#;
    let orders =
        r#"{"order":{"symbol":"A","orderId":1,"clientOrderId":"c","status":"NEW","time":1,"updateTime":1}}"#;
    let user_data = r#"{"e":"balanceUpdate","E":1573200697110,"a":"BTC","d":"1","T":1573200697068}"#;
    for (content_type, frame) in
        [(content::ACCOUNT, accounts), (content::ORDER, orders), (content::USER_DATA, user_data)]
    {
        let (_, parser) = content::PARSERS.iter().find(|(known, _)| *known == content_type).unwrap();
        let said = parser(account(), frame.as_bytes()).unwrap();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].account(), Some(account()));
        assert!(!draft(&said[0]).id.is_nil());
        assert!(parser(account(), b"{}").unwrap_err().len() > 10);
    }
}

#[test]
fn market_streams_decode() {
    let mut count = 0;
    for sample in samples().iter().filter(|s| s.file == "web-socket-streams.md") {
        // Documented as lists of "the same as above".
        if sample.json == serde_json::json!([{}]) {
            continue;
        }
        let bytes = sample.json.to_string();
        let frame = market::decode(bytes.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", sample.section));
        let ours = !matches!(frame.message, market::Message::Other(_));
        let kind = sample.json["e"].as_str().unwrap_or("depth or bookTicker");
        let foreign = ["referencePrice", "blockTrade", "24hrTicker", "1hTicker", "avgPrice"].contains(&kind);
        assert_eq!(ours, !foreign, "{kind}");
        count += 1;
    }
    assert_eq!(count, 15);
}

#[test]
fn rows_of_candles_read() {
    let instrument = domain::Instrument::spot(account().venue, "BNBBTC".parse().unwrap());
    let mut count = 0;
    for sample in
        samples().iter().filter(|s| s.section.contains("lines") || s.section.contains("Candlestick data"))
    {
        let rows = sample.json.get("result").unwrap_or(&sample.json);
        if rows.is_array() {
            let read = market::kline_rows(instrument, "1h".parse().unwrap(), rows.to_string().as_bytes());
            let read = read.unwrap_or_else(|e| panic!("{}: {e}", sample.section));
            assert_eq!(
                read[0].open.to_string().parse::<f64>().ok(),
                rows[0][1].as_str().unwrap().parse().ok()
            );
            count += 1;
        }
    }
    assert_eq!(count, 4);
}

#[test]
fn answers_of_the_websocket_api_read() {
    let mut count = 0;
    for sample in samples().iter().filter(|s| s.json.get("status").is_some_and(Value::is_u64)) {
        let bytes = sample.json.to_string();
        let reply = Reply::read(bytes.as_bytes()).unwrap_or_else(|| panic!("{}", sample.section));
        assert_eq!(reply.id.as_deref(), sample.json["id"].as_str());
        let named = if reply.status == 200 { "result" } else { "error" };
        let body: Value = serde_json::from_slice(reply.body()).unwrap();
        assert_eq!(body, sample.json[named], "{}", sample.section);
        if let Some(number) = sample.json["result"]["subscriptionId"].as_i64() {
            assert_eq!(reply.subscription(), Some(number));
        }
        count += 1;
    }
    assert!(count > 40, "only {count}");
}

/// Every object somewhere within, the value itself included.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.push(value);
            fields.values().for_each(|field| objects(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        _ => {}
    }
}

#[test]
fn rows_of_orders_trades_and_accounts_read() {
    let (mut placed, mut found, mut canceled, mut lists, mut accounts) = (0, 0, 0, 0, 0);
    for sample in samples() {
        let mut all = Vec::new();
        objects(&sample.json, &mut all);
        for object in all {
            let has = |name: &str| object.get(name).is_some();
            let bytes = object.to_string();
            let section = &sample.section;
            if has("orderReports") && !bytes.contains("origClientOrderId") {
                let read = rows::parse_placed_list(account(), bytes.as_bytes());
                read.unwrap_or_else(|e| panic!("{section}: {e}: {bytes}"));
                lists += 1;
            } else if has("orderReports") || has("origClientOrderId") && has("transactTime") && has("status")
            {
                let read = rows::parse_canceled(account(), bytes.as_bytes());
                read.unwrap_or_else(|e| panic!("{section}: {e}: {bytes}"));
                canceled += 1;
            } else if has("clientOrderId") && has("orderId") && has("transactTime") {
                let read = rows::parse_placed(account(), bytes.as_bytes());
                read.unwrap_or_else(|e| panic!("{section}: {e}: {bytes}"));
                placed += 1;
            } else if has("clientOrderId") && has("updateTime") && has("time") {
                let bytes = format!("{{\"order\":{bytes}}}");
                let read = rows::parse_order(account(), bytes.as_bytes());
                read.unwrap_or_else(|e| panic!("{section}: {e}: {bytes}"));
                found += 1;
            } else if has("balances") && has("updateTime") {
                rows::parse_account(account(), bytes.as_bytes()).unwrap();
                accounts += 1;
            }
        }
    }
    assert!(
        placed > 15 && found > 15 && canceled > 8 && lists > 5 && accounts >= 2,
        "{placed} placed, {found} found, {canceled} canceled, {lists} lists, {accounts} accounts"
    );
}

#[test]
fn errors_read_with_their_numbers() {
    let mut count = 0;
    for sample in samples() {
        let mut all = Vec::new();
        objects(&sample.json, &mut all);
        let status = sample.json["status"].as_u64().map_or(400, |status| status as u16);
        for object in all.iter().filter(|o| o.get("msg").is_some() && o["code"].is_i64()) {
            let failure = errors::read(status, object.to_string().as_bytes(), None);
            assert_eq!(failure.code, object["code"].as_i64());
            // A cancel-replace, which is never asked for, may have done one half.
            let is_replaced = matches!(failure.code, Some(-2021 | -2022));
            assert_eq!(failure.verdict == Verdict::Unknown, is_replaced, "{failure}");
            count += 1;
        }
    }
    assert!(count > 15, "only {count}");
}

#[test]
fn exchange_info_and_rate_limits_read() {
    let mut count = 0;
    for sample in samples() {
        let mut all = Vec::new();
        objects(&sample.json, &mut all);
        for object in all.iter().filter(|o| o["symbols"].is_array() && o.get("rateLimits").is_some()) {
            let info = rules::parse(object.to_string().as_bytes());
            let info = info.unwrap_or_else(|e| panic!("{}: {e}", sample.section));
            assert!(info.refused.is_empty(), "{:?}", info.refused);
            count += 1;
        }
    }
    assert!(count > 0);
}
