//! One account's client.

use super::{
    Endpoints, Setup, WsApi,
    answer::{self, Answer},
    info::Info,
};
use crate::{
    ParseError, budget,
    errors::{Failure, Retry, RetryAt, Verdict},
    request::{self, Call, RestRequest, Security, Signing},
    wire::{Stamp as WireStamp, wire},
};
use domain::{Decimal, Timestamp};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use thiserror::Error;
use venue::Stamp;
use venue_net::{
    Access, Held, Http, Leave, NoAnswer, Timeouts, VenueClock,
    budget::{Budget, Limit, LimitKind},
};

/// One account's client; a clone is the same one.
#[derive(Clone)]
pub struct Rest(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub setup: Setup,
    /// What every connection of this client shares.
    pub access: Arc<Access>,
    pub info: Info,
    http: Http,
    orders_over: Option<WsApi>,
    /// One reading of the clock at a time.
    reading: tokio::sync::Mutex<()>,
}

/// Why a query has no answer.
#[derive(Debug, Error)]
pub enum CallError {
    #[error("the venue answered: {0}")]
    Told(Failure),
    /// Not sent, for the limits' sake.
    #[error("not asked, for {why}; ask again in {} s", after.as_secs_f32().ceil())]
    Held { after: Duration, why: &'static str },
    #[error("the venue was not reached: {0}; see whether the address is right")]
    Unreached(String),
    /// Sent, perhaps.
    #[error("no answer: {0}; find out what became of it")]
    NoAnswer(String),
    #[error("the answer cannot be read: {0}")]
    Unreadable(#[from] ParseError),
    /// The order's executions reach the venue's archive after its row.
    #[error("of {executed} executed the venue tells {told} in fills so far; ask again")]
    Incomplete { executed: Decimal, told: Decimal },
    /// Too slowly each time to set a clock by it.
    #[error(
        "the venue took {took:?} to tell its time, more than the {most:?} that are of use; see to the connection"
    )]
    SlowClock { took: Duration, most: Duration },
    #[error("this needs an API key; configure one")]
    NoKey,
    /// Before anything was sent.
    #[error("the client cannot be built: {0}; mend the configuration")]
    Setup(String),
}

/// Until exchange info tells its own: Binance's of 2026.
const LIMITS: &[(LimitKind, u64, u32)] = &[
    (LimitKind::Weight, 60, 6_000),
    (LimitKind::Requests, 300, 61_000),
    (LimitKind::Orders, 10, 50),
    (LimitKind::Orders, 86_400, 160_000),
];
/// So often the clock is read until an answer comes in time.
const CLOCK_READINGS: u32 = 4;
/// For queries: their stamps are our own.
const WINDOW_MS: u32 = 5_000;

impl Rest {
    /// Orders over REST.
    ///
    /// # Errors
    /// The connection's security cannot be set up.
    pub fn new(setup: Setup) -> Result<Self, CallError> {
        Self::over(setup, false)
    }

    /// Orders, cancels and lookups over the WebSocket API, the rest over REST. Needs a runtime to be in.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_ws_api(setup: Setup) -> Result<Self, CallError> {
        Self::over(setup, true)
    }

    fn over(setup: Setup, ws_api: bool) -> Result<Self, CallError> {
        check(&setup).map_err(CallError::Setup)?;
        let http = Http::new(&setup.endpoints.rest, &setup.timeouts).map_err(CallError::Setup)?;
        let limit = |&(kind, seconds, limit): &(LimitKind, u64, u32)| Limit {
            kind,
            interval: Duration::from_secs(seconds),
            limit,
        };
        let limits: Vec<Limit> = LIMITS.iter().map(limit).collect();
        Ok(Self(Arc::new(Shared {
            access: Arc::new(Access::new(setup.timeouts, Budget::new(&limits, setup.reserve))),
            info: Info::default(),
            http,
            orders_over: ws_api.then(|| WsApi::open(&setup.endpoints.ws_api, setup.timeouts)),
            reading: tokio::sync::Mutex::default(),
            setup,
        })))
    }

    /// The venue's clock: what orders are stamped with.
    pub fn clock(&self) -> &VenueClock {
        &self.0.access.clock
    }

    /// How long the venue has told everybody at this address to be silent; zero as a rule.
    pub fn quiet_for(&self) -> Duration {
        self.0.access.quiet_for()
    }

    /// Reads the venue's clock; what it says is when it answered. A reading that took too long is made again,
    /// a few times, and what was known stays.
    ///
    /// # Errors
    /// No answer, or none in time.
    pub async fn read_clock(&self) -> Result<Timestamp, CallError> {
        let _one = self.0.reading.lock().await;
        self.read_clock_alone().await
    }

    /// As [`Self::read_clock`], unless the last reading is fresh.
    ///
    /// # Errors
    /// No answer.
    pub async fn freshen_clock(&self) -> Result<(), CallError> {
        if self.clock().is_stale(self.timeouts().clock) {
            let _one = self.0.reading.lock().await;
            // Somebody else may have read it meanwhile.
            if self.clock().is_stale(self.timeouts().clock) {
                self.read_clock_alone().await?;
            }
        }
        Ok(())
    }

    /// Keeps the clock fresh for ever: for a task of its own, beside orders, which do not wait for it.
    pub async fn keep_clock(&self) {
        let pause = (self.timeouts().clock / 60).max(Duration::from_millis(10));
        loop {
            if let Err(why) = self.freshen_clock().await {
                tracing::warn!("the venue's clock: {why}");
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn read_clock_alone(&self) -> Result<Timestamp, CallError> {
        let most = self.timeouts().round_trip;
        let mut took = Duration::ZERO;
        for _ in 0..CLOCK_READINGS {
            let (told, asked) = self.ask_time().await?;
            took = asked.elapsed();
            if took <= most {
                self.0.access.clock_read(told, asked);
                return Ok(told);
            }
        }
        Err(CallError::SlowClock { took, most })
    }

    /// What the venue's clock showed, and when it was asked.
    async fn ask_time(&self) -> Result<(Timestamp, Instant), CallError> {
        let call = request::time();
        let asked_with = self.0.access.admit(call.cost, call.lane).await?;
        let asked = Instant::now();
        let request = RestRequest { method: call.method, target: call.path.to_owned(), api_key: None };
        let answer = told(asked_with, answer::send(&self.0.http, request).await)?;
        let told: Time = serde_json::from_slice(&answer).map_err(ParseError::from)?;
        Ok((told.server.0, asked))
    }

    /// Asks: waits for the limits, stamps and signs with the venue's time, and once more should that
    /// time have been wrong (−1021). Not for orders.
    ///
    /// # Errors
    /// No answer, or a failure.
    pub async fn ask(&self, call: &Call) -> Result<Vec<u8>, CallError> {
        self.ask_over(call, false).await
    }

    /// Over whatever orders go.
    pub(super) async fn ask_where_orders_go(&self, call: &Call) -> Result<Vec<u8>, CallError> {
        self.ask_over(call, true).await
    }

    async fn ask_over(&self, call: &Call, orders: bool) -> Result<Vec<u8>, CallError> {
        if call.security == Security::Signed {
            self.freshen_clock().await?;
        }
        let first = self.ask_once(call, orders).await;
        let too_late = |e: &CallError| matches!(e, CallError::Told(f) if f.verdict == Verdict::Retry(Retry::OutsideWindow));
        if !first.as_ref().is_err_and(too_late) {
            return first;
        }
        self.read_clock().await?;
        self.ask_once(call, orders).await
    }

    async fn ask_once(&self, call: &Call, orders: bool) -> Result<Vec<u8>, CallError> {
        let leave = self.0.access.admit(call.cost, call.lane).await?;
        let stamp = Stamp { timestamp: self.clock().now(), recv_window_ms: WINDOW_MS };
        told(leave, self.transmit(call, stamp, orders).await?)
    }

    /// Sends it now, with that stamp, and tells the budget. No waiting, no second try.
    pub(super) async fn send_order(&self, call: &Call, stamp: Stamp) -> Result<Vec<u8>, CallError> {
        let leave = self.0.access.ask(call.cost, call.lane)?;
        let sent = self.transmit(call, stamp, true).await;
        told(leave, sent?)
    }

    /// The outer error: no key, nothing was sent.
    async fn transmit(
        &self,
        call: &Call,
        stamp: Stamp,
        orders: bool,
    ) -> Result<Result<Answer, NoAnswer>, CallError> {
        let Some(keys) = &self.0.setup.keys else {
            if call.security == Security::Signed {
                return Err(CallError::NoKey);
            }
            let target = match call.params.query() {
                query if query.is_empty() => call.path.to_owned(),
                query => format!("{}?{query}", call.path),
            };
            return Ok(answer::send(
                &self.0.http,
                RestRequest { method: call.method, target, api_key: None },
            )
            .await);
        };
        let signing = Signing {
            api_key: &keys.api_key,
            signer: &keys.signer,
            timestamp: stamp.timestamp,
            recv_window_ms: stamp.recv_window_ms,
        };
        Ok(match &self.0.orders_over {
            Some(ws) if orders && call.ws_method.is_some() => ws.send(call, &signing).await,
            _ => answer::send(&self.0.http, call.rest(&signing)).await,
        })
    }

    pub(super) fn timeouts(&self) -> &Timeouts {
        &self.0.access.timeouts
    }

    /// How long to leave it after a failure that says to try again.
    pub(super) fn pause_after(&self, why: Retry, failure: &Failure) -> Duration {
        let now = self.clock().now();
        let told = failure.retry.map(|retry| match retry {
            RetryAt::After(pause) => pause,
            RetryAt::At(time) => time.since(now),
        });
        match why {
            Retry::Limit => self.quiet_for().max(told.unwrap_or_default()),
            Retry::Orders => told.unwrap_or(ORDERS_PAUSE),
            Retry::OutsideWindow => Duration::ZERO,
            Retry::Busy => told.unwrap_or(BUSY_PAUSE),
        }
    }
}

/// The shortest window of orders.
const ORDERS_PAUSE: Duration = Duration::from_secs(10);
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// What would fail at each request, rather at once.
fn check(setup: &Setup) -> Result<(), String> {
    let Endpoints { rest, ws_api, streams } = &setup.endpoints;
    for (url, schemes) in [(rest, ["http", "https"]), (ws_api, ["ws", "wss"]), (streams, ["ws", "wss"])] {
        let scheme = reqwest::Url::parse(url).map_err(|why| format!("the address {url}: {why}"))?;
        if !schemes.contains(&scheme.scheme()) {
            return Err(format!(
                "the address {url} does not begin with {}:// or {}://",
                schemes[0], schemes[1]
            ));
        }
    }
    let is_plain = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    match &setup.keys {
        Some(keys) if !is_plain(&keys.api_key) => {
            Err("the API key is empty, or has characters that no key has".to_owned())
        }
        _ => Ok(()),
    }
}

/// Tells the budget what came of it.
fn told(leave: Leave<'_>, sent: Result<Answer, NoAnswer>) -> Result<Vec<u8>, CallError> {
    match sent {
        Ok(answer) => match answer.failure() {
            None => {
                leave.answered(&answer.usage);
                Ok(answer.body)
            }
            Some(failure) => {
                leave.refused(&answer.usage, budget::pause(&failure));
                Err(CallError::Told(failure))
            }
        },
        Err(NoAnswer::Unsent(why)) => {
            leave.unsent();
            Err(CallError::Unreached(why))
        }
        // Dropping the leave counts it.
        Err(NoAnswer::Lost(why)) => Err(CallError::NoAnswer(why)),
    }
}

impl From<Held> for CallError {
    fn from(Held { after, why }: Held) -> Self {
        Self::Held { after, why }
    }
}

wire! {
    pub struct Time {
        server "serverTime": must WireStamp,
    }
}
