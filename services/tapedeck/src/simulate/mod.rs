//! Fault simulation of the whole engine: one seed, one run, every promise checked at its end.
//!
//! Each unit runs in two replicas that crash, sleep and wake under old fences; the bus loses,
//! repeats and reorders; the venue is away from the tape, behind a network that delays and loses
//! requests and answers; its account frames come twice, late and out of order.

mod check;
mod facts;
mod venue;
mod world;

use crate::explain::explain;
use serde::Serialize;
use sim::rng::Rng;
use std::fmt;
use world::World;

/// Steps under faults, before everything is allowed to come to rest.
const STEPS: u32 = 20_000;

/// What one run met and did.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Report {
    pub events: u64,
    pub trades: u64,
    pub orders: u64,
    pub fills: u64,
    /// Requests or answers that the network swallowed.
    pub lost: u64,
    pub crashes: u64,
    /// Replicas that woke under an old fence and were refused.
    pub fenced: u64,
    pub duplicates: u64,
    pub gaps: u64,
}

impl Report {
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.trades += other.trades;
        self.orders += other.orders;
        self.fills += other.fills;
        self.lost += other.lost;
        self.crashes += other.crashes;
        self.fenced += other.fenced;
        self.duplicates += other.duplicates;
        self.gaps += other.gaps;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events, {} trades, {} orders, {} fills; {} requests or answers lost, {} crashes, {} sleepers refused, {} duplicates, {} gaps",
            self.events,
            self.trades,
            self.orders,
            self.fills,
            self.lost,
            self.crashes,
            self.fenced,
            self.duplicates,
            self.gaps
        )
    }
}

/// Runs one seed.
///
/// # Errors
/// A broken promise, in words; a panic anywhere in the engine is one.
pub fn run(seed: u64) -> Result<Report, String> {
    std::panic::catch_unwind(|| {
        let (world, result) = play(seed);
        result.map(|()| world.report())
    })
    .unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// Everything that happened on the tape of a seed, in words, one event a line.
pub fn story(seed: u64) -> Vec<String> {
    let (world, _) = play(seed);
    world.cluster.tape.look(|rows| {
        rows.iter()
            .map(|row| {
                let words = row.decode().map_or_else(|e| e.to_string(), |r| explain(&r.event));
                format!("{:>6} {} {:<18} {words}", row.position, row.recorded_at, row.draft.source)
            })
            .collect()
    })
}

fn play(seed: u64) -> (World, Result<(), String>) {
    let mut rng = Rng::new(seed);
    let mut world = World::new(&mut rng);
    for _ in 0..STEPS {
        world.step(&mut rng);
    }
    let result = world.come_to_rest(&mut rng).and_then(|()| check::all(&world));
    (world, result)
}

#[cfg(test)]
mod tests {
    /// A failing seed is printed; `tapedeck simulate --seed N` runs it again.
    #[test]
    fn no_order_is_sent_twice_and_no_fill_is_lost_whatever_fails() {
        let mut met = super::Report::default();
        for seed in 0..300 {
            match super::run(seed) {
                Ok(report) => met.add(&report),
                Err(broken) => panic!("seed {seed}: {broken}"),
            }
        }
        // The faults were really met.
        assert!(met.trades > 150 && met.fills > 250, "{met:?}");
        assert!(met.lost > 500 && met.crashes > 20_000 && met.fenced > 10_000, "{met:?}");
    }
}
