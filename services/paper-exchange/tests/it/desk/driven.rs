//! Driven by the facts of a market, the exchange does what `venue-paper` does.

use super::stage::{START, Stage, assert_has, btc, d, setup};
use domain::{Interval, Timestamp};
use events::{Candle, CandleClosed, QuoteSeen};
use paper_exchange::endpoint::Endpoint::{MyTrades, OrderQuery};
use serde_json::json;

fn candle(n: i64, [open, high, low, close]: [&str; 4]) -> Candle {
    Candle {
        instrument: btc(),
        interval: Interval::Minute1,
        open_time: Timestamp::from_millis(START + n * 60_000),
        open: open.parse().unwrap(),
        high: high.parse().unwrap(),
        low: low.parse().unwrap(),
        close: close.parse().unwrap(),
        volume: d("1000"),
    }
}

fn hear(stage: &mut Stage, candle: Candle) {
    stage.now = candle.close_time();
    stage.exchange.hear(stage.now, &CandleClosed { candle }.into());
}

#[test]
fn starting_balances_are_told_at_the_first_listing() {
    let mut stage = Stage::silent(super::stage::rules());
    let frames = stage.frames();
    assert_eq!(frames.len(), 1);
    assert_has(
        &frames[0],
        json!({
            "e": "outboundAccountPosition",
            "u": START,
            "B": [
                { "a": "BTC", "f": "10.00000000", "l": "0.00000000" },
                { "a": "USDT", "f": "100000.00000000", "l": "0.00000000" },
            ],
        }),
    );
}

#[test]
fn a_market_order_asks_for_a_quote_and_fills_at_it() {
    let mut stage = Stage::silent(super::stage::rules());
    hear(&mut stage, candle(0, ["100", "101", "99", "100"]));
    stage.frames();
    let placed = stage.exchange.call(
        paper_exchange::endpoint::Endpoint::OrderPlace,
        &super::stage::params("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&newClientOrderId=m"),
        paper_exchange::params::TimeUnit::Milli,
    );
    assert_eq!(placed.unwrap()["status"], "NEW");
    assert_eq!(stage.exchange.take_quotes_wanted(), [btc()].into());
    assert!(stage.exchange.take_quotes_wanted().is_empty());
    stage.exchange.hear(
        stage.now,
        &QuoteSeen { instrument: btc(), price: "100".parse().unwrap(), at: stage.now, best: None }.into(),
    );
    // Half a thousandth worse than the quote.
    let news = stage.news();
    assert!(news.contains("TRADE FILLED m 1@100.05"), "{news}");
    assert_eq!(setup().paper.first.terms.slippage_ratio, d("0.0005"));
}

#[test]
fn a_resting_order_fills_when_a_candle_trades_through_it() {
    let mut stage = Stage::silent(super::stage::rules());
    hear(&mut stage, candle(0, ["100", "101", "99", "100"]));
    stage.frames();
    let place = super::stage::params(
        "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=98&newClientOrderId=mine",
    );
    let unit = paper_exchange::params::TimeUnit::Milli;
    stage.exchange.call(paper_exchange::endpoint::Endpoint::OrderPlace, &place, unit).unwrap();
    let created = stage.now.millis();
    hear(&mut stage, candle(1, ["100", "101", "97", "99"]));
    let frames = stage.frames();
    let fill = frames.iter().find(|f| f["x"] == "TRADE").unwrap();
    let closed = START + 120_000;
    assert_has(
        fill,
        json!({ "X": "FILLED", "m": true, "L": "98.00000000", "T": closed, "O": created, "t": 1 }),
    );
    let unit_query = |stage: &mut Stage, endpoint, query: &str| {
        stage.exchange.call(endpoint, &super::stage::params(query), unit).unwrap()
    };
    let found = unit_query(&mut stage, OrderQuery, "symbol=BTCUSDT&orderId=1");
    assert_has(&found, json!({ "status": "FILLED", "time": created, "updateTime": closed }));
    assert_has(
        &unit_query(&mut stage, MyTrades, "symbol=BTCUSDT")[0],
        json!({ "time": closed, "isMaker": true }),
    );
}
