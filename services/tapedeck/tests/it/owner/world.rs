//! An exchange and a fleet, and what the owner sees of both.

use super::LONG;
use crate::{fleet::look::Eye, fleets::program};
use domain::{ClientOrderId, Decimal, Instrument, VenueOrderId};
use events::{Event, OrderEvent, OurOrders, Recorded, TradeEvent};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, UNIX_EPOCH},
};
use tempfile::TempDir;
use testkit::{Process, wait_for};
use venue_binance::sign::Signer;

pub const SYMBOLS: [&str; 3] = ["SOLUSDT", "ADAUSDT", "ETHUSDT"];
const CONFIG: &str = r#"
[accounts."binance:main"]
mode = "live"
api_key = { env = "EXCHANGE_KEY" }
api_secret = { env = "EXCHANGE_SECRET" }
[orders]
retry_at_most = "5s"
[edges.edge70]
interval = "1s"
long = 4
short = 3
max_age = "20s"
forward = "all_until_open"
[edges.brackets]
kind = "edge70"
interval = "1s"
long = 5
short = 5
max_age = "20s"
forward = "all_until_open"
sizing = { method = "fixed", amount = 150 }
exit = { kind = "oco", stop = 0.02, stop_limit = 0.1, take_profit = 0.02 }
"#;
const ACCOUNT: &str = "[balances]\nUSDT = \"100000\"\n";

pub struct World {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
    address: SocketAddr,
    api_key: String,
    signer: Signer,
    eye: Eye,
    fleet: Option<Process>,
    exchange: Process,
}

impl World {
    pub fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tapedeck.toml"), CONFIG).unwrap();
        fs::write(folder.path().join("account.toml"), ACCOUNT).unwrap();
        let market = format!("synthetic:{seed}:60");
        let serve = ["exchange", "serve", "--market", &market, "--account", "account.toml"];
        let more = ["--listen", "127.0.0.1:0", "--json"];
        let serve = program().command(folder.path(), &[&serve[..], &more[..]].concat());
        let exchange = Process::start(&format!("exchange-{seed}"), &serve);
        wait_for("the exchange serves", LONG, || exchange.output().contains('}'));
        let told: Value = serde_json::from_str(&exchange.output()).unwrap();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        let store = testkit::postgres();
        let variables = vec![
            ("STORE_URL", store.clone()),
            ("BUS_URL", testkit::rabbitmq()),
            ("BINANCE_REST_URL", text("rest")),
            ("BINANCE_WS_API_URL", text("websocket_api")),
            ("BINANCE_STREAM_URL", text("streams")),
            ("EXCHANGE_KEY", text("api_key")),
            ("EXCHANGE_SECRET", text("secret")),
        ];
        let address = text("rest").trim_start_matches("http://").parse().unwrap();
        let signer = Signer::from_secret(&text("secret")).unwrap();
        let command = |arguments: &[&str]| {
            let mut command = program().command(folder.path(), arguments);
            command.envs(variables.iter().cloned());
            let mut process = Process::start(&arguments.join(" "), &command);
            let status = process.wait(LONG);
            assert!(status.success(), "{arguments:?}: {}", process.output());
        };
        command(&["topology", "apply"]);
        command(&["tape", "open"]);
        let eye = Eye::open(&store);
        Self { address, api_key: text("api_key"), signer, eye, fleet: None, exchange, folder, variables }
    }

    fn process(&self, name: &str, arguments: &[&str]) -> Process {
        let mut command = program().command(self.folder.path(), arguments);
        command.envs(self.variables.iter().cloned());
        Process::start(name, &command)
    }

    pub fn command(&self, arguments: &[&str]) -> String {
        let mut process = self.process(&arguments.join(" "), arguments);
        let status = process.wait(LONG);
        assert!(status.success(), "{arguments:?}: {}", process.output());
        process.output()
    }

    /// Everything that a fleet needs, in one process.
    pub fn start(&mut self) {
        let market = format!("binance:{}:1s", SYMBOLS.join(","));
        let run = ["--log", "warn", "run", "all", "--venue", "binance", "--market", &market];
        self.fleet = Some(self.process("fleet", &[&run[..], &["--listen", "127.0.0.1:0"]].concat()));
    }

    /// kill -9
    pub fn kill(&mut self) {
        if let Some(mut fleet) = self.fleet.take() {
            fleet.kill();
            assert!(!fleet.output().contains("panicked at"), "{}", fleet.output());
        }
    }

    pub fn end(&mut self) {
        if let Some(mut fleet) = self.fleet.take() {
            fleet.terminate();
            assert!(fleet.wait(LONG).success(), "{}", fleet.output());
            assert!(!fleet.output().contains("panicked at"), "{}", fleet.output());
        }
        assert!(self.exchange.is_running(), "{}", self.exchange.output());
    }

    /// The last that the fleet has said for itself.
    pub fn last_words(&self) -> String {
        let output = self.fleet.as_ref().map(Process::output).unwrap_or_default();
        let lines: Vec<&str> = output.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    pub fn tape(&self) -> Vec<Recorded> {
        self.eye.rows().iter().map(|row| row.decode().expect("a row of this build")).collect()
    }

    pub fn protected(&self) -> usize {
        let is = |e: &Recorded| matches!(e.event, Event::Trade(TradeEvent::Protected(_)));
        self.tape().iter().filter(|e| is(e)).count()
    }

    /// A signed request; status and answer.
    pub fn signed(&self, method: &str, path: &str, params: &[(&str, String)]) -> (u16, Value) {
        let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
        let mut query: String = params.iter().map(|(name, value)| format!("{name}={value}&")).collect();
        query += &format!("recvWindow=30000&timestamp={now}");
        let signature = self.signer.sign(&query);
        self.http(method, &format!("{path}?{query}&signature={signature}"), "")
    }

    pub fn control(&self, path: &str, body: &Value) -> (u16, Value) {
        self.http("POST", &format!("/control/{path}"), &body.to_string())
    }

    fn http(&self, method: &str, target: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).expect("the exchange");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!(
            "{method} {target} HTTP/1.0\r\nHost: {}\r\nX-MBX-APIKEY: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            self.api_key,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// By symbol, which is cheaper; the engine's requests come from the same address, and have the same limits.
    pub fn open_orders(&self) -> Vec<OpenOrder> {
        let of = |symbol: &str| {
            let answer = self.asked("/api/v3/openOrders", &[("symbol", symbol.to_owned())]);
            answer.as_array().unwrap().iter().map(OpenOrder::read).collect::<Vec<_>>()
        };
        SYMBOLS.into_iter().flat_map(of).collect()
    }

    /// A signed question; one that meets a limit is asked again.
    fn asked(&self, path: &str, params: &[(&str, String)]) -> Value {
        let mut told = Value::Null;
        wait_for("an answer within the limits", LONG, || {
            let (status, answer) = self.signed("GET", path, params);
            assert!(status == 200 || status == 429, "{status} {answer}");
            told = answer;
            if status == 429 {
                thread::sleep(Duration::from_secs(5));
            }
            status == 200
        });
        told
    }

    /// Free and locked.
    pub fn balance(&self, asset: &str) -> (Decimal, Decimal) {
        let answer = self.asked("/api/v3/account", &[]);
        let rows = answer["balances"].as_array().unwrap();
        let row = rows.iter().find(|row| row["asset"] == asset);
        row.map_or_else(Default::default, |row| (d(&row["free"]), d(&row["locked"])))
    }

    pub fn price(&self, symbol: &str) -> Decimal {
        d(&self.http("GET", &format!("/api/v3/ticker/price?symbol={symbol}"), "").1["price"])
    }

    pub fn step(&self, symbol: &str) -> Decimal {
        let info = self.http("GET", &format!("/api/v3/exchangeInfo?symbol={symbol}"), "").1;
        let filters = info["symbols"][0]["filters"].as_array().unwrap().clone();
        d(&filters.iter().find(|filter| filter["filterType"] == "LOT_SIZE").unwrap()["stepSize"])
    }
}

/// Of the exchange's orders that work.
#[derive(Debug, Clone)]
pub struct OpenOrder {
    pub symbol: String,
    pub number: i64,
    pub client: String,
    pub side: String,
    pub kind: String,
    pub stop: Decimal,
    pub left: Decimal,
    pub quantity: Decimal,
}

impl OpenOrder {
    fn read(row: &Value) -> Self {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let quantity = d(&row["origQty"]);
        Self {
            symbol: text("symbol"),
            number: row["orderId"].as_i64().unwrap(),
            client: text("clientOrderId"),
            side: text("side"),
            kind: text("type"),
            stop: d(&row["stopPrice"]),
            left: quantity - d(&row["executedQty"]),
            quantity,
        }
    }
}

pub fn d(value: &Value) -> Decimal {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The engine's orders by the exchange's numbers.
pub fn ours(tape: &[Recorded]) -> BTreeMap<(Instrument, VenueOrderId), ClientOrderId> {
    let (mut orders, mut found) = (OurOrders::default(), BTreeMap::new());
    for event in tape {
        let Event::Order(event) = &event.event else { continue };
        let (account, instrument, told, number) = match event {
            OrderEvent::Submitted(e) => {
                e.request.orders().for_each(|order| orders.submit(order.id));
                continue;
            }
            OrderEvent::Accepted(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Amended(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Filled(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Ended(e) => (e.account, e.instrument, e.order, e.venue_order),
            _ => continue,
        };
        if let Some(order) = orders.see(account, instrument, told, number) {
            found.insert((instrument, number), order);
        }
    }
    found
}
