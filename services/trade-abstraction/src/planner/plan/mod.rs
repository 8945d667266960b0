//! The next step of a trade.
//!
//! A function of the whole trade: it asks what is wanted, what is, and which of our requests are
//! still on their way, and says nothing while something is.

mod leave;
mod orders;
mod protect;

pub use protect::{keep_stops, stop_problem};

use super::{Config, Cover, Held, LegOrder, LegState, Moment, Seen, Stage, State, Trade, Wanted};
use domain::{
    Breach, ClientOrderId, Decimal, Direction, Ending, EntryPlan, InstrumentRules, Leg, NewOco, NewOrder,
    OrderKind, OrderRequest, Origin, PositionSide, Price, Quantity, Size, TimeInForce, Timestamp,
    exits::{self, Exit, ExitOrders, Obstacle},
};
use events::{
    AbortReason, CancelRequested, Event, ExitReason, NakedBecause, OrderSubmitted, TradeAborted, TradeClosed,
    TradeExiting, TradeOpened, TradeProtected, TradeUnprotected, Uuid, WakeAsked, ids,
};
use std::collections::BTreeSet;

/// Adds what is to be said next about `trade`.
pub fn next(config: &Config, state: &State, moment: Moment, trade: &Trade, said: &mut Vec<Event>) {
    let Some(rules) = state.rules_of(trade) else { return };
    let seen = state.seen_of(trade);
    let price = state.price(trade);
    let Moment { now, fact_at } = moment;
    let (tape, asked) = (state.tape, &state.asked);
    let step = Step { config, tape, rules, seen, price, asked, now, fact_at, trade };
    match trade.stage {
        Stage::Entering { naked_said } => step.enter(naked_said, said),
        Stage::Held(held) => step.hold(held, said),
        Stage::Over => step.revive(said),
    }
}

struct Step<'a> {
    config: &'a Config,
    tape: Uuid,
    rules: &'a InstrumentRules,
    /// The account's balance of its coins.
    seen: Option<&'a Seen>,
    /// By which orders and dust are judged; see [`State::price`].
    price: Decimal,
    /// Instants that were asked for already.
    asked: &'a BTreeSet<Timestamp>,
    now: Timestamp,
    /// See [`Moment::fact_at`].
    fact_at: Timestamp,
    trade: &'a Trade,
}

impl Step<'_> {
    fn enter(&self, naked_said: bool, said: &mut Vec<Event>) {
        let t = self.trade;
        let entry = t.legs.iter().find(|(_, l)| l.leg == Leg::Entry);
        let Some((id, leg)) = entry else {
            match t.wanted {
                // What could not be protected is not entered, nor what cannot be entered as planned.
                _ if t.exit_plan.is_none() || t.entry_plan.problem().is_some() => {
                    said.push(self.aborted(AbortReason::EntryRefused));
                }
                Wanted::Open => said.push(self.entry()),
                Wanted::Closed(_) => said.push(self.aborted(AbortReason::Withdrawn)),
            }
            return;
        };
        let holds = t.ledger.holding() > Decimal::ZERO;
        if leg.is_live() {
            if holds && !naked_said {
                said.push(self.unprotected(t.entered_since(self.now), NakedBecause::Entered));
            }
            if t.wanted != Wanted::Open && leg.is_working() {
                self.cancel(id, leg, said);
            }
            return;
        }
        if holds {
            self.open(naked_said, said);
        } else {
            said.push(self.aborted(self.why_not_entered(leg)));
        }
    }

    fn why_not_entered(&self, entry: &LegOrder) -> AbortReason {
        use domain::Ending;
        match entry.state {
            super::LegState::Done { ending: Ending::Rejected } => AbortReason::EntryRejected,
            super::LegState::Done { ending: Ending::Refused } => AbortReason::EntryRefused,
            super::LegState::Done { ending: Ending::Absent } => AbortReason::EntryAbsent,
            _ if self.trade.wanted != Wanted::Open => AbortReason::Withdrawn,
            _ => AbortReason::EntryUnfilled,
        }
    }

    /// The entry is over and something is held.
    fn open(&self, naked_said: bool, said: &mut Vec<Event>) {
        let t = self.trade;
        said.push(
            TradeOpened {
                trade: t.id,
                account: t.account,
                instrument: t.instrument,
                edge: t.edge,
                direction: t.direction,
                quantity: t.ledger.holding(),
                price: t.ledger.entry_price(),
                value: t.ledger.value(),
            }
            .into(),
        );
        if let Some(until) = t.held_until() {
            self.wake_at(until, said);
        }
        let since = t.entered_since(self.now);
        if !naked_said {
            said.push(self.unprotected(since, NakedBecause::Entered));
        }
        let cover = Cover::Naked { since, because: NakedBecause::Entered };
        self.hold(Held { cover, exiting_said: false }, said);
    }

    /// A fill came after the trade had ended.
    fn revive(&self, said: &mut Vec<Event>) {
        let is_more = self.trade.ledger.holding() > self.trade.left;
        if !is_more || self.is_dust() || self.trade.live().any(|(_, l)| l.leg == Leg::Entry) {
            return;
        }
        self.open(false, said);
    }

    fn hold(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        if self.is_dust() && !self.is_kept_by_a_stop() {
            return self.wind_up(held, said);
        }
        let wanted = self.wish(held, said);
        // Its exits are alive until told otherwise: never two at a time.
        if t.live().any(|(_, l)| l.leg == Leg::Exit) {
            return;
        }
        let waiting = t.retry_at.is_some_and(|at| at > self.now);
        match wanted {
            Wanted::Closed(_) if !waiting => self.leave(held, said),
            Wanted::Closed(_) => {
                self.wake(said);
                if t.protect_failures < self.config.protect_attempts && !t.beyond_stop {
                    self.protect(held, said);
                }
            }
            Wanted::Open => self.protect(held, said),
        }
    }

    /// What is wanted now; says `TradeExiting` when that has just become an end.
    fn wish(&self, held: Held, said: &mut Vec<Event>) -> Wanted {
        let t = self.trade;
        let reason = match t.wanted {
            Wanted::Closed(reason) if held.exiting_said => return Wanted::Closed(reason),
            Wanted::Closed(reason) => reason,
            Wanted::Open if t.held_until().is_some_and(|until| until <= self.now) => ExitReason::TimeLimit,
            Wanted::Open if t.beyond_stop && self.is_past_target() => ExitReason::TakeProfitHit,
            Wanted::Open if t.beyond_stop => ExitReason::BeyondStop,
            Wanted::Open if t.protect_failures >= self.config.protect_attempts => ExitReason::Unprotectable,
            Wanted::Open if self.full_exit_orders().is_err() && !self.has_stop() => ExitReason::Unprotectable,
            Wanted::Open => return Wanted::Open,
        };
        said.push(TradeExiting { trade: t.id, reason, at_most: None }.into());
        Wanted::Closed(reason)
    }

    /// An OCO is refused as well where the market is beyond its take-profit order.
    fn is_past_target(&self) -> bool {
        let target = self.full_exit_orders().ok().and_then(|orders| orders.take_profit);
        target.is_some_and(|target| !self.trade.direction.exit().is_worse(self.price, target.get()))
    }

    fn aborted(&self, reason: AbortReason) -> Event {
        let t = self.trade;
        TradeAborted {
            trade: t.id,
            account: t.account,
            instrument: t.instrument,
            edge: t.edge,
            reason,
            text: if t.trouble.is_empty() {
                match reason {
                    AbortReason::EntryUnfilled => match t.direction {
                        Direction::Long => format!("the entry was not filled at {} or below", t.limit),
                        Direction::Short => format!("the entry was not filled at {} or above", t.limit),
                    },
                    AbortReason::Withdrawn => "closed before anything was entered".to_owned(),
                    AbortReason::EntryRefused => match t.entry_plan.problem() {
                        Some(problem) => problem.to_owned(),
                        None => format!("{} has no exit in this configuration", t.edge),
                    },
                    _ => String::new(),
                }
            } else {
                t.trouble.clone()
            },
        }
        .into()
    }
}
