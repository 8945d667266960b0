//! What the account owns.

use domain::{Amount, Asset};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Invariant: neither is negative, and `locked` is what the open orders hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Balance {
    pub free: Amount,
    pub locked: Amount,
}

impl Balance {
    /// Moves `amount` from free to locked; a negative one back.
    pub fn lock(&mut self, amount: Amount) {
        self.free -= amount;
        self.locked += amount;
    }
    pub fn total(&self) -> Amount {
        self.free + self.locked
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Balances(BTreeMap<Asset, Balance>);

impl Balances {
    pub fn of(&self, asset: &Asset) -> Balance {
        self.0.get(asset).copied().unwrap_or_default()
    }
    pub fn set(&mut self, asset: Asset, balance: Balance) {
        self.0.insert(asset, balance);
    }
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub fn iter(&self) -> impl Iterator<Item = (&Asset, &Balance)> {
        self.0.iter()
    }
}
