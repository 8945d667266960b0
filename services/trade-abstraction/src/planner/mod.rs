//! The planner: trades as aggregates with a wanted and an actual state.
//!
//! Facts change the state (`apply`); after every fact that touches a trade, [`plan::next`] looks at
//! the whole trade anew and says the step that is missing, if any.
//! So every order of arrival, and every crash, leads to the same steps.

mod ledger;
mod market;
mod plan;
mod trade;

pub use domain::ExitPlan;
use domain::{
    Account, Asset, ClientOrderId, Decimal, EdgeName, Instrument, InstrumentRules, Timestamp, TradeId, exits,
    money::share,
};
use events::{
    AccountEvent, BalanceChanged, CandleEvent, Event, InstrumentEvent, InstrumentListed, Kind, OrderDone,
    OrderEvent, OurOrders, PositionClosed, PositionEvent, PositionKey, PositionReduced, QuoteEvent,
    Rejection, StopMoveRefused, StopMoveRequested, TapeEvent, TimeEvent, TradeEvent, Uuid,
};
pub use ledger::Dust;
use serde::{Deserialize, Serialize};
use service::Service;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
pub use trade::{Cover, Elsewhere, Held, LegOrder, LegState, Short, Stage, Trade, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// A trade that could not be protected this often in a row is sold at market.
    pub protect_attempts: u32,
    /// A failed exit, or a refused cancel, is tried again after this long, then twice as long …
    pub retry_after: Duration,
    /// … but never longer than this.
    pub retry_at_most: Duration,
    /// How long the fills of an ended trade are still waited for.
    pub keep_ended: Duration,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    tape: Uuid,
    rules: BTreeMap<Instrument, InstrumentRules>,
    /// The last price of each instrument with a trade that is not over.
    market: market::Market,
    pub trades: BTreeMap<TradeId, Trade>,
    orders: BTreeMap<ClientOrderId, TradeId>,
    /// Which of the venue's orders they are.
    ours: OurOrders,
    /// The last balance told of each asset.
    #[serde(with = "service::pairs")]
    balances: BTreeMap<(Account, Asset), Seen>,
    /// The last time that passed.
    time: Timestamp,
    /// Trades to look at again, by when.
    wakes: BTreeSet<(Timestamp, TradeId)>,
    /// Instants at which to be woken, as asked.
    asked: BTreeSet<Timestamp>,
    /// When each edge was last asked to leave: what it was granted for an older signal is not entered.
    #[serde(with = "service::pairs")]
    left: BTreeMap<(Account, Instrument, EdgeName), Timestamp>,
    /// What ended trades left unsold: the next trade of that edge takes it over with its first fill.
    #[serde(with = "service::pairs", default)]
    pub dust: BTreeMap<(Account, Instrument, EdgeName), Dust>,
    /// Ended trades, by when they are forgotten.
    ended: BTreeSet<(Timestamp, TradeId)>,
}

/// A balance as it was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub free: Decimal,
    pub locked: Decimal,
    pub as_of: Timestamp,
}
/// Who owns dust.
type Key = (Account, Instrument, EdgeName);

pub struct Planner {
    config: Config,
}

impl Service for Planner {
    type Config = Config;
    type State = State;

    const HEARS: &'static [Kind] = &[
        Kind::TapeOpened,
        Kind::InstrumentListed,
        Kind::TradeSized,
        Kind::CloseRequested,
        Kind::StopMoveRequested,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderFilled,
        Kind::OrderDone,
        Kind::CancelRejected,
        Kind::BalanceChanged,
        Kind::PositionReduced,
        Kind::PositionClosed,
        Kind::CandleClosed,
        Kind::QuoteSeen,
        Kind::TimePassed,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, now: Timestamp, event: &Event) {
        match event {
            Event::Tape(TapeEvent::Opened(opened)) => state.tape = opened.tape,
            Event::Instrument(InstrumentEvent::Listed(listed)) => state.listed(listed),
            Event::Account(AccountEvent::BalanceChanged(seen)) => state.balance(seen),
            Event::Time(TimeEvent::Passed(_)) => state.pass(now),
            Event::Time(TimeEvent::WakeAsked(asked)) => {
                state.asked.insert(asked.at);
            }
            Event::Position(PositionEvent::Closed(closed)) => {
                state.position_closed(closed);
                state.position_left(&closed.position, closed.left);
            }
            Event::Position(PositionEvent::Reduced(e)) => {
                state.position_reduced(e);
                state.position_left(&e.position, e.quantity);
            }
            Event::Candle(CandleEvent::Closed(e)) => {
                state.market.close(&e.candle.instrument, e.candle.close, e.candle.close_time());
            }
            Event::Quote(QuoteEvent::Seen(e)) => state.market.quote(&e.instrument, e.price, e.at),
            Event::Trade(event) => self.apply_trade(state, now, event),
            Event::Order(event) => self.apply_order(state, now, event),
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let mut said = Vec::new();
        if let Event::Trade(TradeEvent::StopMoveRequested(request)) = heard {
            said.extend(refuse_stop(state, request));
        }
        for trade in state.touched(now, heard) {
            plan::next(&self.config, state, now, trade, &mut said);
        }
        said
    }
}

impl Planner {
    fn apply_trade(&self, state: &mut State, now: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Sized(sized) => {
                let left = state.left.get(&(sized.account, sized.instrument, sized.edge));
                let outdated = left.is_some_and(|left| *left > sized.signal_at);
                let trade = state.trades.entry(sized.trade).or_insert_with(|| Trade::new(sized));
                if trade.stage != Stage::Over {
                    state.market.follow(sized.instrument);
                }
                if outdated {
                    trade.want_closed(events::ExitReason::Requested);
                }
            }
            TradeEvent::CloseRequested(request) => {
                state.left.insert((request.account, request.instrument, request.edge), now);
                for trade in state.trades.values_mut().filter(|t| t.answers_to(request)) {
                    trade.want_closed(events::ExitReason::Requested);
                }
            }
            TradeEvent::StopMoveRequested(request) => {
                let found = state.trades.get(&request.trade);
                let rules = found.and_then(|t| state.rules.get(&t.instrument));
                let possible = found.zip(rules).is_some_and(|(trade, rules)| {
                    plan::stop_problem(trade, rules, state.price(trade), request.stop).is_none()
                });
                if let Some(trade) = state.trades.get_mut(&request.trade).filter(|_| possible) {
                    trade.move_stop(request.stop);
                }
            }
            TradeEvent::Closed(closed) => {
                state.end(&closed.trade, now + self.config.keep_ended);
                // Coins that left the account without a sale are no dust.
                let moved = |trade: &Trade| trade.gone && trade.elsewhere.is_none();
                if !state.trades.get(&closed.trade).is_some_and(moved) {
                    state.keep_dust(
                        (closed.account, closed.instrument, closed.edge),
                        Dust { quantity: closed.left, cost: closed.left_cost },
                    );
                }
            }
            TradeEvent::Aborted(aborted) => state.end(&aborted.trade, now + self.config.keep_ended),
            TradeEvent::Opened(_)
            | TradeEvent::Protected(_)
            | TradeEvent::Unprotected(_)
            | TradeEvent::Exiting(_) => {
                let id = match event {
                    TradeEvent::Opened(e) => e.trade,
                    TradeEvent::Protected(e) => e.trade,
                    TradeEvent::Unprotected(e) => e.trade,
                    TradeEvent::Exiting(e) => e.trade,
                    _ => return,
                };
                if let Some(trade) = state.trades.get_mut(&id) {
                    // Opened anew: what it left is its own again.
                    let revived = (trade.stage == Stage::Over).then(|| (trade.key(), trade.ledger.dust()));
                    trade.note(now, event);
                    state.market.follow(trade.instrument);
                    if let Some((key, dust)) = revived {
                        state.take_dust_back(key, dust);
                    }
                }
            }
            TradeEvent::Requested(_)
            | TradeEvent::Refused(_)
            | TradeEvent::RequestRepeated(_)
            | TradeEvent::StopMoveRefused(_) => {}
        }
    }

    fn apply_order(&self, state: &mut State, now: Timestamp, event: &OrderEvent) {
        if let OrderEvent::Submitted(submitted) = event {
            let Some(id) = submitted.request.trade() else { return };
            for order in submitted.request.orders() {
                state.orders.insert(order.id, id);
                state.ours.submit(order.id);
            }
            if let Some(trade) = state.trades.get_mut(&id) {
                trade.submitted(&submitted.request);
            }
            return;
        }
        state.see(event);
        let Some(order) = state.order_of(event) else { return };
        let Some(id) = state.orders.get(&order).copied() else { return };
        let half = match event {
            OrderEvent::Done(done) => state.half_of_refused(&id, done),
            _ => None,
        };
        let Some(rules) = state.trades.get(&id).and_then(|t| state.rules.get(&t.instrument)) else { return };
        let (base, quote) = (rules.base, rules.quote);
        if let OrderEvent::Filled(_) = event {
            state.carry_dust(&id, order);
        }
        let Some(trade) = state.trades.get_mut(&id) else { return };
        let before = trade.ledger.dust();
        match event {
            OrderEvent::Accepted(accepted) => trade.accepted(order, accepted.at),
            OrderEvent::Amended(amended) => trade.amended(order, amended.quantity, amended.at),
            OrderEvent::Filled(fill) => {
                let fill = events::OrderFilled { order, ..*fill };
                trade.filled(now, &fill, (base, quote), &self.config);
            }
            OrderEvent::Done(done) => trade.done(now, done, half, &self.config),
            OrderEvent::CancelRequested(_) => trade.canceling(order),
            OrderEvent::CancelRejected(_) => trade.cancel_rejected(order, now, &self.config),
            _ => {}
        }
        if trade.stage == Stage::Over {
            trade.left = trade.left.min(trade.ledger.holding());
        }
        let (key, after, over) = (trade.key(), trade.ledger.dust(), trade.stage == Stage::Over);
        if let Some(at) = trade.retry_at {
            state.wakes.insert((at, id));
        }
        if over && before != after {
            // What comes late changes what it left.
            state.take_dust_back(key, before);
            state.keep_dust(key, after);
        }
        state.judge_short(&id);
    }
}

/// Why a stop is not moved, if so.
fn refuse_stop(state: &State, request: &StopMoveRequested) -> Option<Event> {
    let refuse =
        |text: String| Some(StopMoveRefused { trade: request.trade, stop: request.stop, text }.into());
    let Some(trade) = state.trades.get(&request.trade).filter(|t| t.stage != Stage::Over) else {
        return refuse("there is no such trade open".to_owned());
    };
    let rules = state.rules.get(&trade.instrument)?;
    plan::stop_problem(trade, rules, state.price(trade), request.stop).and_then(refuse)
}

impl State {
    fn end(&mut self, id: &TradeId, forget_at: Timestamp) {
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
    fn price(&self, trade: &Trade) -> Decimal {
        let fill_at = trade.last_fill_at;
        let heard =
            self.market.last(&trade.instrument).filter(|heard| fill_at.is_none_or(|at| at < heard.at));
        heard.map_or_else(|| trade.price(), |heard| heard.price.get())
    }

    /// Half of an exit that the venue took for too large, where it can be sold by itself.
    ///
    /// The venue's text names the filter, and not which of its two limits: what is too little has no half that sells.
    fn half_of_refused(&self, id: &TradeId, done: &OrderDone) -> Option<domain::Quantity> {
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

    fn pass(&mut self, now: Timestamp) {
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
    fn touched<'s>(&'s self, now: Timestamp, heard: &Event) -> Vec<&'s Trade> {
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
                let waits = |t: &&Trade| t.short.is_some() && self.is_in(t, seen.account, seen.asset);
                self.trades.values().filter(waits).collect()
            }
            Event::Position(PositionEvent::Reduced(e)) => {
                self.trades.values().filter(|t| t.holds_in(&e.position)).collect()
            }
            Event::Position(PositionEvent::Closed(closed)) => {
                self.trades.values().filter(|t| t.holds_in(&closed.position)).collect()
            }
            Event::Time(TimeEvent::Passed(_)) => self
                .wakes
                .iter()
                .take_while(|(at, _)| *at <= now)
                .filter_map(|(_, id)| self.trades.get(id))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// At another price, what is to be left may be worth enough, or not any more.
    fn waiting_for_a_price(&self, instrument: &Instrument) -> Vec<&Trade> {
        if self.market.last(instrument).is_none() {
            return Vec::new();
        }
        let leaves = |t: &&Trade| {
            t.instrument == *instrument && matches!(t.stage, Stage::Held(_)) && t.wanted != Wanted::Open
        };
        self.trades.values().filter(leaves).collect()
    }

    /// The tracker says that nothing is left of a position: what a trade still counts beyond that was
    /// sold by other hands.
    fn position_closed(&mut self, closed: &PositionClosed) {
        let left = Dust { quantity: closed.left, cost: closed.left_cost };
        let (profit, exit_price) = (closed.profit, closed.exit_price);
        for trade in self.trades.values_mut().filter(|t| t.holds_in(&closed.position)) {
            if trade.ledger.holding() > closed.left {
                trade.gone = true;
                trade.elsewhere = Some(Elsewhere { profit, exit_price, left });
            }
        }
    }

    /// While no trade holds there, what the tracker counts is dust: less of it, and the owner has sold.
    fn position_left(&mut self, position: &PositionKey, quantity: Decimal) {
        let key = (position.account, position.instrument, position.owner);
        let held = self.trades.values().any(|t| t.key() == key && t.stage != Stage::Over);
        if let Some(dust) = self.dust.get_mut(&key).filter(|_| !held) {
            dust.limit_to(quantity);
        }
        self.dust.retain(|_, dust| !dust.is_none());
    }

    fn keep_dust(&mut self, key: Key, dust: Dust) {
        if !dust.is_none() {
            self.dust.entry(key).or_default().add(dust);
        }
    }

    fn take_dust_back(&mut self, key: Key, dust: Dust) {
        let Some(kept) = self.dust.get_mut(&key) else { return };
        kept.quantity -= dust.quantity;
        kept.cost -= dust.cost;
        if kept.is_none() {
            self.dust.remove(&key);
        }
    }

    /// The first fill of an entry: the trade sells with its own what earlier ones of its edge left.
    fn carry_dust(&mut self, id: &TradeId, order: ClientOrderId) {
        let Some(trade) = self.trades.get(id) else { return };
        let is_first = trade.ledger.bought.is_zero();
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

    /// Less is left of a position than its trade still counts: the rest was sold by other hands.
    fn position_reduced(&mut self, reduced: &PositionReduced) {
        for trade in self.trades.values_mut().filter(|t| t.holds_in(&reduced.position)) {
            let sold = trade.ledger.holding() - reduced.quantity;
            if sold > Decimal::ZERO {
                trade.ledger.sell_elsewhere(sold, share(reduced.profit, sold, reduced.by));
            }
        }
    }

    /// Other rules than before: nothing that was refused under the old ones counts, and stops that were right
    /// are right.
    fn listed(&mut self, listed: &InstrumentListed) {
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

    fn balance(&mut self, seen: &BalanceChanged) {
        let &BalanceChanged { account, asset, free, locked, as_of } = seen;
        let known = self.balances.get(&(account, asset));
        if known.is_some_and(|known| known.as_of > as_of) {
            return;
        }
        self.balances.insert((account, asset), Seen { free, locked, as_of });
        let waiting = |t: &&Trade| t.short.is_some() && self.is_in(t, account, asset);
        let waiting: Vec<TradeId> = self.trades.values().filter(waiting).map(|t| t.id).collect();
        for id in waiting {
            if let Some(trade) = self.trades.get_mut(&id) {
                trade.balance_told();
            }
            self.judge_short(&id);
        }
    }

    /// Whether coins that were missing are back, or gone for good.
    fn judge_short(&mut self, id: &TradeId) {
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

    fn is_in(&self, trade: &Trade, account: Account, asset: Asset) -> bool {
        trade.account == account && self.rules_of(trade).is_some_and(|rules| rules.base == asset)
    }

    /// The balance of a trade's coins.
    fn seen_of(&self, trade: &Trade) -> Option<&Seen> {
        let rules = self.rules_of(trade)?;
        self.balances.get(&(trade.account, rules.base))
    }

    /// Takes note of the venue's number of an order.
    fn see(&mut self, event: &OrderEvent) {
        let (account, instrument, told, number) = match event {
            OrderEvent::Accepted(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Amended(e) => (e.account, e.instrument, e.order, e.venue_order),
            OrderEvent::Filled(e) => (e.account, e.instrument, e.order, e.venue_order),
            _ => return,
        };
        self.ours.see(account, instrument, told, number);
    }

    /// Our id of the order that an event is about, if it is one of ours: somebody else's may have the same.
    fn order_of(&self, event: &OrderEvent) -> Option<ClientOrderId> {
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

    fn rules_of(&self, trade: &Trade) -> Option<&InstrumentRules> {
        self.rules.get(&trade.instrument)
    }
}
