//! Exchange info: as fresh as it is wanted, kept through failures.

use super::{
    account, run,
    server::{Reply, Server, error, ok},
    setup,
};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use venue::{Listing, Venue};
use venue_binance::net::{Rest, Setup};

const INFO: &str = r#"{"timezone":"UTC","serverTime":1,"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":77}],"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","filters":[]},{"symbol":"币安人生USDT","status":"OF_TOMORROW","baseAsset":"币安人生","quoteAsset":"USDT","filters":[{"filterType":"OF_TOMORROW"}]}]}"#;
const ASK: &str = "GET /api/v3/exchangeInfo";

async fn server(is_well: &Arc<AtomicBool>) -> Server {
    let is_well = Arc::clone(is_well);
    Server::start(move |_| if is_well.load(Ordering::SeqCst) { ok(INFO) } else { Reply::HangUp }).await
}

fn client(server: &Server, info: Duration, file: Option<PathBuf>) -> Rest {
    let mut setup = Setup { info_file: file, ..setup(server) };
    setup.info_age = info;
    Rest::new(setup).unwrap()
}

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn it_is_asked_for_once() {
    run(async {
        let well = Arc::new(AtomicBool::new(true));
        let server = server(&well).await;
        let client = client(&server, DAY, None);
        for _ in 0..3 {
            assert_eq!(client.exchange_info().await.unwrap().listings.len(), 2);
        }
        assert_eq!(server.count(ASK), 1);
    });
}

#[test]
fn the_last_good_copy_is_kept_through_failures() {
    run(async {
        let well = Arc::new(AtomicBool::new(true));
        let server = server(&well).await;
        let client = client(&server, Duration::ZERO, None);
        client.exchange_info().await.unwrap();
        well.store(false, Ordering::SeqCst);
        assert_eq!(client.exchange_info().await.unwrap().listings.len(), 2);
        assert!(server.count(ASK) >= 2, "it was asked for again");
    });
}

#[test]
fn without_a_copy_a_failure_is_told() {
    run(async {
        let well = Arc::new(AtomicBool::new(false));
        let server = server(&well).await;
        assert!(client(&server, DAY, None).exchange_info().await.is_err());
        let empty = Server::start(|_| ok(r#"{"symbols":[]}"#)).await;
        let why = client(&empty, DAY, None).exchange_info().await.unwrap_err().to_string();
        assert!(why.contains("symbols"), "{why}");
    });
}

#[test]
fn a_copy_on_disk_is_used_where_the_venue_does_not_answer_and_never_in_place_of_asking() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("exchange-info.json");
        let well = Arc::new(AtomicBool::new(true));
        let server = server(&well).await;
        client(&server, DAY, Some(file.clone())).exchange_info().await.unwrap();
        // A new process asks, however fresh the copy is.
        client(&server, DAY, Some(file.clone())).exchange_info().await.unwrap();
        assert_eq!(server.count(ASK), 2);
        well.store(false, Ordering::SeqCst);
        let next = client(&server, DAY, Some(file.clone()));
        assert_eq!(next.exchange_info().await.unwrap().listings.len(), 2);
        assert!(server.count(ASK) >= 3);
        // Spoilt: as if it were not there.
        std::fs::write(&file, "{").unwrap();
        assert!(client(&server, DAY, Some(file.clone())).exchange_info().await.is_err());
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["exchange-info.json"], "nothing is left beside it");
    });
}

#[test]
fn whoever_wants_it_fresher_than_the_copy_has_it_asked_for() {
    run(async {
        let well = Arc::new(AtomicBool::new(true));
        let server = server(&well).await;
        let client = client(&server, DAY, None);
        client.exchange_info().await.unwrap();
        client.exchange_info_within(Duration::ZERO).await.unwrap();
        client.exchange_info().await.unwrap();
        assert_eq!(server.count(ASK), 2);
    });
}

#[test]
fn one_symbol_is_asked_for_at_once_and_not_again_and_again() {
    run(async {
        let server = Server::start(|request| match request.query.get("symbol").map(String::as_str) {
            Some("BTCUSDT") => ok(INFO),
            Some("ETHUSDT") => ok(INFO.replace("BTC", "ETH").replace("\"TRADING\"", "\"HALT\"")),
            _ => error(400, -1121, "Invalid symbol."),
        })
        .await;
        let client = client(&server, DAY, None);
        let listing = async |symbol: &str| {
            let instrument = format!("binance:spot:{symbol}").parse().unwrap();
            client.listing(account(), instrument, Duration::ZERO).await
        };
        for _ in 0..20 {
            assert!(matches!(listing("BTCUSDT").await, Ok(Listing::Trading(_))));
        }
        assert_eq!(server.count(ASK), 1, "20 of 6,000 a minute, each");
        let halted = listing("ETHUSDT").await.unwrap();
        assert!(matches!(halted, Listing::Paused { status, .. } if status == "HALT"));
        assert_eq!(listing("NONEUSDT").await, Ok(Listing::Unlisted));
    });
}
