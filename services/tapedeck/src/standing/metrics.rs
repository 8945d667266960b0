//! The standing of an engine in Prometheus' text format.
//!
//! Figures of money are in the asset that the label `asset` names.

use super::Standing;
use crate::{
    explain::show,
    projections::trades::{Trade, coverage},
};
use domain::{Account, Decimal};
use events::TradingState;
use runtime::metrics::Family;

/// Every state a gauge is given for.
const STATES: [(TradingState, &str); 3] = [
    (TradingState::Active, "active"),
    (TradingState::Reducing, "reducing"),
    (TradingState::Halted, "halted"),
];

impl Standing {
    /// For `/metrics`.
    pub fn metrics(&self) -> String {
        self.worth() + &self.of_trades() + &self.of_orders() + &self.states() + &self.of_books()
    }

    fn worth(&self) -> String {
        let mut equity = Family::gauge("tapedeck_account_equity", "Cash and holdings, in the quote asset.");
        let mut cash = Family::gauge("tapedeck_account_cash", "What is held of the quote asset.");
        let mut exposure =
            Family::gauge("tapedeck_account_exposure", "Worth of all other assets, in the quote asset.");
        let mut peak = Family::gauge("tapedeck_account_peak_equity", "The highest equity so far.");
        let mut drawdown = Family::gauge("tapedeck_account_drawdown_ratio", "1 - equity/peak, from 0 to 1.");
        let mut valued = Family::gauge(
            "tapedeck_account_valued_timestamp_seconds",
            "When the account was valued last, in the tape's time, seconds since 1970.",
        );
        for (account, worth) in &self.portfolio.0 {
            let worth = &worth.valuation;
            let (account, asset) = (account.to_string(), worth.quote.to_string());
            let labels: [(&str, &str); 2] = [("account", &account), ("asset", &asset)];
            equity.add(&labels, show(worth.equity));
            cash.add(&labels, show(worth.cash));
            exposure.add(&labels, show(worth.exposure));
            peak.add(&labels, show(worth.peak));
            drawdown.add(&labels[..1], show(worth.drawdown));
            valued.add(&labels[..1], seconds(worth.at));
        }
        [equity, cash, exposure, peak, drawdown, valued].map(Family::text).concat()
    }

    fn of_trades(&self) -> String {
        let mut open = Family::gauge("tapedeck_trades_open", "Trades that hold something.");
        let mut unprotected = Family::gauge(
            "tapedeck_trades_unprotected",
            "Trades that hold something without a working stop.",
        );
        let mut unstopped = Family::counter(
            "tapedeck_trades_unprotected_seconds_total",
            "How long trades were without a working stop over all that they held, counted when one works again.",
        );
        let mut longest = Family::gauge(
            "tapedeck_trades_unprotected_longest_seconds",
            "The longest time that any trade was without one at a stretch.",
        );
        let mut opened = Family::counter("tapedeck_trades_opened_total", "Trades that were entered.");
        let mut closed = Family::counter("tapedeck_trades_closed_total", "Trades that were closed.");
        let mut profit = Family::gauge(
            "tapedeck_trades_realised_profit",
            "Profit of all closed trades, in the quote asset; it may fall.",
        );
        for (account, figures) in &self.accounts {
            let name = account.to_string();
            let labels: [(&str, &str); 1] = [("account", &name)];
            open.add(&labels, self.count(account, |trade| trade.state.is_open()));
            unprotected.add(&labels, self.count(account, |trade| trade.unprotected_since.is_some()));
            let mut all = figures.clone();
            let live = self.trades.live().filter(|trade| trade.account == *account);
            live.for_each(|trade| {
                // A counter must not fall, and a spell may have ended at the venue before now.
                let (_, longest) = trade.unstopped.by(self.now);
                all.unstopped((trade.unstopped.counted(), longest));
            });
            unstopped.add(&labels, coverage::seconds(all.unstopped.0));
            longest.add(&labels, coverage::seconds(all.unstopped.1));
            opened.add(&labels, figures.opened);
            closed.add(&labels, figures.closed);
            match figures.profit.is_empty() {
                true => {
                    if let Some(worth) = self.portfolio.0.get(account) {
                        let asset = worth.valuation.quote.to_string();
                        profit.add(&[("account", &name), ("asset", &asset)], Decimal::ZERO);
                    }
                }
                false => {
                    for (asset, sum) in &figures.profit {
                        profit.add(&[("account", &name), ("asset", &asset.to_string())], show(*sum));
                    }
                }
            }
        }
        [open, unprotected, unstopped, longest, opened, closed, profit].map(Family::text).concat()
    }

    fn count(&self, account: &Account, which: impl Fn(&Trade) -> bool) -> usize {
        self.trades.live().filter(|trade| trade.account == *account && which(trade)).count()
    }

    fn of_orders(&self) -> String {
        let mut done =
            Family::counter("tapedeck_orders_done_total", "Orders that are over, by how they ended.");
        let mut rejected =
            Family::counter("tapedeck_orders_rejected_total", "Orders that the venue rejected.");
        let mut refused = Family::counter(
            "tapedeck_requests_refused_total",
            "Requests for trades that were refused, by the rule that forbade them.",
        );
        let mut alarms = Family::counter("tapedeck_alarms_total", "What somebody must look at, by its kind.");
        for (account, figures) in &self.accounts {
            let name = account.to_string();
            for (ending, count) in &figures.ended {
                done.add(&[("account", &name), ("ending", ending)], count);
            }
            rejected.add(&[("account", &name)], figures.rejected);
            for (rule, count) in &figures.refused {
                refused.add(&[("account", &name), ("rule", rule)], count);
            }
        }
        for kind in ["order_stuck", "fact_conflicted", "frame_quarantined"] {
            alarms.add(&[("kind", kind)], self.alarms.get(kind).copied().unwrap_or_default());
        }
        [done, rejected, refused, alarms].map(Family::text).concat()
    }

    fn of_books(&self) -> String {
        let mut differences = Family::gauge(
            "tapedeck_books_differences",
            "In how many ways our books of a live account differ from the venue's; 0 is that they agree.",
        );
        let mut compared = Family::gauge(
            "tapedeck_books_compared_timestamp_seconds",
            "The venue's time of the last report of which a verdict was said, seconds since 1970; at least one an hour.",
        );
        for (account, verdict) in &self.books.verdicts {
            let Some(verdict) = verdict else { continue };
            let name = account.to_string();
            differences.add(&[("account", &name)], verdict.differences.len());
            compared.add(&[("account", &name)], seconds(verdict.as_of));
        }
        [differences, compared].map(Family::text).concat()
    }

    fn states(&self) -> String {
        let mut state =
            Family::gauge("tapedeck_trading_state", "1 for the state in which trading is, 0 for the others.");
        for account in self.accounts.keys() {
            let holds = self.trading.state(account, self.now);
            for (one, word) in STATES {
                let name = account.to_string();
                state.add(&[("account", &name), ("state", word)], u8::from(one == holds));
            }
        }
        state.text()
    }
}

/// With what is left below a second, exactly.
fn seconds(at: domain::Timestamp) -> String {
    show(Decimal::from_i128_with_scale(at.micros().into(), 6))
}
