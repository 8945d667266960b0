//! The equity of all accounts together, and how far it fell.

use crate::projections::portfolio::Valuation;
use domain::{Account, Asset, Decimal, Prices, Timestamp};
use events::{LedgerEntry, LedgerReason, PortfolioValued};
use portfolio_tracker::account::valuation;
use statistics::{daily::Daily, quotient};
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub struct Worth {
    pub quote: Option<Asset>,
    /// What the accounts were worth when each was first valued.
    pub first: Option<Decimal>,
    pub last: Option<Decimal>,
    pub daily: Daily,
    /// Of the valuations themselves, so finer than by days.
    pub max_drawdown: Decimal,
    latest: BTreeMap<Account, (Timestamp, PortfolioValued)>,
    peak: Decimal,
    peak_at: Option<Timestamp>,
    deepest: Decimal,
    longest_micros: i64,
    flows: Decimal,
    waiting: Vec<(Account, Asset, Decimal)>,
}

impl Worth {
    /// What comes from outside, or goes there, is no profit.
    pub fn flow(&mut self, e: &LedgerEntry) {
        match e.reason {
            LedgerReason::Deposit | LedgerReason::Withdrawal | LedgerReason::Transfer => {
                self.waiting.push((e.account, e.asset, e.delta));
            }
            LedgerReason::Fee
            | LedgerReason::Funding
            | LedgerReason::Interest
            | LedgerReason::Liquidation
            | LedgerReason::DustConversion
            | LedgerReason::Other => {}
        }
    }

    /// Takes a valuation of one account; gives one of all.
    pub fn add(&mut self, at: Timestamp, valued: &PortfolioValued) -> Valuation {
        self.quote = Some(valued.quote);
        let known = self.latest.insert(valued.account, (at, valued.clone()));
        let flow = match known {
            None => {
                self.first = Some(self.first.unwrap_or_default() + valued.equity);
                self.waiting.retain(|(account, ..)| *account != valued.account);
                valued.equity
            }
            Some((_, before)) => {
                // Coins that it had all along, and that were worth nothing for want of a price.
                let priced = newly_priced(&before, valued);
                self.first = self.first.map(|first| first + priced);
                self.flowed(valued) + priced
            }
        };
        self.daily.flow(flow);
        let sum =
            |of: fn(&PortfolioValued) -> Decimal| self.latest.values().map(|(_, v)| of(v)).sum::<Decimal>();
        let (equity, exposure) = (sum(|v| v.equity), sum(|v| v.exposure));
        let (peak, cash) = (sum(|v| v.peak), sum(|v| v.cash));
        self.daily.see(at, equity, exposure);
        self.last = Some(equity);
        self.fall(at, equity, peak);
        // Not the one that was told, which is rounded.
        let fallen = equity.checked_div(peak).map_or(Decimal::ZERO, |part| Decimal::ONE - part);
        self.max_drawdown = self.max_drawdown.max(fallen);
        let drawdown = match self.latest.len() {
            1 => valued.drawdown,
            _ => fallen.max(Decimal::ZERO),
        };
        Valuation { at, account: valued.account, quote: valued.quote, equity, cash, exposure, peak, drawdown }
    }

    /// A market that ends within a day: what each account holds is worth the last prices, by which open trades
    /// are judged, too. Accounts that were valued then are left out.
    pub fn end(&mut self, end: Timestamp, prices: &Prices) -> Vec<Valuation> {
        let stale = self.latest.values().filter(|(at, _)| *at < end);
        let anew = |(_, v): &(Timestamp, PortfolioValued)| {
            let totals = v.holdings.iter().map(|holding| (holding.asset, holding.quantity));
            valuation(v.account, v.quote, totals, prices, |equity| v.peak.max(equity))
        };
        let stale: Vec<_> = stale.map(anew).collect();
        stale.iter().map(|valued| self.add(end, valued)).collect()
    }

    /// What flowed on that account since its last valuation, at the prices of this one; an asset without
    /// a price counts as nothing, as in the valuation itself.
    fn flowed(&mut self, valued: &PortfolioValued) -> Decimal {
        let price = |asset: Asset| match asset == valued.quote {
            true => Decimal::ONE,
            false => {
                valued.holdings.iter().find(|h| h.asset == asset).and_then(|h| h.price).unwrap_or_default()
            }
        };
        let of_account = self.waiting.iter().filter(|(account, ..)| *account == valued.account);
        let flow = of_account.map(|(_, asset, delta)| delta.saturating_mul(price(*asset))).sum();
        self.waiting.retain(|(account, ..)| *account != valued.account);
        self.flows += flow;
        flow
    }

    fn fall(&mut self, at: Timestamp, equity: Decimal, peak: Decimal) {
        self.peak = peak;
        if equity >= peak {
            self.peak_at = Some(at);
            return;
        }
        self.deepest = self.deepest.max(peak - equity);
        if let Some(since) = self.peak_at {
            self.longest_micros = self.longest_micros.max(at.micros() - since.micros());
        }
    }

    /// From a peak to its recovery, or to the last valuation, in whole days.
    pub const fn longest_drawdown_days(&self) -> i64 {
        self.longest_micros / 86_400_000_000
    }

    /// What was gained over the deepest fall, both in money. `None` where nothing fell.
    pub fn recovery_factor(&self) -> Option<Decimal> {
        quotient(self.last? - self.first? - self.flows, self.deepest)
    }
}

/// The worth of what was held before and has its first price now.
fn newly_priced(before: &PortfolioValued, now: &PortfolioValued) -> Decimal {
    let price = |asset| now.holdings.iter().find(|h| h.asset == asset).and_then(|h| h.price);
    let unpriced = before.holdings.iter().filter(|h| h.price.is_none());
    unpriced.filter_map(|h| Some(h.quantity.saturating_mul(price(h.asset)?))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Holding;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn valued(cash: &str, coins: &str, price: Option<&str>) -> PortfolioValued {
        let (account, quote) = ("binance:main".parse().unwrap(), "USDT".parse().unwrap());
        let price = price.map(d);
        let value = price.map_or(Decimal::ZERO, |price| d(coins) * price);
        let coins = Holding { asset: "BTC".parse().unwrap(), quantity: d(coins), price, value };
        let money = Holding { asset: quote, quantity: d(cash), price: Some(Decimal::ONE), value: d(cash) };
        let equity = d(cash) + value;
        PortfolioValued {
            account,
            quote,
            equity,
            cash: d(cash),
            exposure: value,
            peak: equity,
            drawdown: Decimal::ZERO,
            holdings: vec![coins, money],
        }
    }

    /// A live account owns coins before any price of them is heard.
    #[test]
    fn coins_that_are_priced_later_were_there_at_the_start() {
        let mut worth = Worth::default();
        for (hour, valued) in [
            (0, valued("1000", "2", None)),
            (1, valued("1000", "2", None)),
            (2, valued("1000", "2", Some("300"))),
            (24, valued("900", "2.5", Some("320"))),
            (48, valued("900", "2.5", Some("330"))),
        ] {
            worth.add(Timestamp::from_millis(hour * 3_600_000), &valued);
        }
        assert_eq!((worth.first, worth.last), (Some(d("1600")), Some(d("1725"))));
        let rows: Vec<_> = worth.daily.rows().iter().map(|row| (row.equity, row.flow)).collect();
        assert_eq!(rows[1..], [(d("1700"), d("600")), (d("1725"), Decimal::ZERO)]);
    }
}
