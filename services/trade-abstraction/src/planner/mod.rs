//! The planner: trades as aggregates with a wanted and an actual state.
//!
//! Facts change the state (`apply`); after every fact that touches a trade, [`plan::next`] looks at
//! the whole trade anew and says the step that is missing, if any.
//! So every order of arrival, and every crash, leads to the same steps.

mod ledger;
mod market;
mod plan;
mod state;
mod trade;

pub use domain::ExitPlan;
use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, Instrument, InstrumentRules, Price,
    Timestamp, TradeId, VenueTradeId, exits, money::share,
};
use events::{
    AccountEvent, BalanceChanged, CandleEvent, Event, InstrumentEvent, InstrumentListed, Kind, OrderDone,
    OrderEnded, OrderEvent, OurOrders, PositionClosed, PositionEvent, PositionKey, PositionReduced,
    QuoteEvent, Rejection, StopMoveRefused, StopMoveRequested, TapeEvent, TimeEvent, TradeEvent, Uuid,
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
    left: BTreeMap<Key, Timestamp>,
    /// What ended trades left over: the next trade of that edge and direction takes it over with its first fill.
    #[serde(with = "service::pairs", default)]
    pub dust: BTreeMap<Key, Dust>,
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

/// Whose trades follow each other.
type Key = (Account, Instrument, EdgeName, Direction);

pub struct Planner {
    config: Config,
}

impl Service for Planner {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "trade-planner";
    const HEARS: &'static [Kind] = &[
        Kind::TapeOpened,
        Kind::InstrumentListed,
        Kind::TradeSized,
        Kind::CloseRequested,
        Kind::StopMoveRequested,
        Kind::OrderAccepted,
        Kind::OrderAmended,
        Kind::OrderFilled,
        Kind::OrderEnded,
        Kind::OrderDone,
        Kind::CancelRejected,
        Kind::BalanceChanged,
        Kind::PositionOpened,
        Kind::PositionIncreased,
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
            Event::Position(PositionEvent::Opened(e)) => _ = state.counts(&e.position, e.fill),
            Event::Position(PositionEvent::Increased(e)) => _ = state.counts(&e.position, e.fill),
            Event::Position(PositionEvent::Closed(closed)) => state.position_closed(closed),
            Event::Position(PositionEvent::Reduced(reduced)) => state.position_reduced(now, reduced),
            Event::Candle(CandleEvent::Closed(e)) => {
                state.market.close(&e.candle.instrument, e.candle.close, e.candle.close_time());
                state.trail(&e.candle.instrument);
            }
            Event::Quote(QuoteEvent::Seen(e)) => {
                state.market.quote(&e.instrument, e.price, e.at);
                state.trail(&e.instrument);
            }
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
        let moment = Moment { now, fact_at: quantity_changed_at(heard).unwrap_or(now) };
        for trade in state.touched(now, heard) {
            plan::next(&self.config, state, moment, trade, &mut said);
        }
        said
    }
}

impl Planner {
    fn apply_trade(&self, state: &mut State, now: Timestamp, event: &TradeEvent) {
        match event {
            TradeEvent::Sized(sized) => {
                let left = state.left.get(&(sized.account, sized.instrument, sized.edge, sized.direction));
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
                for direction in [Direction::Long, Direction::Short] {
                    if request.direction.is_none_or(|wanted| wanted == direction) {
                        let key = (request.account, request.instrument, request.edge, direction);
                        let at = request.signal_at.unwrap_or(now);
                        let left = state.left.entry(key).or_insert(at);
                        *left = at.max(*left);
                    }
                }
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
                        (closed.account, closed.instrument, closed.edge, closed.direction),
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
                    if let Some(until) = trade.held_until() {
                        state.wakes.insert((until, id));
                    }
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
        if let OrderEvent::Ended(ended) = event {
            return state.order_ended(ended);
        }
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

/// When what is heard happened.
#[derive(Debug, Clone, Copy)]
struct Moment {
    /// The tape's time: what it is heard at.
    now: Timestamp,
    /// The venue's time of a change of what is held or covered; else `now`.
    fact_at: Timestamp,
}

/// The venue's time of a fact that changes what a trade holds or what its stop covers.
fn quantity_changed_at(heard: &Event) -> Option<Timestamp> {
    match heard {
        Event::Order(OrderEvent::Filled(e)) => Some(e.at),
        Event::Order(OrderEvent::Amended(e)) => Some(e.at),
        _ => None,
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
