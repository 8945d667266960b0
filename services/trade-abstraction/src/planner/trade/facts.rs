//! What the venue and the account say of a trade's orders.

use super::*;

/// A stop that worked at least this long was no failure to protect.
const LASTING: Duration = Duration::from_secs(3_600);

impl Trade {
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
                ended_at: None,
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
        self.not_at = None;
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
        self.fills.entry(fill.venue_trade).or_insert(false);
        let Some(leg) = self.legs.get_mut(&fill.order) else { return };
        leg.filled += fill.quantity.get();
        if leg.leg != Leg::Entry {
            self.left_at = Some(fill.at);
        }
        match leg.leg {
            Leg::Entry => {
                let earliest = |known: Option<Timestamp>| known.map_or(fill.at, |known| known.min(fill.at));
                self.opened_at = Some(earliest(self.opened_at));
                if self.stage == Stage::Over {
                    self.revived_at = Some(earliest(self.revived_at));
                }
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
            Leg::Entry => self.trouble.clone_from(&done.text),
            Leg::Stop if failed_at_once || (failed && !asked && !self.twin_traded()) => {
                self.stop_failed(now, done.rejection, config);
            }
            Leg::Exit if done.ending != Ending::Filled => {
                self.exit_failures += 1;
                self.exit_at_most = None;
                self.unsellable += u32::from(done.rejection == Some(Rejection::Filter));
                self.retry_at = Some(now + config.back_off(self.exit_failures));
            }
            Leg::Stop | Leg::TakeProfit | Leg::Exit => {}
        }
    }

    /// The stop leg of an OCO ends when its take-profit twin trades.
    fn twin_traded(&self) -> bool {
        self.exit == Some(ExitReason::TakeProfitHit)
    }

    fn stop_failed(&mut self, now: Timestamp, rejection: Option<Rejection>, config: &Config) {
        // The market is beyond a stop that follows it.
        let is_passed = rejection == Some(Rejection::WouldTrigger)
            && self.exit_plan.is_some_and(|plan| plan.trailing.is_some());
        // A moved stop is refused: back to the one that worked.
        if let (Some(before), Some(_), false) = (self.stop_before, rejection, is_passed) {
            self.stop_before = None;
            self.not_at = self.stop;
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
}

impl Config {
    /// How long to wait after the `n`-th failure.
    fn back_off(&self, n: u32) -> Duration {
        self.retry_after.saturating_mul(1 << n.saturating_sub(1).min(16)).min(self.retry_at_most)
    }
}
