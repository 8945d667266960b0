//! The first row of a live tape.

use crate::support::{memory, rows, unit};
use event_logger::{UNIT, open::open_tape};
use events::{Clock, TapeOpened};
use runtime::distributed::Fault;
use std::time::Duration;
use tape::{Cursor, Tape};

async fn lease(tape: &Tape, owner: &str) -> Cursor {
    tape.acquire(unit(UNIT), owner, Duration::from_secs(60), true).await.unwrap()
}

#[tokio::test]
async fn an_empty_tape_is_opened_once_with_an_id_of_its_own() {
    let (tape, other) = (Tape::memory(), Tape::memory());
    let opened = open_tape(&tape, &lease(&tape, "a").await, "binance").await.unwrap();
    assert_eq!((opened.clock, opened.market.as_str()), (Clock::Wall, "binance"));
    let again = open_tape(&tape, &lease(&tape, "b").await, "binance").await.unwrap();
    assert_eq!(again, opened);
    assert_eq!(tape.opened().await.unwrap(), Some(opened.clone()));
    assert_eq!(rows(&tape).await.len(), 1);
    assert_eq!(rows(&tape).await[0].draft.source, service::tape_unit());
    let elsewhere = open_tape(&other, &lease(&other, "a").await, "binance").await.unwrap();
    assert_ne!(elsewhere.tape, opened.tape);
}

#[tokio::test]
async fn of_two_that_try_at_once_only_the_one_with_the_lease_can() {
    let tape = Tape::memory();
    let (old, new) = (lease(&tape, "a").await, lease(&tape, "b").await);
    assert!(matches!(open_tape(&tape, &old, "binance").await, Err(Fault::Lost(_))));
    assert_eq!(tape.opened().await.unwrap(), None);
    let opened: TapeOpened = open_tape(&tape, &new, "binance").await.unwrap();
    assert_eq!(open_tape(&tape, &old, "binance").await.unwrap(), opened);
}

#[tokio::test]
async fn another_markets_tape_is_refused() {
    let tape = memory().await;
    let Err(Fault::Stuck(why)) = open_tape(&tape, &lease(&tape, "a").await, "synthetic:1").await else {
        panic!("it was taken")
    };
    assert!(why.contains("'binance', not 'synthetic:1'"), "{why}");
}
