//! Where somebody does not know further: `--help`, and `tapedeck doctor`.

use crate::support::*;
use serde_json::Value;

#[test]
fn every_command_explains_itself() {
    let place = Place::new();
    for command in [
        "",
        "up",
        "backtest",
        "replay",
        "verify",
        "why",
        "tape",
        "tape head",
        "tape show",
        "tape tail",
        "tape export",
        "tape import",
        "positions",
        "trades",
        "orders",
        "portfolio",
        "signals",
        "report",
        "simulate",
        "trading",
        "close",
        "flatten",
        "doctor",
    ] {
        let help = place.run(&format!("{command} --help")).well();
        help.says(&["Usage: tapedeck", command, "--json", "--config"]);
        assert_eq!(help.err, "");
    }
    place.run("").explains(2);
    place.run("--version").well().says(&[&format!("tapedeck {}", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn the_doctor_finds_what_is_well_and_what_is_not() {
    let place = Place::finished();
    candles(&place, "candles", &["BTCUSDT"], 10);
    let well = place.run("doctor --candles candles").well();
    well.says(&[
        "well   configuration",
        "well   clock",
        "well   data folder",
        "well   tape",
        "well   trading        active on all accounts",
        "well   candles",
    ]);
    assert_eq!(place.run("doctor --json").well().json()["ok"], true);

    let fresh = Place::new();
    fresh.run("doctor").well().says(&["note   tape", "`tapedeck up` makes one"]);

    place.write("tapedeck.toml", "[edges.edge70]\nlong = 0\n");
    place.write("candles/BTCUSDT-1d.csv", "1704067200000,1,2,0.5,many,10\n");
    place.write("data", "a file where a folder should be");
    place.write("broken.tape", "This is no tape. ".repeat(300));
    let ill = place.run("doctor --candles candles --data-dir data --tape sqlite:broken.tape");
    assert_eq!(ill.code, Some(1), "{ill:#?}");
    ill.says(&[
        "WRONG  configuration",
        "edges.edge70.long",
        "WRONG  data folder",
        "--data-dir",
        "WRONG  tape",
        "is not a tape",
        "WRONG  candles",
        "line 1",
    ]);
    let ill = place.run("doctor --candles candles --json");
    assert_eq!((ill.code, &ill.json()["ok"]), (Some(1), &Value::from(false)));
    place.run("doctor --tape sqlite:nowhere.tape").says(&["WRONG  tape", "there is no tape at"]);
}
