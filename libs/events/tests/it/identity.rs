//! Which facts have an id, and what it depends on.

use crate::samples::{at, samples};
use domain::UnitName;
use events::*;
use std::collections::BTreeMap;

const TAPE: Uuid = Uuid::from_u128(9);

/// What the world tells; everything else is said by a unit or a person.
const FACTS: &[Kind] = &[
    Kind::TimePassed,
    Kind::CandleClosed,
    Kind::CandleMissing,
    Kind::CandleDiffers,
    Kind::CandleRefused,
    Kind::QuoteSeen,
    Kind::OrderAccepted,
    Kind::OrderRejected,
    Kind::OrderAmended,
    Kind::OrderFilled,
    Kind::OrderEnded,
    Kind::CancelRejected,
    Kind::BalanceChanged,
    Kind::LedgerEntry,
    Kind::StreamOpened,
    Kind::StreamComplete,
    Kind::BooksReported,
    Kind::FrameQuarantined,
];

fn of(event: impl Into<Event>) -> Uuid {
    ids::of_fact(TAPE, &event.into()).expect("a fact")
}

fn draft(event: impl Into<Event>) -> Draft {
    let event = event.into();
    let when = event.at().unwrap_or(at(0));
    Draft::new(Uuid::from_u128(1), UnitName::new("event-logger").unwrap(), None, when, &event)
}

fn first<T>(kind: Kind, of: impl Fn(Event) -> Option<T>) -> T {
    of(samples(kind).remove(0)).expect("a sample of its kind")
}

fn fill() -> OrderFilled {
    first(Kind::OrderFilled, |e| match e {
        Event::Order(OrderEvent::Filled(e)) => Some(e),
        _ => None,
    })
}

fn rejected() -> OrderRejected {
    first(Kind::OrderRejected, |e| match e {
        Event::Order(OrderEvent::Rejected(e)) => Some(e),
        _ => None,
    })
}

fn balance() -> BalanceChanged {
    first(Kind::BalanceChanged, |e| match e {
        Event::Account(AccountEvent::BalanceChanged(e)) => Some(e),
        _ => None,
    })
}

fn ledger() -> LedgerEntry {
    first(Kind::LedgerEntry, |e| match e {
        Event::Account(AccountEvent::LedgerEntered(e)) => Some(e),
        _ => None,
    })
}

fn quarantined() -> FrameQuarantined {
    first(Kind::FrameQuarantined, |e| match e {
        Event::Frame(FrameEvent::Quarantined(e)) => Some(e),
        _ => None,
    })
}

#[test]
fn facts_of_the_world_have_an_id_and_sayings_have_none() {
    let mut by_id: BTreeMap<Uuid, Kind> = BTreeMap::new();
    for kind in Kind::ALL.iter().copied() {
        for event in samples(kind) {
            let id = ids::of_fact(TAPE, &event);
            assert_eq!(id.is_some(), FACTS.contains(&kind), "{}", kind.name());
            let Some(id) = id else { continue };
            assert_ne!(ids::of_fact(Uuid::from_u128(8), &event), Some(id), "another tape, another id");
            assert_eq!(*by_id.entry(id).or_insert(kind), kind, "two kinds never share an id");
        }
    }
    assert!(by_id.len() >= FACTS.len());
}

#[test]
fn a_fill_is_named_by_the_venues_ids_and_nothing_else() {
    let id = of(fill());
    assert_eq!(of(OrderFilled { order: "other".parse().unwrap(), maker: true, at: at(0), ..fill() }), id);
    assert_ne!(of(OrderFilled { venue_trade: "1".parse().unwrap(), ..fill() }), id);
    assert_ne!(of(OrderFilled { venue_order: "1".parse().unwrap(), ..fill() }), id);
    assert_ne!(of(OrderFilled { account: "binance:second".parse().unwrap(), ..fill() }), id);
    assert_ne!(of(OrderFilled { instrument: "binance:spot:ETHUSDT".parse().unwrap(), ..fill() }), id);
}

#[test]
fn amounts_are_compared_as_numbers() {
    let one = BalanceChanged { free: "1.50".parse().unwrap(), locked: "0".parse().unwrap(), ..balance() };
    let same = BalanceChanged { free: "1.5".parse().unwrap(), locked: "-0.00".parse().unwrap(), ..one };
    let other = BalanceChanged { free: "1.51".parse().unwrap(), ..one };
    let later = BalanceChanged { as_of: at(7_000_000), ..one };
    assert_eq!(of(one), of(same));
    assert!(draft(one).same_fact(&draft(same)), "and so is the content");
    assert_ne!(of(one), of(other));
    assert_ne!(of(one), of(later));
    assert!(!draft(one).same_fact(&draft(other)));
}

#[test]
fn a_fill_with_another_price_is_another_fact_under_the_same_id() {
    let dearer = OrderFilled { price: "42000.2".parse().unwrap(), ..fill() };
    assert_eq!(of(fill()), of(dearer));
    assert!(!draft(fill()).same_fact(&draft(dearer)));
}

/// The venue's stream told them under the first client id; whoever asks after an amendment is told another.
#[test]
fn facts_of_an_order_are_the_same_under_the_client_id_that_an_amendment_gave_it() {
    let renamed = OrderFilled { order: "another".parse().unwrap(), ..fill() };
    assert_eq!(of(fill()), of(renamed));
    assert!(draft(fill()).same_fact(&draft(renamed)));
    let OrderFilled { account, instrument, order, venue_order, at, .. } = fill();
    let accepted = OrderAccepted { account, instrument, order, venue_order, at };
    let again = OrderAccepted { order: renamed.order, ..accepted };
    assert_eq!(of(accepted), of(again));
    assert!(draft(accepted).same_fact(&draft(again)));
    let later = OrderAccepted { at: at + std::time::Duration::from_millis(1), ..again };
    assert!(!draft(accepted).same_fact(&draft(later)), "another time is no other name");
    let ended = OrderEnded {
        account,
        instrument,
        order,
        venue_order,
        ending: domain::Ending::Canceled,
        filled: domain::Filled::default(),
        at,
    };
    let again = OrderEnded { order: renamed.order, ..ended };
    assert_eq!(of(ended), of(again));
    assert!(draft(ended).same_fact(&draft(again)));
    assert!(!draft(ended).same_fact(&draft(OrderEnded { ending: domain::Ending::Expired, ..again })));
}

#[test]
fn each_amendment_of_an_order_is_a_fact_of_its_own() {
    let amended = first(Kind::OrderAmended, |e| match e {
        Event::Order(OrderEvent::Amended(e)) => Some(e),
        _ => None,
    });
    assert_ne!(of(amended), of(OrderAmended { execution: amended.execution + 1, ..amended }));
    let other = OrderAmended { quantity: "0.001".parse().unwrap(), ..amended };
    assert_eq!(of(amended), of(other));
    assert!(!draft(amended).same_fact(&draft(other)), "one change does not leave two quantities");
}

#[test]
fn a_rejection_is_the_same_however_it_is_worded() {
    let (code, text, reason) = (None, "INSUFFICIENT_BALANCE".to_owned(), Rejection::Other);
    let streamed = OrderRejected { code, text, reason, at: at(9), ..rejected() };
    assert_eq!(of(rejected()), of(streamed.clone()));
    assert!(draft(rejected()).same_fact(&draft(streamed.clone())));
    let other = OrderRejected { order: "other".parse().unwrap(), ..streamed.clone() };
    assert_ne!(of(rejected()), of(other));

    // Another attempt may follow one that came too late, and be rejected for good.
    let late = OrderRejected { reason: Rejection::OutsideWindow, ..streamed };
    let later = OrderRejected { at: at(10), ..late.clone() };
    assert!(of(late.clone()) != of(rejected()) && of(late.clone()) != of(later.clone()));
    assert!(!draft(late).same_fact(&draft(later)));
}

#[test]
fn a_deposit_is_the_same_with_and_without_its_reference() {
    let streamed = LedgerEntry { reason: LedgerReason::Other, venue_ref: String::new(), ..ledger() };
    assert_eq!(of(ledger()), of(streamed.clone()));
    assert!(draft(ledger()).same_fact(&draft(streamed.clone())));
    let more = LedgerEntry { delta: "5".parse().unwrap(), ..streamed };
    assert_ne!(of(ledger()), of(more.clone()));
    assert!(!draft(ledger()).same_fact(&draft(more)));
}

#[test]
fn a_frame_is_quarantined_once_for_each_account() {
    let copy = FrameQuarantined {
        replica: "ingestor-2".into(),
        received_at: at(99),
        why: "words of another build".into(),
        ..quarantined()
    };
    assert_eq!(of(quarantined()), of(copy.clone()));
    assert!(draft(quarantined()).same_fact(&draft(copy.clone())));
    let elsewhere = FrameQuarantined { account: "binance:second".parse().unwrap(), ..copy.clone() };
    assert_ne!(of(quarantined()), of(elsewhere));
    assert!(!draft(quarantined()).same_fact(&draft(FrameQuarantined { bytes: FrameBytes(vec![1]), ..copy })));
}

#[test]
fn both_replicas_connections_are_facts_of_their_own() {
    let Event::Stream(StreamEvent::Opened(one)) = samples(Kind::StreamOpened).remove(0) else {
        panic!("a sample of its kind")
    };
    let second = StreamOpened { replica: "ingestor-2".into(), ..one.clone() };
    let again = StreamOpened { at: at(4), ..one.clone() };
    assert!(of(one.clone()) != of(second) && of(one.clone()) != of(again));
    assert_eq!(of(one.clone()), of(one));
}

#[test]
fn the_bytes_of_a_frame_are_read_back_and_nothing_else_passes_for_them() {
    let body = draft(quarantined()).body;
    for wrong in [
        body.replace(r#"{"text":"#, r#"{"base64":"#),
        body.replace("0123456789abcdef", "0123456789ABCDEF"),
        body.replace("0123456789abcdef", "é"),
        body.replace(r#"{"text":"#, r#"{"hex":"#),
    ] {
        assert_ne!(wrong, body);
        assert!(Event::decode("frame.quarantined", 1, &wrong).is_err(), "{wrong}");
    }
}
