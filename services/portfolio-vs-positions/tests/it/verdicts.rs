//! When books are compared, and when something is said.

use crate::desk::*;
use domain::{Side, TradeId};
use events::*;
use portfolio_vs_positions::Reaction;
use std::time::Duration;

#[test]
fn one_report_alone_says_nothing_and_two_of_the_same_begin_the_books() {
    let mut desk = Desk::new(Reaction::Report);
    assert!(desk.round().is_empty());
    desk.changes("USDT", "-1");
    assert!(desk.round().is_empty(), "it is another one");
    assert_eq!(desk.round(), ["agree: 3 assets, 0 orders (begin)"]);
}

#[test]
fn books_that_stay_as_they_are_are_told_once_an_hour() {
    let mut desk = Desk::begun();
    assert!(desk.rounds().is_empty());
    desk.waits(Duration::from_secs(3_590));
    assert_eq!(desk.round(), ["agree: 3 assets, 0 orders"]);
    assert!(desk.round().is_empty());
}

#[test]
fn a_report_within_a_trade_is_no_difference() {
    let mut desk = Desk::begun();
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    assert!(desk.round().is_empty(), "the venue tells it first");
    desk.hear(fill);
    assert!(desk.rounds().is_empty(), "as it was said");
    let fill = desk.trades(Side::Sell, "1", ["BTC", "USDT"], "100", fee("0.1", "BNB"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
}

#[test]
fn a_difference_takes_two_reports_and_its_end_two_more() {
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    assert!(desk.round().is_empty());
    assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit"]);
    assert!(desk.round().is_empty(), "it was said");
    desk.waits(Duration::from_secs(3_600));
    assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit"]);
    let entry = desk.ledger("USDT", "0", LedgerReason::Deposit);
    desk.hear(LedgerEntry { delta: get("5"), ..entry });
    assert!(desk.round().is_empty(), "something happened since the last one");
    assert_eq!(desk.round(), ["agree: 3 assets, 0 orders"]);
}

#[test]
fn a_difference_that_changes_is_said_again_with_its_beginning() {
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    assert_eq!(desk.rounds().len(), 1);
    desk.changes("BTC", "1");
    assert_eq!(desk.rounds(), ["disagree: BTC 3 for 2, Deposit; USDT 1005 for 1000, Deposit"]);
}

#[test]
fn what_was_there_before_is_adopted_and_what_happened_before_is_not_counted_again() {
    let mut desk = Desk::new(Reaction::Report);
    desk.places(7, "by-hand", "BTCUSDT", false);
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    desk.hear(fill);
    assert_eq!(desk.rounds(), ["agree: 3 assets, 1 orders (begin)"]);
    desk.ends(7, true);
    assert!(desk.rounds().is_empty());
}

#[test]
fn an_order_that_ends_before_it_is_heard_of_does_not_work() {
    let mut desk = Desk::begun();
    desk.places(7, "o7", "BTCUSDT", false);
    desk.ends(7, false);
    let (account, instrument, order, venue_order) = (account(), instrument("BTCUSDT"), get("o7"), get("7"));
    let (ending, filled, at) =
        (domain::Ending::Canceled, domain::Filled::default(), get("2026-03-01T00:00:00Z"));
    desk.hear(OrderEnded { account, instrument, order, venue_order, ending, filled, at });
    desk.hear(OrderAccepted { account, instrument, order, venue_order, at });
    assert!(desk.rounds().is_empty());
}

#[test]
fn fills_of_an_instrument_that_nobody_listed_count_by_its_symbol() {
    let mut desk = Desk::begun();
    let fill = desk.trades(Side::Buy, "3", ["DOGE", "USDT"], "30", fee("0.003", "DOGE"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
    let fill = desk.trades(Side::Sell, "2.997", ["DOGE", "USDT"], "33", fee("0.033", "USDT"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
}

const REDUCING: &str =
    "Reducing by portfolio-vs-positions: the venue's books differ from ours: tapedeck books";
const HALTED: &str = "Halted by portfolio-vs-positions: the venue's books differ from ours: tapedeck books";

#[test]
fn a_confirmed_difference_stops_entries_or_everything_where_that_is_wanted_and_once() {
    for (reaction, state) in [(Reaction::Reduce, REDUCING), (Reaction::Halt, HALTED)] {
        let mut desk = Desk::new(reaction);
        desk.rounds();
        desk.changes("USDT", "5");
        assert_eq!(desk.rounds(), ["disagree: USDT 1005 for 1000, Deposit"]);
        assert!(!desk.is_confirmed());
        desk.fetches();
        assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit", state]);
        assert!(desk.is_confirmed());
        desk.owner_says(TradingState::Active, None);
        assert!(desk.rounds().is_empty(), "the owner knows of it");
        let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
        desk.hear(fill);
        assert_eq!(desk.rounds(), ["disagree: USDT 904.9 for 899.9, Deposit"], "it is the same difference");
        assert!(desk.is_confirmed());
        desk.changes("BTC", "1");
        assert_eq!(desk.rounds().len(), 1);
        assert!(!desk.is_confirmed());
        desk.fetches();
        assert_eq!(desk.round().len(), 2, "another difference");
    }
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    desk.rounds();
    desk.fetches();
    assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit"], "it is only reported");
}

#[test]
fn a_fill_that_is_only_late_stops_nobody() {
    let mut desk = Desk::new(Reaction::Halt);
    desk.rounds();
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    assert_eq!(desk.rounds().len(), 1);
    desk.hear(fill);
    desk.fetches();
    assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders"]);
}

#[test]
fn what_was_fetched_before_a_difference_began_confirms_nothing() {
    let mut desk = Desk::new(Reaction::Halt);
    desk.rounds();
    desk.changes("USDT", "5");
    desk.fetches();
    assert_eq!(desk.rounds().len(), 1);
    assert!(!desk.is_confirmed());
    assert!(desk.rounds().is_empty());
    let (account, until) = (account(), desk.differs_since().unwrap());
    desk.hear(StreamComplete { account, until });
    assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit", HALTED]);
    // One that tells of less takes nothing back.
    desk.hear(StreamComplete { account, until: get("2026-03-01T00:00:00Z") });
    assert!(desk.rounds().is_empty());
}

#[test]
fn a_reaction_never_makes_the_owners_word_weaker() {
    let mut desk = Desk::new(Reaction::Reduce);
    desk.rounds();
    desk.owner_says(TradingState::Halted, None);
    desk.changes("USDT", "5");
    desk.rounds();
    desk.fetches();
    assert_eq!(desk.round(), ["disagree: USDT 1005 for 1000, Deposit"]);
    desk.owner_says(TradingState::Active, None);
    assert_eq!(desk.round(), [REDUCING], "nobody was told of it yet");
    assert!(desk.round().is_empty());

    let mut desk = Desk::new(Reaction::Reduce);
    desk.rounds();
    let until = desk.now() + Duration::from_secs(60);
    desk.owner_says(TradingState::Reducing, Some(until));
    desk.changes("USDT", "5");
    desk.rounds();
    desk.fetches();
    assert_eq!(desk.round().len(), 1);
    desk.waits(until.since(desk.now()) - Duration::from_secs(5) - Duration::from_millis(1));
    assert_eq!(desk.round(), [REDUCING], "the owner's word has ended");
}

#[test]
fn a_difference_that_comes_back_is_another_one() {
    let mut desk = Desk::new(Reaction::Reduce);
    desk.rounds();
    for _ in 0..2 {
        desk.changes("USDT", "5");
        desk.rounds();
        desk.fetches();
        assert_eq!(desk.round().last().map(String::as_str), Some(REDUCING));
        desk.owner_says(TradingState::Active, None);
        desk.changes("USDT", "-5");
        assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders"]);
    }
}

#[test]
fn orders_of_two_instruments_may_have_one_number() {
    let mut desk = Desk::begun();
    desk.places(7, "btc", "BTCUSDT", true);
    let (account, at) = (account(), desk.now());
    let (instrument, order, venue_order) = (instrument("BNBUSDT"), get("bnb"), get("7"));
    desk.hear(OrderAccepted { account, instrument, order, venue_order, at });
    assert_eq!(desk.rounds(), ["disagree: 7 bnb does not work"]);
    desk.orders.insert(8, WorkingOrder { venue_order, order, instrument });
    assert_eq!(desk.rounds(), ["agree: 3 assets, 2 orders"]);
    let (ending, filled) = (domain::Ending::Canceled, domain::Filled::default());
    desk.hear(OrderEnded { account, instrument, order, venue_order, ending, filled, at });
    desk.orders.remove(&8);
    assert!(desk.rounds().is_empty());
}

#[test]
fn a_stop_that_is_gone_is_named_with_its_trade_under_any_name() {
    let mut desk = Desk::begun();
    desk.places(7, "stop", "BTCUSDT", true);
    let trade: TradeId = get("edge70-BTCUSDT-L-20260301T0000");
    let (stop, quantity) = (get("90"), get("1"));
    desk.hear(TradeProtected { trade, order: get("stop"), stop, quantity, without_take_profit: false });
    assert!(desk.rounds().is_empty());
    let (account, instrument, at) = (account(), instrument("BTCUSDT"), get("2026-03-01T00:01:00Z"));
    let renamed = get("other");
    desk.hear(OrderAmended {
        account,
        instrument,
        order: get("stop"),
        renamed,
        venue_order: get("7"),
        execution: 1,
        quantity,
        at,
    });
    desk.orders.get_mut(&7).unwrap().order = renamed;
    assert!(desk.rounds().is_empty());
    desk.ends(7, false);
    let gone = format!("disagree: 7 other, the stop of {trade}, does not work");
    assert_eq!(desk.rounds(), [gone]);
}

#[test]
fn what_happened_before_the_books_began_is_in_them_however_late_it_is_heard() {
    let mut desk = Desk::new(Reaction::Report);
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    let entry = desk.ledger("USDT", "7", LedgerReason::Deposit);
    assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders (begin)"]);
    desk.hear(fill);
    desk.hear(entry);
    assert!(desk.rounds().is_empty());
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
}

#[test]
fn what_open_orders_hold_is_in_the_amounts() {
    let mut desk = Desk::new(Reaction::Report);
    desk.locked = get("0.25");
    assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders (begin)"]);
    desk.locked = get("0.75");
    assert!(desk.rounds().is_empty(), "more of it is held, and none is gone");
}

#[test]
fn a_balance_that_is_told_between_two_reports_keeps_them_from_being_compared() {
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    assert!(desk.round().is_empty());
    let (account, asset, as_of) = (account(), get("USDT"), desk.now());
    desk.hear(BalanceChanged { account, asset, free: get("1005"), locked: get("0"), as_of });
    assert!(desk.round().is_empty());
    assert_eq!(desk.round().len(), 1);
}

#[test]
fn a_report_that_comes_again_is_no_second_one() {
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    let report = desk.report();
    assert!(desk.hear(report.clone()).is_empty());
    assert!(desk.hear(report).is_empty());
}

#[test]
fn a_difference_is_since_the_first_report_of_it() {
    let mut desk = Desk::begun();
    desk.changes("USDT", "5");
    let first = desk.report().as_of + Duration::from_secs(5);
    assert_eq!(desk.rounds().len(), 1);
    assert_eq!(desk.differs_since(), Some(first));
    desk.changes("BTC", "1");
    assert_eq!(desk.rounds().len(), 1);
    assert_eq!(desk.differs_since(), Some(first));
}

#[test]
fn a_thousand_ends_are_remembered_until_their_orders_are_heard_of() {
    let (account, instrument, order) = (account(), instrument("BTCUSDT"), get("o"));
    let (ending, filled, at) =
        (domain::Ending::Canceled, domain::Filled::default(), get("2026-03-01T00:00:00Z"));
    for (ends, remembered) in [(1_000, true), (1_001, false)] {
        let mut desk = Desk::begun();
        // The oldest goes first, whatever its number.
        for number in (1..=ends).rev() {
            let venue_order = get(&number.to_string());
            let end = OrderEnded { account, instrument, order, venue_order, ending, filled, at };
            desk.hear(end);
            desk.hear(end);
        }
        desk.hear(OrderAccepted { account, instrument, order, venue_order: get(&ends.to_string()), at });
        assert_eq!(desk.rounds().is_empty(), remembered, "{ends}");
    }
}

#[test]
fn a_listed_instrument_counts_by_its_rules_whatever_its_symbol() {
    let mut desk = Desk::begun();
    desk.lists_as("ODDUSDT", "BTC", "BNB");
    let fill = desk.trades(Side::Sell, "0.5", ["BTC", "BNB"], "3", fee("0.001", "BNB"));
    desk.hear(OrderFilled { instrument: instrument("ODDUSDT"), ..fill });
    assert!(desk.rounds().is_empty());
}

#[test]
fn an_unlisted_symbol_is_split_where_both_assets_are_known_or_else_at_the_longest_one() {
    // The account has nothing of the quote asset at the venue any more, and our books know it.
    let mut desk = Desk::begun();
    let entry = desk.ledger("EUR", "30", LedgerReason::Deposit);
    desk.hear(entry);
    assert!(desk.rounds().is_empty());
    let fill = desk.trades(Side::Buy, "3", ["DOGE", "EUR"], "30", fee("0.003", "DOGE"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
    // "BTC" and "TUSD", for "BTCT" is no asset that anybody knows.
    for (asset, amount) in [("TUSD", "50"), ("USD", "1")] {
        let entry = desk.ledger(asset, amount, LedgerReason::Deposit);
        desk.hear(entry);
    }
    assert!(desk.rounds().is_empty());
    let fill = desk.trades(Side::Sell, "1", ["BTC", "TUSD"], "50", fee("0.001", "TUSD"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
    // "AT" and "USD": both are known, though "TUSD" is longer.
    let entry = desk.ledger("AT", "2", LedgerReason::Deposit);
    desk.hear(entry);
    let fill = desk.trades(Side::Sell, "1", ["AT", "USD"], "3", fee("0.001", "USD"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
}

#[test]
fn a_symbol_that_is_only_an_asset_is_of_nothing() {
    let mut desk = Desk::begun();
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    desk.hear(OrderFilled { instrument: instrument("USDT"), ..fill });
    desk.hear(OrderFilled { instrument: instrument("ABCDEF"), venue_trade: get("9"), ..fill });
    assert_eq!(desk.rounds().len(), 1, "nobody knows of what they are");
}

#[test]
fn an_unlisted_symbol_is_split_at_an_asset_that_is_listed_or_that_the_venue_has() {
    let mut desk = Desk::begun();
    desk.lists("XRP", "EUR");
    let fill = desk.trades(Side::Buy, "3", ["DOGE", "EUR"], "30", fee("0.003", "DOGE"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty(), "nobody holds any of the euros yet, and XRPEUR is listed");
    let mut desk = Desk::begun();
    desk.lists("XRP", "EUR");
    let fill = desk.trades(Side::Sell, "3", ["XRP", "BTC"], "30", fee("0.003", "BTC"));
    desk.hear(fill);
    assert!(desk.rounds().is_empty());
    let mut desk = Desk::begun();
    desk.changes("EUR", "40");
    let fill = desk.trades(Side::Buy, "3", ["DOGE", "EUR"], "30", fee("0.003", "DOGE"));
    desk.hear(fill);
    assert_eq!(desk.rounds(), ["disagree: EUR 10 for -30, Deposit"]);
}

#[test]
fn what_happened_a_moment_before_the_first_report_is_in_it() {
    let mut desk = Desk::new(Reaction::Report);
    let fill = desk.trades(Side::Buy, "1", ["BTC", "USDT"], "100", fee("0.1", "USDT"));
    let at = desk.now() + Duration::from_secs(4);
    assert_eq!(desk.rounds(), ["agree: 3 assets, 0 orders (begin)"]);
    desk.hear(OrderFilled { at, ..fill });
    assert!(desk.rounds().is_empty());
}
