//! The rules, in the order in which they are asked.

use crate::{
    BaseFee, Config, EdgeRules, State,
    book::{Trade, at_risk},
    protect::{self, Entry},
    refusal::Refusal,
    size::{self, Budget},
};
use domain::{
    Breach, Decimal, Direction, ExitPlan, InstrumentKind, InstrumentRules, Margin, MarginMode, Price,
    Timestamp, exits,
};
use events::{
    AccountEvent, CandleEvent, ControlEvent, Event, ExitReason, InstrumentEvent, Kind, OrderEvent,
    QuoteEvent, Sizing, TradeEvent, TradeOutcome, TradeRequested, TradeSized,
};
use service::Service;

pub struct PositionSizer {
    config: Config,
}

impl Service for PositionSizer {
    type Config = Config;
    type State = State;

    const CORE: &'static str = "position-sizer";
    const HEARS: &'static [Kind] = &[
        Kind::TradeRequested,
        Kind::BalanceChanged,
        Kind::CandleClosed,
        Kind::QuoteSeen,
        Kind::InstrumentListed,
        Kind::OrderSubmitted,
        Kind::OrderAccepted,
        Kind::OrderFilled,
        Kind::OrderDone,
        Kind::TradeOpened,
        Kind::TradeProtected,
        Kind::TradeClosed,
        Kind::TradeAborted,
        Kind::TradingStateChanged,
    ];

    fn new(config: Config) -> Self {
        Self { config }
    }

    fn apply(&self, state: &mut State, _now: Timestamp, event: &Event) {
        match event {
            Event::Account(AccountEvent::BalanceChanged(seen)) => state.observe(seen),
            Event::Candle(CandleEvent::Closed(e)) => {
                state.prices.close(e.candle.instrument, e.candle.close, e.candle.close_time());
            }
            Event::Quote(QuoteEvent::Seen(e)) => state.prices.quote(e.instrument, e.price, e.at),
            Event::Instrument(InstrumentEvent::Listed(listed)) => {
                state.prices.list(listed.instrument, &listed.rules);
                state.rules.insert(listed.instrument, (*listed.rules).clone());
            }
            Event::Order(OrderEvent::Submitted(submitted)) => state.submit(submitted, &self.config),
            Event::Order(OrderEvent::Accepted(accepted)) => state.accept(accepted),
            Event::Order(OrderEvent::Filled(fill)) => state.fill(fill),
            Event::Order(OrderEvent::Done(done)) => state.done(done),
            Event::Trade(TradeEvent::Requested(request)) => state.ids.ask(request),
            // Our own answers.
            Event::Trade(TradeEvent::Sized(sized)) => {
                state.ids.note(sized.trade, TradeOutcome::Granted);
                state.grant(sized);
            }
            Event::Trade(TradeEvent::Refused(refused)) => {
                state.ids.note(refused.trade, TradeOutcome::Refused);
            }
            Event::Trade(TradeEvent::Opened(opened)) => {
                state.ids.note(opened.trade, TradeOutcome::Open);
                state.open(opened, &self.config);
            }
            Event::Trade(TradeEvent::Protected(protected)) => state.protect(protected),
            Event::Trade(TradeEvent::Closed(closed)) => {
                state.ids.note(closed.trade, TradeOutcome::Closed);
                state.end(&closed.trade);
                let is_stopped = matches!(closed.reason, ExitReason::StopHit | ExitReason::BeyondStop);
                if is_stopped && self.config.edge(&closed.edge).is_some_and(|edge| edge.cooldown.is_some()) {
                    let of = (closed.account, closed.instrument, closed.edge);
                    state.stopped.insert(of, closed.closed_at);
                }
            }
            Event::Trade(TradeEvent::Aborted(aborted)) => {
                state.ids.note(aborted.trade, TradeOutcome::Aborted);
                state.end(&aborted.trade);
            }
            Event::Control(ControlEvent::TradingStateChanged(change)) => state.trading.change(change),
            _ => {}
        }
    }

    fn decide(&self, state: &State, now: Timestamp, heard: &Event) -> Vec<Event> {
        let Event::Trade(TradeEvent::Requested(request)) = heard else { return Vec::new() };
        vec![match state.ids.repeated(request) {
            Some(repeated) => repeated.into(),
            None => match self.size(state, now, request) {
                Ok(sized) => sized.into(),
                Err(refusal) => refusal.of(request).into(),
            },
        }]
    }
}

impl PositionSizer {
    fn size(&self, state: &State, now: Timestamp, request: &TradeRequested) -> Result<TradeSized, Refusal> {
        let edge = self.authorised(request)?;
        let terms = self.config.terms(request.account);
        let rules = self.tradable(state, request)?;
        self.permitted(state, now, request, edge)?;
        if let Some(problem) = edge.entry.problem() {
            return Err(Refusal::unsupported(edge, problem));
        }

        let direction = request.direction;
        let limit = size::limit_price(edge, rules, direction, request.trigger)?;
        let exit = exit(edge, request, limit)?;
        let stop_ratio = exit.map(|plan| plan.stop_ratio(direction, limit.get()));
        let budget = self.budget(state, request, edge, stop_ratio)?;
        let fee = self.base_fee(state, request, rules, &budget);
        // At the price at which it is worth most; a sale may find a better one than its limit.
        let price = match direction {
            Direction::Long => limit,
            Direction::Short => limit.max(request.trigger),
        };
        let quantity = size::quantity(terms, rules, &budget, price)?;
        let quantity = exits::least_for_same_lots(rules, quantity, fee);
        let order = size::order(edge.entry, limit);
        let quantity = size::at_market(rules, &order, quantity)?;
        let held = state.held(&request.account, &rules.base);
        size::check(rules, direction.entry(), &order, request.trigger, limit, quantity, held)?;
        let entry = Entry { direction, trigger: request.trigger, limit, highest: price, quantity, fee };
        protect::check(&terms.limits, exit.as_ref(), rules, &entry)?;
        self.order_counts(state, request, rules, exit.as_ref())?;

        let notional = quantity.get().saturating_mul(price.get());
        let risk = at_risk(notional, stop_ratio);
        let reserved = terms.with_fee(notional);
        self.open_risk(state, request, budget.equity, risk)?;
        self.exposure(state, request, rules, budget.equity, held, reserved)?;
        Ok(TradeSized {
            trade: request.trade,
            account: request.account,
            instrument: request.instrument,
            edge: request.edge,
            direction,
            trigger: request.trigger,
            signal_at: request.signal_at,
            quantity,
            limit,
            reserved: reserved.normalize(),
            margin: match request.instrument.kind {
                InstrumentKind::Spot => None,
                InstrumentKind::LinearPerpetual => {
                    Some(Margin { mode: MarginMode::Isolated, leverage: Decimal::ONE })
                }
            },
            entry: edge.entry,
            exit,
            sizing: sizing(&budget, risk),
        })
    }

    fn authorised(&self, request: &TradeRequested) -> Result<&EdgeRules, Refusal> {
        let edge = self.config.edge(&request.edge).ok_or_else(|| Refusal::unknown_edge(request))?;
        if edge.accounts.contains(&request.account) { Ok(edge) } else { Err(Refusal::wrong_account(request)) }
    }

    fn tradable<'a>(
        &self,
        state: &'a State,
        request: &TradeRequested,
    ) -> Result<&'a InstrumentRules, Refusal> {
        let terms = self.config.terms(request.account);
        let rules =
            state.rules.get(&request.instrument).ok_or_else(|| Refusal::unknown_instrument(request))?;
        match request.instrument.kind {
            InstrumentKind::LinearPerpetual if !terms.limits.allowed_to_trade_perpetuals => {
                return Err(Refusal::not_spot(request));
            }
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => {}
        }
        if terms.prohibited.contains(&rules.base) {
            return Err(Refusal::prohibited(&rules.base));
        }
        if rules.quote != self.config.quote {
            return Err(Refusal::other_quote(rules, &self.config.quote));
        }
        match request.direction {
            Direction::Short if !request.instrument.kind.can_be_short() => {
                Err(Refusal::short_on_spot(request))
            }
            Direction::Long | Direction::Short => Ok(rules),
        }
    }

    fn permitted(
        &self,
        state: &State,
        now: Timestamp,
        request: &TradeRequested,
        edge: &EdgeRules,
    ) -> Result<(), Refusal> {
        let age = now.since(request.signal_at);
        if age > edge.max_age {
            return Err(Refusal::stale(age, edge));
        }
        if let Some(until) = request.valid_until.filter(|until| now > *until) {
            return Err(Refusal::expired(now, until));
        }
        let same = |trade: &Trade| {
            trade.account == request.account
                && trade.instrument == request.instrument
                && trade.edge == request.edge
        };
        if let Some((id, _)) = state.trades.iter().find(|(_, trade)| same(trade)) {
            return Err(Refusal::already_in_position(request, id));
        }
        let stopped = state.stopped.get(&(request.account, request.instrument, request.edge));
        if let Some((cooldown, at)) = edge.cooldown.zip(stopped.copied())
            && now < at + cooldown
        {
            return Err(Refusal::cooldown(request, now.since(at), cooldown));
        }
        if let Some(change) = state.trading.forbids(&request.account, now) {
            return Err(Refusal::trading_state(change));
        }
        let would_be = state.trades_of(&request.account).count() + 1;
        match self.config.terms(request.account).limits.max_open_positions {
            Some(max) if would_be > max as usize => Err(Refusal::max_open_positions(would_be, max)),
            _ => Ok(()),
        }
    }

    fn budget(
        &self,
        state: &State,
        request: &TradeRequested,
        edge: &EdgeRules,
        stop_ratio: Option<Decimal>,
    ) -> Result<Budget, Refusal> {
        let terms = self.config.terms(request.account);
        if edge.exit.is_none() && !terms.limits.allowed_to_trade_without_stop {
            return Err(Refusal::no_stop(edge));
        }
        let (account, quote) = (&request.account, &self.config.quote);
        let (equity, cash) = (state.equity(account, quote), state.cash(account, quote));
        size::budget(terms, quote, edge, stop_ratio, equity, cash)
    }

    /// The part of the buy that its fee takes from what is bought.
    fn base_fee(
        &self,
        state: &State,
        request: &TradeRequested,
        rules: &InstrumentRules,
        budget: &Budget,
    ) -> Decimal {
        match self.config.terms(request.account).base_fee {
            // A perpetual's fee is taken from what it is settled in.
            _ if request.instrument.kind.can_be_short() => Decimal::ZERO,
            BaseFee::None => Decimal::ZERO,
            BaseFee::Always(ratio) => ratio,
            BaseFee::WithoutEnoughOf(asset, ratio) if asset == rules.base => ratio,
            BaseFee::WithoutEnoughOf(asset, ratio) => {
                // Twice, for its price moves and others pay from it too.
                let needed = budget.quote.saturating_mul(ratio).saturating_mul(Decimal::TWO);
                let there = state.worth(&request.account, &asset, &self.config.quote);
                if there >= needed { Decimal::ZERO } else { ratio }
            }
        }
    }

    /// Every trade of the instrument needs room for its stop among the venue's open orders.
    fn order_counts(
        &self,
        state: &State,
        request: &TradeRequested,
        rules: &InstrumentRules,
        exit: Option<&ExitPlan>,
    ) -> Result<(), Refusal> {
        let Some(plan) = exit else { return Ok(()) };
        let others = || {
            let here = state.trades_of(&request.account).filter(|t| t.instrument == request.instrument);
            here.filter_map(|trade| trade.exit)
        };
        let orders = others().map(|plan| plan.orders()).sum::<u32>() + plan.orders();
        let stops = others().count() as u32 + 1;
        let lists = others().filter(ExitPlan::is_list).count() as u32 + 1;
        let over = |count: u32, max: Option<u32>| max.filter(|max| count > *max);
        if let Some(max) = over(orders, rules.max_orders) {
            return Err(Refusal::too_many_orders(Breach::MaxNumOrders, orders, max));
        }
        if let Some(max) = over(stops, rules.max_algo_orders) {
            return Err(Refusal::too_many_orders(Breach::MaxNumAlgoOrders, stops, max));
        }
        match over(lists, rules.max_order_lists).filter(|_| plan.is_list()) {
            Some(max) => Err(Refusal::too_many_lists(lists, max)),
            None => Ok(()),
        }
    }

    /// What is lost if the stops of all trades, this one included, are hit.
    fn open_risk(
        &self,
        state: &State,
        request: &TradeRequested,
        equity: Decimal,
        risk: Decimal,
    ) -> Result<(), Refusal> {
        let Some(ratio) = self.config.terms(request.account).limits.max_open_risk_ratio else {
            return Ok(());
        };
        let limit = equity.saturating_mul(ratio);
        let would_be = state
            .trades_of(&request.account)
            .map(Trade::risk)
            .fold(risk, |sum, risk| sum.saturating_add(risk));
        if would_be > limit {
            Err(Refusal::max_open_risk(would_be, limit, &self.config.quote))
        } else {
            Ok(())
        }
    }

    /// What would be held and promised of the base asset, at the request's price.
    fn exposure(
        &self,
        state: &State,
        request: &TradeRequested,
        rules: &InstrumentRules,
        equity: Decimal,
        held: Decimal,
        reserved: Decimal,
    ) -> Result<(), Refusal> {
        let Some(ratio) = self.config.terms(request.account).limits.max_asset_exposure_ratio else {
            return Ok(());
        };
        let limit = equity.saturating_mul(ratio);
        let promised = state
            .trades_of(&request.account)
            .filter(|trade| trade.base == rules.base)
            .fold(reserved, |sum, trade| sum.saturating_add(trade.reserved));
        let would_be = held.saturating_mul(request.trigger.get()).saturating_add(promised);
        if would_be > limit {
            return Err(Refusal::max_asset_exposure(would_be, limit, &rules.base, &self.config.quote));
        }
        Ok(())
    }
}

/// How it is protected and left; a stop or a target on the wrong side of its price is refused.
fn exit(edge: &EdgeRules, request: &TradeRequested, limit: Price) -> Result<Option<ExitPlan>, Refusal> {
    let side = request.direction.exit();
    let is_worse = |price: Price, other: Price| side.is_worse(price.get(), other.get());
    if let Some(stop) = request.stop.filter(|stop| !is_worse(*stop, request.trigger)) {
        return Err(Refusal::wrong_stop(side, stop, request.trigger));
    }
    if let Some(target) = request.target.filter(|target| !is_worse(limit, *target)) {
        return Err(Refusal::wrong_target(side, target, limit));
    }
    Ok(edge.exit_of(request))
}

fn sizing(budget: &Budget, risk: Decimal) -> Sizing {
    Sizing {
        method: budget.method,
        equity: budget.equity.normalize(),
        cash: budget.cash.normalize(),
        budget: budget.quote.normalize(),
        risk: risk.normalize(),
    }
}
