//! Real candles, where they are at hand (see README.md).

use crate::support::*;
use std::path::PathBuf;

/// A little more than a year: the channel of 59 days must fill first.
const YEARS: &str = "--from 2020-09-01 --to 2021-12-01";

fn data() -> PathBuf {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("TAPEDECK_DATA").map_or(beside, PathBuf::from).join("candles")
}

#[test]
#[cfg_attr(not(recorded_data), ignore = "needs real data: set TAPEDECK_DATA")]
fn recorded_years_are_traded_as_in_a_backtest_of_them() {
    let (place, data) = (Place::new(), data().display().to_string());
    let up = place.run(&format!("{} {YEARS} --json", up(&format!("recorded:{data}")))).well();
    let summary = up.json();
    for figure in ["trades_closed", "fills"] {
        assert!(summary[figure].as_u64().is_some_and(|n| n > 3), "{figure}: {summary}");
    }
    assert_eq!(place.run("verify --json").well().head(), up.head());

    let backtest =
        place.run(&format!("backtest --candles {data} {YEARS} --tape sqlite:bt.tape --json")).well();
    assert_eq!(backtest.json(), summary);
}
