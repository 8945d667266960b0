//! The way to a driven exchange on sockets, for the suite that the paper venue passes by itself: the
//! same scripts, the same events.
//!
//! Requests go through `venue-binance` over signed REST, what the exchange says comes back in its answers
//! and over the user data stream, and each fact is told once, whichever was first.

use domain::{Account, ClientOrderId, Instrument, OrderRequest, Timestamp};
use events::{
    CancelAttempted, Event, OrderAttempted, OrderEvent, OrderRejected, QuoteAsked, Rejection, TimePassed,
    Uuid, ids,
};
use paper_exchange::{
    exchange::Setup,
    server::{
        self, Config, Keys, Limits, Pace,
        keys::{PAPER_KEY, PAPER_SECRET},
    },
    simulator::Simulator,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    runtime::Runtime,
    sync::oneshot,
    time::{Instant, timeout_at},
};
use venue::{Outcome, Stamp, Venue};
use venue_binance::{
    frame,
    net::{self, Delivery, Endpoints, Rest, UserData},
    sign::Signer,
};

/// Nothing here takes longer.
const TIMEOUT: Duration = Duration::from_secs(20);

pub struct Stage {
    runtime: Runtime,
    exchange: Exchange,
    _stop: oneshot::Sender<()>,
}

struct Exchange {
    address: SocketAddr,
    http: reqwest::Client,
    rest: Rest,
    stream: UserData,
    account: Account,
    submitted: BTreeMap<ClientOrderId, (Instrument, OrderRequest)>,
    position: u64,
    now: Timestamp,
    received: u64,
    told: BTreeSet<Uuid>,
    wanted: BTreeSet<Instrument>,
}

impl Stage {
    pub fn new(config: venue_paper::Config) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let (stop, stopped) = oneshot::channel();
        let exchange = runtime.block_on(Exchange::start(config, stopped));
        Self { runtime, exchange, _stop: stop }
    }

    pub fn hear(&mut self, now: Timestamp, event: Event) -> Vec<Event> {
        self.runtime.block_on(self.exchange.hear(now, event))
    }

    /// The orders that work, by their ids, in the order of their acceptance.
    pub fn open(&mut self, _: Instrument) -> Vec<String> {
        self.runtime.block_on(self.exchange.open())
    }
}

impl Exchange {
    async fn start(config: venue_paper::Config, stopped: oneshot::Receiver<()>) -> Self {
        net::tls();
        let account = config.account;
        let config = Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            pace: Pace::Driven,
            setup: Setup { paper: config.into(), start: crate::suite::script::START },
            simulator: Simulator::default(),
            market: "suite".to_owned(),
            keys: Keys::paper().expect("keys"),
            limits: Limits { orders_in_10_seconds: 100_000, ..Limits::default() },
            faults: None,
            journal: None,
        };
        let (address, serving) =
            server::serve(config, async { _ = stopped.await }).await.expect("an exchange");
        tokio::spawn(async { serving.await.expect("served well") });
        let signer = Signer::hmac(PAPER_SECRET).expect("a secret");
        let keys = net::Keys { api_key: PAPER_KEY.to_owned(), signer };
        let rest = Rest::new(net::Setup::new(Endpoints::local(address), Some(keys))).expect("a client");
        let mut stream = UserData::open(&rest);
        let deadline = Instant::now() + TIMEOUT;
        let first = timeout_at(deadline, stream.next()).await.expect("in time");
        assert!(matches!(first, Some(Delivery::Opened(_))), "{first:?}");
        Self {
            address,
            http: reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build().expect("a client"),
            rest,
            stream,
            account,
            submitted: BTreeMap::new(),
            position: 0,
            now: crate::suite::script::START,
            received: 0,
            told: BTreeSet::new(),
            wanted: BTreeSet::new(),
        }
    }

    async fn hear(&mut self, now: Timestamp, event: Event) -> Vec<Event> {
        let mut said = Vec::new();
        let is_market = matches!(event, Event::Instrument(_) | Event::Candle(_) | Event::Quote(_));
        if !is_market && now > self.now {
            self.tell(now, &TimePassed { now }.into()).await;
        }
        self.now = self.now.max(now);
        match event {
            Event::Order(OrderEvent::Submitted(e)) => {
                self.submitted.insert(e.request.id(), (e.instrument, *e.request));
            }
            Event::Order(OrderEvent::Attempted(e)) => said.extend(self.attempt(&e).await),
            Event::Order(OrderEvent::CancelAttempted(e)) => said.extend(self.cancel(&e).await),
            Event::Order(OrderEvent::Refused(e)) => _ = self.submitted.remove(&e.order),
            Event::Order(OrderEvent::Absent(e)) => _ = self.submitted.remove(&e.order),
            market => self.tell(now, &market).await,
        }
        let standing = self.get("/control/status").await;
        said.extend(self.frames(standing["account_frames"].as_u64().expect("a number")).await);
        said.retain(|event| ids::of_fact(Uuid::nil(), event).is_none_or(|id| self.told.insert(id)));
        let wanted = standing["quotes_wanted"].as_array().expect("a list");
        let wanted = wanted.iter().map(|i| i.as_str().expect("a text").parse().expect("an instrument"));
        let wanted: BTreeSet<Instrument> = wanted.collect();
        said.extend(wanted.difference(&self.wanted).map(|&instrument| QuoteAsked { instrument }.into()));
        self.wanted = wanted;
        said
    }

    async fn attempt(&mut self, e: &OrderAttempted) -> Vec<Event> {
        let stamp = Stamp { timestamp: e.timestamp, recv_window_ms: e.recv_window_ms };
        let Some((instrument, request)) = self.submitted.remove(&e.request) else {
            panic!("{} was never submitted", e.request);
        };
        match self.rest.submit(self.account, instrument, &request, stamp).await {
            Outcome::Facts(facts) => facts,
            // To the gateway it is unknown what became of it: an order of that id is there, and it may be
            // this one. To the script it is the venue's word.
            Outcome::Unknown { text } if text.contains("-2010") => {
                let (_, text) = text.rsplit_once(": ").expect("a code and a text");
                let rejected = |order| OrderRejected {
                    account: self.account,
                    instrument,
                    order,
                    reason: Rejection::DuplicateId,
                    code: Some(-2010),
                    text: text.to_owned(),
                    at: self.now,
                };
                request.orders().map(|order| rejected(order.id).into()).collect()
            }
            other => panic!("{} came to {other:?}", e.request),
        }
    }

    async fn cancel(&self, e: &CancelAttempted) -> Vec<Event> {
        let stamp = Stamp { timestamp: e.timestamp, recv_window_ms: e.recv_window_ms };
        match self.rest.cancel(self.account, e.instrument, e.order, None, stamp).await {
            Outcome::Facts(facts) => facts,
            other => panic!("the cancel of {} came to {other:?}", e.order),
        }
    }

    async fn tell(&mut self, now: Timestamp, event: &Event) {
        // What was wanted until now is answered, or void.
        if let Some(instrument) = event.instrument() {
            self.wanted.remove(&instrument);
        }
        let kind = event.kind();
        let body: Value = serde_json::from_str(&event.body()).expect("JSON");
        let fact = json!({
            "position": self.position + 1,
            "at": now.micros(),
            "kind": kind.name(),
            "schema": kind.schema(),
            "body": body,
        });
        let told = json!({ "after": self.position, "events": [fact] });
        let answer = self.http.post(format!("http://{}/control/market", self.address)).body(told.to_string());
        let answer = answer.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
        self.position += 1;
    }

    /// Everything that has come over the stream, once all of it has.
    async fn frames(&mut self, sent: u64) -> Vec<Event> {
        let deadline = Instant::now() + TIMEOUT;
        let mut said = Vec::new();
        while self.received < sent {
            match timeout_at(deadline, self.stream.next()).await.expect("every frame in time") {
                Some(Delivery::Frame { bytes, .. }) => {
                    self.received += 1;
                    said.extend(frame::parse(self.account, &bytes).unwrap_or_else(|e| {
                        panic!("{e}: {}", String::from_utf8_lossy(&bytes));
                    }));
                }
                other => panic!("the stream gave {other:?}"),
            }
        }
        said
    }

    async fn open(&mut self) -> Vec<String> {
        let call = venue_binance::request::open_orders(None);
        let answer = self.rest.ask(&call).await.expect("an answer");
        let orders: Vec<Value> = serde_json::from_slice(&answer).expect("a list");
        orders.iter().map(|order| order["clientOrderId"].as_str().expect("an id").to_owned()).collect()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("http://{}{path}", self.address)).send().await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    }
}
