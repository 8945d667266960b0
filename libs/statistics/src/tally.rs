//! Closed trades: how many were won, and what they brought.

use crate::quotient;
use domain::{Decimal, Timestamp};
use std::time::Duration;

/// One closed trade. Money in the quote asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    pub profit: Decimal,
    pub cost: Decimal,
    pub opened_at: Timestamp,
    pub closed_at: Timestamp,
}

/// Takes trades in the order in which they were closed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// A profit above 0, below it, and of 0.
    pub wins: u64,
    pub losses: u64,
    pub even: u64,
    /// `gains + setbacks`.
    pub profit: Decimal,
    /// Sum of the profits above 0, and of those below.
    pub gains: Decimal,
    pub setbacks: Decimal,
    /// Sum of what was paid.
    pub cost: Decimal,
    pub largest_gain: Decimal,
    pub largest_setback: Decimal,
    /// The most wins and the most losses in a row.
    pub longest_wins: u64,
    pub longest_losses: u64,
    /// Sum of each trade's profit as a part of its cost; trades that cost nothing are left out.
    ratios: Decimal,
    rated: u64,
    held: Duration,
    in_a_row: u64,
    last_won: Option<bool>,
}

impl Tally {
    pub fn add(&mut self, trade: &Closed) {
        self.profit += trade.profit;
        self.cost += trade.cost;
        self.held += trade.closed_at.since(trade.opened_at);
        if let Some(ratio) = trade.profit.checked_div(trade.cost) {
            self.ratios += ratio;
            self.rated += 1;
        }
        if trade.profit.is_zero() {
            // It neither goes on with a streak nor ends one.
            self.even += 1;
            return;
        }
        let won = trade.profit.is_sign_positive();
        self.in_a_row = if self.last_won == Some(won) { self.in_a_row + 1 } else { 1 };
        self.last_won = Some(won);
        if won {
            self.wins += 1;
            self.gains += trade.profit;
            self.largest_gain = self.largest_gain.max(trade.profit);
            self.longest_wins = self.longest_wins.max(self.in_a_row);
        } else {
            self.losses += 1;
            self.setbacks += trade.profit;
            self.largest_setback = self.largest_setback.min(trade.profit);
            self.longest_losses = self.longest_losses.max(self.in_a_row);
        }
    }

    pub const fn trades(&self) -> u64 {
        self.wins + self.losses + self.even
    }

    /// Wins of all trades. `None` without a trade.
    pub fn win_ratio(&self) -> Option<Decimal> {
        quotient(self.wins.into(), self.trades().into())
    }

    /// Gains over setbacks. `None` where none was lost.
    pub fn profit_factor(&self) -> Option<Decimal> {
        quotient(self.gains, -self.setbacks)
    }

    /// The profit of a trade on average, in the quote asset. `None` without a trade.
    pub fn expectancy(&self) -> Option<Decimal> {
        self.profit.checked_div(self.trades().into())
    }

    /// The mean of each trade's profit as a part of its cost. `None` without a trade.
    pub fn expectancy_ratio(&self) -> Option<Decimal> {
        quotient(self.ratios, self.rated.into())
    }

    /// The profit of a won trade on average.
    pub fn average_gain(&self) -> Option<Decimal> {
        self.gains.checked_div(self.wins.into())
    }

    /// The loss of a lost trade on average, below 0.
    pub fn average_setback(&self) -> Option<Decimal> {
        self.setbacks.checked_div(self.losses.into())
    }

    /// What a win brings for what a loss takes, on average. `None` without both.
    pub fn payoff(&self) -> Option<Decimal> {
        quotient(self.average_gain()?, -self.average_setback()?)
    }

    /// Profit of all as a part of the cost of all.
    pub fn profit_ratio(&self) -> Option<Decimal> {
        quotient(self.profit, self.cost)
    }

    /// How long a trade was held on average, in days to the thousandth.
    pub fn average_days_held(&self) -> Option<Decimal> {
        let days = Decimal::from_i128_with_scale(i128::try_from(self.held.as_millis()).ok()?, 3)
            .checked_div(Decimal::from(86_400))?;
        days.checked_div(self.trades().into()).map(|days| days.round_dp(3).normalize())
    }
}
