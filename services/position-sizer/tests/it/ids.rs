//! An id is asked for once: a request under a used one is told what became of the first.

use crate::script::{World, check, config};
use domain::Decimal;
use events::{Event, TradeEvent};

#[test]
fn the_same_request_again_is_told_what_became_of_the_first_and_sets_nothing_aside() {
    check(
        config(),
        "balance USDT 1000
         ask BTC @ 10 called X
         ask BTC @ 10 called X
         cash
         submit X
         fill X 10 @ 10
         done X
         open X 10 for 100
         ask BTC @ 10.00 called X
         close X
         ask BTC @ 10 called X
         cash",
        &[
            "X 10 @ 10 reserves 100",
            "X again: granted",
            "cash 900",
            "X again: open",
            "X again: closed",
            "cash 900",
        ],
    );
}

#[test]
fn another_request_under_the_id_of_an_open_or_ended_trade_is_refused_and_sets_nothing_aside() {
    for other in [
        "ask ETH @ 10 called X",
        "ask BTC @ 11 called X",
        "ask BTC @ 10 stop 9 called X",
        "ask BTC @ 10 target 12 called X",
        "ask BTC @ 10 until 1000 called X",
        "ask BTC @ 10 by edge60 called X",
        "ask BTC @ 10 on paper:other called X",
        "ask BTC @ 10 direction short called X",
    ] {
        check(
            config(),
            &format!("balance USDT 1000 \n ask BTC @ 10 called X \n {other} \n abort X \n {other} \n cash"),
            &[
                "X 10 @ 10 reserves 100",
                "X again: granted, but for other figures",
                "X again: aborted, but for other figures",
                "cash 1000",
            ],
        );
    }
}

#[test]
fn a_refused_request_stays_refused_whatever_has_changed_since() {
    check(
        config(),
        "balance USDT 50 \n ask BTC @ 10 called X \n balance USDT 1000 \n ask BTC @ 10 called X \n ask BTC @ 10",
        &["X refused cash 50 of 100", "X again: refused", "T3 10 @ 10 reserves 100"],
    );
}

#[test]
fn who_asks_again_and_when_makes_no_other_request() {
    check(
        config(),
        "balance USDT 1000 \n ask BTC @ 10 called X \n ask BTC @ 10 aged 7 called X",
        &["X 10 @ 10 reserves 100", "X again: granted"],
    );
}

#[test]
fn an_ended_trades_id_stays_known_after_a_restart_and_after_years() {
    let mut world = World::new(config());
    world.play("balance USDT 1000 \n ask BTC @ 10 called X \n abort X");
    let kept = serde_json::to_string(&world.sizer.state).unwrap();
    world.sizer.state = serde_json::from_str(&kept).unwrap();
    world.sleep(5 * 365 * 86_400);
    world.play("ask BTC @ 10 called X \n ask BTC @ 12 called X");
    assert_eq!(
        world.log,
        ["X 10 @ 10 reserves 100", "X again: aborted", "X again: aborted, but for other figures"]
    );
    assert_eq!(world.sizer.state.reserved().map(|(_, sum)| sum).sum::<Decimal>(), Decimal::ZERO);
    let Some(Event::Trade(TradeEvent::RequestRepeated(e))) = world.said.last() else { panic!() };
    assert_eq!(
        e.text,
        "X was asked for before with other figures, and was granted and not entered: ask under another id"
    );
}

service::mirrored!("ids.rs":
    the_same_request_again_is_told_what_became_of_the_first_and_sets_nothing_aside
    another_request_under_the_id_of_an_open_or_ended_trade_is_refused_and_sets_nothing_aside
    a_refused_request_stays_refused_whatever_has_changed_since
    who_asks_again_and_when_makes_no_other_request
    an_ended_trades_id_stays_known_after_a_restart_and_after_years;
);
