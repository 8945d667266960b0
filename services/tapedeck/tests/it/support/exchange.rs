//! An exchange of one's own in place of Binance, and what it says that it did.

use super::{PATIENCE, text};
use crate::{fleet::Program, fleets::program};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
};
use testkit::{Process, http_get, wait_for};

/// It lives as long as this.
pub struct Exchange {
    variables: Vec<(&'static str, String)>,
    control: SocketAddr,
    folder: PathBuf,
    process: Process,
}

/// An execution: symbol, order, trade.
pub type Execution = (String, String, String);

impl Exchange {
    /// `arguments` of `exchange serve`, in that folder.
    pub fn serve(folder: &Path, arguments: &[&str]) -> Self {
        Self::listening(folder, "127.0.0.1:0", arguments)
    }

    /// Killed, and after a while there again under the same addresses.
    pub fn is_away(&mut self, while_away: impl FnOnce(), arguments: &[&str]) {
        self.process.kill();
        while_away();
        *self = Self::listening(&self.folder.clone(), &self.control.to_string(), arguments);
    }

    fn listening(folder: &Path, listen: &str, arguments: &[&str]) -> Self {
        let program: Program = program();
        let serve = ["exchange", "serve", "--listen", listen, "--json"];
        let process = Process::start("exchange", &program.command(folder, &[&serve[..], arguments].concat()));
        wait_for("the exchange serves", PATIENCE, || process.output().contains('}'));
        let told: Value = serde_json::from_str(&process.output()).unwrap();
        let told = |name: &str| text(&told[name]).to_owned();
        let variables = vec![
            ("BINANCE_REST_URL", told("rest")),
            ("BINANCE_WS_API_URL", told("websocket_api")),
            ("BINANCE_STREAM_URL", told("streams")),
            ("EXCHANGE_KEY", told("api_key")),
            ("EXCHANGE_SECRET", told("secret")),
        ];
        let control = told("rest").trim_start_matches("http://").parse().unwrap();
        Self { variables, control, folder: folder.to_owned(), process }
    }

    /// In place of Binance; the account's key is in EXCHANGE_KEY and EXCHANGE_SECRET.
    pub fn is_meant_by(&self, command: &mut Command) {
        command.envs(self.variables.iter().cloned());
    }

    pub fn address(&self) -> SocketAddr {
        self.control
    }

    /// The answer to a GET at the exchange.
    pub fn get(&self, path: &str) -> Value {
        let (status, body) = http_get(self.control, path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Something that the owner does there: `balance`, `order` and the like.
    pub fn control(&self, what: &str, body: &Value) -> Value {
        control(self.control, what, body)
    }

    /// The execution reports that the exchange has sent of the account.
    pub fn reports(&self) -> Vec<Value> {
        let (mut after, mut reports) = (0, Vec::new());
        loop {
            let told = self.get(&format!("/control/account-frames?after={after}"));
            let frames = told["frames"].as_array().unwrap();
            let Some(last) = frames.last() else { return reports };
            after = last["number"].as_u64().unwrap();
            let read = |frame: &Value| serde_json::from_str(text(&frame["frame"])).unwrap();
            reports.extend(frames.iter().map(read).filter(|frame: &Value| frame["e"] == "executionReport"));
        }
    }

    pub fn executed(&self) -> BTreeSet<Execution> {
        let reports = self.reports().into_iter().filter(|report| report["x"] == "TRADE");
        reports.map(|r| (text(&r["s"]).to_owned(), r["i"].to_string(), r["t"].to_string())).collect()
    }

    /// Each client id of an order that was placed; none twice.
    pub fn placed(&self) -> BTreeSet<String> {
        let mut placed: BTreeMap<String, u32> = BTreeMap::new();
        for report in self.reports().into_iter().filter(|report| report["x"] == "NEW") {
            *placed.entry(text(&report["c"]).to_owned()).or_default() += 1;
        }
        assert!(placed.values().all(|times| *times == 1), "an order was placed twice: {placed:?}");
        placed.into_keys().collect()
    }
}

/// As [`Exchange::control`].
pub fn control(exchange: SocketAddr, what: &str, body: &Value) -> Value {
    let body = body.to_string();
    let mut stream = TcpStream::connect(exchange).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("POST /control/{what} HTTP/1.0\r\nHost: {exchange}\r\n");
    let length = body.len();
    write!(stream, "{head}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, told) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(" 200 "), "{what} {body}: {answer}");
    serde_json::from_str(told).unwrap()
}

/// The executions that rows of `order.filled` tell; none twice.
pub fn recorded(fills: &[Value]) -> BTreeSet<Execution> {
    let execution = |row: &Value| {
        let body = &row["body"];
        let symbol = text(&body["instrument"]).rsplit(':').next().unwrap().to_owned();
        (symbol, text(&body["venue_order"]).to_owned(), text(&body["venue_trade"]).to_owned())
    };
    let executions: BTreeSet<Execution> = fills.iter().map(execution).collect();
    assert_eq!(executions.len(), fills.len(), "a fill is on the tape twice");
    executions
}

/// Of each series of `candle.closed` rows, every candle once, in order, and none left out.
pub fn candles_are_whole(rows: &[Value]) {
    let mut ends: BTreeMap<(&str, &str), domain::Timestamp> = BTreeMap::new();
    for row in rows {
        let candle = &row["body"];
        let interval: domain::Interval = text(&candle["interval"]).parse().unwrap();
        let open = super::time(&candle["open_time"]);
        let series = (text(&candle["instrument"]), text(&candle["interval"]));
        if let Some(end) = ends.insert(series, interval.close_of(open)) {
            assert_eq!(open, end, "{series:?}: a candle came twice, or one is missing");
        }
    }
}
