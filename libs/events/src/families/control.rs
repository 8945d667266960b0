//! Whether trading is allowed.

use super::payload;
use domain::{Account, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TradingState {
    #[default]
    Active,
    /// Exits only.
    Reducing,
    /// Nothing is sent but cancels, stops and closes that protect.
    Halted,
}

/// Survives restarts, for it is on the tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TradingStateChanged {
    /// `None`: every account.
    pub account: Option<Account>,
    pub state: TradingState,
    pub who: String,
    pub why: String,
    pub until: Option<Timestamp>,
}
payload!(
    TradingStateChanged,
    |e| e.account.map_or_else(|| "trading:all".to_owned(), |a| format!("trading:{a}")),
    account = e.account
);
