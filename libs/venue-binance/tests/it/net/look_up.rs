//! Lookups: what the venue knows of an order, and the proof that it knows of none.

use super::{
    account, btc, client, id, machine, run,
    server::{Reply, Request, Server, error, ok, time},
    told,
};
use domain::Timestamp;
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use venue::{Outcome, Venue};

fn row(status: &str, executed: &str, quote: &str) -> String {
    format!(
        r#"{{"symbol":"BTCUSDT","orderId":7,"orderListId":-1,"clientOrderId":"a","price":"100","origQty":"0.5","executedQty":"{executed}","cummulativeQuoteQty":"{quote}","status":"{status}","side":"BUY","time":1000,"updateTime":2000}}"#
    )
}

fn trade(number: u32, quantity: &str) -> String {
    format!(
        r#"{{"symbol":"BTCUSDT","id":{number},"orderId":7,"price":"100","qty":"{quantity}","quoteQty":"25","commission":"0","commissionAsset":"BNB","time":1500,"isBuyer":true,"isMaker":true}}"#
    )
}

async fn look_up(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Outcome, Server) {
    let server = Server::start(script).await;
    let outcome = client(&server).look_up(account(), btc(), id("a"), Timestamp::ZERO).await;
    (outcome, server)
}

#[test]
fn an_order_is_told_with_its_executions() {
    run(async {
        let check = async |row: String, trades: String, expected: &str| {
            let (outcome, server) = look_up(move |request| match &*request.what {
                "GET /api/v3/time" => time(0),
                "GET /api/v3/order" => ok(&row),
                _ => ok(&trades),
            })
            .await;
            assert_eq!(told(&outcome), expected);
            assert_eq!(server.requests("GET /api/v3/order")[0].query["origClientOrderId"], "a");
        };
        check(row("NEW", "0", "0"), String::new(), "a accepted as 7").await;
        let two = format!("[{},{}]", trade(1, "0.25"), trade(2, "0.25"));
        let filled = "a accepted as 7 / a filled 0.25 @ 100 / a filled 0.25 @ 100 / a filled with 0.5";
        check(row("FILLED", "0.5", "50"), two, filled).await;
        let one = format!("[{}]", trade(1, "0.25"));
        check(
            row("EXPIRED", "0.25", "25"),
            one,
            "a accepted as 7 / a filled 0.25 @ 100 / a expired with 0.25",
        )
        .await;
        check(row("SOMETHING_NEW", "0", "0"), String::new(), "unknown").await;
    });
}

/// The order's row may be there before its trades are.
#[test]
fn executions_that_come_late_are_waited_for() {
    run(async {
        static READ: AtomicU32 = AtomicU32::new(0);
        let (outcome, _) = look_up(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            "GET /api/v3/order" => ok(row("FILLED", "0.5", "50")),
            _ if READ.fetch_add(1, Ordering::SeqCst) == 0 => ok("[]"),
            _ => ok(format!("[{}]", trade(1, "0.5"))),
        })
        .await;
        assert_eq!(told(&outcome), "a accepted as 7 / a filled 0.5 @ 100 / a filled with 0.5");
    });
}

/// Not all of them are there after several readings: whoever asks asks again.
#[test]
fn an_order_is_never_told_with_fills_missing() {
    run(async {
        let missing = |trades: String| {
            move |request: &Request| match &*request.what {
                "GET /api/v3/time" => time(0),
                "GET /api/v3/order" => ok(row("FILLED", "0.5", "50")),
                _ => ok(&trades),
            }
        };
        for trades in ["[]".to_owned(), format!("[{}]", trade(1, "0.25"))] {
            let (outcome, server) = look_up(missing(trades)).await;
            assert_eq!(told(&outcome), "try again after 1 s");
            assert!(server.count("GET /api/v3/myTrades") > 1);
        }
    });
}

#[test]
fn an_order_of_smart_order_routing_is_told_with_its_allocations() {
    run(async {
        let allocation = r#"[{"symbol":"BTCUSDT","allocationId":3,"allocationType":"SOR","orderId":7,"orderListId":-1,"price":"1","qty":"0.5","quoteQty":"0.5","commission":"0","commissionAsset":"BTC","time":1500,"isBuyer":true,"isMaker":false,"isAllocator":false}]"#;
        let (outcome, _) = look_up(move |request| match &*request.what {
            "GET /api/v3/time" => time(0),
            "GET /api/v3/order" => ok(row("FILLED", "0.5", "0.5")
                .replace("\"side\"", "\"workingFloor\":\"SOR\",\"usedSor\":true,\"side\"")),
            "GET /api/v3/myAllocations" => ok(allocation),
            _ => ok("[]"),
        })
        .await;
        assert_eq!(told(&outcome), "a accepted as 7 / a filled 0.5 @ 1 / a filled with 0.5");
    });
}

#[test]
fn absence_is_what_the_venue_says_by_its_own_clock() {
    run(async {
        // The venue is two seconds behind this machine.
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(-2_000),
            _ => error(400, -2013, "Order does not exist."),
        })
        .await;
        let not_before = machine() - Duration::from_millis(1_500);
        let outcome = client(&server).look_up(account(), btc(), id("a"), not_before).await;
        let Outcome::NotFound { venue_time } = outcome else { panic!("{outcome:?}") };
        assert!(venue_time >= not_before, "{venue_time} is before {not_before}");
        assert!(venue_time <= machine() - Duration::from_millis(1_900), "the venue's time, not ours");
        let last = server.requests("GET /api/v3/order").pop().unwrap();
        let read = server.requests("GET /api/v3/time").pop().unwrap();
        assert!(last.at >= read.at, "the order was looked for after the clock was read");
    });
}

/// The clock says that it is late enough, the venue itself does not: −2013 proves nothing yet.
#[test]
fn an_order_that_arrives_late_is_found_nevertheless() {
    run(async {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let (outcome, _) = look_up(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ if ASKED.fetch_add(1, Ordering::SeqCst) == 0 => error(400, -2013, "Order does not exist."),
            _ => ok(row("NEW", "0", "0")),
        })
        .await;
        assert_eq!(told(&outcome), "a accepted as 7");
    });
}

#[test]
fn only_the_venues_own_word_is_absence() {
    run(async {
        let check = async |reply: Reply, expected: &str| {
            let shown = format!("{reply:?}");
            let (outcome, _) = look_up(move |request| match &*request.what {
                "GET /api/v3/time" => time(0),
                _ => reply.clone(),
            })
            .await;
            assert_eq!(told(&outcome), expected, "{shown}");
        };
        check(Reply::HangUp, "unknown").await;
        check(Reply::Json(404, "<html>".to_owned()), "fatal").await;
        check(Reply::Json(502, "<html>".to_owned()), "unknown").await;
        check(ok("null"), "unknown").await;
        check(ok("[]"), "unknown").await;
        check(error(400, -1007, "Timeout."), "unknown").await;
        check(error(400, -2026, "Order was canceled or expired with no executed qty."), "unknown").await;
        check(error(500, -2013, "Order does not exist."), "unknown").await;
        check(error(401, -2015, "Invalid API-key."), "fatal").await;
        check(error(429, -1003, "Too many."), "try again after 60 s").await;
    });
}

#[test]
fn a_lookup_that_would_have_to_wait_for_long_is_put_off() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => error(400, -2013, "Order does not exist."),
        })
        .await;
        let not_before = machine() + Duration::from_secs(600);
        let outcome = client(&server).look_up(account(), btc(), id("a"), not_before).await;
        assert_eq!(told(&outcome), "try again after 480 s");
        assert_eq!(server.count("GET /api/v3/order"), 1, "one that is there is known at once");
    });
}

/// An order 7 that was placed as `a`, and is called `web_2` since its owner amended it twice.
fn amended(request: &Request) -> Reply {
    let number = request.query.get("orderId").map(String::as_str);
    match &*request.what {
        "GET /api/v3/time" => time(0),
        "GET /api/v3/order" if number == Some("7") => {
            ok(row("CANCELED", "0", "0").replace("\"a\"", "\"web_2\""))
        }
        "GET /api/v3/allOrders" => {
            let other = row("NEW", "0", "0").replace("\"a\"", "\"web_9\"").replace(":7,", ":8,");
            ok(format!("[{},{other}]", row("CANCELED", "0", "0").replace("\"a\"", "\"web_2\"")))
        }
        "GET /api/v3/order/amendments" if number == Some("7") => ok(r#"[
            {"symbol":"BTCUSDT","orderId":7,"executionId":22,"origClientOrderId":"a","newClientOrderId":"web_1","origQty":"0.5","newQty":"0.3","time":1500},
            {"symbol":"BTCUSDT","orderId":7,"executionId":25,"origClientOrderId":"web_1","newClientOrderId":"web_2","origQty":"0.3","newQty":"0.2","time":1600}]"#),
        "GET /api/v3/order/amendments" => ok("[]"),
        _ => error(400, -2013, "Order does not exist."),
    }
}

const AMENDED: &str =
    "a accepted as 7 / a amended to web_1 0.3 / web_1 amended to web_2 0.2 / a canceled with 0";

#[test]
fn an_order_that_was_amended_is_found_though_nobody_knows_it_by_our_id_any_more() {
    run(async {
        let (outcome, server) = look_up(amended).await;
        assert_eq!(told(&outcome), AMENDED, "under the id that it was placed with");
        assert_eq!(server.requests("GET /api/v3/order").last().unwrap().query["orderId"], "7");
    });
}

#[test]
fn a_cancel_by_number_tells_the_end_of_our_order_whatever_it_is_called() {
    run(async {
        let canceled = row("CANCELED", "0", "0")
            .replace("\"clientOrderId\":\"a\"", "\"clientOrderId\":\"x\",\"origClientOrderId\":\"web_2\"")
            .replace("\"time\"", "\"transactTime\"");
        let server = Server::start(move |request| match &*request.what {
            "DELETE /api/v3/order" => ok(&canceled),
            _ => amended(request),
        })
        .await;
        let number = Some("7".parse().unwrap());
        let outcome = client(&server).cancel(account(), btc(), id("a"), number, super::stamp()).await;
        assert_eq!(told(&outcome), "a canceled with 0");
        let asked = &server.requests("DELETE /api/v3/order")[0];
        assert_eq!(asked.query["orderId"], "7");
        assert!(!asked.query.contains_key("origClientOrderId"));
    });
}

#[test]
fn a_cancel_that_is_refused_tells_what_became_of_an_amended_order() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "DELETE /api/v3/order" => error(400, -2011, "Unknown order sent."),
            _ => amended(request),
        })
        .await;
        let cancel = async |number: Option<&str>| {
            let number = number.map(|number| number.parse().unwrap());
            told(&client(&server).cancel(account(), btc(), id("a"), number, super::stamp()).await)
        };
        let expected = format!("{AMENDED} / a cancel rejected Some(-2011) Unknown order sent.");
        assert_eq!(cancel(Some("7")).await, expected);
        assert_eq!(cancel(None).await, expected);
    });
}

/// One that kept its name has another quantity all the same.
#[test]
fn how_an_order_stands_is_told_with_its_amendments() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/order" => ok(row("NEW", "0", "0")),
            "GET /api/v3/order/amendments" => ok(r#"[
                {"symbol":"BTCUSDT","orderId":7,"executionId":22,"origClientOrderId":"a","newClientOrderId":"a","origQty":"0.5","newQty":"0.3","time":1500}]"#),
            _ => amended(request),
        })
        .await;
        let outcome = client(&server).standing(account(), btc(), id("a"), "7".parse().unwrap()).await;
        assert_eq!(told(&outcome), "a accepted as 7 / a amended to a 0.3");
    });
}
