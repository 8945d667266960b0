//! One trade: the facts so far.

use super::{
    Config, ExitPlan, Seen,
    ledger::{Dust, Ledger},
};
use domain::{
    Account, Asset, ClientOrderId, Decimal, EdgeName, Ending, Instrument, Leg, OrderRequest, Origin, Price,
    Quantity, Size, Timestamp, TradeId,
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

/// A stop that worked at least this long was no failure to protect.
const LASTING: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trade {
    pub id: TradeId,
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub quantity: Quantity,
    pub limit: Price,
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
    /// When the first fill of the entry was heard.
    pub opened_at: Option<Timestamp>,
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
    /// When the venue accepted it, by its clock.
    pub accepted_at: Option<Timestamp>,
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
            quantity: sized.quantity,
            limit: sized.limit,
            exit_plan: sized.exit,
            wanted: Wanted::Open,
            stage: Stage::Entering { naked_said: false },
            legs: BTreeMap::new(),
            live: BTreeSet::new(),
            attempts: BTreeMap::new(),
            ledger: Ledger::default(),
            stop: None,
            stop_before: None,
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
            last_fill_at: None,
            listings: 0,
            beyond_stop: false,
            retry_at: None,
            exit: None,
            trouble: String::new(),
            opened_at: None,
            last_price: None,
            left: Decimal::ZERO,
        }
    }

    /// Who owns what it leaves.
    pub fn key(&self) -> (Account, Instrument, EdgeName) {
        (self.account, self.instrument, self.edge)
    }

    pub fn answers_to(&self, request: &CloseRequested) -> bool {
        self.stage != Stage::Over
            && self.account == request.account
            && self.instrument == request.instrument
            && self.edge == request.edge
    }

    /// Whether it still counts on what that position held.
    pub fn holds_in(&self, position: &PositionKey) -> bool {
        matches!(self.stage, Stage::Held(_))
            && self.account == position.account
            && self.instrument == position.instrument
            && self.edge == position.owner
            && self.ledger.holding() > Decimal::ZERO
    }

    /// The last price at which it traded, else the worst at which it may enter.
    pub fn price(&self) -> Decimal {
        self.last_price.map_or(self.limit.get(), Price::get)
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

    pub fn submitted(&mut self, request: &OrderRequest) {
        for order in request.orders() {
            let (Origin::Trade { leg, attempt, .. }, Size::Base(quantity)) = (order.origin, order.size)
            else {
                continue;
            };
            let state = LegState::Submitted { canceling: false };
            let stop = order.kind.stop();
            let filled = Decimal::ZERO;
            let order_state = LegOrder {
                leg,
                attempt,
                quantity,
                filled,
                stop,
                state,
                cancels: 0,
                accepted_at: None,
                listings: self.listings,
                stands_for: None,
                twin: request.orders().map(|other| other.id).find(|other| *other != order.id),
            };
            if self.legs.contains_key(&order.id) {
                continue;
            }
            self.legs.insert(order.id, order_state);
            self.live.insert(order.id);
            let attempts = self.attempts.entry(leg).or_default();
            *attempts = attempt.max(*attempts);
        }
    }

    pub fn accepted(&mut self, order: ClientOrderId, at: Timestamp) {
        let Some(leg) = self.legs.get_mut(&order) else { return };
        leg.accepted_at.get_or_insert(at);
        if self.short.is_some_and(|short| short.refusals == 0) {
            self.short = None;
        }
        match leg.state {
            LegState::Submitted { canceling } => leg.state = LegState::Working { canceling },
            // Declared dead too early: it works after all.
            LegState::Done { ending: Ending::Absent | Ending::Rejected } => {
                leg.state = LegState::Working { canceling: false };
                self.live.insert(order);
            }
            LegState::Working { .. } | LegState::Done { .. } => {}
        }
    }

    /// Somebody made the order smaller at the venue; of two orders of which one cancels the other, both. It never
    /// becomes larger, so whichever amendment is heard last, the smallest counts.
    pub fn amended(&mut self, order: ClientOrderId, quantity: Quantity, at: Timestamp) {
        self.accepted(order, at);
        let twin = self.legs.get(&order).and_then(|leg| leg.twin);
        for id in [Some(order), twin].into_iter().flatten() {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.quantity = leg.quantity.min(quantity);
            }
        }
    }

    /// The venue has other rules: what was refused under the old ones says nothing any more.
    pub fn listed_anew(&mut self) {
        self.listings += 1;
        self.retry_at = None;
        self.protect_failures = 0;
        self.exit_failures = 0;
        self.filtered = 0;
        self.unsellable = 0;
        self.exit_at_most = None;
        self.stop_alone = false;
    }

    /// Coins have moved: of those that are missing the next balance tells how many are there.
    fn await_balance(&mut self, now: Timestamp, config: &Config) {
        if let Some(short) = &mut self.short {
            short.is_news = false;
            self.retry_at = Some(now + config.back_off(1));
        }
    }

    /// The account's balance of its coins was told.
    pub fn balance_told(&mut self) {
        if let Some(short) = &mut self.short {
            short.is_news = true;
            self.retry_at = None;
        }
    }

    pub fn canceling(&mut self, order: ClientOrderId) {
        if let Some(leg) = self.legs.get_mut(&order) {
            leg.cancels += 1;
            if let LegState::Submitted { canceling } | LegState::Working { canceling } = &mut leg.state {
                *canceling = true;
            }
        }
    }

    pub fn cancel_rejected(&mut self, order: ClientOrderId, now: Timestamp, config: &Config) {
        let Some(leg) = self.legs.get_mut(&order) else { return };
        if let LegState::Submitted { canceling } | LegState::Working { canceling } = &mut leg.state {
            *canceling = false;
            self.retry_at = Some(now + config.back_off(leg.cancels));
        }
    }

    pub fn filled(
        &mut self,
        now: Timestamp,
        fill: &OrderFilled,
        (base, quote): (Asset, Asset),
        config: &Config,
    ) {
        self.ledger.add(fill, base, quote);
        self.last_price = Some(fill.price);
        self.last_fill_at = self.last_fill_at.max(Some(fill.at));
        let Some(leg) = self.legs.get_mut(&fill.order) else { return };
        leg.filled += fill.quantity.get();
        match leg.leg {
            Leg::Entry => {
                self.opened_at.get_or_insert(now);
            }
            Leg::Stop => self.exit = Some(ExitReason::StopHit),
            Leg::TakeProfit => self.exit = Some(ExitReason::TakeProfitHit),
            Leg::Exit => {
                self.exit_failures = 0;
                self.unsellable = 0;
                self.await_balance(now, config);
                if let Wanted::Closed(reason) = self.wanted {
                    self.exit = Some(reason);
                }
            }
        }
    }

    /// `half` is what can be sold at once in its place, where the venue took an exit for too large.
    pub fn done(&mut self, now: Timestamp, done: &OrderDone, half: Option<Quantity>, config: &Config) {
        let Some(order) = self.legs.get_mut(&done.order) else { return };
        self.live.remove(&done.order);
        let refused_with_twin = order.twin.is_some()
            && done.ending == Ending::Rejected
            && matches!(done.rejection, Some(Rejection::Filter | Rejection::Other));
        let (leg, asked) = (order.leg, order.is_canceling());
        // Refused by rules of which it could not know: by today's it is another order.
        let outdated = done.rejection == Some(Rejection::Filter) && order.listings != self.listings;
        order.state = LegState::Done { ending: done.ending };
        let failed = done.ending != Ending::Filled && done.filled.quantity.is_zero();
        let failed_at_once = failed && !matches!(done.ending, Ending::Canceled | Ending::Expired);
        // The dust that was counted on is not there: somebody sold or converted it.
        let is_short = done.rejection == Some(Rejection::InsufficientBalance) && leg != Leg::Entry;
        let without_dust = is_short && self.ledger.drop_carried();
        match leg {
            Leg::Stop | Leg::Exit if outdated || without_dust => {}
            Leg::Stop | Leg::Exit if done.rejection == Some(Rejection::InsufficientBalance) => {
                let refusals = self.short.map_or(0, |short| short.refusals) + 1;
                self.short = Some(Short { refusals, is_news: false });
                self.retry_at = Some(now + config.back_off(refusals));
            }
            Leg::Stop | Leg::Exit if done.ending == Ending::Canceled && self.short.is_some() => {
                self.await_balance(now, config);
            }
            // Other than before: at once, for nothing protects what is held.
            Leg::Stop if refused_with_twin && !self.stop_alone && self.stop_before.is_none() => {
                self.stop_alone = true;
            }
            Leg::Exit if half.is_some() => self.exit_at_most = half,
            Leg::Entry if failed => self.trouble.clone_from(&done.text),
            Leg::Stop if failed_at_once || (failed && !asked && !self.twin_traded()) => {
                self.stop_failed(now, done.rejection, config);
            }
            Leg::Exit if done.ending != Ending::Filled => {
                self.exit_failures += 1;
                self.exit_at_most = None;
                self.unsellable += u32::from(done.rejection == Some(Rejection::Filter));
                self.retry_at = Some(now + config.back_off(self.exit_failures));
            }
            Leg::Entry | Leg::Stop | Leg::TakeProfit | Leg::Exit => {}
        }
    }

    /// The stop leg of an OCO ends when its take-profit twin trades.
    fn twin_traded(&self) -> bool {
        self.exit == Some(ExitReason::TakeProfitHit)
    }

    fn stop_failed(&mut self, now: Timestamp, rejection: Option<Rejection>, config: &Config) {
        // The owner's new stop is refused: back to the one that worked.
        if let (Some(before), Some(_)) = (self.stop_before, rejection) {
            self.stop_before = None;
            self.stop = Some(before);
            return;
        }
        if rejection == Some(Rejection::RateLimited) {
            self.retry_at = Some(now + config.back_off(1));
            return;
        }
        // No order is taken on the instrument now: that says nothing about this one.
        if rejection == Some(Rejection::MarketClosed) {
            self.exit_failures += 1;
            self.retry_at = Some(now + config.back_off(self.exit_failures));
            return;
        }
        if let Stage::Held(Held { cover: Cover::Protected { since, .. }, .. }) = self.stage
            && now.since(since) >= LASTING
        {
            self.protect_failures = 0;
        }
        // It was given up before, and what is held cannot be sold now: asking at once would ask without end.
        let given_up = self.beyond_stop || self.protect_failures >= config.protect_attempts;
        self.protect_failures += 1;
        if given_up {
            self.retry_at = self.retry_at.max(Some(now + config.back_off(self.protect_failures)));
        }
        self.filtered += u32::from(rejection == Some(Rejection::Filter));
        self.beyond_stop |= rejection == Some(Rejection::WouldTrigger);
    }

    /// Takes one of our own sayings about the trade.
    pub fn note(&mut self, now: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Opened(_) => {
                let since = self.opened_at.unwrap_or(now);
                let cover = Cover::Naked { since, because: NakedBecause::Entered };
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

impl Config {
    /// How long to wait after the `n`-th failure.
    fn back_off(&self, n: u32) -> Duration {
        self.retry_after.saturating_mul(1 << n.saturating_sub(1).min(16)).min(self.retry_at_most)
    }
}
