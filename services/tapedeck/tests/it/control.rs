//! The owner's hand: trading halted, reduced and resumed, and trades closed, beside a run and within it.

use crate::support::*;
use serde_json::{Value, json};
use std::{fs, io::Read, io::Write, net::TcpStream, os::unix::fs::PermissionsExt};

/// A day a second.
const SLOW: &str = "up --market synthetic:1:200 --speed 86400";
const CONTROL: &str = "tapedeck-data/synthetic-1-200.tape.control";

/// A slow run that goes on at that day.
fn from(place: &Place, day: &str) -> Running {
    place.run(&format!("up --market synthetic:1:200 --to {day} --speed max --exit-when-done")).well();
    place.start(SLOW)
}

/// A slow run in which a trade is open.
fn with_an_open_trade(place: &Place) -> (Running, String) {
    with_an_open_trade_from(place, "2024-03-14")
}

fn with_an_open_trade_from(place: &Place, day: &str) -> (Running, String) {
    let run = from(place, day);
    let trade = until("a trade is open", || {
        let trades = place.run("trades --json");
        let rows: Vec<Value> = serde_json::from_str(&trades.out).ok()?;
        let open = rows.iter().find(|row| row["state"] == "open" && row["protected"] == true)?;
        Some(text(&open["trade"]).to_owned())
    });
    (run, trade)
}

/// Something of the market is on the tape.
fn await_trading(address: &str) {
    until("it runs", || {
        let (status, body) = get(address, "/ready");
        let ready: Value = serde_json::from_str(&body).ok()?;
        (status == 200 && ready["tape"]["position"].as_u64()? > 100).then_some(())
    });
}

fn end(run: &mut Running) {
    run.signal("TERM");
    let (status, _) = run.end();
    assert_eq!(status.code(), Some(0));
}

fn count(place: &Place, kind: &str) -> usize {
    place.rows(&[kind]).len()
}

#[test]
fn everything_is_flattened_and_nothing_is_entered_any_more() {
    let place = Place::new();
    let (mut run, trade) = with_an_open_trade(&place);
    place.run("flatten --instrument NOPEUSDT --why test").ends(2, &["NOPEUSDT", "no trade of it is open"]);
    place.run("flatten --account binance:other --why test").ends(2, &["knows no such account"]);
    place.run("flatten").ends(2, &["--why"]);
    let flat = place.run("flatten --why holiday --json").well().json();
    assert!(flat["closed"].as_u64().unwrap() >= 1 && flat["open"] == json!([]), "{flat:#}");
    let at = flat["reducing_at"].as_u64().unwrap();
    let trades = place.run("trades --json").well().list();
    assert!(
        trades.iter().any(|row| row["trade"] == trade.as_str() && row["state"] == "closed"),
        "{trades:#?}"
    );
    place.run("trading").well().says(&["trading is reducing", "holiday"]);
    let sized = place.rows(&["trade.sized"]);
    assert!(sized.iter().all(|row| row["position"].as_u64().unwrap() < at), "{sized:#?}");
    // It is flat already, and stays reduced.
    let again = place.run("flatten --why again --json").well().json();
    assert_eq!((&again["closed"], &again["reducing_at"]), (&json!(0), &Value::Null));
    end(&mut run);
    // Nobody is there to close anything.
    place.run("trading active --why test").well();
    let (mut run, _) = with_an_open_trade_from(&place, "2024-05-01");
    run.kill();
    place.run("flatten --why test --timeout 1").ends(1, &["still open"]);
    place.run("verify").well();
}

#[test]
fn a_running_up_is_halted_and_resumed_by_hand_and_the_tape_stays_provable() {
    let place = Place::new();
    // The first signal is two days ahead.
    let mut run = from(&place, "2024-03-10");
    let address = run.address();
    await_trading(&address);
    let halted = place.run("trading halted --why lunch --json").well();
    assert_eq!(halted.json()["trading"][0]["state"], "halted");
    let ready: Value = serde_json::from_str(&get(&address, "/ready").1).unwrap();
    assert_eq!(ready["trading"][0]["state"], "halted", "{ready}");
    assert_eq!(ready["trading"][0]["why"], "lunch");
    let metrics = get(&address, "/metrics").1;
    assert!(
        metrics.contains("tapedeck_trading_state{account=\"binance:paper\",state=\"halted\"} 1"),
        "{metrics}"
    );
    assert!(metrics.contains("tapedeck_trading_state{account=\"binance:paper\",state=\"active\"} 0"));
    place.run("doctor").well().says(&[
        "note   trading",
        "trading is halted on all accounts since",
        "by owner: lunch",
    ]);

    for view in ["portfolio", "trades", "positions"] {
        place.run(view).well().says(&["trading is halted on all accounts", "lunch"]);
    }
    run.line("trading HALTED");
    let portfolio = place.run("portfolio --json").well().list();
    assert!(portfolio.iter().all(|row| row["trading"]["state"] == "halted"), "{portfolio:?}");

    let position = halted.json()["position"].as_u64().unwrap();
    until("a request is refused", || {
        let refused = place.run("tape show --json -n 1000000 --kind trade.refused");
        refused.out.contains("trading_state").then_some(())
    });
    place.run("trading active --why back").well().says(&["active"]);
    let ready: Value = serde_json::from_str(&get(&address, "/ready").1).unwrap();
    assert_eq!(ready["trading"][0]["state"], "active");
    end(&mut run);
    let said = place.rows(&["control"]);
    assert_eq!(said.len(), 2);
    assert_eq!(said[0]["position"], position);
    place.run("verify").well();
    place.run(&up(MARKET)).well();
    place.run("verify").well().says(&["units say the same again"]);
}

#[test]
fn a_trade_is_closed_by_hand_while_up_runs() {
    let place = Place::new();
    let (mut run, trade) = with_an_open_trade(&place);
    place.run(&format!("close {trade} --why enough")).well().says(&["owner wants out", "enough", &trade]);
    until("it is closed", || {
        let rows: Vec<Value> = serde_json::from_str(&place.run("trades --json").out).ok()?;
        let row = rows.into_iter().find(|row| text(&row["trade"]) == trade)?;
        (text(&row["state"]) == "closed").then_some(row)
    });
    let again = place.run(&format!("close {trade}"));
    again.ends(2, &["is not open any more"]);
    end(&mut run);
    place.run("verify").well();
}

#[test]
fn everything_and_all_of_an_instrument_can_be_closed() {
    let place = Place::new();
    let (mut run, trade) = with_an_open_trade(&place);
    let held = trade.split('-').nth(1).unwrap();
    // One of which nothing is open is told, and keeps no other from being closed.
    let close = place.run(&format!("close --instrument {held},NOTUSDT,{held}")).well();
    close.says(&["owner wants out", &trade]).tells(&["--instrument NOTUSDT: no trade of it is open"]);
    place
        .run("close --instrument NOTUSDT")
        .ends(2, &["--instrument NOTUSDT", "--instrument NOTUSDT: no trade"]);
    place.run("close --all --json").well();
    until("nothing is open", || {
        place.run("close --all").out.contains("there is no open trade").then_some(())
    });
    end(&mut run);
    assert!(count(&place, "trade.close_requested") >= 1);
    place.run("verify").well();
}

#[test]
fn what_was_acknowledged_is_on_the_tape_after_a_kill() {
    let place = Place::new();
    let mut run = from(&place, "2024-03-10");
    let address = run.address();
    await_trading(&address);
    let taken = place.run("trading reducing --why storm --json").well();
    run.kill();
    let position = &taken.json()["position"];
    assert_eq!(place.rows(&["control"])[0]["position"], *position);
    // The way to the killed process is still there, and leads to nobody: the command is on its own.
    assert!(place.path(CONTROL).exists());
    place.run("trading active --why over").well();
    place.run(&up(MARKET)).well();
    place.run("verify").well();
    assert!(!place.path(CONTROL).exists());
}

#[test]
fn after_the_market_has_ended_trading_can_be_halted_and_nothing_be_closed() {
    let place = Place::new();
    let mut run = place.start("up --market synthetic:1:100 --speed max");
    run.line("the market has ended");
    place.run("trading halted --why night").well();
    let close = place.run("close --all");
    if !close.out.contains("there is no open trade") {
        close.ends(2, &["the market has ended"]);
    }
    end(&mut run);
    place.run("verify").well();
}

#[test]
fn words_that_would_hold_for_nobody_are_refused() {
    let place = Place::finished();
    let head = place.head();
    for (command, words) in [
        (
            "trading halted --why x --account binance:mian",
            &["--account binance:mian", "it knows binance:paper"][..],
        ),
        (
            "trading halted --why x --account bybit:paper",
            &["--account bybit:paper", "it knows binance:paper"],
        ),
        (
            "trading halted --why x --until 2000-01-01",
            &["--until 2000-01-01", "the tape's time is", "for nobody"],
        ),
        ("trading reducing --why x --until 2024-01-01T00:00:00Z", &["--until", "the tape's time is"]),
        ("trading active --why x --until 2030-01-01", &["--until", "active has no end"]),
        ("trading halted --why=", &["--why"]),
        ("trading halted --why \u{a0}", &["--why"]),
        ("close no-such-trade", &["no-such-trade", "is not on the tape", "open:"]),
    ] {
        place.run(command).ends(2, words);
    }
    place.run("close").explains(2);
    place.run("trading halted").explains(2);
    assert_eq!(place.head(), head, "nothing was recorded");
    let empty = Place::new();
    empty.run("trading halted --why x").ends(2, &["there is no tape in tapedeck-data"]);
}

#[test]
fn a_stricter_word_that_still_holds_is_named() {
    let place = Place::finished();
    place.run("trading halted --why one --account binance:paper").well();
    place
        .run("trading active --why all")
        .well()
        .says(&["note: binance:paper stays halted", "--account binance:paper"]);
    let active = place.run("trading active --why this --account binance:paper").well();
    assert!(!active.out.contains("note:"), "{active:#?}");
    let until = place.run("trading halted --why bank --until 2030-01-01 --json").well();
    assert_eq!(until.json()["trading"][0]["until"], "2030-01-01T00:00:00Z");
}

#[test]
fn trading_without_a_state_shows_what_it_is_and_on_which_tape() {
    let place = Place::finished();
    place.run("trading").well().says(&["trading is active on all accounts", "the tape", ".tape"]);
    place.run("trading halted --why night").well().says(&["the tape", ".tape"]);
    place.run("trading").well().says(&["trading is halted on all accounts", "night", ".tape"]);
    let told = place.run("trading --json").well().json();
    assert_eq!(told["trading"][0]["state"], "halted");
    assert!(text(&told["tape"]).ends_with(".tape"), "{told}");
    place.run("trading halted").ends_with_usage(&["--why"]);
    place.run("trading --why night").ends_with_usage(&["STATE"]);
}

#[test]
fn a_command_takes_the_tape_that_is_running_and_asks_which_where_several_are() {
    let place = Place::new();
    let mut one = place.start(SLOW);
    await_trading(&one.address());
    // Newer, and nobody runs it.
    place.run("up --market synthetic:2:10 --speed max --exit-when-done").well();
    place.run("trading halted --why one").well().says(&["synthetic-1-200.tape"]);
    let mut other = place.start("up --market synthetic:3:200 --speed 86400");
    await_trading(&other.address());
    for command in ["trading active --why which", "close --all", "trading"] {
        place.run(command).ends(
            2,
            &[
                "2 tapes are running",
                "--tape sqlite:tapedeck-data/synthetic-1-200.tape",
                "--tape sqlite:tapedeck-data/synthetic-3-200.tape",
            ],
        );
    }
    place
        .run("trading active --why this --tape sqlite:tapedeck-data/synthetic-1-200.tape")
        .well()
        .says(&["synthetic-1-200.tape"]);
    end(&mut other);
    place.run("close --all").well().says(&["synthetic-1-200.tape"]);
    end(&mut one);
}

fn send(address: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /control HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn neither_a_web_page_nor_somebody_without_the_token_commands_a_running_up() {
    let place = Place::new();
    let mut run = from(&place, "2024-03-10");
    let address = run.address();
    await_trading(&address);
    let mode = fs::metadata(place.path(CONTROL)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "nobody else may read the token");
    let way: Value = serde_json::from_str(&place.read(CONTROL)).unwrap();
    let (control, token) = (text(&way["address"]), text(&way["token"]));
    assert!(control.starts_with("127.0.0.1:") && token.len() == 64, "{way}");
    let body = json!({ "command": "trading", "state": "halted", "account": null, "why": "x", "until": null })
        .to_string();
    let host = format!("Host: {control}\r\n");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let wrong = format!("Authorization: Bearer {}\r\n", "0".repeat(64));
    for (headers, why) in [
        (host.clone(), "wrong token"),
        (format!("{host}{wrong}"), "wrong token"),
        (format!("{host}{bearer}Origin: http://evil.example\r\n"), "a web page may not command"),
        (format!("{host}{bearer}Origin: null\r\n"), "a web page may not command"),
        (format!("{host}{bearer}Sec-Fetch-Site: cross-site\r\n"), "a web page may not command"),
        (format!("Host: evil.example\r\n{bearer}"), "wrong Host"),
        (format!("Host: 127.0.0.1\r\n{bearer}"), "wrong Host"),
    ] {
        let answer = send(control, &headers, &body);
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(why), "{headers}: {answer}");
    }
    let malformed = send(control, &format!("{host}{bearer}"), "{\"command\":\"sell everything\"}");
    assert!(malformed.starts_with("HTTP/1.1 400"), "{malformed}");
    let empty = send(control, &format!("{host}{bearer}"), &body.replace("\"x\"", "\" \""));
    assert!(empty.starts_with("HTTP/1.1 409") && empty.contains("--why"), "{empty}");
    end(&mut run);
    assert_eq!(count(&place, "control"), 0, "nothing was said");
    assert!(!place.path(CONTROL).exists(), "the way goes with the process");
}
