//! What is so on a finished tape, for people and for programs.

use crate::support::*;
use domain::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

fn amount(value: &Value) -> Decimal {
    text(value).parse().unwrap()
}

#[test]
fn trades_tell_how_each_went() {
    let place = Place::finished();
    let trades = place.run("trades --json").well().list();
    let states = texts(&trades, "state");
    assert_eq!(states, ["closed", "closed", "open", "open"]);
    for trade in &trades {
        let closed = trade["state"] == "closed";
        assert!(
            amount(&trade["quantity"]) > Decimal::ZERO
                && amount(&trade["stop"]) < amount(&trade["entry_price"])
        );
        assert_eq!(closed, !trade["profit"].is_null(), "{trade}");
        assert_eq!(closed, !trade["closed_at"].is_null(), "{trade}");
        assert_eq!(trade["protected"], if closed { Value::Null } else { Value::Bool(true) });
    }
    let told = place.run("trades").well();
    assert!(told.out.starts_with("trade "), "{told:#?}");
    assert_eq!(told.out.lines().count(), 1 + trades.len());
    told.says(&texts(&trades, "trade")).says(&["stop hit", "exit requested", "open, protected"]);
}

#[test]
fn positions_are_what_the_open_trades_hold() {
    let place = Place::finished();
    let positions = place.run("positions --json").well().list();
    let trades = place.run("trades --json").well().list();
    let open: BTreeMap<String, Decimal> = trades
        .iter()
        .filter(|trade| trade["state"] == "open")
        .map(|trade| (text(&trade["trade"]).split('-').nth(1).unwrap().to_owned(), amount(&trade["held"])))
        .collect();
    let held: BTreeMap<String, Decimal> = positions
        .iter()
        .map(|p| (text(&p["instrument"]).rsplit(':').next().unwrap().to_owned(), amount(&p["quantity"])))
        .collect();
    assert_eq!(held, open);
    assert_eq!(texts(&positions, "owner"), ["edge70", "edge70"]);
    let told = place.run("positions").well();
    assert!(told.out.starts_with("account "), "{told:#?}");
    told.says(&["BTCUSDT", "SOLUSDT", "edge70"]);
}

#[test]
fn orders_tell_what_was_asked_and_what_became_of_it() {
    let place = Place::finished();
    let orders = place.run("orders --json").well().list();
    assert_eq!(orders.len(), place.rows(&["order.submitted"]).len());
    let filled: Decimal = orders.iter().map(|order| amount(&order["filled"])).sum();
    let fills = place.rows(&["order.filled"]);
    assert_eq!(filled, fills.iter().map(|fill| amount(&fill["body"]["quantity"])).sum());
    let working: Vec<_> = orders.iter().filter(|order| order["state"] == "working").collect();
    assert_eq!(working.len(), 2, "the stops of the two open trades: {working:?}");
    assert!(working.iter().all(|order| order["what"]["kind"]["type"] == "stop_loss_limit"));
    let told = place.run("orders").well();
    assert_eq!(told.out.lines().count(), 1 + orders.len());
    told.says(&texts(&orders, "order")).says(&["buy LIMIT", "sell STOP_LOSS_LIMIT", "filled", "working"]);
}

#[test]
fn the_portfolio_adds_up() {
    let place = Place::finished();
    let portfolio = place.run("portfolio --json").well().list();
    let [account] = &portfolio[..] else { panic!("one account: {portfolio:?}") };
    let holdings = account["holdings"].as_array().unwrap();
    let value: Decimal = holdings.iter().map(|h| amount(&h["value"])).sum();
    assert_eq!(amount(&account["equity"]), value);
    assert_eq!(amount(&account["cash"]) + amount(&account["exposure"]), value);
    let told = place.run("portfolio").well();
    told.says(&[text(&account["account"]), "cash", "exposure", "drawdown", "asset", "USDT", "BTC", "SOL"]);
}

#[test]
fn signals_are_those_on_the_tape() {
    let place = Place::finished();
    let signals = place.run("signals --json").well().list();
    let rows = place.rows(&["signal.given"]);
    assert_eq!(signals, rows.iter().map(|row| row["body"].clone()).collect::<Vec<_>>());
    let told = place.run("signals").well();
    assert_eq!(told.out.lines().count(), 1 + signals.len());
    told.says(&["edge70", "long", "short", "BTCUSDT"]);
}

#[test]
fn a_tape_on_which_nothing_was_traded_says_so() {
    let place = Place::new();
    place.run(&up("synthetic:1:10")).well();
    for (command, words) in [
        ("positions", "no positions"),
        ("trades", "no trades"),
        ("orders", "no orders"),
        ("signals", "no signals"),
    ] {
        assert_eq!(place.run(command).well().out.trim(), words);
        assert_eq!(place.run(&format!("{command} --json")).well().list(), [] as [Value; 0]);
    }
}
