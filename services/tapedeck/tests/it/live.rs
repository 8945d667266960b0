//! A fleet on live candles at an exchange on sockets, killed now and then: what the exchange did is on
//! the tape, once, and nothing that it was asked for twice.

use crate::{
    fleet::{Program, alone},
    fleets::program,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::SocketAddr,
    time::Duration,
};
use tempfile::TempDir;
use testkit::{Process, http_get, wait_for};

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
const FAULTS: &str = r#"
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
    control: SocketAddr,
    _exchange: Process,
}

impl Rehearsal {
    fn begin() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tapedeck.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("account.toml"), ACCOUNT).unwrap();
        fs::write(folder.path().join("faults.toml"), FAULTS).unwrap();
        let program = program();
        let serve = ["exchange", "serve", "--market", "synthetic:7:60", "--account", "account.toml"];
        let more = ["--faults", "faults.toml", "--listen", "127.0.0.1:0", "--json"];
        let serve = program.command(folder.path(), &[&serve[..], &more[..]].concat());
        let exchange = Process::start("exchange", &serve);
        wait_for("the exchange serves", LONG, || exchange.output().contains('}'));
        let told: Value = serde_json::from_str(&exchange.output()).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let variables = vec![
            ("STORE_URL", testkit::postgres()),
            ("BUS_URL", testkit::rabbitmq()),
            ("BINANCE_REST_URL", text("rest")),
            ("BINANCE_WS_API_URL", text("websocket_api")),
            ("BINANCE_STREAM_URL", text("streams")),
            ("EXCHANGE_KEY", text("api_key")),
            ("EXCHANGE_SECRET", text("secret")),
        ];
        let control = text("rest").trim_start_matches("http://").parse().unwrap();
        let rehearsal = Self { program, folder, variables, control, _exchange: exchange };
        rehearsal.run(&["topology", "apply"]);
        rehearsal.run(&["tape", "open"]);
        rehearsal
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.program.command(self.folder.path(), arguments);
        command.envs(self.variables.iter().cloned());
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

    /// What the exchange has said of the account.
    fn reports(&self) -> Vec<Value> {
        let (mut after, mut reports) = (0, Vec::new());
        loop {
            let (status, body) = http_get(self.control, &format!("/control/account-frames?after={after}"));
            assert_eq!(status, 200, "{body}");
            let told: Value = serde_json::from_str(&body).unwrap();
            let frames = told["frames"].as_array().unwrap();
            let Some(last) = frames.last() else { return reports };
            after = last["number"].as_u64().unwrap();
            let read = |frame: &Value| serde_json::from_str(frame["frame"].as_str().unwrap()).unwrap();
            reports.extend(frames.iter().map(read).filter(|frame: &Value| frame["e"] == "executionReport"));
        }
    }

    /// (symbol, order, trade) of each execution.
    fn executed(&self) -> BTreeSet<(String, String, String)> {
        let reports = self.reports().into_iter().filter(|report| report["x"] == "TRADE");
        reports
            .map(|r| (r["s"].as_str().unwrap().to_owned(), r["i"].to_string(), r["t"].to_string()))
            .collect()
    }

    fn recorded(&self) -> BTreeSet<(String, String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let fill = |row: Value| {
            let body = &row["body"];
            let symbol = text(&body["instrument"]).rsplit(':').next().unwrap().to_owned();
            (symbol, text(&body["venue_order"]), text(&body["venue_trade"]))
        };
        self.of_kind("order.filled").into_iter().map(fill).collect()
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
    wait_for("all that was executed is recorded", LONG, || rehearsal.executed() == rehearsal.recorded());

    let mut placed: BTreeMap<String, u32> = BTreeMap::new();
    for report in rehearsal.reports().into_iter().filter(|report| report["x"] == "NEW") {
        *placed.entry(report["c"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(placed.len() > 10, "{placed:?}");
    assert!(placed.values().all(|times| *times == 1), "an order was placed twice: {placed:?}");
    let candles = rehearsal.of_kind("candle.closed");
    let mut opens: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in &candles {
        let candle = &row["body"];
        let text = |name: &str| candle[name].as_str().unwrap().to_owned();
        opens.entry(text("instrument")).or_default().push(text("open_time"));
    }
    for (instrument, opens) in opens {
        let mut once = opens.clone();
        once.sort();
        once.dedup();
        assert_eq!(opens, once, "candles of {instrument} came twice or out of order");
    }
    assert_eq!(rehearsal.of_kind("tape.conflicted"), Vec::<Value>::new());
    assert_eq!(rehearsal.of_kind("frame.quarantined"), Vec::<Value>::new());
    for replica in &mut replicas {
        replica.terminate();
        assert!(replica.wait(LONG).success(), "{}", replica.output());
    }
    rehearsal.run(&["verify"]);
    let (trades, fills) = (rehearsal.closed(), rehearsal.recorded().len());
    let unknown = rehearsal.of_kind("order.unknown").len();
    assert!(unknown > 0, "every answer came: nothing was tried");
    println!("{unknown} orders of which nothing was known at first");
    println!("{} candles, {trades} trades, {} orders, {fills} fills", candles.len(), placed.len());
}
