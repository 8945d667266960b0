//! Whether trading is allowed.

use domain::{Account, Timestamp};
use events::{TradingState, TradingStateChanged};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The latest word for all accounts and for each one. The stricter of the two holds, so that
/// letting everybody trade again does not set free an account that was stopped by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Trading {
    everywhere: Option<TradingStateChanged>,
    accounts: BTreeMap<Account, TradingStateChanged>,
}

impl Trading {
    pub fn change(&mut self, change: &TradingStateChanged) {
        match change.account {
            None => self.everywhere = Some(change.clone()),
            Some(account) => {
                self.accounts.insert(account, change.clone());
            }
        }
    }

    /// What forbids entries on the account now, if anything does.
    pub fn forbids(&self, account: &Account, now: Timestamp) -> Option<&TradingStateChanged> {
        [self.everywhere.as_ref(), self.accounts.get(account)]
            .into_iter()
            .flatten()
            .filter(|change| change.until.is_none_or(|until| now < until))
            .filter(|change| change.state != TradingState::Active)
            .max_by_key(|change| change.state)
    }
}
