//! A database put back to an older copy beside a living stream.

use crate::{
    fleet::{Engine, Market, Plan, alone},
    fleets::{LONG, plan},
};
use std::time::{Duration, Instant};
use testkit::Postgres;

/// For a replica that has not noticed to do harm.
const WHILE: Duration = Duration::from_secs(4);

#[test]
fn an_older_copy_of_the_tape_is_refused_by_everybody() {
    let _alone = alone();
    let server = Postgres::start();
    let whole = Plan { store: server.fresh_database(), replicas: 1, ..plan(60) };
    let (store, bus) = (whole.store.clone(), whole.bus.clone());
    let half = Plan { market: Market::days(31), store: store.clone(), bus: bus.clone(), ..plan(1) };
    play(Plan { replicas: 1, ..half });
    let (address, name) = store.rsplit_once('/').unwrap();
    let admin = format!("{address}/postgres");
    let sql = |sql: String| server.psql(&admin, &sql);
    // The copy of all files, while nobody is connected.
    sql(format!("CREATE DATABASE {name}_copy TEMPLATE {name}"));
    play(Plan {
        store: store.clone(),
        bus: bus.clone(),
        market: whole.market.clone(),
        replicas: 1,
        ..plan(1)
    });
    sql(format!("DROP DATABASE {name}"));
    sql(format!("ALTER DATABASE {name}_copy RENAME TO {name}"));

    let mut engine = Engine::start(whole);
    let (head, _) = engine.eye().marks().unwrap();
    for name in engine.names() {
        engine.until_one_says(&name, 503, "put back to an older copy", LONG);
    }
    let begun = Instant::now();
    engine.until("some time has passed", LONG, |_| begun.elapsed() > WHILE);
    assert_eq!(engine.eye().head(), head, "nothing was appended to the copy");
    for name in engine.names() {
        engine.until_one_says(&name, 503, "put back to an older copy", LONG);
    }
    engine.end();
}

/// To the market's end, published whole.
fn play(plan: Plan) {
    let mut engine = Engine::start(plan);
    engine.until_over(LONG);
    engine.until_settled(LONG);
    engine.end();
}
