//! Facts of the world onto the tape, and what a unit misses meanwhile.

use crate::stage::{Backend, Stage, TAPE};
use crate::toys::unit;
use domain::{Account, Timestamp};
use events::{Clock, Event, OrderFilled};
use replica::Recorder;
use runtime::distributed::{Fault, Side, UnitPhase, UnitStatus, record_facts};
use std::time::Duration;
use tape::{Cursor, CursorMove, Outcome, Tape};

fn main_account() -> Account {
    "paper:main".parse().unwrap()
}

/// What a venue says of one execution; another price contradicts it.
fn fill(price: i64) -> Event {
    OrderFilled {
        account: main_account(),
        instrument: "paper:spot:BTCUSDT".parse().unwrap(),
        order: "td1".parse().unwrap(),
        venue_order: "28457".parse().unwrap(),
        venue_trade: "1".parse().unwrap(),
        side: domain::Side::Buy,
        price: price.to_string().parse().unwrap(),
        quantity: "1".parse().unwrap(),
        quote: price.into(),
        fee: None,
        maker: false,
        at: Timestamp::from_millis(7),
    }
    .into()
}

async fn acquire(tape: &Tape, owner: &str) -> Cursor {
    tape.acquire(unit("recorder"), owner, Duration::from_secs(60), true).await.unwrap()
}

fn step(cursor: &Cursor) -> [CursorMove; 1] {
    [CursorMove { unit: cursor.unit, fence: cursor.fence, to: cursor.position, reach: 0 }]
}

fn recorder(clock: Clock) -> Recorder {
    Recorder { unit: unit("recorder"), tape: TAPE, clock }
}

async fn kinds(stage: &Stage) -> Vec<&'static str> {
    stage.rows().await.iter().skip(1).map(|row| row.event.kind().name()).collect()
}

#[tokio::test]
async fn a_fact_is_recorded_once_and_one_that_contradicts_it_halts_its_account_once() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let cursor = acquire(&stage.tape, "a").await;
    let recorder = recorder(Clock::Wall);
    let record = async |price: i64| {
        let facts = [recorder.fact(fill(price), Timestamp::ZERO, None)];
        let told = record_facts(&stage.tape, &recorder, &facts, &step(&cursor)).await.unwrap();
        (told.outcomes, told.conflicts, told.head)
    };
    assert_eq!(record(5).await, (vec![Outcome::Appended(2)], 0, 2));
    assert_eq!(record(5).await, (vec![Outcome::Duplicate(2)], 0, 2));
    assert_eq!(record(6).await, (vec![Outcome::Conflict(2)], 1, 4));
    assert_eq!(record(6).await, (vec![Outcome::Conflict(2)], 0, 4), "the same copy is known by now");
    assert_eq!(record(7).await, (vec![Outcome::Conflict(2)], 1, 6), "a third copy is not");
    let halted = ["tape.conflicted", "control.trading_state_changed"];
    assert_eq!(kinds(&stage).await, [&["order.filled"][..], &halted, &halted].concat());
    let rows = stage.rows().await;
    assert_eq!(rows[2].cause, Some(rows[1].id), "what is said of a conflict names the fact as its cause");
}

#[tokio::test]
async fn whoever_has_lost_the_fence_records_no_fact() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let (old, _new) = (acquire(&stage.tape, "a").await, acquire(&stage.tape, "b").await);
    let recorder = recorder(Clock::Wall);
    let facts = [recorder.fact(fill(5), Timestamp::ZERO, None)];
    let lost = record_facts(&stage.tape, &recorder, &facts, &step(&old)).await.unwrap_err();
    assert!(matches!(lost, Fault::Lost(_)), "{lost}");
    assert_eq!(stage.head().await, 1);
}

#[tokio::test]
async fn on_a_market_clock_a_fact_is_recorded_at_the_markets_time() {
    let stage = Stage::new(Backend::Memory, Clock::Market).await;
    stage.feed(1..=3).await;
    let now = stage.tape.head().await.unwrap().recorded_at;
    let recorder = recorder(Clock::Market);
    let facts = [recorder.fact(fill(5), Timestamp::ZERO, None)];
    record_facts(&stage.tape, &recorder, &facts, &[]).await.unwrap();
    assert_eq!(stage.tape.head().await.unwrap().recorded_at, now);
}

#[test]
fn a_unit_is_cut_off_while_it_misses_a_side_and_goes_on_where_it_was() {
    let status = UnitStatus::new(unit("recorder"), "a");
    status.enter(UnitPhase::Running);
    status.misses(Side::Bus, "the broker is down".to_owned());
    status.misses(Side::Tape, "the tape is down".to_owned());
    // As another flow of the same unit finds it.
    status.misses(Side::Tape, "still down".to_owned());
    assert_eq!(status.phase(), UnitPhase::CutOff("still down".to_owned()));
    status.has(Side::Tape);
    assert_eq!(status.phase(), UnitPhase::CutOff("the broker is down".to_owned()));
    status.has(Side::Bus);
    status.has(Side::Bus);
    assert_eq!(status.phase(), UnitPhase::Running);
}
