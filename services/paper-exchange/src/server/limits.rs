//! Rate limits, counted in the exchange's own time: weight and requests by address, orders by account.

use crate::{frame::AccountFrame, refusal::Refusal};
use domain::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use venue_paper::engine::Owner;

/// Binance's figures by default (`rest-api.md`, `web-socket-api.md` and `web-socket-streams.md`, "Limits").
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Request weight in a minute.
    pub weight: u32,
    /// Requests in five minutes.
    pub requests: u32,
    /// Unfilled orders.
    pub orders_in_10_seconds: u32,
    pub orders_in_a_day: u32,
    /// WebSocket connections opened in five minutes.
    pub connections: u32,
    /// So many requests beyond the weight are answered with 429 before the address is banned.
    pub warnings: u32,
    /// The first ban; each further one is twice as long, up to three days.
    pub ban: Duration,
    /// Messages that a stream connection may send in a second.
    pub messages: u32,
    /// Streams of one connection.
    pub streams: usize,
    pub ping_every: Duration,
    pub pong_within: Duration,
    /// How long a WebSocket connection may live.
    pub longest_connection: Duration,
    /// Frames that wait for a connection that does not read; with more it is cut off.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            weight: 6_000,
            requests: 300_000,
            orders_in_10_seconds: 100,
            orders_in_a_day: 200_000,
            connections: 300,
            warnings: 5,
            ban: Duration::from_secs(120),
            messages: 5,
            streams: 1_024,
            ping_every: Duration::from_secs(20),
            pong_within: Duration::from_secs(60),
            longest_connection: Duration::from_secs(86_400),
            queue: 4_096,
        }
    }
}

/// A figure that nobody reaches, and every client can read.
const NO_LIMIT: u32 = 1_000_000_000;

impl Limits {
    /// Nobody is refused for coming too often, or for opening many connections. What a script of faults says
    /// holds all the same, and a connection that does not read is still cut off.
    pub fn off() -> Self {
        Self {
            weight: NO_LIMIT,
            requests: NO_LIMIT,
            orders_in_10_seconds: NO_LIMIT,
            orders_in_a_day: NO_LIMIT,
            connections: NO_LIMIT,
            messages: NO_LIMIT,
            ..Self::default()
        }
    }

    /// So many times Binance's figures, at least 1 of each.
    pub fn times(factor: f64) -> Self {
        // A float beyond the range of the whole number becomes the nearest one of it.
        let times = |limit: u32| ((f64::from(limit) * factor) as u32).clamp(1, NO_LIMIT);
        let usual = Self::default();
        Self {
            weight: times(usual.weight),
            requests: times(usual.requests),
            orders_in_10_seconds: times(usual.orders_in_10_seconds),
            orders_in_a_day: times(usual.orders_in_a_day),
            connections: times(usual.connections),
            messages: times(usual.messages),
            ..usual
        }
    }
}

/// A no for coming too often.
#[derive(Debug, Clone, PartialEq)]
pub struct TooMany {
    pub refusal: Refusal,
    /// When it may be tried again.
    pub retry_at: Timestamp,
}

impl TooMany {
    pub fn is_ban(&self) -> bool {
        self.refusal.status == 418
    }

    /// How long to wait, rounded up.
    pub fn seconds(&self, now: Timestamp) -> u64 {
        self.retry_at.since(now).as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
    }
}

/// What has been used up.
#[derive(Debug)]
pub struct Meter {
    limits: Limits,
    addresses: BTreeMap<IpAddr, Used>,
    placed: BTreeMap<Owner, Placed>,
}

/// Unfilled orders of an account.
#[derive(Debug, Default)]
struct Placed {
    ten_seconds: Window,
    day: Window,
}

#[derive(Debug, Default)]
struct Used {
    weight: Window,
    requests: Window,
    connections: Window,
    /// Answers of 429 in this minute.
    warned: Window,
    /// By a script: every answer until then is 429.
    stopped_until: Timestamp,
    banned_until: Timestamp,
    bans: u32,
}

/// A count that begins anew with each interval of the clock.
#[derive(Debug, Default)]
struct Window {
    interval: i64,
    count: u32,
}

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const LONGEST_BAN: Duration = Duration::from_secs(3 * 86_400);

impl Window {
    fn now(&mut self, now: Timestamp, length: i64) -> &mut u32 {
        let interval = now.micros().div_euclid(length);
        if interval != self.interval {
            *self = Self { interval, count: 0 };
        }
        &mut self.count
    }
}

impl Placed {
    fn now(&mut self, now: Timestamp) -> [&mut u32; 2] {
        [self.ten_seconds.now(now, 10 * SECOND), self.day.now(now, 1_440 * MINUTE)]
    }
}

/// When the interval that `now` lies in is over.
fn end(now: Timestamp, length: i64) -> Timestamp {
    Timestamp::from_micros((now.micros().div_euclid(length) + 1) * length)
}

impl Meter {
    pub fn new(limits: Limits) -> Self {
        Self { limits, addresses: BTreeMap::new(), placed: BTreeMap::new() }
    }

    /// Counts a request that would weigh so much, or says no.
    ///
    /// # Errors
    /// 429 beyond the limits, 418 for an address that goes on.
    pub fn admit(&mut self, from: IpAddr, now: Timestamp, weight: u32) -> Result<(), TooMany> {
        let limits = &self.limits;
        let used = self.addresses.entry(from).or_default();
        if used.banned_until > now {
            return Err(banned(used.banned_until));
        }
        let requests = used.requests.now(now, 5 * MINUTE);
        *requests = requests.saturating_add(1);
        let (text, retry_at) = if used.stopped_until > now && weight > 0 {
            (STOPPED.to_owned(), used.stopped_until)
        } else if *requests > limits.requests {
            let text =
                format!("Too many requests; current limit is {} requests per 5 MINUTE.", limits.requests);
            (text, end(now, 5 * MINUTE))
        } else if used.weight.now(now, MINUTE).saturating_add(weight) > limits.weight {
            let text = format!(
                "Too much request weight used; current limit is {} request weight per 1 MINUTE. Please use \
                 WebSocket Streams for live updates to avoid polling the API.",
                limits.weight
            );
            (text, end(now, MINUTE))
        } else {
            return Ok(());
        };
        let warned = used.warned.now(now, MINUTE);
        *warned += 1;
        if *warned > limits.warnings {
            let ban = limits.ban.saturating_mul(1 << used.bans.min(16)).min(LONGEST_BAN);
            used.bans += 1;
            used.banned_until = now + ban;
            return Err(banned(used.banned_until));
        }
        Err(TooMany { refusal: Refusal::new(-1003, text).status(429), retry_at })
    }

    /// 429 or 418 that a script asks for: it holds until then, and whoever goes on is banned.
    pub fn stop(&mut self, from: IpAddr, now: Timestamp, status: u16, until: Timestamp) -> TooMany {
        let used = self.addresses.entry(from).or_default();
        if status == 418 {
            used.banned_until = used.banned_until.max(until);
            used.bans += 1;
            return banned(used.banned_until);
        }
        used.stopped_until = used.stopped_until.max(until);
        *used.warned.now(now, MINUTE) += 1;
        let refusal = Refusal::new(-1003, STOPPED).status(429);
        TooMany { refusal, retry_at: used.stopped_until }
    }

    /// Counts a WebSocket connection.
    ///
    /// # Errors
    /// Too many, or banned.
    pub fn connect(&mut self, from: IpAddr, now: Timestamp) -> Result<(), TooMany> {
        let used = self.addresses.entry(from).or_default();
        if used.banned_until > now {
            return Err(banned(used.banned_until));
        }
        let count = used.connections.now(now, 5 * MINUTE);
        *count = count.saturating_add(1);
        if *count <= self.limits.connections {
            return Ok(());
        }
        let text =
            format!("Too many connections; current limit is {} per 5 MINUTE.", self.limits.connections);
        let refusal = Refusal::new(-1034, text).status(429);
        Err(TooMany { refusal, retry_at: end(now, 5 * MINUTE) })
    }

    pub fn charge(&mut self, from: IpAddr, now: Timestamp, weight: u32) {
        let used = self.addresses.entry(from).or_default().weight.now(now, MINUTE);
        *used = used.saturating_add(weight);
    }

    /// Whether so many orders more may be placed.
    ///
    /// # Errors
    /// −1015.
    pub fn may_place(&mut self, owner: Owner, now: Timestamp, orders: u32) -> Result<(), TooMany> {
        let used = self.orders(owner, now);
        let (ten_seconds, day) = (self.limits.orders_in_10_seconds, self.limits.orders_in_a_day);
        let (limit, words, length) = if used[0] + orders > ten_seconds {
            (ten_seconds, "10 SECOND", 10 * SECOND)
        } else if used[1] + orders > day {
            (day, "1 DAY", 1_440 * MINUTE)
        } else {
            return Ok(());
        };
        let text = format!("Too many new orders; current limit is {limit} orders per {words}.");
        let refusal = Refusal::new(-1015, text).status(429);
        Err(TooMany { refusal, retry_at: end(now, length) })
    }

    pub fn placed(&mut self, owner: Owner, now: Timestamp, orders: u32) {
        for count in self.placed.entry(owner).or_default().now(now) {
            *count += orders;
        }
    }

    /// They were refused after all.
    pub fn not_placed(&mut self, owner: Owner, now: Timestamp, orders: u32) {
        for count in self.placed.entry(owner).or_default().now(now) {
            *count = count.saturating_sub(orders);
        }
    }

    /// A first fill takes an order off the count; five, if it came while the order rested
    /// (`faqs/order_count_decrement.md`).
    pub fn see(&mut self, now: Timestamp, frame: &AccountFrame) {
        let off = match first_fill(frame) {
            None => return,
            Some(Fill::Taker) => 1,
            Some(Fill::Maker) => 5,
        };
        self.not_placed(frame.owner, now, off);
    }

    pub fn weight(&mut self, from: IpAddr, now: Timestamp) -> u32 {
        *self.addresses.entry(from).or_default().weight.now(now, MINUTE)
    }

    /// In ten seconds, and in the day.
    pub fn orders(&mut self, owner: Owner, now: Timestamp) -> [u32; 2] {
        self.placed.entry(owner).or_default().now(now).map(|count| *count)
    }

    /// The limits on orders with what is used of them, as `rateLimit/order` answers.
    pub fn order_limits(&mut self, owner: Owner, now: Timestamp) -> Vec<Value> {
        let [ten_seconds, day] = self.orders(owner, now);
        let row = |interval, number, limit, count| json!({ "rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit, "count": count });
        vec![
            row("SECOND", 10, self.limits.orders_in_10_seconds, ten_seconds),
            row("DAY", 1, self.limits.orders_in_a_day, day),
        ]
    }

    /// What every answer of the WebSocket API carries; of one to who places orders, those of the account too.
    pub fn rate_limits(&mut self, from: IpAddr, now: Timestamp, owner: Option<Owner>) -> Value {
        let mut limits = owner.map(|owner| self.order_limits(owner, now)).unwrap_or_default();
        let count = self.weight(from, now);
        limits.push(json!({ "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.limits.weight, "count": count }));
        Value::Array(limits)
    }

    /// As exchange info tells them.
    pub fn listed(&self) -> Value {
        let l = &self.limits;
        let row = |kind, interval, number, limit| json!({ "rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit });
        json!([
            row("REQUEST_WEIGHT", "MINUTE", 1, l.weight),
            row("ORDERS", "SECOND", 10, l.orders_in_10_seconds),
            row("ORDERS", "DAY", 1, l.orders_in_a_day),
            row("RAW_REQUESTS", "MINUTE", 5, l.requests),
        ])
    }
}

/// What an address is told that was stopped by hand.
pub const STOPPED: &str = "Too many requests queued.";

fn banned(until: Timestamp) -> TooMany {
    let text = format!(
        "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates to \
         avoid bans.",
        until.millis()
    );
    TooMany { refusal: Refusal::new(-1003, text).status(418), retry_at: until }
}

enum Fill {
    Taker,
    Maker,
}

/// An `executionReport` of a fill before which there was none.
fn first_fill(frame: &AccountFrame) -> Option<Fill> {
    #[derive(Deserialize)]
    struct Report<'a> {
        x: &'a str,
        l: &'a str,
        z: &'a str,
        m: bool,
    }
    if !frame.milli.contains("\"TRADE\"") {
        return None;
    }
    let report: Report<'_> = serde_json::from_str(&frame.milli).ok()?;
    let first = report.x == "TRADE" && report.l == report.z;
    first.then_some(if report.m { Fill::Maker } else { Fill::Taker })
}
