//! The budget, shared by everything that speaks to one venue.

use super::clock::VenueClock;
use crate::{
    budget::{Budget, Full, LimitKind, Ticket, Usage, Wait},
    errors::Failure,
    request::Call,
};
use domain::Timestamp;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub struct SharedBudget(Mutex<Budget>);

/// Leave to send. Whatever happens to the request, dropped or not, it is told.
pub struct Leave<'a> {
    budget: &'a SharedBudget,
    clock: &'a VenueClock,
    ticket: Option<Ticket>,
}

impl SharedBudget {
    pub fn new(budget: Budget) -> Self {
        Self(Mutex::new(budget))
    }

    pub fn lock(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn ask<'a>(&'a self, clock: &'a VenueClock, call: &Call) -> Result<Leave<'a>, Wait> {
        let ticket = self.lock().ask(clock.now(), call.cost, call.lane)?;
        Ok(Leave { budget: self, clock, ticket: Some(ticket) })
    }

    /// How long nothing may be sent.
    pub fn quiet_for(&self, now: Timestamp) -> Duration {
        self.lock().nothing_before().since(now)
    }
}

impl Leave<'_> {
    pub fn answered(mut self, usage: &Usage) {
        let now = self.clock.now();
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().answered(ticket, now, usage);
        }
    }

    pub fn failed(mut self, usage: &Usage, failure: &Failure) {
        let now = self.clock.now();
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().failed(ticket, now, usage, failure);
        }
    }

    pub fn unsent(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().unsent(ticket);
        }
    }
}

/// What was sent and not answered counts.
impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let now = self.clock.now();
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().lost(ticket, now);
        }
    }
}

pub fn why(full: Full) -> &'static str {
    match full {
        Full::Told => "the venue told us to wait",
        Full::Used(LimitKind::RequestWeight) => "the limit of weight is used up",
        Full::Used(LimitKind::RawRequests) => "the limit of requests is used up",
        Full::Used(LimitKind::Orders) => "the limit of orders is used up",
    }
}
