//! What others have on the book, as it changes by levels, and what is taken of it.

use super::floor::{Floor, instrument, levels, written};
use crate::suite::script::{START, get};
use domain::{Amount, Price, Side};
use venue_paper::engine::{Book, Change, Spot};

fn taken(spot: &mut Spot) -> Vec<(Side, String)> {
    let taken = spot.take_taken(instrument());
    taken
        .into_iter()
        .map(|(side, price, quantity)| (side, format!("{price}x{}", quantity.normalize())))
        .collect()
}

fn changed(text: &str) -> Vec<(Price, Amount)> {
    let level = |word: &str| {
        let (price, quantity) = word.split_once('x').expect("PRICExQUANTITY");
        (get(price), get(quantity))
    };
    text.split_whitespace().map(level).collect()
}

/// The trades of others, each as `SIDE QUANTITY @ PRICE`, and the levels that are otherwise after them.
fn market(floor: &mut Floor, trades: &[(&str, &str, Side)], bids: &str, asks: &str) -> Vec<String> {
    let trades: Vec<_> =
        trades.iter().map(|(price, quantity, side)| (get(price), get(quantity), *side)).collect();
    let change = Change { bids: changed(bids), asks: changed(asks) };
    floor.spot.see_market(START, instrument(), &trades, &change).iter().filter_map(written).collect()
}

#[test]
fn what_was_taken_of_others_is_told_once_and_by_level() {
    let mut floor = Floor::with(|_| ());
    floor.play(
        "book 99x1 98x5 | 101x1 102x3 103x2
        buy 2 market
        → o1 accepted #1 / o1 filled 1 @ 101 t1 / o1 filled 1 @ 102 t2 / o1 ended filled with 2 for 203
        sell 1.5 market
        → o2 accepted #2 / o2 filled 1 @ 99 t3 / o2 filled 0.5 @ 98 t4 / o2 ended filled with 1.5 for 148",
    );
    let level = |side, text: &str| (side, text.to_owned());
    assert_eq!(
        taken(&mut floor.spot),
        [
            level(Side::Buy, "99x1"),
            level(Side::Buy, "98x0.5"),
            level(Side::Sell, "101x1"),
            level(Side::Sell, "102x1"),
        ]
    );
    assert_eq!(taken(&mut floor.spot), []);
    floor.play(
        "shows 98x4.5 | 102x2 103x2
        buy 0.5 market
        → o3 accepted #3 / o3 filled 0.5 @ 102 t5 / o3 ended filled with 0.5 for 51",
    );
    // A part of a level, then all of it.
    assert_eq!(taken(&mut floor.spot), [level(Side::Sell, "102x0.5")]);
    floor.play(
        "buy 1.5 market
        → o4 accepted #4 / o4 filled 1.5 @ 102 t6 / o4 ended filled with 1.5 for 153",
    );
    assert_eq!(taken(&mut floor.spot), [level(Side::Sell, "102x1.5")]);
    floor.play("shows 98x4.5 | 103x2");
}

#[test]
fn a_book_changes_level_by_level() {
    let mut floor = Floor::with(|_| ());
    // Sides that were empty, in any order.
    assert_eq!(market(&mut floor, &[], "98x2 99x1 97x0", "102x2 101x1"), [""; 0]);
    floor.play("shows 99x1 98x2 | 101x1 102x2");
    market(&mut floor, &[], "99x3 98x0 97x4", "101.5x5 104x0");
    floor.play("shows 99x3 97x4 | 101x1 101.5x5 102x2");
    // What was taken before is not taken once more.
    floor.play(
        "buy 1.5 market
        → o1 accepted #1 / o1 filled 1 @ 101 t1 / o1 filled 0.5 @ 101.5 t2 / o1 ended filled with 1.5 for 151.75",
    );
    market(&mut floor, &[], "", "102x1");
    floor.play("shows 99x3 97x4 | 101.5x4.5 102x1");
}

#[test]
fn what_trades_trigger_meets_the_book_that_they_left() {
    let mut floor = Floor::with(|_| ());
    floor.play(
        "book 99x5 | 101x5
        buy 1 limit 98
        → o1 accepted #1
        sell 1 stop 97
        → o2 accepted #2",
    );
    let said = market(&mut floor, &[("97.5", "2", Side::Sell), ("97", "1", Side::Sell)], "99x0 95x4", "");
    assert_eq!(
        said,
        [
            "o1 filled 1 @ 98 maker t1",
            "o1 ended filled with 1 for 98",
            "o2 triggered",
            "o2 filled 1 @ 95 t2",
            "o2 ended filled with 1 for 95",
        ]
    );
}

#[test]
fn orders_that_waited_come_to_the_book_that_begins_level_by_level() {
    let mut floor = Floor::with(|floor| floor.on_books = false);
    floor.play("candle 100 100 100 100\nbuy 1 market\n→ o1 accepted #1 / quote?");
    let said = market(&mut floor, &[], "", "101x5");
    assert_eq!(said, ["o1 filled 1 @ 101 t1", "o1 ended filled with 1 for 101"]);
}

#[test]
fn what_we_show_is_the_best_price_first_and_no_others() {
    let mut floor = Floor::with(|_| ());
    floor.play(
        "book 97x9 | 120x9
        buy 1 limit 98
        → o1 accepted #1
        buy 2 limit 99
        → o2 accepted #2
        buy 1 limit 99 iceberg 0.5
        → o3 accepted #3
        sell 1 limit 110
        → o4 accepted #4
        sell 1 limit 105
        → o5 accepted #5",
    );
    let shown = floor.spot.shown(instrument());
    assert_eq!(shown, Book { bids: levels("99x2.5 98x1"), asks: levels("105x1 110x1") });
}

#[test]
fn a_last_trade_that_is_set_triggers_nothing() {
    let mut floor = Floor::with(|_| ());
    floor.spot.set_last(START, instrument(), get("90"));
    floor.play("buy 1 stop 95\n→ o1 accepted #1\nsell 1 stop 95\n→ o2 rejected -2010: Order would trigger immediately.");
}
