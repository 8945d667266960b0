//! On a simulated market that goes on by itself: what the account does is part of the market, and the market's moves fill orders.

use super::stage::{START, assert_has, btc, d, params, rules, setup};
use domain::{Decimal, Instrument, Interval, Timestamp};
use events::Candle;
use paper_exchange::{
    endpoint::Endpoint::{self, Depth, ExchangeInfo, MyTrades, OpenOrders, OrderPlace, OrderQuery, Trades},
    exchange::Exchange,
    params::TimeUnit,
    refusal::Refusal,
    simulator::{Simulator, Source},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

const HOUR: i64 = 3_600_000;

fn eth() -> Instrument {
    "binance:spot:ETHUSDT".parse().unwrap()
}

/// Two days of hourly candles that go to and fro between 95 and 105, one of them ahead of the start.
fn candles() -> Vec<Candle> {
    let price = |hundredths: i64| domain::Price::new(Decimal::new(hundredths, 2)).unwrap();
    let candle = |hour: i64, instrument| {
        let (open, close) = if hour % 2 == 0 { (9_600, 10_400) } else { (10_400, 9_600) };
        Candle {
            instrument,
            interval: Interval::Hour1,
            open_time: Timestamp::from_millis(START.div_euclid(HOUR) * HOUR + (hour - 24) * HOUR),
            open: price(open),
            high: price(10_500),
            low: price(9_500),
            close: price(close),
            volume: d("5000"),
        }
    };
    (0..48).flat_map(|hour| [candle(hour, btc()), candle(hour, eth())]).collect()
}

fn exchange() -> Exchange {
    let eth_rules = domain::InstrumentRules { base: "ETH".parse().unwrap(), ..rules() };
    let source = Source {
        rules: [(btc(), rules()), (eth(), eth_rules)].into(),
        candles: Box::new(candles().into_iter()),
        seed: 7,
        shift: 0,
        start: Timestamp::from_millis(START),
    };
    Exchange::new(setup(), Simulator::new(source))
}

fn call(exchange: &mut Exchange, endpoint: Endpoint, query: &str) -> Result<Value, Refusal> {
    exchange.call(endpoint, &params(query), TimeUnit::Milli)
}

fn ok(exchange: &mut Exchange, endpoint: Endpoint, query: &str) -> Value {
    call(exchange, endpoint, query).unwrap_or_else(|no| panic!("{endpoint:?} {query}: {no:?}"))
}

fn advance(exchange: &mut Exchange, millis: u64) {
    exchange.advance(exchange.now() + Duration::from_millis(millis));
}

fn best(exchange: &mut Exchange) -> (Decimal, Decimal) {
    let depth = ok(exchange, Depth, "symbol=BTCUSDT&limit=5");
    (d(depth["bids"][0][0].as_str().unwrap()), d(depth["asks"][0][0].as_str().unwrap()))
}

#[test]
fn the_simulated_market_is_listed_and_the_balances_are_there() {
    let mut exchange = exchange();
    let info = ok(&mut exchange, ExchangeInfo, "");
    assert_eq!(info["symbols"].as_array().unwrap().len(), 2);
    assert!(exchange.take_account_frames().is_empty());
    let account = ok(&mut exchange, Endpoint::Account, "omitZeroBalances=true");
    assert_eq!(account["balances"].as_array().unwrap().len(), 2);
}

#[test]
fn a_market_order_takes_from_the_book_that_everybody_sees_and_is_a_public_trade() {
    let mut exchange = exchange();
    advance(&mut exchange, 1_000);
    let (_, ask) = best(&mut exchange);
    let placed = ok(&mut exchange, OrderPlace, "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.1");
    assert_has(&placed, json!({ "status": "FILLED" }));
    let fill = &placed["fills"][0];
    assert_eq!(d(fill["price"].as_str().unwrap()), ask);
    let public = ok(&mut exchange, Trades, "symbol=BTCUSDT&limit=1");
    assert_eq!(public[0]["id"], fill["tradeId"]);
    assert_eq!(public[0]["price"], fill["price"]);
    assert_eq!(ok(&mut exchange, MyTrades, "symbol=BTCUSDT")[0]["id"], fill["tradeId"]);
}

#[test]
fn a_resting_order_is_part_of_the_depth_and_is_filled_by_the_market() {
    let mut exchange = exchange();
    advance(&mut exchange, 1_000);
    let (bid, _) = best(&mut exchange);
    let at = |exchange: &mut Exchange, price: Decimal| -> Decimal {
        let depth = ok(exchange, Depth, "symbol=BTCUSDT&limit=5000");
        let level = depth["bids"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| d(row[0].as_str().unwrap()) == price)
            .cloned();
        level.map_or(Decimal::ZERO, |row| d(row[1].as_str().unwrap()))
    };
    let before = at(&mut exchange, bid);
    let query = format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price={bid}");
    let placed = ok(&mut exchange, OrderPlace, &query);
    assert_has(&placed, json!({ "status": "NEW", "executedQty": "0.00000000" }));
    assert_eq!(at(&mut exchange, bid), before + d("0.5"));
    // Within a day the price has been everywhere between 95 and 105.
    for _ in 0..48 {
        advance(&mut exchange, 30 * 60_000);
        if ok(&mut exchange, OpenOrders, "") == json!([]) {
            break;
        }
    }
    let found = ok(&mut exchange, OrderQuery, "symbol=BTCUSDT&orderId=1");
    assert_has(&found, json!({ "status": "FILLED", "executedQty": "0.50000000" }));
    for trade in ok(&mut exchange, MyTrades, "symbol=BTCUSDT").as_array().unwrap() {
        assert_eq!(d(trade["price"].as_str().unwrap()), bid);
        assert_eq!(trade["isMaker"], true);
    }
}

#[test]
fn a_halted_market_does_not_trade_and_a_resumed_one_does() {
    let mut exchange = exchange();
    advance(&mut exchange, 1_000);
    let (bid, _) = best(&mut exchange);
    let query = format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.1&price={bid}");
    ok(&mut exchange, OrderPlace, &query);
    exchange.set_status("BTCUSDT", "HALT").unwrap();
    advance(&mut exchange, 24 * 3_600_000);
    assert_eq!(ok(&mut exchange, OpenOrders, "").as_array().unwrap().len(), 1);
    assert_eq!(call(&mut exchange, OrderPlace, &query).unwrap_err().msg, "Market is closed.");
    exchange.set_status("BTCUSDT", "TRADING").unwrap();
    advance(&mut exchange, 24 * 3_600_000);
    assert_eq!(ok(&mut exchange, OpenOrders, ""), json!([]));
}

#[test]
fn a_trailing_stop_follows_the_market_until_it_sells() {
    let mut exchange = exchange();
    advance(&mut exchange, 1_000);
    let query =
        "symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.1&trailingDelta=100&newOrderRespType=RESULT";
    assert_has(&ok(&mut exchange, OrderPlace, query), json!({ "status": "NEW", "workingTime": -1 }));
    advance(&mut exchange, 24 * 3_600_000);
    let found = ok(&mut exchange, OrderQuery, "symbol=BTCUSDT&orderId=1");
    assert_has(&found, json!({ "status": "FILLED", "isWorking": true }));
}

#[test]
fn the_same_inputs_at_the_same_times_give_the_same_frames() {
    let run = || {
        let mut exchange = exchange();
        exchange.want_streams(BTreeSet::from(["btcusdt@trade".to_owned(), "btcusdt@depth@100ms".to_owned()]));
        for n in 0..50 {
            advance(&mut exchange, 250);
            let (bid, ask) = best(&mut exchange);
            let (side, price) = if n % 2 == 0 { ("BUY", bid) } else { ("SELL", ask) };
            let query =
                format!("symbol=BTCUSDT&side={side}&type=LIMIT&timeInForce=GTC&quantity=0.1&price={price}");
            ok(&mut exchange, OrderPlace, &query);
        }
        (exchange.take_account_frames(), exchange.take_market_frames())
    };
    let (account, market) = run();
    assert!(account.len() > 50 && market.len() > 50);
    assert_eq!((account, market), run());
}

#[test]
fn what_only_asks_changes_nothing_that_comes_later() {
    let run = |asks: bool| {
        let mut exchange = exchange();
        for n in 0..20 {
            advance(&mut exchange, 130);
            if asks {
                let query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=90";
                ok(&mut exchange, Endpoint::OrderTest, query);
                best(&mut exchange);
                ok(&mut exchange, Endpoint::Klines, "symbol=BTCUSDT&interval=1m");
                ok(&mut exchange, Endpoint::Account, "");
            }
            advance(&mut exchange, 20);
            let side = if n % 3 == 0 { "SELL" } else { "BUY" };
            ok(&mut exchange, OrderPlace, &format!("symbol=BTCUSDT&side={side}&type=MARKET&quantity=0.2"));
        }
        exchange.take_account_frames()
    };
    assert_eq!(run(false), run(true));
}

/// Diff depth with our own orders in it, applied as Binance documents it, is the snapshot of the same moment.
#[test]
fn our_orders_are_in_the_diff_depth_stream() {
    let mut exchange = exchange();
    exchange.want_streams(BTreeSet::from(["btcusdt@depth@100ms".to_owned()]));
    advance(&mut exchange, 1_000);
    exchange.take_market_frames();
    let (bid, _) = best(&mut exchange);
    let price = bid - d("0.01");
    let query = format!("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.777&price={price}");
    ok(&mut exchange, OrderPlace, &query);
    advance(&mut exchange, 200);
    let frames = exchange.take_market_frames();
    let told = frames.iter().any(|frame| {
        let event: Value = serde_json::from_str(&frame.milli).unwrap();
        event["b"].as_array().unwrap().iter().any(|row| d(row[0].as_str().unwrap()) == price)
    });
    assert!(told, "{} frames", frames.len());
}
