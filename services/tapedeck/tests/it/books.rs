//! Our books against the exchange's: they agree while all is heard, what was missed is fetched, and what cannot be is
//! named to the asset and the amount.

use crate::{
    support::*,
    up_live::{Desk, EDGE, LIVE_ACCOUNT},
};
use serde_json::{Value, json};

const BOOKS: &str = "[books]\nevery = \"1s\"\n";

fn desk(more: &str) -> Desk {
    Desk::new("binance", &format!("{LIVE_ACCOUNT}{BOOKS}{more}{EDGE}"), &[])
}

/// Bodies of a kind.
fn bodies(desk: &Desk, kind: &str) -> Vec<Value> {
    desk.rows(kind).into_iter().map(|mut row| row["body"].take()).collect()
}

/// Nothing is entered any more, and nothing is held by an edge.
fn comes_to_rest(desk: &Desk) {
    desk.run("trading halted --why test").well();
    desk.run("close --all").well();
    until("all is closed", || desk.run("trades --state open --json").well().list().is_empty().then_some(()));
}

#[test]
fn books_agree_through_trades_deposits_and_orders_by_hand_that_are_heard() {
    let desk = desk("");
    // Before there is a tape; it is in what the books begin with.
    let before = json!({ "symbol": "ADAUSDT", "side": "BUY", "type": "MARKET", "quantity": "20" });
    let before = desk.exchange.control("order", &before)["orderId"].to_string();
    let mut up = desk.up();
    // Nothing has been traded yet, or there was a pause of some seconds.
    desk.until("books.agreed", 0);
    desk.until("trade.closed", 1);
    desk.exchange.control("balance", &json!({ "asset": "USDT", "delta": "250" }));
    desk.exchange.control(
        "order",
        &json!({ "symbol": "ADAUSDT", "side": "BUY", "type": "MARKET", "quantity": "100" }),
    );
    comes_to_rest(&desk);
    let reports = desk.count("books.reported");
    desk.until("books.reported", reports + 6);
    assert_eq!(bodies(&desk, "books.disagreed"), [] as [Value; 0]);
    let begun = bodies(&desk, "books.agreed");
    assert!(begun[0]["begin"] == true && begun[1..].iter().all(|body| body["begin"].is_null()), "{begun:#?}");
    assert!(bodies(&desk, "order.filled").iter().all(|fill| text(&fill["venue_order"]) != before));
    assert!(desk.count("stream.completed") > 0 && desk.count("frame.quarantined") == 0);
    up.signal("INT");
    assert!(up.end().0.success());
    desk.run("verify").well();
}

#[test]
fn what_happened_while_nobody_listened_is_fetched_and_what_cannot_be_is_named() {
    let desk = desk("on_difference = \"reducing\"\n");
    let mut up = desk.up();
    desk.until("books.agreed", 0);
    desk.until("order.filled", 0);
    comes_to_rest(&desk);
    up.kill();

    let bought = |quantity: &str| {
        let order = json!({ "symbol": "ADAUSDT", "side": "BUY", "type": "MARKET", "quantity": quantity });
        desk.exchange.control("order", &order)["orderId"].to_string()
    };
    let fills = desk.count("order.filled");
    let away = [bought("40"), bought("60")];
    desk.exchange.control("balance", &json!({ "asset": "USDT", "delta": "123.5" }));
    let mut up = desk.up();
    desk.until("order.filled", fills + 1);
    let told =
        |order: &String| bodies(&desk, "order.filled").iter().any(|fill| text(&fill["venue_order"]) == order);
    until("fills of orders by hand are on the tape", || away.iter().all(told).then_some(()));
    desk.until("books.disagreed", 0);
    let confirmed = || bodies(&desk, "books.disagreed").into_iter().find(|body| body["confirmed"] == true);
    let found = &until("a difference outlives a fetch", confirmed);
    let differences = found["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 1, "{found:#}");
    let difference = &differences[0];
    let by: f64 = ["venue", "ours"]
        .map(|side| text(&difference[side]).parse::<f64>().unwrap())
        .iter()
        .copied()
        .reduce(|venue, ours| venue - ours)
        .unwrap();
    assert!(difference["asset"] == "USDT" && (by - 123.5).abs() < 1e-6, "{difference:#}");
    assert_eq!(difference["cause"]["is"], "deposit");
    let reduced =
        || bodies(&desk, "control.trading_state_changed").last()?["who"].as_str().map(str::to_owned);
    until("the account is reduced", || (reduced()? == "portfolio-vs-positions").then_some(()));
    let states = bodies(&desk, "control.trading_state_changed");
    let last = states.last().unwrap();
    assert_eq!((&last["state"], &last["who"]), (&json!("reducing"), &json!("portfolio-vs-positions")));
    let id = desk.rows("books.disagreed")[0]["id"].clone();
    let doctor = desk.run("doctor");
    assert_eq!(doctor.code, Some(1));
    doctor.says(&["WRONG  books", "123.5 more at the venue"]);
    let address = up.address();
    let metrics =
        || get(&address, "/metrics").1.contains("tapedeck_books_differences{account=\"binance:main\"} 1");
    until("the metrics tell it", || metrics().then_some(()));
    let told = desk.run("books");
    assert_eq!(told.code, Some(1));
    told.says(&["DIFFERENCE: the books of binance:main", "123.5 more at the venue"]);
    let told = desk.run("books --json").list();
    assert!(told[0]["agree"] == false && told[0]["differences"].as_array().unwrap().len() == 1, "{told:#?}");
    desk.run(&format!("why {}", text(&id))).well().says(&[
        "DIFFERENCE",
        "123.5 more at the venue",
        "it looks like a deposit",
    ]);
    desk.run("books --settle").ends(2, &["--why"]);
    let said = desk.run("books --settle --why deposit --json").well().list();
    assert_eq!(texts(&said, "asset"), ["USDT"]);
    until("they agree again", || {
        let told = desk.run("books --json").list();
        (told[0]["agree"] == true).then_some(())
    });
    desk.run("books").well().says(&["agree with the venue's"]);
    desk.run("books --settle --why again").well().says(&["nothing is to be settled"]);
    up.kill();
    desk.run("verify").well();
}
