//! Nothing is closed on a market of which no candle follows: the stop would be canceled, and nothing be sold.

use crate::support::*;
use domain::{Account, Instrument};
use events::{CloseRequested, Draft, RequestedBy, Uuid};
use serde_json::Value;
use tape::{Commit, Entry, Mode};

const ENDED: &str = "the market has ended: nothing is traded any more";

/// The trades that are open; each of them has its stop.
fn open_trades(place: &Place) -> Vec<Value> {
    let trades: Vec<Value> = serde_json::from_str(&place.run("trades --json").well().out).unwrap();
    let open: Vec<Value> = trades.into_iter().filter(|trade| trade["state"] == "open").collect();
    for trade in &open {
        assert_eq!(trade["protected"], true, "it has lost its stop: {trade}");
    }
    open
}

#[test]
fn a_close_with_nothing_running_is_refused_once_the_market_has_ended_and_the_stops_stay() {
    let place = Place::finished();
    let open = open_trades(&place);
    assert!(!open.is_empty(), "a trade is open at the end");
    let head = place.head();
    let trade = text(&open[0]["trade"]);
    let symbol = text(&open[0]["instrument"]).rsplit(':').next().unwrap();
    for command in [
        "close --all",
        "close --all --json",
        &format!("close {trade}"),
        &format!("close --instrument {symbol}"),
    ] {
        place.run(command).ends(2, &[ENDED]);
    }
    assert_eq!(place.head(), head, "nothing was recorded");
    place.run(&up(MARKET)).well();
    assert_eq!(open_trades(&place), open, "each with its stop");
    place.run("verify").well();
}

#[test]
fn trading_halted_after_the_end_does_not_open_the_way_for_a_close() {
    let place = Place::finished();
    let open = open_trades(&place);
    place.run("trading halted --why night").well();
    place.run("close --all").ends(2, &[ENDED]);
    place.run(&up(MARKET)).well();
    place.run("close --all").ends(2, &[ENDED]);
    assert_eq!(open_trades(&place), open);
    place.run("verify").well();
}

#[test]
fn a_close_between_two_runs_of_a_market_that_goes_on_is_taken_and_executed() {
    let place = Place::new();
    place.run("up --market synthetic:1:200 --to 2024-05-01 --speed max --exit-when-done").well();
    let open = open_trades(&place);
    assert!(!open.is_empty(), "a trade is open in between");
    place.run("close --all --why enough").well();
    // The next candle opens at the end of that range, and gives the price.
    place.run("up --market synthetic:1:200 --to 2024-05-01 --speed max --exit-when-done").well();
    open_trades(&place);
    assert!(open_trades(&place).is_empty(), "all are closed");
    place.run(&up(MARKET)).well();
    place.run("verify").well();
}

/// What an older build has taken after the end, without asking whether a candle follows.
async fn requested(place: &Place, instrument: &str) -> u64 {
    let tape = place.tape(&place.kept(), Mode::Write).await;
    let head = tape.head().await.unwrap();
    let account: Account = "binance:paper".parse().unwrap();
    let instrument: Instrument = instrument.parse().unwrap();
    let (edge, who) = ("edge70".parse().unwrap(), "owner".to_owned());
    let close = CloseRequested {
        account,
        instrument,
        edge,
        direction: None,
        by: RequestedBy::Owner { who },
        why: None,
        signal_at: None,
    };
    let draft =
        Draft::new(Uuid::from_u128(77), "owner".parse().unwrap(), None, head.recorded_at, &close.into());
    tape.append(Commit::new(vec![Entry::market(draft, head.recorded_at)])).await.unwrap();
    tape.close().await.unwrap();
    head.position + 1
}

#[tokio::test]
async fn a_close_that_was_recorded_at_the_markets_end_waits_and_is_executed_once_the_market_goes_on() {
    let place = Place::new();
    let run = "up --market recorded:candles --speed max --exit-when-done";
    let mut days = 70;
    let open = loop {
        candles(&place, "candles", &["BTCUSDT"], days);
        place.run(run).well();
        let open = open_trades(&place);
        if !open.is_empty() {
            break open;
        }
        days += 5;
        assert!(days < 400, "a trade is opened some day");
    };
    place.run("close --all").ends(2, &[ENDED]);
    let position = requested(&place, text(&open[0]["instrument"])).await;
    for _ in 0..2 {
        place.run(run).well().tells(&[
            &format!("position {position}: the close that was asked for is not heard"),
            "the stops stay until the market goes on",
        ]);
        assert_eq!(open_trades(&place), open, "each with its stop");
        place.run("verify").well();
    }
    place.run("trading halted --why night").well();
    place.run(run).well();
    assert_eq!(open_trades(&place), open, "each with its stop");
    candles(&place, "candles", &["BTCUSDT"], days + 5);
    place.run(run).well();
    assert!(open_trades(&place).is_empty(), "it is closed");
    place.run("verify").well();
}

#[test]
fn of_two_instruments_the_one_whose_candles_have_ended_is_not_closed() {
    let place = Place::new();
    let run = "up --market recorded:candles --speed max --exit-when-done --to";
    let day = |n: i64| -> String {
        let start: domain::Timestamp = "2022-01-01".parse().unwrap();
        (start + std::time::Duration::from_secs(86_400 * n as u64)).to_string()
    };
    candles(&place, "candles", &["BTCUSDT"], 300);
    let mut days = 70;
    // Both move alike, so both are held; one of them ends then, and the other goes on.
    loop {
        candles(&place, "short", &["ETHUSDT"], days);
        place.write("candles/ETHUSDT-1d.csv", place.read("short/ETHUSDT-1d.csv"));
        let _ = std::fs::remove_dir_all(place.path("tapedeck-data"));
        place.run(&format!("{run} {}", day(days + 2))).well();
        if open_trades(&place).len() == 2 {
            break;
        }
        days += 5;
        assert!(days < 290, "both are open some day");
    }
    let refused = place.run("close --all").ends(2, &["the candles of ETHUSDT have ended"]);
    refused.says(&["BTCUSDT"]);
    place.run(&format!("{run} {}", day(days + 6))).well();
    let open = open_trades(&place);
    assert_eq!(open.len(), 1, "{open:?}");
    assert!(text(&open[0]["instrument"]).ends_with("ETHUSDT"), "with its stop: {open:?}");
    place.run("close --instrument ETHUSDT").ends(2, &["the candles of ETHUSDT have ended"]);
    place.run("verify").well();

    // A run that goes on says the same.
    let slow = format!("up --market recorded:candles --speed 86400 --to {}", day(299));
    let mut running = place.start(&slow);
    running.address();
    until("it takes commands", || {
        let close = place.run("close --instrument ETHUSDT");
        close.err.contains("the candles of ETHUSDT have ended").then_some(())
    });
    running.signal("TERM");
    assert_eq!(running.end().0.code(), Some(0));
    open_trades(&place);
    place.run("verify").well();
}

/// Whenever it is said: before the end it is executed, at the end it is refused, and afterwards, too.
#[test]
fn a_close_that_races_the_end_of_a_run_is_executed_or_refused_and_never_to_be_said_again() {
    let place = Place::new();
    place.run("up --market synthetic:1:200 --to 2024-07-10 --speed max --exit-when-done").well();
    assert!(!open_trades(&place).is_empty(), "a trade is open a few days before the end");
    let mut run = place.start("up --market synthetic:1:200 --speed 2000000 --exit-when-done");
    run.address();
    while !run.is_over() {
        let close = place.run("close --all --why race");
        assert!(!close.err.contains("say it again"), "{close:#?}");
        match close.code {
            Some(0) => {}
            // The process ended while it answered.
            Some(1) => assert!(close.err.contains("did not say whether it took it"), "{close:#?}"),
            _ => _ = close.ends(2, &[ENDED]),
        }
    }
    open_trades(&place);
    let last = place.run("close --all");
    assert!(last.out.contains("there is no open trade") || last.err.contains(ENDED), "{last:#?}");
    place.run(&up(MARKET)).well();
    open_trades(&place);
    place.run("verify").well();
}
