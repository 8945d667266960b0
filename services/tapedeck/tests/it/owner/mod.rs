//! A fleet at our exchange, and its owner's hand: orders of the engine's are made smaller, replaced, canceled and
//! joined by others, balances move, rules change, processes are killed, all at moments that a seed draws.
//! At the end each held amount is covered or said to be not, nothing is stuck, and nothing has halted.

mod checks;
mod hand;
mod world;

use crate::fleet::{alone, seed::Seed};
use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use testkit::wait_for;
use world::World;

const LONG: Duration = Duration::from_secs(180);
/// Without the owner's hand everything comes to rest within this.
const REST: Duration = Duration::from_secs(120);

/// One run; panics with what does not hold, and the seed.
fn run(seed: u64, acting: Duration) -> String {
    let mut chance = Seed::of(seed);
    let mut world = World::begin(seed);
    let mut hand = hand::Hand::default();
    world.start();
    wait_for("a trade is protected", LONG, || world.protected() > 0);
    let end = Instant::now() + acting;
    while Instant::now() < end {
        hand.act(&mut world, &mut chance);
        thread::sleep(Duration::from_millis(200 + chance.below(2_500)));
    }
    hand.rest(&mut world);
    world.command(&["trading", "reducing", "--why", "the owner's hand rests"]);
    checks::comes_to_rest(&world, REST);
    // It is the same for whoever comes back to it.
    world.kill();
    world.start();
    checks::comes_to_rest(&world, REST);
    let report = checks::whole(&mut world, &hand);
    world.end();
    format!("seed {seed}: {report}; {}", hand.told())
}

/// Runs so many, some at a time, and prints each; panics if one does not hold.
fn runs(seeds: impl Iterator<Item = u64>, at_once: usize, acting: Duration) {
    let seeds = Arc::new(Mutex::new(seeds.collect::<Vec<_>>().into_iter()));
    let workers: Vec<_> = (0..at_once)
        .map(|_| {
            let seeds = Arc::clone(&seeds);
            thread::spawn(move || {
                let mut broken = Vec::new();
                loop {
                    let Some(seed) = seeds.lock().ok().and_then(|mut seeds| seeds.next()) else {
                        return broken;
                    };
                    match thread::spawn(move || run(seed, acting)).join() {
                        Ok(report) => println!("{report}"),
                        Err(_) => {
                            println!("seed {seed}: BROKEN, see above");
                            broken.push(seed);
                        }
                    }
                }
            })
        })
        .collect();
    let broken: Vec<u64> = workers.into_iter().flat_map(|worker| worker.join().expect("a worker")).collect();
    assert!(broken.is_empty(), "these seeds do not hold: {broken:?}");
}

#[test]
fn what_an_owner_does_at_the_exchange_leaves_no_holding_without_a_stop_or_a_word() {
    let _alone = alone();
    runs([1].into_iter(), 1, Duration::from_secs(20));
}

/// `./test.sh --long owner`: TAPEDECK_RUNS seeds (50) from TAPEDECK_SEED (1) on, TAPEDECK_AT_ONCE (2) at a time.
#[test]
#[ignore = "fifty runs take half an hour: ./test.sh --long owner"]
fn fifty_owners_do_what_they_like() {
    let given =
        |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (first, runs_wanted) = (given("TAPEDECK_SEED", 1), given("TAPEDECK_RUNS", 50));
    let at_once = usize::try_from(given("TAPEDECK_AT_ONCE", 2)).unwrap_or(2);
    runs(first..first + runs_wanted, at_once, Duration::from_secs(30));
}
