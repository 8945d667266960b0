//! Market data and signals.

use super::{all, at, d, one, v};
use crate::every;
use domain::{
    Contract, Instrument, InstrumentKind, InstrumentRules, Interval,
    rules::{PriceRange, Unlisted},
};
use events::*;

pub fn samples(kind: Kind) -> Vec<Event> {
    match kind {
        Kind::InstrumentListed => vec![
            InstrumentListed { instrument: btc(), rules: Box::new(full_rules()) }.into(),
            InstrumentListed {
                instrument: v("binance:spot:币安人生USDT"), rules: Box::new(open_rules())
            }
            .into(),
            InstrumentListed { instrument: perpetual(), rules: Box::new(contract_rules()) }.into(),
        ],
        Kind::CandleClosed => {
            let by_interval =
                all(every::intervals(), |interval| CandleClosed { candle: Candle { interval, ..candle() } });
            let by_kind = all(every::instrument_kinds(), |kind| CandleClosed {
                candle: Candle { instrument: Instrument { kind, ..btc() }, ..candle() },
            });
            by_interval.into_iter().chain(by_kind).collect()
        }
        Kind::CandleMissing => one(CandleMissing {
            instrument: btc(),
            interval: Interval::Hour4,
            from: at(0),
            until: at(86_400_000_000),
            count: 6,
        }),
        Kind::CandleDiffers => one(CandleDiffers { second: candle() }),
        Kind::CandleRefused => all(every::candle_faults(), |fault| CandleRefused { candle: candle(), fault }),
        Kind::QuoteAsked => one(QuoteAsked { instrument: btc() }),
        Kind::QuoteSeen => {
            let played = QuoteSeen { instrument: btc(), price: v("42000.10"), at: at(1), best: None };
            let best = BestPrices {
                bid: played.price,
                bid_quantity: v("0.5"),
                ask: v("42000.11"),
                ask_quantity: v("1.25"),
            };
            vec![played.into(), QuoteSeen { best: Some(best), ..played }.into()]
        }
        Kind::SignalGiven => {
            let given = |direction, previous, evidence, test| SignalGiven {
                edge: v("edge70"),
                instrument: btc(),
                direction,
                price: v("42000.10"),
                at: at(0),
                previous,
                evidence,
                stop: None,
                target: None,
                strength: None,
                valid_until: None,
                test,
            };
            let figures = [("atr".to_owned(), d("120.50")), ("rsi".to_owned(), d("71"))];
            let figures = Some(Evidence::Figures(figures.into()));
            vec![
                given(SignalDirection::Long, Some(SignalDirection::Short), breakout(20), false).into(),
                given(SignalDirection::Short, Some(SignalDirection::Long), breakout(20), true).into(),
                given(SignalDirection::Long, None, None, false).into(),
                SignalGiven {
                    stop: Some(v("41000")),
                    target: Some(v("45000.5")),
                    strength: Some(d("0.75")),
                    valid_until: Some(at(60_000_000)),
                    ..given(SignalDirection::Flat, Some(SignalDirection::Long), figures, false)
                }
                .into(),
            ]
        }
        Kind::SignalPossible => all(every::directions(), |direction| SignalPossible {
            edge: v("edge70"),
            instrument: btc(),
            direction: direction.into(),
            price: v("42000.10"),
            at: at(0),
            evidence: breakout(20),
        }),
        Kind::SignalAmbiguous => one(SignalAmbiguous {
            edge: v("edge70"),
            instrument: btc(),
            at: at(0),
            long: breakout(20),
            short: breakout(21),
        }),
        other => unreachable!("{} has its samples elsewhere", other.name()),
    }
}

pub fn btc() -> Instrument {
    Instrument { symbol: v("BTCUSDT"), venue: v("binance"), kind: InstrumentKind::Spot }
}

/// A contract, with what only such have.
pub fn perpetual() -> Instrument {
    Instrument { kind: InstrumentKind::LinearPerpetual, ..btc() }
}

fn candle() -> Candle {
    Candle {
        instrument: btc(),
        interval: Interval::Day1,
        open_time: at(0),
        open: v("42000.10"),
        high: v("43000"),
        low: v("41999.99"),
        close: v("42999.00000001"),
        volume: d("1234.50000"),
    }
}

fn breakout(lookback: u32) -> Option<Evidence> {
    let breakout = Breakout { interval: Interval::Day1, lookback, channel: v("42500"), extreme: v("43000") };
    Some(Evidence::Breakout(breakout))
}

fn full_rules() -> InstrumentRules {
    InstrumentRules {
        base: v("BTC"),
        quote: v("USDT"),
        tick_size: d("0.01"),
        min_price: Some(d("0.01")),
        max_price: Some(d("1000000.00")),
        lot_size: d("0.00001"),
        min_quantity: d("0.00001"),
        max_quantity: Some(d("9000")),
        market_lot_size: Some(d("0.00002")),
        market_min_quantity: Some(d("0.00003")),
        market_max_quantity: Some(d("120.5")),
        min_notional: d("5"),
        min_notional_applies_to_market: true,
        max_notional: Some(d("9000000")),
        max_notional_applies_to_market: false,
        buy_price_range: Some(PriceRange { down: d("0.2"), up: d("5") }),
        sell_price_range: Some(PriceRange { down: d("0.3"), up: d("4") }),
        max_orders: Some(200),
        max_algo_orders: Some(5),
        max_order_lists: Some(20),
        max_position: Some(d("1000")),
        oco_allowed: true,
        unlisted: Unlisted { stop_loss_limit: true, ..Unlisted::default() },
        quote_quantity_allowed: false,
        base_precision: 8,
        quote_precision: 6,
        contract: None,
        listing: None,
    }
}

fn contract_rules() -> InstrumentRules {
    let contract = Contract { settlement: v("USDT"), multiplier: d("0.001") };
    InstrumentRules { contract: Some(contract), ..open_rules() }
}

/// With every limit that may be absent absent.
fn open_rules() -> InstrumentRules {
    InstrumentRules {
        max_orders: None,
        max_algo_orders: None,
        ..InstrumentRules::open(v("币安人生"), v("USDT"), d("0.0001"), d("1"), d("5"))
    }
}
