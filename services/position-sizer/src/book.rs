//! What the sizer remembers: rules, balances, and every trade that was granted and is not over.

use crate::{Config, balance::Balance, ids::Ids, trading::Trading};
use domain::{
    Account, Asset, ClientOrderId, Decimal, Direction, EdgeName, ExitPlan, Instrument, InstrumentRules, Leg,
    NewOrder, Origin, Price, Prices, Side, Size, Timestamp, TradeId,
};
use events::{
    BalanceChanged, OrderAccepted, OrderDone, OrderFilled, OrderSubmitted, TradeOpened, TradeProtected,
    TradeSized,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct State {
    pub(crate) rules: BTreeMap<Instrument, InstrumentRules>,
    balances: BTreeMap<Account, BTreeMap<Asset, Balance>>,
    pub(crate) prices: Prices,
    pub(crate) trades: BTreeMap<TradeId, Trade>,
    /// Entry orders that are not done.
    entries: BTreeMap<ClientOrderId, TradeId>,
    #[serde(default)]
    pub(crate) ids: Ids,
    pub(crate) trading: Trading,
    /// When a stop was hit last, at the venue, of edges that pause then.
    #[serde(default, with = "service::pairs", skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) stopped: BTreeMap<(Account, Instrument, EdgeName), Timestamp>,
}

/// Decimals of a value, as the portfolio's.
const VALUE_DIGITS: u32 = 8;

/// A trade that was granted and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trade {
    pub account: Account,
    pub instrument: Instrument,
    pub edge: EdgeName,
    pub direction: Direction,
    pub base: Asset,
    /// Quote asset set aside for what its entry may still buy.
    pub reserved: Decimal,
    /// Its entry order, from its submission until it is done.
    entry: Option<Entry>,
    /// Base asset entered, and for what.
    pub quantity: Decimal,
    pub cost: Decimal,
    /// The stop that works at the venue.
    stop: Option<Price>,
    /// How it was to be protected when it was granted.
    pub exit: Option<ExitPlan>,
    /// How far from the worst entry its stop was to lie then.
    stop_ratio: Option<Decimal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    order: ClientOrderId,
    /// Since when the venue has it and may hold money for it.
    accepted: Option<Timestamp>,
}

impl Trade {
    /// The part of what is set aside that an observation as of then shows as held by the order.
    fn held_at_venue(&self, as_of: Timestamp) -> Decimal {
        match self.entry {
            Some(Entry { accepted: Some(since), .. }) if since <= as_of => self.reserved,
            _ => Decimal::ZERO,
        }
    }

    /// What stands behind a perpetual, which is in no balance: all that was entered, until leverage is known here.
    fn margin(&self) -> Decimal {
        if self.instrument.kind.can_be_short() { self.cost } else { Decimal::ZERO }
    }

    /// Quote asset that is lost if its stop is hit at its price; all of it without a stop.
    pub fn risk(&self) -> Decimal {
        let held = match self.stop {
            Some(stop) => {
                let kept = stop.get().saturating_mul(self.quantity);
                self.direction.gain(kept, self.cost).max(Decimal::ZERO)
            }
            None => at_risk(self.cost, self.stop_ratio),
        };
        held.saturating_add(at_risk(self.reserved, self.stop_ratio))
    }
}

/// What a planned stop loses of `cost`.
pub(crate) fn at_risk(cost: Decimal, stop_ratio: Option<Decimal>) -> Decimal {
    stop_ratio.map_or(cost, |ratio| cost.saturating_mul(ratio))
}

impl State {
    /// What can still be promised: the balance, less what is promised, less what orders of others hold.
    pub fn cash(&self, account: &Account, quote: &Asset) -> Decimal {
        let Some(balance) = self.balances.get(account).and_then(|assets| assets.get(quote)) else {
            return Decimal::ZERO;
        };
        let (mut promised, mut held_for_us) = (Decimal::ZERO, Decimal::ZERO);
        for trade in self.trades_of(account) {
            promised = promised.saturating_add(trade.reserved);
            held_for_us = held_for_us.saturating_add(trade.held_at_venue(balance.as_of()));
        }
        let held_by_others = balance.locked().saturating_sub(held_for_us).max(Decimal::ZERO);
        balance.least().saturating_sub(promised).saturating_sub(held_by_others)
    }

    /// What the account is worth now, by its balances and the last prices; an asset without a price is
    /// worth nothing. `None` while no balance is known.
    ///
    /// Not the portfolio's last valuation: that is of the end of an instant before this one, and what the
    /// stops of this instant have sold is not in it.
    pub fn equity(&self, account: &Account, quote: &Asset) -> Option<Decimal> {
        let assets = self.balances.get(account)?;
        if !assets.values().any(Balance::is_seen) {
            return None;
        }
        let worth = |(asset, balance): (&Asset, &Balance)| {
            let price = self.prices.worth(account.venue, *asset, *quote);
            price.map_or(Decimal::ZERO, |price| balance.known().saturating_mul(price).round_dp(VALUE_DIGITS))
        };
        let margins = self.trades_of(account).map(Trade::margin);
        Some(assets.iter().map(worth).chain(margins).fold(Decimal::ZERO, Decimal::saturating_add))
    }

    /// What there is at least of an asset, in another one.
    pub(crate) fn worth(&self, account: &Account, asset: &Asset, quote: &Asset) -> Decimal {
        let there = self.asset(account, asset).map_or(Decimal::ZERO, Balance::least);
        let price = self.prices.worth(account.venue, *asset, *quote);
        price.map_or(Decimal::ZERO, |price| there.saturating_mul(price))
    }

    /// Base asset held on the account, the owner's own included.
    pub(crate) fn held(&self, account: &Account, base: &Asset) -> Decimal {
        let by_trades = self
            .trades_of(account)
            .filter(|trade| trade.base == *base)
            .fold(Decimal::ZERO, |sum, trade| sum.saturating_add(trade.quantity));
        self.asset(account, base).map_or(by_trades, |balance| balance.most().max(by_trades))
    }

    /// What is set aside for each trade that was granted and is not over.
    pub fn reserved(&self) -> impl Iterator<Item = (TradeId, Decimal)> {
        self.trades.iter().map(|(id, trade)| (*id, trade.reserved))
    }

    pub(crate) fn trades_of(&self, account: &Account) -> impl Iterator<Item = &Trade> {
        self.trades.values().filter(move |trade| trade.account == *account)
    }

    fn asset(&self, account: &Account, asset: &Asset) -> Option<&Balance> {
        self.balances.get(account).and_then(|assets| assets.get(asset))
    }

    fn asset_mut(&mut self, account: Account, asset: Asset) -> &mut Balance {
        self.balances.entry(account).or_default().entry(asset).or_default()
    }
}

/// Taking in what happened.
impl State {
    pub(crate) fn observe(&mut self, seen: &BalanceChanged) {
        self.asset_mut(seen.account, seen.asset).observe(seen);
    }

    /// Our own grant: its money is set aside from here on.
    pub(crate) fn grant(&mut self, sized: &TradeSized) {
        let Some(rules) = self.rules.get(&sized.instrument) else { return };
        let trade = Trade {
            account: sized.account,
            instrument: sized.instrument,
            edge: sized.edge,
            direction: sized.direction,
            base: rules.base,
            reserved: sized.reserved,
            entry: None,
            quantity: Decimal::ZERO,
            cost: Decimal::ZERO,
            stop: None,
            exit: sized.exit,
            stop_ratio: sized.exit.map(|plan| plan.stop_ratio(sized.direction, sized.limit.get())),
        };
        self.trades.insert(sized.trade, trade);
    }

    /// An entry order is on its way; one that is tried anew sets its money aside anew.
    pub(crate) fn submit(&mut self, submitted: &OrderSubmitted, config: &Config) {
        for order in submitted.request.orders() {
            let Origin::Trade { trade: id, leg: Leg::Entry, .. } = order.origin else { continue };
            let Some(trade) = self.trades.get_mut(&id) else { continue };
            let cost = config.terms(submitted.account).with_fee(notional(order));
            trade.reserved = trade.reserved.max(cost);
            trade.entry = Some(Entry { order: order.id, accepted: None });
            self.entries.insert(order.id, id);
        }
    }

    pub(crate) fn accept(&mut self, accepted: &OrderAccepted) {
        let Some(trade) = self.entries.get(&accepted.order).and_then(|id| self.trades.get_mut(id)) else {
            return;
        };
        if let Some(entry) = trade.entry.as_mut().filter(|entry| entry.order == accepted.order) {
            entry.accepted = Some(accepted.at);
        }
    }

    pub(crate) fn fill(&mut self, fill: &OrderFilled) {
        self.prices.quote(fill.instrument, fill.price, fill.at);
        let Some(rules) = self.rules.get(&fill.instrument) else { return };
        let (base, quote) = (rules.base, rules.quote);
        let fee_in =
            |asset| fill.fee.filter(|fee| fee.asset == asset).map_or(Decimal::ZERO, |fee| fee.amount);
        let (base_fee, quote_fee) = (fee_in(base), fee_in(quote));
        let quantity = fill.quantity.get();
        if fill.instrument.kind.can_be_short() {
            // Settled in the quote asset: an entry takes its margin, and what leaving gives back counts when it is
            // seen.
            let entered = self.entries.contains_key(&fill.order);
            let paid = if entered { fill.quote.saturating_add(quote_fee) } else { quote_fee };
            self.asset_mut(fill.account, quote).take(paid, fill.at);
            self.pay(&fill.order, paid, quantity);
            return;
        }
        match fill.side {
            Side::Buy => {
                let paid = fill.quote.saturating_add(quote_fee);
                let got = quantity.saturating_sub(base_fee);
                self.asset_mut(fill.account, quote).take(paid, fill.at);
                self.asset_mut(fill.account, base).give(got, fill.at);
                self.pay(&fill.order, paid, got);
            }
            Side::Sell => {
                let got = fill.quote.saturating_sub(quote_fee);
                self.asset_mut(fill.account, base).take(quantity.saturating_add(base_fee), fill.at);
                self.asset_mut(fill.account, quote).give(got, fill.at);
            }
        }
    }

    /// A fill replaces its part of the money set aside.
    fn pay(&mut self, order: &ClientOrderId, paid: Decimal, got: Decimal) {
        let Some(trade) = self.entries.get(order).and_then(|id| self.trades.get_mut(id)) else { return };
        trade.reserved = trade.reserved.saturating_sub(paid).max(Decimal::ZERO);
        trade.cost = trade.cost.saturating_add(paid);
        trade.quantity = trade.quantity.saturating_add(got);
    }

    /// An entry can buy nothing more, however it ended.
    pub(crate) fn done(&mut self, done: &OrderDone) {
        let Some(id) = self.entries.remove(&done.order) else { return };
        let Some(trade) = self.trades.get_mut(&id) else { return };
        if trade.entry.is_some_and(|entry| entry.order == done.order) {
            trade.entry = None;
            trade.reserved = Decimal::ZERO;
        }
    }

    /// Also of a trade that was given up and filled all the same.
    pub(crate) fn open(&mut self, opened: &TradeOpened, config: &Config) {
        let Some(rules) = self.rules.get(&opened.instrument) else { return };
        let exit = config.edge(&opened.edge).and_then(|edge| edge.exit);
        let trade = self.trades.entry(opened.trade).or_insert_with(|| Trade {
            account: opened.account,
            instrument: opened.instrument,
            edge: opened.edge,
            direction: opened.direction,
            base: rules.base,
            reserved: Decimal::ZERO,
            entry: None,
            quantity: Decimal::ZERO,
            cost: Decimal::ZERO,
            stop: None,
            exit,
            stop_ratio: exit.map(|plan| plan.stop_ratio(opened.direction, opened.price)),
        });
        trade.quantity = opened.quantity;
        trade.cost = opened.value;
    }

    pub(crate) fn protect(&mut self, protected: &TradeProtected) {
        if let Some(trade) = self.trades.get_mut(&protected.trade) {
            trade.stop = Some(protected.stop);
        }
    }

    /// Closed or aborted: it holds nothing and is promised nothing.
    pub(crate) fn end(&mut self, trade: &TradeId) {
        if let Some(entry) = self.trades.remove(trade).and_then(|trade| trade.entry) {
            self.entries.remove(&entry.order);
        }
    }
}

/// The most that an order can spend; a market order by quantity names no price.
fn notional(order: &NewOrder) -> Decimal {
    match (order.size, order.kind.limit()) {
        (Size::Quote(quote), _) => quote.get(),
        (Size::Base(quantity), Some(price)) => quantity.get().saturating_mul(price.get()),
        (Size::Base(_), None) => Decimal::ZERO,
    }
}
