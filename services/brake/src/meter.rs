//! What is measured of one account since a person let it trade.

use crate::decide::Limits;
use domain::{Decimal, Timestamp};
use events::{PortfolioValued, TradeClosed, TradingState, TradingStateChanged};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY_MICROS: i64 = 86_400_000_000;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Meter {
    /// What the account was worth last, in its quote asset.
    equity: Option<Decimal>,
    /// `equity/peak` at the last valuation. What is paid in or out scales both, so it tells of profit and loss alone.
    standing: Option<Decimal>,
    /// The highest of these; 1 is the peak.
    best: Option<Decimal>,
    day: Option<Day>,
    /// Closed with a loss, without one with a profit since.
    losing_trades: u32,
    orders: VecDeque<Timestamp>,
    rejected: VecDeque<Timestamp>,
    /// The last word on whether the account may trade.
    word: Option<TradingStateChanged>,
}

/// A day in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Day {
    /// Since 1970.
    number: i64,
    /// What the account was worth at its first valuation.
    equity: Option<Decimal>,
    /// Of the trades closed in it, in the quote asset.
    profit: Decimal,
}

impl Meter {
    /// Time has passed: a word that has ended is one no more, and everything is counted anew, as after a person's.
    pub fn pass(&mut self, now: Timestamp) {
        if self.word.as_ref().and_then(|word| word.until).is_some_and(|until| until <= now) {
            self.word = None;
            self.begin();
        }
        for (times, window) in [(&mut self.orders, MINUTE), (&mut self.rejected, HOUR)] {
            while times.front().is_some_and(|first| now.since(*first) >= window) {
                times.pop_front();
            }
        }
    }

    pub fn valued(&mut self, now: Timestamp, e: &PortfolioValued) {
        let standing = Decimal::ONE - e.drawdown;
        self.equity = Some(e.equity);
        self.standing = Some(standing);
        self.best = self.best.max(Some(standing));
        self.day(now).equity.get_or_insert(e.equity);
    }

    pub fn closed(&mut self, now: Timestamp, e: &TradeClosed) {
        let day = self.day(now);
        day.profit = day.profit.saturating_add(e.profit);
        if e.profit < Decimal::ZERO {
            self.losing_trades = self.losing_trades.saturating_add(1);
        } else if e.profit > Decimal::ZERO {
            self.losing_trades = 0;
        }
    }

    /// `limit`: more of them need not be remembered.
    pub fn ordered(&mut self, now: Timestamp, limit: Option<u32>) {
        count(&mut self.orders, now, limit);
    }

    pub fn rejected(&mut self, now: Timestamp, limit: Option<u32>) {
        count(&mut self.rejected, now, limit);
    }

    /// A word on the account. Whoever lets it trade has seen what was measured.
    pub fn trading_changed(&mut self, e: &TradingStateChanged) {
        if e.state == TradingState::Active {
            self.begin();
        }
        self.word = Some(e.clone());
    }

    /// Whether the account may do more than `state` at present.
    pub fn may_more_than(&self, state: TradingState) -> bool {
        self.word.as_ref().map_or(TradingState::Active, |word| word.state) < state
    }

    /// The first limit that is reached, in words.
    pub fn reached(&self, now: Timestamp, limits: &Limits) -> Option<String> {
        let Limits { drawdown, daily_loss, losing_trades, orders_per_minute, rejected_per_hour } = *limits;
        let fallen = self.drawdown().zip(drawdown).filter(|(fallen, limit)| fallen >= limit);
        let lost = self.lost_on(now).zip(daily_loss).filter(|(lost, limit)| lost >= limit);
        let losing = losing_trades.filter(|limit| self.losing_trades >= *limit);
        let many = |times: &VecDeque<Timestamp>, limit: Option<u32>| {
            limit.filter(|limit| times.len() >= *limit as usize)
        };
        let ordered = many(&self.orders, orders_per_minute);
        let rejected = many(&self.rejected, rejected_per_hour);
        let drawdown = fallen.map(|(fallen, limit)| {
            format!("a drawdown of {} % (limit: {} %)", percent(fallen), percent(limit))
        });
        let loss = || {
            lost.map(|(lost, limit)| {
                let (lost, limit) = (percent(lost), percent(limit));
                format!("today's trades have lost {lost} % of the account (limit: {limit} %)")
            })
        };
        let streak =
            || losing.map(|limit| format!("{} losing trades in a row (limit: {limit})", self.losing_trades));
        let orders = || ordered.map(|limit| format!("{limit} orders within a minute (limit: {limit})"));
        let rejections =
            || rejected.map(|limit| format!("{limit} rejected orders within an hour (limit: {limit})"));
        drawdown.or_else(loss).or_else(streak).or_else(orders).or_else(rejections)
    }

    /// From the highest point since everything was counted anew; a ratio.
    fn drawdown(&self) -> Option<Decimal> {
        let (standing, best) = self.standing.zip(self.best)?;
        Some(Decimal::ONE - standing.checked_div(best)?)
    }

    /// What the trades that were closed on the day of `now` have lost, as a ratio of what the account was worth.
    fn lost_on(&self, now: Timestamp) -> Option<Decimal> {
        let day = self.day.filter(|day| day.number == number(now))?;
        (-day.profit).checked_div(day.equity?)
    }

    fn day(&mut self, now: Timestamp) -> &mut Day {
        let today = Day { number: number(now), equity: self.equity, profit: Decimal::ZERO };
        let day = self.day.get_or_insert(today);
        if day.number != today.number {
            // A new day begins with its own first value.
            *day = Day { equity: None, ..today };
        }
        day
    }

    fn begin(&mut self) {
        self.best = self.standing;
        self.day = None;
        self.losing_trades = 0;
        self.orders.clear();
        self.rejected.clear();
    }
}

/// One more now; only so many of the last are kept as the limit needs.
fn count(times: &mut VecDeque<Timestamp>, now: Timestamp, limit: Option<u32>) {
    let Some(limit) = limit else { return };
    if times.len() >= limit as usize {
        times.pop_front();
    }
    times.push_back(now);
}

const fn number(at: Timestamp) -> i64 {
    at.micros().div_euclid(DAY_MICROS)
}

fn percent(ratio: Decimal) -> Decimal {
    (ratio * Decimal::ONE_HUNDRED).round_dp(2).normalize()
}
