//! How much may still be sent: Binance's limits of weight, of requests and of orders (its `rest-api.md`,
//! "LIMITS"; `web-socket-api.md`, "Rate limits").
//!
//! Pure: the time, the venue's, is an argument. Every request asks before it is sent and gives its ticket back
//! with whatever came of it.
//!
//! Invariants:
//! - What is counted is never less than what the venue last told of this window, nor than what is on its way
//!   (but the venue counts filled orders back, and is believed when nothing is on its way).
//! - A part of every limit is kept for cancels, stops and closes.
//! - After a 429, a 418 or a 403 nothing is sent before the time that the venue named, not even those;
//!   after −1015 no order is, but cancels are.

mod limits;
mod usage;
mod window;

pub use limits::{Limit, LimitKind, RateLimit, limits};
pub use usage::Usage;

use crate::{
    errors::{Failure, Retry, RetryAt, Verdict},
    request::{Cost, Lane},
};
use domain::Timestamp;
use std::time::Duration;
use window::Window;

/// What is left of the limits of one address and one account.
#[derive(Debug, Clone)]
pub struct Budget {
    windows: Vec<Window>,
    /// Per cent of every limit that only [`Lane::Protective`] may use.
    reserve: u32,
    nothing_before: Hold,
    no_order_before: Hold,
}

/// Until when, by the venue's clock.
#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    /// As the venue named it.
    named: Timestamp,
    /// So long after an answer: counted on the clock as it was known then.
    counted: Timestamp,
}

impl Hold {
    fn until(self) -> Timestamp {
        self.named.max(self.counted)
    }

    fn after(&mut self, now: Timestamp, pause: Duration) {
        self.counted = self.counted.max(now + pause);
    }

    fn told(&mut self, now: Timestamp, told: Option<RetryAt>, otherwise: Duration) {
        match told {
            Some(RetryAt::At(time)) => self.named = self.named.max(time),
            Some(RetryAt::After(pause)) => self.after(now, pause),
            None => self.after(now, otherwise),
        }
    }
}

/// Leave to send one request; to be given back with what came of it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "give it back with what came of the request, or its cost is held for ever"]
pub struct Ticket {
    cost: Cost,
}

/// Not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// In the venue's time; worth asking again then.
    pub until: Timestamp,
    pub why: Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The venue told us to wait.
    Told,
    /// A limit's share for this lane is used up.
    Used(LimitKind),
}

/// Where the venue tells no time: a minute after a 429, which is the longest window of weights.
const PAUSE: Duration = Duration::from_secs(60);
/// The shortest ban.
const BAN: Duration = Duration::from_secs(120);

impl Budget {
    /// `reserve`: per cent of every limit for [`Lane::Protective`] alone, 90 at most.
    pub fn new(limits: &[Limit], reserve: u32) -> Self {
        Self {
            windows: limits.iter().map(|limit| Window::new(*limit)).collect(),
            reserve: reserve.min(90),
            nothing_before: Hold::default(),
            no_order_before: Hold::default(),
        }
    }

    /// The limits as exchange info tells them now; what is used of those that remain stays counted.
    pub fn set_limits(&mut self, limits: &[Limit]) {
        let known = std::mem::take(&mut self.windows);
        self.windows = limits.iter().map(|limit| Window::renewed(*limit, &known)).collect();
    }

    /// Leave to send a request now.
    ///
    /// # Errors
    /// Until when to wait.
    pub fn ask(&mut self, now: Timestamp, cost: Cost, lane: Lane) -> Result<Ticket, Wait> {
        if now < self.nothing_before.until() {
            return Err(Wait { until: self.nothing_before.until(), why: Full::Told });
        }
        if cost.orders > 0 && now < self.no_order_before.until() {
            return Err(Wait { until: self.no_order_before.until(), why: Full::Told });
        }
        let percent = match lane {
            Lane::Ordinary => 100 - self.reserve,
            Lane::Protective => 100,
        };
        let full = self.windows.iter_mut().filter_map(|window| window.full(now, &cost, percent));
        if let Some(wait) = full.max_by_key(|wait| wait.until) {
            return Err(wait);
        }
        self.windows.iter_mut().for_each(|window| window.send(&cost));
        Ok(Ticket { cost })
    }

    /// The request was answered, with what the answer tells of the limits.
    pub fn answered(&mut self, ticket: Ticket, now: Timestamp, usage: &Usage) {
        for window in &mut self.windows {
            window.answered(now, &ticket.cost, usage);
        }
    }

    /// As [`Self::answered`], with a failure: limits that it names are obeyed.
    pub fn failed(&mut self, ticket: Ticket, now: Timestamp, usage: &Usage, failure: &Failure) {
        self.answered(ticket, now, usage);
        self.obey(now, failure);
    }

    /// It was sent, and no answer came: it counts.
    pub fn lost(&mut self, ticket: Ticket, now: Timestamp) {
        self.answered(ticket, now, &Usage::default());
    }

    /// It was not sent after all.
    pub fn unsent(&mut self, ticket: Ticket) {
        for window in &mut self.windows {
            window.unsent(&ticket.cost);
        }
    }

    /// What a failure says about limits, wherever it came from (another connection from the same address).
    pub fn obey(&mut self, now: Timestamp, failure: &Failure) {
        let Verdict::Retry(why) = failure.verdict else { return };
        match why {
            Retry::Limit => {
                let pause = if failure.status == 418 { BAN } else { PAUSE };
                self.nothing_before.told(now, failure.retry, pause);
            }
            Retry::Orders => {
                let window = self.windows.iter().filter(|w| w.limit.kind == LimitKind::Orders);
                let end = window.map(|w| w.end(now).since(now)).min().unwrap_or(PAUSE);
                self.no_order_before.told(now, failure.retry, end);
            }
            Retry::OutsideWindow | Retry::Busy => {}
        }
    }

    /// Before it nothing may be sent; in the past as a rule.
    pub fn nothing_before(&self) -> Timestamp {
        self.nothing_before.until()
    }

    /// The venue's clock is known better now: it shows `now`, so many microseconds more (or less) than was thought.
    /// Pauses stay as long as they were; times that the venue named stay where they are.
    pub fn clock_leapt(&mut self, micros: i64, now: Timestamp) {
        for hold in [&mut self.nothing_before, &mut self.no_order_before] {
            // One that never was stays in the past.
            hold.counted = Timestamp::from_micros(hold.counted.micros().saturating_add(micros));
        }
        self.windows.iter_mut().for_each(|window| window.clock_leapt(now));
    }
}
