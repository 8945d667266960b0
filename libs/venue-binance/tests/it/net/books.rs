//! "How to manage a local order book correctly", over sockets, with a stream that misbehaves.

use super::{
    btc, client, run,
    server::{Peer, Reply, Request, Server, ok, time},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;
use venue_binance::net::Books;

/// A venue whose book at update `n` holds a bid of quantity `n` at 100, and an ask of `n` at 200.
struct Venue {
    server: Server,
    /// The update that the next snapshot is as of.
    at: Arc<AtomicU64>,
}

fn script(at: &Arc<AtomicU64>) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let at = Arc::clone(at);
    move |request| match &*request.what {
        "GET /stream" => Reply::Upgrade,
        "GET /api/v3/depth" => {
            assert_eq!((&*request.query["symbol"], &*request.query["limit"]), ("BTCUSDT", "5000"));
            let n = at.load(Ordering::SeqCst);
            ok(json!({"lastUpdateId": n, "bids": [["100", n.to_string()]], "asks": [["200", n.to_string()]]}))
        }
        _ => time(0),
    }
}

fn update(n: u64) -> Value {
    json!({"stream": "btcusdt@depth@100ms", "data": {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": n, "u": n,
        "b": [["100", n.to_string()]], "a": [["200", n.to_string()]]}})
}

impl Venue {
    async fn start() -> (Self, Books, Peer) {
        let at = Arc::new(AtomicU64::new(0));
        let server = Server::start(script(&at)).await;
        let mut venue = Self { server, at };
        let books = Books::open(&client(&venue.server), btc().symbol).unwrap();
        let peer = venue.connect().await;
        (venue, books, peer)
    }

    async fn connect(&mut self) -> Peer {
        let mut peer = self.server.socket().await;
        assert_eq!(peer.subscribe_streams().await, ["btcusdt@depth@100ms"]);
        peer
    }

    fn snapshots(&self) -> usize {
        self.server.count("GET /api/v3/depth")
    }
}

/// Waits until the book is at that update, and checks on the way that it is never anything but right: what it
/// holds is what it says, and never less than `not_below`.
async fn reaches(books: &mut Books, update: u64, not_below: u64) {
    let look = |books: &Books| {
        books.with(|book, _| {
            let bid = book.bids.best().unwrap().quantity.decimal().to_string();
            let ask = book.asks.best().unwrap().quantity.decimal().to_string();
            assert_eq!((bid, ask), (book.update.to_string(), book.update.to_string()));
            assert!(book.update >= not_below, "healthy at {} with a gap behind {not_below}", book.update);
            book.update
        })
    };
    let waiting = async {
        while look(books) != Some(update) {
            books.changed().await;
        }
    };
    timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("not at {update}: {:?}, {:?}", look(books), books.standing()));
}

#[test]
fn a_book_is_built_from_a_snapshot_and_the_updates_around_it() {
    run(async {
        let (venue, mut books, mut peer) = Venue::start().await;
        assert!(books.with(|_, _| ()).is_none(), "no book before the first snapshot");
        venue.at.store(12, Ordering::SeqCst);
        for n in 10..=15 {
            peer.say(update(n)).await;
        }
        reaches(&mut books, 15, 12).await;
        assert_eq!((venue.snapshots(), books.standing().synchronised), (1, 1));
    });
}

#[test]
fn a_snapshot_that_is_too_old_is_fetched_again() {
    run(async {
        let (venue, mut books, mut peer) = Venue::start().await;
        venue.at.store(5, Ordering::SeqCst);
        peer.say(update(10)).await;
        while venue.snapshots() == 0 {
            books.changed().await;
        }
        venue.at.store(10, Ordering::SeqCst);
        reaches(&mut books, 10, 10).await;
        assert!(venue.snapshots() >= 2);
        assert_eq!(books.standing().synchronised, 1);
    });
}

/// One fault in the stream behind update 10; the venue itself is at 20 then.
fn one_fault(numbers: &'static [u64], expected: (u64, usize)) {
    run(async move {
        let (venue, mut books, mut peer) = Venue::start().await;
        venue.at.store(10, Ordering::SeqCst);
        peer.say(update(10)).await;
        reaches(&mut books, 10, 10).await;
        venue.at.store(20, Ordering::SeqCst);
        for n in numbers {
            peer.say(update(*n)).await;
        }
        let last = *numbers.iter().max().unwrap();
        reaches(&mut books, last, 10).await;
        assert_eq!((books.standing().synchronised, venue.snapshots()), expected, "{numbers:?}");
        assert!(books.standing().is_healthy);
    });
}

#[test]
fn a_dropped_frame_resynchronises_once() {
    one_fault(&[11, 13, 14, 15, 16, 17, 18, 19, 20, 21], (2, 2));
}

#[test]
fn a_frame_that_comes_twice_or_stale_changes_nothing() {
    one_fault(&[11, 11, 12, 3, 12, 13, 10, 14, 15, 16, 17, 18, 19, 20, 21], (1, 1));
}

#[test]
fn a_late_frame_resynchronises_once() {
    one_fault(&[11, 13, 12, 14, 15, 16, 17, 18, 19, 20, 21], (2, 2));
}

#[test]
fn a_book_whose_stream_is_gone_is_not_lent_out() {
    run(async {
        let (mut venue, mut books, mut peer) = Venue::start().await;
        venue.at.store(10, Ordering::SeqCst);
        peer.say(update(10)).await;
        reaches(&mut books, 10, 10).await;
        drop(peer);
        while books.with(|_, _| ()).is_some() {
            books.changed().await;
        }
        // While it was away the venue went on.
        venue.at.store(30, Ordering::SeqCst);
        let mut peer = venue.connect().await;
        peer.say(update(31)).await;
        reaches(&mut books, 31, 30).await;
        assert_eq!((books.standing().synchronised, venue.snapshots()), (2, 2));
    });
}

#[test]
fn a_frame_that_cannot_be_read_is_as_good_as_a_gap() {
    run(async {
        let (venue, mut books, mut peer) = Venue::start().await;
        venue.at.store(10, Ordering::SeqCst);
        peer.say(update(10)).await;
        reaches(&mut books, 10, 10).await;
        peer.say(r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","s":"BTCUSDT"}}"#).await;
        while books.with(|_, _| ()).is_some() {
            books.changed().await;
        }
        venue.at.store(12, Ordering::SeqCst);
        peer.say(update(12)).await;
        reaches(&mut books, 12, 12).await;
        assert_eq!(books.standing().synchronised, 2);
    });
}

#[test]
fn a_snapshot_that_does_not_come_is_asked_for_again() {
    run(async {
        let asked = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&asked);
        let mut server = Server::start(move |request| match &*request.what {
            "GET /stream" => Reply::Upgrade,
            "GET /api/v3/depth" => match count.fetch_add(1, Ordering::SeqCst) {
                0 => Reply::HangUp,
                1 => Reply::Json(503, String::new()),
                _ => ok(json!({"lastUpdateId": 10, "bids": [["100", "10"]], "asks": [["200", "10"]]})),
            },
            _ => time(0),
        })
        .await;
        let mut books = Books::open(&client(&server), btc().symbol).unwrap();
        let mut peer = server.socket().await;
        peer.subscribe_streams().await;
        peer.say(update(10)).await;
        reaches(&mut books, 10, 10).await;
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    });
}
