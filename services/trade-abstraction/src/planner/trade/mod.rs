//! One trade: the facts so far.

mod facts;

use super::{
    Config, ExitPlan, Key, Seen,
    ledger::{Dust, Ledger},
};
use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, Ending, EntryPlan, Instrument,
    InstrumentRules, Leg, OrderRequest, Origin, Price, Quantity, Size, Timestamp, TradeId, VenueTradeId,
};
use events::{
    CloseRequested, ExitReason, NakedBecause, OrderDone, OrderFilled, PositionKey, Rejection, TradeEvent,
    TradeSized,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trade {
    pub id: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    pub quantity: Quantity,
    pub limit: Price,
    pub entry_plan: EntryPlan,
    /// As its edge was configured when it was granted; `None` if this edge has no exit. Kept here, so
    /// that a trade outlives its edge.
    pub exit_plan: Option<ExitPlan>,
    pub wanted: Wanted,
    pub stage: Stage,
    pub legs: BTreeMap<ClientOrderId, LegOrder>,
    /// Those of them that have not ended: a trade may have had hundreds.
    live: BTreeSet<ClientOrderId>,
    /// How many orders each leg has had.
    attempts: BTreeMap<Leg, u32>,
    pub ledger: Ledger,
    /// Where the owner moved the stop to, and where it was before.
    pub stop: Option<Price>,
    pub stop_before: Option<Price>,
    /// Where the venue refused a stop that was to follow the market: it is asked again farther on only.
    #[serde(default)]
    not_at: Option<Price>,
    /// How often in a row no stop came to work, and no exit came to fill.
    pub protect_failures: u32,
    pub exit_failures: u32,
    /// How often in a row the venue's filters refused a stop: its limit is raised.
    #[serde(default)]
    pub filtered: u32,
    /// How often in a row the venue's filters refused an exit.
    pub unsellable: u32,
    /// The venue refused a larger exit: at most this is sold at once. And what was said of it.
    #[serde(default)]
    pub exit_at_most: Option<Quantity>,
    #[serde(default)]
    pub at_most_said: Option<Quantity>,
    /// The venue refused a take-profit order beside the stop: the stop goes alone.
    #[serde(default)]
    pub stop_alone: bool,
    /// Sold by other hands than the trade's own, and what the position tells of it.
    pub gone: bool,
    #[serde(default)]
    pub elsewhere: Option<Elsewhere>,
    /// The venue said that the account has less free than the trade holds.
    pub short: Option<Short>,
    /// Its fills, and whether the position tracker has counted each.
    #[serde(default)]
    pub fills: BTreeMap<VenueTradeId, bool>,
    /// When its last fill was executed, by the venue's clock.
    pub last_fill_at: Option<Timestamp>,
    /// How often the venue has changed its rules since the trade was granted.
    pub listings: u32,
    /// The last stop was refused because the market is beyond it.
    pub beyond_stop: bool,
    /// Not before this is a failed exit or cancel tried again.
    pub retry_at: Option<Timestamp>,
    /// What ended it, as far as it is known.
    pub exit: Option<ExitReason>,
    /// Why it was not entered, as far as it is known.
    pub trouble: String,
    /// When the first fill of the entry was executed, by the venue's clock.
    pub opened_at: Option<Timestamp>,
    /// The same of the first fill of the entry that was heard after the trade had ended.
    #[serde(default)]
    revived_at: Option<Timestamp>,
    /// When the last of what it has left was left: by the venue's clock; where other hands left it and the venue's
    /// time is not told, when that was heard.
    #[serde(default)]
    pub left_at: Option<Timestamp>,
    /// The last price at which it traded.
    pub last_price: Option<Price>,
    /// Base asset that it held when it ended: only more than that opens it anew, whatever the market's price
    /// makes of it.
    #[serde(default)]
    pub left: Decimal,
}

/// Coins of the trade are held by an order that is not ours, or are not on the account any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    /// How often in a row an order was refused for it; none since the account's balance has enough again.
    pub refusals: u32,
    /// The account's balance was told since the last refusal.
    pub is_news: bool,
}

/// What a position that other hands closed has brought, and what is left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    pub profit: Decimal,
    pub exit_price: Decimal,
    pub left: Dust,
}

/// The plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    Open,
    Closed(ExitReason),
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing is known to be held for good yet.
    Entering {
        naked_said: bool,
    },
    Held(Held),
    /// Closed or aborted; kept for fills that come late.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub cover: Cover,
    /// `TradeExiting` has been said for the present wish to close.
    pub exiting_said: bool,
}

/// Whether a stop works over all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    Naked {
        since: Timestamp,
        because: NakedBecause,
    },
    Protected {
        by: ClientOrderId,
        quantity: Quantity,
        stop: Price,
        since: Timestamp,
    },
    /// A stop works over so much of it only; the rest has been without one since then.
    Partly {
        by: ClientOrderId,
        quantity: Quantity,
        stop: Price,
        since: Timestamp,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegOrder {
    pub leg: Leg,
    pub attempt: u32,
    pub quantity: Quantity,
    pub filled: Decimal,
    pub stop: Option<Price>,
    pub state: LegState,
    /// How often a cancel was asked for.
    pub cancels: u32,
    /// When the venue accepted it and when it ended it, by its clock.
    pub accepted_at: Option<Timestamp>,
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
    /// [`Trade::listings`] when it was submitted.
    pub listings: u32,
    /// Its trigger price by the venue's rules of today, where it was right by those of its time: an order
    /// stays as it was taken when a tick changes.
    pub stands_for: Option<Price>,
    /// The order that one cancels as the other of an OCO.
    #[serde(default)]
    pub twin: Option<ClientOrderId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegState {
    Submitted { canceling: bool },
    Working { canceling: bool },
    Done { ending: Ending },
}

impl LegOrder {
    pub fn is_live(&self) -> bool {
        !matches!(self.state, LegState::Done { .. })
    }
    pub fn is_working(&self) -> bool {
        matches!(self.state, LegState::Working { .. })
    }
    pub fn is_canceling(&self) -> bool {
        match self.state {
            LegState::Submitted { canceling } | LegState::Working { canceling } => canceling,
            LegState::Done { .. } => false,
        }
    }
    pub fn protects(&self) -> bool {
        matches!(self.leg, Leg::Stop | Leg::TakeProfit)
    }
}

impl Trade {
    pub fn new(sized: &TradeSized) -> Self {
        Self {
            id: sized.trade,
            account: sized.account,
            instrument: sized.instrument,
            edge: sized.edge,
            direction: sized.direction,
            quantity: sized.quantity,
            limit: sized.limit,
            entry_plan: sized.entry,
            exit_plan: sized.exit,
            wanted: Wanted::Open,
            stage: Stage::Entering { naked_said: false },
            legs: BTreeMap::new(),
            live: BTreeSet::new(),
            attempts: BTreeMap::new(),
            ledger: Ledger::new(sized.direction),
            stop: None,
            stop_before: None,
            not_at: None,
            protect_failures: 0,
            exit_failures: 0,
            filtered: 0,
            unsellable: 0,
            exit_at_most: None,
            at_most_said: None,
            stop_alone: false,
            gone: false,
            elsewhere: None,
            short: None,
            fills: BTreeMap::new(),
            last_fill_at: None,
            listings: 0,
            beyond_stop: false,
            retry_at: None,
            exit: None,
            trouble: String::new(),
            opened_at: None,
            revived_at: None,
            left_at: None,
            last_price: None,
            left: Decimal::ZERO,
        }
    }

    /// Who owns what it leaves.
    pub fn key(&self) -> Key {
        (self.account, self.instrument, self.edge, self.direction)
    }

    pub fn answers_to(&self, request: &CloseRequested) -> bool {
        self.stage != Stage::Over
            && self.account == request.account
            && self.instrument == request.instrument
            && self.edge == request.edge
            && request.direction.is_none_or(|direction| direction == self.direction)
    }

    /// Whether the position tracker has counted all its fills.
    pub fn is_counted(&self) -> bool {
        self.fills.values().all(|counted| *counted)
    }

    /// Whether it still counts on what that position held.
    pub fn holds_in(&self, position: &PositionKey, direction: Direction) -> bool {
        matches!(self.stage, Stage::Held(_))
            && self.direction == direction
            && self.account == position.account
            && self.instrument == position.instrument
            && self.edge == position.owner
    }

    /// The last price at which it traded, else the worst at which it may enter.
    pub fn price(&self) -> Decimal {
        self.last_price.map_or(self.limit.get(), Price::get)
    }

    /// When it has been held for as long as its plan allows.
    pub fn held_until(&self) -> Option<Timestamp> {
        let seconds = self.exit_plan?.time_limit_seconds?;
        self.opened_at.map(|opened| opened + Duration::from_secs(seconds))
    }

    /// Where its stop follows the market to at `price`, where that is nearer by a tenth of its distance at least, so
    /// that it is not placed anew for each tick.
    pub fn trailed_to(&self, rules: &InstrumentRules, price: Price) -> Option<Price> {
        let distance = self.exit_plan?.trailing?;
        let Stage::Held(Held { cover: Cover::Protected { stop, .. }, .. }) = self.stage else { return None };
        if self.wanted != Wanted::Open || self.stop.is_some_and(|wanted| wanted != stop) {
            return None;
        }
        let exit = self.direction.exit();
        let to = rules.worse_price(exit, exit.worse(price.get(), distance))?;
        let from = self.not_at.map_or(stop.get(), |refused| exit.better_of(refused.get(), stop.get()));
        let nearer = exit.better(from, distance / Decimal::TEN);
        (!exit.is_worse(to.get(), nearer)).then_some(to)
    }

    pub fn want_closed(&mut self, reason: ExitReason) {
        if self.wanted == Wanted::Open {
            self.wanted = Wanted::Closed(reason);
            self.retry_at = None;
        }
    }

    pub fn move_stop(&mut self, to: Price) {
        self.stop_before = match self.stage {
            Stage::Held(Held { cover: Cover::Protected { stop, .. }, .. }) => Some(stop),
            _ => self.stop,
        };
        self.stop = Some(to);
    }

    /// Since when it has held what it was opened, or opened anew, with; at most `now`.
    pub fn entered_since(&self, now: Timestamp) -> Timestamp {
        self.revived_at.or(self.opened_at).map_or(now, |at| self.within(at, now))
    }

    /// A time in its life: clocks of the venue and of the tape may differ.
    pub fn within(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        self.opened_at.map_or(at, |opened| at.max(opened)).min(now)
    }

    /// Takes one of our own sayings about the trade.
    pub fn note(&mut self, now: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Opened(_) => {
                let since = self.entered_since(now);
                let cover = Cover::Naked { since, because: NakedBecause::Entered };
                self.revived_at = None;
                self.stage = Stage::Held(Held { cover, exiting_said: false });
            }
            TradeEvent::Protected(e) => {
                self.stop_before = None;
                self.filtered = 0;
                self.exit = None;
                if let Stage::Held(held) = &mut self.stage {
                    held.cover =
                        Cover::Protected { by: e.order, quantity: e.quantity, stop: e.stop, since: now };
                }
            }
            TradeEvent::Unprotected(e) => match &mut self.stage {
                Stage::Entering { naked_said } => *naked_said = true,
                Stage::Held(held) => {
                    held.cover = match (held.cover, e.covered) {
                        (
                            Cover::Protected { by, stop, .. } | Cover::Partly { by, stop, .. },
                            Some(quantity),
                        ) => Cover::Partly { by, quantity, stop, since: e.since },
                        _ => Cover::Naked { since: e.since, because: e.because },
                    }
                }
                Stage::Over => {}
            },
            TradeEvent::Exiting(e) => {
                self.wanted = Wanted::Closed(e.reason);
                self.at_most_said = e.at_most;
                if let Stage::Held(held) = &mut self.stage {
                    held.exiting_said = true;
                }
            }
            _ => {}
        }
    }

    pub fn live(&self) -> impl Iterator<Item = (&ClientOrderId, &LegOrder)> {
        self.live.iter().filter_map(|id| self.legs.get_key_value(id))
    }

    /// What of it can be put into an order, where the account has `free` of its coins as of `as_of`.
    pub fn available(&self, seen: Option<&Seen>) -> Decimal {
        let holding = self.ledger.holding();
        let seen = seen.filter(|seen| self.last_fill_at.is_none_or(|at| at <= seen.as_of));
        let (Some(_), Some(seen)) = (self.short, seen) else { return holding };
        // What its own stop holds was free before that was accepted.
        let held_for_it =
            |l: &LegOrder| l.leg == Leg::Stop && l.accepted_at.is_some_and(|at| at <= seen.as_of);
        let own: Decimal = self.live().filter(|(_, l)| held_for_it(l)).map(|(_, l)| self.covers(l)).sum();
        holding.min(seen.free.saturating_add(own))
    }

    /// What a protecting order still covers: an OCO's legs share one quantity.
    pub fn covers(&self, order: &LegOrder) -> Decimal {
        let by_twin = self.twin(order).map_or(Decimal::ZERO, |twin| twin.filled);
        order.quantity.get() - order.filled - by_twin
    }

    /// The other order of its OCO.
    pub fn twin(&self, order: &LegOrder) -> Option<&LegOrder> {
        self.legs.get(&order.twin?)
    }

    pub fn next_attempt(&self, leg: Leg) -> u32 {
        self.attempts.get(&leg).copied().unwrap_or(0) + 1
    }
}
