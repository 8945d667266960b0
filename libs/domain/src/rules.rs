//! The venue's rules for an instrument (Binance's `filters.md`), and what breaks them.

use crate::{
    Asset, Contract, Decimal, Listing, OrderKind, Price, Quantity, Side,
    exits::market_exit,
    money::{ceil_to, floor_to},
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What the venue asks of an order. A limit of zero, where Binance sends one, is held as `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentRules {
    pub base: Asset,
    pub quote: Asset,
    /// `PRICE_FILTER.tickSize`; prices are whole multiples.
    pub tick_size: Decimal,
    pub min_price: Option<Decimal>,
    pub max_price: Option<Decimal>,
    /// `LOT_SIZE.stepSize`; quantities are whole multiples.
    pub lot_size: Decimal,
    pub min_quantity: Decimal,
    pub max_quantity: Option<Decimal>,
    /// `MARKET_LOT_SIZE`, for market orders in addition to `LOT_SIZE`.
    pub market_lot_size: Option<Decimal>,
    pub market_min_quantity: Option<Decimal>,
    pub market_max_quantity: Option<Decimal>,
    /// `NOTIONAL` (before 2023 `MIN_NOTIONAL`): price × quantity in the quote asset.
    pub min_notional: Decimal,
    pub min_notional_applies_to_market: bool,
    pub max_notional: Option<Decimal>,
    pub max_notional_applies_to_market: bool,
    /// `PERCENT_PRICE_BY_SIDE` or `PERCENT_PRICE`: bounds relative to the average price.
    pub buy_price_range: Option<PriceRange>,
    pub sell_price_range: Option<PriceRange>,
    pub max_orders: Option<u32>,
    /// Orders with a trigger price (stop-loss, take-profit).
    pub max_algo_orders: Option<u32>,
    /// `MAX_NUM_ORDER_LISTS`: open OCOs and other lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_order_lists: Option<u32>,
    /// `MAX_POSITION`: most of the base asset that buying may lead to.
    pub max_position: Option<Decimal>,
    pub oco_allowed: bool,
    /// `orderTypes` without these: no order of that type is taken. Empty where the venue lists none.
    #[serde(default, skip_serializing_if = "Unlisted::is_empty")]
    pub unlisted: Unlisted,
    pub quote_quantity_allowed: bool,
    /// Decimals of base and quote amounts; a fee is rounded to these.
    pub base_precision: u32,
    pub quote_precision: u32,
    /// What an order of the instrument counts and is settled in, where it is a contract; `None` on spot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Contract>,
    /// What the venue lists beside that, where it was recorded: order types, self-trade modes, rarer filters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Box<Listing>>,
}

/// Order types that a plan of ours needs and that the venue's `orderTypes` do not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Unlisted {
    #[serde(skip_serializing_if = "is_false")]
    pub market: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub stop_loss_limit: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub limit_maker: bool,
}

impl Unlisted {
    /// Of the venue's list of order types; an empty list says nothing.
    pub fn of<'a>(listed: impl IntoIterator<Item = &'a str>) -> Self {
        let mut unlisted = Self { market: true, stop_loss_limit: true, limit_maker: true };
        let mut empty = true;
        for name in listed {
            empty = false;
            match name {
                "MARKET" => unlisted.market = false,
                "STOP_LOSS_LIMIT" => unlisted.stop_loss_limit = false,
                "LIMIT_MAKER" => unlisted.limit_maker = false,
                _ => {}
            }
        }
        if empty { Self::default() } else { unlisted }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Multipliers of the average price within which a limit price must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRange {
    pub down: Decimal,
    pub up: Decimal,
}

/// A rule that an order breaks. `Display` is Binance's own text of the filter's failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
pub enum Breach {
    #[error("Filter failure: PRICE_FILTER")]
    PriceFilter,
    #[error("Filter failure: PERCENT_PRICE_BY_SIDE")]
    PercentPrice,
    #[error("Filter failure: LOT_SIZE")]
    LotSize,
    #[error("Filter failure: MARKET_LOT_SIZE")]
    MarketLotSize,
    #[error("Filter failure: NOTIONAL")]
    Notional,
    #[error("Filter failure: MAX_NUM_ORDERS")]
    MaxNumOrders,
    #[error("Filter failure: MAX_NUM_ALGO_ORDERS")]
    MaxNumAlgoOrders,
    #[error("Filter failure: MAX_POSITION")]
    MaxPosition,
}

impl InstrumentRules {
    /// Rules that allow what fits the given steps, with everything else left open.
    pub fn open(
        base: Asset,
        quote: Asset,
        tick_size: Decimal,
        lot_size: Decimal,
        min_notional: Decimal,
    ) -> Self {
        Self {
            base,
            quote,
            tick_size,
            min_price: None,
            max_price: None,
            lot_size,
            min_quantity: lot_size,
            max_quantity: None,
            market_lot_size: None,
            market_min_quantity: None,
            market_max_quantity: None,
            min_notional,
            min_notional_applies_to_market: true,
            max_notional: None,
            max_notional_applies_to_market: false,
            buy_price_range: None,
            sell_price_range: None,
            max_orders: Some(200),
            max_algo_orders: Some(5),
            max_order_lists: None,
            max_position: None,
            oco_allowed: true,
            unlisted: Unlisted::default(),
            quote_quantity_allowed: true,
            base_precision: 8,
            quote_precision: 8,
            contract: None,
            listing: None,
        }
    }

    /// `raw` rounded down to a tick; `None` if nothing is left.
    pub fn floor_price(&self, raw: Decimal) -> Option<Price> {
        Price::new(floor_to(raw, self.tick_size).normalize()).ok()
    }

    /// `raw` rounded up to a tick.
    pub fn ceil_price(&self, raw: Decimal) -> Option<Price> {
        Price::new(ceil_to(raw, self.tick_size).normalize()).ok()
    }

    /// `raw` rounded to a tick that is worse for an order of that side, or where it is.
    pub fn worse_price(&self, side: Side, raw: Decimal) -> Option<Price> {
        match side {
            Side::Buy => self.ceil_price(raw),
            Side::Sell => self.floor_price(raw),
        }
    }

    /// `raw` rounded to a tick that is better for an order of that side, or where it is.
    pub fn better_price(&self, side: Side, raw: Decimal) -> Option<Price> {
        self.worse_price(side.opposite(), raw)
    }

    /// The bounds of a limit price relative to the average.
    pub fn price_range(&self, side: Side) -> Option<PriceRange> {
        match side {
            Side::Buy => self.buy_price_range,
            Side::Sell => self.sell_price_range,
        }
    }

    /// `raw` rounded down to a lot, or `None` if that is below the smallest quantity.
    pub fn floor_quantity(&self, raw: Decimal) -> Option<Quantity> {
        self.floored(raw, self.lot_size, self.min_quantity)
    }

    /// As [`Self::floor_quantity`], and right for a market order too.
    pub fn floor_market_quantity(&self, raw: Decimal) -> Option<Quantity> {
        let capped =
            [self.max_quantity, self.market_max_quantity].into_iter().flatten().fold(raw, Decimal::min);
        let least = self.market_min_quantity.unwrap_or(self.min_quantity).max(self.min_quantity);
        self.floored(capped, self.market_step(), least)
    }

    /// The step that a market order's quantity must keep: a multiple of both lots.
    pub fn market_step(&self) -> Decimal {
        self.market_lot_size.map_or(self.lot_size, |market| common_multiple(self.lot_size, market))
    }

    fn floored(&self, raw: Decimal, step: Decimal, least: Decimal) -> Option<Quantity> {
        let whole = floor_to(raw, step);
        if whole < least {
            return None;
        }
        Quantity::new(whole.normalize()).ok()
    }

    /// Whether `quantity` can be sold at all at about `price`, by a limit or a market order; what cannot
    /// is dust.
    pub fn is_dust(&self, quantity: Decimal, price: Decimal) -> bool {
        let by_limit = self
            .floor_quantity(quantity)
            .is_some_and(|sellable| sellable.get().saturating_mul(price) >= self.min_notional);
        !by_limit && market_exit(self, quantity, price).is_err()
    }

    /// Checks an order as the venue does; `average` is its reference price, if one is known.
    ///
    /// # Errors
    /// The first rule that is broken, in Binance's order of filters.
    pub fn check(
        &self,
        side: Side,
        kind: &OrderKind,
        quantity: Decimal,
        average: Option<Decimal>,
    ) -> Result<(), Breach> {
        self.check_prices(side, kind, average)?;
        self.check_quantity(kind, quantity, average)
    }

    /// The part of [`Self::check`] that needs no quantity: an order whose quantity is not known yet.
    ///
    /// # Errors
    /// The first rule about prices that is broken.
    pub fn check_prices(&self, side: Side, kind: &OrderKind, average: Option<Decimal>) -> Result<(), Breach> {
        for price in [kind.limit(), kind.stop()].into_iter().flatten() {
            self.check_price(price.get())?;
        }
        if let (Some(price), Some(average)) = (kind.limit(), average) {
            let price = price.get();
            if self.price_range(side).is_some_and(|r| price < average * r.down || price > average * r.up) {
                return Err(Breach::PercentPrice);
            }
        }
        Ok(())
    }

    fn check_quantity(
        &self,
        kind: &OrderKind,
        quantity: Decimal,
        average: Option<Decimal>,
    ) -> Result<(), Breach> {
        let whole = |step: Decimal| floor_to(quantity, step) == quantity;
        if quantity < self.min_quantity
            || self.max_quantity.is_some_and(|max| quantity > max)
            || !whole(self.lot_size)
        {
            return Err(Breach::LotSize);
        }
        let market = kind.limit().is_none();
        if market
            && (self.market_min_quantity.is_some_and(|min| quantity < min)
                || self.market_max_quantity.is_some_and(|max| quantity > max)
                || self.market_lot_size.is_some_and(|step| !whole(step)))
        {
            return Err(Breach::MarketLotSize);
        }
        // A stop-limit order is judged at its limit; without any price, at the average.
        if let Some(price) = kind.limit().or(kind.stop()).map(Price::get).or(average) {
            let notional = price * quantity;
            if (!market || self.min_notional_applies_to_market) && notional < self.min_notional {
                return Err(Breach::Notional);
            }
            if (!market || self.max_notional_applies_to_market)
                && self.max_notional.is_some_and(|max| notional > max)
            {
                return Err(Breach::Notional);
            }
        }
        Ok(())
    }

    fn check_price(&self, price: Decimal) -> Result<(), Breach> {
        let whole = floor_to(price, self.tick_size) == price;
        let low = self.min_price.is_some_and(|min| price < min);
        let high = self.max_price.is_some_and(|max| price > max);
        if whole && !low && !high { Ok(()) } else { Err(Breach::PriceFilter) }
    }
}

/// The least multiple of both steps; the coarser one where there is none within 28 digits.
fn common_multiple(a: Decimal, b: Decimal) -> Decimal {
    let (coarse, fine) = (a.max(b), a.min(b));
    if fine.is_zero() {
        return coarse;
    }
    let multiples = std::iter::successors(Some(coarse), |multiple| multiple.checked_add(coarse));
    multiples.take(1_000).find(|multiple| (multiple % fine).is_zero()).unwrap_or(coarse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TimeInForce;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }
    fn rules(tick: &str, lot: &str) -> InstrumentRules {
        InstrumentRules::open("BTC".parse().unwrap(), "USDT".parse().unwrap(), d(tick), d(lot), d("5"))
    }
    fn limit(price: &str) -> OrderKind {
        OrderKind::Limit { price: price.parse().unwrap(), time_in_force: TimeInForce::Gtc }
    }

    #[test]
    fn prices_go_to_the_tick_and_quantities_down_to_the_lot() {
        let r = rules("0.05", "10");
        assert_eq!(r.floor_price(d("1.04")).unwrap().get(), d("1"));
        assert_eq!(r.ceil_price(d("1.04")).unwrap().get(), d("1.05"));
        assert_eq!(r.floor_quantity(d("1234.9")).unwrap().get(), d("1230"));
        assert_eq!(r.floor_quantity(d("9.9")), None);
    }

    #[test]
    fn each_filter_names_itself() {
        let r = InstrumentRules {
            market_max_quantity: Some(d("3")),
            buy_price_range: Some(PriceRange { down: d("0.2"), up: d("5") }),
            max_price: Some(d("1000000")),
            ..rules("0.01", "0.001")
        };
        let check = |kind: OrderKind, q: &str| r.check(Side::Buy, &kind, d(q), Some(d("100")));
        assert_eq!(check(limit("100"), "1"), Ok(()));
        assert_eq!(check(limit("100.001"), "1"), Err(Breach::PriceFilter));
        assert_eq!(check(limit("501"), "1"), Err(Breach::PercentPrice));
        assert_eq!(check(limit("100"), "1.0001"), Err(Breach::LotSize));
        assert_eq!(check(limit("100"), "0.049"), Err(Breach::Notional));
        assert_eq!(check(OrderKind::Market, "4"), Err(Breach::MarketLotSize));
        assert_eq!(check(OrderKind::Market, "0.049"), Err(Breach::Notional));
    }

    #[test]
    fn each_filter_takes_its_bound_and_refuses_what_is_beyond() {
        use Breach::*;
        let r = InstrumentRules {
            min_price: Some(d("10")),
            max_price: Some(d("1000")),
            buy_price_range: Some(PriceRange { down: d("0.5"), up: d("2") }),
            sell_price_range: Some(PriceRange { down: d("0.9"), up: d("9") }),
            min_quantity: d("0.01"),
            max_quantity: Some(d("100")),
            market_lot_size: Some(d("0.1")),
            market_min_quantity: Some(d("0.2")),
            market_max_quantity: Some(d("50")),
            max_notional: Some(d("5000")),
            ..rules("0.01", "0.001")
        };
        let kind = |word: &str, price: &str| match word {
            "limit" => limit(price),
            "stop" => OrderKind::StopLoss { stop: price.parse().unwrap() },
            _ => OrderKind::Market,
        };
        for (line, expected) in [
            ("limit 10 1", Ok(())),
            ("limit 9.99 1", Err(PriceFilter)),
            ("limit 10.005 1", Err(PriceFilter)),
            ("limit 1000 1", Ok(())),
            ("limit 1000.01 1", Err(PriceFilter)),
            ("stop 9.99 1", Err(PriceFilter)),
            ("limit 50 1 average 100", Ok(())),
            ("limit 49.99 1 average 100", Err(PercentPrice)),
            ("limit 200 1 average 100", Ok(())),
            ("limit 200.01 1 average 100", Err(PercentPrice)),
            ("limit 1000 0.01", Ok(())),
            ("limit 1000 0.009", Err(LotSize)),
            ("limit 1000 0.0105", Err(LotSize)),
            ("limit 10 100", Ok(())),
            ("limit 10 100.001", Err(LotSize)),
            ("market - 0.2 average 100", Ok(())),
            ("market - 0.1 average 100", Err(MarketLotSize)),
            ("market - 0.25 average 100", Err(MarketLotSize)),
            ("market - 50 average 100", Ok(())),
            ("market - 50.1 average 100", Err(MarketLotSize)),
            ("limit 100 0.05", Ok(())),
            ("limit 100 0.049", Err(Notional)),
            ("limit 100 50", Ok(())),
            ("limit 100 50.001", Err(Notional)),
            ("market - 0.5 average 10", Ok(())),
            ("market - 0.4 average 10", Err(Notional)),
            ("market - 0.2", Ok(())),
            // A market order by its trigger price, before the average.
            ("stop 20 0.2 average 100", Err(Notional)),
            // The largest notional is not asked of market orders here.
            ("market - 50 average 200", Ok(())),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let kind = kind(words[0], words[1]);
            let average = words.get(4).map(|price| d(price));
            assert_eq!(r.check(Side::Buy, &kind, d(words[2]), average), expected, "{line}");
        }
        let asked = InstrumentRules {
            min_notional_applies_to_market: false,
            max_notional_applies_to_market: true,
            ..r
        };
        let check = |quantity| asked.check(Side::Buy, &OrderKind::Market, d(quantity), Some(d("200")));
        assert_eq!((check("25"), check("25.1")), (Ok(()), Err(Notional)));
        let cheap = asked.check(Side::Buy, &OrderKind::Market, d("0.4"), Some(d("10")));
        assert_eq!(cheap, Ok(()));
        let sale = |price| asked.check(Side::Sell, &limit(price), d("1"), Some(d("100")));
        assert_eq!((sale("90"), sale("89.99")), (Ok(()), Err(PercentPrice)));
    }

    #[test]
    fn quantities_keep_both_lots_and_every_bound() {
        let r = InstrumentRules { max_quantity: Some(d("50")), ..rules("0.01", "10") };
        assert_eq!(r.floor_quantity(d("10")).unwrap().get(), d("10"));
        assert_eq!(r.floor_market_quantity(d("75")).unwrap().get(), d("50"));
        let least = |market: &str| InstrumentRules { market_min_quantity: Some(d(market)), ..r.clone() };
        assert_eq!(least("30").floor_market_quantity(d("29")), None);
        assert_eq!(least("1").floor_market_quantity(d("9")), None);
        let step = |lot: &str, market: &str| {
            InstrumentRules { market_lot_size: Some(d(market)), ..rules("0.01", lot) }.market_step()
        };
        assert_eq!(
            (step("0.2", "0.3"), step("0.3", "0.2"), step("0.1", "0")),
            (d("0.6"), d("0.6"), d("0.1"))
        );
        // No multiple of both is in reach.
        assert_eq!(step("0.70001", "0.00003"), d("0.70001") * d("3"));
        assert_eq!(step("1", "0.0000000000000007"), d("7"));
        assert_eq!(step("1", "0.9999"), d("1"));
    }

    #[test]
    fn dust_is_what_neither_a_limit_nor_a_market_order_sells() {
        let r = rules("0.01", "0.1");
        let dust = |rules: &InstrumentRules, quantity: &str| rules.is_dust(d(quantity), d("10"));
        assert!(!dust(&r, "0.5") && dust(&r, "0.4") && dust(&r, "0.09"));
        let by_limit = InstrumentRules { market_min_quantity: Some(d("1")), ..r.clone() };
        assert!(!dust(&by_limit, "0.5") && dust(&by_limit, "0.4"));
        let by_market = InstrumentRules { min_notional_applies_to_market: false, ..r };
        assert!(!dust(&by_market, "0.4") && dust(&by_market, "0.09"));
    }

    #[test]
    fn order_types_that_a_venue_does_not_name_are_not_taken_where_it_names_any() {
        let taken = |types: &[&str]| {
            let Unlisted { market, stop_loss_limit, limit_maker } = Unlisted::of(types.iter().copied());
            [!market, !stop_loss_limit, !limit_maker]
        };
        assert_eq!(taken(&[]), [true; 3]);
        assert_eq!(taken(&["LIMIT"]), [false; 3]);
        assert_eq!(taken(&["LIMIT", "MARKET"]), [true, false, false]);
        assert_eq!(taken(&["STOP_LOSS_LIMIT"]), [false, true, false]);
        assert_eq!(taken(&["LIMIT_MAKER", "MARKET"]), [true, false, true]);
    }

    #[test]
    fn only_order_types_that_are_not_taken_are_written() {
        let written = |unlisted| {
            let rules = InstrumentRules { unlisted, ..rules("0.01", "0.1") };
            serde_json::to_value(rules).unwrap().get("unlisted").cloned()
        };
        assert_eq!(written(Unlisted::default()), None);
        let market = Unlisted { market: true, ..Unlisted::default() };
        assert_eq!(written(market), Some(serde_json::json!({ "market": true })));
    }
}
