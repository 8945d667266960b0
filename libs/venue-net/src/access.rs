//! What all connections of one client to one venue share.

use crate::{
    Timeouts, VenueClock,
    budget::{Budget, Cost, Lane, Pause, Ticket, Usage},
};
use domain::Timestamp;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The venue's clock and its limits, and how long to wait for what: one for everything that speaks to one venue.
#[derive(Debug)]
pub struct Access {
    pub timeouts: Timeouts,
    pub clock: VenueClock,
    budget: Mutex<Budget>,
}

/// Leave to send. Whatever happens to the request, dropped or not, the budget is told.
#[derive(Debug)]
pub struct Leave<'a> {
    access: &'a Access,
    ticket: Option<Ticket>,
}

/// Not sent, for the limits' sake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Worth asking again then.
    pub after: Duration,
    pub why: &'static str,
}

/// A clock that was rounded down must not make a loop spin.
const SHORTEST_WAIT: Duration = Duration::from_millis(5);

impl Access {
    pub fn new(timeouts: Timeouts, budget: Budget) -> Self {
        Self { timeouts, clock: VenueClock::default(), budget: Mutex::new(budget) }
    }

    pub fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave to send a request now.
    ///
    /// # Errors
    /// The limits do not allow it.
    pub fn ask(&self, cost: Cost, lane: Lane) -> Result<Leave<'_>, Held> {
        let mut budget = self.budget();
        let now = self.clock.now();
        match budget.ask(now, cost, lane) {
            Ok(ticket) => Ok(Leave { access: self, ticket: Some(ticket) }),
            Err(wait) => Err(Held { after: wait.until.since(now), why: wait.why.text() }),
        }
    }

    /// Waits until the limits allow it.
    ///
    /// # Errors
    /// That would take longer than [`Timeouts::limits`].
    pub async fn admit(&self, cost: Cost, lane: Lane) -> Result<Leave<'_>, Held> {
        let deadline = Instant::now() + self.timeouts.limits;
        loop {
            let held = match self.ask(cost, lane) {
                Ok(leave) => return Ok(leave),
                Err(held) => held,
            };
            if Instant::now() + held.after > deadline {
                return Err(held);
            }
            tokio::time::sleep(held.after.max(SHORTEST_WAIT)).await;
        }
    }

    /// How long the venue has told everybody at this address to be silent; zero as a rule.
    pub fn quiet_for(&self) -> Duration {
        let budget = self.budget();
        budget.nothing_before().since(self.clock.now())
    }

    /// What a refusal says about limits is obeyed by every connection.
    pub fn obey(&self, pause: Pause) {
        let mut budget = self.budget();
        budget.obey(self.clock.now(), pause);
    }

    /// Sets the clock: the venue said `told` in answer to a question that was asked at `asked` and answered now.
    ///
    /// Nobody asks between the clock's leap and that of the limits: whoever asks or tells looks at the clock with
    /// the budget locked.
    pub fn clock_read(&self, told: Timestamp, asked: Instant) {
        let mut budget = self.budget();
        let leap = self.clock.read(told, asked);
        budget.clock_leapt(leap, self.clock.now());
    }
}

impl Leave<'_> {
    /// The request was answered, with what the answer tells of the limits.
    pub fn answered(self, usage: &Usage) {
        self.refused(usage, None);
    }

    /// As [`Self::answered`], with a refusal: the pause that it asks for is obeyed.
    pub fn refused(mut self, usage: &Usage, pause: Option<Pause>) {
        let Some(ticket) = self.ticket.take() else { return };
        let mut budget = self.access.budget();
        let now = self.access.clock.now();
        budget.answered(ticket, now, usage);
        if let Some(pause) = pause {
            budget.obey(now, pause);
        }
    }

    /// It was not sent after all.
    pub fn unsent(mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.access.budget().unsent(ticket);
        }
    }
}

/// What was sent and not answered counts.
impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let mut budget = self.access.budget();
            budget.lost(ticket, self.access.clock.now());
        }
    }
}
