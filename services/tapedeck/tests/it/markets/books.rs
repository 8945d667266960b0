//! The books, kept a second time: from fills and closes alone.

use super::{
    Met,
    market::{Drawn, Log, asset},
};
use domain::{
    Asset, ClientOrderId, Decimal, Instrument, Leg, OrderRequest, Origin, Side, Timestamp, TradeId,
    money::floor_to,
};
use events::{
    Event, ExitReason, OrderEvent, OrderFilled, PortfolioEvent, PortfolioValued, Rejection, SizingRule,
    TradeEvent,
};
use std::collections::BTreeMap;

/// Decimals of a value, as the portfolio says it.
const DIGITS: u32 = 8;

type Checked = Result<(), String>;

struct Books<'a> {
    drawn: &'a Drawn,
    fills: Vec<(u64, &'a OrderFilled)>,
    /// Of every order of ours.
    legs: BTreeMap<ClientOrderId, (TradeId, Leg)>,
}

/// # Errors
/// The first figure that is not what fills and closes make of it.
pub fn check(drawn: &Drawn, log: &Log, met: &mut Met) -> Checked {
    let mut books = Books { drawn, fills: Vec::new(), legs: BTreeMap::new() };
    for event in &log.0 {
        match &event.event {
            Event::Order(OrderEvent::Filled(fill)) => books.fills.push((event.position, fill)),
            Event::Order(OrderEvent::Submitted(e)) => books.know(&e.request),
            _ => {}
        }
    }
    books.every_day_is_valued_after_its_fills(log)?;
    books.sizes_follow_from_what_there_is(log, met)?;
    books.nothing_is_entered_that_could_not_be_left(log, met)?;
    books.profits_dust_and_what_is_open_make_the_change(log, met)
}

impl Books<'_> {
    fn know(&mut self, request: &OrderRequest) {
        for order in request.orders() {
            if let Origin::Trade { trade, leg, .. } = order.origin {
                self.legs.insert(order.id, (trade, leg));
            }
        }
    }

    /// What the account owns once the fills that are `counted` have happened.
    fn owned(&self, counted: impl Fn(u64, &OrderFilled) -> bool) -> BTreeMap<Asset, Decimal> {
        let mut owned = self.drawn.balances.clone();
        for (position, fill) in &self.fills {
            if !counted(*position, fill) {
                continue;
            }
            let (base, quote) = self.assets(&fill.instrument);
            let sign = if fill.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            *owned.entry(base).or_default() += sign * fill.quantity.get();
            *owned.entry(quote).or_default() -= sign * fill.quote;
            if let Some(fee) = fill.fee {
                *owned.entry(fee.asset).or_default() -= fee.amount;
            }
        }
        owned
    }

    fn assets(&self, instrument: &Instrument) -> (Asset, Asset) {
        let rules = &self.drawn.rules[instrument];
        (rules.base, rules.quote)
    }

    /// The last close at or before then, straight from the market.
    fn price(&self, of: Asset, at: Timestamp) -> Option<Decimal> {
        if of == asset("USDT") {
            return Some(Decimal::ONE);
        }
        let (instrument, _) = self.drawn.rules.iter().find(|(_, rules)| rules.base == of)?;
        let closed = self.drawn.candles[instrument].iter().rev().find(|candle| candle.close_time() <= at)?;
        Some(closed.close.get())
    }

    fn worth(&self, owned: &BTreeMap<Asset, Decimal>, at: Timestamp) -> Decimal {
        let value = |(&asset, &held): (&Asset, &Decimal)| {
            (held * self.price(asset, at).unwrap_or_default()).round_dp(DIGITS)
        };
        owned.iter().map(value).sum()
    }

    fn every_day_is_valued_after_its_fills(&self, log: &Log) -> Checked {
        let rows = valuations(log)?;
        let days = self.drawn.candles.values().flatten().map(|candle| candle.close_time());
        for day in days {
            rows.get(&day).ok_or_else(|| format!("{day} is not valued"))?;
        }
        let mut peak = Decimal::MIN;
        for (&at, valued) in &rows {
            let owned = self.owned(|_, fill| fill.at <= at);
            let equity = self.worth(&owned, at);
            same(&format!("equity of {at}"), valued.equity, equity)?;
            same(&format!("cash of {at}"), valued.cash, owned[&asset("USDT")])?;
            peak = peak.max(equity);
            same(&format!("peak of {at}"), valued.peak, peak)?;
            let drawdown = (Decimal::ONE - equity / peak).round_dp(DIGITS);
            same(&format!("drawdown of {at}"), valued.drawdown, drawdown)?;
        }
        Ok(())
    }

    fn sizes_follow_from_what_there_is(&self, log: &Log, met: &mut Met) -> Checked {
        for event in &log.0 {
            let Event::Trade(TradeEvent::Sized(sized)) = &event.event else { continue };
            met.sized += 1;
            let owned = self.owned(|position, _| position < event.position);
            same(
                &format!("equity that {} is sized by", sized.trade),
                sized.sizing.equity,
                self.worth(&owned, event.recorded_at),
            )?;
        }
        Ok(())
    }

    fn nothing_is_entered_that_could_not_be_left(&self, log: &Log, met: &mut Met) -> Checked {
        let mut sized = BTreeMap::new();
        let mut opened: BTreeMap<TradeId, Timestamp> = BTreeMap::new();
        for event in &log.0 {
            match &event.event {
                Event::Trade(TradeEvent::Refused(e)) => match e.rule {
                    SizingRule::Unsellable => met.unsellable += 1,
                    SizingRule::Filter | SizingRule::MinNotional if e.text.contains("protected") => {
                        met.unprotectable += 1;
                    }
                    _ => {}
                },
                Event::Trade(TradeEvent::Sized(e)) => _ = sized.insert(e.trade, e.quantity.get()),
                Event::Trade(TradeEvent::Opened(e)) => {
                    met.trades += 1;
                    let bought = self.bought(&e.trade);
                    // Of an entry that found too little to buy nobody can know.
                    if bought.0 < sized[&e.trade] {
                        continue;
                    }
                    opened.insert(e.trade, event.recorded_at);
                    let rules = &self.drawn.rules[&e.instrument];
                    let left = bought.1 - floor_to(bought.1, rules.market_step());
                    if left > bought.1 * Decimal::new(2, 2) {
                        return Err(format!("{}: {left} of {} are no whole lot", e.trade, bought.1));
                    }
                }
                Event::Order(OrderEvent::Rejected(e)) if e.reason == Rejection::Filter => {
                    let Some((trade, leg)) = self.legs.get(&e.order) else { continue };
                    if opened.get(trade) == Some(&event.recorded_at) {
                        return Err(format!("{trade}: its {} is refused at entry: {}", leg.as_str(), e.text));
                    }
                }
                Event::Trade(TradeEvent::Closed(e))
                    if e.reason == ExitReason::Unprotectable
                        && opened.get(&e.trade) == Some(&event.recorded_at) =>
                {
                    return Err(format!("{} is closed as unprotectable at entry", e.trade));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Base asset that a trade bought, and what its fees left of it.
    fn bought(&self, trade: &TradeId) -> (Decimal, Decimal) {
        let of_it = self.fills.iter().filter(|(_, fill)| {
            fill.side == Side::Buy && self.legs.get(&fill.order).is_some_and(|(id, _)| id == trade)
        });
        of_it.fold((Decimal::ZERO, Decimal::ZERO), |(bought, held), (_, fill)| {
            let base = self.assets(&fill.instrument).0;
            let fee = fill.fee.filter(|fee| fee.asset == base).map_or(Decimal::ZERO, |fee| fee.amount);
            (bought + fill.quantity.get(), held + fill.quantity.get() - fee)
        })
    }

    /// Profits of closed trades, what dust is worth beyond its cost, and what is open beyond its cost
    /// are the change of equity, but for what a third asset has lost in fees and price.
    fn profits_dust_and_what_is_open_make_the_change(&self, log: &Log, met: &mut Met) -> Checked {
        let rows = valuations(log)?;
        let (Some((first, start)), Some((&last, end))) = (rows.first_key_value(), rows.last_key_value())
        else {
            return Err("nothing is valued".to_owned());
        };
        let mut profits = Decimal::ZERO;
        // Of each instrument, what its trades hold now: dust and open, with what it has cost.
        let mut held: BTreeMap<Instrument, (Decimal, Decimal)> = BTreeMap::new();
        let mut dust: BTreeMap<Instrument, Decimal> = BTreeMap::new();
        let mut closed: BTreeMap<TradeId, ()> = BTreeMap::new();
        for event in &log.0 {
            let Event::Trade(TradeEvent::Closed(e)) = &event.event else { continue };
            closed.insert(e.trade, ());
            same(&format!("profit of {}", e.trade), e.profit, e.proceeds - e.cost)?;
            profits += e.profit;
            let entry = held.entry(e.instrument).or_default();
            entry.0 += e.left - e.carried;
            entry.1 += e.left_cost - e.carried_cost;
            *dust.entry(e.instrument).or_default() += e.left - e.carried;
            met.carried += usize::from(!e.carried.is_zero());
            met.dust += usize::from(!e.left.is_zero());
            met.stops_hit += usize::from(e.reason == ExitReason::StopHit);
        }
        for (_, fill) in &self.fills {
            let Some((trade, _)) = self.legs.get(&fill.order) else {
                return Err("a fill of nobody".to_owned());
            };
            if closed.contains_key(trade) {
                continue;
            }
            met.open += 1;
            let (base, quote) = self.assets(&fill.instrument);
            let fee_in =
                |asset| fill.fee.filter(|fee| fee.asset == asset).map_or(Decimal::ZERO, |fee| fee.amount);
            let sign = if fill.side == Side::Buy { Decimal::ONE } else { Decimal::NEGATIVE_ONE };
            let entry = held.entry(fill.instrument).or_default();
            entry.0 += sign * fill.quantity.get() - fee_in(base);
            entry.1 += sign * fill.quote + fee_in(quote);
        }
        if let Some((instrument, left)) = dust.iter().find(|(_, left)| **left < Decimal::ZERO) {
            return Err(format!("{instrument}: more dust was carried than left: {left}"));
        }
        let owned = self.owned(|_, _| true);
        let mut gains = Decimal::ZERO;
        let mut others = Decimal::ZERO;
        for (instrument, rules) in &self.drawn.rules {
            let (coins, cost) = held.get(instrument).copied().unwrap_or_default();
            let price = self.price(rules.base, last).unwrap_or_default();
            let before = self.drawn.balances.get(&rules.base).copied().unwrap_or_default();
            let now = owned.get(&rules.base).copied().unwrap_or_default();
            // The owner's own coins, and the asset that fees are paid from.
            let own = if rules.base == asset("BNB") { now } else { before };
            same(&format!("coins of {instrument}"), now, own + coins)?;
            gains += coins * price - cost;
            others += own * price - before * self.price(rules.base, *first).unwrap_or_default();
        }
        let change = self.exact(&owned, last) - self.exact(&self.drawn.balances, *first);
        same("the change of equity", profits + gains + others, change)?;
        // What is said is that, to eight decimals an asset.
        let said = end.equity - start.equity;
        let off = (said - change).abs();
        if off > Decimal::new(1, 7) { Err(format!("said {said}, made {change}")) } else { Ok(()) }
    }

    fn exact(&self, owned: &BTreeMap<Asset, Decimal>, at: Timestamp) -> Decimal {
        owned.iter().map(|(&asset, &held)| held * self.price(asset, at).unwrap_or_default()).sum()
    }
}

/// The last word on each instant, and no earlier one that is another.
fn valuations(log: &Log) -> Result<BTreeMap<Timestamp, &PortfolioValued>, String> {
    let mut rows: BTreeMap<Timestamp, &PortfolioValued> = BTreeMap::new();
    for event in &log.0 {
        if let Event::Portfolio(PortfolioEvent::Valued(valued)) = &event.event
            && rows.insert(event.recorded_at, valued).is_some()
        {
            return Err(format!("{} is valued twice", event.recorded_at));
        }
    }
    Ok(rows)
}

fn same(what: &str, is: Decimal, should: Decimal) -> Checked {
    if is == should { Ok(()) } else { Err(format!("{what} is {is}, and should be {should}")) }
}
