//! What the planner knows of accounts, instruments and trades, as facts change it.

use super::*;

impl State {
    pub(super) fn end(&mut self, id: &TradeId, forget_at: Timestamp) {
        if let Some(trade) = self.trades.get_mut(id) {
            trade.stage = Stage::Over;
            trade.left = trade.ledger.holding();
            self.ended.insert((forget_at, *id));
            let instrument = trade.instrument;
            if !self.trades.values().any(|t| t.instrument == instrument && t.stage != Stage::Over) {
                self.market.leave(&instrument);
            }
        }
    }

    /// The price by which a trade's orders are judged: the market's last that was heard, or that of its own last
    /// fill where it is later or nothing was heard; before there is any, the worst at which it may enter.
    pub(super) fn price(&self, trade: &Trade) -> Decimal {
        let fill_at = trade.last_fill_at;
        let heard =
            self.market.last(&trade.instrument).filter(|heard| fill_at.is_none_or(|at| at < heard.at));
        heard.map_or_else(|| trade.price(), |heard| heard.price.get())
    }

    /// Half of an exit that the venue took for too large, where it can be sold by itself.
    ///
    /// The venue's text names the filter, and not which of its two limits: what is too little has no half that sells.
    pub(super) fn half_of_refused(&self, id: &TradeId, done: &OrderDone) -> Option<domain::Quantity> {
        let trade = self.trades.get(id)?;
        let leg = trade.legs.get(&done.order).filter(|leg| leg.leg == domain::Leg::Exit)?;
        let by_size = ["NOTIONAL", "LOT_SIZE"].iter().any(|filter| done.text.contains(filter));
        if done.rejection != Some(Rejection::Filter) || !by_size || leg.listings != trade.listings {
            return None;
        }
        let rules = self.rules_of(trade)?;
        let half = leg.quantity.get() / Decimal::TWO;
        exits::market_part(rules, half, half, self.price(trade)).ok()
    }

    pub(super) fn pass(&mut self, now: Timestamp) {
        // What came due at the last passing has been looked at; what comes due now has not.
        while self.wakes.first().is_some_and(|(at, _)| *at <= self.time) {
            self.wakes.pop_first();
        }
        while self.asked.first().is_some_and(|at| *at <= now) {
            self.asked.pop_first();
        }
        self.time = now;
        while let Some(&(at, id)) = self.ended.first().filter(|(at, _)| *at <= now) {
            self.ended.remove(&(at, id));
            let Some(trade) = self.trades.get(&id).filter(|t| t.stage == Stage::Over) else { continue };
            for order in trade.legs.keys() {
                self.orders.remove(order);
                self.ours.forget(order);
            }
            self.trades.remove(&id);
        }
    }

    /// The trades that `heard` may have moved.
    pub(super) fn touched<'s>(&'s self, now: Timestamp, heard: &Event) -> Vec<&'s Trade> {
        let by_id = |id: &TradeId| self.trades.get(id).into_iter().collect();
        match heard {
            Event::Trade(TradeEvent::Sized(sized)) => by_id(&sized.trade),
            Event::Trade(TradeEvent::StopMoveRequested(request)) => by_id(&request.trade),
            Event::Trade(TradeEvent::CloseRequested(request)) => {
                self.trades.values().filter(|t| t.answers_to(request)).collect()
            }
            Event::Order(event) => {
                self.order_of(event).and_then(|o| self.orders.get(&o)).map_or_else(Vec::new, by_id)
            }
            Event::Instrument(InstrumentEvent::Listed(listed)) => {
                let held = |t: &&Trade| t.instrument == listed.instrument && t.stage != Stage::Over;
                self.trades.values().filter(held).collect()
            }
            Event::Candle(CandleEvent::Closed(e)) => self.waiting_for_a_price(&e.candle.instrument),
            Event::Quote(QuoteEvent::Seen(e)) => self.waiting_for_a_price(&e.instrument),
            Event::Account(AccountEvent::BalanceChanged(seen)) => {
                self.waiting_for_coins(seen.account, seen.asset).collect()
            }
            Event::Position(PositionEvent::Reduced(e)) => {
                self.trades.values().filter(|t| t.holds_in(&e.position, e.direction)).collect()
            }
            Event::Position(PositionEvent::Closed(closed)) => {
                self.trades.values().filter(|t| t.holds_in(&closed.position, closed.direction)).collect()
            }
            Event::Time(TimeEvent::Passed(_)) => {
                // Two wakes of one trade may come due at once; its next step is one.
                let mut due: Vec<&TradeId> = Vec::new();
                for (_, id) in self.wakes.iter().take_while(|(at, _)| *at <= now) {
                    if !due.contains(&id) {
                        due.push(id);
                    }
                }
                due.into_iter().filter_map(|id| self.trades.get(id)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// At another price, what is to be left may be worth enough, or not any more.
    pub(super) fn waiting_for_a_price(&self, instrument: &Instrument) -> Vec<&Trade> {
        if self.market.last(instrument).is_none() {
            return Vec::new();
        }
        let trails = |t: &Trade| t.exit_plan.is_some_and(|plan| plan.trailing.is_some());
        let waits = |t: &&Trade| {
            t.instrument == *instrument
                && matches!(t.stage, Stage::Held(_))
                && (t.wanted != Wanted::Open || trails(t))
        };
        self.trades.values().filter(waits).collect()
    }

    /// Stops that follow the market are to stand where its last price puts them.
    pub(super) fn trail(&mut self, instrument: &Instrument) {
        let (Some(last), Some(rules)) = (self.market.last(instrument), self.rules.get(instrument)) else {
            return;
        };
        for trade in self.trades.values_mut().filter(|t| t.instrument == *instrument) {
            let to = trade.trailed_to(rules, last.price);
            let possible = |to: &Price| plan::stop_problem(trade, rules, last.price.get(), *to).is_none();
            if let Some(to) = to.filter(possible) {
                trade.move_stop(to);
            }
        }
    }

    /// The tracker has counted a fill. Says whether it is one of a trade's own: the trade counts those itself, and
    /// what the tracker says of them may be about the trade before it, for the tracker comes behind.
    pub(super) fn counts(&mut self, position: &PositionKey, fill: VenueTradeId) -> bool {
        let here = |t: &&mut Trade| t.account == position.account && t.instrument == position.instrument;
        let mut own = false;
        for counted in self.trades.values_mut().filter(here).filter_map(|trade| trade.fills.get_mut(&fill)) {
            *counted = true;
            own = true;
        }
        own
    }

    /// The tracker says that nothing is left of a position: what a trade still counts beyond that was
    /// sold by other hands, except for fills of its own that the tracker has yet to count.
    pub(super) fn position_closed(&mut self, closed: &PositionClosed) {
        if self.counts(&closed.position, closed.fill) {
            return;
        }
        let left = Dust { quantity: closed.left, cost: closed.left_cost };
        let (profit, exit_price) = (closed.profit, closed.exit_price);
        for trade in self.trades.values_mut().filter(|t| t.holds_in(&closed.position, closed.direction)) {
            let gone = trade.ledger.holding() - closed.left;
            if gone <= Decimal::ZERO {
                continue;
            }
            trade.left_at = Some(closed.closed_at);
            if trade.is_counted() {
                trade.gone = true;
                trade.elsewhere = Some(Elsewhere { profit, exit_price, left });
            } else if left.is_none() {
                // What leaves dust was told as a reduction.
                let gone = gone.min(closed.by);
                trade.ledger.leave_elsewhere(gone, share(profit, gone, closed.exited));
            }
        }
        self.position_left(&closed.position, closed.direction, closed.left);
    }

    /// While no trade holds there, what the tracker counts is dust: less of it, and the owner has sold.
    fn position_left(&mut self, position: &PositionKey, direction: Direction, quantity: Decimal) {
        let key = (position.account, position.instrument, position.owner, direction);
        let held = self.trades.values().any(|t| t.key() == key && t.stage != Stage::Over);
        if let Some(dust) = self.dust.get_mut(&key).filter(|_| !held) {
            dust.limit_to(quantity);
        }
        self.dust.retain(|_, dust| !dust.is_none());
    }

    pub(super) fn keep_dust(&mut self, key: Key, dust: Dust) {
        if !dust.is_none() {
            self.dust.entry(key).or_default().add(dust);
        }
    }

    pub(super) fn take_dust_back(&mut self, key: Key, dust: Dust) {
        let Some(kept) = self.dust.get_mut(&key) else { return };
        kept.quantity -= dust.quantity;
        kept.cost -= dust.cost;
        if kept.is_none() {
            self.dust.remove(&key);
        }
    }

    /// The first fill of an entry: the trade sells with its own what earlier ones of its edge left.
    pub(super) fn carry_dust(&mut self, id: &TradeId, order: ClientOrderId) {
        let Some(trade) = self.trades.get(id) else { return };
        let is_first = trade.ledger.entered.is_zero();
        let is_entry = trade.legs.get(&order).is_some_and(|leg| leg.leg == domain::Leg::Entry);
        let key = trade.key();
        let Some(dust) = self.dust.get(&key).copied().filter(|_| is_first && is_entry) else { return };
        self.dust.remove(&key);
        for (other, trade) in &mut self.trades {
            if other == id {
                trade.ledger.carry(dust);
            } else if trade.key() == key && trade.stage == Stage::Over {
                trade.ledger.pass_on();
                trade.left = Decimal::ZERO;
            }
        }
    }

    /// Less is left of a position than its trade still counts: other hands have left the rest.
    pub(super) fn position_reduced(&mut self, now: Timestamp, reduced: &PositionReduced) {
        if self.counts(&reduced.position, reduced.fill) {
            return;
        }
        for trade in self.trades.values_mut().filter(|t| t.holds_in(&reduced.position, reduced.direction)) {
            let holding = trade.ledger.holding();
            // The tracker may hold dust that the trade does not count. While it has yet to count a fill of the
            // trade's own, what it says is left says nothing of the trade.
            let beyond = match trade.is_counted() {
                true => holding - reduced.quantity,
                false => holding,
            };
            let gone = beyond.min(reduced.by);
            if gone > Decimal::ZERO {
                trade.ledger.leave_elsewhere(gone, share(reduced.profit, gone, reduced.by));
                trade.left_at = Some(now);
            }
        }
        self.position_left(&reduced.position, reduced.direction, reduced.quantity);
    }

    /// Other rules than before: nothing that was refused under the old ones counts, and stops that were right
    /// are right.
    pub(super) fn listed(&mut self, listed: &InstrumentListed) {
        let rules = &*listed.rules;
        let known = self.rules.insert(listed.instrument, rules.clone());
        let Some(before) = known.filter(|before| before != rules) else { return };
        let open = |t: &&Trade| t.instrument == listed.instrument && t.stage != Stage::Over;
        let open: Vec<_> = self.trades.values().filter(open).map(|t| (t.id, self.price(t))).collect();
        for (id, price) in open {
            if let Some(trade) = self.trades.get_mut(&id) {
                plan::keep_stops(trade, &before, rules, price);
                trade.listed_anew();
            }
        }
    }

    pub(super) fn balance(&mut self, seen: &BalanceChanged) {
        let &BalanceChanged { account, asset, free, locked, as_of } = seen;
        let known = self.balances.get(&(account, asset));
        if known.is_some_and(|known| known.as_of > as_of) {
            return;
        }
        self.balances.insert((account, asset), Seen { free, locked, as_of });
        let waiting: Vec<TradeId> = self.waiting_for_coins(account, asset).map(|t| t.id).collect();
        for id in waiting {
            if let Some(trade) = self.trades.get_mut(&id) {
                trade.balance_told();
            }
            self.judge_short(&id);
        }
    }

    /// Whether coins that were missing are back, or gone for good.
    pub(super) fn judge_short(&mut self, id: &TradeId) {
        let Some(trade) = self.trades.get(id).filter(|t| t.short.is_some()) else { return };
        let (seen, rules) = (self.seen_of(trade).copied(), self.rules_of(trade));
        let (Some(seen), Some(rules)) = (seen, rules) else { return };
        let is_newer = trade.last_fill_at.is_none_or(|at| at <= seen.as_of);
        let all_there = is_newer && trade.available(Some(&seen)) >= trade.ledger.holding();
        let none_left = is_newer
            && trade.live().next().is_none()
            && rules.floor_quantity(seen.free.saturating_add(seen.locked)).is_none();
        let Some(trade) = self.trades.get_mut(id) else { return };
        if none_left {
            trade.gone = true;
        } else if all_there && let Some(short) = &mut trade.short {
            short.refusals = 0;
        }
    }

    /// Trades that miss coins of that asset on that account.
    fn waiting_for_coins(&self, account: Account, asset: Asset) -> impl Iterator<Item = &Trade> {
        self.trades.values().filter(move |t| {
            t.short.is_some()
                && t.account == account
                && self.rules_of(t).is_some_and(|rules| rules.base == asset)
        })
    }

    /// The balance of a trade's coins.
    pub(super) fn seen_of(&self, trade: &Trade) -> Option<&Seen> {
        let rules = self.rules_of(trade)?;
        self.balances.get(&(trade.account, rules.base))
    }

    /// When the venue ended it. That it is over is told by [`OrderDone`], once all its fills are heard.
    pub(super) fn order_ended(&mut self, ended: &OrderEnded) {
        let Some(order) = self.ours.find(ended.account, ended.instrument, ended.venue_order) else { return };
        let trade = self.orders.get(&order).and_then(|id| self.trades.get_mut(id));
        if let Some(leg) = trade.and_then(|trade| trade.legs.get_mut(&order)) {
            leg.ended_at = Some(ended.at);
        }
    }

    /// Takes note of the venue's number of an order.
    pub(super) fn see(&mut self, event: &OrderEvent) {
        let (account, instrument, told, number) = match event {
            OrderEvent::Accepted(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Amended(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Filled(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Ended(e) => (e.account, e.instrument, e.order, e.venue_order),
            _ => return,
        };
        self.ours.see(account, instrument, told, number);
    }

    /// Our id of the order that an event is about, if it is one of ours: somebody else's may have the same.
    pub(super) fn order_of(&self, event: &OrderEvent) -> Option<ClientOrderId> {
        match event {
            OrderEvent::Accepted(e) => self.ours.find(e.account, e.instrument, e.venue_order),
            OrderEvent::Amended(e) => self.ours.find(e.account, e.instrument, e.venue_order),
            OrderEvent::Filled(e) => self.ours.find(e.account, e.instrument, e.venue_order),
            OrderEvent::Done(e) => e.origin.map(|_| e.order),
            OrderEvent::CancelRequested(e) => Some(e.order),
            OrderEvent::CancelRejected(e) => Some(e.order),
            _ => None,
        }
    }

    pub(super) fn rules_of(&self, trade: &Trade) -> Option<&InstrumentRules> {
        self.rules.get(&trade.instrument)
    }
}
