//! What is asked for on the way out of a trade, how often, and what is let be.

use crate::desk::{Desk, d, oco, stop_limit};
use domain::Ending::{Absent, Canceled, Expired, Filled, Rejected};
use domain::InstrumentRules;
use events::{Event, OrderEvent, Rejection, TradeEvent};

/// 2 bought at 100, and the stop is on its way.
fn entered() -> Desk {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    desk.done("entry1", Filled);
    desk
}

#[test]
fn a_stop_that_was_given_up_is_not_asked_for_while_its_exit_waits() {
    let mut desk = entered();
    desk.done_as("stop1", Rejected, Some(Rejection::WouldTrigger));
    assert_eq!(desk.done_as("exit1", Rejected, Some(Rejection::RateLimited)), "wake in 60s");
    let mut desk = entered();
    for n in 1..=3 {
        desk.refuse(&format!("stop{n}"), "PRICE_FILTER");
    }
    assert_eq!(desk.done_as("exit1", Rejected, Some(Rejection::RateLimited)), "wake in 60s");
}

#[test]
fn a_stop_that_was_given_up_is_asked_for_after_pauses_where_nothing_can_be_sold() {
    let mut desk = entered();
    let (base, quote) = ("BTC".parse().unwrap(), "USDT".parse().unwrap());
    let rules = InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("5"));
    desk.list_rules(InstrumentRules { market_min_quantity: Some(d("3")), ..rules });
    let stop = |n| format!("submit stop{n} sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
    let passed = Some(Rejection::WouldTrigger);
    assert_eq!(desk.done_as("stop1", Rejected, passed), format!("exiting BeyondStop / {}", stop(2)));
    for (n, pause) in [(2, 120), (3, 240)] {
        assert_eq!(desk.done_as(&format!("stop{n}"), Rejected, passed), format!("wake in {pause}s"));
        assert_eq!(desk.pass(pause), stop(n + 1));
    }
}

#[test]
fn a_cancel_that_is_refused_is_asked_for_again_after_a_pause_under_its_next_number() {
    let mut desk = Desk::open(stop_limit());
    assert_eq!(desk.move_stop("86"), "cancel stop1");
    assert_eq!(desk.cancel_rejected("stop1"), "wake in 60s");
    assert_eq!(desk.move_stop("87"), "", "also where the owner asks");
    assert_eq!(desk.pass(60), "cancel stop1");
    let asked = desk.said.iter().filter_map(|said| match said {
        Event::Order(OrderEvent::CancelRequested(e)) => Some(e.request),
        _ => None,
    });
    assert_eq!(asked.collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn an_exit_under_way_is_let_be_where_the_price_makes_dust_of_what_it_sells() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "0.06", "100", None);
    desk.done("entry1", Canceled);
    desk.accept("stop1");
    desk.close();
    assert_eq!(desk.done("stop1", Canceled), "naked 0.06 Exiting / submit exit1 sell 0.06 MARKET");
    desk.accept("exit1");
    assert_eq!(desk.candle("80"), "");
    desk.fill("exit1", "0.06", "80", None);
    assert_eq!(desk.done("exit1", Filled), "closed Requested profit -1.2 left 0");
}

#[test]
fn a_list_of_which_the_stop_is_told_first_to_be_canceled_is_not_canceled_again() {
    let mut desk = Desk::open(oco());
    assert_eq!(desk.close(), "exiting Requested / cancel stop1");
    assert_eq!(desk.done("stop1", Canceled), "");
    assert_eq!(desk.done("take_profit1", Canceled), "naked 2 Exiting / submit exit1 sell 2 MARKET");
}

#[test]
fn a_stop_whose_twin_has_sold_all_is_let_end_by_itself_and_what_is_left_is_dust() {
    let mut desk = Desk::new(oco());
    desk.list("0.01", "0.1", "5");
    desk.size();
    desk.fill("entry1", "1.95", "100", None);
    desk.done("entry1", Canceled);
    desk.accept("stop1");
    assert_eq!(desk.accept("take_profit1"), "protected 1.9 at 93");
    assert_eq!(desk.fill("take_profit1", "1.9", "107", None), "");
    assert_eq!(desk.done("take_profit1", Filled), "");
    assert_eq!(desk.close(), "");
    assert_eq!(desk.done("stop1", Expired), "closed TakeProfitHit profit 13.3 left 0.05");
}

#[test]
fn a_target_whose_stop_is_gone_is_taken_back_where_the_rules_leave_no_room_for_another() {
    let mut desk = Desk::open(oco());
    assert_eq!(desk.list("0.01", "0.001", "5000"), "");
    assert_eq!(desk.done("stop1", Expired), "cancel take_profit1");
    let ended = "naked 2 Dust / closed Unprotectable profit 0 left 2";
    assert_eq!(desk.done("take_profit1", Canceled), ended);
}

#[test]
fn a_stop_that_has_begun_to_sell_is_let_finish_though_the_trade_is_to_be_left() {
    let mut desk = Desk::open(stop_limit());
    desk.fill("stop1", "1.97", "85", None);
    assert_eq!(desk.close(), "");
    desk.fill("stop1", "0.03", "85", None);
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -30 left 0");
}

#[test]
fn a_target_that_sells_in_parts_is_no_failure_of_its_stops() {
    let mut desk = Desk::open(oco());
    for n in 1..=5 {
        let (stop, target) = (format!("stop{n}"), format!("take_profit{n}"));
        desk.fill(&target, "0.25", "107", None);
        assert!(desk.done(&stop, Expired).ends_with(&format!("StopEnded / cancel {target}")));
        let both = desk.done(&target, Canceled);
        assert!(both.starts_with("oco "), "{both}");
        desk.accept(&format!("stop{}", n + 1));
        assert!(desk.accept(&format!("take_profit{}", n + 1)).starts_with("protected "));
    }
}

#[test]
fn of_two_stops_that_work_the_one_that_protects_is_told() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", "2", "100", None);
    let (base, quote) = ("BTC".parse().unwrap(), "USDT".parse().unwrap());
    let rules = InstrumentRules::open(base, quote, d("0.01"), d("0.001"), d("5"));
    desk.list_rules(InstrumentRules { max_quantity: Some(d("1")), ..rules });
    desk.done("entry1", Filled);
    desk.done("stop1", Absent);
    assert_eq!(desk.accept("stop2"), "protected 1 at 85 / naked 1 Undercovered beside 1");
    // The first works after all, and the second ends.
    desk.accept("stop1");
    desk.done("stop2", Canceled);
    let protecting = desk.said.iter().rev().find_map(|said| match said {
        Event::Trade(TradeEvent::Protected(e)) => Some(desk.name_of(e.order)),
        _ => None,
    });
    assert_eq!(protecting.as_deref(), Some("stop1"));
}

#[test]
fn what_an_entry_bought_is_without_a_stop_since_its_first_fill() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.done("entry1", Absent);
    let first = desk.now;
    assert_eq!(desk.fill("entry1", "0.04", "100", None), "", "too little to sell");
    desk.pass(60);
    assert!(desk.fill("entry1", "1", "100", None).starts_with("opened 1.04 @ 100 / naked 1.04 Entered"));
    let since = desk.said.iter().find_map(|said| match said {
        Event::Trade(TradeEvent::Unprotected(e)) => Some(e.since),
        _ => None,
    });
    assert_eq!(since, Some(first));
}

#[test]
fn stops_that_sell_a_part_before_they_end_are_no_failures() {
    let mut desk = Desk::open(stop_limit());
    for n in 1..=5 {
        let stop = format!("stop{n}");
        desk.fill(&stop, "0.25", "85", None);
        let again = desk.done(&stop, Expired);
        assert!(again.contains(&format!("StopEnded / submit stop{} sell", n + 1)), "{again}");
        desk.accept(&format!("stop{}", n + 1));
    }
}

service::mirrored!("leaving.rs":
    stops_that_sell_a_part_before_they_end_are_no_failures
    a_stop_that_was_given_up_is_not_asked_for_while_its_exit_waits
    a_stop_that_was_given_up_is_asked_for_after_pauses_where_nothing_can_be_sold
    a_cancel_that_is_refused_is_asked_for_again_after_a_pause_under_its_next_number
    a_list_of_which_the_stop_is_told_first_to_be_canceled_is_not_canceled_again
    a_stop_whose_twin_has_sold_all_is_let_end_by_itself_and_what_is_left_is_dust
    a_target_whose_stop_is_gone_is_taken_back_where_the_rules_leave_no_room_for_another
    a_stop_that_has_begun_to_sell_is_let_finish_though_the_trade_is_to_be_left
    a_target_that_sells_in_parts_is_no_failure_of_its_stops
    of_two_stops_that_work_the_one_that_protects_is_told
    what_an_entry_bought_is_without_a_stop_since_its_first_fill;
    only long, "what a price times a quantity is worth is not mirrored":
    an_exit_under_way_is_let_be_where_the_price_makes_dust_of_what_it_sells;
);
