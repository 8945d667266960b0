//! The hands, at a venue that says what the script wants.

use crate::{
    desk::{account, btc},
    gateway::{config, order},
};
use domain::{
    Account, ClientOrderId, Ending, Filled, Instrument, InstrumentRules, OrderRequest, Timestamp, UnitName,
    VenueOrderId,
};
use events::*;
use runtime::distributed::hands::Hands;
use service::{Back, Heard, Host, News};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::timeout;
use trade_abstraction::{
    gateway::{Answer, Attempt, Effect, Gateway, id_of},
    hands::{self, Brought},
};
use venue::{Listing, Outcome, Stamp, Venue};

const TAPE: Uuid = Uuid::from_u128(7);
const PATIENCE: Duration = Duration::from_secs(30);

/// Says `outcome`, and notes what it was asked.
struct Scripted {
    outcome: Outcome,
    listing: Result<Listing, String>,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(outcome: Outcome) -> Arc<Self> {
        Self::with_rules(outcome, Err("the venue does not tell".to_owned()))
    }

    fn with_rules(outcome: Outcome, listing: Result<Listing, String>) -> Arc<Self> {
        Arc::new(Self { outcome, listing, asked: Mutex::default() })
    }

    fn note(&self, what: String) -> Outcome {
        self.asked.lock().unwrap().push(what);
        self.outcome.clone()
    }
}

impl Venue for Scripted {
    async fn submit(&self, _: Account, _: Instrument, request: &OrderRequest, stamp: Stamp) -> Outcome {
        self.note(format!("submit {} at {}", request.id(), stamp.timestamp))
    }
    async fn cancel(
        &self,
        _: Account,
        _: Instrument,
        order: ClientOrderId,
        number: Option<VenueOrderId>,
        _: Stamp,
    ) -> Outcome {
        let number = number.map_or_else(String::new, |number| format!(" #{number}"));
        self.note(format!("cancel {order}{number}"))
    }
    async fn standing(
        &self,
        _: Account,
        _: Instrument,
        order: ClientOrderId,
        number: VenueOrderId,
    ) -> Outcome {
        self.note(format!("check {order} #{number}"))
    }
    async fn listing(&self, _: Account, instrument: Instrument, _: Duration) -> Result<Listing, String> {
        self.asked.lock().unwrap().push(format!("rules of {}", instrument.symbol));
        self.listing.clone()
    }
    async fn look_up(&self, _: Account, _: Instrument, order: ClientOrderId, _: Timestamp) -> Outcome {
        self.note(format!("look up {order}"))
    }
    fn time(&self, _: Account) -> Option<Timestamp> {
        Some(Timestamp::from_millis(99))
    }
}

fn now() -> Timestamp {
    "2024-01-15".parse().unwrap()
}

fn recorded(position: Position, source: &str, event: Event) -> Recorded {
    let source = UnitName::new(source).unwrap();
    let id = Uuid::from_u128(u128::from(position));
    Recorded { position, id, source, cause: None, at: now(), recorded_at: now(), event }
}

/// A gateway that has submitted and attempted an entry, and what the hands are told of the attempt.
fn attempted() -> (Host, Recorded) {
    let mut host = Host::new::<Gateway>(UnitName::new("order-gateway").unwrap(), config());
    let request = Box::new(OrderRequest::Single(order(false)));
    let submitted = OrderSubmitted { account: account(), instrument: btc(), request };
    let mut said = Vec::new();
    host.handle(&recorded(1, "trade-planner", submitted.into()), &mut said);
    let attempted = recorded(2, "order-gateway", said.remove(0));
    host.handle(&attempted, &mut said);
    (host, attempted)
}

/// The three facts of an order that was filled at once.
fn filled() -> Vec<Event> {
    let (account, instrument, order, at) = (account(), btc(), order(false).id, now());
    let venue_order = "1".parse().unwrap();
    let (price, quantity) = ("100".parse().unwrap(), "2".parse().unwrap());
    let total = Filled { quantity: "2".parse().unwrap(), quote: "200".parse().unwrap() };
    let fill = OrderFilled {
        account,
        instrument,
        order,
        venue_order,
        venue_trade: "1".parse().unwrap(),
        side: domain::Side::Buy,
        price,
        quantity,
        quote: "200".parse().unwrap(),
        fee: None,
        maker: false,
        at,
    };
    vec![
        OrderAccepted { account, instrument, order, venue_order, at }.into(),
        fill.into(),
        OrderEnded { account, instrument, order, venue_order, ending: Ending::Filled, filled: total, at }
            .into(),
    ]
}

async fn next(hands: &Hands) -> Back {
    let mut back = hands.back.lock().await;
    timeout(PATIENCE, back.recv()).await.expect("in time").expect("alive")
}

#[tokio::test]
async fn all_facts_of_one_answer_come_back_as_one() {
    let venue = Scripted::new(Outcome::Facts(filled()));
    let hands = hands::at(venue.clone());
    let (host, event) = attempted();
    (hands.told)(&host, News::Heard(Box::new(Heard { event, mine: true, fence: 3 })));
    let back = next(&hands).await;
    assert_eq!(back.fence, 3);
    let said = (back.judge)(&host, TAPE, now());
    let wanted: Vec<_> = filled().into_iter().map(|event| (id_of(TAPE, &event), event)).collect();
    assert_eq!(said, wanted, "under the ids that the stream's facts have");
    assert_eq!(*venue.asked.lock().unwrap(), [format!("submit entry at {}", now())]);
}

#[tokio::test]
async fn what_another_incarnation_attempted_is_looked_up() {
    let venue = Scripted::new(Outcome::NotFound { venue_time: now() + Duration::from_secs(60) });
    let hands = hands::at(venue.clone());
    let (host, event) = attempted();
    (hands.told)(&host, News::Heard(Box::new(Heard { event, mine: false, fence: 4 })));
    let said = (next(&hands).await.judge)(&host, TAPE, now());
    assert!(matches!(said[..], [(_, Event::Order(OrderEvent::Absent(_)))]), "{said:?}");
    (hands.told)(&host, News::Recovered { fence: 5 });
    assert_eq!(next(&hands).await.fence, 5);
    assert_eq!(*venue.asked.lock().unwrap(), ["look up entry", "look up entry"]);
}

#[tokio::test]
async fn an_outcome_is_told_as_what_is_known_of_it() {
    let attempt = Attempt { number: 1, timestamp: now(), recv_window_ms: 5_000 };
    let (account, instrument) = (account(), btc());
    let send = || {
        let request = Box::new(OrderRequest::Single(order(false)));
        Effect::Send { account, instrument, request, attempt }
    };
    let cancel =
        || Effect::Cancel { account, instrument, order: order(false).id, number: None, attempt, rules: None };
    let (request, order, venue_time) = (order(false).id, order(false).id, Some(Timestamp::from_millis(99)));
    let text = || "why".to_owned();
    let again = || Outcome::TryAgain { after: Duration::from_millis(1), text: text() };
    let unknown = || Outcome::Unknown { text: text() };
    for (outcome, effect, answer) in [
        (again(), send(), Answer::TryAgain { request, attempt: 1, venue_time }),
        (unknown(), send(), Answer::Unknown { request, attempt: 1, text: text() }),
        (again(), cancel(), Answer::CancelAgain { order, attempt: 1, venue_time }),
        (unknown(), cancel(), Answer::CancelAgain { order, attempt: 1, venue_time }),
    ] {
        let told = hands::carry_out(&*Scripted::new(outcome.clone()), effect).await;
        assert_eq!(told, [Brought::Answer(answer)], "{outcome:?}");
    }
}

fn rules(lot: &str) -> Box<InstrumentRules> {
    let d = |text: &str| text.parse().unwrap();
    Box::new(InstrumentRules::open(d2("BTC"), d2("USDT"), d("0.01"), d(lot), d("5")))
}

fn d2(asset: &str) -> domain::Asset {
    asset.parse().unwrap()
}

fn cancel_of_a_stop() -> Effect {
    Effect::Cancel {
        account: account(),
        instrument: btc(),
        order: order(true).id,
        number: Some("7".parse().unwrap()),
        attempt: Attempt { number: 1, timestamp: now(), recv_window_ms: 5_000 },
        rules: Some(rules("0.001")),
    }
}

#[tokio::test]
async fn a_stop_is_canceled_by_the_venues_number_once_the_rules_are_known_to_be_the_same() {
    let venue = Scripted::with_rules(Outcome::Facts(filled()), Ok(Listing::Trading(rules("0.001"))));
    let told = hands::carry_out_by_the_rules(&*venue, cancel_of_a_stop()).await;
    assert_eq!(told.len(), 3, "what the venue told");
    assert_eq!(*venue.asked.lock().unwrap(), ["rules of BTCUSDT", "cancel stop #7"]);
}

#[tokio::test]
async fn a_stop_is_not_given_up_under_rules_that_have_changed() {
    let coarser = rules("0.1");
    let venue = Scripted::with_rules(Outcome::Facts(filled()), Ok(Listing::Trading(coarser.clone())));
    let told = hands::carry_out_by_the_rules(&*venue, cancel_of_a_stop()).await;
    let [Brought::Fact(kept), Brought::Answer(rules)] = &told[..] else { panic!("{told:?}") };
    assert!(matches!(&**kept, Event::Order(OrderEvent::CancelRejected(e)) if e.order == order(true).id));
    assert_eq!(*rules, Answer::Rules { instrument: btc(), rules: coarser });
    assert_eq!(*venue.asked.lock().unwrap(), ["rules of BTCUSDT"], "nothing was canceled");
}

#[tokio::test]
async fn a_stop_is_not_given_up_while_no_order_could_take_its_place() {
    let halted = Listing::Paused { rules: rules("0.001"), status: "HALT".to_owned() };
    let venue = Scripted::with_rules(Outcome::Facts(filled()), Ok(halted));
    let told = hands::carry_out_by_the_rules(&*venue, cancel_of_a_stop()).await;
    assert!(format!("{told:?}").contains("(HALT), so it stays"), "{told:?}");
    assert_eq!(*venue.asked.lock().unwrap(), ["rules of BTCUSDT"]);
}

#[tokio::test]
async fn an_exit_does_not_wait_for_rules_that_the_venue_does_not_tell() {
    let venue = Scripted::new(Outcome::Facts(filled()));
    hands::carry_out_by_the_rules(&*venue, cancel_of_a_stop()).await;
    assert_eq!(*venue.asked.lock().unwrap(), ["rules of BTCUSDT", "cancel stop #7"]);
}

#[tokio::test]
async fn a_refusal_that_rules_can_explain_has_them_asked_for_and_told_first() {
    let refused = |reason, code| {
        OrderRejected {
            account: account(),
            instrument: btc(),
            order: order(true).id,
            reason,
            code: Some(code),
            text: "no".to_owned(),
            at: now(),
        }
        .into()
    };
    let send = || Effect::Send {
        account: account(),
        instrument: btc(),
        request: Box::new(OrderRequest::Single(order(true))),
        attempt: Attempt { number: 1, timestamp: now(), recv_window_ms: 5_000 },
    };
    let coarser = rules("0.1");
    for (reason, code) in [
        (Rejection::Filter, -1013),
        (Rejection::Filter, -1111),
        (Rejection::UnknownInstrument, -1121),
        (Rejection::MarketClosed, -1013),
        (Rejection::Other, -2010),
    ] {
        let outcome = Outcome::Facts(vec![refused(reason, code)]);
        let venue = Scripted::with_rules(outcome, Ok(Listing::Trading(coarser.clone())));
        let told = hands::carry_out_by_the_rules(&*venue, send()).await;
        let rules = Answer::Rules { instrument: btc(), rules: coarser.clone() };
        assert_eq!(told[0], Brought::Answer(rules), "{reason:?}");
        assert_eq!(told.len(), 2);
    }
    let poor = Outcome::Facts(vec![refused(Rejection::InsufficientBalance, -2010)]);
    let venue = Scripted::with_rules(poor, Ok(Listing::Trading(coarser)));
    assert_eq!(hands::carry_out_by_the_rules(&*venue, send()).await.len(), 1);
    assert_eq!(venue.asked.lock().unwrap().len(), 1, "rules explain no empty purse");
}

#[tokio::test]
async fn rules_are_said_where_they_are_news_and_each_time_that_they_are() {
    let (mut host, _) = attempted();
    let answer = |lot: &str| Brought::Answer(Answer::Rules { instrument: btc(), rules: rules(lot) });
    let mut ids = Vec::new();
    for (n, lot) in ["0.001", "0.1", "0.001"].into_iter().enumerate() {
        let said = hands::said(&host, TAPE, now(), answer(lot));
        let [(id, event)] = &said[..] else { panic!("{said:?}") };
        ids.push(*id);
        let listed = recorded(10 + n as Position, "order-gateway", event.clone());
        host.handle(&listed, &mut Vec::new());
        assert_eq!(hands::said(&host, TAPE, now(), answer(lot)), [], "the tape has them");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "rules that come back are another listing");
}

#[tokio::test]
async fn orders_that_work_are_asked_for_when_a_stream_was_away() {
    let venue = Scripted::new(Outcome::Facts(filled()));
    let hands = hands::at(venue.clone());
    let (mut host, _) = attempted();
    host.handle(&recorded(3, "event-logger", filled()[0].clone()), &mut Vec::new());
    let opened = |account: Account| StreamOpened {
        account,
        replica: "a".to_owned(),
        stream: "user-data".to_owned(),
        at: now(),
    };
    for (position, account) in [(4, "binance:other".parse().unwrap()), (5, account())] {
        let event = recorded(position, "event-logger", opened(account).into());
        host.handle(&event, &mut Vec::new());
        (hands.told)(&host, News::Heard(Box::new(Heard { event, mine: false, fence: 3 })));
    }
    let said = (next(&hands).await.judge)(&host, TAPE, now());
    assert_eq!(said.len(), 3, "all that became of it");
    assert_eq!(*venue.asked.lock().unwrap(), ["check entry #1"], "of this account, and once");
    // One that has ended is not asked for.
    host.handle(&recorded(6, "event-logger", filled()[2].clone()), &mut Vec::new());
    let (gateway, state) = host.held::<Gateway>().unwrap();
    assert_eq!(gateway.checks(state, &opened(account_of_the_desk()).into()), []);
}

fn account_of_the_desk() -> Account {
    account()
}

/// Answers nobody on `slow`, and everybody else at once.
struct OneIsSlow {
    slow: Account,
    asked: Mutex<Vec<Account>>,
}

impl OneIsSlow {
    async fn answer(&self, account: Account) -> Outcome {
        self.asked.lock().unwrap().push(account);
        if account == self.slow {
            std::future::pending::<()>().await;
        }
        Outcome::Facts(Vec::new())
    }
}

impl Venue for OneIsSlow {
    async fn submit(&self, account: Account, _: Instrument, _: &OrderRequest, _: Stamp) -> Outcome {
        self.answer(account).await
    }
    async fn cancel(
        &self,
        account: Account,
        _: Instrument,
        _: ClientOrderId,
        _: Option<VenueOrderId>,
        _: Stamp,
    ) -> Outcome {
        self.answer(account).await
    }
    async fn look_up(&self, account: Account, _: Instrument, _: ClientOrderId, _: Timestamp) -> Outcome {
        self.answer(account).await
    }
    async fn standing(&self, account: Account, _: Instrument, _: ClientOrderId, _: VenueOrderId) -> Outcome {
        self.answer(account).await
    }
    async fn listing(&self, _: Account, _: Instrument, _: Duration) -> Result<Listing, String> {
        Err("it does not tell".to_owned())
    }
}

#[tokio::test]
async fn an_account_whose_venue_does_not_answer_holds_up_no_other() {
    let slow: Account = "binance:slow".parse().unwrap();
    let venue = Arc::new(OneIsSlow { slow, asked: Mutex::default() });
    let hands = hands::at(venue.clone());
    let (host, attempt) = attempted();
    let Event::Order(OrderEvent::Attempted(attempted)) = &attempt.event else { panic!("{attempt:?}") };
    let tell = |account: Account| {
        let event = OrderAttempted { account, ..*attempted }.into();
        let event = Recorded { event, ..attempt.clone() };
        // Of another incarnation, so that each is a lookup.
        (hands.told)(&host, News::Heard(Box::new(Heard { event, mine: false, fence: 1 })));
    };
    // More than an account may have under way.
    for _ in 0..200 {
        tell(slow);
    }
    tell(account());
    timeout(PATIENCE, hands.back.lock().await.recv()).await.expect("in time").expect("alive");
    let asked = venue.asked.lock().unwrap().clone();
    assert!(asked.contains(&account()), "{asked:?}");
    assert!(
        asked.iter().filter(|account| **account == slow).count() < 200,
        "an account has bounds of its own"
    );
}
