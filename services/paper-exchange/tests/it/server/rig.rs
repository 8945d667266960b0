//! An exchange on a socket of its own, and a client that signs.

use domain::{Instrument, InstrumentRules, Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    exchange::Setup,
    faults::Script,
    journal,
    server::{
        self, Config, Keys, Limits, Pace, ServeError, account,
        clock::wall,
        keys::{PAPER_KEY, PAPER_SECRET},
    },
    simulator::{Simulator, Source},
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::{collections::BTreeMap, future::IntoFuture, net::SocketAddr, path::PathBuf, time::Duration};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};
use venue_binance::sign::Signer;

/// Nothing here takes longer.
pub const TIMEOUT: Duration = Duration::from_secs(20);
/// 2024-01-02T00:00:00Z: where driven exchanges begin.
pub const START: Timestamp = Timestamp::from_millis(1_704_153_600_000);

pub struct Rig {
    pub address: SocketAddr,
    pub client: Client,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

/// What a rig is made with.
pub struct Make {
    pub pace: Pace,
    pub limits: Limits,
    pub faults: &'static str,
    pub journal: Option<PathBuf>,
    pub account: String,
    /// The market, where it is not the usual one.
    pub simulator: Option<Box<dyn Fn(Timestamp) -> Simulator>>,
}

impl Default for Make {
    fn default() -> Self {
        Self {
            pace: Pace::Wall,
            limits: Limits::default(),
            faults: "",
            journal: None,
            account: String::new(),
            simulator: None,
        }
    }
}

pub async fn live() -> Rig {
    Make::default().start().await
}

pub async fn driven() -> Rig {
    Make { pace: Pace::Driven, ..Make::default() }.start().await
}

impl Make {
    pub async fn start(self) -> Rig {
        self.try_start().await.expect("an exchange")
    }

    pub async fn try_start(self) -> Result<Rig, ServeError> {
        // A second one is refused, and the first one does.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (paper, keys): (_, Keys) = account::read(&self.account).expect("an account");
        let known = self.journal.as_deref().map(|path| journal::header(path).expect("a journal"));
        let known = known.flatten().map(|header| header.start);
        let start = known.unwrap_or(if self.pace == Pace::Driven { START } else { wall() });
        let config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            pace: self.pace,
            setup: Setup { paper, start },
            simulator: match &self.simulator {
                Some(simulator) => simulator(start),
                None if self.pace == Pace::Driven => Simulator::default(),
                None => simulator(start),
            },
            market: "test".to_owned(),
            keys,
            limits: self.limits,
            faults: (!self.faults.is_empty()).then(|| Script::parse(self.faults).expect("a script")),
            journal: self.journal,
        };
        let (stop, stopped) = oneshot::channel();
        let until = async {
            let _ = stopped.await;
        };
        let (address, server) = server::serve(config, until).await?;
        let task = tokio::spawn(server.into_future());
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client");
        Ok(Rig { address, client, stop: Some(stop), task })
    }
}

/// One instrument around 50,000, two days long.
pub fn simulator(start: Timestamp) -> Simulator {
    simulator_of(start, rules())
}

/// The same by other rules.
pub fn simulator_of(start: Timestamp, rules: InstrumentRules) -> Simulator {
    let hour = 3_600_000_000;
    let first = (start.micros() / hour - 48) * hour;
    let candles = (0..48).map(move |n| Candle {
        instrument: instrument(),
        interval: Interval::Hour1,
        open_time: Timestamp::from_micros(first + n * hour),
        open: "50000".parse().expect("a price"),
        high: "50100".parse().expect("a price"),
        low: "49900".parse().expect("a price"),
        close: "50000".parse().expect("a price"),
        volume: "1000".parse().expect("a volume"),
    });
    Simulator::new(Source {
        rules: BTreeMap::from([(instrument(), rules)]),
        candles: Box::new(candles.collect::<Vec<_>>().into_iter()),
        seed: 7,
        shift: 0,
        start,
    })
}

pub fn instrument() -> Instrument {
    "binance:spot:BTCUSDT".parse().expect("an instrument")
}

pub fn rules() -> InstrumentRules {
    let number = |text: &str| text.parse().expect("a number");
    InstrumentRules {
        base: "BTC".parse().expect("an asset"),
        quote: "USDT".parse().expect("an asset"),
        tick_size: number("0.01"),
        min_price: Some(number("0.01")),
        max_price: Some(number("1000000")),
        lot_size: number("0.00001"),
        min_quantity: number("0.00001"),
        max_quantity: Some(number("9000")),
        market_lot_size: None,
        market_min_quantity: None,
        market_max_quantity: None,
        min_notional: number("5"),
        min_notional_applies_to_market: true,
        max_notional: None,
        max_notional_applies_to_market: false,
        buy_price_range: None,
        sell_price_range: None,
        max_orders: Some(200),
        max_algo_orders: Some(5),
        max_order_lists: None,
        max_position: None,
        oco_allowed: true,
        unlisted: domain::rules::Unlisted::default(),
        quote_quantity_allowed: true,
        base_precision: 8,
        quote_precision: 8,
        contract: None,
        listing: None,
    }
}

/// An answer of REST.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a text"))
    }

    /// Of an error.
    pub fn code(&self) -> i64 {
        self.body["code"].as_i64().unwrap_or(0)
    }

    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

pub fn signer() -> Signer {
    Signer::hmac(PAPER_SECRET).expect("a secret")
}

/// Milliseconds of the wall.
pub fn now() -> i64 {
    wall().millis()
}

/// With time and signature.
pub fn signed(query: &str, at: i64) -> String {
    let query = if query.is_empty() { format!("timestamp={at}") } else { format!("{query}&timestamp={at}") };
    format!("{query}&signature={}", signer().sign(&query))
}

impl Rig {
    pub async fn send(&self, method: &str, path: &str, query: &str, body: &str, key: Option<&str>) -> Answer {
        self.try_send(method, path, query, body, key).await.expect("an answer")
    }

    pub async fn try_send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &str,
        key: Option<&str>,
    ) -> reqwest::Result<Answer> {
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("http://{}{path}{mark}{query}", self.address);
        let mut request = self.client.request(Method::from_bytes(method.as_bytes()).expect("a verb"), url);
        if let Some(key) = key {
            request = request.header("X-MBX-APIKEY", key);
        }
        if !body.is_empty() {
            request =
                request.header("Content-Type", "application/x-www-form-urlencoded").body(body.to_owned());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body, headers })
    }

    /// Without a key.
    pub async fn get(&self, path: &str, query: &str) -> Answer {
        self.send("GET", path, query, "", None).await
    }

    /// Signed, at this moment.
    pub async fn call(&self, method: &str, path: &str, query: &str) -> Answer {
        self.call_at(method, path, query, now()).await
    }

    pub async fn call_at(&self, method: &str, path: &str, query: &str, at: i64) -> Answer {
        self.send(method, path, &signed(query, at), "", Some(PAPER_KEY)).await
    }

    /// A limit order far from the market.
    pub async fn rest_order(&self, id: &str) -> Answer {
        self.call("POST", "/api/v3/order", &resting(id)).await
    }

    pub async fn control(&self, path: &str, body: Value) -> Answer {
        let body = body.to_string();
        self.send("POST", &format!("/control/{path}"), "", &body, None).await
    }

    pub async fn status(&self) -> Value {
        self.get("/control/status", "").await.ok()
    }

    /// Tells a driven exchange that the instrument is there, and a first candle of an hour.
    pub async fn open_market(&self) {
        let listed = json!({ "instrument": instrument(), "rules": rules() });
        let events = json!([fact(1, START.micros(), "instrument.listed", listed), candle(2, 1)]);
        self.control("market", json!({ "after": 0, "events": events })).await.ok();
    }

    /// Stops it, and waits until it has stopped.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let ended = timeout(TIMEOUT, &mut self.task).await.expect("an end");
        ended.expect("no panic").expect("a good end");
    }
}

pub fn resting(id: &str) -> String {
    format!(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000&newClientOrderId={id}"
    )
}

pub fn fact(position: u64, at: i64, kind: &str, body: Value) -> Value {
    json!({ "position": position, "at": at, "kind": kind, "schema": 1, "body": body })
}

/// The `hour`th hour since the start has closed.
pub fn candle(position: u64, hour: i64) -> Value {
    let length = 3_600_000_000;
    let close = START.micros() + hour * length;
    let body = json!({
        "instrument": instrument(), "interval": "1h", "open_time": Timestamp::from_micros(close - length),
        "open": "50000", "high": "50100", "low": "49900", "close": "50000", "volume": "1000",
    });
    fact(position, close, "candle.closed", body)
}
