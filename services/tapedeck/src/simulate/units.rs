//! The units of the simulation, its accounts, and what trades on them.

use crate::units;
use domain::{Account, Asset, Decimal};
use settings::Settings;
use sim::{cluster::Make, rng::Rng};
use std::{collections::BTreeMap, sync::Arc};

/// Two accounts at one venue, three edges that trade within minutes.
const SETTINGS: &str = include_str!("simulated.toml");
const STOP: &str = r#"{ kind = "stop_limit", stop = 0.04, limit_below = 0.2 }"#;
/// Its stop follows the market, and it is held for minutes.
const FOLLOWS: &str =
    r#"{ kind = "stop_limit", stop = 0.04, limit_below = 0.2, trailing = 0.03, time_limit = "8m" }"#;
const OCO: &str = r#"{ kind = "oco", stop = 0.03, stop_limit = 0.08, take_profit = 0.02 }"#;

pub fn accounts() -> [Account; 2] {
    ["binance:main", "binance:second"].map(|name| name.parse().unwrap_or_else(|e| unreachable!("{e}")))
}
/// What everything is paid in.
pub fn quote() -> Asset {
    "USDT".parse().unwrap_or_else(|e| unreachable!("{e}"))
}
/// Of it, on each account at the beginning.
pub fn cash() -> Decimal {
    Decimal::from(10_000)
}

pub fn venue(account: Account) -> venue_paper::Config {
    let mut config = venue_paper::Config::new(account);
    config.balances = BTreeMap::from([(quote(), cash())]);
    config
}

/// All but the venue. How each edge enters and leaves its trades is drawn.
///
/// # Panics
/// Never: the configuration is built in.
pub fn all(rng: &mut Rng) -> Vec<Make> {
    let mut text = SETTINGS.to_owned();
    for (entry, exit) in [("ENTRY1", "EXIT1"), ("ENTRY2", "EXIT2"), ("ENTRY3", "EXIT3")] {
        text = text.replace(exit, [OCO, OCO, STOP, FOLLOWS][rng.index(4)]);
        text = text.replace(entry, if rng.chance(25) { "market" } else { "limit" });
    }
    let settings =
        Settings::from_toml(&text, units::EDGES).unwrap_or_else(|e| unreachable!("built in and tested: {e}"));
    let settings = Arc::new(settings);
    let hosts = |settings: &Settings| {
        let mut hosts = units::all(settings).unwrap_or_else(|e| unreachable!("built in: {e:#}"));
        hosts.retain(|host| !units::is_paper(host));
        hosts
    };
    (0..hosts(&settings).len())
        .map(|n| {
            let settings = settings.clone();
            Arc::new(move || hosts(&settings).swap_remove(n)) as Make
        })
        .collect()
}
