//! A fleet on live candles at an exchange on sockets, killed now and then: what the exchange did is on
//! the tape, once, and nothing that it was asked for twice.

use crate::{
    fleet::{Program, alone},
    fleets::program,
    support::{Exchange, candles_are_whole, recorded},
};
use serde_json::Value;
use std::{fs, time::Duration};
use tempfile::TempDir;
use testkit::{Process, wait_for};

/// Short channels on candles of a second: trades come soon.
const CONFIG: &str = r#"
[accounts."binance:main"]
mode = "live"
api_key = { env = "EXCHANGE_KEY" }
api_secret = { env = "EXCHANGE_SECRET" }
[edges.edge70]
interval = "1s"
long = 6
short = 4
"#;
/// What Binance is known for: orders that were executed and nobody says so, answers that come late or not at
/// all, requests that are turned away, frames twice and out of order, a clock that runs off.
/// No frame is lost: fetching what both ingestors have missed is not theirs.
pub const FAULTS: &str = r#"
seed = 11
[[rule]]
on = "request"
endpoint = ["order.place"]
every = 4
then = { timeout = "error" }
[[rule]]
on = "request"
endpoint = ["order.place"]
nth = 7
then = { timeout = "cut" }
[[rule]]
on = "request"
endpoint = ["order.place", "order.cancel"]
nth = 5
then = { status = { status = 503, body = "<html>busy</html>" } }
[[rule]]
on = "request"
endpoint = ["order.cancel"]
every = 3
then = { timeout = "error" }
[[rule]]
on = "request"
endpoint = ["order.place"]
nth = 10
then = { limit = { status = 429, retry_after = 2 } }
[[rule]]
on = "request"
probability = 0.1
then = { delay = "300ms" }
[[rule]]
on = "account-frame"
every = 5
then = "duplicate"
[[rule]]
on = "account-frame"
stream = "executionReport"
every = 7
then = "reorder"
[[rule]]
on = "time"
from = "20s"
until = "40s"
then = { clock-offset = "3s" }
"#;
/// Nothing but money: what the owner holds counts towards the limits.
const ACCOUNT: &str = "[balances]\nUSDT = \"10000\"\n";
const MARKET: &str = "binance:BTCUSDT,ETHUSDT,ADAUSDT:1s";
const LONG: Duration = Duration::from_secs(120);

struct Rehearsal {
    program: Program,
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
    exchange: Exchange,
}

impl Rehearsal {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tapedeck.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("account.toml"), ACCOUNT).unwrap();
        fs::write(folder.path().join("faults.toml"), FAULTS).unwrap();
        let serve = ["--market", "synthetic:7:60", "--account", "account.toml", "--faults", "faults.toml"];
        let exchange = Exchange::serve(folder.path(), &serve);
        let variables = vec![("STORE_URL", testkit::postgres()), ("BUS_URL", testkit::rabbitmq())];
        let rehearsal = Self { program: program(), folder, variables, exchange };
        rehearsal.run(&["topology", "apply"]);
        rehearsal.run(&["tape", "open"]);
        rehearsal
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.program.command(self.folder.path(), arguments);
        command.envs(self.variables.iter().cloned());
        self.exchange.is_meant_by(&mut command);
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let mut process = Process::start(&arguments.join(" "), &self.command(arguments));
        let status = process.wait(LONG);
        assert!(status.success(), "{arguments:?}: {}", process.output());
        process.output()
    }

    /// Everything that a fleet needs, in one process.
    fn replica(&self, name: &str) -> Process {
        let run = ["--log", "warn", "run", "all", "--venue", "binance", "--market", MARKET];
        let more = ["--replica", name, "--listen", "127.0.0.1:0"];
        Process::start(name, &self.command(&[&run[..], &more[..]].concat()))
    }

    fn of_kind(&self, kind: &str) -> Vec<Value> {
        let shown = self.run(&["tape", "show", "--json", "-n", "1000000", "--kind", kind]);
        let rows = shown.lines().filter(|line| line.starts_with('{'));
        rows.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn closed(&self) -> usize {
        self.of_kind("trade.closed").len()
    }

    fn is_whole(&self) -> bool {
        self.exchange.executed() == recorded(&self.of_kind("order.filled"))
    }
}

#[test]
fn a_fleet_trades_live_candles_at_an_exchange_and_records_all_that_it_did() {
    let _alone = alone();
    let rehearsal = Rehearsal::begin();
    let mut replicas = [rehearsal.replica("a"), rehearsal.replica("b")];
    for round in 0..4 {
        wait_for("trades are made and ended", LONG, || rehearsal.closed() > round);
        replicas[round % 2].kill();
        replicas[round % 2].start_again();
    }
    wait_for("trading goes on", LONG, || rehearsal.closed() > 5);
    rehearsal.run(&["trading", "halted", "--why", "the rehearsal is over"]);
    wait_for("all that was executed is recorded", LONG, || rehearsal.is_whole());

    let placed = rehearsal.exchange.placed();
    assert!(placed.len() > 10, "{placed:?}");
    let candles = rehearsal.of_kind("candle.closed");
    candles_are_whole(&candles);
    assert_eq!(rehearsal.of_kind("tape.conflicted"), Vec::<Value>::new());
    assert_eq!(rehearsal.of_kind("frame.quarantined"), Vec::<Value>::new());
    for replica in &mut replicas {
        replica.terminate();
        assert!(replica.wait(LONG).success(), "{}", replica.output());
    }
    rehearsal.run(&["verify"]);
    let (trades, fills) = (rehearsal.closed(), rehearsal.of_kind("order.filled").len());
    let unknown = rehearsal.of_kind("order.unknown").len();
    assert!(unknown > 0, "every answer came: nothing was tried");
    println!("{unknown} orders of which nothing was known at first");
    println!("{} candles, {trades} trades, {} orders, {fills} fills", candles.len(), placed.len());
}
