//! The accounts of one exchange, and what goes from one to another.

use super::{Exchange, events, orders::refused};
use crate::refusal::Refusal;
use domain::{Account, Amount, Asset, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use venue_paper::engine::{Fees, Owner, Spot};

/// Who trades here: the first account, and any others.
#[derive(Debug, Clone, PartialEq)]
pub struct Accounts {
    /// With the terms that hold for all but their fees.
    pub first: venue_paper::Config,
    /// The first account's trade group (`tradeGroupId`).
    pub group: Option<u32>,
    /// In the order of their owners' numbers, from 1.
    pub others: Vec<Other>,
}

/// An account beside the first one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Other {
    pub account: Account,
    pub balances: BTreeMap<Asset, Amount>,
    pub fees: Fees,
    pub group: Option<u32>,
}

/// What went from one account to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transfer {
    /// 1, 2, 3 …
    pub number: u64,
    pub from: Owner,
    pub to: Owner,
    pub asset: Asset,
    pub amount: Amount,
    pub at: Timestamp,
}

impl From<venue_paper::Config> for Accounts {
    fn from(first: venue_paper::Config) -> Self {
        Self { first, group: None, others: Vec::new() }
    }
}

impl Accounts {
    /// What a journal tells of the account: the same exchange has the same text.
    pub fn text(&self) -> String {
        #[derive(Serialize)]
        struct Text<'a> {
            #[serde(flatten)]
            first: &'a venue_paper::Config,
            #[serde(skip_serializing_if = "Option::is_none")]
            group: Option<u32>,
            #[serde(skip_serializing_if = "<[Other]>::is_empty")]
            others: &'a [Other],
        }
        let text = Text { first: &self.first, group: self.group, others: &self.others };
        serde_json::to_string(&text).unwrap_or_default()
    }

    /// An engine with these accounts, which own nothing yet.
    pub(super) fn open(&self) -> Spot {
        let mut spot = Spot::new(self.first.terms);
        spot.exchange.group = self.group;
        for other in &self.others {
            spot.open_account(other.fees, other.group);
        }
        spot
    }

    /// The account of that name.
    pub fn owner(&self, name: &Account) -> Option<Owner> {
        self.names().find(|(_, account)| account == name).map(|(owner, _)| owner)
    }

    /// Every account with its name, the first one first.
    pub fn names(&self) -> impl Iterator<Item = (Owner, Account)> + '_ {
        let names = std::iter::once(self.first.account).chain(self.others.iter().map(|o| o.account));
        (0..).map(Owner).zip(names)
    }

    /// What each account owns at the start.
    pub(super) fn balances(&self) -> impl Iterator<Item = (Owner, &BTreeMap<Asset, Amount>)> {
        let all = std::iter::once(&self.first.balances).chain(self.others.iter().map(|o| &o.balances));
        (0..).map(Owner).zip(all)
    }
}

impl Exchange {
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The fees that the account in hand pays.
    pub(super) fn fees(&self) -> Fees {
        self.spot.exchange.terms_of(&self.spot.terms, self.asker).fees
    }

    /// Moves what is free from one account to another; both hear of it. Answers the transfer's number.
    ///
    /// # Errors
    /// There is less than that, or it is no transfer.
    pub fn transfer(&mut self, from: Owner, to: Owner, asset: Asset, amount: Amount) -> Result<u64, Refusal> {
        let now = self.now;
        let reports = self.spot.transfer(now, [from, to], asset, amount).map_err(refused)?;
        self.say(from, |unit| events::balance_update(asset, -amount, now, unit));
        self.say(to, |unit| events::balance_update(asset, amount, now, unit));
        self.tell_all(&reports);
        let number = self.transfers.len() as u64 + 1;
        self.transfers.push(Transfer { number, from, to, asset, amount, at: now });
        Ok(number)
    }
}
