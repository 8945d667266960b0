use crate::stage::{BACKENDS, Backend, LONG, Running, SHORT, Stage, lockstep, until};
use domain::Timestamp;
use events::{Clock, Event, Recorded};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_apart_say_what_they_say_in_lockstep_however_much_has_gathered() {
    for backend in BACKENDS {
        let stage = Stage::new(backend, Clock::Wall).await;
        let units = stage.start_all(2);
        for n in 1..=90 {
            stage.feed([n]).await;
        }
        stage.feed(91..=150).await;
        stage.quiet(3).await;
        stage.check(150, 2).await;
        for unit in units {
            unit.stop().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_market_clock_each_step_waits_for_all_and_times_are_the_causes() {
    for backend in BACKENDS {
        let mut stage = Stage::new(backend, Clock::Market).await;
        // There, a cursor that moved is saved at once.
        stage.limits.save = LONG;
        let units = stage.start_all(3);
        for n in 1..=40 {
            stage.feed([n]).await;
            stage.quiet(3).await;
        }
        stage.check(40, 3).await;
        let timed = |rows: Vec<Recorded>| {
            let said = rows.into_iter().filter(|r| r.cause.is_some());
            let mut said: Vec<(Timestamp, Timestamp, String, Event)> =
                said.map(|r| (r.recorded_at, r.at, r.source.to_string(), r.event)).collect();
            said.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
            said
        };
        assert_eq!(timed(stage.rows().await), timed(lockstep(40, 3)));
        for unit in units {
            unit.stop().await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_wait_for_a_tape_that_nobody_has_opened_yet() {
    let mut stage = Stage::unopened(Backend::Memory, Clock::Wall).await;
    stage.lease = SHORT;
    let units = stage.start_all(1);
    let waits = |unit: &Running| unit.trouble().is_some_and(|why| why.contains("empty"));
    until("all wait", async || units.iter().all(waits)).await;
    stage.open().await;
    stage.feed(1..=5).await;
    stage.quiet(3).await;
    stage.check(5, 1).await;
}
