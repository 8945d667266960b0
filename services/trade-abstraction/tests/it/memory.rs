//! What the planner remembers and for how long, and what concerns a trade at all.

use crate::desk::{Desk, account, btc, d, stop_limit, trade};
use domain::Ending::{Canceled, Expired, Filled, Refused, Rejected};
use domain::{Leg, PositionSide};
use events::{
    BalanceChanged, CloseRequested, Event, OrderEvent, PositionKey, PositionReduced, Rejection, RequestedBy,
    Uuid, ids,
};

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
fn a_trade_that_was_not_entered_is_remembered_as_long_for_fills_that_come_late() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    assert_eq!(desk.done("entry1", Expired), "aborted EntryUnfilled");
    desk.pass(7 * 86_400 - 1);
    assert!(desk.state()["trades"].get(trade().as_str()).is_some());
    desk.pass(1);
    assert!(desk.state()["trades"].get(trade().as_str()).is_none());
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
        signal_at: None,
    };
    let mut desk = Desk::open(stop_limit());
    let other = "binance:spot:ETHUSDT".parse().unwrap();
    assert_eq!(desk.hear(CloseRequested { account: "binance:other".parse().unwrap(), ..asked.clone() }), "");
    assert_eq!(desk.hear(CloseRequested { instrument: other, ..asked.clone() }), "");
    assert_eq!(desk.hear(CloseRequested { edge: "edge60".parse().unwrap(), ..asked.clone() }), "");
    assert_eq!(desk.hear(asked), "exiting Requested / cancel stop1");
}

#[test]
fn a_close_that_is_recorded_late_withdraws_no_later_signal() {
    let close = |signal_at| CloseRequested {
        account: account(),
        instrument: btc(),
        edge: "edge70".parse().unwrap(),
        direction: None,
        by: RequestedBy::Edge,
        signal_at: Some(signal_at),
        why: None,
    };
    let mut desk = Desk::new(stop_limit());
    let (first, second) = (desk.now, desk.now + std::time::Duration::from_secs(60));
    desk.now = desk.now + std::time::Duration::from_secs(3_600);
    desk.hear(close(first));
    assert_eq!(desk.size_for(second), "submit entry1 buy 2 LIMIT limit 100");
    let mut desk = Desk::new(stop_limit());
    desk.hear(close(second));
    assert_eq!(desk.size_for(first), "aborted Withdrawn");
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
    assert_eq!(desk.last_aborted(), "the entry was not filled at 100 or below");
    let mut desk = entering();
    assert_eq!(desk.done("entry1", Refused), "aborted EntryRefused");
    let mut desk = entering();
    assert_eq!(desk.refuse("entry1", "LOT_SIZE"), "aborted EntryRejected");
    assert_eq!(desk.last_aborted(), "-1013 Filter failure: LOT_SIZE");
    let mut desk = entering();
    desk.close();
    assert_eq!(desk.done("entry1", Expired), "aborted Withdrawn");
    let mut desk = Desk::new(stop_limit());
    assert_eq!(desk.size_without_a_plan(), "aborted EntryRefused");
    assert_eq!(desk.last_aborted(), "edge70 has no exit in this configuration");
}

#[test]
fn a_position_concerns_its_account_instrument_edge_and_direction_only() {
    let mut desk = Desk::open(stop_limit());
    desk.is_counted();
    let (owner, side) = ("edge70".parse().unwrap(), PositionSide::Net);
    let key = PositionKey { account: account(), instrument: btc(), side, owner };
    let keys = [
        PositionKey { account: "binance:other".parse().unwrap(), ..key },
        PositionKey { instrument: "binance:spot:ETHUSDT".parse().unwrap(), ..key },
        PositionKey { owner: "edge60".parse().unwrap(), ..key },
    ];
    let others = keys.into_iter().map(|key| (key, domain::Direction::Long));
    for (position, direction) in others.chain([(key, domain::Direction::Short)]) {
        let said = desk.hear(PositionReduced {
            position,
            direction,
            fill: "999".parse().unwrap(),
            by: d("1.5"),
            price: "90".parse().unwrap(),
            quantity: d("0.5"),
            average: d("100"),
            profit: d("-15"),
        });
        assert_eq!(said, "");
    }
    desk.fill("stop1", "2", "85", None);
    assert_eq!(desk.done("stop1", Filled), "closed StopHit profit -30 left 0");
}

#[test]
fn coins_that_are_missing_are_judged_by_the_last_balance_of_their_own_account_and_asset() {
    let mut desk = Desk::open(stop_limit());
    desk.balance("0", "2");
    desk.done("stop1", Canceled);
    desk.done_as("stop2", Rejected, Some(Rejection::InsufficientBalance));
    let told = |desk: &mut Desk, account: &str, asset: &str, earlier: u64| {
        desk.hear(BalanceChanged {
            account: account.parse().unwrap(),
            asset: asset.parse().unwrap(),
            free: d("2"),
            locked: d("0"),
            as_of: desk.now - std::time::Duration::from_secs(earlier),
        })
    };
    assert_eq!(told(&mut desk, "binance:other", "BTC", 0), "");
    assert_eq!(told(&mut desk, "binance:paper", "ETH", 0), "");
    assert_eq!(told(&mut desk, "binance:paper", "BTC", 1), "", "older than the one that was told");
    // Of two at one instant the later told counts.
    let again = told(&mut desk, "binance:paper", "BTC", 0);
    assert_eq!(again, "submit stop3 sell 2 STOP_LOSS_LIMIT stop 85 limit 68");
}

#[test]
fn stops_that_others_cancel_are_failures_and_those_that_are_moved_are_not() {
    let mut desk = Desk::open(stop_limit());
    for n in 1..=2 {
        assert!(desk.done(&format!("stop{n}"), Canceled).contains(&format!("submit stop{}", n + 1)));
        desk.accept(&format!("stop{}", n + 1));
    }
    assert!(desk.done("stop3", Canceled).starts_with("exiting Unprotectable"));
    let mut desk = Desk::open(stop_limit());
    for n in 1..=4 {
        assert_eq!(desk.move_stop(&(85 + n).to_string()), format!("cancel stop{n}"));
        assert!(desk.done(&format!("stop{n}"), Canceled).contains(&format!("submit stop{}", n + 1)));
        desk.accept(&format!("stop{}", n + 1));
    }
}

/// What is said of the third exit in a row that the venue's filters refuse.
fn refused_thrice(quantity: &str) -> String {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    desk.fill("entry1", quantity, "100", None);
    desk.done("entry1", Expired);
    desk.accept("stop1");
    desk.close();
    desk.done("stop1", Canceled);
    for (n, wait) in [(1, 60), (2, 120)] {
        let said = desk.refuse(&format!("exit{n}"), "PRICE_FILTER");
        assert!(said.starts_with(&format!("wake in {wait}s")), "{said}");
        desk.accept(&format!("stop{}", n + 1));
        desk.pass(wait);
        desk.done(&format!("stop{}", n + 1), Canceled);
    }
    desk.refuse("exit3", "PRICE_FILTER")
}

#[test]
fn exits_that_fail_wait_twice_as_long_and_what_is_worth_little_is_dust_in_the_end() {
    let said = refused_thrice("0.1");
    assert!(said.starts_with("wake in 240s"), "{said}");
    // Below twice the least notional.
    let said = refused_thrice("0.099");
    assert!(said.ends_with("left 0.099"), "{said}");
}

#[test]
fn the_ids_of_orders_follow_from_the_tape_on_which_they_are() {
    let mut desk = Desk::new(stop_limit());
    desk.size();
    let Some(Event::Order(OrderEvent::Submitted(submitted))) = desk.said.last() else { panic!() };
    let tape = desk.state()["tape"].as_str().unwrap().parse().unwrap();
    assert_eq!(tape, Uuid::from_u128(1), "the one that was opened");
    assert_eq!(submitted.request.id(), ids::leg_id(tape, &account(), &trade(), Leg::Entry, 1));
}
