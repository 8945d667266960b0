//! Distributed units, in one process on a tape in memory, trade as one process does.

use crate::fleet::compare;
use market_data::{Feed, MarketSpec};
use runtime::{
    distributed::{self, Limits, Replica, UnitStatus, leadership::Leadership},
    market::{Market, Pace},
    paced_feed::PacedFeed,
    reached::Reached,
};
use settings::Settings;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tape::{Row, Tape};
use tapedeck::{
    cli::RunVenue,
    deployment::{self, Core, Service},
    units,
};
use tokio::{sync::watch, task::JoinSet};

const LEASE: Duration = Duration::from_secs(30);

fn spec() -> MarketSpec {
    "synthetic:1:100".parse().unwrap()
}

fn feed() -> Feed {
    let market = market_data::open(&spec()).unwrap();
    Feed::new(market.market, market.rules, None, None)
}

async fn one(tape: Tape, settings: &Settings) -> Vec<Row> {
    let describe = spec().to_string();
    let (_stop, stopped) = watch::channel(false);
    let run = Market {
        tape: tape.clone(),
        hosts: units::all(settings).unwrap(),
        feed: feed(),
        source: units::feed(),
        tape_id: units::tape_id(&describe, settings),
        describe,
        build: "one".into(),
        owner: "one".into(),
        pace: Pace::Max,
        reached: Reached::default(),
        observer: None,
        external: None,
        hands: None,
    };
    run.run(stopped).await.unwrap();
    tape.read(0, usize::MAX).await.unwrap()
}

/// Until the market is over, or killed in the middle of a step once the tape is so long.
async fn many(tape: Tape, settings: &Settings, killed_at: Option<u64>) -> Vec<Row> {
    let bus = bus::Bus::in_process();
    let (stop, stopped) = watch::channel(false);
    let limits = Limits { poll: Duration::from_millis(1), ..Limits::default() };
    let mut tasks = JoinSet::new();
    let cores =
        deployment::cores_of(settings, &Service::all(RunVenue::VenuePaper), RunVenue::VenuePaper).unwrap();
    let units = cores.iter().map(|core| core.unit).collect();
    for Core { unit, make, .. } in cores {
        let (tape, bus, limits) = (tape.clone(), bus.clone(), limits.clone());
        let (owner, status) = ("a".to_owned(), UnitStatus::new(unit, "a"));
        let leadership = Leadership { tape, bus, unit, owner, lease: LEASE, status, limits, opens: false };
        let replica = Replica { leadership, make, build: "one".to_owned(), hands: None };
        tasks.spawn(distributed::run(replica, stopped.clone()));
    }
    let unit = units::feed();
    let status = UnitStatus::new(unit, "a");
    let (owner, tape_too) = ("a".to_owned(), tape.clone());
    let over = watch::Sender::new(false);
    let mut is_over = over.subscribe();
    let describe = spec().to_string();
    let paced_feed = PacedFeed {
        leadership: Leadership {
            tape: tape_too,
            bus,
            unit,
            owner,
            lease: LEASE,
            status,
            limits,
            opens: true,
        },
        make: Arc::new(|| Ok(feed())),
        units,
        tape_id: units::tape_id(&describe, settings),
        describe,
        build: "one".into(),
        pace: Pace::Max,
        over,
    };
    tasks.spawn(paced_feed.run(stopped));
    if let Some(killed_at) = killed_at {
        let mut commits = tape.watch();
        while tape.head().await.unwrap().position < killed_at || stand(&tape).await.len() < 2 {
            commits.changed().await.unwrap();
        }
        tasks.shutdown().await;
        return tape.read(0, usize::MAX).await.unwrap();
    }
    is_over.wait_for(|over| *over).await.unwrap();
    stop.send(true).unwrap();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    tape.read(0, usize::MAX).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn units_apart_say_what_one_process_says() {
    let settings = Settings::load(None, units::EDGES).unwrap();
    let one = one(Tape::memory(), &settings).await;
    let many = many(Tape::memory(), &settings, None).await;
    assert_eq!(compare::difference(&one, &many, "elsewhere"), None);
    assert_eq!(one.len(), many.len());
    assert!(compare::count(&one, "trade.opened") > 0, "something was traded");

    // The comparison notices one event that is missing, one too many, and one that says something else.
    let place = many.iter().rposition(|row| row.draft.kind == "order.filled").unwrap();
    let told = |rows: &[Row]| compare::difference(&one, rows, "elsewhere").unwrap_or_default();
    let (mut less, mut more, mut other) = (many.clone(), many.clone(), many.clone());
    less.remove(place);
    let mut again = many[place].clone();
    again.draft.id = events::Uuid::from_u128(1);
    more.push(again);
    other[place].draft.subject.push('x');
    assert!(told(&less).contains("missing: order.filled"), "{}", told(&less));
    assert!(told(&more).contains("added: order.filled"), "{}", told(&more));
    assert!(told(&other).contains("other: order.filled"), "{}", told(&other));
}

/// Where the units stand.
async fn stand(tape: &Tape) -> BTreeSet<u64> {
    tape.cursors().await.unwrap().iter().map(|cursor| cursor.position).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_goes_on_where_a_killed_fleet_has_left_each_unit_elsewhere() {
    let settings = Settings::load(None, units::EDGES).unwrap();
    let whole = one(Tape::memory(), &settings).await;
    let mut uneven = 0;
    for part in 1..10 {
        let tape = Tape::memory();
        let left = many(tape.clone(), &settings, Some(whole.len() as u64 * part / 10)).await;
        assert!(left.len() < whole.len());
        let stood = stand(&tape).await;
        uneven += u32::from(stood.len() > 1);
        let gone_on = one(tape, &settings).await;
        assert_eq!(compare::difference(&whole, &gone_on, "elsewhere"), None, "left at {stood:?}");
    }
    assert!(uneven > 2, "killed between two steps nearly each time: {uneven}");
}
