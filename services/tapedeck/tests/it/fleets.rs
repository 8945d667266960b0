//! Every service in processes of its own, two of each, on a real broker and a real database.

use crate::fleet::{Engine, Market, Plan, Program, alone, checks, compare, load};
use std::time::Duration;

/// A debug build on a busy machine makes 300 events a second.
pub const LONG: Duration = Duration::from_secs(120);

pub fn program() -> Program {
    Program { path: env!("CARGO_BIN_EXE_tapedeck").into(), role: None }
}

/// Two replicas of everything on servers that all tests share.
pub fn plan(days: u32) -> Plan {
    Plan {
        program: program(),
        store: testkit::postgres(),
        bus: testkit::rabbitmq(),
        market: Market::days(days),
        speed: "max".to_owned(),
        replicas: 2,
        detours: Vec::new(),
    }
}

#[test]
fn a_fleet_trades_as_one_process_does() {
    let _alone = alone();
    let mut engine = Engine::start(plan(500));
    let load = load::Load::start(&engine.plan.bus);
    let one = engine.plan.market.in_one_process(&program(), engine.folder());
    assert!(compare::count(&one, "trade.closed") > 5, "something was traded");
    engine.until_over(LONG);
    let facts = load.end(LONG);
    engine.until_settled(LONG);
    checks::broker_is_clean(&mut engine);
    let many = checks::trades_as(&engine, &one);
    load::is_whole(&many, facts);
    println!("{} events of one process, {} of the fleet, {facts} facts", one.len(), many.len());
    engine.end();
}
