//! Two markets with a past of three days, by the hour.

use domain::{Instrument, InstrumentRules, Interval, Timestamp};
use events::Candle;
use paper_exchange::simulator::{Simulator, Source};
use std::collections::BTreeMap;

const HOURS: i64 = 72;
const HOUR: i64 = 3_600_000_000;

/// Its past ends at the last whole hour before `start`.
pub fn simulator(start: Timestamp) -> Simulator {
    let markets = [("BTC", 50_000, "0.00001"), ("ETH", 2_500, "0.0001")];
    let first = (start.micros() / HOUR - HOURS) * HOUR;
    let candles = (0..HOURS).flat_map(move |hour| {
        markets.map(|(base, price, _)| candle(base, price, Timestamp::from_micros(first + hour * HOUR), hour))
    });
    Simulator::new(Source {
        rules: BTreeMap::from(markets.map(|(base, _, lot)| (instrument(base), rules(base, lot)))),
        candles: Box::new(candles),
        seed: 7,
        shift: 0,
        start,
    })
}

/// Up and down by 1 % in turn.
fn candle(base: &str, price: i64, open_time: Timestamp, hour: i64) -> Candle {
    let (low, high) = (price, price + price / 100);
    let (open, close) = if hour % 2 == 0 { (low, high) } else { (high, low) };
    let number = |n: i64| n.to_string().parse().expect("a price");
    Candle {
        instrument: instrument(base),
        interval: Interval::Hour1,
        open_time,
        open: number(open),
        high: number(high + price / 500),
        low: number(low - price / 500),
        close: number(close),
        volume: "2000".parse().expect("a volume"),
    }
}

fn instrument(base: &str) -> Instrument {
    format!("binance:spot:{base}USDT").parse().expect("an instrument")
}

fn rules(base: &str, lot: &str) -> InstrumentRules {
    let number = |text: &str| text.parse().expect("a number");
    InstrumentRules {
        base: base.parse().expect("an asset"),
        quote: "USDT".parse().expect("an asset"),
        tick_size: number("0.01"),
        min_price: Some(number("0.01")),
        max_price: Some(number("1000000")),
        lot_size: lot.parse().expect("a lot"),
        min_quantity: lot.parse().expect("a quantity"),
        max_quantity: Some(number("9000")),
        market_lot_size: None,
        market_min_quantity: None,
        market_max_quantity: None,
        min_notional: number("5"),
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
        unlisted: domain::rules::Unlisted::default(),
        quote_quantity_allowed: true,
        base_precision: 8,
        quote_precision: 8,
        contract: None,
        listing: None,
    }
}
