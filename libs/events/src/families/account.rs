//! What an account holds.

use super::payload;
use domain::{Account, Asset, Decimal, Instrument, Timestamp};
use serde::{Deserialize, Serialize};

/// Whose account a key opens at the venue, and what the key may do there. The venue is asked before anything is
/// sent; a later one with other rights replaces it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountIdentified {
    pub account: Account,
    /// The venue's own id of the account: at Binance its `uid`.
    pub venue_account: String,
    pub may_trade: bool,
    /// `None` where the venue does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_withdraw: Option<bool>,
}
payload!(AccountIdentified, |e| format!("account:{}", e.account), account = Some(e.account));

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
    /// What it was for, where it was for one: of funding and of a liquidation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<Instrument>,
    /// The venue's own name of the entry.
    pub venue_ref: String,
    pub at: Timestamp,
}
payload!(LedgerEntry, |e| format!("ledger:{}:{}", e.account, e.asset), at = e.at, account = Some(e.account));
