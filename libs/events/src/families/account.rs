//! What an account holds.

use super::payload;
use domain::{Account, Asset, Decimal, Timestamp};
use serde::{Deserialize, Serialize};

/// An observation, not a delta: the latest as-of wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceChanged {
    pub account: Account,
    pub asset: Asset,
    pub free: Decimal,
    /// Held by open orders.
    pub locked: Decimal,
    pub as_of: Timestamp,
}
payload!(
    BalanceChanged,
    |e| format!("balance:{}:{}", e.account, e.asset),
    at = e.as_of,
    account = Some(e.account)
);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerReason {
    Deposit,
    Withdrawal,
    Transfer,
    Fee,
    Funding,
    Interest,
    Liquidation,
    DustConversion,
    Other,
}

/// A change of a balance that is no fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    pub account: Account,
    pub asset: Asset,
    pub delta: Decimal,
    pub reason: LedgerReason,
    /// The venue's own name of the entry.
    pub venue_ref: String,
    pub at: Timestamp,
}
payload!(LedgerEntry, |e| format!("ledger:{}:{}", e.account, e.asset), at = e.at, account = Some(e.account));
