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
    time::{Duration, Instant},
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
    pub fn quiet_for(&self, clock: &VenueClock) -> Duration {
        let budget = self.lock();
        budget.nothing_before().since(clock.now())
    }

    /// Sets the clock by a reading. Nobody asks between the clock's leap and that of the limits: whoever asks or
    /// tells looks at the clock with the budget locked.
    pub fn clock_read(&self, clock: &VenueClock, told: Timestamp, asked: Instant) {
        let mut budget = self.lock();
        let leap = clock.read(told, asked);
        budget.clock_leapt(leap, clock.now());
    }
}

impl Leave<'_> {
    pub fn answered(mut self, usage: &Usage) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().answered(ticket, self.clock.now(), usage);
        }
    }

    pub fn failed(mut self, usage: &Usage, failure: &Failure) {
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().failed(ticket, self.clock.now(), usage, failure);
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
        if let Some(ticket) = self.ticket.take() {
            self.budget.lock().lost(ticket, self.clock.now());
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
