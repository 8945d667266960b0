//! What the exchange tells of itself: of the account, and of the market.

use crate::params::TimeUnit;
use domain::Timestamp;
use venue_paper::engine::Owner;

/// One event of the user data stream (`executionReport`, `outboundAccountPosition`, `balanceUpdate`, `listStatus`,
/// `externalLockUpdate`, `eventStreamTerminated`), without the `{"subscriptionId":…,"event":…}` around it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFrame {
    /// Whose account.
    pub owner: Owner,
    /// 1, 2, 3 … of the account, for the life of the exchange: by it a reader outside the stream can tell whether it has all.
    pub number: u64,
    pub at: Timestamp,
    /// The JSON with times in milliseconds, and the same in microseconds.
    pub milli: String,
    pub micro: String,
}

/// One message of a market stream, e.g. `btcusdt@depth@100ms`, as raw JSON (the server wraps it for `/stream`).
#[derive(Debug, Clone, PartialEq)]
pub struct MarketFrame {
    /// The stream's name in lower case; non-ASCII symbols as they are.
    pub stream: String,
    pub milli: String,
    pub micro: String,
}

impl AccountFrame {
    pub fn json(&self, unit: TimeUnit) -> &str {
        match unit {
            TimeUnit::Milli => &self.milli,
            TimeUnit::Micro => &self.micro,
        }
    }
}

impl MarketFrame {
    pub fn json(&self, unit: TimeUnit) -> &str {
        match unit {
            TimeUnit::Milli => &self.milli,
            TimeUnit::Micro => &self.micro,
        }
    }
}
