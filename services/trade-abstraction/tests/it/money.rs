//! What a trade tells of its money, and what it leaves.

use crate::desk::{Desk, d, stop_limit};
use domain::{
    Decimal,
    Ending::{Filled, Rejected},
};
use events::{Fee, Rejection::InsufficientBalance};

fn fees(list: &[(&str, &str)]) -> Vec<Fee> {
    list.iter().map(|(amount, asset)| Fee { amount: d(amount), asset: asset.parse().unwrap() }).collect()
}

/// Quantity and cost of what ended trades have left.
fn dust(desk: &Desk) -> Vec<(Decimal, Decimal)> {
    let state = desk.state();
    let all = state["dust"].as_array().unwrap().iter().map(|entry| {
        let figure = |name: &str| d(entry[1][name].as_str().unwrap()).normalize();
        (figure("quantity"), figure("cost"))
    });
    all.collect()
}

/// Of 2 at 100 its stop has sold 1.9, and the fee took the most of the rest.
fn left_some() -> Desk {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "1.9", "85", Some(("0.0995", "BTC")));
    desk.done("stop1", Filled);
    desk
}

#[test]
fn fees_in_the_quote_asset_are_in_cost_and_proceeds_and_all_are_listed() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "1", "100", Some(("0.1", "USDT")));
    desk.fill("entry1", "1", "98", Some(("0.01", "BNB")));
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.fill("stop1", "1", "84", Some(("0.084", "USDT")));
    desk.fill("stop1", "1", "86", Some(("0.02", "BNB")));
    desk.done("stop1", Filled);
    let closed = desk.last_closed();
    assert_eq!((closed.quantity, closed.entry_price, closed.exit_price), (d("2"), d("99"), d("85")));
    assert_eq!((closed.cost, closed.proceeds, closed.profit), (d("198.1"), d("169.916"), d("-28.184")));
    assert_eq!(closed.fees, fees(&[("0.03", "BNB"), ("0.184", "USDT")]));
}

#[test]
fn a_fee_in_the_coins_takes_its_part_of_the_cost_along_and_what_is_left_keeps_its_own() {
    let desk = left_some();
    let closed = desk.last_closed();
    assert_eq!((closed.left, closed.left_cost, closed.left_worth), (d("0.0005"), d("0.05"), d("0.0425")));
    assert_eq!((closed.cost, closed.proceeds, closed.profit), (d("199.95"), d("161.5"), d("-38.45")));
    assert_eq!(dust(&desk), [(d("0.0005"), d("0.05"))]);
}

#[test]
fn a_fee_in_the_quote_asset_is_in_the_cost_of_what_is_left() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", Some(("1", "USDT")));
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.fill("stop1", "1.9", "85", Some(("0.0995", "BTC")));
    desk.done("stop1", Filled);
    assert_eq!(dust(&desk), [(d("0.0005"), d("0.05025"))]);
}

#[test]
fn what_is_carried_on_brings_its_cost_along() {
    let mut desk = left_some();
    desk.size_next();
    desk.fill("entry1", "2", "110", None);
    assert_eq!(dust(&desk), []);
    // More of the last trade's stop is told late: what it left is not its own any more.
    desk.fill("its stop1", "0.0003", "85", None);
    assert_eq!(dust(&desk), []);
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.fill("stop1", "1.9", "90", Some(("0.1", "BTC")));
    desk.done("stop1", Filled);
    let closed = desk.last_closed();
    // 220 and 0.05 for 2.0005, of which 0.0005 are left.
    let left_cost = (d("220.05") * d("0.0005") / d("2.0005")).round_dp(12);
    assert_eq!((closed.carried, closed.carried_cost), (d("0.0005"), d("0.05")));
    assert_eq!((closed.left, closed.left_cost.round_dp(12)), (d("0.0005"), left_cost));
    assert_eq!(closed.profit.round_dp(10), (d("171") - d("220.05") + left_cost).round_dp(10));
    assert_eq!(dust(&desk)[0].1.round_dp(12), left_cost);
}

#[test]
fn carried_dust_that_is_not_there_takes_its_cost_away_again() {
    let mut desk = left_some();
    desk.size_next();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    desk.done_as("stop1", Rejected, Some(InsufficientBalance));
    desk.accept("stop2");
    desk.fill("stop2", "1.9", "85", Some(("0.0995", "BTC")));
    desk.done("stop2", Filled);
    assert_eq!((desk.last_closed().carried, desk.last_closed().profit), (d("0"), d("-38.45")));
    assert_eq!(dust(&desk), [(d("0.0005"), d("0.05"))]);
}

#[test]
fn dust_that_is_sold_by_hand_or_late_takes_its_cost_along() {
    let mut desk = left_some();
    desk.position_reduced("0.0003", "0.0002");
    assert_eq!(dust(&desk), [(d("0.0002"), d("0.02"))]);
    let mut desk = left_some();
    desk.fill("stop1", "0.0003", "85", None);
    assert_eq!(dust(&desk), [(d("0.0002"), d("0.02"))]);
}

#[test]
fn what_other_hands_have_sold_is_in_the_profit_of_the_trade() {
    let mut desk = Desk::open(stop_limit());
    // Two halves at 90, and the rest at 85.
    desk.position_reduced("0.5", "1.5");
    desk.position_reduced("0.5", "1");
    desk.fill("stop1", "1", "85", None);
    desk.done("stop1", Filled);
    let closed = desk.last_closed();
    assert_eq!((closed.cost, closed.proceeds, closed.profit), (d("200"), d("175"), d("-25")));
}
