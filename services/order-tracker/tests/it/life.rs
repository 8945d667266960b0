//! Lives of orders, usual and unusual.

use crate::script::{check, hear};

#[test]
fn an_order_is_done_when_its_end_and_all_its_fills_are_heard() {
    check(
        "submit a
         attempt a 1
         accept a #7
         fill a #7 t1 0.4 @ 100 fee 0.01 BNB
         fill a #7 t2 0.6 @ 110 fee 0.02 BNB
         end a #7 filled 1",
        "done entry a filled 1.0 for 106.0 fee 0.03 BNB",
    );
}

#[test]
fn the_end_waits_for_the_last_fill() {
    check(
        "submit a
         end a #7 filled 1
         fill a #7 t2 0.6 @ 100
         accept a #7
         fill a #7 t1 0.4 @ 100",
        "done entry a filled 1.0 for 100.0",
    );
}

#[test]
fn an_ioc_that_expires_keeps_what_it_has_bought() {
    check(
        "submit a
         fill a #7 t1 0.25 @ 100
         end a #7 expired 0.25",
        "done entry a expired 0.25 for 25.00",
    );
}

#[test]
fn a_fill_heard_twice_counts_once() {
    check(
        "submit a
         fill a #7 t1 0.5 @ 100
         fill a #7 t1 0.5 @ 100
         end a #7 filled 1
         fill a #7 t2 0.5 @ 100",
        "done entry a filled 1.0 for 100.0",
    );
}

#[test]
fn what_comes_late_says_nothing_more() {
    check(
        "submit a
         fill a #7 t1 1 @ 100
         end a #7 filled 1
         attempt a 1
         accept a #7
         fill a #7 t1 1 @ 100
         end a #7 filled 1
         cancel a
         reject a
         absent a
         time 600",
        "done entry a filled 1 for 100",
    );
}

#[test]
fn a_rejected_refused_or_absent_order_is_done_at_once() {
    check(
        "submit a
         reject a
         submit b
         refuse b
         manual c
         absent c
         reject a
         time 600",
        "done entry a rejected 0 for 0 (-2010 no money)
         done entry b refused 0 for 0 (halted)
         done manual c absent 0 for 0",
    );
}

#[test]
fn a_fill_of_an_order_declared_absent_still_counts() {
    check(
        "submit a
         absent a
         fill a #7 t1 0.5 @ 100
         absent a
         end a #7 canceled 0.5
         fill a #7 t1 0.5 @ 100
         end a #7 canceled 0.5",
        "done entry a absent 0 for 0
         done entry a canceled 0.5 for 50.0",
    );
}

#[test]
fn an_oco_is_two_orders_and_its_list_stands_for_both() {
    let (core, said) = hear(
        "list l up down
         attempt l 1
         unknown l 1",
    );
    assert_eq!(said, [""; 0]);
    let sent: Vec<_> =
        core.state.open().map(|(_, _, order)| format!("{} {:?}", order.id, order.state)).collect();
    assert_eq!(
        sent,
        [
            "down Submitted { sent: Some(Attempt { number: 1, unanswered: true }) }",
            "up Submitted { sent: Some(Attempt { number: 1, unanswered: true }) }",
        ]
    );
    check(
        "list l up down
         accept up #1
         accept down #2
         fill down #2 t1 1 @ 90
         end down #2 filled 1
         end up #1 expired 0
         list k over under
         reject k",
        "done stop down filled 1 for 90
         done take_profit up expired 0 for 0
         done take_profit over rejected 0 for 0 (-2010 no money)
         done stop under rejected 0 for 0 (-2010 no money)",
    );
}

#[test]
fn foreign_orders_are_followed_too() {
    check(
        "accept web #7
         fill web #7 t1 1 @ 100
         end web #7 filled 1
         time 1000
         accept resting #8
         time 100000
         end gone #9 canceled 0
         reject bad
         absent never-heard-of
         cancel never-heard-of",
        "done foreign web filled 1 for 100
         done foreign gone canceled 0 for 0
         done foreign bad rejected 0 for 0 (-2010 no money)",
    );
}

#[test]
fn a_foreign_order_may_use_a_client_id_again() {
    check(
        "fill mine #1 t1 1 @ 100
         end mine #1 filled 1
         accept mine #2
         fill mine #2 t2 2 @ 100
         end mine #1 filled 1
         end mine #2 filled 2",
        "done foreign mine filled 1 for 100
         done foreign mine filled 2 for 200",
    );
}

#[test]
fn waiting_too_long_is_said_once_for_each_reason() {
    check(
        "at 10
         submit a
         time 60
         time 70
         time 130
         accept a #7
         cancel a
         cancel a
         time 189
         time 190
         time 400
         end a #7 canceled 1
         time 401
         time 470
         fill a #7 t1 1 @ 100
         time 999",
        "wake 70
         stuck a Acceptance since 10
         wake 190
         stuck a Cancel since 130
         wake 460
         stuck a Fills since 400
         done entry a canceled 1 for 100",
    );
}

#[test]
fn a_cancel_that_we_withdraw_is_not_waited_for_and_one_that_the_venue_refuses_is() {
    check(
        "at 10
         submit a
         accept a #7
         submit b
         accept b #8
         at 20
         cancel a
         cancel b
         at 25
         keep a
         keep b -2011
         at 70
         cancel a
         time 80
         time 129
         time 130",
        "stuck b Cancel since 20
         wake 130
         stuck a Cancel since 70",
    );
}

#[test]
fn a_cancel_that_is_asked_for_again_is_waited_for_and_alarmed_about_anew() {
    check(
        "submit a
         accept a #7
         cancel a
         time 60
         keep a
         at 100
         cancel a
         time 160
         time 999",
        "stuck a Cancel since 0
         stuck a Cancel since 100",
    );
}

#[test]
fn an_end_whose_fills_are_missing_is_waited_for_since_it_was_heard_and_no_cancel_of_it() {
    check(
        "submit a
         accept a #7
         at 40
         cancel a
         at 50
         end a #7 canceled 1
         at 55
         fill a #7 t1 0.5 @ 100
         end a #7 canceled 1
         time 60
         time 109
         time 110
         time 999",
        "wake 110
         stuck a Fills since 50",
    );
}

#[test]
fn a_second_end_counts_only_if_it_knows_of_more_fills() {
    check(
        "submit a
         end a #7 canceled 0.5
         end a #7 canceled 1
         fill a #7 t1 0.5 @ 100
         end a #7 canceled 0.5
         fill a #7 t2 0.5 @ 100",
        "done entry a canceled 1.0 for 100.0",
    );
}

#[test]
fn what_is_submitted_twice_stays_as_it_is_known() {
    check(
        "submit a
         fill a #7 t1 0.5 @ 100
         submit a
         end a #7 canceled 0.5
         submit a
         time 999",
        "done entry a canceled 0.5 for 50.0",
    );
}

#[test]
fn orders_that_are_answered_within_the_minute_ask_for_no_wake() {
    check(
        "at 10
         submit a
         accept a #7
         at 20
         submit b
         reject b
         time 60
         at 70
         cancel a
         end a #7 canceled 0
         time 120",
        "done entry b rejected 0 for 0 (-2010 no money)
         done entry a canceled 0 for 0",
    );
}

#[test]
fn at_most_one_wake_is_asked_for_at_a_time() {
    check(
        "at 50
         submit a
         at 55
         submit b
         time 60
         time 61
         time 110
         time 115",
        "wake 110
         stuck a Acceptance since 50
         wake 115
         stuck b Acceptance since 55",
    );
}

#[test]
fn figures_beyond_all_money_do_not_stop_it() {
    let most = domain::Quantity::MOST;
    let all = most + most;
    let script =
        format!("submit a\n fill a #7 t1 {most} @ 1\n fill a #7 t2 {most} @ 1\n end a #7 filled {all}");
    check(&script, &format!("done entry a filled {all} for {all}"));
}

#[test]
fn an_order_that_was_amended_ends_under_our_own_id_whatever_the_venue_calls_it() {
    check(
        "submit a
         accept a #7
         amend a web_1 #7 0.5
         amend web_1 web_2 #7 0.3
         fill web_2 #7 t1 0.1 @ 100
         end web_2 #7 canceled 0.1",
        "done entry a canceled 0.1 for 10.0",
    );
}

#[test]
fn an_amendment_may_be_heard_before_the_acceptance_and_twice() {
    check(
        "submit a
         amend a web_1 #7 0.5
         amend a web_1 #7 0.5
         accept a #7
         end web_1 #7 canceled 0",
        "done entry a canceled 0 for 0",
    );
    check(
        "submit a
         accept a #7
         fill web_1 #7 t1 0.5 @ 100
         amend a web_1 #7 0.5
         end web_1 #7 filled 0.5",
        "done entry a filled 0.5 for 50.0",
    );
}

#[test]
fn what_is_told_of_an_amended_order_after_its_end_opens_nothing() {
    check(
        "submit a
         accept a #7
         amend a web_1 #7 0.5
         end web_1 #7 canceled 0
         accept web_1 #7
         amend a web_1 #7 0.5
         end a #7 canceled 0",
        "done entry a canceled 0 for 0",
    );
}

#[test]
fn an_order_of_somebody_else_under_our_id_is_foreign_amended_or_not() {
    check(
        "submit a
         accept a #7
         end a #7 canceled 0
         accept a #8
         amend a a #8 0.5
         fill a #8 t1 0.5 @ 100
         end a #8 filled 0.5",
        "done entry a canceled 0 for 0
         done foreign a filled 0.5 for 50.0",
    );
}
