//! What the live summary shows, as lines of text.

use crate::{
    explain::{explain, percent, show, when},
    figures::{span, tidy},
    projections::{
        Projection,
        portfolio::Portfolio,
        trades::{State, Trade, Trades},
        trading::Trading,
    },
};
use domain::{Asset, Decimal, Timestamp};
use events::{Event, Recorded, SignalEvent, TradeEvent};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const NEWS: usize = 6;
const TRADES: usize = 8;
/// Narrower than this there is no room for a bar.
const BAR: usize = 60;
/// Narrower than this a trade goes by its instrument.
const NAMED: usize = 90;

/// Where the run is.
pub struct Progress {
    pub now: Timestamp,
    pub position: u64,
    pub candles: u64,
    /// How many there are in all; 0 if nobody knows.
    pub of: u64,
    pub per_second: u64,
}

pub struct View {
    portfolio: Portfolio,
    pub trades: Trades,
    closed: u64,
    won: u64,
    profit: Decimal,
    trading: Trading,
    /// Trades of which the news has said that they are without a stop.
    naked: BTreeSet<domain::TradeId>,
    news: VecDeque<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            portfolio: Portfolio::default(),
            trades: Trades::live_only(),
            closed: 0,
            won: 0,
            profit: Decimal::ZERO,
            trading: Trading::default(),
            naked: BTreeSet::new(),
            news: VecDeque::new(),
        }
    }
}

impl View {
    pub fn see(&mut self, event: &Recorded) {
        self.trades.see(event);
        self.trading.see(event);
        self.portfolio.see(event);
        match &event.event {
            Event::Trade(trade) => self.see_trade(trade, event),
            Event::Signal(SignalEvent::Given(_)) | Event::Tape(_) | Event::Control(_) => self.tell(event),
            Event::Books(events::BooksEvent::Disagree(_)) => self.tell(event),
            Event::Order(events::OrderEvent::Rejected(_) | events::OrderEvent::Stuck(_)) => self.tell(event),
            _ => {}
        }
    }

    fn see_trade(&mut self, trade: &TradeEvent, event: &Recorded) {
        match trade {
            TradeEvent::Closed(e) => {
                self.closed += 1;
                self.won += u64::from(e.profit > Decimal::ZERO);
                self.profit += e.profit;
                self.naked.remove(&e.trade);
            }
            TradeEvent::Protected(e) => {
                self.naked.remove(&e.trade);
            }
            // Told where it lasts, see `pass_to`.
            TradeEvent::Unprotected(e) if e.because.is_passing() => return,
            TradeEvent::Unprotected(e) => {
                self.naked.insert(e.trade);
            }
            TradeEvent::Requested(_)
            | TradeEvent::Refused(_)
            | TradeEvent::RequestRepeated(_)
            | TradeEvent::Aborted(_)
            | TradeEvent::CloseRequested(_)
            | TradeEvent::StopMoveRequested(_)
            | TradeEvent::StopMoveRefused(_)
            | TradeEvent::Sized(_)
            | TradeEvent::Opened(_)
            | TradeEvent::Exiting(_) => {}
        }
        self.tell(event);
    }

    fn tell(&mut self, event: &Recorded) {
        self.tell_line(format!("{}  {}", when(event.recorded_at), explain(&event.event)));
    }

    fn tell_line(&mut self, line: String) {
        if self.news.len() == NEWS {
            self.news.pop_front();
        }
        self.news.push_back(line);
    }

    /// It is that late. A trade whose stop should be there by now is told of, once.
    pub fn pass_to(&mut self, now: Timestamp) {
        self.trades.pass_to(now);
        let now = self.trades.now();
        let naked: Vec<Trade> = self.trades.open().filter(|trade| trade.is_naked(now)).collect();
        for trade in naked {
            if self.naked.insert(trade.trade) {
                let since = trade.unprotected_since.or(trade.opened_at).map(when).unwrap_or_default();
                let held = trade.held.map(|held| show(tidy(held))).unwrap_or_default();
                self.tell_line(format!(
                    "{}  {}: UNPROTECTED since {since}: {held} held",
                    when(now),
                    trade.trade
                ));
            }
        }
    }

    pub fn line(&self, progress: &Progress) -> String {
        let (equity, drawdown) = self.worth();
        format!(
            "{}  {}  equity {equity}  drawdown {drawdown}  open {}  closed {} ({} won)  profit {}  position {}",
            when(progress.now),
            self.trading(progress.now),
            self.trades.open().count(),
            self.closed,
            self.won,
            show(self.profit.round_dp(2)),
            progress.position,
        )
    }

    /// The equity of all accounts, by quote asset, and the drawdown of the one that has lost the most of its own.
    fn worth(&self) -> (String, String) {
        let mut sums: BTreeMap<Asset, Decimal> = BTreeMap::new();
        let all = || self.portfolio.0.values().map(|worth| &worth.valuation);
        all().for_each(|v| *sums.entry(v.quote).or_default() += v.equity);
        let sums: Vec<_> =
            sums.iter().map(|(quote, sum)| format!("{} {quote}", show(sum.round_dp(2)))).collect();
        let drawdown = percent(all().map(|v| v.drawdown).max().unwrap_or_default());
        match all().count() {
            0 => ("–".to_owned(), drawdown),
            1 => (sums.concat(), drawdown),
            accounts => {
                (format!("{} on {accounts} accounts", sums.join(" + ")), format!("{drawdown} at worst"))
            }
        }
    }

    /// `trading active`, or loudly what it is, whose and until when.
    fn trading(&self, now: Timestamp) -> String {
        let limited: Vec<_> = self
            .trading
            .restrictions(now)
            .map(|word| {
                let e = &word.change;
                let state = e.state.words().to_uppercase();
                let whose = e.account.map_or_else(String::new, |account| format!(" on {account}"));
                let until = e.until.map_or_else(String::new, |until| format!(" until {}", when(until)));
                format!("trading {state}{whose}{until}")
            })
            .collect();
        if limited.is_empty() { "trading active".to_owned() } else { limited.join(", ") }
    }

    pub fn lines(&self, progress: &Progress, width: usize) -> Vec<String> {
        let mut lines = vec![bar(progress, width)];
        lines.extend(broken(&self.line(progress), width));
        let open: Vec<Trade> = self.trades.open().collect();
        for trade in open.iter().rev().take(TRADES) {
            lines.push(format!("  {}", self.trade(trade, width)));
        }
        if open.len() > TRADES {
            lines.push(format!("  … and {} more", open.len() - TRADES));
        }
        lines.extend(self.news.iter().cloned());
        lines
    }

    /// What is open: its price and profit now, where its stop is, and what was bought at which price. What
    /// matters most stands first, for a narrow terminal cuts the rest off.
    fn trade(&self, trade: &Trade, width: usize) -> String {
        let now = self.trades.now();
        let figure = |d: Option<Decimal>| d.map_or_else(|| "–".to_owned(), |d| show(tidy(d)));
        let stop = match trade.protected {
            Some(true) => format!("stop {}", figure(trade.stop)),
            Some(false) | None if trade.is_naked(now) => "UNPROTECTED".to_owned(),
            Some(false) | None => "no stop yet".to_owned(),
        };
        let profit = trade.unrealised_profit.map_or_else(|| "–".to_owned(), |p| show(p.round_dp(2)));
        let ratio = trade.unrealised_ratio.map_or_else(|| "–".to_owned(), percent);
        let leaving = if trade.state == State::Exiting { "  leaving" } else { "" };
        let name = if width < NAMED { trade.instrument.symbol.to_string() } else { trade.trade.to_string() };
        format!(
            "{name}  now {}  profit {profit} ({ratio})  {stop}  {} at {}  {}{leaving}",
            figure(trade.last_price),
            figure(trade.held),
            figure(trade.entry_price),
            trade.opened_at.map(|opened| span(opened, now)).unwrap_or_default(),
        )
    }
}

/// A line of parts with two spaces between them, in as many lines as it takes for none to be wider than the terminal.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in line.split("  ") {
        match lines.last_mut() {
            Some(last) if last.chars().count() + 2 + part.chars().count() <= width => {
                last.push_str("  ");
                last.push_str(part);
            }
            Some(_) => lines.push(format!("  {part}")),
            None => lines.push(part.to_owned()),
        }
    }
    lines
}

fn bar(progress: &Progress, width: usize) -> String {
    let words = if progress.of == 0 {
        format!("{} candles, {:>7}/s", progress.candles, progress.per_second)
    } else {
        let digits = progress.of.to_string().len();
        format!("{:>digits$}/{} candles, {:>7}/s", progress.candles, progress.of, progress.per_second)
    };
    let room = width.saturating_sub(words.chars().count() + 1);
    if width < BAR || progress.of == 0 {
        return words;
    }
    let done = (room as f64 * (progress.candles as f64 / progress.of as f64).min(1.0)) as usize;
    format!("{}{} {words}", "█".repeat(done), "░".repeat(room - done))
}

#[cfg(test)]
mod tests;
