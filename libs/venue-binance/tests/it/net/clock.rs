//! `rest-api.md`, "Timing security": the venue's clock, and −1021.

use super::{
    account, btc, client, run,
    server::{Reply, Server, error, ok, time},
    single, stamp, told,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use venue::{Stamp, Venue};

const LATE: &str = "Timestamp for this request is outside of the recvWindow.";

#[test]
fn queries_are_stamped_with_the_venues_time() {
    run(async {
        // An hour ahead of this machine, and an hour behind it.
        for ahead in [3_600_000, -3_600_000] {
            let server = Server::start(move |request| match &*request.what {
                "GET /api/v3/time" => time(ahead),
                _ => ok("[]"),
            })
            .await;
            let client = client(&server);
            client.open_orders(None).await.unwrap();
            client.open_orders(None).await.unwrap();
            for asked in server.requests("GET /api/v3/openOrders") {
                let off = asked.timestamp() - super::machine().millis() - ahead;
                assert!(off.abs() < 2_000, "off by {off} ms");
                assert!(asked.is_signed());
            }
            assert_eq!(server.count("GET /api/v3/time"), 1, "read once");
            let off = client.clock().offset_micros() / 1_000 - ahead;
            assert!(off.abs() < 2_000, "off by {off} ms");
        }
    });
}

#[test]
fn a_query_outside_its_window_is_asked_once_more_with_the_clock_read_anew() {
    run(async {
        static READ: AtomicU32 = AtomicU32::new(0);
        // The venue's clock jumps by a minute after it was read first.
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(60_000 * i64::from(READ.fetch_add(1, Ordering::SeqCst).min(1))),
            _ if request.timestamp() > super::machine().millis() + 55_000 => ok("[]"),
            _ => error(400, -1021, LATE),
        })
        .await;
        let client = client(&server);
        client.open_orders(None).await.unwrap();
        assert_eq!(server.count("GET /api/v3/openOrders"), 2);
        assert_eq!(server.count("GET /api/v3/time"), 2);
    });
}

#[test]
fn a_query_that_is_outside_again_is_told() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => error(400, -1021, LATE),
        })
        .await;
        let why = client(&server).open_orders(None).await.unwrap_err().to_string();
        assert!(why.contains("-1021 INVALID_TIMESTAMP"), "{why}");
        assert_eq!(server.count("GET /api/v3/openOrders"), 2, "once more, not for ever");
    });
}

/// Its stamp is on the tape: another one is another attempt.
#[test]
fn an_order_outside_its_window_is_never_healed_quietly() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(60_000),
            _ => error(400, -1021, LATE),
        })
        .await;
        let client = client(&server);
        assert_eq!(client.time(account()), None, "nothing is known of it yet");
        let outcome = client.submit(account(), btc(), &single(), stamp()).await;
        assert_eq!(told(&outcome), "try again after 0 s");
        assert_eq!(server.count("POST /api/v3/order"), 1);
        assert_eq!(server.count("GET /api/v3/time"), 1, "the clock has been read for the next one");
        assert!(client.clock().offset_micros() > 55_000_000);
        let next = Stamp { timestamp: client.time(account()).expect("it has been read"), ..stamp() };
        client.submit(account(), btc(), &single(), next).await;
        let sent = server.requests("POST /api/v3/order");
        assert_eq!(sent[1].timestamp(), next.timestamp.millis());
        assert!(sent[1].timestamp() - sent[0].timestamp() > 55_000);
    });
}

#[test]
fn many_queries_at_once_read_the_clock_once() {
    run(async {
        let server = Server::start(|request| match &*request.what {
            "GET /api/v3/time" => time(0),
            _ => ok("[]"),
        })
        .await;
        let client = client(&server);
        let asking: Vec<_> = (0..8)
            .map(|_| {
                let client = client.clone();
                tokio::spawn(async move { client.open_orders(None).await.unwrap().len() })
            })
            .collect();
        for asked in asking {
            assert_eq!(asked.await.unwrap(), 0);
        }
        assert_eq!(server.count("GET /api/v3/time"), 1);
    });
}

#[test]
fn the_clock_is_kept_fresh_and_its_failures_are_survived() {
    run(async {
        static READ: AtomicU32 = AtomicU32::new(0);
        let server = Server::start(|_| match READ.fetch_add(1, Ordering::SeqCst) {
            0 | 2 => Reply::HangUp,
            _ => time(0),
        })
        .await;
        let mut setup = super::setup(&server);
        setup.timeouts.clock = Duration::from_millis(20);
        let client = venue_binance::net::Rest::new(setup).unwrap();
        let keeping = tokio::spawn(async move { client.keep_clock().await });
        while READ.load(Ordering::SeqCst) < 5 {
            tokio::task::yield_now().await;
        }
        keeping.abort();
    });
}

/// It may be off by half of what it took.
#[test]
fn a_reading_that_took_too_long_is_made_again() {
    run(async {
        static READ: AtomicU32 = AtomicU32::new(0);
        let slow = || {
            let told = super::machine().millis() + 3_600_000;
            Reply::Later(Duration::from_millis(400), format!(r#"{{"serverTime":{told}}}"#))
        };
        // In time, then twice too late, then in time, then always too late.
        let server = Server::start(move |_| match READ.fetch_add(1, Ordering::SeqCst) {
            0 | 3 => time(0),
            _ => slow(),
        })
        .await;
        let mut setup = super::setup(&server);
        setup.timeouts.round_trip = Duration::from_millis(300);
        let client = venue_binance::net::Rest::new(setup).unwrap();
        for reads in [1, 4] {
            client.read_clock().await.unwrap();
            assert_eq!(READ.load(Ordering::SeqCst), reads);
            assert!(client.clock().offset_micros().abs() < 2_000_000);
        }
        let why = client.read_clock().await.unwrap_err().to_string();
        assert!(why.contains("to tell its time"), "{why}");
        assert!((6..=10).contains(&READ.load(Ordering::SeqCst)), "a few times, not for ever");
        assert!(client.clock().offset_micros().abs() < 2_000_000, "what was known stays");
    });
}
