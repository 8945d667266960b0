//! Binance's words for its limits (its `rest-api.md`, "LIMITS"; `web-socket-api.md`, "Rate limits"); the budget itself
//! is [`venue_net::budget`].

use crate::{
    errors::{Failure, Retry, Verdict},
    wire::{Text, wire},
};
use std::time::Duration;
use venue_net::budget::{Limit, LimitKind, Pause, Paused, Usage};

wire! {
    /// An entry of `rateLimits`; `count` is there in answers of the WebSocket API.
    pub struct RateLimit<'a> {
        kind "rateLimitType": may Text<'a>,
        interval "interval": may Text<'a>,
        /// Some copies of exchange info have lost it.
        number "intervalNum": may u32,
        limit "limit": may u32,
        count "count": may u32,
    }
}

/// The limits that this build knows; others, and those of unknown intervals, are left out.
pub fn limits(told: &[RateLimit]) -> Vec<Limit> {
    told.iter().filter_map(RateLimit::known).collect()
}

/// What answers of the WebSocket API tell of the limits.
pub fn used(told: &[RateLimit]) -> Usage {
    told.iter()
        .filter_map(|told| {
            let limit = told.known()?;
            Some((limit.kind, limit.interval, told.count?))
        })
        .collect()
}

/// What headers such as `X-MBX-USED-WEIGHT-1M` and `X-MBX-ORDER-COUNT-10S`, of either case, tell of them.
pub fn used_by_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Usage {
    headers.into_iter().filter_map(|(name, value)| header(name, value)).collect()
}

/// The silence that a failure asks for: after a 429, a 418 or a 403 of everything; after −1015 of orders.
pub fn pause(failure: &Failure) -> Option<Pause> {
    let Verdict::Retry(why) = failure.verdict else { return None };
    let of = match why {
        Retry::Limit if failure.status == 418 => Paused::Everything { otherwise: BAN },
        Retry::Limit => Paused::Everything { otherwise: MINUTE },
        Retry::Orders => Paused::Orders,
        Retry::OutsideWindow | Retry::Busy => return None,
    };
    Some(Pause { of, until: failure.retry })
}

/// Where a 429 tells no time: the longest window of weights.
const MINUTE: Duration = Duration::from_secs(60);
/// The shortest ban.
const BAN: Duration = Duration::from_secs(120);

impl RateLimit<'_> {
    fn known(&self) -> Option<Limit> {
        let name = self.interval.as_deref()?;
        // Where it is lost, the longer of those in use: rather too strict than too lax.
        let number = self.number.unwrap_or(if name == "SECOND" { 10 } else { 1 });
        let interval = interval(name, number)?;
        Some(Limit { kind: kind(self.kind.as_deref()?)?, interval, limit: self.limit? })
    }
}

fn kind(name: &str) -> Option<LimitKind> {
    match name {
        "REQUEST_WEIGHT" => Some(LimitKind::Weight),
        "RAW_REQUESTS" => Some(LimitKind::Requests),
        "ORDERS" => Some(LimitKind::Orders),
        _ => None,
    }
}

/// By its name, or its initial as in the names of headers.
fn interval(name: &str, number: u32) -> Option<Duration> {
    let seconds: u64 = match name.to_ascii_uppercase().as_str() {
        "SECOND" | "S" => 1,
        "MINUTE" | "M" => 60,
        "HOUR" | "H" => 3_600,
        "DAY" | "D" => 86_400,
        _ => return None,
    };
    (number > 0).then(|| Duration::from_secs(seconds * u64::from(number)))
}

fn header(name: &str, value: &str) -> Option<(LimitKind, Duration, u32)> {
    let name = name.to_ascii_uppercase();
    let (kind, window) = match name.strip_prefix("X-MBX-USED-WEIGHT-") {
        Some(window) => (LimitKind::Weight, window),
        None => (LimitKind::Orders, name.strip_prefix("X-MBX-ORDER-COUNT-")?),
    };
    let unit = window.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = window.split_at(unit);
    Some((kind, interval(unit, number.parse().ok()?)?, value.trim().parse().ok()?))
}
