//! What one account holds, and what that is worth.

use domain::{Account, Asset, Decimal, Prices, Timestamp};
use events::{BalanceChanged, Holding, LedgerEntry, LedgerReason, PortfolioValued};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Holdings {
    balances: BTreeMap<Asset, Balance>,
    /// What came from outside or went there, and is not yet told from profit and loss.
    flows: Vec<Flow>,
    last: Option<Last>,
    /// Whether something has changed that the last valuation does not know.
    changed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Balance {
    /// Free and locked.
    total: Decimal,
    as_of: Timestamp,
    /// `as_of` at the last valuation.
    valued: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Flow {
    asset: Asset,
    delta: Decimal,
    at: Timestamp,
}

/// The last valuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    at: Timestamp,
    peak: Decimal,
}

/// Decimals of a value and of a drawdown.
const DIGITS: u32 = 8;

/// How long the ledger may tell of something that no balance shows before it is dropped.
const FLOW_WAITS: Duration = Duration::from_secs(86_400);

impl Holdings {
    /// An observation: the latest as-of wins. Moving between free and locked changes no value.
    pub fn balance(&mut self, e: &BalanceChanged) {
        let total = e.free.saturating_add(e.locked);
        let known = self.balances.get(&e.asset);
        if known.is_some_and(|known| known.as_of > e.as_of) {
            return;
        }
        self.changed |= known.is_none_or(|known| known.total != total);
        let valued = known.and_then(|known| known.valued);
        self.balances.insert(e.asset, Balance { total, as_of: e.as_of, valued });
    }

    /// What comes from outside is no profit, and what goes there no loss.
    pub fn ledger(&mut self, e: &LedgerEntry) {
        match e.reason {
            LedgerReason::Deposit | LedgerReason::Withdrawal | LedgerReason::Transfer => {
                self.flows.push(Flow { asset: e.asset, delta: e.delta, at: e.at });
                self.changed = true;
            }
            LedgerReason::Fee
            | LedgerReason::Funding
            | LedgerReason::Interest
            | LedgerReason::Liquidation
            | LedgerReason::DustConversion
            | LedgerReason::Other => {}
        }
    }

    /// Whether it is to be valued now: never before, changed, or not yet in this period.
    pub fn is_due(&self, now: Timestamp, every: Duration) -> bool {
        if self.balances.is_empty() {
            return false;
        }
        let period = |at: Timestamp| i128::from(at.micros()).div_euclid((every.as_micros() as i128).max(1));
        self.changed || self.last.is_none_or(|last| period(now) > period(last.at))
    }

    pub fn valued(&mut self, now: Timestamp, e: &PortfolioValued) {
        let balances = &self.balances;
        self.flows.retain(|flow| !flow.is_shown(balances) && flow.at + FLOW_WAITS > now);
        for balance in self.balances.values_mut() {
            balance.valued = Some(balance.as_of);
        }
        self.last = Some(Last { at: now, peak: e.peak });
        self.changed = false;
    }

    pub fn value(&self, account: Account, quote: Asset, prices: &Prices) -> PortfolioValued {
        let totals = self.balances.iter().map(|(&asset, balance)| (asset, balance.total));
        let price = |asset| prices.worth(account.venue, asset, quote);
        valuation(account, quote, totals, prices, |equity| self.peak(equity, price))
    }

    /// The highest equity so far. A flow scales it as it scales the equity, so that a withdrawal is
    /// no drawdown and a deposit makes none good.
    fn peak(&self, equity: Decimal, price: impl Fn(Asset) -> Option<Decimal>) -> Decimal {
        let Some(last) = self.last else { return equity };
        let flowed = self
            .flows
            .iter()
            .filter(|flow| flow.is_shown(&self.balances) && !flow.was_valued(&self.balances))
            .filter_map(|flow| Some(worth(flow.delta, price(flow.asset)?)))
            .fold(Decimal::ZERO, Decimal::saturating_add);
        let without = equity.saturating_sub(flowed);
        let peak = if flowed.is_zero() {
            last.peak
        } else if without > Decimal::ZERO {
            let scaled = last.peak.checked_mul(equity).and_then(|p| p.checked_div(without));
            scaled.unwrap_or(equity).round_dp(DIGITS)
        } else {
            equity
        };
        peak.max(equity)
    }
}

impl Flow {
    /// Whether the balance that we know contains it.
    fn is_shown(&self, balances: &BTreeMap<Asset, Balance>) -> bool {
        balances.get(&self.asset).is_some_and(|balance| balance.as_of >= self.at)
    }

    /// A deposit that was valued before the ledger told of it has raised the peak already.
    fn was_valued(&self, balances: &BTreeMap<Asset, Balance>) -> bool {
        let valued = balances.get(&self.asset).and_then(|balance| balance.valued);
        self.delta > Decimal::ZERO && valued.is_some_and(|valued| valued >= self.at)
    }
}

/// What an account with these totals is worth in `quote`; `peak` gives the highest equity so far from this one.
///
/// Assets without a price are listed and worth nothing; those of which nothing is held are not listed.
pub fn valuation(
    account: Account,
    quote: Asset,
    totals: impl Iterator<Item = (Asset, Decimal)>,
    prices: &Prices,
    peak: impl FnOnce(Decimal) -> Decimal,
) -> PortfolioValued {
    let holding = |(asset, quantity): (Asset, Decimal)| {
        let price = prices.worth(account.venue, asset, quote);
        let value = price.map_or(Decimal::ZERO, |price| worth(quantity, price));
        Holding { asset, quantity, price, value }
    };
    let holdings: Vec<Holding> = totals.filter(|(_, total)| !total.is_zero()).map(holding).collect();
    let sum = |of: &dyn Fn(&&Holding) -> bool| {
        holdings.iter().filter(of).map(|h| h.value).fold(Decimal::ZERO, Decimal::saturating_add)
    };
    let cash = sum(&|h| h.asset == quote);
    let exposure = sum(&|h| h.asset != quote);
    let equity = cash.saturating_add(exposure);
    let peak = peak(equity);
    let drawdown = drawdown(equity, peak);
    PortfolioValued { account, quote, equity, cash, exposure, peak, drawdown, holdings }
}

fn worth(quantity: Decimal, price: Decimal) -> Decimal {
    quantity.saturating_mul(price).round_dp(DIGITS)
}

fn drawdown(equity: Decimal, peak: Decimal) -> Decimal {
    let of_peak = equity.checked_div(peak).unwrap_or(Decimal::ONE);
    (Decimal::ONE - of_peak).round_dp(DIGITS).max(Decimal::ZERO).normalize()
}
