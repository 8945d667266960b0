//! What a venue lists of a spot symbol beside its common filters (Binance's `exchangeInfo`; `filters.md`).

use crate::OrderKind;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// As it was recorded. What is absent was not told, and is then what most symbols have.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Listing {
    /// `orderTypes`, by Binance's names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iceberg_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oto_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opo_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing_stop_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancel_replace_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amend_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peg_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_allowed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin_allowed: Option<bool>,
    /// `defaultSelfTradePreventionMode`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_trade: Option<String>,
    /// `allowedSelfTradePreventionModes`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_trades: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permission_sets: Option<Vec<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_commission_precision: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_commission_precision: Option<u32>,
    /// `quotePrecision`, the older of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote_precision: Option<u32>,
    /// The types of the symbol's filters, in order; none where filters were not told. One that is not among them
    /// limits nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iceberg_parts: Option<u32>,
    /// `TRAILING_DELTA`: smallest and largest, above the market and below it; in hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing_above: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trailing_below: Option<(u32, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_iceberg_orders: Option<u32>,
    /// `MAX_NUM_ORDER_AMENDS`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_amends: Option<u32>,
    /// `MAX_NUM_ORDER_LISTS`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lists: Option<u32>,
    /// `avgPriceMins` of the filters that refer to an average price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_minutes: Option<u32>,
}

impl Listing {
    /// Whether the symbol takes orders of that type.
    pub fn takes(&self, kind: &OrderKind) -> bool {
        self.order_types.as_ref().is_none_or(|types| types.iter().any(|name| name == kind.name()))
    }

    pub fn has_filter(&self, name: &str) -> bool {
        self.filters.iter().any(|filter| filter == name)
    }
}

impl crate::InstrumentRules {
    /// The rules with limits and a lot as a real symbol has them at that price, where there are none yet.
    /// Figures are those of Binance's BTCUSDT, moved by the price's power of ten.
    #[must_use]
    pub fn realistic(mut self, price: Decimal) -> Self {
        let magnitude = magnitude(price);
        let range = crate::rules::PriceRange { down: Decimal::new(2, 1), up: Decimal::from(5) };
        // An order of the smallest lot is worth a tenth to one unit of the quote asset; BTCUSDT: 0.00001.
        let lot = power_of_ten((-magnitude - 1).clamp(-8, 0));
        self.lot_size = self.lot_size.min(lot).normalize();
        self.min_quantity = self.min_quantity.min(self.lot_size);
        let most = Decimal::from(9) * power_of_ten((7 - magnitude).clamp(0, 10));
        self.min_price.get_or_insert(self.tick_size);
        // BTCUSDT: 1,000,000, 9,000 and 9,000,000.
        self.max_price.get_or_insert(power_of_ten((magnitude + 2).clamp(0, 9)));
        self.max_quantity.get_or_insert(most);
        self.market_max_quantity.get_or_insert(most / Decimal::from(75));
        self.max_notional.get_or_insert(Decimal::from(9_000_000));
        self.buy_price_range.get_or_insert(range);
        self.sell_price_range.get_or_insert(range);
        self
    }
}

/// The power of ten of a price's first digit: 4 of 60,000, −2 of 0.05.
fn magnitude(price: Decimal) -> i32 {
    (-12..=12).rev().find(|power| price >= power_of_ten(*power)).unwrap_or(-12)
}

fn power_of_ten(power: i32) -> Decimal {
    match u32::try_from(power) {
        Ok(power) => Decimal::from(10_i64.pow(power.min(18))),
        Err(_) => Decimal::new(1, power.unsigned_abs().min(28)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstrumentRules;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn realistic_rules_of_bitcoin_are_bitcoins_and_those_of_a_cheap_coin_a_cheap_coins() {
        let at = |price: &str, tick: &str, lot: &str| {
            let [base, quote] = ["A", "USDT"].map(|name| name.parse().unwrap());
            InstrumentRules::open(base, quote, d(tick), d(lot), d("5")).realistic(d(price))
        };
        let bitcoin = at("61234.5", "0.01", "0.01");
        assert_eq!((bitcoin.lot_size, bitcoin.min_quantity), (d("0.00001"), d("0.00001")));
        assert_eq!((bitcoin.max_price, bitcoin.max_quantity), (Some(d("1000000")), Some(d("9000"))));
        assert_eq!((bitcoin.market_max_quantity, bitcoin.max_notional), (Some(d("120")), Some(d("9000000"))));
        assert_eq!(bitcoin.buy_price_range.map(|range| (range.down, range.up)), Some((d("0.2"), d("5"))));
        let sol = at("150", "0.01", "0.01");
        assert_eq!((sol.lot_size, sol.max_price), (d("0.001"), Some(d("10000"))));
        let pepe = at("0.00001", "0.00000001", "1");
        assert_eq!((pepe.lot_size, pepe.max_price), (d("1"), Some(d("1"))));
        assert_eq!(pepe.max_quantity, Some(d("90000000000")));
        let known = InstrumentRules { max_quantity: Some(d("7")), ..at("150", "0.01", "0.01") };
        assert_eq!(known.realistic(d("150")).max_quantity, Some(d("7")), "what is known stays");
    }

    #[test]
    fn the_magnitude_of_a_price_is_the_place_of_its_first_digit_within_bounds() {
        let places = ["60000", "9999", "1", "0.99", "0.05", "0", "9e12", "9e13", "0.00000000000001"]
            .map(|price| magnitude(Decimal::from_scientific(price).or_else(|_| price.parse()).unwrap()));
        assert_eq!(places, [4, 3, 0, -1, -2, -12, 12, 12, -12]);
    }

    #[test]
    fn a_listing_takes_the_order_types_that_it_names_and_all_where_it_names_none() {
        let listing = |types: Option<Vec<String>>| Listing { order_types: types, ..Listing::default() };
        let market = OrderKind::Market;
        assert!(listing(None).takes(&market));
        assert!(listing(Some(vec!["LIMIT".to_owned(), "MARKET".to_owned()])).takes(&market));
        assert!(!listing(Some(vec!["LIMIT".to_owned()])).takes(&market));
        let filtered = Listing { filters: vec!["NOTIONAL".to_owned()], ..Listing::default() };
        assert!(filtered.has_filter("NOTIONAL") && !filtered.has_filter("LOT_SIZE"));
    }
}
