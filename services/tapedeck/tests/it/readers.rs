//! Every command that looks at a finished tape, for people and for programs.

use crate::support::*;
use domain::Decimal;
use serde_json::Value;
use sqlx::{ConnectOptions, Connection, Row, sqlite::SqliteConnectOptions};
use std::collections::BTreeMap;

fn amount(value: &Value) -> Decimal {
    text(value).parse().unwrap()
}

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for command in [
        "",
        "up",
        "backtest",
        "replay",
        "verify",
        "why",
        "tape",
        "tape head",
        "tape show",
        "tape tail",
        "tape export",
        "tape import",
        "positions",
        "trades",
        "orders",
        "portfolio",
        "signals",
        "simulate",
        "doctor",
    ] {
        let help = place.run(&format!("{command} --help")).well();
        help.says(&["Usage: tapedeck", command, "--json", "--config"]);
        assert_eq!(help.err, "");
    }
    place.run("").explains(2);
    place.run("--version").well().says(&[&format!("tapedeck {}", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn trades_tell_how_each_went() {
    let place = Place::finished();
    let trades = place.run("trades --json").well().list();
    let states = texts(&trades, "state");
    assert_eq!(states, ["closed", "closed", "open, protected", "open, protected"]);
    for trade in &trades {
        let closed = trade["state"] == "closed";
        assert!(
            amount(&trade["quantity"]) > Decimal::ZERO
                && amount(&trade["stop"]) < amount(&trade["entry_price"])
        );
        assert_eq!(closed, !trade["profit"].is_null(), "{trade}");
        assert_eq!(closed, !trade["closed_at"].is_null(), "{trade}");
    }
    let told = place.run("trades").well();
    assert!(told.out.starts_with("trade "), "{told:#?}");
    assert_eq!(told.out.lines().count(), 1 + trades.len());
    told.says(&texts(&trades, "trade")).says(&["StopHit", "Requested", "open, protected"]);
}

#[test]
fn positions_are_what_the_open_trades_hold() {
    let place = Place::finished();
    let positions = place.run("positions --json").well().list();
    let trades = place.run("trades --json").well().list();
    let open: BTreeMap<String, Decimal> = trades
        .iter()
        .filter(|trade| trade["state"] == "open, protected")
        .map(|trade| {
            (text(&trade["trade"]).split('-').nth(1).unwrap().to_owned(), amount(&trade["quantity"]))
        })
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

#[test]
fn the_newest_tape_is_meant_where_none_is_named() {
    let place = Place::new();
    place.run(&up("synthetic:1:10")).well();
    let newer = place.run(&(up("synthetic:2:20") + " --json")).well().head();
    assert_eq!(place.head(), newer);
    let mut command = place.command("tape head --json");
    command.env("STORE_URL", "sqlite:tapedeck-data/synthetic-1-10.tape");
    let older = serde_json::from_slice::<Value>(&command.output().unwrap().stdout).unwrap();
    assert_ne!(older["hash"], newer.hash.as_str());
}

#[test]
fn show_and_tail_choose_by_position_number_and_kind() {
    let place = Place::finished();
    let shown = place.run("tape show --from 3 -n 5").well();
    let positions: Vec<_> = shown.out.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(positions, ["3", "4", "5", "6", "7"]);
    let first: Value = serde_json::from_str(&place.run("tape show --json -n 1").well().out).unwrap();
    assert_eq!((&first["position"], &first["kind"]), (&Value::from(1), &Value::from("tape.opened")));
    assert_eq!(first["body"]["market"], MARKET);

    let head = place.head();
    let last = place.run("tape tail --json -n 3").well();
    let last: Vec<Value> = last.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(last.len(), 3);
    assert_eq!((last[2]["position"].as_u64(), text(&last[2]["hash"])), (Some(head.position), &*head.hash));
    let closed = place.run("tape tail -n 9 --kind trade.closed").well();
    assert_eq!(closed.out.lines().count(), 2);
    assert_eq!(place.run("tape show -n 9 --kind trade.closed").well().out, closed.out);
    let mixed = place.rows(&["trade.closed", "signal"]);
    assert!(
        mixed.iter().all(|row| row["kind"] == "trade.closed" || text(&row["kind"]).starts_with("signal."))
    );
    assert_eq!(place.run("tape show --from 99999999").well().out, "");
    let told = place.run("tape head").well();
    told.says(&[&format!("position {}", head.position), &head.hash]);
}

#[test]
fn tail_follows_what_is_added() {
    let place = Place::new();
    place.run(&format!("{} --to 2024-02-01", up(MARKET))).well();
    let head = place.head();
    let mut tail = place.start("tape tail --follow --json -n 1");
    place.run(&format!("{} --to 2024-02-02", up(MARKET))).well();
    let more = place.head().position - head.position;
    assert!(more > 100);
    // A while for the last of them to be polled; then it is ended, and what it said is counted.
    let mut rows = Vec::new();
    until("it has followed to the end", || {
        rows.extend(tail.printed());
        (rows.len() as u64 > more).then_some(())
    });
    tail.kill();
    let positions: Vec<u64> = rows
        .iter()
        .map(|row| serde_json::from_str::<Value>(row).unwrap()["position"].as_u64().unwrap())
        .collect();
    assert_eq!(positions, (head.position..=head.position + more).collect::<Vec<_>>());
}

#[test]
fn an_export_imported_is_the_same_tape() {
    let place = Place::finished();
    let head = place.head();
    let exported = place.run("tape export --out tape.jsonl --json").well();
    assert_eq!(exported.head(), head);
    let imported = place.run("tape import tape.jsonl --tape sqlite:copy.tape --json").well();
    assert_eq!(imported.head(), head);
    assert_eq!(place.run("verify --json --tape sqlite:copy.tape").well().head(), head);
    for command in ["positions", "trades", "orders", "portfolio", "replay --json"] {
        let copy = place.run(&format!("{command} --tape sqlite:copy.tape")).well();
        assert!(copy.out == place.run(command).well().out, "{command}");
    }
    // It goes on from there as the original would, and is exported the same again.
    assert_eq!(place.run(&format!("{} --tape sqlite:copy.tape --json", up(MARKET))).well().head(), head);
    let again = place.run("tape export").well().out;
    assert!(again == place.read("tape.jsonl"));

    place.run("tape export --out tape.jsonl").ends(1, &["tape.jsonl", "never overwritten"]);
    place.run("tape import tape.jsonl --tape sqlite:copy.tape").ends(1, &["import into a new one"]);
    let cut = &again[..again.len() / 2];
    place.write("cut.jsonl", cut);
    place.run("tape import cut.jsonl --tape sqlite:cut.tape").ends(1, &["cut.jsonl", "line "]);
}

/// The engine keeps its units' states on the tape when a run ends; replay gets them from the events.
#[tokio::test]
async fn replay_ends_with_the_states_that_the_units_had() {
    let place = Place::finished();
    let replayed = place.run("replay --json").well().json();
    assert_eq!(replayed["position"], place.head().position);
    let mut raw = SqliteConnectOptions::new().filename(place.path(&place.kept())).connect().await.unwrap();
    let kept =
        sqlx::query("SELECT unit, CAST(state AS TEXT) FROM snapshot").fetch_all(&mut raw).await.unwrap();
    raw.close().await.unwrap();
    let units = replayed["units"].as_object().unwrap();
    assert_eq!(units.len(), 9);
    for (unit, state) in units {
        let kept = kept.iter().find(|row| row.get::<&str, _>(0) == unit).unwrap();
        let kept: Value = serde_json::from_str(kept.get(1)).unwrap();
        assert_eq!(kept["state"], *state, "{unit}");
    }
    let told = place.run("replay --unit trade-planner").well();
    assert!(told.out.starts_with(&format!("position {}\n\ntrade-planner\n{{", place.head().position)));
    place.run("replay --unit nobody").ends(2, &["--unit nobody", "trade-planner", "position-sizer"]);
}

#[test]
fn replay_until_a_moment_shows_what_was_so_then() {
    let place = Place::finished();
    let then = Place::new();
    then.run(&format!("{} --to 2024-06-01", up(MARKET))).well();
    let position = then.head().position;
    let as_it_was = then.run("replay --json").well().out;
    for until in [position.to_string(), "2024-06-01".to_owned(), "2024-06-01T00:00:00Z".to_owned()] {
        let seen = place.run(&format!("replay --json --until {until}")).well();
        assert!(seen.out == as_it_was, "--until {until}");
    }
    let nothing = place.run("replay --json --until 2023-01-01").well().json();
    assert_eq!(nothing["position"], 0);
    let end = place.run("replay --json --until 2030-01-01").well().json();
    assert_eq!(end["position"], place.head().position);
    let beyond = place.head().position + 1;
    place
        .run(&format!("replay --until {beyond}"))
        .ends(2, &["the tape ends at position", &(beyond - 1).to_string()]);
    place.run("replay --until soon").ends(2, &["'soon'", "position", "2024-01-15"]);
}

#[test]
fn the_doctor_finds_what_is_well_and_what_is_not() {
    let place = Place::finished();
    candles(&place, "candles", &["BTCUSDT"], 10);
    let well = place.run("doctor --candles candles").well();
    well.says(&[
        "well   configuration",
        "well   clock",
        "well   data folder",
        "well   tape",
        "well   candles",
    ]);
    assert_eq!(place.run("doctor --json").well().json()["ok"], true);

    let fresh = Place::new();
    fresh.run("doctor").well().says(&["note   tape", "`tapedeck up` makes one"]);

    place.write("tapedeck.toml", "[edges.edge70]\nlong = 0\n");
    place.write("candles/BTCUSDT-1d.csv", "1704067200000,1,2,0.5,many,10\n");
    place.write("data", "a file where a folder should be");
    place.write("broken.tape", "This is no tape. ".repeat(300));
    let ill = place.run("doctor --candles candles --data-dir data --tape sqlite:broken.tape");
    assert_eq!(ill.code, Some(1), "{ill:#?}");
    ill.says(&[
        "WRONG  configuration",
        "edges.edge70.long",
        "WRONG  data folder",
        "--data-dir",
        "WRONG  tape",
        "is not a tape",
        "WRONG  candles",
        "line 1",
    ]);
    let ill = place.run("doctor --candles candles --json");
    assert_eq!((ill.code, &ill.json()["ok"]), (Some(1), &Value::from(false)));
    place.run("doctor --tape sqlite:nowhere.tape").says(&["WRONG  tape", "there is no tape at"]);
}
