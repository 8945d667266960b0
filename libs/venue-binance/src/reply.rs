//! Answers of the WebSocket API (Binance's `web-socket-api.md`, "Response format").

use crate::{
    budget::{self, RateLimit},
    wire::{Raw, Text, wire},
};
use venue_net::budget::Usage;

wire! {
    /// An answer to the request of that id: a result with the status 200, an error with any other.
    pub struct Reply<'a> {
        /// Missing where the server could not make it out; then it is an error.
        id "id": may Text<'a>,
        status "status": must u16,
        result "result": may Raw<'a>,
        error "error": may Raw<'a>,
        limits "rateLimits": may Vec<RateLimit<'a>>,
    }
}

wire! {
    pub struct Subscribed {
        subscription "subscriptionId": may i64,
    }
}

impl<'a> Reply<'a> {
    /// `None` for what is no answer, but an event for instance.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// What REST's body would be.
    pub fn body(&self) -> &'a [u8] {
        let body = if self.status == 200 { self.result } else { self.error };
        body.map_or(b"null", Raw::bytes)
    }

    pub fn usage(&self) -> Usage {
        self.limits.as_deref().map(budget::used).unwrap_or_default()
    }

    /// The number of a subscription to the user data stream, where that was asked for.
    pub fn subscription(&self) -> Option<i64> {
        serde_json::from_slice::<Subscribed>(self.body()).ok()?.subscription
    }
}
