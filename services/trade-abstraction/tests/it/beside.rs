//! What concerns one trade leaves those beside it alone.

use crate::desk::{Desk, d, stop_limit};
use domain::Ending::{Absent, Canceled, Filled, Rejected};
use domain::{Instrument, InstrumentRules};
use events::{BalanceChanged, InstrumentListed, PositionKey, Rejection, TradeSized};

fn eth() -> Instrument {
    "binance:spot:ETHUSDT".parse().unwrap()
}

fn list_eth(desk: &mut Desk, lot: &str) -> String {
    let (base, quote) = ("ETH".parse().unwrap(), "USDT".parse().unwrap());
    let rules = Box::new(InstrumentRules::open(base, quote, d("0.01"), d(lot), d("5")));
    desk.hear(InstrumentListed { instrument: eth(), rules })
}

/// A trade of another edge of the same instrument is granted, and entered with an order of its own.
fn size_another_edge(desk: &mut Desk) {
    let (trade, edge) = ("edge60-BTCUSDT-L-20240115T0000".parse().unwrap(), "edge60".parse().unwrap());
    let sized = TradeSized { trade, edge, ..desk.grant(desk.now) };
    assert_eq!(desk.hear(sized), "submit entry1 buy 2 LIMIT limit 100");
}

/// Closed as asked for, with 0.04 left, worth less than an order.
fn closed_with_dust() -> Desk {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    desk.fill("exit1", "1.96", "100", None);
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit 0 left 0.04");
    desk
}

fn dust(desk: &Desk) -> Vec<[String; 2]> {
    let state = desk.state();
    let all = state["dust"].as_array().unwrap().iter().map(|entry| {
        ["quantity", "cost"].map(|name| d(entry[1][name].as_str().unwrap()).normalize().to_string())
    });
    all.collect()
}

#[test]
fn the_price_of_an_instrument_is_forgotten_when_its_last_trade_ends_and_no_other() {
    let mut desk = Desk::open(stop_limit());
    let other = TradeSized {
        trade: "edge70-ETHUSDT-L-20240115T0000".parse().unwrap(),
        instrument: eth(),
        ..desk.grant(desk.now)
    };
    assert_eq!(desk.hear(other), "", "its rules are not known yet");
    desk.fill("stop1", "2", "85", None);
    desk.done("stop1", Filled);
    assert_eq!(desk.state()["market"], serde_json::json!({ "binance:spot:ETHUSDT": null }));
    assert_eq!(desk.size(), "");
    assert_eq!(
        desk.state()["market"].as_object().unwrap().len(),
        1,
        "a grant of an ended trade follows nothing"
    );
}

#[test]
fn other_rules_of_another_instrument_forgive_nothing_that_failed() {
    let mut desk = Desk::new(stop_limit());
    list_eth(&mut desk, "0.001");
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    for n in 1..=2 {
        assert!(desk.refuse(&format!("stop{n}"), "PRICE_FILTER").starts_with("submit stop"));
        assert_eq!(list_eth(&mut desk, "0.01"), "");
        assert_eq!(list_eth(&mut desk, "0.001"), "");
    }
    assert_eq!(desk.refuse("stop3", "PRICE_FILTER"), "exiting Unprotectable / submit exit1 sell 2 MARKET");
}

#[test]
fn a_closed_trade_is_opened_again_by_a_late_fill_alone_and_not_by_rules_or_prices() {
    let mut desk = closed_with_dust();
    assert_eq!(desk.fill("entry1", "0.005", "100", None), "", "0.045 are too little");
    size_another_edge(&mut desk);
    assert_eq!(desk.quote("120"), "");
    assert_eq!(desk.candle("120"), "");
    assert_eq!(desk.list("0.01", "0.001", "1"), "");
}

#[test]
fn coins_told_of_another_account_or_asset_are_not_those_that_a_trade_misses() {
    let mut desk = Desk::open(stop_limit());
    assert!(desk.done("stop1", Canceled).contains("submit stop2"));
    assert!(desk.done_as("stop2", Rejected, Some(Rejection::InsufficientBalance)).ends_with("wake in 60s"));
    let told = |desk: &mut Desk, account: &str, asset: &str| {
        let (free, locked) = (d("2"), d("0"));
        let (account, asset, as_of) = (account.parse().unwrap(), asset.parse().unwrap(), desk.now);
        desk.hear(BalanceChanged { account, asset, free, locked, as_of })
    };
    assert_eq!(told(&mut desk, "binance:other", "BTC"), "");
    assert_eq!(told(&mut desk, "binance:paper", "ETH"), "");
    let again = "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68";
    assert_eq!(told(&mut desk, "binance:paper", "BTC"), again);
}

#[test]
fn a_fill_of_that_number_on_another_account_or_instrument_counts_none_of_a_trade() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.accept("entry1");
    desk.fill("entry1", "0.5", "100", None);
    desk.is_counted();
    desk.fill("entry1", "1.5", "100", None);
    desk.done("entry1", Filled);
    desk.accept("stop1");
    let here = desk.position();
    desk.counted(PositionKey { account: "binance:other".parse().unwrap(), ..here }, 2);
    desk.counted(PositionKey { instrument: eth(), ..here }, 2);
    assert_eq!(desk.position_closed_by("999", "0.5", "0"), "cancel stop1");
    let rest = "naked 1.5 StopMoving / submit stop2 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68";
    assert_eq!(desk.done("stop1", Canceled), rest);
}

#[test]
fn dust_that_the_owner_sold_is_not_counted_on_though_another_edge_has_a_trade_open() {
    let mut desk = closed_with_dust();
    size_another_edge(&mut desk);
    desk.position_reduced("0.03", "0.01");
    assert_eq!(dust(&desk), [["0.01", "1"]]);
}

#[test]
fn the_dust_of_two_trades_is_kept_together_and_a_late_fill_takes_its_part_off() {
    let mut desk = Desk::open(stop_limit());
    desk.size_next();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    desk.accept("stop1");
    desk.fill("stop1", "1.96", "85", None);
    assert!(desk.done("stop1", Filled).ends_with("left 0.04"));
    assert_eq!(desk.close(), "exiting Requested / cancel its stop1");
    assert_eq!(dust(&desk), [["0.04", "4"]], "that of the one is none of the other's");
    desk.fill("its stop1", "1.97", "85", None);
    assert!(desk.done("its stop1", Filled).ends_with("left 0.03"));
    assert_eq!(dust(&desk), [["0.07", "7"]]);
    desk.fill("its stop1", "0.01", "85", None);
    assert_eq!(dust(&desk), [["0.06", "6"]]);
}

#[test]
fn dust_is_taken_over_from_the_ended_trades_of_its_edge_and_from_no_other() {
    let mut desk = Desk::open(stop_limit());
    desk.size_next();
    desk.fill("entry1", "0.04", "100", None);
    assert!(desk.done("entry1", Canceled).ends_with("closed Unprotectable profit 0 left 0.04"));
    size_another_edge(&mut desk);
    desk.fill("entry1", "0.04", "100", None);
    assert!(desk.done("entry1", Canceled).ends_with("closed Unprotectable profit 0 left 0.04"));
    desk.size_next();
    assert_eq!(desk.fill("entry1", "1", "100", None), "naked 1.04 Entered");
    assert_eq!(desk.fill("entry1", "1", "100", None), "");
    assert!(desk.done("entry1", Filled).starts_with("opened 2.04 @ 100"));
    // The one that ended keeps its own, and the one that is open all that it holds.
    assert!(desk.fill("its entry1", "1", "100", None).starts_with("opened 1.04 @ 100"));
    assert_eq!(desk.fill("its its stop1", "1", "100", None), "");
    let rest = "naked 1 StopEnded / submit stop2 sell 1 STOP_LOSS_LIMIT stop 85 limit 68";
    assert_eq!(desk.done("its its stop1", Canceled), rest);
}

#[test]
fn a_trade_that_is_opened_again_takes_back_what_it_left_and_no_more() {
    let mut desk = closed_with_dust();
    assert_eq!(dust(&desk), [["0.04", "4"]]);
    assert_eq!(
        desk.fill("entry1", "1", "100", None),
        "opened 1.04 @ 100 / naked 1.04 Entered / exiting Requested / submit exit2 sell 1.04 MARKET"
    );
    assert_eq!(dust(&desk), [] as [[String; 2]; 0]);
    desk.fill("exit2", "1.04", "100", None);
    assert_eq!(desk.done("exit2", Filled), "closed Requested profit 0 left 0");
}

#[test]
fn a_late_sale_lowers_what_a_late_purchase_must_exceed_to_open_a_trade_again() {
    // 0.055 are worth 5.225 at 95, and 4.4 at 80.
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "1.945", "95", None);
    desk.done("stop1", Canceled);
    desk.done_as("exit1", Rejected, Some(Rejection::RateLimited));
    assert!(desk.quote("80").starts_with("closed StopHit"));
    assert_eq!(desk.fill("stop1", "0.005", "80", None), "");
    assert!(desk.fill("entry1", "0.003", "100", None).starts_with("opened 0.053 @ 100"));
}

#[test]
fn an_entry_that_works_after_it_was_given_up_is_waited_for() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(desk.done("entry1", Absent), "aborted EntryAbsent");
    assert_eq!(desk.accept("entry1"), "");
    assert_eq!(desk.fill("entry1", "1", "100", None), "");
    assert_eq!(
        desk.done("entry1", Canceled),
        "opened 1 @ 100 / naked 1 Entered / submit stop1 sell 1 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

service::mirrored!("beside.rs":
    the_price_of_an_instrument_is_forgotten_when_its_last_trade_ends_and_no_other
    other_rules_of_another_instrument_forgive_nothing_that_failed
    a_closed_trade_is_opened_again_by_a_late_fill_alone_and_not_by_rules_or_prices
    coins_told_of_another_account_or_asset_are_not_those_that_a_trade_misses
    a_fill_of_that_number_on_another_account_or_instrument_counts_none_of_a_trade
    dust_that_the_owner_sold_is_not_counted_on_though_another_edge_has_a_trade_open
    the_dust_of_two_trades_is_kept_together_and_a_late_fill_takes_its_part_off
    dust_is_taken_over_from_the_ended_trades_of_its_edge_and_from_no_other
    a_trade_that_is_opened_again_takes_back_what_it_left_and_no_more
    an_entry_that_works_after_it_was_given_up_is_waited_for;
    only long, "what a price times a quantity is worth is not mirrored":
    a_late_sale_lowers_what_a_late_purchase_must_exceed_to_open_a_trade_again;
);
