//! Content types of raw frames on their way to the recorder, and what reads each.

use crate::{ParseError, frame, rows};
use domain::Account;
use events::Event;

/// A frame of the user data stream, as it came.
pub const USER_DATA: &str = "application/vnd.binance.spot.user-data+json";
/// `{"order": …, "trades": […], "allocations": […], "amendments": […]}`: the venue's rows of one order, as they
/// came.
pub const ORDER: &str = "application/vnd.binance.spot.order+json";
/// The venue's answer about the account, as it came.
pub const ACCOUNT: &str = "application/vnd.binance.spot.account+json";

/// `{"asOf": …, "completeUntil": …, "account": …, "orders": […]}`: the venue's time when it was asked, its answer about
/// the account and its rows of the orders that work, as they came; and, where it was asked for, until when everything
/// that a stream may have missed was published before.
pub const BOOKS: &str = "application/vnd.binance.spot.books+json";

/// Reads the bytes of one frame of this account. Pure; the error says what is wrong with them.
pub type Parser = fn(Account, &[u8]) -> Result<Vec<Event>, String>;

/// Every content type of Binance's, with its parser.
pub const PARSERS: &[(&str, Parser)] = &[
    (USER_DATA, |account, bytes| told(frame::parse(account, bytes))),
    (ORDER, |account, bytes| told(rows::parse_order(account, bytes))),
    (ACCOUNT, |account, bytes| told(rows::parse_account(account, bytes))),
    (BOOKS, |account, bytes| told(rows::parse_books(account, bytes))),
];

fn told(parsed: Result<Vec<Event>, ParseError>) -> Result<Vec<Event>, String> {
    parsed.map_err(|e| e.to_string())
}
