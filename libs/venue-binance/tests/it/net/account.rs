//! The account's books, for whoever compares them.

use super::{
    account, btc, client, fact, machine, run,
    server::{Reply, Request, Server, error, ok, time},
};
use serde_json::{Value, json};
use std::time::Duration;
use venue_binance::{content, net::CallError, rows};

fn order_row(number: i64) -> Value {
    json!({"symbol": "BTCUSDT", "orderId": number, "clientOrderId": format!("o{number}"), "side": "BUY",
        "status": "NEW", "executedQty": "0", "cummulativeQuoteQty": "0", "time": 1, "updateTime": 1})
}

fn fill_row(number: i64, order: i64) -> Value {
    json!({"symbol": "BTCUSDT", "id": number, "orderId": order, "price": "1", "qty": "1", "quoteQty": "1",
        "commission": "0", "commissionAsset": "BNB", "time": 1, "isBuyer": true, "isMaker": true})
}

/// 1,500 orders, and 2,500 fills of them; a page holds 1,000.
fn venue(request: &Request) -> Reply {
    let number = |name: &str| request.query.get(name).map(|text| text.parse::<i64>().unwrap());
    let page = |rows: Vec<Value>| ok(Value::from(rows));
    match &*request.what {
        "GET /api/v3/time" => time(0),
        "GET /api/v3/allOrders" => {
            let from = number("orderId").unwrap();
            page((from..=1_500).take(1_000).map(order_row).collect())
        }
        "GET /api/v3/myTrades" => {
            let from = number("fromId").unwrap_or(1);
            page((from..=2_500).take(1_000).map(|n| fill_row(n, 1 + n % 1_500)).collect())
        }
        "GET /api/v3/order" => ok(order_row(number("orderId").unwrap())),
        "GET /api/v3/order/amendments" => page(Vec::new()),
        "GET /api/v3/openOrders" => page(vec![order_row(3), order_row(5)]),
        "GET /api/v3/account" => ok(json!({"updateTime": 5, "balances": [
            {"asset": "BTC", "free": "1", "locked": "0"}]})),
        other => panic!("{other}"),
    }
}

#[test]
fn orders_and_their_fills_are_told_page_by_page() {
    run(async {
        let server = Server::start(venue).await;
        let since = machine() - Duration::from_secs(60);
        let frames = client(&server).orders_since(btc().symbol, Some(21), since).await.unwrap();
        // Those from the number on, and the older ones that were filled.
        assert_eq!(frames.len(), 1_500);
        let mut facts = 0;
        for frame in &frames {
            assert_eq!(frame.content_type, content::ORDER);
            facts += rows::parse_order(account(), &frame.bytes).unwrap().len();
        }
        assert_eq!(facts, 1_500 + 2_500);
        assert_eq!(server.count("GET /api/v3/myTrades"), 3);
    });
}

#[test]
fn fills_of_many_days_are_asked_for_day_by_day() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => ok(json!([fill_row(request.query["startTime"].parse::<i64>().unwrap(), 1)])),
        })
        .await;
        let since = machine() - Duration::from_secs(3 * 86_400 + 60);
        let fills = client(&server).fills_since(btc().symbol, since).await.unwrap();
        assert_eq!(fills.len(), 4);
        let asked = server.requests("GET /api/v3/myTrades");
        let starts: Vec<i64> = asked.iter().map(|r| r.query["startTime"].parse().unwrap()).collect();
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 86_400_000), "{starts:?}");
    });
}

#[test]
fn every_frame_is_read_by_the_parser_of_its_content_type() {
    run(async {
        let server = Server::start(venue).await;
        let client = client(&server);
        let mut frames = client.open_orders(None).await.unwrap();
        frames.push(client.account().await.unwrap());
        frames.push(client.order_by_number(btc().symbol, 9).await.unwrap());
        let mut told = Vec::new();
        for frame in frames {
            let (_, parse) = content::PARSERS.iter().find(|(kind, _)| *kind == frame.content_type).unwrap();
            told.extend(parse(account(), &frame.bytes).unwrap().iter().map(fact));
        }
        assert_eq!(told.len(), 4);
        assert_eq!(
            [&*told[0], &*told[1], &*told[3]],
            ["o3 accepted as 3", "o5 accepted as 5", "o9 accepted as 9"]
        );
    });
}

#[test]
fn candles_are_told_page_by_page() {
    run(async {
        let server = Server::start(|request| {
            let number = |name: &str| request.query[name].parse::<i64>().unwrap();
            let minutes = (number("startTime")..=number("endTime")).step_by(60_000);
            let candle = |open: i64| {
                json!([open, "1", "2", "0.5", "1.5", "10", open + 59_999, "15", 3, "5", "7", "0"])
            };
            ok(Value::from(minutes.take(1_000).map(candle).collect::<Vec<_>>()))
        })
        .await;
        let (from, to) = (super::Timestamp::ZERO, super::Timestamp::from_millis(60_000 * 2_499));
        let candles = client(&server).candles(btc(), "1m".parse().unwrap(), from, to).await.unwrap();
        assert_eq!(candles.len(), 2_500);
        assert!(candles.windows(2).all(|pair| pair[0].close_time() == pair[1].open_time));
        assert_eq!(server.count("GET /api/v3/klines"), 3);
    });
}

/// A venue that tells that of an account and of its key; `None` has no wallet.
fn tells(account: Value, key: Option<Value>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    move |request| match &*request.what {
        "GET /api/v3/time" => time(0),
        "GET /api/v3/account" => ok(account.clone()),
        "GET /sapi/v1/account/apiRestrictions" => match &key {
            Some(key) => ok(key.clone()),
            None => error(404, 0, "not found"),
        },
        other => panic!("{other}"),
    }
}

#[test]
fn whose_account_a_key_opens_and_what_it_may_do_is_told() {
    run(async {
        let of_account = |trades: bool| json!({"uid": 354_937_868, "canTrade": trades, "balances": []});
        let of_key = |trades: bool, withdraws: bool| {
            Some(
                json!({"ipRestrict": false, "enableSpotAndMarginTrading": trades, "enableWithdrawals": withdraws}),
            )
        };
        for (trades, key, may_trade, may_withdraw) in [
            (true, of_key(true, false), true, Some(false)),
            (true, of_key(true, true), true, Some(true)),
            // The account may, the key may not; and the other way round.
            (true, of_key(false, false), false, Some(false)),
            (false, of_key(true, false), false, Some(false)),
            // The test network has no wallet.
            (true, None, true, None),
        ] {
            let server = Server::start(tells(of_account(trades), key)).await;
            let told = client(&server).identity().await.unwrap();
            assert_eq!(told.account, "354937868");
            assert_eq!((told.may_trade, told.may_withdraw), (may_trade, may_withdraw));
        }
    });
}

#[test]
fn what_a_key_may_do_is_not_guessed() {
    run(async {
        let account = json!({"uid": 1, "canTrade": true, "balances": []});
        let server = Server::start(tells(account, Some(json!({"enableSpotAndMarginTrading": true})))).await;
        assert!(matches!(client(&server).identity().await, Err(CallError::Unreadable(_))));
        let server = Server::start(tells(json!({"canTrade": true, "balances": []}), None)).await;
        assert!(matches!(client(&server).identity().await, Err(CallError::Unreadable(_))));
    });
}

#[test]
fn the_books_are_told_in_one_frame_that_names_what_is_held_and_what_works() {
    run(async {
        let server = Server::start(venue).await;
        let until = machine();
        let frame = client(&server).books(Some(until)).await.unwrap();
        assert_eq!(frame.content_type, content::BOOKS);
        let told = rows::parse_books(account(), &frame.bytes).unwrap();
        let [
            events::Event::Stream(events::StreamEvent::Complete(complete)),
            events::Event::Books(events::BooksEvent::Reported(books)),
        ] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!(complete.until.millis(), until.millis());
        assert_eq!(books.balances.iter().map(|held| held.asset.as_str()).collect::<Vec<_>>(), ["BTC"]);
        assert_eq!(books.orders.iter().map(|order| order.order.as_str()).collect::<Vec<_>>(), ["o3", "o5"]);
        assert!(machine().since(books.as_of) < Duration::from_secs(5));
    });
}
