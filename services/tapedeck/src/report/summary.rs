//! The figures of a run, for programs and for people.

use super::groups::{Group, Period};
use crate::{
    commands::table,
    data_quality::DataQuality,
    explain::{percent, show},
    figures::count,
    projections::trades::Trade,
};
use domain::{Account, Asset, Decimal, EdgeName, Instrument, Timestamp};
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// `summary.json`. Money in the quote asset; ratios as parts of one; what is not defined is null.
/// `docs/METRICS.md` defines every figure.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub days: i64,
    pub events: u64,
    pub candles: u64,
    pub signals: u64,
    pub requests: u64,
    /// By rule.
    pub refused: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    pub refused_words: Vec<(&'static str, u64)>,
    pub entries: u64,
    pub entries_unfilled: u64,
    /// Why, of those.
    pub aborted: BTreeMap<&'static str, u64>,
    /// Requested or sized, and neither entered nor over yet.
    pub trades_pending: u64,
    pub trades_closed: u64,
    pub trades_open: u64,
    pub orders: u64,
    pub fills: u64,
    /// Rejections, stuck orders and conflicts.
    pub alarms: u64,
    /// How long trades were without a working stop over all that they held: in all, and at the longest at a stretch.
    pub unprotected_seconds: Decimal,
    pub unprotected_longest_seconds: Decimal,
    pub quote: Option<Asset>,
    pub starting_equity: Option<Decimal>,
    pub equity: Option<Decimal>,
    pub return_ratio: Option<Decimal>,
    pub max_drawdown: Decimal,
    pub max_drawdown_from: Option<Timestamp>,
    pub max_drawdown_bottom: Option<Timestamp>,
    pub max_drawdown_recovered: Option<Timestamp>,
    pub longest_drawdown_days: i64,
    /// Of closed trades, fees in base and quote included.
    pub profit: Decimal,
    pub wins: u64,
    pub losses: u64,
    pub win_ratio: Option<Decimal>,
    /// Gains over setbacks.
    pub profit_factor: Option<Decimal>,
    pub payoff: Option<Decimal>,
    pub expectancy: Option<Decimal>,
    pub expectancy_ratio: Option<Decimal>,
    pub average_gain: Option<Decimal>,
    pub average_setback: Option<Decimal>,
    pub largest_gain: Decimal,
    pub largest_setback: Decimal,
    pub longest_wins: u64,
    pub longest_losses: u64,
    pub average_days_held: Option<Decimal>,
    /// Of all fills.
    pub fees: BTreeMap<Asset, Decimal>,
    /// Of open trades: what was paid, what they are worth at the last price, and the difference.
    pub open_cost: Decimal,
    pub open_value: Decimal,
    pub unrealised_profit: Decimal,
    /// Of that cost.
    pub unrealised_ratio: Option<Decimal>,
    /// What closed trades left that was too little to be sold, and that no trade has taken over since.
    pub dust: Vec<Dust>,
    pub dust_cost: Decimal,
    pub dust_worth: Decimal,
    /// How many daily returns the figures from here on are made of.
    pub sampled_days: u64,
    pub cagr: Option<Decimal>,
    pub volatility: Option<Decimal>,
    pub sharpe: Option<Decimal>,
    pub sortino: Option<Decimal>,
    pub calmar: Option<Decimal>,
    pub ulcer_index: Option<Decimal>,
    pub recovery_factor: Option<Decimal>,
    pub average_invested: Option<Decimal>,
    pub time_in_market: Option<Decimal>,
    pub turnover_per_year: Option<Decimal>,
    pub buy_and_hold: Option<Holding>,
    pub by_instrument: Vec<Group>,
    pub by_edge: Vec<Group>,
    pub by_reason: Vec<Group>,
    pub by_month: Vec<Period>,
    pub by_year: Vec<Period>,
    #[serde(flatten)]
    pub data: DataQuality,
    pub open: Vec<Trade>,
}

/// Left of closed trades of one edge; at the last price.
#[derive(Debug, Serialize)]
pub struct Dust {
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub quantity: Decimal,
    pub cost: Decimal,
    pub worth: Decimal,
}

/// All instruments that could be paid for, held in equal parts over the same time.
#[derive(Debug, Serialize)]
pub struct Holding {
    pub instruments: u64,
    pub return_ratio: Decimal,
    pub max_drawdown: Decimal,
}

impl Summary {
    /// Money with its asset, to the cent.
    pub fn money(&self, amount: Decimal) -> String {
        let quote = self.quote.map_or_else(String::new, |q| format!(" {q}"));
        format!("{}{quote}", show(amount.round_dp(2)))
    }

    /// The tables that follow the summary in `tapedeck report`.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        for (title, groups) in
            [("instrument", &self.by_instrument), ("edge", &self.by_edge), ("reason", &self.by_reason)]
        {
            if !groups.is_empty() {
                text += &format!("\n\n{}", group_table(title, groups));
            }
        }
        for (title, periods) in [("year", &self.by_year), ("month", &self.by_month)] {
            if !periods.is_empty() {
                text += &format!("\n\n{}", period_table(title, periods));
            }
        }
        text
    }
}

fn group_table(title: &str, groups: &[Group]) -> String {
    let holds = groups.iter().any(|group| group.hold_ratio.is_some());
    let mut headings =
        vec![title, "trades", "won", "profit", "of cost", "factor", "payoff", "expectancy", "days held"];
    if holds {
        headings.push("held instead");
    }
    let right: Vec<usize> = (1..headings.len()).collect();
    let lines: Vec<_> = groups
        .iter()
        .map(|g| {
            let mut line = vec![
                g.words.clone(),
                g.trades.to_string(),
                or_dash(g.win_ratio, percent),
                show(g.profit.round_dp(2)),
                or_dash(g.profit_ratio, percent),
                or_dash(g.profit_factor, two),
                or_dash(g.payoff, two),
                or_dash(g.expectancy, two),
                or_dash(g.average_days_held, two),
            ];
            if holds {
                line.push(or_dash(g.hold_ratio, percent));
            }
            line
        })
        .collect();
    table(&headings, &right, &lines)
}

fn period_table(title: &str, periods: &[Period]) -> String {
    let lines: Vec<_> = periods
        .iter()
        .map(|p| {
            vec![
                p.name.clone(),
                or_dash(p.return_ratio, percent),
                p.trades.to_string(),
                p.wins.to_string(),
                show(p.profit.round_dp(2)),
            ]
        })
        .collect();
    table(&[title, "return", "trades", "won", "profit"], &[1, 2, 3, 4], &lines)
}

pub fn or_dash(figure: Option<Decimal>, words: impl Fn(Decimal) -> String) -> String {
    figure.map_or_else(|| "–".to_owned(), words)
}

pub fn two(figure: Decimal) -> String {
    show(figure.round_dp(2))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money = |amount| self.money(amount);
        if let (Some(from), Some(to)) = (self.from, self.to) {
            let days = count(u64::try_from(self.days).unwrap_or_default(), "day");
            writeln!(f, "market      {} to {} ({days})", from.minute(), to.minute())?;
        }
        writeln!(f, "heard       {}, {}", count(self.candles, "candle"), count(self.events, "event"))?;
        write!(f, "{}", self.data)?;
        let refused: Vec<_> = self.refused_words.iter().map(|(rule, n)| format!("{n} {rule}")).collect();
        writeln!(
            f,
            "signals     {}, trades requested {}, refused {}{}",
            self.signals,
            self.requests,
            self.refused.values().sum::<u64>(),
            if refused.is_empty() { String::new() } else { format!(" ({})", refused.join(", ")) }
        )?;
        if self.signals == 0 {
            self.data.without_signal.iter().try_for_each(|words| writeln!(f, "edges       {words}"))?;
        }
        let pending = match self.trades_pending {
            0 => String::new(),
            n => format!(", {n} not entered yet"),
        };
        writeln!(
            f,
            "trades      {} entered, {} unfilled, {} closed, {} open{pending}",
            self.entries, self.entries_unfilled, self.trades_closed, self.trades_open
        )?;
        writeln!(f, "orders      {}, fills {}, alarms {}", self.orders, self.fills, self.alarms)?;
        if !self.unprotected_seconds.is_zero() {
            writeln!(
                f,
                "stops       trades were without one for {} s, at the longest {} s",
                show(self.unprotected_seconds),
                show(self.unprotected_longest_seconds),
            )?;
        }
        writeln!(
            f,
            "won         {} of {} ({}), profit factor {}, payoff {}",
            self.wins,
            self.trades_closed,
            or_dash(self.win_ratio, percent),
            or_dash(self.profit_factor, two),
            or_dash(self.payoff, two),
        )?;
        writeln!(
            f,
            "profit      {} on closed trades; best {}, worst {}, on average {}, mean return {}",
            money(self.profit),
            money(self.largest_gain),
            money(self.largest_setback),
            or_dash(self.expectancy, money),
            or_dash(self.expectancy_ratio, percent),
        )?;
        if self.trades_open > 0 {
            writeln!(
                f,
                "open        {}: paid {}, worth {}, unrealised {} ({})",
                count(self.trades_open, "trade"),
                money(self.open_cost),
                money(self.open_value),
                money(self.unrealised_profit),
                or_dash(self.unrealised_ratio, percent),
            )?;
        }
        if !self.dust.is_empty() {
            writeln!(
                f,
                "dust        {} in {}, too little to be sold; cost {}",
                money(self.dust_worth),
                count(self.dust.len() as u64, "rest"),
                money(self.dust_cost),
            )?;
        }
        let fees: Vec<_> = self.fees.iter().map(|(asset, fee)| format!("{} {asset}", show(*fee))).collect();
        if !fees.is_empty() {
            writeln!(f, "fees        {}", fees.join(", "))?;
        }
        if let (Some(first), Some(last)) = (self.starting_equity, self.equity) {
            writeln!(
                f,
                "equity      {} → {} ({})",
                money(first),
                money(last),
                or_dash(self.return_ratio, percent)
            )?;
        }
        writeln!(
            f,
            "drawdown    {} at most, longest {}",
            percent(self.max_drawdown),
            count(u64::try_from(self.longest_drawdown_days).unwrap_or_default(), "day")
        )?;
        writeln!(
            f,
            "a year      growth {}, volatility {}, Sharpe {}, Sortino {}, Calmar {}",
            or_dash(self.cagr, percent),
            or_dash(self.volatility, percent),
            or_dash(self.sharpe, two),
            or_dash(self.sortino, two),
            or_dash(self.calmar, two),
        )?;
        write!(
            f,
            "invested    {} of equity on average, {} of the time, turnover {} a year",
            or_dash(self.average_invested, percent),
            or_dash(self.time_in_market, percent),
            or_dash(self.turnover_per_year, two),
        )?;
        if let Some(hold) = &self.buy_and_hold {
            write!(
                f,
                "\nholding     {} instead{}: {}, drawdown {}",
                count(hold.instruments, "instrument"),
                if hold.instruments > 1 { ", in equal parts" } else { "" },
                percent(hold.return_ratio),
                percent(hold.max_drawdown),
            )?;
        }
        Ok(())
    }
}
