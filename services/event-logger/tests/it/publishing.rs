//! The tape on its stream, in order.

use crate::support::*;
use domain::UnitName;
use event_logger::{PUBLISHER, Part};
use events::*;
use runtime::distributed::Fault;
use tape::Tape;

async fn cursor(tape: &Tape) -> Position {
    let name: UnitName = unit(PUBLISHER);
    tape.cursors().await.unwrap().iter().find(|c| c.unit == name).map_or(0, |c| c.position)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_out_once_in_order_and_the_cursor_follows() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    say_much(&tape, 699).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    until("the cursor is saved while it runs", async || cursor(&tape).await == 700).await;
    say_much(&tape, 5).await;
    until("the rest, too", async || publisher.counters.published_to.get() == 705).await;
    publisher.stop().await;
    assert_eq!(cursor(&tape).await, 705, "and when it stops");
    assert_eq!(stream(&url, 705, 1).await, (1..=705).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_after_a_death_leaves_nothing_out_and_repeats_little() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    for round in 1..=5 {
        say_much(&tape, 700).await;
        let publisher = Running::publish(&tape, &rabbit).await;
        let enough = 700 * round - 400;
        until("it is under way", async || publisher.counters.published_to.get() > enough).await;
        publisher.kill().await;
    }
    let publisher = Running::publish(&tape, &rabbit).await;
    until("it has caught up", async || publisher.counters.published_to.get() == 3_501).await;
    publisher.stop().await;
    let mut positions = stream(&url, 3_501, 1).await;
    println!("{} messages for 3501 rows", positions.len());
    positions.sort_unstable();
    positions.dedup();
    assert_eq!(positions, (1..=3_501).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_published_again_before_anything_else() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    say_much(&tape, 9).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    until("it is out", async || publisher.counters.published_to.get() == 10).await;
    say(&tape, &[RepublishAsked { from: 7, who: "owner".to_owned() }.into()]).await;
    say_much(&tape, 2).await;
    until("again", async || publisher.counters.published_to.get() == 13).await;
    assert_eq!(publisher.counters.republished.get(), 1);
    publisher.stop().await;
    let expected: Vec<Position> = (1..=10).chain(7..=13).collect();
    assert_eq!(stream(&url, 13, 1).await, expected);
    // The demand is met; the next one does not meet it again.
    let publisher = Running::publish(&tape, &rabbit).await;
    say_much(&tape, 1).await;
    until("it goes on", async || publisher.counters.published_to.get() == 14).await;
    assert_eq!(publisher.counters.republished.get(), 0);
    publisher.stop().await;
}

/// A copy of the first `count` rows of a tape: an older backup.
async fn backup(of: &Tape, count: usize) -> Tape {
    let copy = Tape::memory();
    for row in of.read(0, count).await.unwrap() {
        let entry = tape::Entry::market(row.draft, row.recorded_at);
        copy.append(tape::Commit::new(vec![entry])).await.unwrap();
    }
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_tape_is_refused() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    say_much(&tape, 9).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    until("it is out", async || publisher.counters.published_to.get() == 10).await;
    publisher.stop().await;

    let older = backup(&tape, 8).await;
    let Fault::Stuck(why) = Running::publish(&older, &rabbit).await.fault().await else {
        panic!("not stuck")
    };
    assert!(why.contains("holds position 10") && why.contains("ends at position 8"), "{why}");
    assert!(why.contains("docs/OPERATIONS.md"), "{why}");

    // It has gone on by itself, and other things happened on it.
    say_much(&older, 7).await;
    let Fault::Stuck(why) = Running::publish(&older, &rabbit).await.fault().await else {
        panic!("not stuck")
    };
    assert!(why.contains("has another event there"), "{why}");

    // The right one goes on, and nothing was published meanwhile.
    say_much(&tape, 1).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    until("it goes on", async || publisher.counters.published_to.get() == 11).await;
    publisher.stop().await;
    assert_eq!(stream(&url, 11, 1).await, (1..=11).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_holds_another_tape_or_nothing_is_no_hindrance() {
    let (url, tape) = (testkit::rabbitmq(), memory().await);
    let rabbit = connect(&url);
    say_much(&tape, 9).await;
    let publisher = Running::publish(&tape, &rabbit).await;
    until("it is out", async || publisher.counters.published_to.get() == 10).await;
    publisher.stop().await;
    let (elsewhere, beside) = (testkit::rabbitmq(), memory().await);
    let (_, lease) = Running::lease(&beside, Part::Publish).await;
    assert_eq!(lease.cursor.position, 0);
    // The same tape on an empty stream goes on from its cursor.
    say_much(&tape, 1).await;
    let other = connect(&elsewhere);
    let publisher = Running::publish(&tape, &other).await;
    until("it goes on", async || publisher.counters.published_to.get() == 11).await;
    publisher.stop().await;
    assert_eq!(stream(&elsewhere, 11, 1).await, [11]);
}
