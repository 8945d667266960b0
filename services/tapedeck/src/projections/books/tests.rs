use super::*;
use events::{AccountIdentified, BooksAgree, BooksDisagree, Uuid};

fn get<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn at(seconds: u64) -> Timestamp {
    get::<Timestamp>("2026-03-01T00:00:00Z") + Duration::from_secs(seconds)
}

fn account() -> Account {
    get("binance:main")
}

fn see(books: &mut Books, seconds: u64, event: impl Into<Event>) {
    let recorded = Recorded {
        position: 1,
        id: Uuid::nil(),
        source: get("test"),
        cause: None,
        at: at(seconds),
        recorded_at: at(seconds),
        event: event.into(),
    };
    books.see(&recorded);
}

/// The venue has 5 USDT more, and 1 BTC less.
fn disagree(books: &mut Books, seconds: u64, confirmed: bool) {
    let differs = |asset, venue, cause| Difference::Balance {
        asset: get(asset),
        ours: get("10"),
        venue: get(venue),
        cause,
    };
    let differences =
        vec![differs("USDT", "15", LikelyCause::Deposit), differs("BTC", "9", LikelyCause::Withdrawal)];
    let (account, as_of, since) = (account(), at(seconds), at(1));
    see(books, seconds, BooksDisagree { account, as_of, since, differences, confirmed });
}

fn settle(books: &Books, asset: &str) -> Result<LedgerEntry, String> {
    books.settling(account(), get(asset), "test")
}

fn is_refused(books: &Books, asset: &str, with: &str) {
    let why = settle(books, asset).unwrap_err();
    assert!(why.contains(with), "{why}");
}

#[test]
fn a_difference_is_settled_once() {
    let mut books = Books::default();
    disagree(&mut books, 10, true);
    let entry = settle(&books, "USDT").unwrap();
    let figures = (entry.delta, entry.reason, entry.at, entry.venue_ref.as_str());
    assert_eq!(figures, (get("5"), LedgerReason::Deposit, at(10), "settled by hand: test"));
    see(&mut books, 20, entry);
    is_refused(&books, "USDT", "was settled at 2026-03-01T00:00:20Z");
    // A kill in the middle keeps the rest from nothing.
    let other = settle(&books, "BTC").unwrap();
    assert_eq!((other.delta, other.reason), (get("-1"), LedgerReason::Withdrawal));
    // A report of the minute before may have been judged without it.
    disagree(&mut books, 80, true);
    is_refused(&books, "USDT", "was settled");
    disagree(&mut books, 81, true);
    assert_eq!(settle(&books, "USDT").unwrap().at, at(81));
}

#[test]
fn what_may_be_late_is_not_settled() {
    let mut books = Books::default();
    is_refused(&books, "USDT", "there is nothing to settle");
    disagree(&mut books, 10, false);
    is_refused(&books, "USDT", "is being fetched");
    disagree(&mut books, 20, true);
    is_refused(&books, "ETH", "there is nothing to settle");
    let told = LedgerEntry {
        account: account(),
        asset: get("USDT"),
        delta: get("5"),
        reason: LedgerReason::Deposit,
        instrument: None,
        venue_ref: "7".to_owned(),
        at: at(5),
    };
    see(&mut books, 30, told);
    is_refused(&books, "USDT", "has changed since the last verdict");
    assert!(settle(&books, "BTC").is_ok());
    disagree(&mut books, 40, true);
    assert!(settle(&books, "USDT").is_ok());
}

#[test]
fn an_account_without_a_verdict_is_known_and_an_old_verdict_tells_its_age() {
    let mut books = Books::default();
    let identified = AccountIdentified {
        account: account(),
        venue_account: "1".to_owned(),
        may_trade: true,
        may_withdraw: Some(false),
    };
    see(&mut books, 0, identified.clone());
    assert!(books.verdicts[&account()].is_none());
    see(&mut books, 10, BooksAgree { account: account(), as_of: at(10), assets: 3, orders: 0, begin: false });
    see(&mut books, 20, identified);
    let words = |now| books.verdicts[&account()].as_ref().unwrap().words(at(now));
    let fresh =
        "the books of binance:main agree with the venue's: 3 assets, 0 orders (as of 2026-03-01T00:00:10Z)";
    assert_eq!(words(10 + 70 * 60), fresh);
    let old = words(11 + 70 * 60);
    assert!(old.contains("nothing was compared for 70 minutes: the engine does not run"), "{old}");
}
