use crate::{
    stage::{BACKENDS, Backend, Elsewhere, LONG, Running, SHORT, Stage, make, until},
    toys::{counter, gate, unit},
};
use events::Clock;
use runtime::distributed::UnitPhase;
use std::time::Duration;

async fn until_runs(unit: &Running) {
    until("it runs", async || unit.is(&UnitPhase::Running)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_one_speaks_and_the_other_stands_by() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let make = make(|| counter(1));
    let a = stage.start(&make, "a");
    until_runs(&a).await;
    let b = stage.start(&make, "b");
    stage.feed(1..=10).await;
    stage.quiet(1).await;
    assert_eq!((a.status.phase(), b.status.phase()), (UnitPhase::Running, UnitPhase::Standby));
    assert_eq!(b.status.cursor(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_with_nothing_to_say_keeps_its_lease() {
    let mut stage = Stage::new(Backend::Sqlite, Clock::Wall).await;
    stage.lease = Duration::from_secs(3);
    let a = stage.start(&make(|| counter(1)), "a");
    until_runs(&a).await;
    let first = stage.cursor("counter").await;
    until("it was renewed, and again", async || {
        stage.cursor("counter").await.lease_until > first.lease_until.map(|until| until + stage.lease / 2)
    })
    .await;
    let now = stage.cursor("counter").await;
    assert_eq!((now.owner.as_deref(), now.fence), (Some("a"), first.fence));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_lets_the_other_in_long_before_the_lease_would_end() {
    for backend in BACKENDS {
        let mut stage = Stage::new(backend, Clock::Wall).await;
        stage.lease = Duration::from_secs(6);
        let make = make(|| counter(1));
        let a = stage.start(&make, "a");
        until_runs(&a).await;
        let b = stage.start(&make, "b");
        until("b has looked", async || b.is(&UnitPhase::Standby)).await;
        stage.feed(1..=3).await;
        a.stop().await.unwrap();
        until_runs(&b).await;
        stage.feed(4..=5).await;
        stage.quiet(1).await;
        assert_eq!(stage.cursor("counter").await.owner.as_deref(), Some("b"));
        stage.verify(vec![counter(1)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_whose_unit_was_taken_from_it_stands_by_and_comes_back() {
    for backend in BACKENDS {
        let mut stage = Stage::new(backend, Clock::Wall).await;
        stage.lease = SHORT;
        let a = stage.start(&make(|| counter(1)), "a");
        stage.feed(1..=5).await;
        stage.quiet(1).await;
        stage.tape.acquire(unit("counter"), "somebody", LONG, true).await.unwrap();
        stage.feed(6..=9).await;
        until("it stands by", async || a.is(&UnitPhase::Standby)).await;
        let theirs = stage.cursor("counter").await;
        assert_eq!((theirs.owner.as_deref(), theirs.position < stage.head().await), (Some("somebody"), true));
        stage.tape.release(unit("counter"), theirs.fence).await.unwrap();
        stage.quiet(1).await;
        stage.verify(vec![counter(1)]).await;
        let said =
            stage.rows().await.iter().filter(|r| r.source == unit("counter") && r.cause.is_some()).count();
        assert_eq!(said, 9);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tape_refuses_a_replica_that_does_not_know_yet_that_it_was_replaced() {
    for backend in BACKENDS {
        // It would look at its lease in some minutes.
        let stage = Stage::new(backend, Clock::Wall).await;
        let a = stage.start(&make(|| counter(1)), "a");
        stage.feed(1..=5).await;
        stage.quiet(1).await;
        let theirs = stage.tape.acquire(unit("counter"), "somebody", LONG, true).await.unwrap();
        stage.feed(6..=9).await;
        until("it stands by", async || a.is(&UnitPhase::Standby)).await;
        assert_eq!(stage.rows().await.iter().filter(|r| r.cause.is_some()).count(), 5);
        assert_eq!(stage.cursor("counter").await, theirs);
        a.stop().await.unwrap();
    }
}

/// A process that was stopped in the middle of its work and wakes under an old fence.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_wakes_after_its_lease_has_nothing_to_say() {
    for (backend, every) in [(Backend::Memory, 1_001), (Backend::Sqlite, 1_002)] {
        let mut stage = Stage::new(backend, Clock::Wall).await;
        stage.lease = SHORT;
        let gate = gate::close(every, 3);
        let make = make(move || counter(every));
        let a = Elsewhere::start(stage.replica(&make, "a"));
        until("it runs", async || a.status.phase() == UnitPhase::Running).await;
        let b = stage.start(&make, "b");
        stage.feed(1..=every).await;
        until("a sleeps in the middle of a candle", async || gate.is_reached()).await;
        until("b speaks", async || b.is(&UnitPhase::Running)).await;
        stage.quiet(1).await;
        let head = stage.head().await;
        assert_eq!(a.status.phase(), UnitPhase::Running, "it does not know");
        gate.open();
        until("a stands by", async || a.status.phase() == UnitPhase::Standby).await;
        assert_eq!(stage.head().await, head, "a said nothing");
        assert_eq!(stage.cursor("counter").await.owner.as_deref(), Some("b"));
        stage.feed(every + 1..=2 * every).await;
        stage.quiet(1).await;
        stage.verify(vec![counter(every)]).await;
        let rows = stage.rows().await;
        let said = rows.iter().filter(|r| r.source == unit("counter") && r.cause.is_some()).count();
        assert_eq!(said, 2);
        a.stop();
        b.stop().await.unwrap();
    }
}
