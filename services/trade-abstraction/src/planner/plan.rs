//! The next step of a trade.
//!
//! A function of the whole trade: it asks what is wanted, what is, and which of our requests are
//! still on their way, and says nothing while something is.

use super::{Config, Cover, Held, LegOrder, LegState, Seen, Stage, State, Trade, Wanted};
use domain::{
    Breach, ClientOrderId, Decimal, Ending, InstrumentRules, Leg, NewOco, NewOrder, OrderKind, OrderRequest,
    Origin, PositionSide, Price, Quantity, Side, Size, TimeInForce, Timestamp,
    exits::{self, Exit, ExitOrders, Obstacle},
};
use events::{
    AbortReason, CancelRequested, Event, ExitReason, NakedBecause, OrderSubmitted, TradeAborted, TradeClosed,
    TradeExiting, TradeOpened, TradeProtected, TradeUnprotected, Uuid, WakeAsked, ids,
};
use std::collections::BTreeSet;

/// Adds what is to be said next about `trade`.
pub fn next(config: &Config, state: &State, now: Timestamp, trade: &Trade, said: &mut Vec<Event>) {
    let Some(rules) = state.rules_of(trade) else { return };
    let seen = state.seen_of(trade);
    let price = state.price(trade);
    let step = Step { config, tape: state.tape, rules, seen, price, asked: &state.asked, now, trade };
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
    trade: &'a Trade,
}

impl Step<'_> {
    fn enter(&self, naked_said: bool, said: &mut Vec<Event>) {
        let t = self.trade;
        let entry = t.legs.iter().find(|(_, l)| l.leg == Leg::Entry);
        let Some((id, leg)) = entry else {
            match t.wanted {
                // What could not be protected is not bought.
                _ if t.exit_plan.is_none() => said.push(self.aborted(AbortReason::EntryRefused)),
                Wanted::Open => said.push(self.entry()),
                Wanted::Closed(_) => said.push(self.aborted(AbortReason::Withdrawn)),
            }
            return;
        };
        let holds = t.ledger.holding() > Decimal::ZERO;
        if leg.is_live() {
            if holds && !naked_said {
                said.push(self.unprotected(NakedBecause::Entered));
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
                quantity: t.ledger.holding(),
                price: t.ledger.entry_price(),
                cost: t.ledger.cost(),
            }
            .into(),
        );
        if !naked_said {
            said.push(self.unprotected(NakedBecause::Entered));
        }
        let since = t.opened_at.unwrap_or(self.now);
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
            Wanted::Open if t.beyond_stop => ExitReason::BeyondStop,
            Wanted::Open if t.protect_failures >= self.config.protect_attempts => ExitReason::Unprotectable,
            Wanted::Open if self.full_exit_orders().is_err() && !self.has_stop() => ExitReason::Unprotectable,
            Wanted::Open => return Wanted::Open,
        };
        said.push(TradeExiting { trade: t.id, reason, at_most: None }.into());
        Wanted::Closed(reason)
    }

    /// Towards a stop that covers all that is held, at the wanted price.
    fn protect(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        let Ok(ExitOrders { quantity, trigger: stop, .. }) = self.exit_orders() else {
            // A stop that works stays, whatever today's rules leave room for.
            if !self.has_stop() && t.short.is_some() {
                self.note_held_elsewhere(held, said);
            }
            return;
        };
        let Some((id, leg)) = t.live().find(|(_, l)| l.leg == Leg::Stop) else {
            self.note_naked(held, said);
            let waits = t.wanted == Wanted::Open || t.short.is_some_and(|short| !short.is_news);
            if waits && t.retry_at.is_some_and(|at| at > self.now) {
                return self.wake(said);
            }
            // A take-profit that has begun to trade has lost its stop: it goes, and both come anew.
            if !self.take_back(said) {
                said.extend(self.protection());
            }
            return;
        };
        let covers = t.covers(leg);
        let enough = covers >= quantity.get() && covers <= t.ledger.holding();
        if !enough || leg.stands_for.or(leg.stop) != Some(stop) {
            self.note_undercovered(held, *id, covers, said);
            self.take_back(said);
        } else if t.live().all(|(_, l)| l.is_working()) {
            self.note_covered(held, *id, covers, leg.stop.unwrap_or(stop), said);
        }
    }

    /// Of a stop that was said to cover more than it does: what it covers, and that the rest is without.
    fn note_undercovered(&self, held: Held, order: ClientOrderId, covers: Decimal, said: &mut Vec<Event>) {
        let (by, told, stop) = match held.cover {
            Cover::Protected { by, quantity, stop, .. } => (by, quantity.get(), stop),
            Cover::Partly { by, quantity, stop, .. } if quantity.get() != covers => {
                (by, quantity.get(), stop)
            }
            Cover::Partly { .. } | Cover::Naked { .. } => return,
        };
        let full = self.coverable();
        if by != order || covers >= full {
            return;
        }
        let Ok(quantity) = Quantity::new(covers) else { return };
        if told != covers {
            said.push(self.protected(order, stop, quantity));
        }
        said.push(self.partly(quantity, NakedBecause::Undercovered));
    }

    fn note_covered(
        &self,
        held: Held,
        order: ClientOrderId,
        covers: Decimal,
        stop: Price,
        said: &mut Vec<Event>,
    ) {
        let full = self.coverable();
        let (known, told_partly) = match held.cover {
            Cover::Protected { by, .. } => (by == order, false),
            Cover::Partly { by, quantity, .. } => (by == order && quantity.get() == covers, true),
            Cover::Naked { .. } => (false, false),
        };
        let is_partly = covers < full;
        if known && told_partly == is_partly {
            return;
        }
        let Ok(quantity) = Quantity::new(covers) else { return };
        if !known || told_partly {
            said.push(self.protected(order, stop, quantity));
        }
        if is_partly {
            let because = match self.trade.short {
                Some(_) => NakedBecause::HeldElsewhere,
                None => NakedBecause::Undercovered,
            };
            said.push(self.partly(quantity, because));
        }
    }

    /// What stops would cover if one could be of any size: whole lots.
    fn coverable(&self) -> Decimal {
        match self.full_exit_orders() {
            Ok(orders) => self
                .rules
                .floor_quantity(self.trade.ledger.holding())
                .map_or(orders.quantity.get(), Quantity::get),
            Err(_) => Decimal::ZERO,
        }
    }

    /// Coins are missing for an order: said once.
    fn note_held_elsewhere(&self, held: Held, said: &mut Vec<Event>) {
        if !matches!(held.cover, Cover::Naked { because: NakedBecause::HeldElsewhere, .. }) {
            said.push(self.unprotected(NakedBecause::HeldElsewhere));
        }
        self.wake(said);
    }

    /// Says so if a stop has just gone.
    fn note_naked(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        let (Cover::Protected { by, .. } | Cover::Partly { by, .. }) = held.cover else { return };
        let asked = t.legs.get(&by).is_some_and(|l| l.cancels > 0);
        let because = match t.wanted {
            _ if !asked => NakedBecause::StopEnded,
            Wanted::Open => NakedBecause::StopMoving,
            Wanted::Closed(_) => NakedBecause::Exiting,
        };
        said.push(self.unprotected(because));
    }

    /// Towards holding nothing: first the coins must be free, then they are sold at market.
    /// A stop is not given up for a sale that the venue's rules leave no room for.
    fn leave(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        let available = t.available(self.seen);
        let most = t.exit_at_most.map_or(available, Quantity::get);
        let sellable = exits::market_part(self.rules, available, most, self.price);
        let Some(quantity) = sellable.ok().filter(|_| !self.is_dust()) else {
            return self.protect(held, said);
        };
        if self.take_back(said) {
            return;
        }
        self.note_naked(held, said);
        if let (Wanted::Closed(reason), at_most @ Some(_)) = (t.wanted, t.exit_at_most)
            && t.at_most_said != at_most
        {
            said.push(TradeExiting { trade: t.id, reason, at_most }.into());
        }
        let order = self.order(Leg::Exit, OrderKind::Market, quantity);
        said.push(self.submit(OrderRequest::Single(order)));
    }

    fn has_stop(&self) -> bool {
        self.trade.live().any(|(_, l)| l.leg == Leg::Stop)
    }

    /// Too little for another order by the venue's rules, but for the stop that works over it: it was taken by
    /// the rules of its time.
    fn is_kept_by_a_stop(&self) -> bool {
        let t = self.trade;
        let holding = t.ledger.holding();
        let covers = |l: &LegOrder| l.leg == Leg::Stop && l.filled.is_zero() && t.covers(l) > Decimal::ZERO;
        !t.gone && holding > Decimal::ZERO && t.live().any(|(_, l)| covers(l) && t.covers(l) <= holding)
    }

    /// Asks for the protecting orders to be canceled; `false` if there are none.
    fn take_back(&self, said: &mut Vec<Event>) -> bool {
        let t = self.trade;
        let protecting = || t.live().filter(|(_, l)| l.protects());
        let Some((id, leg)) = protecting().find(|(_, l)| l.leg == Leg::Stop).or_else(|| protecting().next())
        else {
            return false;
        };
        // Canceling one leg of an OCO cancels both; one that ended by itself meanwhile did not.
        let is_canceled =
            |l: &LegOrder| l.is_canceling() || matches!(l.state, LegState::Done { ending: Ending::Canceled });
        let twin_canceled = t.twin(leg).is_some_and(is_canceled);
        if leg.is_working() && !twin_canceled {
            self.cancel(id, leg, said);
        }
        true
    }

    /// Nothing sellable is left: the remaining orders go, then the trade is closed.
    fn wind_up(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        let left = t.ledger.holding();
        if t.live().next().is_some() {
            // A stop that has begun to sell goes on by itself, however little is left of it.
            if t.gone || t.live().all(|(_, l)| l.filled.is_zero() && t.covers(l) > Decimal::ZERO) {
                self.take_back(said);
            }
            return;
        }
        let named = matches!(held.cover, Cover::Naked { because: NakedBecause::Dust, .. });
        if left > Decimal::ZERO && t.ledger.sold.is_zero() && !named && !t.gone {
            said.push(self.unprotected(NakedBecause::Dust));
        }
        said.push(self.closed());
    }

    fn closed(&self) -> Event {
        let t = self.trade;
        let ledger = &t.ledger;
        // What other hands sold is told by the position that they closed.
        let (left, profit, exit_price) = match t.elsewhere {
            Some(elsewhere) => (elsewhere.left, Some(elsewhere.profit), elsewhere.exit_price),
            None => (ledger.dust(), None, ledger.exit_price()),
        };
        let cost = ledger.cost() - left.cost;
        let profit = profit.unwrap_or_else(|| ledger.proceeds() - cost);
        let worth = left.quantity.saturating_mul(t.price()).round_dp(domain::money::DIVISION);
        TradeClosed {
            trade: t.id,
            account: t.account,
            instrument: t.instrument,
            edge: t.edge,
            reason: t.gone.then_some(ExitReason::Elsewhere).or(t.exit).unwrap_or(match t.wanted {
                Wanted::Closed(reason) => reason,
                Wanted::Open => ExitReason::Unprotectable,
            }),
            quantity: ledger.bought,
            entry_price: ledger.entry_price(),
            exit_price,
            cost,
            proceeds: cost + profit,
            profit,
            fees: ledger.fee_list(),
            left: left.quantity,
            left_cost: left.cost.normalize(),
            left_worth: worth.normalize(),
            carried: ledger.carried.quantity,
            carried_cost: ledger.carried.cost,
            opened_at: t.opened_at.unwrap_or(self.now),
            closed_at: self.now,
        }
        .into()
    }

    /// Whether what is held cannot be sold: below a lot, below the least notional, or, having
    /// failed to sell again and again, so near to it that the venue's filters are the reason.
    fn is_dust(&self) -> bool {
        let t = self.trade;
        let holding = t.ledger.holding();
        let price = self.price;
        if t.gone || holding <= Decimal::ZERO || self.rules.is_dust(holding, price) {
            return true;
        }
        t.unsellable >= self.config.protect_attempts
            && holding.saturating_mul(price) < self.rules.min_notional * Decimal::TWO
    }

    fn cancel(&self, id: &ClientOrderId, leg: &LegOrder, said: &mut Vec<Event>) {
        let t = self.trade;
        if leg.is_canceling() {
            return;
        }
        if leg.cancels > 0 && t.retry_at.is_some_and(|at| at > self.now) {
            return self.wake(said);
        }
        said.push(
            CancelRequested {
                account: t.account,
                instrument: t.instrument,
                order: *id,
                request: leg.cancels + 1,
            }
            .into(),
        );
    }

    fn wake(&self, said: &mut Vec<Event>) {
        if let Some(at) = self.trade.retry_at.filter(|at| *at > self.now && !self.asked.contains(at)) {
            let asked = Event::from(WakeAsked { at });
            if !said.contains(&asked) {
                said.push(asked);
            }
        }
    }

    fn entry(&self) -> Event {
        let t = self.trade;
        let kind = OrderKind::Limit { price: t.limit, time_in_force: TimeInForce::Ioc };
        let order =
            NewOrder { side: Side::Buy, reduce_only: false, ..self.order(Leg::Entry, kind, t.quantity) };
        self.submit(OrderRequest::Single(order))
    }

    /// The request that protects what is held, as the edge is configured.
    fn protection(&self) -> Option<Event> {
        let ExitOrders { quantity, stop, take_profit, .. } = self.exit_orders().ok()?;
        let below = self.order(Leg::Stop, stop, quantity);
        let request = match take_profit {
            None => OrderRequest::Single(below),
            Some(price) => {
                let above = self.order(Leg::TakeProfit, OrderKind::LimitMaker { price }, quantity);
                let list = ids::client_order_id(
                    self.tape,
                    &self.trade.account,
                    &self.trade.id,
                    "oco",
                    self.trade.next_attempt(Leg::Stop),
                );
                OrderRequest::Oco(NewOco { list, above, below })
            }
        };
        Some(self.submit(request))
    }

    /// For what can be put into an order now.
    fn exit_orders(&self) -> Result<ExitOrders, Option<Obstacle>> {
        self.exit_orders_for(self.trade.available(self.seen))
    }

    /// For all that is held.
    fn full_exit_orders(&self) -> Result<ExitOrders, Option<Obstacle>> {
        self.exit_orders_for(self.trade.ledger.holding())
    }

    fn exit_orders_for(&self, quantity: Decimal) -> Result<ExitOrders, Option<Obstacle>> {
        // A stop that the venue's filters refuse is tried with its limit nearer to its trigger.
        let most = self.config.protect_attempts.saturating_sub(1).max(1);
        let raised = Decimal::from(self.trade.filtered.min(most)) / Decimal::from(most);
        exit_orders(self.trade, self.rules, self.trade.stop, quantity, raised, self.price)
    }

    fn protected(&self, order: ClientOrderId, stop: Price, quantity: Quantity) -> Event {
        let t = self.trade;
        let has_twin = t.legs.get(&order).is_some_and(|leg| leg.twin.is_some());
        let without_take_profit = t.exit_plan.is_some_and(|plan| plan.is_list()) && !has_twin;
        TradeProtected { trade: t.id, order, stop, quantity, without_take_profit }.into()
    }

    fn order(&self, leg: Leg, kind: OrderKind, quantity: Quantity) -> NewOrder {
        let t = self.trade;
        let attempt = t.next_attempt(leg);
        NewOrder {
            id: ids::leg_id(self.tape, &t.account, &t.id, leg, attempt),
            side: Side::Sell,
            kind,
            size: Size::Base(quantity),
            origin: Origin::Trade { trade: t.id, leg, attempt },
            reduce_only: true,
            position_side: PositionSide::Net,
        }
    }

    fn submit(&self, request: OrderRequest) -> Event {
        let t = self.trade;
        OrderSubmitted { account: t.account, instrument: t.instrument, request: Box::new(request) }.into()
    }

    fn unprotected(&self, because: NakedBecause) -> Event {
        let t = self.trade;
        let since = match because {
            NakedBecause::Entered => t.opened_at.unwrap_or(self.now),
            _ => self.now,
        };
        TradeUnprotected { trade: t.id, since, quantity: t.ledger.holding(), because, covered: None }.into()
    }

    fn partly(&self, covered: Quantity, because: NakedBecause) -> Event {
        let (trade, since) = (self.trade.id, self.now);
        let quantity = self.trade.ledger.holding() - covered.get();
        TradeUnprotected { trade, since, quantity, because, covered: Some(covered) }.into()
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
                    AbortReason::EntryUnfilled => format!("nothing was offered at {} or below", t.limit),
                    AbortReason::Withdrawn => "closed before anything was bought".to_owned(),
                    AbortReason::EntryRefused => format!("{} has no exit in this configuration", t.edge),
                    _ => String::new(),
                }
            } else {
                t.trouble.clone()
            },
        }
        .into()
    }
}

/// What the venue is asked for, to protect what is held; `moved` is where the owner wants the stop.
fn exit_orders(
    t: &Trade,
    rules: &InstrumentRules,
    moved: Option<Price>,
    quantity: Decimal,
    raised: Decimal,
    price: Decimal,
) -> Result<ExitOrders, Option<Obstacle>> {
    let plan = t.exit_plan.ok_or(None)?;
    let at = |average: Decimal| {
        let held = exits::Held { quantity, entry: t.ledger.entry_price(), moved, average, raised };
        let alone = || exits::stop_alone(&plan, rules, &held);
        if t.stop_alone {
            return alone();
        }
        // A stop by itself is better than none.
        exits::exit_orders(&plan, rules, &held).or_else(|obstacle| match obstacle.exit {
            Exit::TakeProfit => alone(),
            Exit::Stop | Exit::Market => Err(obstacle),
        })
    };
    // Our price is not the venue's average: whether a stop is too far below that, the venue says.
    at(price)
        .or_else(|obstacle| match obstacle.breach {
            Some(Breach::PercentPrice) => at(t.price()),
            _ => Err(obstacle),
        })
        .map_err(Some)
}

/// The venue's rules change: a stop that is where it should be by the old ones is so by the new ones.
pub fn keep_stops(trade: &mut Trade, before: &InstrumentRules, now: &InstrumentRules, price: Decimal) {
    let holding = trade.ledger.holding();
    let wanted =
        |rules| exit_orders(trade, rules, trade.stop, holding, Decimal::ZERO, price).map(|o| o.trigger);
    let (Ok(was), Ok(is)) = (wanted(before), wanted(now)) else { return };
    for leg in trade.legs.values_mut().filter(|l| l.is_live() && l.leg == Leg::Stop) {
        if leg.stands_for.or(leg.stop) == Some(was) {
            leg.stands_for = Some(is);
        }
    }
}

/// Why the stop of a trade cannot be moved there, if so.
pub fn stop_problem(trade: &Trade, rules: &InstrumentRules, price: Decimal, stop: Price) -> Option<String> {
    if trade.ledger.holding() <= Decimal::ZERO {
        return Some("nothing is held yet".to_owned());
    }
    match exit_orders(trade, rules, Some(stop), trade.ledger.holding(), Decimal::ZERO, price) {
        Err(_) => Some(format!("at {stop} the venue's rules leave no room for the order")),
        Ok(ExitOrders { trigger, take_profit: Some(target), .. }) if trigger >= target => {
            Some(format!("{trigger} does not lie below the take-profit at {target}"))
        }
        Ok(_) => None,
    }
}
