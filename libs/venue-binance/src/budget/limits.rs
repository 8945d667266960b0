//! The limits themselves, as exchange info and answers of the WebSocket API tell them.

use crate::wire::{Text, wire};
use std::time::Duration;

/// So much of a kind in each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub interval: Duration,
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    RequestWeight,
    RawRequests,
    Orders,
}

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

impl RateLimit<'_> {
    pub(super) fn known(&self) -> Option<Limit> {
        let name = self.interval.as_deref()?;
        // Where it is lost, the longer of those in use: rather too strict than too lax.
        let number = self.number.unwrap_or(if name == "SECOND" { 10 } else { 1 });
        let interval = interval(name, number)?;
        Some(Limit { kind: kind(self.kind.as_deref()?)?, interval, limit: self.limit? })
    }
}

fn kind(name: &str) -> Option<LimitKind> {
    match name {
        "REQUEST_WEIGHT" => Some(LimitKind::RequestWeight),
        "RAW_REQUESTS" => Some(LimitKind::RawRequests),
        "ORDERS" => Some(LimitKind::Orders),
        _ => None,
    }
}

/// By its name, or its initial as in the names of headers.
pub(super) fn interval(name: &str, number: u32) -> Option<Duration> {
    let seconds: u64 = match name.to_ascii_uppercase().as_str() {
        "SECOND" | "S" => 1,
        "MINUTE" | "M" => 60,
        "HOUR" | "H" => 3_600,
        "DAY" | "D" => 86_400,
        _ => return None,
    };
    (number > 0).then(|| Duration::from_secs(seconds * u64::from(number)))
}
