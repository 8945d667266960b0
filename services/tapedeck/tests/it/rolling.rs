//! Every replica is restarted, one after the other, while the market goes on.

use crate::{
    fleet::{
        Engine, Market, Plan, alone, checks,
        load::{self, Load},
        watch::Watch,
    },
    fleets::{LONG, plan, program},
};
use std::time::Duration;

const DAYS: u32 = 150;
/// The market lasts until about everybody was restarted.
const ROLLOUT: Duration = Duration::from_secs(25);

#[test]
fn a_rolling_restart_under_load_loses_nothing_and_pauses_no_service_for_long() {
    let _alone = alone();
    let speed = Market::days(DAYS).lasting(ROLLOUT);
    let mut engine = Engine::start(Plan { speed, ..plan(DAYS) });
    let one = engine.plan.market.in_one_process(&program(), engine.folder());
    let load = Load::start(&engine.plan.bus);
    engine.until("the market goes on", LONG, |engine| engine.is_trading());
    engine.until_ready(LONG);
    let watch = Watch::start(&engine.plan.store);
    for name in engine.names() {
        if engine.is_over() || engine.is_done(&name) {
            continue;
        }
        engine.restart(&name);
        // The next one waits for this one, as a rollout does.
        engine.until(&format!("{name} is ready again"), LONG, |engine| {
            engine.is_done(&name) || engine.ready(&name).0 == 200
        });
    }
    let seen = watch.end();
    engine.until_over(LONG);
    let facts = load.end(LONG);
    engine.until_settled(LONG);
    checks::broker_is_clean(&mut engine);
    let many = checks::trades_as(&engine, &one);
    load::is_whole(&many, facts);
    println!("longest pause of each unit while all were restarted:\n{}", seen.pauses());
    let longest = seen.pauses.values().max().copied().unwrap_or_default();
    assert!(longest < Duration::from_secs(10), "{}", seen.pauses());
    assert!(!seen.fences.is_empty(), "units changed hands");
    engine.end();
}
