//! How a trade is protected and left, and whether the venue takes the orders for it.
//!
//! Sizer and planner ask the same functions: one before it buys, the other once it holds.
//! So what is bought can be protected, as far as the venue's rules tell.

use crate::{
    Amount, Breach, Decimal, InstrumentRules, OrderKind, Price, Quantity, Side, TimeInForce,
    money::{ceil_to, floor_to},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where an order of an exit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// This part of the average entry price away from it.
    Ratio(Decimal),
    Price(Price),
}

impl Level {
    /// Below an entry at that price.
    pub fn below(&self, entry: Decimal) -> Decimal {
        match self {
            Self::Ratio(ratio) => entry.saturating_mul(Decimal::ONE - ratio),
            Self::Price(price) => price.get(),
        }
    }

    /// Above an entry at that price.
    pub fn above(&self, entry: Decimal) -> Decimal {
        match self {
            Self::Ratio(ratio) => entry.saturating_mul(Decimal::ONE + ratio),
            Self::Price(price) => price.get(),
        }
    }
}

/// The least price for which a stop sells, as a ratio below something. Wide, because a stop that does not fill is no
/// stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopLimit {
    BelowStop(Decimal),
    /// Below the average entry price, and not above the stop.
    BelowEntry(Decimal),
}

/// How a trade is protected and left. It travels with the trade: what its edge's configuration says, or else the
/// signal that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExitPlan {
    /// What triggers the stop.
    pub stop: Level,
    pub limit: StopLimit,
    /// Where the profit is taken; stop and take-profit are then one-cancels-other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Level>,
}

impl ExitPlan {
    /// A stop-limit order: triggered at entry × (1 − `stop`), sold for at least
    /// the trigger price × (1 − `limit_below`).
    pub fn stop_limit(stop: Decimal, limit_below: Decimal) -> Self {
        Self { stop: Level::Ratio(stop), limit: StopLimit::BelowStop(limit_below), take_profit: None }
    }

    /// One-cancels-other: take profit at entry × (1 + `take_profit`); stop at entry × (1 − `stop`)
    /// with its limit at entry × (1 − `stop_limit`).
    pub fn oco(stop: Decimal, stop_limit: Decimal, take_profit: Decimal) -> Self {
        let limit = StopLimit::BelowEntry(stop_limit);
        Self { stop: Level::Ratio(stop), limit, take_profit: Some(Level::Ratio(take_profit)) }
    }

    /// How far below an entry at that price the stop lies, as a ratio; 0 for one above it.
    pub fn stop_ratio(&self, entry: Decimal) -> Decimal {
        match self.stop {
            Level::Ratio(ratio) => ratio,
            Level::Price(price) => {
                let left = price.get().checked_div(entry).unwrap_or(Decimal::ONE);
                (Decimal::ONE - left).max(Decimal::ZERO)
            }
        }
    }

    /// Whether stop and take-profit are a list at the venue.
    pub fn is_list(&self) -> bool {
        self.take_profit.is_some()
    }

    /// How many orders of the venue's count rest while a trade is protected by it.
    pub fn orders(&self) -> u32 {
        if self.is_list() { 2 } else { 1 }
    }
}

/// What is to be protected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Held {
    /// Base asset.
    pub quantity: Amount,
    /// Average entry price.
    pub entry: Decimal,
    /// Where the owner moved the stop to.
    pub moved: Option<Price>,
    /// What is taken for the venue's average price.
    pub average: Decimal,
    /// How far the stop's limit is raised from where the plan puts it towards its trigger, as a ratio:
    /// 0, or more once the venue has refused it there.
    pub raised: Decimal,
}

/// The orders that protect a holding, as the venue's rules allow them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExitOrders {
    /// Whole lots.
    pub quantity: Quantity,
    /// A stop-limit sale.
    pub stop: OrderKind,
    /// The stop's trigger price.
    pub trigger: Price,
    /// The take-profit price of an OCO.
    pub take_profit: Option<Price>,
}

/// Which order the venue would not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Stop,
    TakeProfit,
    /// The sale at market.
    Market,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stop => "its stop",
            Self::TakeProfit => "its take-profit order",
            Self::Market => "its sale at market",
        })
    }
}

/// Why the venue's rules leave no room for an exit: the order, the rule, the figure, the limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Obstacle {
    pub exit: Exit,
    /// `None` where the venue does not offer orders of that type for the instrument.
    pub breach: Option<Breach>,
    pub figure: Decimal,
    pub limit: Option<Decimal>,
}

impl Obstacle {
    fn not_offered(exit: Exit) -> Self {
        Self { exit, breach: None, figure: Decimal::ZERO, limit: None }
    }

    fn new(exit: Exit, breach: Breach, figure: Decimal, limit: Option<Decimal>) -> Self {
        Self { exit, breach: Some(breach), figure, limit }
    }
}

/// By how much the venue's average may be above what is taken for it, before a raised limit is refused.
const MARGIN: Decimal = Decimal::from_parts(101, 0, 0, false, 2);

/// How much of the venue's largest notional one sale at market is worth at most.
///
/// The venue judges it at its own average, over `avgPriceMins` (at Binance 5 minutes, or the last price where that
/// is 0; `filters.md`), and we at the last price that we heard. With a tenth of room the sale still passes while the
/// venue's average is up to a ninth above our price. Where the cap bites, the room costs one order more in ten.
const ROOM: Decimal = Decimal::from_parts(9, 0, 0, false, 1);

/// The orders that protect `held` by `plan`.
///
/// The stop's limit is raised from where the plan puts it to what the rules allow, at most to its
/// trigger: `PRICE_FILTER`, `PERCENT_PRICE(_BY_SIDE)` and the least notional, which the venue judges at
/// the limit (Binance's `filters.md`).
///
/// # Errors
/// The first rule that leaves no room.
pub fn exit_orders(plan: &ExitPlan, rules: &InstrumentRules, held: &Held) -> Result<ExitOrders, Obstacle> {
    use Exit::TakeProfit;
    let orders = stop_alone(plan, rules, held)?;
    let take_profit = match plan.take_profit {
        None => None,
        Some(take_profit) => {
            if !rules.oco_allowed || rules.unlisted.limit_maker {
                return Err(Obstacle::not_offered(TakeProfit));
            }
            let raw = take_profit.above(held.entry);
            let no_price = || Obstacle::new(TakeProfit, Breach::PriceFilter, raw, rules.max_price);
            let price = rules.ceil_price(raw).ok_or_else(no_price)?;
            check(rules, TakeProfit, &OrderKind::LimitMaker { price }, orders.quantity, held.average)?;
            Some(price)
        }
    };
    Ok(ExitOrders { take_profit, ..orders })
}

/// The stop of `plan` by itself: what protects where the venue takes no take-profit order beside it.
///
/// # Errors
/// The first rule that leaves no room for the stop.
pub fn stop_alone(plan: &ExitPlan, rules: &InstrumentRules, held: &Held) -> Result<ExitOrders, Obstacle> {
    use Exit::Stop;
    if rules.unlisted.stop_loss_limit {
        return Err(Obstacle::not_offered(Stop));
    }
    let most = rules.max_quantity.map_or(held.quantity, |max| held.quantity.min(max));
    let quantity = rules
        .floor_quantity(most)
        .ok_or_else(|| Obstacle::new(Stop, Breach::LotSize, most, Some(rules.min_quantity)))?;
    let below = |price: Decimal, ratio: Decimal| price.saturating_mul(Decimal::ONE - ratio);
    let raw_trigger = held.moved.map_or_else(|| plan.stop.below(held.entry), Price::get);
    let no_trigger = || Obstacle::new(Stop, Breach::PriceFilter, raw_trigger, rules.min_price);
    let trigger = rules.floor_price(raw_trigger).ok_or_else(no_trigger)?;
    let planned = match plan.limit {
        StopLimit::BelowStop(ratio) => below(trigger.get(), ratio),
        StopLimit::BelowEntry(ratio) => below(held.entry, ratio).min(trigger.get()),
    };
    let raised = (trigger.get() - planned).max(Decimal::ZERO).saturating_mul(held.raised);
    let planned = planned.saturating_add(raised);
    let limit = stop_limit(rules, held, quantity, trigger, planned)?;
    let stop = OrderKind::StopLossLimit { stop: trigger, price: limit, time_in_force: TimeInForce::Gtc };
    check(rules, Stop, &stop, quantity, held.average)?;
    Ok(ExitOrders { quantity, stop, trigger, take_profit: None })
}

/// Where the stop's limit may be, at `planned` or as little above it as the rules want.
fn stop_limit(
    rules: &InstrumentRules,
    held: &Held,
    quantity: Quantity,
    trigger: Price,
    planned: Decimal,
) -> Result<Price, Obstacle> {
    let notional = rules.min_notional / quantity.get();
    let percent =
        rules.sell_price_range.map_or(Decimal::ZERO, |range| held.average.saturating_mul(range.down));
    let least = rules.min_price.unwrap_or_default().max(notional);
    let at_least = |least: Decimal| {
        let as_planned = rules.floor_price(planned).filter(|price| price.get() >= least);
        as_planned.or_else(|| rules.ceil_price(least)).filter(|price| *price <= trigger)
    };
    let limit = at_least(least.max(percent.saturating_mul(MARGIN))).or_else(|| at_least(least.max(percent)));
    limit.ok_or_else(|| {
        let trigger = trigger.get();
        let obstacle = |breach, figure, limit| Obstacle::new(Exit::Stop, breach, figure, Some(limit));
        if percent > trigger {
            obstacle(Breach::PercentPrice, trigger, percent)
        } else if notional > trigger {
            obstacle(Breach::Notional, trigger.saturating_mul(quantity.get()), rules.min_notional)
        } else {
            obstacle(Breach::PriceFilter, trigger, least)
        }
    })
}

/// What a market order can sell of `held` now, at about `price`.
///
/// More than one such order may be needed: one sells at most what the venue takes at once, with some room
/// ([`ROOM`]), and leaves nothing that could not be sold by itself.
///
/// # Errors
/// The rule that leaves no room.
pub fn market_exit(rules: &InstrumentRules, held: Amount, price: Decimal) -> Result<Quantity, Obstacle> {
    market_part(rules, held, held, price)
}

/// As [`market_exit`], and at most `most` of it.
///
/// # Errors
/// The rule that leaves no room.
pub fn market_part(
    rules: &InstrumentRules,
    held: Amount,
    most: Amount,
    price: Decimal,
) -> Result<Quantity, Obstacle> {
    let quantity = one_sale(rules, held.min(most), price)?;
    let sells = |part: Amount| one_sale(rules, part, price).is_ok();
    let rest = held - quantity.get();
    if floor_to(rest, rules.market_step()).is_zero() || sells(rest) {
        return Ok(quantity);
    }
    // Two even parts are sold where a large one would leave one that is too small.
    let even = one_sale(rules, (held / Decimal::TWO).min(most), price);
    Ok(even.ok().filter(|even| sells(held - even.get())).unwrap_or(quantity))
}

/// What one market order sells of `held`.
fn one_sale(rules: &InstrumentRules, held: Amount, price: Decimal) -> Result<Quantity, Obstacle> {
    if rules.unlisted.market {
        return Err(Obstacle::not_offered(Exit::Market));
    }
    let capped = match rules.max_notional {
        Some(max) if rules.max_notional_applies_to_market => {
            held.min(max.saturating_mul(ROOM).checked_div(price).unwrap_or(held))
        }
        Some(_) | None => held,
    };
    let least = rules.market_min_quantity.unwrap_or(rules.min_quantity).max(rules.min_quantity);
    let too_little = || Obstacle::new(Exit::Market, Breach::MarketLotSize, held, Some(least));
    let quantity = rules.floor_market_quantity(capped).ok_or_else(too_little)?;
    let notional = quantity.get().saturating_mul(price);
    if rules.min_notional_applies_to_market && notional < rules.min_notional {
        return Err(Obstacle::new(Exit::Market, Breach::Notional, notional, Some(rules.min_notional)));
    }
    Ok(quantity)
}

/// How many market orders, one after the other, sell what can be sold of `held`, at about `price`, and what the
/// first of them sells.
///
/// # Errors
/// The rule that leaves no room for the first.
pub fn market_orders(
    rules: &InstrumentRules,
    held: Amount,
    price: Decimal,
) -> Result<(u32, Quantity), Obstacle> {
    let largest = one_sale(rules, held, price)?;
    let sellable = floor_to(held, rules.market_step());
    let orders = sellable.checked_div(largest.get()).unwrap_or(Decimal::MAX).ceil();
    Ok((u32::try_from(orders).unwrap_or(u32::MAX), largest))
}

/// What of `held` no exit can sell, because it is no whole lot.
pub fn unsellable(rules: &InstrumentRules, held: Amount) -> Amount {
    held - floor_to(held, rules.market_step())
}

/// The least quantity to buy of which a fee in the base asset leaves as many whole lots as it leaves of
/// `quantity`. `fee` is the part of a buy that the fee takes, at most.
pub fn least_for_same_lots(rules: &InstrumentRules, quantity: Quantity, fee: Decimal) -> Quantity {
    let lots = floor_to(after_fee(rules, quantity.get(), fee), rules.market_step());
    if lots <= Decimal::ZERO {
        return quantity;
    }
    let kept = Decimal::ONE - fee;
    let raw = lots.saturating_add(fee_dust(rules, fee)).checked_div(kept).unwrap_or(quantity.get());
    let least = ceil_to(raw, rules.lot_size).normalize();
    let leaves_them = |least: &Quantity| after_fee(rules, least.get(), fee) >= lots && *least <= quantity;
    Quantity::new(least).ok().filter(leaves_them).unwrap_or(quantity)
}

/// What is held at least after a buy of `quantity` whose fee is taken from the base asset.
pub fn after_fee(rules: &InstrumentRules, quantity: Decimal, fee: Decimal) -> Amount {
    let taken = quantity.saturating_mul(fee).saturating_add(fee_dust(rules, fee));
    (quantity - taken).max(Decimal::ZERO)
}

/// What rounding up may add to the fee of an order that fills in a few pieces; nothing where the fee of
/// each lot has no more decimals than the venue keeps.
fn fee_dust(rules: &InstrumentRules, fee: Decimal) -> Amount {
    let precision = rules.base_precision.min(Decimal::MAX_SCALE);
    let of_a_lot = rules.lot_size.saturating_mul(fee).normalize();
    let exact = of_a_lot.scale() <= precision && !rules.lot_size.is_zero();
    if exact { Decimal::ZERO } else { Decimal::new(8, precision) }
}

fn check(
    rules: &InstrumentRules,
    exit: Exit,
    kind: &OrderKind,
    quantity: Quantity,
    average: Decimal,
) -> Result<(), Obstacle> {
    let quantity = quantity.get();
    rules.check(Side::Sell, kind, quantity, Some(average)).map_err(|breach| {
        let price = kind.limit().or(kind.stop()).map_or(average, Price::get);
        let notional = quantity.saturating_mul(price);
        let range = rules.sell_price_range;
        let (figure, limit) = match breach {
            Breach::PriceFilter => (price, rules.max_price.filter(|max| price > *max).or(rules.min_price)),
            Breach::PercentPrice => (price, range.map(|range| average.saturating_mul(range.up))),
            Breach::LotSize => (quantity, rules.max_quantity),
            Breach::MarketLotSize => (quantity, rules.market_max_quantity),
            Breach::Notional if notional < rules.min_notional => (notional, Some(rules.min_notional)),
            Breach::Notional => (notional, rules.max_notional),
            Breach::MaxNumOrders | Breach::MaxNumAlgoOrders | Breach::MaxPosition => (quantity, None),
        };
        Obstacle::new(exit, breach, figure, limit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::PriceRange;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn rules(lot: &str) -> InstrumentRules {
        InstrumentRules::open("LTC".parse().unwrap(), "USDT".parse().unwrap(), d("0.01"), d(lot), d("5"))
    }

    fn stop_limit() -> ExitPlan {
        ExitPlan::stop_limit(d("0.15"), d("0.2"))
    }

    fn oco() -> ExitPlan {
        ExitPlan::oco(d("0.07"), d("0.15"), d("0.07"))
    }

    fn held(quantity: &str) -> Held {
        Held { quantity: d(quantity), entry: d("100"), moved: None, average: d("100"), raised: Decimal::ZERO }
    }

    fn sell_range(rules: InstrumentRules, down: &str, up: &str) -> InstrumentRules {
        InstrumentRules { sell_price_range: Some(PriceRange { down: d(down), up: d(up) }), ..rules }
    }

    fn words(result: Result<ExitOrders, Obstacle>) -> String {
        match result {
            Ok(orders) => {
                let limit = orders.stop.limit().unwrap();
                let above = orders.take_profit.map_or_else(String::new, |p| format!(" or {p}"));
                format!("{} at {} for {limit}{above}", orders.quantity, orders.trigger)
            }
            Err(Obstacle { exit, breach, figure, limit }) => {
                let rule = breach.map_or_else(|| "not offered".to_owned(), |breach| breach.to_string());
                let limit = limit.map_or_else(|| "-".to_owned(), |limit| limit.normalize().to_string());
                format!("{exit}: {rule}: {} of {limit}", figure.normalize())
            }
        }
    }

    #[test]
    fn a_stop_goes_where_the_plan_puts_it_if_the_rules_allow() {
        let r = rules("0.001");
        assert_eq!(words(exit_orders(&stop_limit(), &r, &held("1.0005"))), "1 at 85 for 68");
        assert_eq!(words(exit_orders(&oco(), &r, &held("1"))), "1 at 93 for 85 or 107");
    }

    #[test]
    fn stop_and_take_profit_may_stand_at_prices() {
        let r = rules("0.001");
        let at = |text: &str| Level::Price(text.parse().unwrap());
        let plan = ExitPlan { stop: at("91.237"), take_profit: Some(at("120.001")), ..stop_limit() };
        assert_eq!(words(exit_orders(&plan, &r, &held("1"))), "1 at 91.23 for 72.98 or 120.01");
        assert_eq!((plan.orders(), plan.stop_ratio(d("100"))), (2, d("0.08763")));
        let wide = ExitPlan { stop: at("91"), ..oco() };
        assert_eq!(words(exit_orders(&wide, &r, &held("1"))), "1 at 91 for 85 or 107");
        let tight = ExitPlan { stop: at("80"), ..oco() };
        assert_eq!(words(stop_alone(&tight, &r, &held("1"))), "1 at 80 for 80");
        assert_eq!(ExitPlan { stop: at("101"), ..oco() }.stop_ratio(d("100")), Decimal::ZERO);
    }

    #[test]
    fn a_stops_limit_is_raised_to_what_each_filter_allows() {
        let percent = sell_range(rules("0.001"), "0.8", "5");
        assert_eq!(words(exit_orders(&stop_limit(), &percent, &held("1"))), "1 at 85 for 80.8");
        // Without room for a margin it goes without.
        let tight = sell_range(rules("0.001"), "0.85", "5");
        assert_eq!(words(exit_orders(&stop_limit(), &tight, &held("1"))), "1 at 85 for 85");
        let notional = rules("0.001");
        assert_eq!(words(exit_orders(&stop_limit(), &notional, &held("0.07"))), "0.07 at 85 for 71.43");
        let price = InstrumentRules { min_price: Some(d("70")), ..rules("0.001") };
        assert_eq!(words(exit_orders(&stop_limit(), &price, &held("1"))), "1 at 85 for 70");
    }

    #[test]
    fn a_stop_for_which_there_is_no_room_names_the_filter() {
        let tight = sell_range(rules("0.001"), "0.9", "5");
        let no = |rules: &InstrumentRules, plan: &ExitPlan, quantity: &str| {
            words(exit_orders(plan, rules, &held(quantity)))
        };
        let percent = "Filter failure: PERCENT_PRICE_BY_SIDE";
        assert_eq!(no(&tight, &stop_limit(), "1"), format!("its stop: {percent}: 85 of 90"));
        let worth = "its stop: Filter failure: NOTIONAL: 4.25 of 5";
        assert_eq!(no(&rules("0.001"), &stop_limit(), "0.05"), worth);
        let price = InstrumentRules { min_price: Some(d("90")), ..rules("0.001") };
        assert_eq!(no(&price, &stop_limit(), "1"), "its stop: Filter failure: PRICE_FILTER: 85 of 90");
        assert_eq!(no(&rules("1"), &stop_limit(), "0.999"), "its stop: Filter failure: LOT_SIZE: 0.999 of 1");
        let unlisted = crate::rules::Unlisted::of(["LIMIT", "MARKET"]);
        let simple = InstrumentRules { unlisted, ..rules("0.001") };
        assert_eq!(no(&simple, &stop_limit(), "1"), "its stop: not offered: 0 of -");
    }

    #[test]
    fn a_take_profit_is_judged_at_its_own_price() {
        let no = |rules: InstrumentRules| words(exit_orders(&oco(), &rules, &held("1")));
        let order = "its take-profit order";
        assert_eq!(
            no(sell_range(rules("0.001"), "0.2", "1.05")),
            format!("{order}: Filter failure: PERCENT_PRICE_BY_SIDE: 107 of 105")
        );
        let cheap = InstrumentRules { max_price: Some(d("105")), ..rules("0.001") };
        assert_eq!(no(cheap), format!("{order}: Filter failure: PRICE_FILTER: 107 of 105"));
        let small = InstrumentRules { max_notional: Some(d("105")), ..rules("0.001") };
        assert_eq!(no(small), format!("{order}: Filter failure: NOTIONAL: 107 of 105"));
        let without = InstrumentRules { oco_allowed: false, ..rules("0.001") };
        assert_eq!(no(without), format!("{order}: not offered: 0 of -"));
    }

    #[test]
    fn a_refused_limit_is_raised_towards_the_trigger() {
        let raised = |part: &str| {
            let held = Held { raised: d(part), ..held("1") };
            words(exit_orders(&stop_limit(), &rules("0.001"), &held))
        };
        assert_eq!(raised("0.5"), "1 at 85 for 76.5");
        assert_eq!(raised("1"), "1 at 85 for 85");
    }

    #[test]
    fn a_sale_at_market_keeps_its_own_lot_and_the_notional() {
        let sell = |rules: &InstrumentRules, held: &str| {
            market_exit(rules, d(held), d("10")).map(|quantity| quantity.to_string()).map_err(|o| o.breach)
        };
        let r = InstrumentRules {
            market_lot_size: Some(d("0.3")),
            market_min_quantity: Some(d("0.6")),
            market_max_quantity: Some(d("60")),
            ..rules("0.2")
        };
        assert_eq!(sell(&r, "1.9"), Ok("1.8".to_owned()));
        assert_eq!(sell(&r, "0.5"), Err(Some(Breach::MarketLotSize)));
        assert_eq!(sell(&r, "100"), Ok("60".to_owned()));
        let worth = rules("0.1");
        assert_eq!(sell(&worth, "0.4"), Err(Some(Breach::Notional)));
        let free = InstrumentRules { min_notional_applies_to_market: false, ..rules("0.1") };
        assert_eq!(sell(&free, "0.4"), Ok("0.4".to_owned()));
        let most = InstrumentRules {
            max_notional: Some(d("50")),
            max_notional_applies_to_market: true,
            ..rules("0.1")
        };
        // 50 less a tenth of room.
        assert_eq!(sell(&most, "20"), Ok("4.5".to_owned()));
        let rising = market_exit(&most, d("20"), d("25")).map(|quantity| quantity.to_string());
        assert_eq!(rising, Ok("1.8".to_owned()));
    }

    #[test]
    fn a_sale_in_parts_leaves_nothing_that_could_not_be_sold_by_itself() {
        let r = InstrumentRules { market_max_quantity: Some(d("6")), ..rules("0.1") };
        let parts = |rules: &InstrumentRules, held: &str| {
            let mut held = d(held);
            let mut parts = Vec::new();
            while let Ok(quantity) = market_exit(rules, held, d("10")) {
                held -= quantity.get();
                parts.push(quantity.to_string());
            }
            (parts.join(" "), held.normalize().to_string())
        };
        let said = |parts: &str, left: &str| (parts.to_owned(), left.to_owned());
        // 6 and 0.3 would be 0.3 unsold: 10 × 0.3 is less than 5.
        assert_eq!(parts(&r, "6.3"), said("3.1 3.2", "0"));
        assert_eq!(parts(&r, "12.05"), said("6 6", "0.05"));
        assert_eq!(parts(&r, "6.5"), said("6 0.5", "0"));
        let coarse = InstrumentRules { market_min_quantity: Some(d("2")), ..r };
        assert_eq!(parts(&coarse, "7"), said("3.5 3.5", "0"));
    }

    #[test]
    fn orders_that_a_sale_takes_are_counted() {
        let count = |rules: &InstrumentRules, held: &str| {
            let counted = market_orders(rules, d(held), d("10"));
            counted.map(|(orders, first)| (orders, first.to_string())).map_err(|o| o.breach)
        };
        let r = InstrumentRules { market_max_quantity: Some(d("0.6")), ..rules("0.1") };
        assert_eq!(count(&r, "0.6"), Ok((1, "0.6".to_owned())));
        assert_eq!(count(&r, "6.05"), Ok((10, "0.6".to_owned())));
        assert_eq!(count(&r, "6.1"), Ok((11, "0.6".to_owned())));
        assert_eq!(count(&rules("0.1"), "1000000"), Ok((1, "1000000".to_owned())));
        assert_eq!(count(&rules("0.1"), "0.4"), Err(Some(Breach::Notional)));
    }

    #[test]
    fn a_stop_alone_stands_where_that_of_two_does() {
        let without = InstrumentRules { oco_allowed: false, ..rules("0.001") };
        assert_eq!(words(stop_alone(&oco(), &without, &held("1"))), "1 at 93 for 85");
    }

    #[test]
    fn no_more_is_bought_than_whole_lots_are_left_of() {
        let least = |lot: &str, quantity: &str, fee: &str| {
            least_for_same_lots(&rules(lot), quantity.parse().unwrap(), d(fee)).to_string()
        };
        // 1001 lots less a thousandth are 999.999: no more than 1000 lots leave.
        assert_eq!(least("1", "1001", "0.001"), "1000");
        assert_eq!(least("1", "1002", "0.001"), "1002");
        // A fee that is rounded up may leave a little less.
        assert_eq!(least("0.00000001", "1000", "0.001"), "1000");
        assert_eq!(least("1", "1500", "0.001"), "1500");
        assert_eq!(least("1", "1", "0.001"), "1");
        assert_eq!(least("0.001", "2", "0"), "2");
    }
}
