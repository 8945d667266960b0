//! What a sink's hands are told.

use crate::stage::{Backend, Stage, TAPE, make};
use crate::toys::{echo, unit};
use domain::{Interval, Timestamp};
use events::{BalanceChanged, CandleMissing, Clock, Draft, Event, TimeEvent, Uuid, WakeAsked, ids};
use service::{Back, Heard};
use tape::{Commit, CursorMove, Entry};
use tokio::sync::mpsc;

fn asked(n: u64) -> Draft {
    let event = CandleMissing {
        instrument: crate::toys::btc(),
        interval: Interval::Minute1,
        from: Timestamp::ZERO,
        until: Timestamp::ZERO,
        count: n,
    };
    Draft::new(ids::fact(TAPE, "asked", &n.to_string()), unit("feed"), None, Timestamp::ZERO, &event.into())
}

async fn told(hands: &mut mpsc::Receiver<Heard>, count: usize) -> Vec<(String, bool, u64)> {
    let mut heard = Vec::new();
    for _ in 0..count {
        let next = tokio::time::timeout(std::time::Duration::from_secs(30), hands.recv()).await;
        let Heard { event, mine, fence } = next.expect("in time").expect("alive");
        heard.push((event.event.kind().name().to_owned(), mine, fence));
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hands_are_told_in_order_and_what_this_incarnation_has_promised() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let make = make(echo);
    let (sink, mut hands, _) = stage.start_with_hands(&make, "a");
    assert_eq!(told(&mut hands, 1).await, [("unit.started".to_owned(), true, 1)]);
    for n in 1..=2 {
        stage.append(vec![asked(n)], Timestamp::ZERO).await;
        let heard = told(&mut hands, 2).await;
        assert_eq!(heard[0], ("candle.missing".to_owned(), false, 1), "somebody else's");
        assert_eq!(heard[1], ("time.wake_asked".to_owned(), true, 1), "its own");
    }
    sink.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_earlier_incarnation_promised_is_not_mine() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let rows = stage.append(vec![asked(1)], Timestamp::ZERO).await;
    // One that died right after its commit.
    let cursor = stage.tape.acquire(unit("echo"), "a", stage.lease, false).await.unwrap();
    let wake = Event::Time(TimeEvent::WakeAsked(WakeAsked { at: Timestamp::from_millis(1) }));
    let id = ids::said(rows[0].draft.id, "echo", 0);
    let draft = Draft::new(id, unit("echo"), Some(rows[0].draft.id), rows[0].recorded_at, &wake);
    let step = CursorMove { unit: unit("echo"), fence: cursor.fence, to: rows[0].position, reach: 1 };
    let entries = vec![Entry::wall(draft)];
    stage.tape.append(Commit { entries, cursors: vec![step], ..Commit::default() }).await.unwrap();

    let (_sink, mut hands, _) = stage.start_with_hands(&make(echo), "a");
    let own = [("time.wake_asked".to_owned(), false, 2), ("unit.started".to_owned(), true, 2)];
    assert_eq!(told(&mut hands, 2).await, own);
}

fn brought_id(tape: Uuid, n: u64) -> Uuid {
    ids::fact(tape, "brought", &n.to_string())
}

fn balance(n: u64) -> Event {
    BalanceChanged {
        account: "binance:main".parse().unwrap(),
        asset: "BTC".parse().unwrap(),
        free: n.into(),
        locked: 0.into(),
        as_of: Timestamp::ZERO,
    }
    .into()
}

/// What hands bring, said as it is.
fn back(fence: u64, n: u64) -> Back {
    Back { fence, judge: Box::new(move |_, tape, _| vec![(brought_id(tape, n), balance(n))]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_hands_bring_is_said_once_by_the_incarnation_that_sent_them() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let (sink, mut hands, bring) = stage.start_with_hands(&make(echo), "a");
    told(&mut hands, 1).await;
    bring.send(back(9, 1)).await.expect("alive");
    bring.send(back(1, 2)).await.expect("alive");
    bring.send(back(1, 2)).await.expect("alive");
    bring.send(back(1, 3)).await.expect("alive");
    let brought =
        [("account.balance_changed".to_owned(), true, 1), ("account.balance_changed".to_owned(), true, 1)];
    assert_eq!(told(&mut hands, 2).await, brought, "neither another's nor the same again");
    sink.stop().await.unwrap();
    let said = stage.tape.of_kind(events::Kind::BalanceChanged).await.unwrap();
    assert_eq!(said.len(), 2);
    assert!(said.iter().all(|row| row.draft.source == unit("echo")), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fact_that_stands_there_otherwise_is_a_conflict_and_the_unit_goes_on() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let other = Draft::new(brought_id(TAPE, 5), unit("x"), None, Timestamp::ZERO, &balance(77));
    stage.append(vec![other], Timestamp::ZERO).await;
    let (sink, mut hands, bring) = stage.start_with_hands(&make(echo), "a");
    bring.send(back(1, 5)).await.expect("alive");
    let mut kinds = Vec::new();
    while kinds.last().is_none_or(|kind| kind != "tape.conflicted") {
        kinds.push(told(&mut hands, 1).await.remove(0).0);
    }
    sink.stop().await.unwrap();
}
