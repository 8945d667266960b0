//! Events in, figures out.

use super::{
    groups::Groups,
    summary::{Dust, Holding, Summary},
    worth::Worth,
};
use crate::{
    data_quality::{Candles, Known},
    figures::tidy,
    projections::{
        Projection,
        portfolio::Valuation,
        trades::{PRICES, State, Trade, Trades},
    },
    scan,
};
use domain::{Account, Asset, Decimal, EdgeName, Instrument, Prices, Timestamp};
use events::{
    AccountEvent, CandleClosed, CandleEvent, Clock, Event, InstrumentEvent, Kind, OrderEvent, OrderFilled,
    PortfolioEvent, QuoteEvent, Recorded, SignalEvent, SignalGiven, SizingRule, TapeEvent, TradeClosed,
    TradeEvent,
};
use service::Journal;
use statistics::{
    daily::Row,
    hold::{Held, equal_parts},
    quotient, returns,
    tally::{Closed, Tally},
    time::covered,
    told,
};
use std::collections::BTreeMap;

/// The kinds that the collector makes use of.
pub const HEARS: &[Kind] = &scan::joined::<{ scan::count(LISTS) }>(LISTS);

const LISTS: &[&[Kind]] = &[
    Trades::KINDS,
    PRICES,
    &[
        Kind::TapeOpened,
        Kind::EventConflicted,
        Kind::CandleMissing,
        Kind::CandleDiffers,
        Kind::CandleRefused,
        Kind::SignalGiven,
        Kind::OrderRejected,
        Kind::OrderStuck,
        Kind::LedgerEntry,
        Kind::PortfolioValued,
    ],
];

/// Collects while a run plays, or from a tape.
#[derive(Default)]
pub struct Collector {
    /// Keep every row, for files; otherwise only what the summary needs.
    keep_rows: bool,
    pub(super) signals: Vec<SignalGiven>,
    pub(super) equity: Vec<Valuation>,
    pub(super) trades: Trades,
    events: u64,
    candles: u64,
    data: Candles,
    /// On a wall clock. What closed before then is history for the edges; nothing could be bought at its prices.
    opened_live: Option<Timestamp>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    given: u64,
    requested: u64,
    refused: BTreeMap<SizingRule, u64>,
    aborted: BTreeMap<&'static str, u64>,
    opened: u64,
    orders: u64,
    fills: u64,
    trouble: u64,
    tally: Tally,
    groups: Groups,
    fees: BTreeMap<Asset, Decimal>,
    traded: Decimal,
    /// When each closed trade was open.
    spans: Vec<(Timestamp, Timestamp)>,
    worth: Worth,
    prices: Prices,
    held: BTreeMap<Instrument, Held>,
    quotes: BTreeMap<Instrument, Asset>,
}

impl Collector {
    pub fn keeping_rows() -> Self {
        Self { keep_rows: true, ..Self::default() }
    }

    /// Adds what only the files of a recorded market tell.
    pub fn know(&mut self, known: Known) {
        self.data.know(known);
    }

    pub fn see(&mut self, event: &Recorded) {
        self.events += 1;
        if let Event::Candle(candle) = &event.event {
            self.data.see(candle);
        }
        self.trades.see(event);
        match &event.event {
            Event::Candle(CandleEvent::Closed(closed)) => self.see_candle(closed),
            Event::Instrument(InstrumentEvent::Listed(e)) => {
                self.quotes.insert(e.instrument, e.rules.quote);
                self.prices.list(e.instrument, &e.rules);
            }
            Event::Quote(QuoteEvent::Seen(e)) => self.prices.quote(e.instrument, e.price, e.at),
            Event::Signal(SignalEvent::Given(signal)) => {
                self.given += 1;
                if self.keep_rows {
                    self.signals.push(signal.clone());
                }
            }
            Event::Trade(trade) => self.see_trade(trade),
            Event::Order(OrderEvent::Submitted(e)) => self.orders += e.request.orders().count() as u64,
            Event::Order(OrderEvent::Filled(fill)) => self.see_fill(fill),
            Event::Order(OrderEvent::Rejected(_) | OrderEvent::Stuck(_)) => self.trouble += 1,
            Event::Tape(TapeEvent::Conflicted(_)) => self.trouble += 1,
            Event::Tape(TapeEvent::Opened(opened)) if opened.clock == Clock::Wall => {
                self.opened_live = Some(event.recorded_at);
            }
            Event::Account(AccountEvent::LedgerEntered(e)) => self.worth.flow(e),
            Event::Portfolio(PortfolioEvent::Valued(valued)) => {
                let valuation = self.worth.add(event.recorded_at, valued);
                if self.keep_rows {
                    self.equity.push(valuation);
                }
            }
            _ => {}
        }
    }

    /// Where only some kinds were read: how many events there are in all.
    pub fn of_so_many_events(&mut self, events: u64) {
        self.events = events;
    }

    fn see_candle(&mut self, closed: &CandleClosed) {
        let candle = &closed.candle;
        self.candles += 1;
        self.prices.close(candle.instrument, candle.close, candle.close_time());
        let (opened, end) = (candle.open_time, candle.close_time());
        if self.opened_live.is_some_and(|live| end <= live) {
            return;
        }
        self.first = Some(self.first.map_or(opened, |t| t.min(opened)));
        self.last = Some(self.last.map_or(end, |t| t.max(end)));
        let open = candle.open.get();
        let held = self.held.entry(candle.instrument).or_insert_with(|| Held::new(opened, open));
        held.see(opened, open, end, candle.close.get());
    }

    fn see_fill(&mut self, fill: &OrderFilled) {
        self.fills += 1;
        self.prices.quote(fill.instrument, fill.price, fill.at);
        self.traded = self.traded.saturating_add(fill.quote);
        if let Some(fee) = fill.fee.filter(|fee| !fee.amount.is_zero()) {
            *self.fees.entry(fee.asset).or_default() += fee.amount;
        }
    }

    fn see_trade(&mut self, event: &TradeEvent) {
        match event {
            TradeEvent::Requested(_) => self.requested += 1,
            // It was counted when it came first.
            TradeEvent::RequestRepeated(_) => self.requested = self.requested.saturating_sub(1),
            TradeEvent::Refused(e) => *self.refused.entry(e.rule).or_default() += 1,
            TradeEvent::Opened(_) => self.opened += 1,
            TradeEvent::Aborted(e) => *self.aborted.entry(e.reason.name()).or_default() += 1,
            TradeEvent::Closed(e) => self.see_closed(e),
            TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_)
            | TradeEvent::Sized(_)
            | TradeEvent::Protected(_)
            | TradeEvent::Unprotected(_)
            | TradeEvent::Exiting(_) => {}
        }
    }

    fn see_closed(&mut self, e: &TradeClosed) {
        let closed = Closed {
            profit: e.profit,
            cost: e.entered_for(),
            opened_at: e.opened_at,
            closed_at: e.closed_at,
        };
        self.tally.add(&closed);
        self.groups.add(e, &closed);
        self.spans.push((e.opened_at, e.closed_at));
    }

    /// The equity to the end of the market, and the valuations of its end.
    pub(super) fn ended(&self) -> (Worth, Vec<Valuation>) {
        let mut worth = self.worth.clone();
        let of_the_end = self.last.map(|end| worth.end(end, &self.prices));
        (worth, of_the_end.unwrap_or_default())
    }

    /// What one unit of money held in equal parts of all instruments is worth at each of the rows.
    pub(super) fn held_at(&self, rows: &[Row]) -> Vec<f64> {
        let days: Vec<i64> = rows.iter().map(|row| row.day).collect();
        equal_parts(self.affordable().map(|(_, held)| held), &days)
    }

    /// Instruments that are paid in the quote asset of the portfolio.
    fn affordable(&self) -> impl Iterator<Item = (&Instrument, &Held)> + Clone {
        let quote = self.worth.quote;
        self.held.iter().filter(move |(instrument, _)| {
            let paid_in = self.quotes.get(instrument);
            quote.is_none() || paid_in.is_none() || paid_in == quote.as_ref()
        })
    }

    pub fn summary(&self) -> Summary {
        let (t, (w, _)) = (&self.tally, self.ended());
        let days = w.daily.rows();
        let daily = returns::of(&days);
        let index = returns::index(&daily);
        let cagr = returns::cagr(&daily);
        let deepest = returns::deepest_fall(&index);
        let midnight = |at: usize| days.get(at).map(|row| row.midnight());
        let open: Vec<Trade> = self.trades.open().collect();
        let sum = |of: fn(&Trade) -> Option<Decimal>| tidy(open.iter().filter_map(of).sum());
        let all: Vec<Trade> = self.trades.all().collect();
        let dust = dust(&all, &self.trades);
        let pending = all.iter().filter(|t| matches!(t.state, State::Requested | State::Sized)).count();
        let calmar = |cagr: f64| {
            let fall = rust_decimal::prelude::ToPrimitive::to_f64(&w.max_drawdown)?;
            (fall > 0.0).then(|| cagr / fall)
        };
        let unrealised = |of: fn(&Trade) -> Option<Decimal>| open.iter().filter_map(of).sum::<Decimal>();
        Summary {
            from: self.first,
            to: self.last,
            days: self.first.zip(self.last).map_or(0, |(a, b)| b.day() - a.day()),
            events: self.events,
            candles: self.candles,
            signals: self.given,
            requests: self.requested,
            refused: self.refused.iter().map(|(rule, n)| (rule.name(), *n)).collect(),
            refused_words: self.refused.iter().map(|(rule, n)| (rule.words(), *n)).collect(),
            entries: self.opened,
            entries_unfilled: self.aborted.values().sum(),
            aborted: self.aborted.clone(),
            trades_pending: pending as u64,
            trades_closed: t.trades(),
            trades_open: open.len() as u64,
            orders: self.orders,
            fills: self.fills,
            alarms: self.trouble,
            unprotected_seconds: all.iter().filter_map(|t| t.unprotected_seconds).sum(),
            unprotected_longest_seconds: all
                .iter()
                .filter_map(|t| t.unprotected_longest_seconds)
                .max()
                .unwrap_or_default(),
            quote: w.quote,
            starting_equity: w.first.map(tidy),
            equity: w.last.map(tidy),
            return_ratio: w.first.zip(w.last).and_then(|(first, last)| quotient(last - first, first)),
            max_drawdown: w.max_drawdown.round_dp(6).normalize(),
            max_drawdown_from: deepest.and_then(|fall| midnight(fall.peak)),
            max_drawdown_bottom: deepest.and_then(|fall| midnight(fall.bottom)),
            max_drawdown_recovered: deepest.and_then(|fall| fall.recovered).and_then(midnight),
            longest_drawdown_days: w.longest_drawdown_days(),
            profit: tidy(t.profit),
            wins: t.wins,
            losses: t.losses,
            win_ratio: t.win_ratio(),
            profit_factor: t.profit_factor(),
            payoff: t.payoff(),
            expectancy: t.expectancy().map(tidy),
            expectancy_ratio: t.expectancy_ratio(),
            average_gain: t.average_gain().map(tidy),
            average_setback: t.average_setback().map(tidy),
            largest_gain: tidy(t.largest_gain),
            largest_setback: tidy(t.largest_setback),
            longest_wins: t.longest_wins,
            longest_losses: t.longest_losses,
            average_days_held: t.average_days_held(),
            fees: self.fees.iter().map(|(asset, amount)| (*asset, tidy(*amount))).collect(),
            open_cost: sum(|t| t.cost),
            open_value: sum(|t| t.value),
            unrealised_profit: sum(|t| t.unrealised_profit),
            unrealised_ratio: quotient(unrealised(|t| t.unrealised_profit), unrealised(|t| t.cost)),
            dust_cost: tidy(dust.iter().map(|dust| dust.cost).sum()),
            dust_worth: tidy(dust.iter().map(|dust| dust.worth).sum()),
            dust,
            sampled_days: daily.len() as u64,
            cagr: cagr.and_then(told),
            volatility: returns::volatility(&daily).and_then(told),
            sharpe: returns::sharpe(&daily).and_then(told),
            sortino: returns::sortino(&daily).and_then(told),
            calmar: cagr.and_then(calmar).and_then(told),
            ulcer_index: returns::ulcer_index(&daily).and_then(told),
            recovery_factor: w.recovery_factor(),
            average_invested: invested(&days),
            time_in_market: self.time_in_market(&open),
            turnover_per_year: turnover(self.traded, &days),
            buy_and_hold: self.buy_and_hold(&days),
            by_instrument: self.groups.by_instrument(&self.held),
            by_edge: self.groups.by_edge(),
            by_reason: self.groups.by_reason(),
            by_month: self.groups.by_month(&days, &daily),
            by_year: self.groups.by_year(&days, &daily),
            data: self.data.told(),
            open,
        }
    }

    fn time_in_market(&self, open: &[Trade]) -> Option<Decimal> {
        let (from, to) = self.first.zip(self.last)?;
        let still = open.iter().filter_map(|trade| Some((trade.opened_at?, to.max(self.trades.now()))));
        let spans: Vec<_> = self.spans.iter().copied().chain(still).collect();
        let micros = |length: std::time::Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        quotient(micros(covered(&spans, from, to)).into(), micros(to.since(from)).into())
    }

    fn buy_and_hold(&self, days: &[Row]) -> Option<Holding> {
        let totals: Vec<f64> = self.affordable().filter_map(|(_, held)| held.total()).collect();
        let curve = self.held_at(days);
        let fall = returns::deepest_fall(&curve).map_or(0.0, |fall| fall.depth);
        Some(Holding {
            instruments: totals.len() as u64,
            return_ratio: told(returns::mean(&totals)?)?,
            max_drawdown: told(fall)?,
        })
    }
}

/// What the last trade of each edge and instrument has left. A trade that is open has taken it over.
fn dust(all: &[Trade], trades: &Trades) -> Vec<Dust> {
    let mut left = BTreeMap::new();
    for trade in all.iter().filter(|trade| trade.state.was_entered()) {
        let key = (trade.account, trade.instrument, trade.edge);
        if trade.state == State::Closed && !trade.left.is_zero() {
            left.insert(key, trade);
        } else {
            left.remove(&key);
        }
    }
    let one = |((account, instrument, edge), trade): ((Account, Instrument, EdgeName), &Trade)| {
        let worth = trades.last_price(&instrument).and_then(|price| trade.left.checked_mul(price));
        Dust {
            account,
            instrument,
            edge,
            quantity: tidy(trade.left),
            cost: tidy(trade.left_cost),
            worth: tidy(worth.unwrap_or(trade.left_worth)),
        }
    };
    left.into_iter().map(one).collect()
}

/// The part of the equity that is not cash, on average over the daily rows.
fn invested(days: &[Row]) -> Option<Decimal> {
    let parts: Vec<Decimal> = days.iter().filter_map(|row| row.exposure.checked_div(row.equity)).collect();
    quotient(parts.iter().copied().sum(), parts.len().into())
}

/// Half of all that was bought and sold, as a multiple of the average equity, a year.
fn turnover(traded: Decimal, days: &[Row]) -> Option<Decimal> {
    let equity: Decimal = days.iter().map(|row| row.equity).sum();
    let span = Decimal::from(days.len().checked_sub(1)?);
    let average = equity.checked_div(days.len().into())?;
    let whole = traded.checked_div(Decimal::TWO)?.checked_div(average)?;
    quotient(whole.checked_mul(Decimal::from(365))?, span)
}

impl Journal for Collector {
    fn record(&mut self, event: &Recorded) {
        self.see(event);
    }
}

#[cfg(test)]
mod tests;
