//! Exits and dust are judged at the price that the market has now, not at that of the last fill.

use crate::desk::{Desk, d, stop_limit};
use domain::Ending::{Canceled, Filled, Rejected};
use domain::InstrumentRules;
use events::Rejection;

fn rules(lot: &str, notional: &str) -> InstrumentRules {
    InstrumentRules::open("BTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d(lot), d(notional))
}

/// 2 bought at 100; the venue sells at most that much, in USDT, at market.
fn capped(most: &str) -> Desk {
    let mut desk = Desk::open(stop_limit());
    desk.list_rules(InstrumentRules {
        max_notional: Some(d(most)),
        max_notional_applies_to_market: true,
        ..rules("0.001", "5")
    });
    desk
}

#[test]
fn a_capped_exit_is_sized_at_the_risen_price_and_sold_in_parts() {
    let mut desk = capped("250");
    assert_eq!(desk.candle("150"), "");
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    // 250 less a tenth of room are 1.5 at 150; at the entry's price it would have been all of it.
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 1.5 MARKET");
    assert_eq!(desk.fill("exit1", "1.5", "149", None), "");
    assert_eq!(desk.done("exit1", Filled), "submit exit2 sell 0.5 MARKET");
    desk.fill("exit2", "0.5", "149", None);
    assert_eq!(desk.done("exit2", Filled), "closed Requested profit 98 left 0");
}

#[test]
fn a_capped_exit_is_sized_at_the_fallen_price() {
    let mut desk = capped("150");
    assert_eq!(desk.quote("90"), "");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 1.5 MARKET");
    desk.fill("exit1", "1.5", "60", None);
    // The last fill is later than the last price that was heard.
    assert_eq!(desk.done("exit1", Filled), "submit exit2 sell 0.5 MARKET");
}

#[test]
fn each_part_is_sized_at_the_price_that_is_last_heard() {
    let mut desk = capped("100");
    desk.candle("150");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 0.6 MARKET");
    desk.fill("exit1", "0.6", "150", None);
    assert_eq!(desk.candle("300"), "", "one exit at a time");
    assert_eq!(desk.done("exit1", Filled), "submit exit2 sell 0.3 MARKET");
    desk.fill("exit2", "0.3", "290", None);
    desk.restart();
    assert_eq!(desk.done("exit2", Filled), "submit exit3 sell 0.31 MARKET");
}

#[test]
fn a_price_that_comes_late_replaces_nothing() {
    let mut desk = capped("250");
    desk.candle("150");
    assert_eq!(desk.late_candle("60", 3_600), "");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 1.5 MARKET");
}

#[test]
fn prices_are_the_same_after_a_restart_and_kept_only_while_a_trade_is_open() {
    let mut desk = Desk::new(stop_limit());
    desk.candle("150");
    assert_eq!(desk.state()["market"], serde_json::json!({}), "nobody trades it");
    let mut desk = capped("250");
    desk.candle("150");
    desk.restart();
    assert_eq!(desk.state()["market"]["binance:spot:BTCUSDT"]["price"], "150");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 1.5 MARKET");
    desk.fill("exit1", "1.5", "150", None);
    desk.done("exit1", Filled);
    desk.fill("exit2", "0.5", "150", None);
    assert_eq!(desk.done("exit2", Filled), "closed Requested profit 100 left 0");
    assert_eq!(desk.state()["market"], serde_json::json!({}));
}

/// 2 of which the stop has sold all but `left`, and has then ended.
fn all_but(left: &str) -> Desk {
    let mut desk = Desk::open(stop_limit());
    let sold = (d("2") - d(left)).to_string();
    desk.fill("stop1", &sold, "84", None);
    desk
}

#[test]
fn what_was_dust_at_the_last_fill_is_sold_where_the_price_has_risen() {
    // 0.055 are worth 4.62 at 84, and 5.5 at 100.
    let mut desk = all_but("0.055");
    assert_eq!(desk.candle("100"), "");
    assert_eq!(
        desk.done("stop1", Canceled),
        "exiting Unprotectable / naked 0.055 StopEnded / submit exit1 sell 0.055 MARKET",
        "a stop would be worth 4.675"
    );
}

#[test]
fn what_was_worth_selling_at_the_last_fill_is_dust_where_the_price_has_fallen() {
    // 0.06 are worth 5.04 at 84, and 4.8 at 80.
    let mut desk = all_but("0.06");
    assert_eq!(desk.candle("80"), "");
    assert_eq!(desk.done("stop1", Canceled), "closed StopHit profit -31.04 left 0.06");
    let closed = desk.last_closed();
    assert_eq!(
        (closed.left_cost, closed.left_worth),
        (d("6"), d("4.8")),
        "dust is worth what the market pays now"
    );
}

#[test]
fn a_trade_that_is_to_be_left_is_sold_once_it_is_worth_enough() {
    let mut desk = Desk::open(stop_limit());
    desk.list_rules(rules("0.001", "250"));
    assert_eq!(desk.close(), "exiting Requested", "2 are worth 200: the stop stays");
    assert_eq!(desk.candle("120"), "");
    assert_eq!(desk.candle("126"), "cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
}

#[test]
fn an_exit_that_is_refused_as_too_large_is_halved_at_once() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(desk.refuse("exit1", "NOTIONAL"), "exiting Requested by 1 / submit exit2 sell 1 MARKET");
    desk.restart();
    assert_eq!(
        desk.refuse("exit2", "MARKET_LOT_SIZE"),
        "exiting Requested by 0.5 / submit exit3 sell 0.5 MARKET"
    );
    for n in 3..=5 {
        desk.fill(&format!("exit{n}"), "0.5", "130", None);
        assert_eq!(desk.done(&format!("exit{n}"), Filled), format!("submit exit{} sell 0.5 MARKET", n + 1));
    }
    desk.fill("exit6", "0.5", "130", None);
    assert_eq!(desk.done("exit6", Filled), "closed Requested profit 60 left 0");
}

#[test]
fn an_exit_is_not_halved_without_end_nor_for_other_filters() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    let mut asked = 1;
    // 2, 1, 0.5 … 0.062, whose half is worth less than 5.
    while desk.refuse(&format!("exit{asked}"), "NOTIONAL").contains("submit exit") {
        asked += 1;
    }
    assert_eq!(asked, 6);
    assert_eq!(desk.accept("stop2"), "protected 2 at 85");
    assert_eq!(desk.pass(60), "cancel stop2");
    assert_eq!(desk.done("stop2", Canceled), "naked 2 Exiting / submit exit7 sell 2 MARKET");

    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    assert_eq!(
        desk.refuse("exit1", "MAX_NUM_ORDERS"),
        "wake in 60s / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68"
    );
}

#[test]
fn a_stop_that_the_venue_lets_cover_a_part_only_is_said_to() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.list_rules(InstrumentRules { max_quantity: Some(d("1.5")), ..rules("0.001", "5") });
    assert_eq!(
        desk.done("entry1", Filled),
        "opened 2 @ 100 / submit stop1 sell 1.5 STOP_LOSS_LIMIT stop 85 limit 68"
    );
    assert_eq!(desk.accept("stop1"), "protected 1.5 at 85 / naked 0.5 Undercovered beside 1.5");
    assert_eq!(desk.candle("101"), "");
}

#[test]
fn a_trade_that_needs_hundreds_of_sales_is_left_one_after_the_other() {
    let mut desk = Desk::open(stop_limit());
    desk.list_rules(InstrumentRules { market_max_quantity: Some(d("0.01")), ..rules("0.001", "0.1") });
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 2 Exiting / submit exit1 sell 0.01 MARKET");
    for n in 1..200 {
        desk.fill(&format!("exit{n}"), "0.01", "100", None);
        assert_eq!(desk.done(&format!("exit{n}"), Filled), format!("submit exit{} sell 0.01 MARKET", n + 1));
    }
    desk.fill("exit200", "0.01", "100", None);
    assert_eq!(desk.done("exit200", Filled), "closed Requested profit 0 left 0");
}

#[test]
fn a_closed_trade_stays_closed_whatever_its_own_last_price_makes_of_its_dust() {
    // 0.055 are worth 5.225 at 95, and 4.4 at 80.
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "1.945", "95", None);
    desk.done("stop1", Canceled);
    assert_eq!(desk.done_as("exit1", Rejected, Some(Rejection::RateLimited)), "wake in 60s");
    assert_eq!(desk.quote("80"), "closed StopHit profit -9.725 left 0.055");
    // The market is not heard any more; the last fill's price would make it worth selling.
    desk.restart();
    assert_eq!(desk.pass(60), "");
    assert_eq!(desk.fill("stop1", "0.005", "80", None), "", "a late fill leaves less");
    assert_eq!(desk.pass(60), "");
}

#[test]
fn a_price_that_is_heard_while_an_entry_works_judges_what_it_bought() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "0.06", "100", None);
    assert_eq!(desk.candle("80"), "");
    let said = desk.done("entry1", Canceled);
    assert!(said.starts_with("opened 0.06 @ 100 / naked 0.06 Dust / closed"), "{said}");
}

#[test]
fn a_stop_too_far_from_the_markets_price_is_placed_by_that_of_the_last_fill_for_the_venue_to_judge() {
    let mut desk = Desk::open(stop_limit());
    let range = |down, up| Some(domain::rules::PriceRange { down: d(down), up: d(up) });
    desk.list_rules(InstrumentRules {
        sell_price_range: range("0.5", "2"),
        buy_price_range: range("0.5", "2"),
        ..rules("0.001", "5")
    });
    desk.quote("190");
    let again = "naked 2 StopEnded / submit stop2 sell 2 STOP_LOSS_LIMIT stop 85 limit 68";
    assert_eq!(desk.done("stop1", Canceled), again);
}

service::mirrored!("market_price.rs":
    a_stop_too_far_from_the_markets_price_is_placed_by_that_of_the_last_fill_for_the_venue_to_judge
    an_exit_that_is_refused_as_too_large_is_halved_at_once
    an_exit_is_not_halved_without_end_nor_for_other_filters
    a_stop_that_the_venue_lets_cover_a_part_only_is_said_to
    a_trade_that_needs_hundreds_of_sales_is_left_one_after_the_other;
    only long, "what a price times a quantity is worth is not mirrored":
    a_price_that_is_heard_while_an_entry_works_judges_what_it_bought
    a_capped_exit_is_sized_at_the_risen_price_and_sold_in_parts
    a_capped_exit_is_sized_at_the_fallen_price
    each_part_is_sized_at_the_price_that_is_last_heard
    a_price_that_comes_late_replaces_nothing
    prices_are_the_same_after_a_restart_and_kept_only_while_a_trade_is_open
    what_was_dust_at_the_last_fill_is_sold_where_the_price_has_risen
    what_was_worth_selling_at_the_last_fill_is_dust_where_the_price_has_fallen
    a_trade_that_is_to_be_left_is_sold_once_it_is_worth_enough
    a_closed_trade_stays_closed_whatever_its_own_last_price_makes_of_its_dust;
);
