use crate::stage::{Backend, Rng, Running, Stage, fed, makes, until};
use bus::{Bus, InProcess};
use events::{Clock, Row};
use runtime::distributed::{Count, UnitPhase};
use std::time::Duration;
use tape::chain;

fn total(units: &[Running], count: Count) -> u64 {
    units.iter().map(|unit| unit.count(count)).sum()
}

/// One replica of each toy, caught up.
async fn running(stage: &Stage) -> Vec<Running> {
    let units: Vec<Running> = makes(2).iter().map(|make| stage.start(make, "a")).collect();
    until("all run", async || units.iter().all(|unit| unit.is(&UnitPhase::Running))).await;
    units
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bus_that_loses_most_of_it_costs_reads_of_the_tape_only() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.bus = Bus::InProcess(InProcess::new(1));
    // What is not on the bus is not looked for either: the newest hint is always there.
    stage.limits.poll = Duration::from_secs(3_600);
    stage.limits.save = Duration::ZERO;
    let units = running(&stage).await;
    for n in 0..30 {
        stage.feed(n * 10 + 1..=n * 10 + 10).await;
    }
    stage.quiet(3).await;
    stage.check(300, 2).await;
    assert!(total(&units, Count::GapsRead) > 0);
    assert_eq!(total(&units, Count::Retries), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_bus_costs_a_poll() {
    let stage = Stage::new(Backend::Memory, Clock::Wall).await;
    let units = running(&stage).await;
    for n in 1..=20 {
        stage.append(vec![fed(n)], crate::stage::now(n)).await;
    }
    stage.quiet(3).await;
    stage.check(20, 2).await;
    assert!(total(&units, Count::GapsRead) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_again_and_in_any_order_are_dropped_or_read_from_the_tape() {
    let mut rng = Rng::new();
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.limits.poll = Duration::from_secs(3_600);
    stage.limits.save = Duration::ZERO;
    let units = running(&stage).await;
    for n in 0..60 {
        let mut rows = stage.append(vec![fed(2 * n + 1), fed(2 * n + 2)], crate::stage::now(n)).await;
        let any = rng.below(rows[1].position) as usize;
        rows.extend(stage.tape.read(any as u64, 3).await.unwrap());
        for i in (1..rows.len()).rev() {
            rows.swap(i, rng.below(i as u64 + 1) as usize);
        }
        stage.bus.publish(rows);
    }
    stage.quiet(3).await;
    stage.check(120, 2).await;
    assert!(total(&units, Count::DuplicatesDropped) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_that_does_not_follow_from_what_was_heard_is_not_believed() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.limits.poll = Duration::from_secs(3_600);
    stage.limits.save = Duration::ZERO;
    let units = running(&stage).await;
    stage.feed([1]).await;
    stage.quiet(3).await;
    // Another tape's row, right where the next one would stand.
    let head = stage.tape.head().await.unwrap();
    let forged =
        Row { position: head.position + 1, recorded_at: head.recorded_at, hash: [9; 32], draft: fed(77) };
    let gaps = units[0].count(Count::GapsRead);
    stage.bus.publish([forged]);
    until("it was looked up on the tape", async || units[0].count(Count::GapsRead) > gaps).await;
    stage.feed(2..=9).await;
    stage.quiet(3).await;
    stage.check(9, 2).await;
    assert_eq!(units[0].count(Count::Handled), 9);
}

/// A bus that has outlived its tape: the row follows, but the tape, put back, does not have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tape_that_was_put_back_is_refused_and_not_followed() {
    let mut stage = Stage::new(Backend::Memory, Clock::Wall).await;
    stage.lease = crate::stage::SHORT;
    let units = running(&stage).await;
    stage.feed(1..=4).await;
    stage.quiet(3).await;
    let head = stage.tape.head().await.unwrap();
    let (position, recorded_at, draft) = (head.position + 1, head.recorded_at, fed(5));
    let hash = chain::link(&head.hash, position, recorded_at, &draft);
    stage.bus.publish([Row { position, recorded_at, hash, draft }]);
    until("all are cut off", async || units.iter().all(|unit| unit.trouble().is_some())).await;

    // Nor once the tape has grown beyond that place.
    stage.feed(6..=9).await;
    let refuses = |unit: &Running| {
        unit.trouble()
            .is_some_and(|why| why.contains(&format!("position {position} ")) && why.contains("older copy"))
    };
    until("all say why", async || units.iter().all(refuses)).await;
    let fence = stage.cursor("adder").await.fence;
    until("one has tried again", async || stage.cursor("adder").await.fence > fence + 2).await;
    let rows = stage.rows().await;
    assert!(rows.iter().skip(position as usize - 1).all(|row| row.source == crate::toys::unit("feed")));
}
