//! `tapedeck up` on a made-up market.

use crate::support::*;
use domain::Decimal;
use serde_json::Value;

#[test]
fn a_market_is_traded_to_its_end_and_nothing_is_left_to_do_the_second_time() {
    let place = Place::new();
    let first = place.run(&up(MARKET)).well();
    first.says(&[
        "market      2024-01-01 00:00 to 2024-07-19 00:00 (200 days)",
        "trades      4 entered, 0 unfilled, 2 closed, 2 open",
        "profit      ",
        "equity      10000 USDT → ",
    ]);
    assert!(first.err.contains("tape sqlite:tapedeck-data/synthetic-1-200.tape\n"), "{first:#?}");
    let head = place.head();
    assert_eq!(place.run("verify --json").well().head(), head);

    let second = place.run(&up(MARKET)).well();
    assert_eq!(second.out, first.out);
    assert_eq!(place.head(), head);
}

#[test]
fn the_summary_as_json_has_the_head_and_the_figures() {
    let place = Place::new();
    let done = place.run(&(up(MARKET) + " --json")).well();
    assert_eq!(done.err, "", "standard error is for people and for faults");
    assert_eq!(done.head(), place.head());
    let summary = done.json();
    assert_eq!(summary["events"], summary["head"]["position"]);
    for figure in ["candles", "signals", "requests", "entries", "trades_closed", "orders", "fills"] {
        assert!(summary[figure].as_u64().is_some_and(|n| n > 0), "{figure}: {summary}");
    }
}

/// What was recorded is in one file, that can be copied.
#[test]
fn a_run_that_has_ended_leaves_nothing_in_the_write_ahead_log() {
    let place = Place::new();
    place.run(&up("synthetic:1:40")).well();
    let tape = place.kept();
    for rest in ["-wal", "-shm"] {
        assert!(!place.path(&format!("{tape}{rest}")).exists(), "{rest}");
    }
}

#[test]
fn a_market_played_in_two_parts_gives_the_tape_of_one_played_at_once() {
    let place = Place::new();
    let first = place.run(&format!("{} --to 2024-05-01T05:00:00Z --json", up(MARKET))).well().head();
    let second = place.run(&(up(MARKET) + " --json")).well().head();
    let whole = Place::finished().head();
    assert!(first.position < whole.position);
    assert_eq!(second, whole);
}

#[test]
fn another_seed_is_another_market_on_another_tape() {
    let place = Place::new();
    let one = place.run(&(up("synthetic:1:30") + " --json")).well().head();
    let other = place.run(&(up("synthetic:2:30") + " --json")).well().head();
    assert_ne!(one, other);
    assert!(place.path("tapedeck-data/synthetic-1-30.tape").exists());
    assert!(place.path("tapedeck-data/synthetic-2-30.tape").exists());
}

#[test]
fn what_is_held_is_worth_the_markets_last_price() {
    let place = Place::finished();
    let portfolio = place.run("portfolio --json").well().list().remove(0);
    let (closes, amount) =
        (place.rows(&["candle.closed"]), |value: &Value| text(value).parse::<Decimal>().unwrap());
    let mut equity = Decimal::ZERO;
    for holding in portfolio["holdings"].as_array().unwrap() {
        let market = format!("binance:spot:{}USDT", text(&holding["asset"]));
        let last = closes.iter().rfind(|row| row["body"]["instrument"] == market.as_str());
        let price = last.map_or(Decimal::ONE, |row| amount(&row["body"]["close"]));
        assert_eq!(amount(&holding["price"]), price, "{holding}");
        equity += amount(&holding["value"]);
    }
    assert_eq!(amount(&portfolio["equity"]), equity);
    assert!(amount(&portfolio["exposure"]) > Decimal::from(100), "two trades are open: {portfolio}");
}
