//! Broker and database away for long: nothing is lost, health says so, and all catch up.

use crate::{
    fleet::{
        Engine, Market, Plan, Servers, alone, checks,
        load::{self, Load},
    },
    fleets::{LONG, plan, program},
};
use std::time::{Duration, Instant};

/// Stands for the ten minutes of a real absence: longer than any lease, heartbeat and server timeout
/// that takes part.
const ABSENCE: Duration = Duration::from_secs(15);
/// More often than the broker delivers anything before it gives it up (20).
const RESTARTS: usize = 22;
const DAYS: u32 = 100;

#[test]
fn broker_and_database_may_be_away_for_long() {
    let _alone = alone();
    let mut servers = Servers::start();
    let market = Market::days(DAYS);
    let plan = Plan {
        store: servers.store.clone(),
        bus: servers.bus.clone(),
        // The market is still going on when both have been away, also where a broker starts slowly.
        speed: market.lasting(5 * ABSENCE),
        ..plan(DAYS)
    };
    let mut engine = Engine::start(plan);
    let one = engine.plan.market.in_one_process(&program(), engine.folder());
    let load = Load::start(&servers.bus);
    engine.until("the market goes on", LONG, |engine| engine.is_trading());
    engine.until_ready(LONG);

    let before = engine.eye().head().position;
    servers.rabbit.kill();
    away(&mut engine, "\"connected\":false");
    let without = engine.eye().head().position;
    assert!(without > before, "without the broker the tape still goes on: {before} to {without}");
    servers.rabbit.start_again();
    engine.until_ready(LONG);

    servers.postgres.kill();
    away(&mut engine, "the tape postgres");
    for _ in 0..RESTARTS {
        for name in ["event-logger-a", "event-logger-b"] {
            engine.kill(name);
        }
        engine.tend();
        engine.until("the recorders have begun", LONG, |engine| {
            ["event-logger-a", "event-logger-b"].iter().all(|name| engine.ready(name).0 == 503)
        });
    }
    servers.postgres.start_again();
    engine.until_ready(LONG);

    engine.until_over(LONG);
    let facts = load.end(LONG);
    engine.until_settled(LONG);
    checks::broker_is_clean(&mut engine);
    let many = checks::trades_as(&engine, &one);
    load::is_whole(&many, facts);
    engine.end();
}

/// For as long as an absence lasts, at its end every replica that works says that, and all live.
fn away(engine: &mut Engine, words: &str) {
    let end = Instant::now() + ABSENCE;
    engine.until("the absence is over", LONG, |_| Instant::now() > end);
    for name in engine.names() {
        // Whoever stands by hears nothing, and so misses no broker.
        let standing_by = engine.ready(&name).1["units"]
            .as_array()
            .is_some_and(|units| !units.is_empty() && units.iter().all(|unit| unit["phase"] == "standby"));
        if !standing_by {
            engine.until_one_says(&name, 503, words, Duration::from_secs(10));
        }
    }
    assert!(engine.deaths.is_empty(), "{:?}", engine.deaths);
}
