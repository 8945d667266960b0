//! What a run amounts to: signals, trades, equity, and a summary of them.

use crate::{
    data_quality::{Candles, DataQuality, Known},
    explain::{percent, show},
};
use domain::{Asset, Decimal, Timestamp};
use events::{
    CandleEvent, Event, OrderEvent, PortfolioEvent, PortfolioValued, Recorded, SignalEvent, SignalGiven,
    TradeClosed, TradeEvent,
};
use serde::Serialize;
use service::Journal;
use std::{collections::BTreeMap, fmt, fs, io, path::Path};

/// Collects while a run plays, or from a tape.
#[derive(Default)]
pub struct Collector {
    /// Keep every row, for files; otherwise only what the summary needs.
    keep_rows: bool,
    pub signals: Vec<SignalGiven>,
    pub trades: Vec<TradeClosed>,
    pub equity: Vec<EquityRow>,
    events: u64,
    candles: u64,
    data: Candles,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    given: u64,
    requested: u64,
    refused: BTreeMap<String, u64>,
    opened: u64,
    aborted: u64,
    open_now: BTreeMap<String, ()>,
    orders: u64,
    fills: u64,
    trouble: u64,
    totals: Totals,
    worth: Worth,
}

#[derive(Debug, Clone, Copy)]
pub struct EquityRow {
    pub at: Timestamp,
    pub equity: Decimal,
    pub cash: Decimal,
    pub exposure: Decimal,
    pub drawdown: Decimal,
}

#[derive(Default)]
struct Totals {
    wins: u64,
    losses: u64,
    even: u64,
    profit: Decimal,
    gains: Decimal,
    setbacks: Decimal,
    fees: BTreeMap<Asset, Decimal>,
    wins_in_a_row: u64,
    losses_in_a_row: u64,
    longest_wins: u64,
    longest_losses: u64,
    largest_gain: Decimal,
    largest_setback: Decimal,
    held_micros: i128,
}

#[derive(Default)]
struct Worth {
    quote: Option<Asset>,
    first: Option<Decimal>,
    last: Option<PortfolioValued>,
    max_drawdown: Decimal,
    peak_at: Option<Timestamp>,
    peak: Decimal,
    longest_drawdown_micros: i64,
    invested_sum: Decimal,
    count: u64,
}

/// `summary.json`. Money in the quote asset; ratios as parts of one.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub days: i64,
    pub events: u64,
    pub candles: u64,
    pub signals: u64,
    pub requests: u64,
    pub refused: BTreeMap<String, u64>,
    pub entries: u64,
    pub entries_unfilled: u64,
    pub trades_closed: u64,
    pub trades_open: u64,
    pub orders: u64,
    pub fills: u64,
    /// Rejections, stuck orders and conflicts.
    pub alarms: u64,
    pub quote: Option<Asset>,
    pub starting_equity: Option<Decimal>,
    pub equity: Option<Decimal>,
    pub return_ratio: Option<Decimal>,
    pub max_drawdown: Decimal,
    pub longest_drawdown_days: i64,
    pub average_invested: Option<Decimal>,
    /// Of closed trades, fees in base and quote included.
    pub profit: Decimal,
    pub wins: u64,
    pub losses: u64,
    pub win_ratio: Option<Decimal>,
    /// Gains over setbacks.
    pub profit_factor: Option<Decimal>,
    pub largest_gain: Decimal,
    pub largest_setback: Decimal,
    pub longest_wins: u64,
    pub longest_losses: u64,
    pub average_days_held: Option<Decimal>,
    pub fees: BTreeMap<Asset, Decimal>,
    #[serde(flatten)]
    pub data: DataQuality,
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
        match &event.event {
            Event::Candle(CandleEvent::Closed(closed)) => {
                self.candles += 1;
                let close = closed.candle.close_time();
                self.first =
                    Some(self.first.map_or(closed.candle.open_time, |t| t.min(closed.candle.open_time)));
                self.last = Some(self.last.map_or(close, |t| t.max(close)));
            }
            Event::Signal(SignalEvent::Given(signal)) => {
                self.given += 1;
                if self.keep_rows {
                    self.signals.push(*signal);
                }
            }
            Event::Trade(trade) => self.see_trade(trade),
            Event::Order(OrderEvent::Submitted(e)) => self.orders += e.request.orders().count() as u64,
            Event::Order(OrderEvent::Filled(_)) => self.fills += 1,
            Event::Order(OrderEvent::Rejected(_) | OrderEvent::Stuck(_)) => self.trouble += 1,
            Event::Tape(events::TapeEvent::Conflicted(_)) => self.trouble += 1,
            Event::Portfolio(PortfolioEvent::Valued(valued)) => self.see_worth(event.recorded_at, valued),
            _ => {}
        }
    }

    fn see_trade(&mut self, event: &TradeEvent) {
        match event {
            TradeEvent::Requested(_) => self.requested += 1,
            TradeEvent::Refused(e) => {
                let rule = serde_json::to_value(e.rule).ok().and_then(|v| v.as_str().map(str::to_owned));
                *self.refused.entry(rule.unwrap_or_default()).or_default() += 1;
            }
            TradeEvent::Opened(e) => {
                self.opened += 1;
                self.open_now.insert(e.trade.to_string(), ());
            }
            TradeEvent::Aborted(_) => self.aborted += 1,
            TradeEvent::Closed(e) => {
                self.open_now.remove(e.trade.as_str());
                self.totals.add(e);
                if self.keep_rows {
                    self.trades.push(e.clone());
                }
            }
            _ => {}
        }
    }

    fn see_worth(&mut self, at: Timestamp, valued: &PortfolioValued) {
        self.worth.add(at, valued);
        if self.keep_rows {
            self.equity.push(EquityRow {
                at,
                equity: valued.equity,
                cash: valued.cash,
                exposure: valued.exposure,
                drawdown: valued.drawdown,
            });
        }
    }

    pub fn summary(&self) -> Summary {
        let t = &self.totals;
        let w = &self.worth;
        let closed = t.wins + t.losses + t.even;
        let equity = w.last.as_ref().map(|v| v.equity);
        let ratio = |part: Decimal, whole: Decimal| (!whole.is_zero()).then(|| (part / whole).round_dp(6));
        Summary {
            from: self.first,
            to: self.last,
            days: self.first.zip(self.last).map_or(0, |(a, b)| b.day() - a.day()),
            events: self.events,
            candles: self.candles,
            signals: self.given,
            requests: self.requested,
            refused: self.refused.clone(),
            entries: self.opened,
            entries_unfilled: self.aborted,
            trades_closed: closed,
            trades_open: self.open_now.len() as u64,
            orders: self.orders,
            fills: self.fills,
            alarms: self.trouble,
            quote: w.quote,
            starting_equity: w.first,
            equity,
            return_ratio: w.first.zip(equity).and_then(|(first, last)| ratio(last - first, first)),
            max_drawdown: w.max_drawdown.round_dp(6),
            longest_drawdown_days: w.longest_drawdown_micros / 86_400_000_000,
            average_invested: ratio(w.invested_sum, Decimal::from(w.count)),
            profit: t.profit,
            wins: t.wins,
            losses: t.losses,
            win_ratio: ratio(t.wins.into(), closed.into()),
            profit_factor: ratio(t.gains, -t.setbacks),
            largest_gain: t.largest_gain,
            largest_setback: t.largest_setback,
            longest_wins: t.longest_wins,
            longest_losses: t.longest_losses,
            average_days_held: ratio(
                Decimal::from_i128_with_scale(t.held_micros / 86_400_000, 3),
                Decimal::from(closed),
            ),
            fees: t.fees.clone(),
            data: self.data.told(),
        }
    }

    /// Writes `signals.csv`, `trades.csv`, `equity.csv` and `summary.json` into `folder`.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut signals = String::from("at,venue,instrument,edge,direction,price\n");
        for s in &self.signals {
            let i = &s.instrument;
            signals += &format!("{},{},{},{},{},{}\n", s.at, i.venue, i.symbol, s.edge, s.direction, s.price);
        }
        fs::write(folder.join("signals.csv"), signals)?;
        let mut trades = String::from(
            "trade,venue,account,instrument,edge,opened_at,closed_at,quantity,entry_price,exit_price,cost,proceeds,profit,fees,left,reason\n",
        );
        for t in &self.trades {
            let fees: Vec<_> = t.fees.iter().map(|f| format!("{} {}", show(f.amount), f.asset)).collect();
            trades += &format!(
                "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                t.trade,
                t.instrument.venue,
                t.account.name,
                t.instrument.symbol,
                t.edge,
                t.opened_at,
                t.closed_at,
                show(t.quantity),
                show(t.entry_price),
                show(t.exit_price),
                show(t.cost),
                show(t.proceeds),
                show(t.profit),
                fees.join(" + "),
                show(t.left),
                serde_json::to_value(t.reason)?.as_str().unwrap_or_default(),
            );
        }
        fs::write(folder.join("trades.csv"), trades)?;
        let mut equity = String::from("at,equity,cash,exposure,drawdown\n");
        for e in &self.equity {
            equity += &format!(
                "{},{},{},{},{}\n",
                e.at,
                show(e.equity),
                show(e.cash),
                show(e.exposure),
                show(e.drawdown.round_dp(6))
            );
        }
        fs::write(folder.join("equity.csv"), equity)?;
        let summary = serde_json::to_string_pretty(&self.summary())?;
        fs::write(folder.join("summary.json"), summary + "\n")
    }
}

impl Journal for Collector {
    fn record(&mut self, event: &Recorded) {
        self.see(event);
    }
}

impl Totals {
    fn add(&mut self, trade: &TradeClosed) {
        self.profit += trade.profit;
        self.held_micros += i128::from(trade.closed_at.micros() - trade.opened_at.micros());
        for fee in &trade.fees {
            *self.fees.entry(fee.asset).or_default() += fee.amount;
        }
        if trade.profit > Decimal::ZERO {
            self.wins += 1;
            self.gains += trade.profit;
            self.largest_gain = self.largest_gain.max(trade.profit);
            self.wins_in_a_row += 1;
            self.losses_in_a_row = 0;
            self.longest_wins = self.longest_wins.max(self.wins_in_a_row);
        } else if trade.profit < Decimal::ZERO {
            self.losses += 1;
            self.setbacks += trade.profit;
            self.largest_setback = self.largest_setback.min(trade.profit);
            self.losses_in_a_row += 1;
            self.wins_in_a_row = 0;
            self.longest_losses = self.longest_losses.max(self.losses_in_a_row);
        } else {
            self.even += 1;
        }
    }
}

impl Worth {
    fn add(&mut self, at: Timestamp, valued: &PortfolioValued) {
        self.quote = Some(valued.quote);
        self.first.get_or_insert(valued.equity);
        self.max_drawdown = self.max_drawdown.max(valued.drawdown);
        if valued.equity >= self.peak {
            self.peak = valued.equity;
            self.peak_at = Some(at);
        } else if let Some(peak_at) = self.peak_at {
            self.longest_drawdown_micros = self.longest_drawdown_micros.max(at.micros() - peak_at.micros());
        }
        if !valued.equity.is_zero() {
            self.invested_sum += valued.exposure / valued.equity;
        }
        self.count += 1;
        self.last = Some(valued.clone());
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = self.quote.map_or_else(String::new, |q| format!(" {q}"));
        let money = |d: Decimal| format!("{}{quote}", show(d.round_dp(2)));
        let optional = |d: Option<Decimal>| d.map_or_else(|| "–".to_owned(), percent);
        if let (Some(from), Some(to)) = (self.from, self.to) {
            writeln!(f, "market      {} to {} ({} days)", from.minute(), to.minute(), self.days)?;
        }
        writeln!(f, "heard       {} candles, {} events", self.candles, self.events)?;
        write!(f, "{}", self.data)?;
        let refused: Vec<_> = self.refused.iter().map(|(rule, n)| format!("{n} {rule}")).collect();
        writeln!(
            f,
            "signals     {}, trades requested {}, refused {}{}",
            self.signals,
            self.requests,
            self.refused.values().sum::<u64>(),
            if refused.is_empty() { String::new() } else { format!(" ({})", refused.join(", ")) }
        )?;
        writeln!(
            f,
            "trades      {} entered, {} unfilled, {} closed, {} open",
            self.entries, self.entries_unfilled, self.trades_closed, self.trades_open
        )?;
        writeln!(f, "orders      {}, fills {}, alarms {}", self.orders, self.fills, self.alarms)?;
        writeln!(
            f,
            "won         {} of {} ({}), profit factor {}",
            self.wins,
            self.trades_closed,
            optional(self.win_ratio),
            self.profit_factor.map_or_else(|| "–".to_owned(), |p| show(p.round_dp(2)))
        )?;
        writeln!(
            f,
            "profit      {} on closed trades; best {}, worst {}",
            money(self.profit),
            money(self.largest_gain),
            money(self.largest_setback)
        )?;
        let fees: Vec<_> = self.fees.iter().map(|(asset, fee)| format!("{} {asset}", show(*fee))).collect();
        if !fees.is_empty() {
            writeln!(f, "fees        {}", fees.join(", "))?;
        }
        if let (Some(first), Some(last)) = (self.starting_equity, self.equity) {
            writeln!(f, "equity      {} → {} ({})", money(first), money(last), optional(self.return_ratio))?;
        }
        write!(
            f,
            "drawdown    {} at most, longest {} days",
            percent(self.max_drawdown),
            self.longest_drawdown_days
        )
    }
}
