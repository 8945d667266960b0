//! Every service in processes of its own, two of each, on a real broker and a real database.

use crate::{
    fleet::{Engine, Market, Plan, Program, alone, checks, compare, load},
    moved,
    outsider::Outsider,
    quarantine,
};
use std::time::Duration;

/// A debug build on a busy machine makes 300 events a second.
pub const LONG: Duration = Duration::from_secs(180);

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
fn a_fleet_trades_as_one_process_does_while_an_outsider_listens() {
    let _alone = alone();
    let mut engine = Engine::prepare(plan(400));
    let mut outsider = Outsider::start(&engine.plan.bus);
    let one = engine.plan.market.in_one_process(&program(), engine.folder());
    assert!(compare::count(&one, "trade.closed") > 5, "something was traded");
    engine.start_all();
    let load = load::Load::start(&engine.plan.bus);
    engine.until("the market goes on", LONG, |engine| engine.is_trading());
    quarantine::poison(&engine);
    engine.until_over(LONG);
    let facts = load.end(LONG);
    checks::broker_is_clean(&mut engine);
    engine.until_settled(LONG);
    let many = checks::trades_as(&engine, &one);
    load::is_whole(&many, facts);
    println!("{} events of one process, {} of the fleet, {facts} facts", one.len(), many.len());
    outsider.has_heard(&many);
    quarantine::is_told(&engine, &many);
    let engine = engine.end();
    moved::there_and_back(&engine);
}
