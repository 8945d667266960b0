//! Towards holding nothing.

use super::*;

impl Step<'_> {
    /// Towards holding nothing: first the coins must be free, then they are sold at market.
    /// A stop is not given up for a sale that the venue's rules leave no room for.
    pub(super) fn leave(&self, held: Held, said: &mut Vec<Event>) {
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

    /// Too little for another order by the venue's rules, but for the stop that works over it: it was taken by
    /// the rules of its time.
    pub(super) fn is_kept_by_a_stop(&self) -> bool {
        let t = self.trade;
        let holding = t.ledger.holding();
        let covers = |l: &LegOrder| l.leg == Leg::Stop && l.filled.is_zero() && t.covers(l) > Decimal::ZERO;
        !t.gone && t.live().any(|(_, l)| covers(l) && t.covers(l) <= holding)
    }

    /// Asks for the protecting orders to be canceled; `false` if there are none.
    pub(super) fn take_back(&self, said: &mut Vec<Event>) -> bool {
        let t = self.trade;
        let protecting = || t.live().filter(|(_, l)| l.protects());
        let Some((id, leg)) = protecting().find(|(_, l)| l.leg == Leg::Stop).or_else(|| protecting().next())
        else {
            return false;
        };
        // Canceling one leg of an OCO cancels both; one that ended by itself meanwhile did not.
        let is_canceled = |l: &LegOrder| matches!(l.state, LegState::Done { ending: Ending::Canceled });
        let twin_canceled = t.twin(leg).is_some_and(is_canceled);
        if leg.is_working() && !twin_canceled {
            self.cancel(id, leg, said);
        }
        true
    }

    /// Nothing sellable is left: the remaining orders go, then the trade is closed.
    pub(super) fn wind_up(&self, held: Held, said: &mut Vec<Event>) {
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
        if left > Decimal::ZERO && t.ledger.exited.is_zero() && !named && !t.gone {
            said.push(self.unprotected(self.bare_since(held.cover), NakedBecause::Dust));
        }
        said.push(self.closed());
    }

    pub(super) fn closed(&self) -> Event {
        let t = self.trade;
        let ledger = &t.ledger;
        // What other hands left is told by the position that they closed.
        let (left, profit, exit_price) = match t.elsewhere {
            Some(elsewhere) => (elsewhere.left, Some(elsewhere.profit), elsewhere.exit_price),
            None => (ledger.dust(), None, ledger.exit_price()),
        };
        let value = ledger.value() - left.cost;
        let profit = profit.unwrap_or_else(|| t.direction.gain(value, ledger.exit_value()));
        let (cost, proceeds) = match t.direction {
            Direction::Long => (value, value + profit),
            Direction::Short => (value - profit, value),
        };
        let worth = left.quantity.saturating_mul(self.price).round_dp(domain::money::DIVISION);
        TradeClosed {
            trade: t.id,
            account: t.account,
            instrument: t.instrument,
            edge: t.edge,
            direction: t.direction,
            reason: t.gone.then_some(ExitReason::Elsewhere).or(t.exit).unwrap_or(match t.wanted {
                Wanted::Closed(reason) => reason,
                Wanted::Open => ExitReason::Unprotectable,
            }),
            quantity: ledger.entered,
            entry_price: ledger.entry_price(),
            exit_price,
            cost,
            proceeds,
            profit,
            fees: ledger.fee_list(),
            left: left.quantity,
            left_cost: left.cost.normalize(),
            left_worth: worth.normalize(),
            carried: ledger.carried.quantity,
            carried_cost: ledger.carried.cost,
            opened_at: t.opened_at.unwrap_or(self.now),
            closed_at: self.closed_at(),
        }
        .into()
    }

    /// When the last of it was left, if no more than dust was left by that; else the end is a decision of today.
    /// Never before it was opened, whose clock ever is behind.
    fn closed_at(&self) -> Timestamp {
        let t = self.trade;
        let is_left = match t.gone {
            true => t.elsewhere.is_some(),
            false => self.rules.is_dust(t.ledger.holding(), t.price()),
        };
        let at = t.left_at.filter(|_| is_left).unwrap_or(self.now);
        t.opened_at.map_or(at, |opened| at.max(opened))
    }

    /// Whether what is held cannot be sold: below a lot, below the least notional, or, having
    /// failed to sell again and again, so near to it that the venue's filters are the reason.
    pub(super) fn is_dust(&self) -> bool {
        let t = self.trade;
        let holding = t.ledger.holding();
        let price = self.price;
        if t.gone || holding <= Decimal::ZERO || self.rules.is_dust(holding, price) {
            return true;
        }
        t.unsellable >= self.config.protect_attempts
            && holding.saturating_mul(price) < self.rules.min_notional * Decimal::TWO
    }

    pub(super) fn cancel(&self, id: &ClientOrderId, leg: &LegOrder, said: &mut Vec<Event>) {
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
}
