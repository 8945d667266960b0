//! Killing, stopping and cutting off at random moments, and what must hold afterwards.

mod faults;
mod report;

pub use report::Report;

use super::{
    Engine, Market, Plan, Program, Servers, checks,
    load::{self, Load},
    seed::Seed,
    watch::Watch,
};
use faults::{Fault, Harm, Target};
use std::time::{Duration, Instant};

/// What one run suffers.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kills and stops.
    pub kills: u32,
    /// The longest pause between two of them.
    pub gap: Duration,
    /// How long whoever is stopped stays so.
    pub stop: Duration,
    /// How long the market is.
    pub days: u32,
    /// Which run it is: the special faults take turns.
    pub run: u32,
    /// Whether all special faults happen, or the deleted queue only.
    pub all: bool,
    /// For the market to end, and for everything to settle after it.
    pub patience: Duration,
}

/// One market under faults, from its beginning to its end and the proof that nothing is lost or doubled.
///
/// # Panics
/// If any of that does not hold.
pub fn run(program: &Program, servers: Servers, options: &Options, seed: &mut Seed) -> (Report, Servers) {
    let market = Market::days(options.days);
    let faults = plan_of(options, seed);
    let speed = market.lasting(lasting(options, faults.len()));
    let (store, bus) = (servers.store_through_proxy(), servers.bus_through_proxy());
    let detours = ["position-sizer-a", "venue-paper-b", "event-logger-a", "order-tracker-a"];
    let plan = Plan {
        program: program.clone(),
        store: servers.store.clone(),
        bus: servers.bus.clone(),
        market: market.clone(),
        speed,
        replicas: 2,
        detours: detours.map(|name| (name.to_owned(), store.clone(), bus.clone())).into(),
    };
    let engine = Engine::start(plan);
    let one = market.in_one_process(program, engine.folder());
    let load = Load::start(&servers.bus);
    let watch = Watch::start(&servers.store);
    let mut harm = Harm::new(servers, engine, load, options.stop);
    harm.engine.until("the market goes on", options.patience, |engine| engine.is_trading());

    for fault in faults {
        harm.wait(Duration::from_millis(200 + seed.below(options.gap.as_millis() as u64)));
        harm.inflict(fault, seed);
    }
    harm.heal();

    let begun = Instant::now();
    let Harm { servers, mut engine, load, mut report, lost_with_queue, .. } = harm;
    engine.until_over(options.patience);
    let facts = load.end(options.patience);
    // What was deleted with the queue is read again, as it is after a gap in the venue's stream.
    load::read_again(&servers.bus, lost_with_queue);
    engine.until_settled(options.patience);
    checks::broker_is_clean(&mut engine);
    let seen = watch.end();
    let many = checks::trades_as(&engine, &one);
    load::is_whole(&many, facts);
    report.finish(&seen, &many, facts, begun.elapsed());
    report.ended_by_themselves = std::mem::take(&mut engine.deaths);
    engine.end();
    (report, servers)
}

/// How long the market must last so that it does not end before the faults do: their pauses, and what
/// servers need to start and proxies to stand.
fn lasting(options: &Options, faults: usize) -> Duration {
    let besides = if options.all { 60 } else { 10 };
    options.gap * (faults as u32) * 3 / 4 + options.stop + Duration::from_secs(besides)
}

/// Kills and stops, and the special faults at random places between them.
fn plan_of(options: &Options, seed: &mut Seed) -> Vec<Fault> {
    let mut faults: Vec<Fault> = (0..options.kills).map(|_| Fault::random(seed)).collect();
    let queue = if options.run.is_multiple_of(2) { "ingest" } else { "tape" };
    let mut special = vec![Fault::DeleteQueue(queue)];
    if options.all {
        let exchange = if options.run.is_multiple_of(2) { "tape" } else { "ingest" };
        special.extend([
            Fault::MemoryAlarm,
            Fault::DeleteExchange(exchange),
            Fault::CloseConnections,
            Fault::HalfOpen,
            Fault::Reset,
        ]);
    } else {
        // A short run shows each kind of harm.
        faults.truncate(faults.len().saturating_sub(3));
        let (service, broker, database) = (Target::Service, Target::RabbitMq, Target::PostgreSql);
        special.extend([Fault::Stop(service), Fault::Kill(broker), Fault::Kill(database)]);
    }
    for one in special {
        let place = seed.below(faults.len() as u64 + 1) as usize;
        faults.insert(place, one);
    }
    faults
}
