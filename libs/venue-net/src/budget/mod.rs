//! How much may still be sent to a venue: its limits of weight, of requests and of orders, each in windows that
//! begin at whole minutes, hours or days.
//!
//! Pure: the time, the venue's, is an argument. Every request asks before it is sent and gives its ticket back
//! with whatever came of it.
//!
//! Invariants:
//! - What is counted is never less than what the venue last told of this window, nor than what is on its way
//!   (but venues count filled orders back, and are believed when nothing is on its way).
//! - A part of every limit is kept for cancels, stops and closes.
//! - During a [`Pause`] of everything nothing is sent, not even those; during one of orders, cancels are.

mod usage;
mod window;

pub use usage::Usage;

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

/// So much of a kind in each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub kind: LimitKind,
    pub interval: Duration,
    pub limit: u32,
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Requests by what the venue says that each weighs.
    Weight,
    /// Requests, each as one.
    Requests,
    /// New orders.
    Orders,
}

/// What a request takes of the limits; it counts as one of [`LimitKind::Requests`] besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    pub weight: u32,
    /// How many orders are new.
    pub orders: u32,
}

/// Whom the budget serves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Entries, queries, market data.
    Ordinary,
    /// Cancels, stops, closes, and finding out what became of an order: a part of each limit is theirs.
    Protective,
}

/// What a venue's refusal asks for: silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    pub of: Paused,
    /// As the venue named it.
    pub until: Option<RetryAt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paused {
    /// Nothing may be sent; for so long, where the venue names no time.
    Everything { otherwise: Duration },
    /// No order may be; until the shortest window of orders ends, where the venue names no time.
    Orders,
}

/// When a limit allows the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAt {
    /// So long after the answer.
    After(Duration),
    /// In the venue's time.
    At(Timestamp),
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

impl Full {
    pub const fn text(self) -> &'static str {
        match self {
            Self::Told => "the venue told us to wait",
            Self::Used(LimitKind::Weight) => "the limit of weight is used up",
            Self::Used(LimitKind::Requests) => "the limit of requests is used up",
            Self::Used(LimitKind::Orders) => "the limit of orders is used up",
        }
    }
}

/// For a venue that stops orders and has told no limit of them.
const A_MINUTE: Duration = Duration::from_secs(60);

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

    /// The limits as the venue tells them now; what is used of those that remain stays counted.
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

    /// What a refusal says about limits, wherever it came from (another connection from the same address).
    pub fn obey(&mut self, now: Timestamp, pause: Pause) {
        match pause.of {
            Paused::Everything { otherwise } => self.nothing_before.told(now, pause.until, otherwise),
            Paused::Orders => {
                let window = self.windows.iter().filter(|w| w.limit.kind == LimitKind::Orders);
                let end = window.map(|w| w.end(now).since(now)).min().unwrap_or(A_MINUTE);
                self.no_order_before.told(now, pause.until, end);
            }
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
