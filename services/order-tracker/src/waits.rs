//! What is waited for, oldest first, at a cost that does not grow with the number of orders.

use crate::{
    book::{Book, Name},
    order::Order,
};
use domain::{Account, Instrument, Timestamp};
use events::WaitingFor;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

pub type Books = BTreeMap<Account, BTreeMap<Instrument, Book>>;

/// One order that waits, or has waited, for one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    pub account: Account,
    pub instrument: Instrument,
    pub name: Name,
    pub reason: WaitingFor,
    pub since: Timestamp,
}

/// Every wait lasts equally long and time never runs backwards, so a queue is in order of ending.
/// What is not waited for any more is dropped when it comes to the front.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Waits {
    queue: VecDeque<Wait>,
    /// Those that have lasted too long, as of the last look.
    pub overdue: Vec<Wait>,
}

impl Waits {
    pub fn push(&mut self, wait: Wait) {
        self.queue.push_back(wait);
    }

    /// Takes those that have lasted `limit` by `now` out of the queue.
    pub fn look(&mut self, books: &Books, now: Timestamp, limit: Duration) {
        self.overdue.clear();
        while let Some(wait) = self.queue.front() {
            let holds = wait.holds(books);
            if holds && wait.since + limit > now {
                break;
            }
            if let Some(wait) = self.queue.pop_front().filter(|_| holds) {
                self.overdue.push(wait);
            }
        }
    }

    /// Since when the oldest one lasts that is not overdue. Exact right after [`Self::look`].
    pub fn oldest(&self) -> Option<Timestamp> {
        self.queue.front().map(|wait| wait.since)
    }
}

impl Wait {
    /// The order, unless it is done.
    pub fn order<'a>(&self, books: &'a Books) -> Option<&'a Order> {
        books.get(&self.account)?.get(&self.instrument)?.open.get(&self.name)
    }

    fn holds(&self, books: &Books) -> bool {
        let order = self.order(books).filter(|order| order.waits_for(self.reason));
        // A cancel that was not carried out and is asked for again is another one.
        order.is_some_and(|order| self.reason != WaitingFor::Cancel || order.cancel == Some(self.since))
    }
}
