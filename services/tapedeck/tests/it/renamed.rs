//! The name of a unit decides nothing: its core does, and its configuration.

use crate::support::*;
use domain::UnitName;
use market_data::Feed;
use runtime::{
    market::{Market, Pace},
    reached::Reached,
};
use settings::Settings;
use tape::Mode;
use tapedeck::units;
use tokio::sync::watch;

const TAPE: &str = "tapedeck-data/it.tape";

/// Plays a part of the market, up to `to`, with every unit under a name of its own.
async fn play(place: &Place, to: &str, name: fn(usize, UnitName) -> UnitName) {
    let settings = Settings::load(None, units::EDGES).unwrap();
    let market = market_data::open(&MARKET.parse().unwrap()).unwrap();
    let hosts = units::all(&settings).unwrap().into_iter().enumerate().map(|(n, host)| {
        let mut started = host.started("", 0, 0);
        started.unit = name(n, started.unit);
        units::of_core(&started).unwrap()
    });
    let tape = place.tape(TAPE, Mode::Write).await;
    let (_stop, stopped) = watch::channel(false);
    let run = Market {
        tape: tape.clone(),
        hosts: hosts.collect(),
        feed: Feed::new(market.market, market.rules, None, Some(to.parse().unwrap())),
        source: units::feed(),
        tape_id: units::tape_id(MARKET, &settings),
        describe: MARKET.to_owned(),
        build: units::BUILD.to_owned(),
        owner: "it".to_owned(),
        pace: Pace::Max,
        reached: Reached::default(),
        observer: None,
        external: None,
        hands: None,
    };
    run.run(stopped).await.unwrap();
    tape.close().await.unwrap();
}

async fn played(name: fn(usize, UnitName) -> UnitName) -> Place {
    let place = Place::new();
    place.write("tapedeck-data/here", "");
    play(&place, "2024-04-01T00:00:00Z", name).await;
    play(&place, "2030-01-01T00:00:00Z", name).await;
    place
}

/// The tape's own units, each under the name of another one.
fn swapped(n: usize, _: UnitName) -> UnitName {
    const NAMES: [&str; 9] = [
        "edge70-signals",
        "position-sizer",
        "venue-paper",
        "order-gateway",
        "trade-planner",
        "edge-signal-to-tas-bridge",
        "venue-paper-main",
        "unit",
        "x-signals",
    ];
    UnitName::new(NAMES[n]).unwrap()
}

#[tokio::test]
async fn units_under_other_names_trade_and_are_shown_as_before() {
    let plain = played(|_, name| name).await;
    let renamed = played(swapped).await;
    let trade = plain.run("trades --json").well().list().first().map(|t| text(&t["trade"]).to_owned());
    let why = format!("why {} --json", trade.expect("something was traded"));
    for line in [
        "trades --json",
        "trades --edge edge70",
        "orders --json",
        "positions --json",
        "portfolio --json",
        "signals --edge edge70 --json",
        "report --json",
    ] {
        let (plain, renamed) = (plain.run(line).well(), renamed.run(line).well());
        assert_eq!(plain.out, renamed.out, "{line}");
    }
    let kinds = |place: &Place| format!("{:?}", texts(&place.run(&why).well().list(), "kind"));
    assert_eq!(kinds(&plain), kinds(&renamed));
    for line in ["verify", "replay"] {
        renamed.run(line).well();
    }
}

#[tokio::test]
async fn a_unit_of_a_core_that_this_build_lacks_is_named_with_its_core() {
    let settings = Settings::load(None, units::EDGES).unwrap();
    let mut started = units::all(&settings).unwrap()[0].started("", 0, 0);
    started.core = "astrology".to_owned();
    let error = units::of_core(&started).err().expect("no such core").to_string();
    assert!(error.contains("a core 'astrology' that this build does not have"), "{error}");
}
