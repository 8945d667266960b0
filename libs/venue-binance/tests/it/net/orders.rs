//! Orders and cancels over REST: what each answer, and each fault, means.

use super::{
    account, btc, client, id, oco, run,
    server::{Reply, Server, error, ok, time},
    setup, single, stamp, text, told,
};
use domain::OrderRequest;
use std::{
    net::{Ipv4Addr, TcpListener},
    time::Duration,
};
use venue::{Outcome, Stamp, Venue};
use venue_binance::net::{Endpoints, Rest, Setup};

const FILLED: &str = r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"a","transactTime":1507725176595,"price":"100.00","origQty":"0.5","executedQty":"0.5","origQuoteOrderQty":"0","cummulativeQuoteQty":"50","status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","fills":[{"price":"100","qty":"0.5","commission":"0.0005","commissionAsset":"BTC","tradeId":56}]}"#;
const LIST: &str = r#"{"orderListId":1,"contingencyType":"OCO","listStatusType":"EXEC_STARTED","listOrderStatus":"EXECUTING","listClientOrderId":"list","transactionTime":1,"symbol":"BTCUSDT","orders":[],"orderReports":[{"symbol":"BTCUSDT","orderId":1,"clientOrderId":"below","transactTime":5,"executedQty":"0","cummulativeQuoteQty":"0","status":"NEW","side":"SELL"},{"symbol":"BTCUSDT","orderId":2,"clientOrderId":"above","transactTime":5,"executedQty":"0","cummulativeQuoteQty":"0","status":"NEW","side":"SELL"}]}"#;
const CANCELED: &str = r#"{"symbol":"BTCUSDT","origClientOrderId":"a","orderId":4,"orderListId":-1,"clientOrderId":"cancel","transactTime":1684804350068,"executedQty":"0.25","cummulativeQuoteQty":"25","status":"CANCELED","side":"BUY"}"#;

const ROW: &str = r#"{"symbol":"BTCUSDT","orderId":28,"clientOrderId":"a","executedQty":"0.5","cummulativeQuoteQty":"50","status":"FILLED","side":"BUY","time":1507725176595,"updateTime":1507725176595}"#;
const TRADES: &str = r#"[{"symbol":"BTCUSDT","id":56,"orderId":28,"price":"100","qty":"0.5","quoteQty":"50","commission":"0","commissionAsset":"BNB","time":1507725176595,"isBuyer":true,"isMaker":false}]"#;

/// Answers orders, lists and cancels with `reply`, and lookups with that row and those trades.
fn known(reply: Reply, row: Reply, trades: Reply) -> impl Fn(&super::server::Request) -> Reply + Send + Sync {
    move |request| match &*request.what {
        "GET /api/v3/time" => time(0),
        "GET /api/v3/order" => row.clone(),
        "GET /api/v3/myTrades" => trades.clone(),
        _ => reply.clone(),
    }
}

fn script(reply: Reply) -> impl Fn(&super::server::Request) -> Reply + Send + Sync + 'static {
    move |request| match &*request.what {
        "GET /api/v3/time" => time(0),
        _ => reply.clone(),
    }
}

fn submit(request: &OrderRequest, reply: Reply) -> Outcome {
    run(async {
        let server = Server::start(script(reply)).await;
        let outcome = client(&server).submit(account(), btc(), request, stamp()).await;
        let sent = [server.requests("POST /api/v3/order"), server.requests("POST /api/v3/orderList/oco")];
        assert_eq!(sent.concat().len(), 1, "an order is sent once: {outcome:?}");
        assert!(sent.concat()[0].is_signed());
        outcome
    })
}

fn cancel(reply: Reply) -> Outcome {
    run(async {
        let server = Server::start(script(reply)).await;
        let outcome = client(&server).cancel(account(), btc(), id("a"), None, stamp()).await;
        assert_eq!(server.count("DELETE /api/v3/order"), 1, "a cancel is sent once: {outcome:?}");
        outcome
    })
}

#[test]
fn what_the_answer_to_an_order_means() {
    let check = |reply, expected| assert_eq!(told(&submit(&single(), reply)), expected);
    check(ok(FILLED), "a accepted as 28 / a filled 0.5 @ 100 / a filled with 0.5");
    check(ok("{}"), "unknown");
    check(ok("<html>"), "unknown");
    check(
        error(400, -1013, "Filter failure: LOT_SIZE"),
        "a rejected Filter Some(-1013) Filter failure: LOT_SIZE",
    );
    check(
        error(400, -2010, "Account has insufficient balance for requested action."),
        "a rejected InsufficientBalance Some(-2010) Account has insufficient balance for requested action.",
    );
    check(error(400, -1121, "Invalid symbol."), "a rejected UnknownInstrument Some(-1121) Invalid symbol.");
    check(error(400, -2999, "Of tomorrow."), "a rejected Other Some(-2999) Of tomorrow.");
    check(error(400, -2010, "Duplicate order sent."), "unknown");
    check(error(400, -9999, "Who knows."), "unknown");
    check(error(503, -1008, "Busy."), "unknown");
    check(error(500, -1013, "Filter failure: LOT_SIZE"), "unknown");
    check(Reply::Json(504, "<html>Gateway timeout</html>".to_owned()), "unknown");
    for code in [-1006, -1007] {
        check(error(400, code, "Timeout waiting for response from backend server."), "unknown");
        check(error(504, code, "Timeout waiting for response from backend server."), "unknown");
    }
    check(
        error(400, -1021, "Timestamp for this request is outside of the recvWindow."),
        "try again after 0 s",
    );
    check(error(429, -1008, "Server is currently overloaded."), "try again after 60 s");
    for code in [-1022, -2014, -2015, -1002] {
        check(error(401, code, "The key."), "fatal");
    }
}

#[test]
fn each_order_of_a_list_is_told() {
    let check = |reply, expected: &str| assert_eq!(told(&submit(&oco(), reply)), expected);
    check(ok(LIST), "below accepted as 1 / above accepted as 2");
    check(
        error(400, -1013, "Filter failure: PRICE_FILTER"),
        "above rejected Filter Some(-1013) Filter failure: PRICE_FILTER / \
         below rejected Filter Some(-1013) Filter failure: PRICE_FILTER",
    );
}

#[test]
fn what_the_answer_to_a_cancel_means() {
    let check = |reply, expected: &str| assert_eq!(told(&cancel(reply)), expected);
    check(ok(CANCELED.replace("0.25", "0").replace("25\"", "0\"")), "a canceled with 0");
    check(error(400, -2011, "Unknown order sent."), "a cancel rejected Some(-2011) Unknown order sent.");
    check(error(400, -1102, "Mandatory."), "a cancel rejected Some(-1102) Mandatory.");
    check(error(400, -1007, "Timeout."), "unknown");
    check(error(400, -1021, "Late."), "try again after 0 s");
    check(error(401, -2015, "Invalid API-key, IP, or permissions for action."), "fatal");
    for lost in [Reply::HangUp, Reply::Half, Reply::Never] {
        check(lost, "unknown");
    }
}

/// One that has ended unheard becomes known by it.
#[test]
fn an_order_that_cannot_be_canceled_is_looked_up() {
    const REJECTED: &str = "a cancel rejected Some(-2011) Unknown order sent.";
    let check = |row: Reply, trades: Reply, expected: &str| {
        run(async {
            let server = Server::start(known(error(400, -2011, "Unknown order sent."), row, trades)).await;
            let outcome = client(&server).cancel(account(), btc(), id("a"), None, stamp()).await;
            assert_eq!(told(&outcome), expected);
            assert_eq!(server.count("DELETE /api/v3/order"), 1);
        });
    };
    let filled = format!("a accepted as 28 / a filled 0.5 @ 100 / a filled with 0.5 / {REJECTED}");
    check(ok(ROW), ok(TRADES), &filled);
    let canceled = ROW.replace("FILLED", "CANCELED").replace("0.5", "0").replace("\"50\"", "\"0\"");
    check(ok(canceled), ok("[]"), &format!("a accepted as 28 / a canceled with 0 / {REJECTED}"));
    // What cannot be looked up now, or not whole.
    check(error(400, -2013, "Order does not exist."), ok("[]"), REJECTED);
    check(ok(ROW), ok("[]"), REJECTED);
    check(Reply::HangUp, ok("[]"), REJECTED);
    check(error(504, -1007, "Timeout."), ok("[]"), REJECTED);
}

/// More digits than can be told exactly: the fills are not in the answer, and the order has ended.
#[test]
fn an_answer_without_all_fills_is_made_whole_by_a_lookup() {
    let inexact = FILLED.replace(r#"{"price":"100","#, r#"{"price":"100.00000001","#);
    let check = |row: Reply, trades: Reply, expected: &str| {
        run(async {
            let server = Server::start(known(ok(&inexact), row, trades)).await;
            let outcome = client(&server).submit(account(), btc(), &single(), stamp()).await;
            assert_eq!(told(&outcome), expected, "{outcome:?}");
            assert_eq!(server.count("POST /api/v3/order"), 1);
        });
    };
    check(ok(ROW), ok(TRADES), "a accepted as 28 / a filled 0.5 @ 100 / a filled with 0.5");
    check(ok(ROW), ok("[]"), "unknown");
    check(Reply::HangUp, ok(TRADES), "unknown");
    check(error(400, -2013, "Order does not exist."), ok(TRADES), "unknown");
    check(error(401, -2015, "Invalid API-key."), ok(TRADES), "unknown");
    // A copy that is behind knows of no end yet.
    let behind = ROW.replace("FILLED", "NEW").replace("0.5", "0").replace("\"50\"", "\"0\"");
    check(ok(behind), ok("[]"), "unknown");
}

#[test]
fn an_answer_that_is_whole_is_not_looked_up() {
    run(async {
        let server = Server::start(known(ok(FILLED), Reply::HangUp, Reply::HangUp)).await;
        let outcome = client(&server).submit(account(), btc(), &single(), stamp()).await;
        assert!(told(&outcome).ends_with("a filled with 0.5"), "{outcome:?}");
        assert_eq!(server.count("GET /api/v3/order"), 0);
    });
}

#[test]
fn a_list_of_which_one_order_was_filled_at_once_is_made_whole() {
    run(async {
        let list = LIST.replacen(
            r#""executedQty":"0","cummulativeQuoteQty":"0","status":"NEW""#,
            r#""executedQty":"0.5","cummulativeQuoteQty":"40","status":"FILLED""#,
            1,
        );
        let row = ROW.replace("28", "1").replace("\"a\"", "\"below\"").replace("SELL", "BUY");
        let trades = TRADES.replace("28", "1");
        let server = Server::start(known(ok(list), ok(row), ok(trades))).await;
        let outcome = client(&server).submit(account(), btc(), &oco(), stamp()).await;
        let expected =
            "above accepted as 2 / below accepted as 1 / below filled 0.5 @ 100 / below filled with 0.5";
        assert_eq!(told(&outcome), expected);
    });
}

#[test]
fn a_cancel_of_an_order_that_has_traded_is_told_with_its_fills() {
    let check = |row: Reply, expected: &str| {
        run(async {
            let trades = TRADES.replace("\"qty\":\"0.5\"", "\"qty\":\"0.25\"").replace("28", "4");
            let server = Server::start(known(ok(CANCELED), row, ok(trades))).await;
            let outcome = client(&server).cancel(account(), btc(), id("a"), None, stamp()).await;
            assert_eq!(told(&outcome), expected, "{outcome:?}");
        });
    };
    let row = ROW.replace("28", "4").replace("0.5", "0.25").replace("FILLED", "CANCELED");
    check(ok(row), "a accepted as 4 / a filled 0.25 @ 100 / a canceled with 0.25");
    check(Reply::HangUp, "unknown");
}

#[test]
fn a_connection_that_breaks_after_sending_leaves_the_order_unknown() {
    for lost in [Reply::HangUp, Reply::Half, Reply::Never] {
        let outcome = submit(&single(), lost.clone());
        assert_eq!(told(&outcome), "unknown", "{lost:?}");
        let text = text(&outcome);
        assert!(!text.contains("signature") && !text.contains("api/v3"), "{text}");
    }
}

/// Also on a connection that has served others before.
#[test]
fn a_used_connection_that_breaks_leaves_the_order_unknown() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => Reply::HangUp,
        })
        .await;
        let client = client(&server);
        client.read_clock().await.unwrap();
        let outcome = client.submit(account(), btc(), &single(), stamp()).await;
        assert_eq!(told(&outcome), "unknown");
        assert_eq!(server.count("POST /api/v3/order"), 1, "never sent again");
    });
}

#[test]
fn an_order_that_could_not_be_sent_may_be_tried_again() {
    run(async {
        // A port that nobody listens on.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let server = Server::start(script(ok("{}"))).await;
        let refusing = Setup { endpoints: Endpoints::local(port), ..setup(&server) };
        let outcome = Rest::new(refusing).unwrap().submit(account(), btc(), &single(), stamp()).await;
        assert_eq!(told(&outcome), "try again after 1 s", "{outcome:?}");
        let names_nothing = text(&outcome);
        assert!(!names_nothing.contains("signature"), "{names_nothing}");
        let without = Setup { keys: None, ..setup(&server) };
        let outcome = Rest::new(without).unwrap().submit(account(), btc(), &single(), stamp()).await;
        assert_eq!(told(&outcome), "fatal");
    });
}

#[test]
fn an_order_whose_window_has_passed_is_not_even_sent() {
    run(async {
        let server = Server::start(script(ok(FILLED))).await;
        let client = client(&server);
        let past = super::machine() - Duration::from_secs(6);
        let late = Stamp { timestamp: past, recv_window_ms: 5_000 };
        assert_eq!(told(&client.submit(account(), btc(), &single(), late).await), "try again after 0 s");
        assert_eq!(told(&client.cancel(account(), btc(), id("a"), None, late).await), "try again after 0 s");
        assert_eq!(server.count("POST /api/v3/order") + server.count("DELETE /api/v3/order"), 0);
    });
}

#[test]
fn exactly_the_given_stamp_is_signed() {
    run(async {
        let server = Server::start(script(ok(FILLED))).await;
        let stamp =
            Stamp { timestamp: super::machine() - Duration::from_millis(1_234), recv_window_ms: 2_500 };
        let client = client(&server);
        client.submit(account(), btc(), &single(), stamp).await;
        let sent = &server.requests("POST /api/v3/order")[0];
        assert_eq!(sent.timestamp(), stamp.timestamp.millis());
        assert_eq!((&*sent.query["recvWindow"], &*sent.query["newClientOrderId"]), ("2500", "a"));
    });
}

#[test]
fn what_binance_spot_has_no_words_for_is_rejected_unsent() {
    run(async {
        let server = Server::start(script(ok(FILLED))).await;
        let client = client(&server);
        let perpetual = "binance:linear_perpetual:BTCUSDT".parse().unwrap();
        let outcome = client.submit(account(), perpetual, &single(), stamp()).await;
        assert!(told(&outcome).starts_with("a rejected UnknownInstrument None"), "{outcome:?}");
        let OrderRequest::Oco(mut uneven) = oco() else { unreachable!() };
        uneven.above.side = domain::Side::Buy;
        let outcome = client.submit(account(), btc(), &OrderRequest::Oco(uneven), stamp()).await;
        assert!(told(&outcome).starts_with("above rejected Other None"), "{outcome:?}");
        assert_eq!(server.count("POST /api/v3/order"), 0);
    });
}

#[test]
fn what_would_fail_at_each_request_fails_at_once() {
    run(async {
        let server = Server::start(script(ok(FILLED))).await;
        let wrong = |change: fn(&mut Setup)| {
            let mut setup = setup(&server);
            change(&mut setup);
            Rest::new(setup).err().expect("a refusal").to_string()
        };
        let told = wrong(|setup| setup.endpoints.rest = "api.binance.com".to_owned());
        assert!(told.contains("api.binance.com"), "{told}");
        let told = wrong(|setup| setup.endpoints.ws_api = "https://a".to_owned());
        assert!(told.contains("ws:// or wss://"), "{told}");
        let told = wrong(|setup| setup.keys.as_mut().unwrap().api_key = "secret\nkey".to_owned());
        assert!(told.contains("API key") && !told.contains("secret"), "{told}");
    });
}

#[test]
fn nothing_secret_is_shown() {
    run(async {
        let server = Server::start(script(ok(FILLED))).await;
        let shown = format!("{:?}", setup(&server));
        assert!(!shown.contains(super::SECRET) && !shown.contains("\"key\""), "{shown}");
    });
}
