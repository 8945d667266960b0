//! The core: facts about orders in, `OrderDone` and alarms out.

use crate::{
    order::{Attempt, Denial},
    state::State,
};
use domain::{Ending, Timestamp};
use events::{Event, Kind, OrderEvent, OrderRejected, TimeEvent, WakeAsked};
use serde::{Deserialize, Serialize};
use service::Service;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct OrderTracker {
    config: Config,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long an order may wait for its acceptance, its cancelation or its fills before that is
    /// an alarm.
    pub stuck_after_seconds: u64,
    /// For how long an order that is done is remembered, so that what comes late about it is known
    /// to be late. What comes later still is taken for a foreign order.
    pub keep_done_days: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { stuck_after_seconds: 60, keep_done_days: 7 }
    }
}

impl Config {
    fn stuck_after(&self) -> Duration {
        Duration::from_secs(self.stuck_after_seconds)
    }
    fn keep_done(&self) -> Duration {
        Duration::from_secs(self.keep_done_days.saturating_mul(86_400))
    }
}

impl Service for OrderTracker {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "order-tracker";
    const HEARS: &'static [Kind] = &[
        Kind::OrderSubmitted,
        Kind::OrderAttempted,
        Kind::OrderUnknown,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderFilled,
        Kind::OrderEnded,
        Kind::OrderRejected,
        Kind::OrderRefused,
        Kind::OrderAbsent,
        Kind::CancelRequested,
        Kind::CancelRejected,
        Kind::TimePassed,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            Event::Order(event) => self.apply_order(state, now, event),
            Event::Time(TimeEvent::Passed(_)) => {
                state.time_passed(now, self.config.stuck_after());
            }
            Event::Time(TimeEvent::WakeAsked(e)) => state.wake = Some(e.at),
            _ => {}
        }
    }

    fn decide(&self, state: &State, _now: Timestamp, heard: &Event) -> Vec<Event> {
        match heard {
            Event::Order(_) => state.done(),
            Event::Time(TimeEvent::Passed(_)) => {
                let mut said = state.stuck();
                said.extend(self.wake(state));
                said
            }
            _ => Vec::new(),
        }
    }
}

impl OrderTracker {
    fn apply_order(&self, state: &mut State, now: Timestamp, event: &OrderEvent) {
        match event {
            OrderEvent::Submitted(e) => state.submitted(now, e),
            OrderEvent::Attempted(e) => {
                let attempt = Attempt { number: e.attempt, unanswered: false };
                state.sent(e.account, e.instrument, e.request, attempt);
            }
            OrderEvent::Unknown(e) => {
                let attempt = Attempt { number: e.attempt, unanswered: true };
                state.sent(e.account, e.instrument, e.request, attempt);
            }
            OrderEvent::Accepted(e) => {
                state.shown(now, (e.account, e.instrument), (e.order, e.venue_order), |s| {
                    s.accepted(e.venue_order)
                });
            }
            // Smaller, under another name, and as open as before.
            OrderEvent::Amended(e) => {
                state.shown(now, (e.account, e.instrument), (e.order, e.venue_order), |s| {
                    s.accepted(e.venue_order)
                });
            }
            OrderEvent::Filled(e) => {
                state.shown(now, (e.account, e.instrument), (e.order, e.venue_order), |s| s.filled(e));
            }
            OrderEvent::Ended(e) => {
                state.shown(now, (e.account, e.instrument), (e.order, e.venue_order), |s| s.ended(e));
            }
            OrderEvent::Rejected(e) => {
                let why = Denial { ending: Ending::Rejected, rejection: Some(e.reason), text: words(e) };
                state.rejected(e.account, e.instrument, e.order, why);
            }
            OrderEvent::Refused(e) => {
                let why = Denial { ending: Ending::Refused, rejection: None, text: e.text.clone() };
                state.denied(e.account, e.instrument, e.order, why);
            }
            OrderEvent::Absent(e) => {
                let why = Denial { ending: Ending::Absent, rejection: None, text: String::new() };
                state.denied(e.account, e.instrument, e.order, why);
            }
            OrderEvent::CancelRequested(e) => state.cancel_requested(now, e.account, e.instrument, e.order),
            OrderEvent::Done(e) => state.finish(now, self.config.keep_done(), e),
            // We ourselves do not carry it out, and the order works on: nothing is waited for. What the venue
            // refuses may have ended, and its end is still to come.
            OrderEvent::CancelRejected(e) if e.code.is_none() => {
                state.cancel_withdrawn(e.account, e.instrument, e.order);
            }
            OrderEvent::CancelAttempted(_) | OrderEvent::CancelRejected(_) | OrderEvent::Stuck(_) => {}
        }
    }

    /// Asked for only while something really waits, and only if no wake is on its way: an order
    /// that is answered within the minute costs no wake at all.
    fn wake(&self, state: &State) -> Option<Event> {
        let at = state.waits_since()? + self.config.stuck_after();
        state.wake.is_none().then(|| WakeAsked { at }.into())
    }
}

fn words(e: &OrderRejected) -> String {
    match e.code {
        Some(code) => format!("{code} {}", e.text),
        None => e.text.clone(),
    }
}
