//! What an answer tells of the limits.

use super::{Limit, LimitKind, RateLimit, limits::interval};
use std::time::Duration;

/// How much of each limit is used, by kind and interval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage(Vec<(LimitKind, Duration, u32)>);

impl Usage {
    /// From headers such as `X-MBX-USED-WEIGHT-1M` and `X-MBX-ORDER-COUNT-10S`, of either case.
    pub fn from_headers<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self(headers.into_iter().filter_map(|(name, value)| header(name, value)).collect())
    }

    /// From the `rateLimits` of an answer of the WebSocket API.
    pub fn from_rate_limits(told: &[RateLimit]) -> Self {
        let one = |told: &RateLimit| {
            let limit = told.known()?;
            Some((limit.kind, limit.interval, told.count?))
        };
        Self(told.iter().filter_map(one).collect())
    }

    pub(super) fn of(&self, limit: &Limit) -> Option<u32> {
        let same = |(kind, interval, _): &&(LimitKind, Duration, u32)| {
            *kind == limit.kind && *interval == limit.interval
        };
        self.0.iter().find(same).map(|(_, _, used)| *used)
    }
}

fn header(name: &str, value: &str) -> Option<(LimitKind, Duration, u32)> {
    let name = name.to_ascii_uppercase();
    let (kind, window) = match name.strip_prefix("X-MBX-USED-WEIGHT-") {
        Some(window) => (LimitKind::RequestWeight, window),
        None => (LimitKind::Orders, name.strip_prefix("X-MBX-ORDER-COUNT-")?),
    };
    let unit = window.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = window.split_at(unit);
    Some((kind, interval(unit, number.parse().ok()?)?, value.trim().parse().ok()?))
}
