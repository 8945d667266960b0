//! `web-socket-streams.md`, "How to manage a local order book correctly".

use crate::data;
use flate2::read::MultiGzDecoder;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader},
};
use venue_binance::{
    book::{Because, Book, Change, LocalBook, Step},
    market::{self, Fixed, Level, Message, PartialDepth},
};

fn levels(given: &[(u64, u64)]) -> Vec<Level> {
    given.iter().map(|(price, quantity)| Level { price: Fixed(*price), quantity: Fixed(*quantity) }).collect()
}

/// One bid changes with each update: the quantity at 100 is the update's number.
fn change(first: u64, last: u64) -> Change {
    Change { first, last, bids: levels(&[(100, last)]), asks: Vec::new() }
}

fn snapshot(last: u64) -> PartialDepth {
    PartialDepth { last, bids: levels(&[(100, last), (99, 5)]), asks: levels(&[(101, 7), (102, 8)]) }
}

fn live(at: u64) -> LocalBook {
    let mut book = LocalBook::default();
    assert_eq!(book.change(&change(at, at)), Step::FetchSnapshot(Because::Started));
    assert_eq!(book.snapshot(&snapshot(at)), Step::Applied);
    book
}

fn quantity_at_100(book: &LocalBook) -> Option<u64> {
    book.book().map(|book| book.bids.best().unwrap().quantity.0)
}

#[test]
fn frames_are_kept_until_the_snapshot_and_joined_to_it() {
    let mut book = LocalBook::default();
    assert_eq!(book.change(&change(8, 10)), Step::FetchSnapshot(Because::Started));
    assert_eq!(book.change(&change(11, 12)), Step::Waiting);
    assert_eq!(book.change(&change(13, 15)), Step::Waiting);
    assert!(book.book().is_none());
    assert_eq!(book.snapshot(&snapshot(12)), Step::Applied);
    assert_eq!((quantity_at_100(&book), book.ignored), (Some(15), 2));
    assert_eq!(book.change(&change(16, 16)), Step::Applied);
    assert_eq!(book.book().unwrap().update, 16);
}

#[test]
fn a_snapshot_older_than_the_first_frame_is_fetched_again() {
    let mut book = LocalBook::default();
    book.change(&change(20, 21));
    assert_eq!(book.snapshot(&snapshot(18)), Step::FetchSnapshot(Because::SnapshotTooOld));
    assert!(book.book().is_none());
    assert_eq!(book.snapshot(&snapshot(19)), Step::Applied);
    assert_eq!(quantity_at_100(&book), Some(21));
}

#[test]
fn a_missed_frame_resynchronises_once_and_there_is_no_book_meanwhile() {
    let mut book = live(10);
    let missed = Because::Missed { after: 10, before: 12 };
    assert_eq!(book.change(&change(12, 12)), Step::FetchSnapshot(missed));
    assert!(book.book().is_none());
    for n in 13..20 {
        assert_eq!(book.change(&change(n, n)), Step::Waiting);
        assert!(book.book().is_none());
    }
    assert_eq!(book.snapshot(&snapshot(15)), Step::Applied);
    assert_eq!((quantity_at_100(&book), book.synchronised), (Some(19), 2));
}

#[test]
fn frames_that_come_twice_or_late_change_nothing() {
    let mut book = live(10);
    assert_eq!(book.change(&change(11, 12)), Step::Applied);
    assert_eq!(book.change(&change(11, 12)), Step::Ignored);
    assert_eq!(book.change(&change(5, 9)), Step::Ignored);
    assert_eq!((quantity_at_100(&book), book.synchronised), (Some(12), 1));
    // One that overlaps what is known is news all the same.
    assert_eq!(book.change(&change(12, 14)), Step::Applied);
    assert_eq!(quantity_at_100(&book), Some(14));
}

#[test]
fn frames_that_overtake_each_other_resynchronise_once() {
    let mut book = live(10);
    assert!(matches!(book.change(&change(12, 12)), Step::FetchSnapshot(Because::Missed { .. })));
    assert_eq!(book.change(&change(11, 11)), Step::Waiting);
    assert_eq!(book.change(&change(13, 13)), Step::Waiting);
    // The late frame closes the gap: the old snapshot's successor would do.
    assert_eq!(book.snapshot(&snapshot(10)), Step::Applied);
    assert_eq!((quantity_at_100(&book), book.synchronised), (Some(13), 2));
}

#[test]
fn a_snapshot_that_comes_late_or_twice_is_ignored() {
    let mut book = live(10);
    book.change(&change(11, 11));
    assert_eq!(book.snapshot(&snapshot(10)), Step::Ignored);
    assert_eq!(quantity_at_100(&book), Some(11));
}

#[test]
fn a_gap_among_the_kept_frames_wants_a_newer_snapshot() {
    let mut book = LocalBook::default();
    book.change(&change(10, 10));
    book.change(&change(13, 13));
    let missed = Because::Missed { after: 10, before: 13 };
    assert_eq!(book.snapshot(&snapshot(9)), Step::FetchSnapshot(missed));
    assert_eq!(book.snapshot(&snapshot(9)), Step::FetchSnapshot(Because::SnapshotTooOld));
    assert!(book.book().is_none());
    assert_eq!(book.snapshot(&snapshot(12)), Step::Applied);
    assert_eq!(quantity_at_100(&book), Some(13));
}

#[test]
fn a_crossed_book_is_not_lent_out() {
    let mut book = live(10);
    let crossing = Change { bids: levels(&[(101, 1)]), ..change(11, 11) };
    assert_eq!(book.change(&crossing), Step::FetchSnapshot(Because::Crossed));
    assert!(book.book().is_none());
    assert_eq!(book.snapshot(&snapshot(11)), Step::Applied);
}

#[test]
fn a_new_stream_starts_anew() {
    let mut book = live(10);
    book.reset();
    assert!(book.book().is_none());
    assert_eq!(book.change(&change(50, 51)), Step::FetchSnapshot(Because::Started));
}

/// The recorded frames of one day of Binance, as one stream.
fn recorded() -> Vec<String> {
    let mut frames = Vec::new();
    for file in ["l2/btcusdt_20240808.gz", "l2/btcusdt_20240809.gz"] {
        for line in BufReader::new(MultiGzDecoder::new(File::open(data(file)).unwrap())).lines() {
            let line = line.unwrap();
            let (_, frame) = line.split_once(' ').unwrap();
            frames.push(frame.to_owned());
        }
    }
    frames
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(data("l2/btcusdt_expected.json")).unwrap()).unwrap()
}

/// `price:quantity|…#price:quantity|…`, the bids from the best down, the asks from the best up.
fn sha256(book: &Book, most: usize) -> String {
    let side = |levels: &mut dyn Iterator<Item = Level>| {
        levels
            .take(most)
            .map(|level| format!("{}:{}", level.price, level.quantity))
            .collect::<Vec<_>>()
            .join("|")
    };
    let text = format!("{}#{}", side(&mut book.bids.iter()), side(&mut book.asks.iter()));
    digest(&SHA256, text.as_bytes()).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn assert_as_expected(book: &Book) {
    let expected = expected();
    assert_eq!(book.update, expected["final_update_id"].as_u64().unwrap());
    let sizes = [book.bids.len(), book.asks.len()].map(|n| n as u64);
    assert_eq!(serde_json::to_value(sizes).unwrap(), expected["final_levels"]);
    for (best, name) in [(book.bids.best(), "final_best_bid"), (book.asks.best(), "final_best_ask")] {
        let best = best.unwrap();
        let best = [best.price.to_string(), best.quantity.to_string()];
        assert_eq!(serde_json::to_value(best).unwrap(), expected[name]);
    }
    assert_eq!(sha256(book, 20), expected["final_top20_sha256"].as_str().unwrap());
    assert_eq!(sha256(book, usize::MAX), expected["all_levels_sha256"].as_str().unwrap());
}

#[test]
fn a_recorded_day_ends_exactly_as_it_should() {
    let mut book = LocalBook::default();
    let (mut asked, mut applied, mut compared, mut equal) = (0, 0, 0, 0);
    let mut tickers = Vec::new();
    for frame in recorded() {
        let step = match market::decode(frame.as_bytes()).unwrap().message {
            Message::DepthUpdate(update) => book.change(&update.into()),
            Message::PartialDepth(depth) => book.snapshot(&depth),
            Message::BookTicker(best) => {
                tickers.push((best.update, best.bid.0, best.ask.0));
                continue;
            }
            _ => continue,
        };
        asked += u64::from(matches!(step, Step::FetchSnapshot(_)));
        applied += u64::from(step == Step::Applied);
        let Some(book) = book.book() else { continue };
        // The last best prices that the stream told of before this update.
        if let Some((_, bid, ask)) = tickers.iter().rfind(|ticker| ticker.0 <= book.update) {
            let own = (book.bids.best().unwrap().price.decimal(), book.asks.best().unwrap().price.decimal());
            compared += 1;
            equal += u64::from(own == (*bid, *ask));
        }
        tickers.retain(|ticker| ticker.0 > book.update);
    }
    assert_as_expected(book.book().unwrap());
    // The snapshot itself is one; of three frames before it one was news.
    assert_eq!((asked, book.synchronised, book.ignored), (1, 1, 2));
    assert_eq!(applied, expected()["applied"].as_u64().unwrap());
    // Both streams tell of the same market, though not always in step.
    assert!(compared > 5_000 && equal * 1_000 >= compared * 999, "{equal} of {compared} best prices agree");
}

/// The whole recording again, with one thing wrong in the middle; whenever a snapshot is asked for, it is that
/// of a second book that missed nothing, as of `late` frames later.
fn disturbed(late: usize, disturb: impl Fn(usize, Change) -> Vec<Change>) -> LocalBook {
    let (mut right, mut book) = (LocalBook::default(), LocalBook::default());
    let mut due = None;
    let mut updates = 0;
    for frame in recorded() {
        match market::decode(frame.as_bytes()).unwrap().message {
            Message::DepthUpdate(update) => {
                let change = Change::from(update);
                right.change(&change);
                updates += 1;
                for change in disturb(updates, change) {
                    let step = book.change(&change);
                    assert_eq!(book.book().is_some(), matches!(step, Step::Applied | Step::Ignored));
                    if matches!(step, Step::FetchSnapshot(_)) && book.synchronised > 0 {
                        assert_eq!(due, None, "asked for twice");
                        due = Some(updates + late);
                    }
                }
                if due == Some(updates) {
                    due = None;
                    let healthy = right.book().unwrap();
                    let bids = healthy.bids.iter().collect();
                    let asks = healthy.asks.iter().collect();
                    assert_eq!(
                        book.snapshot(&PartialDepth { last: healthy.update, bids, asks }),
                        Step::Applied
                    );
                }
            }
            Message::PartialDepth(depth) => {
                right.snapshot(&depth);
                book.snapshot(&depth);
            }
            _ => {}
        }
    }
    assert_as_expected(book.book().unwrap());
    book
}

#[test]
fn a_recorded_day_with_a_dropped_frame_resynchronises_once() {
    for late in [0, 1, 50] {
        let book = disturbed(late, |n, change| if n == 3_000 { Vec::new() } else { vec![change] });
        assert_eq!(book.synchronised, 2);
    }
}

#[test]
fn a_recorded_day_with_duplicated_and_stale_frames_does_not_resynchronise() {
    let book = disturbed(1, |n, change| match n {
        1_000 => vec![change.clone(), change],
        2_000 => vec![Change { first: 50_093_239_300, last: 50_093_239_301, ..change.clone() }, change],
        _ => vec![change],
    });
    assert_eq!((book.synchronised, book.ignored), (1, 4));
}

#[test]
fn a_recorded_day_with_a_late_frame_resynchronises_once() {
    let held = std::cell::RefCell::new(None);
    let book = disturbed(5, |n, change| match n {
        3_000 => {
            *held.borrow_mut() = Some(change);
            Vec::new()
        }
        3_002 => vec![change, held.borrow_mut().take().unwrap()],
        _ => vec![change],
    });
    assert_eq!(book.synchronised, 2);
}
