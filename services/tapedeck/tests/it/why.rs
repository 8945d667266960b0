//! `tapedeck why`: what led to what.

use crate::support::*;
use serde_json::Value;

/// A closed trade of the finished tape: its id.
fn closed(place: &Place) -> String {
    let trades = place.run("trades --json").well().list();
    let closed = trades.iter().find(|trade| trade["state"] == "closed").unwrap();
    text(&closed["trade"]).to_owned()
}

fn why(place: &Place, id: &str) -> Vec<Value> {
    place.run(&format!("why {id} --json")).well().list()
}

fn position(row: &Value) -> u64 {
    row["position"].as_u64().unwrap()
}

/// Every row stands behind its cause, and every cause is in the chain.
fn assert_connected(chain: &[Value]) {
    for row in chain {
        if !row["cause"].is_null() {
            let cause = row["cause_position"].as_u64().unwrap_or_else(|| panic!("no cause: {row}"));
            assert!(cause < position(row));
            let cause = chain.iter().find(|other| position(other) == cause).unwrap();
            assert_eq!(cause["id"], row["cause"]);
        }
    }
}

fn assert_in_order(chain: &[Value], kinds: &[&str]) {
    let found = texts(chain, "kind");
    let mut rest = found.iter();
    for kind in kinds {
        assert!(rest.any(|k| k == kind), "{kind} does not follow in {found:?}");
    }
}

#[test]
fn a_closed_trade_is_told_from_the_candle_to_the_end() {
    let place = Place::finished();
    let trade = closed(&place);
    let chain = why(&place, &trade);
    assert_connected(&chain);
    let kinds = [
        "candle.closed",
        "signal.given",
        "trade.requested",
        "trade.sized",
        "order.submitted",
        "order.attempted",
        "order.accepted",
        "order.filled",
        "trade.opened",
        "order.submitted",
        "order.accepted",
        "trade.protected",
        "order.filled",
        "trade.closed",
    ];
    assert_in_order(&chain, &kinds);
    let led: Vec<_> =
        chain.iter().filter(|row| row["asked"] == false).map(|row| text(&row["kind"])).collect();
    assert!(led.contains(&"candle.closed") && led.contains(&"signal.given"), "what led to it: {led:?}");

    let told = place.run(&format!("why {trade}")).well();
    assert_eq!(told.out.lines().count(), 2 * chain.len());
    told.says(&[
        "because of the world",
        "edge70 says long",
        "granted",
        "protected: ",
        "closed (stop hit)",
        "profit -",
    ]);
}

#[test]
fn an_order_is_told_with_what_led_to_it() {
    let place = Place::finished();
    let stop = place.run("orders --json").well().list().remove(1);
    let chain = why(&place, text(&stop["order"]));
    assert_connected(&chain);
    let asked: Vec<_> = chain.iter().filter(|row| row["asked"] == true).collect();
    let subject = format!("order:{}", text(&stop["order"]));
    assert!(asked.iter().all(|row| row["subject"] == subject.as_str()), "{asked:?}");
    assert_in_order(
        &chain,
        &[
            "candle.closed",
            "signal.given",
            "trade.requested",
            "trade.sized",
            "order.submitted",
            "order.accepted",
        ],
    );
    assert_in_order(
        &chain,
        &["order.done", "order.submitted", "order.accepted", "order.filled", "order.done"],
    );
}

#[test]
fn a_fill_an_event_and_a_position_are_found_too() {
    let place = Place::finished();
    let fill = place.rows(&["order.filled"]).remove(1);
    let id = text(&fill["body"]["venue_trade"]).to_owned();
    for name in [format!("fill:{id}"), text(&fill["id"]).to_owned(), position(&fill).to_string()] {
        let chain = why(&place, &name);
        assert_connected(&chain);
        let asked: Vec<_> = chain.iter().filter(|row| row["asked"] == true).collect();
        assert_eq!(asked.len(), 1, "{name}: {asked:?}");
        assert_eq!(asked[0]["id"], fill["id"], "{name}");
        assert_in_order(
            &chain,
            &[
                "candle.closed",
                "signal.given",
                "trade.requested",
                "trade.sized",
                "order.submitted",
                "order.filled",
            ],
        );
    }
}

#[test]
fn what_the_tape_does_not_know_is_refused_with_where_to_look() {
    let place = Place::finished();
    for id in
        ["edge70-BTCUSDT-L-19990101T0000", "fill:nope", "99999999", "00000000-0000-0000-0000-000000000001"]
    {
        place.run(&format!("why {id}")).ends(2, &[id, "tapedeck trades", "tapedeck orders", "fill:ID"]);
    }
}
