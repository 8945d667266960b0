//! The same candles under the same configuration are the same trades, however they are played.

use crate::support::*;
use std::fs;

const FILES: [&str; 6] =
    ["signals.csv", "requests.csv", "trades.csv", "equity.csv", "summary.json", "report.html"];

fn market() -> Place {
    let place = Place::new();
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 500);
    place
}

fn files(place: &Place, folder: &str) -> Vec<Vec<u8>> {
    FILES.map(|name| fs::read(place.path(&format!("{folder}/{name}"))).unwrap()).into()
}

#[test]
fn the_same_backtest_gives_the_same_head() {
    let (one, other) = (market(), market());
    let heads = [&one, &other].map(|place| {
        let told = place.run("backtest --candles candles --tape sqlite:bt.tape --json").well().head();
        let head = place.run("tape head --json --tape sqlite:bt.tape").well().head();
        assert_eq!(told, head);
        place.run("verify --tape sqlite:bt.tape").well();
        head
    });
    assert_eq!(heads[0], heads[1]);
}

#[test]
fn without_a_tape_it_writes_the_same_files_as_with_one() {
    let place = market();
    let fast = place.run("backtest --candles candles --out fast").well();
    let kept = place.run("backtest --candles candles --out kept --tape sqlite:bt.tape").well();
    assert_eq!(fast.out, kept.out);
    for (name, (fast, kept)) in FILES.iter().zip(files(&place, "fast").into_iter().zip(files(&place, "kept")))
    {
        assert!(fast == kept, "{name} differs");
    }
    let lines = |name: &str| place.read(&format!("fast/{name}")).lines().count();
    assert!(lines("signals.csv") > 4 && lines("trades.csv") > 2 && lines("equity.csv") > 400);
    assert_eq!(
        place.read("fast/signals.csv").lines().next(),
        Some("at,venue,instrument,edge,direction,price,evidence,stop,target,test")
    );
    // And in the same place again it says the same again.
    let before = files(&place, "fast");
    place.run("backtest --candles candles --out fast").well();
    assert!(files(&place, "fast") == before);
}

#[test]
fn up_trades_as_the_backtest_does_to_the_last_hash() {
    let place = market();
    let backtest = place.run("backtest --candles candles --tape sqlite:bt.tape --json").well();
    let up = place.run(&(up("recorded:candles") + " --json")).well();
    assert_eq!(up.json(), backtest.json());
    let trades = place.run("trades --json").well();
    assert_eq!(trades.out, place.run("trades --json --tape sqlite:bt.tape").well().out);
    assert!(trades.list().iter().any(|trade| trade["state"] == "closed"), "{trades:#?}");
}

/// As somebody does who adds the newest candles every day.
#[test]
fn candles_that_are_added_later_are_traded_as_if_they_had_been_there() {
    let place = Place::new();
    for days in [170, 171, 333] {
        candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], days);
        place.run(&up("recorded:candles")).well();
        place.run("verify").well();
    }
    candles(&place, "candles", &["BTCUSDT", "ETHUSDT"], 500);
    let grown = place.run(&(up("recorded:candles") + " --json")).well();
    let whole = market().run(&(up("recorded:candles") + " --json")).well();
    assert_eq!(grown.json(), whole.json());
}

#[test]
fn a_backtest_tells_the_same_as_its_files() {
    let place = market();
    let told = place.run("backtest --candles candles --out bt --json").well();
    assert_eq!(
        told.json(),
        serde_json::from_str::<serde_json::Value>(&place.read("bt/summary.json")).unwrap()
    );
}

#[test]
fn an_edge_asked_for_by_name_runs_alone_even_where_it_is_switched_off() {
    let place = market();
    place.run("backtest --candles candles --edge edge60 --out bt").well();
    let signals = place.read("bt/signals.csv");
    let mut edges = signals.lines().skip(1).map(|line| line.split(',').nth(3).unwrap());
    assert!(edges.clone().count() > 4 && edges.all(|edge| edge == "edge60"), "{signals}");
}

#[test]
fn from_and_to_cut_the_market() {
    let place = market();
    place.run("backtest --candles candles --from 2022-03-01 --to 2022-11-01 --out bt").well();
    let equity = place.read("bt/equity.csv");
    let days: Vec<_> = equity.lines().skip(1).map(|line| &line[..10]).collect();
    assert!(days.iter().all(|day| ("2022-03-01"..="2022-11-01").contains(day)), "{days:?}");
    assert_eq!(days.last(), Some(&"2022-11-01"));
}
