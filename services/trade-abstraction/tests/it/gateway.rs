use crate::desk::{account, btc, trade};
use domain::{
    ClientOrderId, NewOrder, OrderKind, OrderRequest, Origin, PositionSide, Side, Size, TimeInForce,
    Timestamp,
};
use events::*;
use service::{Service, Solo};
use std::{collections::BTreeSet, time::Duration};
use trade_abstraction::gateway::{Answer, Config, Effect, Gateway};

struct Desk {
    solo: Solo<Gateway>,
    now: Timestamp,
}

pub fn order(reduce_only: bool) -> NewOrder {
    let leg = if reduce_only { domain::Leg::Stop } else { domain::Leg::Entry };
    NewOrder {
        id: ClientOrderId::new(leg.as_str()).unwrap(),
        side: if reduce_only { Side::Sell } else { Side::Buy },
        kind: OrderKind::Limit { price: "100".parse().unwrap(), time_in_force: TimeInForce::Ioc },
        size: Size::Base("2".parse().unwrap()),
        origin: Origin::Trade { trade: trade(), leg, attempt: 1 },
        reduce_only,
        position_side: PositionSide::Net,
    }
}

pub fn config() -> Config {
    Config {
        recv_window_ms: 5_000,
        clock_margin: Duration::from_secs(1),
        entry_deadline: Duration::from_secs(60),
        venue: None,
        on_paper: BTreeSet::new(),
    }
}

impl Desk {
    fn new() -> Self {
        Self { solo: Solo::new(config()), now: "2024-01-15".parse().unwrap() }
    }

    fn submit(&mut self, reduce_only: bool) -> Vec<Event> {
        let request = Box::new(OrderRequest::Single(order(reduce_only)));
        self.solo.hear(self.now, OrderSubmitted { account: account(), instrument: btc(), request })
    }

    /// Hears own sayings, as a sink does: where they stand on the tape.
    fn own(&mut self, said: &[Event]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in said {
            self.solo.service.apply(&mut self.solo.state, self.now, event);
            assert_eq!(self.solo.service.decide(&self.solo.state, self.now, event), []);
            effects.extend(self.solo.service.effect(&self.solo.state, event, true));
        }
        effects
    }

    fn answer(&mut self, answer: &Answer) -> Vec<Event> {
        self.solo.service.answered(&self.solo.state, self.now, answer)
    }
}

fn id() -> ClientOrderId {
    ClientOrderId::new("entry").unwrap()
}

#[test]
fn nothing_is_sent_before_the_attempt_is_on_the_tape() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    let [Event::Order(OrderEvent::Attempted(attempted))] = &said[..] else { panic!("{said:?}") };
    assert_eq!((attempted.attempt, attempted.timestamp), (1, desk.now));
    let submitted = desk.solo.state.open[&id()].submitted.clone();
    assert_eq!(desk.solo.service.effect(&desk.solo.state, &submitted.into(), true), None);
    let effects = desk.own(&said);
    assert!(matches!(&effects[..], [Effect::Send { attempt, .. }] if attempt.timestamp == desk.now));
}

#[test]
fn an_attempt_found_open_on_recovery_is_looked_up_and_never_sent_again() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.own(&said);
    let pending = desk.solo.service.pending(&desk.solo.state);
    let not_before = desk.now + Duration::from_secs(6);
    assert_eq!(
        pending,
        [Effect::LookUp { account: account(), instrument: btc(), orders: vec![id()], not_before }]
    );
}

#[test]
fn no_answer_is_unknown_and_absence_is_believed_only_after_the_window() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.own(&said);
    let unknown = desk.answer(&Answer::Unknown { request: id(), attempt: 1, text: "timeout".to_owned() });
    assert!(matches!(&unknown[..], [Event::Order(OrderEvent::Unknown(_))]));
    assert!(matches!(&desk.own(&unknown)[..], [Effect::LookUp { .. }]));
    let early = desk.now + Duration::from_secs(5);
    assert_eq!(desk.answer(&Answer::NotFound { order: id(), venue_time: early }), []);
    let late = desk.now + Duration::from_secs(6);
    let absent = desk.answer(&Answer::NotFound { order: id(), venue_time: late });
    assert!(matches!(&absent[..], [Event::Order(OrderEvent::Absent(_))]));
    desk.own(&absent);
    assert!(desk.solo.state.open.is_empty());
}

#[test]
fn what_was_certainly_not_executed_is_a_new_attempt_with_a_new_timestamp() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.own(&said);
    desk.now = desk.now + Duration::from_secs(30);
    let again = desk.answer(&Answer::TryAgain { request: id(), attempt: 1, venue_time: None });
    let [Event::Order(OrderEvent::Attempted(attempted))] = &again[..] else { panic!("{again:?}") };
    assert_eq!((attempted.attempt, attempted.timestamp), (2, desk.now));
    assert!(matches!(&desk.own(&again)[..], [Effect::Send { .. }]));
    assert_eq!(
        desk.answer(&Answer::TryAgain { request: id(), attempt: 1, venue_time: None }),
        [],
        "told twice"
    );
}

#[test]
fn an_attempt_that_another_incarnation_committed_is_looked_up_and_never_sent() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.solo.service.apply(&mut desk.solo.state, desk.now, &said[0]);
    let effect = desk.solo.service.effect(&desk.solo.state, &said[0], false);
    assert!(matches!(effect, Some(Effect::LookUp { .. })), "{effect:?}");
}

#[test]
fn a_fill_that_comes_before_the_acceptance_settles_the_request_too() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.own(&said);
    desk.solo.hear(
        desk.now,
        OrderFilled {
            account: account(),
            instrument: btc(),
            order: id(),
            venue_order: "1".parse().unwrap(),
            venue_trade: "1".parse().unwrap(),
            side: Side::Buy,
            price: "100".parse().unwrap(),
            quantity: "1".parse().unwrap(),
            quote: "100".parse().unwrap(),
            fee: None,
            maker: false,
            at: desk.now,
        },
    );
    assert!(desk.solo.state.open.is_empty());
    assert_eq!(desk.answer(&Answer::NotFound { order: id(), venue_time: Timestamp::MAX }), []);
}

#[test]
fn a_halt_stops_entries_and_lets_exits_through() {
    let mut desk = Desk::new();
    let halt = TradingStateChanged {
        account: None,
        state: TradingState::Halted,
        who: "me".to_owned(),
        why: "storm".to_owned(),
        until: Some(desk.now + Duration::from_secs(60)),
    };
    desk.solo.hear(desk.now, halt);
    let refused = desk.submit(false);
    assert!(matches!(&refused[..], [Event::Order(OrderEvent::Refused(e))] if e.text.contains("halted")));
    assert_eq!(desk.own(&refused), []);
    assert!(desk.solo.state.open.is_empty());
    assert!(matches!(&desk.submit(true)[..], [Event::Order(OrderEvent::Attempted(_))]));
    desk.now = desk.now + Duration::from_secs(60);
    assert!(matches!(&desk.submit(false)[..], [Event::Order(OrderEvent::Attempted(_))]));
}

impl Desk {
    fn hear(&mut self, event: impl Into<Event>) -> Vec<Event> {
        let said = self.solo.hear(self.now, event);
        self.own(&said);
        said
    }

    fn stop_works(&mut self) {
        let said = self.submit(true);
        self.own(&said);
        let (account, instrument, at) = (account(), btc(), self.now);
        let (order, venue_order) = (stop(), "7".parse().unwrap());
        self.hear(OrderAccepted { account, instrument, order, venue_order, at });
    }

    fn cancel(&mut self) -> Vec<Effect> {
        let request = CancelRequested { account: account(), instrument: btc(), order: stop(), request: 1 };
        let said = self.solo.hear(self.now, request);
        self.own(&said)
    }
}

fn stop() -> ClientOrderId {
    ClientOrderId::new("stop").unwrap()
}

fn ended(order: &str, number: &str, at: Timestamp) -> OrderEnded {
    OrderEnded {
        account: account(),
        instrument: btc(),
        order: order.parse().unwrap(),
        venue_order: number.parse().unwrap(),
        ending: domain::Ending::Canceled,
        filled: domain::Filled::default(),
        at,
    }
}

#[test]
fn an_order_is_canceled_by_the_venues_number_and_its_end_recognised_under_any_name() {
    let mut desk = Desk::new();
    desk.stop_works();
    desk.hear(OrderAmended {
        account: account(),
        instrument: btc(),
        order: stop(),
        renamed: "web_1".parse().unwrap(),
        venue_order: "7".parse().unwrap(),
        execution: 1,
        quantity: "1".parse().unwrap(),
        at: desk.now,
    });
    let effects = desk.cancel();
    let [Effect::Cancel { order, number, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((order.as_str(), number.unwrap().as_str()), ("stop", "7"));
    desk.hear(ended("web_1", "7", desk.now));
    assert!(desk.solo.state.cancels.is_empty());
}

#[test]
fn an_amendment_is_the_venues_word_that_it_has_the_order() {
    let mut desk = Desk::new();
    let said = desk.submit(true);
    desk.own(&said);
    desk.hear(OrderAmended {
        account: account(),
        instrument: btc(),
        order: stop(),
        renamed: "web_1".parse().unwrap(),
        venue_order: "7".parse().unwrap(),
        execution: 1,
        quantity: "1".parse().unwrap(),
        at: desk.now,
    });
    assert!(desk.solo.state.open.is_empty(), "nothing is looked up any more");
    assert!(matches!(&desk.cancel()[..], [Effect::Cancel { number: Some(_), .. }]));
}

#[test]
fn an_order_of_somebody_else_under_our_id_is_never_canceled() {
    let mut desk = Desk::new();
    desk.stop_works();
    desk.hear(ended("stop", "7", desk.now));
    let (account, instrument, at) = (account(), btc(), desk.now);
    desk.hear(OrderAccepted { account, instrument, order: stop(), venue_order: "8".parse().unwrap(), at });
    let request = CancelRequested { account, instrument, order: stop(), request: 1 };
    assert_eq!(desk.solo.hear(at, request), []);
    // Nor does its end answer for one of ours that is still to be canceled.
    let mut desk = Desk::new();
    desk.stop_works();
    desk.cancel();
    desk.hear(ended("stop", "8", desk.now));
    assert_eq!(desk.solo.state.cancels.len(), 1);
}

#[test]
fn an_entry_is_tried_anew_until_its_deadline_and_an_exit_for_ever() {
    for (reduce_only, seconds, tried) in [(false, 60, true), (false, 61, false), (true, 3_600, true)] {
        let mut desk = Desk::new();
        let said = desk.submit(reduce_only);
        desk.own(&said);
        desk.now = desk.now + Duration::from_secs(seconds);
        let again = Answer::TryAgain { request: order(reduce_only).id, attempt: 1, venue_time: None };
        match &desk.answer(&again)[..] {
            [Event::Order(OrderEvent::Attempted(_))] => assert!(tried, "{seconds} s"),
            [Event::Order(OrderEvent::Refused(e))] => {
                assert!(!tried, "{seconds} s");
                assert_eq!(e.text, "could not be sent for 61 s; an entry is given up after 60 s");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn absence_is_believed_a_window_after_the_venue_did_not_know() {
    let mut desk = Desk::new();
    let said = desk.submit(false);
    desk.own(&said);
    desk.now = desk.now + Duration::from_secs(30);
    let unknown = desk.answer(&Answer::Unknown { request: id(), attempt: 1, text: "timeout".to_owned() });
    // The window is 5 s, and the clocks are a second apart at most.
    let effects = desk.own(&unknown);
    let [Effect::LookUp { not_before, .. }] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(*not_before, desk.now + Duration::from_secs(6));
    let before = *not_before - Duration::from_micros(1);
    assert_eq!(desk.answer(&Answer::NotFound { order: id(), venue_time: before }), []);
    assert_eq!(desk.answer(&Answer::NotFound { order: id(), venue_time: *not_before }).len(), 1);
}

#[test]
fn a_cancel_is_signed_anew_for_an_answer_to_its_last_attempt_only() {
    let mut desk = Desk::new();
    desk.stop_works();
    desk.cancel();
    let again = |attempt| Answer::CancelAgain { order: stop(), attempt, venue_time: Some(Timestamp::MAX) };
    let said = desk.answer(&again(1));
    let [Event::Order(OrderEvent::CancelAttempted(second))] = &said[..] else { panic!("{said:?}") };
    assert_eq!((second.attempt, second.timestamp), (2, Timestamp::MAX));
    assert!(matches!(&desk.own(&said)[..], [Effect::Cancel { attempt, .. }] if attempt.number == 2));
    assert_eq!(desk.answer(&again(1)), [], "an answer to the first one says nothing of the second");
}

#[test]
fn a_stream_that_opens_has_the_orders_of_its_account_checked() {
    let mut desk = Desk::new();
    desk.stop_works();
    let checks = |account: &str| {
        let (account, at) = (account.parse().unwrap(), desk.now);
        let (replica, stream) = ("a".to_owned(), "user-data".to_owned());
        let opened = StreamOpened { account, replica, stream, at };
        desk.solo.service.checks(&desk.solo.state, &opened.into())
    };
    assert!(matches!(&checks("binance:paper")[..], [Effect::Check { order, .. }] if *order == stop()));
    assert_eq!(checks("binance:other"), []);
}

#[test]
fn what_protects_or_finds_out_is_urgent_and_an_entry_is_not() {
    let mut desk = Desk::new();
    let urgent = |effects: &[Effect]| effects.iter().map(Effect::is_urgent).collect::<Vec<_>>();
    let entry = desk.submit(false);
    assert_eq!(urgent(&desk.own(&entry)), [false]);
    assert_eq!(urgent(&desk.solo.service.pending(&desk.solo.state)), [true], "a lookup");
    let exit = desk.submit(true);
    assert_eq!(urgent(&desk.own(&exit)), [true]);
}

#[test]
fn an_order_outside_its_window_is_sent_anew_and_stays_ours_and_another_refused_one_does_not() {
    for (reason, ours) in [(Rejection::OutsideWindow, true), (Rejection::Filter, false)] {
        let mut desk = Desk::new();
        let said = desk.submit(true);
        desk.own(&said);
        let (account, instrument, at) = (account(), btc(), desk.now);
        let (code, text) = (Some(-1021), String::new());
        desk.hear(OrderRejected { account, instrument, order: stop(), reason, code, text, at });
        let request = CancelRequested { account, instrument, order: stop(), request: 1 };
        assert_eq!(!desk.solo.hear(at, request).is_empty(), ours, "{reason:?}");
    }
}

#[test]
fn what_is_said_of_each_attempt_has_an_id_of_its_own() {
    let tape = Uuid::from_u128(7);
    let (account, instrument, request) = (account(), btc(), id());
    let unknown =
        |attempt| OrderUnknown { account, instrument, request, attempt, text: String::new() }.into();
    let absent = OrderAbsent { account, instrument, order: request }.into();
    let ids: std::collections::BTreeSet<_> = [unknown(1), unknown(2), absent]
        .iter()
        .map(|said| trade_abstraction::gateway::id_of(tape, said))
        .collect();
    assert_eq!(ids.len(), 3);
}
