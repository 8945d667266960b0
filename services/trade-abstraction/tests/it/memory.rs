//! What the planner remembers and for how long, and what concerns a trade at all.

use crate::desk::{Desk, account, btc, stop_limit, trade};
use domain::Ending::{Canceled, Expired, Filled, Refused, Rejected};
use events::{CloseRequested, Rejection, RequestedBy};

#[test]
fn an_ended_trade_and_its_orders_are_forgotten_after_a_week_and_wakes_once_they_have_come() {
    let mut desk = Desk::open(stop_limit());
    desk.close();
    desk.done("stop1", Canceled);
    desk.done_as("exit1", Rejected, Some(Rejection::RateLimited));
    assert_eq!(desk.state()["asked"].as_array().unwrap().len(), 1);
    desk.pass(60);
    assert_eq!(desk.state()["asked"].as_array().unwrap().len(), 0, "it has come");
    desk.fill("stop2", "2", "85", None);
    assert!(desk.done("stop2", Filled).starts_with("closed"));
    desk.pass(7 * 86_400 - 1);
    assert!(desk.state()["trades"].get(trade().as_str()).is_some());
    desk.pass(1);
    for memory in ["trades", "orders", "ended", "wakes"] {
        let state = desk.state();
        let held =
            state[memory].as_array().map_or_else(|| state[memory].as_object().unwrap().len(), Vec::len);
        assert_eq!(held, 0, "{memory}");
    }
}

#[test]
fn a_close_concerns_its_account_instrument_and_edge_only() {
    let asked = CloseRequested {
        account: account(),
        instrument: btc(),
        edge: "edge70".parse().unwrap(),
        direction: None,
        by: RequestedBy::Edge,
        why: None,
    };
    let mut desk = Desk::open(stop_limit());
    let other = "binance:spot:ETHUSDT".parse().unwrap();
    assert_eq!(desk.hear(CloseRequested { account: "binance:other".parse().unwrap(), ..asked.clone() }), "");
    assert_eq!(desk.hear(CloseRequested { instrument: other, ..asked.clone() }), "");
    assert_eq!(desk.hear(CloseRequested { edge: "edge60".parse().unwrap(), ..asked.clone() }), "");
    assert_eq!(desk.hear(asked), "exiting Requested / cancel stop1");
}

#[test]
fn a_signal_of_the_instant_of_a_close_is_entered_and_an_older_one_is_not() {
    let mut desk = Desk::new(stop_limit());
    desk.close();
    assert_eq!(desk.size_for(desk.now), "submit entry1 buy 2 LIMIT limit 100");
    let mut desk = Desk::new(stop_limit());
    let before = desk.now;
    desk.now = desk.now + std::time::Duration::from_micros(1);
    desk.close();
    assert_eq!(desk.size_for(before), "aborted Withdrawn");
    assert_eq!(desk.last_aborted(), "closed before anything was entered");
}

#[test]
fn why_nothing_was_entered_is_told() {
    let entering = || {
        let mut desk = Desk::new(stop_limit());
        desk.size();
        desk
    };
    let mut desk = entering();
    assert_eq!(desk.done("entry1", Expired), "aborted EntryUnfilled");
    assert_eq!(desk.last_aborted(), "nothing was offered at 100 or below");
    let mut desk = entering();
    assert_eq!(desk.done("entry1", Refused), "aborted EntryRefused");
    let mut desk = entering();
    desk.close();
    assert_eq!(desk.done("entry1", Expired), "aborted Withdrawn");
    let mut desk = Desk::new(stop_limit());
    assert_eq!(desk.size_without_a_plan(), "aborted EntryRefused");
    assert_eq!(desk.last_aborted(), "edge70 has no exit in this configuration");
}
