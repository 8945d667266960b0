//! Frames of the user data stream (Binance's `user-data-stream.md`).
//!
//! [`decode`] reads a frame whole, with every documented field; [`parse`] says what it means for the tape.
//! A frame comes bare or as the WebSocket API wraps it: `{"subscriptionId": 0, "event": {…}}`.
//!
//! | frame | says |
//! |---|---|
//! | `executionReport` `NEW` | `OrderAccepted` at the order's creation `O`, so that a stop's triggering, a pending order's release, REST and the answer to the request all state one fact |
//! | … `TRADE` | `OrderFilled`, and with status `FILLED` `OrderEnded` behind it |
//! | … `CANCELED`, `EXPIRED` | `OrderEnded`; of a cancel, `C` is the order and `c` only the request |
//! | … `TRADE_PREVENTION` | `OrderEnded` if the status is `EXPIRED_IN_MATCH`, else nothing: the order works on, smaller, and its end tells what was filled |
//! | … `REJECTED` | `OrderRejected` |
//! | … `REPLACED` | `OrderAmended`: the order has a smaller quantity `q` and the client id `c`; `C` is what it was called |
//! | … anything else | an error: there is no event for it |
//! | `outboundAccountPosition` | `BalanceChanged` for each asset, as of `u` |
//! | `balanceUpdate` | `LedgerEntered` at `T`; the stream does not say where it came from |
//! | `externalLockUpdate` | nothing: what is locked moves between free and locked, which a balance tells |
//! | `listStatus` | nothing: each order of a list reports for itself |
//! | `eventStreamTerminated`, `serverShutdown`, `listenKeyExpired` | nothing: they are for whoever holds the connection |
//!
//! Of an `executionReport` no event carries `o f p P F g Q w V W`, nor `q` and `I` but of an amendment (what was
//! ordered, which we know of ours), `d D j J` (trailing, strategy), `v A B u U Cs pl pL pY` (prevented matches), `b k uS` (how it was
//! allocated), `gP gOT gOV gp` (pegging) and `eR` (why it expired); `E` is when it was told, not when it was.
//! All of them are fields of [`ExecutionReport`], and the frame itself is kept.
//!
//! Times of facts are kept to the millisecond: one fact may come over a connection in microseconds and
//! another in milliseconds, and must be the same.

mod account;
mod envelope;
mod meaning;
mod names;
mod report;

pub use account::{
    AccountPosition, Balance, BalanceUpdate, ExternalLockUpdate, ListOrder, ListStatus, ListenKeyExpired,
    Moment,
};
pub use names::{client_order, venue_client_order};
pub use report::ExecutionReport;

pub(crate) use meaning::{Amendment, Execution, Order, fee};
pub(crate) use names::{asset, side};

use crate::ParseError;
use domain::Account;
use events::Event;

/// What a user data stream can send.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "the large one is the frequent one")]
pub enum Message<'a> {
    ExecutionReport(ExecutionReport<'a>),
    AccountPosition(AccountPosition<'a>),
    BalanceUpdate(BalanceUpdate<'a>),
    ListStatus(ListStatus<'a>),
    ExternalLockUpdate(ExternalLockUpdate<'a>),
    /// The subscription has ended, by us or because its token ran out: subscribe again.
    EventStreamTerminated(Moment),
    /// The server goes away within minutes: connect anew.
    ServerShutdown(Moment),
    /// What listen keys had for an ending.
    ListenKeyExpired(ListenKeyExpired<'a>),
}

/// Everything that a frame says about this account. Pure.
///
/// # Errors
/// No frame of a user data stream, or one that cannot be told: nothing of it is said, then.
pub fn parse(account: Account, bytes: &[u8]) -> Result<Vec<Event>, ParseError> {
    envelope::read(bytes, |message| meaning::events(account, &message))?
}

/// Reads a frame, bare or wrapped.
///
/// # Errors
/// No JSON, an unknown event, or a field that is missing or no such value.
pub fn decode(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
    envelope::read(bytes, |message| message)
}
