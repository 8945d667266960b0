//! `rest-api.md`, "LIMITS": what the venue says about them is obeyed, by everything that the client sends.

use super::{
    account, btc, client, id, run,
    server::{End, Reply, Server, error, ok, time},
    setup, single, stamp, told,
};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::Instant;
use venue::Venue;
use venue_binance::net::{CallError, Rest, Setup, Timeouts};

fn refused(status: u16, code: i64, retry_after: Option<&str>) -> Reply {
    let headers = retry_after.map(|seconds| ("Retry-After", seconds.to_owned()));
    let body = serde_json::json!({"code": code, "msg": "Too many requests."}).to_string();
    Reply::With(status, headers.into_iter().collect(), body)
}

/// Everything that a client has, one after the other: what was sent of it, and whether each said to wait.
async fn everything(client: &Rest) -> Vec<String> {
    let order = client.submit(account(), btc(), &single(), stamp()).await;
    let cancel = client.cancel(account(), btc(), id("a"), None, stamp()).await;
    let look_up = client.look_up(account(), btc(), id("a"), super::machine() - Duration::from_secs(60)).await;
    let query = match client.open_orders(None).await {
        Err(CallError::Held { .. }) => "held".to_owned(),
        other => format!("{other:?}"),
    };
    vec![told(&order), told(&cancel), told(&look_up), query]
}

#[test]
fn a_429_is_never_answered_with_more_of_the_same() {
    for (status, code) in [(429, -1003), (418, -1003), (403, -1003), (400, -1003)] {
        run(async move {
            let server = Server::start(move |request| match &*request.what {
                "GET /api/v3/time" => time(0),
                _ => refused(status, code, Some("3600")),
            })
            .await;
            let client = client(&server);
            client.read_clock().await.unwrap();
            let first = client.submit(account(), btc(), &single(), stamp()).await;
            assert_eq!(told(&first), "try again after 3600 s", "{status}");
            let wait = "try again after 3600 s";
            assert_eq!(everything(&client).await, [wait, wait, wait, "held"], "{status}");
            let sent = server.count("POST /api/v3/order") + server.count("DELETE /api/v3/order");
            assert_eq!(sent, 1, "{status}");
            assert_eq!(server.count("GET /api/v3/order") + server.count("GET /api/v3/openOrders"), 0);
            assert!(client.quiet_for() > Duration::from_secs(3_500));
        });
    }
}

#[test]
fn a_ban_ends_when_it_was_said_to_and_waiting_queries_go_on_then() {
    run(async {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ if ASKED.fetch_add(1, Ordering::SeqCst) == 0 => refused(429, -1003, Some("1")),
            _ => ok("[]"),
        })
        .await;
        let client = client(&server);
        let failed = client.open_orders(None).await.unwrap_err();
        assert!(failed.to_string().contains("-1003 TOO_MANY_REQUESTS"), "{failed}");
        let since = Instant::now();
        let four = (0..4).map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.open_orders(None).await.unwrap().len() })
        });
        for waiting in four.collect::<Vec<_>>() {
            assert_eq!(waiting.await.unwrap(), 0);
        }
        assert!(since.elapsed() > Duration::from_millis(900), "{:?}", since.elapsed());
        let asked = server.requests("GET /api/v3/openOrders");
        assert_eq!(asked.len(), 5);
        assert!(asked[1].at - asked[0].at > Duration::from_millis(900));
    });
}

#[test]
fn too_many_orders_stop_orders_but_no_cancels() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            "POST /api/v3/order" => refused(429, -1015, Some("30")),
            _ => error(400, -2011, "Unknown order sent."),
        })
        .await;
        let client = client(&server);
        for _ in 0..3 {
            let outcome = client.submit(account(), btc(), &single(), stamp()).await;
            assert_eq!(told(&outcome), "try again after 30 s");
        }
        assert_eq!(server.count("POST /api/v3/order"), 1);
        let outcome = client.cancel(account(), btc(), id("a"), None, stamp()).await;
        assert_eq!(told(&outcome), "a cancel rejected Some(-2011) Unknown order sent.");
    });
}

#[test]
fn a_part_of_the_weight_is_kept_for_cancels() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            "GET /api/v3/openOrders" => {
                Reply::With(200, vec![("X-MBX-USED-WEIGHT-1M", "4800".to_owned())], "[]".to_owned())
            }
            _ => error(400, -2011, "Unknown order sent."),
        })
        .await;
        let timeouts = Timeouts { limits: Duration::ZERO, ..super::timeouts() };
        let client = Rest::new(Setup { timeouts, ..setup(&server) }).unwrap();
        client.open_orders(None).await.unwrap();
        // At the end of a minute all of it is free again.
        let held = |outcome: &str| outcome.starts_with("try again after");
        let entry = told(&client.submit(account(), btc(), &single(), stamp()).await);
        let free_again = server.count("POST /api/v3/order") == 1;
        assert!(held(&entry) || free_again, "{entry}");
        let cancel = told(&client.cancel(account(), btc(), id("a"), None, stamp()).await);
        assert_eq!(cancel, "a cancel rejected Some(-2011) Unknown order sent.");
    });
}

/// A request that is given up half-way has been sent all the same: it counts, and its place is not held for ever.
#[test]
fn what_is_given_up_counts_and_is_not_held() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => Reply::Never,
        })
        .await;
        let client = client(&server);
        client.read_clock().await.unwrap();
        for _ in 0..3 {
            let asking = client.account();
            assert!(tokio::time::timeout(Duration::from_millis(50), asking).await.is_err());
        }
        assert_eq!(server.count("GET /api/v3/account"), 3);
    });
}

/// Its head says all that has to be obeyed.
#[test]
fn a_limit_whose_body_breaks_off_is_obeyed() {
    for (status, end) in
        [(429, End::Breaks), (418, End::Breaks), (403, End::Breaks), (429, End::Stalls), (418, End::Stalls)]
    {
        run(async move {
            let server = Server::start(move |request| match &*request.what {
                "GET /api/v3/time" => time(0),
                _ => Reply::HalfOf(status, ("Retry-After", "3600".to_owned()), end),
            })
            .await;
            let mut setup = setup(&server);
            setup.timeouts.answer = Duration::from_millis(700);
            let client = Rest::new(setup).unwrap();
            let first = client.submit(account(), btc(), &single(), stamp()).await;
            assert_eq!(told(&first), "try again after 3600 s", "{status} {end:?}");
            assert!(client.quiet_for() > Duration::from_secs(3_500), "{status} {end:?}");
        });
    }
}

/// The machine is an hour ahead, and the venue's clock was not read before it told us to wait.
#[test]
fn a_ban_from_before_the_first_reading_is_as_long_as_it_was() {
    run(async {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => match ASKED.fetch_add(1, Ordering::SeqCst) {
                0 => refused(429, -1003, Some("1")),
                _ => time(-3_600_000),
            },
            _ => ok("[]"),
        })
        .await;
        let client = client(&server);
        client.read_clock().await.unwrap_err();
        client.read_clock().await.unwrap();
        assert!(client.clock().offset_micros() < -3_500_000_000);
        assert!(client.quiet_for() < Duration::from_secs(2), "{:?}", client.quiet_for());
        client.open_orders(None).await.unwrap();
    });
}
