//! Towards a stop that covers all that is held.

use super::*;

impl Step<'_> {
    /// Towards a stop that covers all that is held, at the wanted price.
    pub(super) fn protect(&self, held: Held, said: &mut Vec<Event>) {
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
    pub(super) fn note_undercovered(
        &self,
        held: Held,
        order: ClientOrderId,
        covers: Decimal,
        said: &mut Vec<Event>,
    ) {
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
        said.push(self.partly(held.cover, quantity, NakedBecause::Undercovered));
    }

    pub(super) fn note_covered(
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
            said.push(self.partly(held.cover, quantity, because));
        }
    }

    /// What stops would cover if one could be of any size: whole lots.
    pub(super) fn coverable(&self) -> Decimal {
        match self.full_exit_orders() {
            Ok(orders) => self
                .rules
                .floor_quantity(self.trade.ledger.holding())
                .map_or(orders.quantity.get(), Quantity::get),
            Err(_) => Decimal::ZERO,
        }
    }

    /// Coins are missing for an order: said once.
    pub(super) fn note_held_elsewhere(&self, held: Held, said: &mut Vec<Event>) {
        if !matches!(held.cover, Cover::Naked { because: NakedBecause::HeldElsewhere, .. }) {
            said.push(self.unprotected(self.bare_since(held.cover), NakedBecause::HeldElsewhere));
        }
        self.wake(said);
    }

    /// Says so if a stop has just gone.
    pub(super) fn note_naked(&self, held: Held, said: &mut Vec<Event>) {
        let t = self.trade;
        let (Cover::Protected { by, .. } | Cover::Partly { by, .. }) = held.cover else { return };
        let asked = t.legs.get(&by).is_some_and(|l| l.cancels > 0);
        let because = match t.wanted {
            _ if !asked => NakedBecause::StopEnded,
            Wanted::Open => NakedBecause::StopMoving,
            Wanted::Closed(_) => NakedBecause::Exiting,
        };
        said.push(self.unprotected(self.bare_since(held.cover), because));
    }

    pub(super) fn has_stop(&self) -> bool {
        self.trade.live().any(|(_, l)| l.leg == Leg::Stop)
    }

    /// For what can be put into an order now.
    pub(super) fn exit_orders(&self) -> Result<ExitOrders, Option<Obstacle>> {
        self.exit_orders_for(self.trade.available(self.seen))
    }

    /// For all that is held.
    pub(super) fn full_exit_orders(&self) -> Result<ExitOrders, Option<Obstacle>> {
        self.exit_orders_for(self.trade.ledger.holding())
    }

    pub(super) fn exit_orders_for(&self, quantity: Decimal) -> Result<ExitOrders, Option<Obstacle>> {
        // A stop that the venue's filters refuse is tried with its limit nearer to its trigger.
        let most = self.config.protect_attempts.saturating_sub(1).max(1);
        let raised = Decimal::from(self.trade.filtered.min(most)) / Decimal::from(most);
        exit_orders(self.trade, self.rules, self.trade.stop, quantity, raised, self.price)
    }

    pub(super) fn protected(&self, order: ClientOrderId, stop: Price, quantity: Quantity) -> Event {
        let t = self.trade;
        let has_twin = t.legs.get(&order).is_some_and(|leg| leg.twin.is_some());
        let without_take_profit = t.exit_plan.is_some_and(|plan| plan.is_list()) && !has_twin;
        TradeProtected { trade: t.id, order, stop, quantity, without_take_profit }.into()
    }

    pub(super) fn unprotected(&self, since: Timestamp, because: NakedBecause) -> Event {
        let t = self.trade;
        TradeUnprotected { trade: t.id, since, quantity: t.ledger.holding(), because, covered: None }.into()
    }

    /// Since when nothing has been covered: since the venue ended the stop, whenever that is heard.
    pub(super) fn bare_since(&self, cover: Cover) -> Timestamp {
        let t = self.trade;
        match cover {
            Cover::Naked { since, .. } => since,
            Cover::Protected { by, .. } | Cover::Partly { by, .. } => {
                let ended = t.legs.get(&by).and_then(|leg| leg.ended_at);
                t.within(ended.unwrap_or(self.now), self.now)
            }
        }
    }

    pub(super) fn partly(&self, cover: Cover, covered: Quantity, because: NakedBecause) -> Event {
        let trade = self.trade.id;
        let since = match cover {
            Cover::Naked { since, .. } | Cover::Partly { since, .. } => since,
            Cover::Protected { .. } => self.trade.within(self.fact_at, self.now),
        };
        let quantity = self.trade.ledger.holding() - covered.get();
        TradeUnprotected { trade, since, quantity, because, covered: Some(covered) }.into()
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
        let direction = t.direction;
        let held = exits::Held { direction, quantity, entry: t.ledger.entry_price(), moved, average, raised };
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
    for leg in trade.legs.values_mut() {
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
    let exit = trade.direction.exit();
    match exit_orders(trade, rules, Some(stop), trade.ledger.holding(), Decimal::ZERO, price) {
        Err(_) => Some(format!("at {stop} the venue's rules leave no room for the order")),
        Ok(ExitOrders { trigger, take_profit: Some(target), .. })
            if !exit.is_worse(trigger.get(), target.get()) =>
        {
            Some(format!("{trigger} does not lie {} the take-profit at {target}", exit.worse_word()))
        }
        Ok(_) => None,
    }
}
