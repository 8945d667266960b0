//! Fault simulation of the whole engine: one seed, one run, every promise checked at its end.
//!
//! Each unit runs in two replicas, which are the machines of production: they die at any effect, sleep and
//! wake under old fences; the bus loses, repeats and reorders; the venue is away from the tape, behind a
//! network that delays and loses requests and answers; its account frames come twice, late and out of order.
//! How often, each seed draws for itself ([`weather`]).

mod check;
mod facts;
mod network;
mod owner;
mod report;
mod units;
mod venue;
mod weather;
mod world;

pub use report::Report;

use crate::explain::explain;
use sim::rng::Rng;
use world::World;

/// Steps under faults, before everything is allowed to come to rest.
const STEPS: u32 = 20_000;

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
    use super::{Report, report::Tally};

    /// A failing seed is printed; `tapedeck simulate --seed N` runs it again.
    #[test]
    fn no_order_is_sent_twice_and_no_fill_is_lost_whatever_fails() {
        let mut met = Report::default();
        for seed in 0..300 {
            match super::run(seed) {
                Ok(report) => met.add(&report),
                Err(broken) => panic!("seed {seed}: {broken}"),
            }
        }
        println!("{met}");
        let least = |tally: &Tally, wanted: &[(&str, u64)]| {
            for (what, least) in wanted {
                let times = tally.of(what);
                assert!(times >= *least, "{what}: {times} times, {least} at least were to be met\n{met}");
            }
        };
        assert!(met.trades >= 2_250 && met.orders >= 6_000 && met.fills >= 4_000, "{met}");
        least(&met.faults, FAULTS);
        least(&met.kinds, ORDERS);
        least(&met.tape, EVENTS);
    }

    const FAULTS: &[(&str, u64)] = &[
        ("account frames that one ingestor lost", 1_000),
        ("answers that never came", 700),
        ("cancels outside their window", 500),
        ("deaths on the way back from the tape", 300),
        ("deaths with a commit just recorded", 800),
        ("deaths with a commit to be recorded", 800),
        ("lookups that failed", 400),
        ("lookups that found nothing", 3_000),
        ("messages that took seconds", 4_000),
        ("orders canceled at the venue", 100),
        ("other deaths", 1_000),
        ("replicas that slept", 1_000),
        ("replicas that were refused", 1_500),
        ("requests outside their window", 2_000),
        ("requests that never arrived", 400),
        ("rows that the bus gave again", 50_000),
        ("rows that the bus lost", 50_000),
        ("snapshots", 8_000),
        ("stops in good order", 1_500),
    ];
    const ORDERS: &[(&str, u64)] = &[
        ("by hand", 300),
        ("entry", 1_500),
        ("exit", 800),
        ("lists of two", 1_000),
        ("stop", 1_000),
        ("take profit", 400),
    ];
    const EVENTS: &[(&str, u64)] = &[
        ("control.trading_state_changed", 700),
        ("order.absent", 1_500),
        ("order.cancel_attempted", 1_000),
        ("order.cancel_rejected", 10),
        ("order.cancel_requested", 500),
        ("order.refused", 800),
        ("order.rejected", 150),
        ("order.stuck", 800),
        ("order.unknown", 800),
        ("trade.close_requested", 2_000),
        ("trade.request_repeated", 300),
        ("trade.stop_move_refused", 200),
        ("trade.stop_move_requested", 500),
        ("trade.unprotected", 1_000),
    ];
}
