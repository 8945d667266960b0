//! An account's stream at a venue: what a recorder may believe of it.

use super::payload;
use domain::{Account, Timestamp};
use serde::{Deserialize, Serialize};

/// A replica of an ingestor is connected, again or for the first time. What happened while none was
/// may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamOpened {
    pub account: Account,
    /// Which of the ingestor's replicas.
    pub replica: String,
    /// The ingestor's name of the stream, e.g. `user-data`.
    pub stream: String,
    pub at: Timestamp,
}
payload!(StreamOpened, |e| format!("stream:{}", e.account), at = e.at, account = Some(e.account));
