use crate::stage::{BACKENDS, Backend, Rng, SHORT, Stage, makes};
use events::Clock;
use tokio::task::yield_now;

const CANDLES: u64 = 300;

/// Replicas die at any moment: some come back under their own name, which is the same lease again,
/// and for some the other one takes over once the lease has run out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_that_die_at_any_moment_lose_nothing_and_double_nothing() {
    let mut rng = Rng::new();
    for backend in BACKENDS {
        let mut stage = Stage::new(backend, Clock::Wall).await;
        stage.lease = SHORT;
        dying(&stage, &mut rng).await;
        stage.quiet(3).await;
        stage.check(CANDLES, 2).await;
    }
}

async fn dying(stage: &Stage, rng: &mut Rng) {
    let makes = makes(2);
    let mut units = stage.start_all(2);
    let mut fed = 0;
    let mut deaths = 0;
    while fed < CANDLES {
        let some = (1 + rng.below(4)).min(CANDLES - fed);
        stage.feed(fed + 1..=fed + some).await;
        fed += some;
        for _ in 0..rng.below(60) {
            yield_now().await;
        }
        let victim = rng.below(units.len() as u64) as usize;
        let owner = units[victim].status.owner().to_owned();
        units.remove(victim).kill().await;
        units.insert(victim, stage.start(&makes[victim / 2], &owner));
        deaths += 1;
    }
    assert!(deaths > 50, "only {deaths} deaths");
    // The last to die leaves its lease to the other.
    for pair in (0..3).rev() {
        units.remove(pair * 2).kill().await;
    }
    stage.feed([fed + 1]).await;
    stage.quiet(3).await;
    stage.check(CANDLES + 1, 2).await;
    std::mem::drop(units);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_alone_that_dies_after_every_candle_goes_on_where_it_was() {
    let stage = Stage::new(Backend::Memory, Clock::Market).await;
    let makes = makes(1);
    for n in 1..=30 {
        let units: Vec<_> = makes.iter().map(|make| stage.start(make, "a")).collect();
        stage.feed([n]).await;
        stage.quiet(3).await;
        for unit in units {
            unit.kill().await;
        }
    }
    stage.check(30, 1).await;
}
