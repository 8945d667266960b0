//! What Binance's answer to a request means for what we do next (its `errors.md`, and "HTTP return codes" and
//! "WebSocket API" → "Status codes").
//!
//! The rule above all: a request whose outcome is not told is *unknown*, never rejected. With a status
//! of 500 and above the outcome is unknown whatever the code; so it is where there is no code to read.

mod table;
mod texts;

pub use table::{KNOWN, Known, Meaning};
pub use venue_net::budget::RetryAt;

use crate::wire::{Raw, Stamp, Text, wire};
use events::Rejection;
use std::{fmt, time::Duration};

/// A failure as the venue told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// HTTP's status, or the `status` of a WebSocket API answer.
    pub status: u16,
    /// The venue's number, if the answer had one.
    pub code: Option<i64>,
    /// The venue's text, or the beginning of whatever the answer was.
    pub text: String,
    /// Before it nothing may be sent.
    pub retry: Option<RetryAt>,
    pub verdict: Verdict,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Refused before the matching engine saw it. The same again would be refused again.
    Refused(Rejection),
    /// The matching engine said no.
    Rejected(Rejection),
    /// What was asked for is not there: an unknown order, for a lookup the proof that it is absent.
    NotFound,
    /// Certainly not executed; worth another attempt, signed anew, once the limit allows.
    Retry(Retry),
    /// Perhaps executed: look it up before anything else.
    Unknown,
    /// Nothing will work until a person mends it: the key, its rights, the signature, the address.
    Fatal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// A limit of the address: nothing more may be sent before the time that comes with it.
    Limit,
    /// The limit of orders: cancels may go on.
    Orders,
    /// −1021: the clocks, or the way, were too slow.
    OutsideWindow,
    /// The server is busy or goes away.
    Busy,
}

wire! {
    /// The body of a failure; of a WebSocket API answer, its `error`.
    pub struct Body<'a> {
        code "code": may i64,
        text "msg": may Text<'a>,
        /// Whatever it is, it must not hide the code.
        data "data": may Raw<'a>,
    }
}

wire! {
    pub struct Data {
        /// In milliseconds of the venue's time.
        retry_after "retryAfter": may Stamp,
    }
}

/// How much of an answer that is not Binance's own is kept for whoever has to find out.
const MOST_OF_A_FOREIGN_TEXT: usize = 200;

/// Reads an answer that is no success: its status, its body (of a WebSocket API answer the `error`), and
/// the header `Retry-After` where there is one. Whatever the bytes, there is a verdict.
pub fn read(status: u16, body: &[u8], retry_after: Option<&str>) -> Failure {
    let read: Option<Body> = serde_json::from_slice(body).ok();
    let code = read.as_ref().and_then(|body| body.code);
    let told = read.as_ref().and_then(|body| body.text.as_deref());
    let text = told.map_or_else(|| foreign(body), ToOwned::to_owned);
    let seconds = retry_after.and_then(|text| text.trim().parse().ok());
    let data: Option<Data> =
        read.as_ref().and_then(|body| body.data).and_then(|data| serde_json::from_slice(data.bytes()).ok());
    let at = data.and_then(|data| data.retry_after).map(|at| RetryAt::At(at.0));
    let retry =
        seconds.map(|s| RetryAt::After(Duration::from_secs(s))).or(at).or_else(|| banned_until(&text));
    Failure { status, code, retry, verdict: Verdict::of(status, code, &text), text }
}

/// No answer at all: sent, and the connection lost or the time run out.
pub fn no_answer(why: &str) -> Failure {
    Failure { status: 0, code: None, text: why.to_owned(), retry: None, verdict: Verdict::Unknown }
}

impl Verdict {
    pub fn of(status: u16, code: Option<i64>, text: &str) -> Self {
        match (status, code) {
            (500.., _) => Self::Unknown,
            (418 | 429, Some(-1015)) => Self::Retry(Retry::Orders),
            // 403 is the firewall's: too many requests of one kind.
            (418 | 429 | 403, _) => Self::Retry(Retry::Limit),
            (_, Some(code)) => coded(code, text),
            (401 | 404 | 405 | 410 | 451, None) => Self::Fatal,
            (_, None) => Self::Unknown,
        }
    }

    /// Why an order is not taken, if that is what was said.
    pub fn rejection(self) -> Option<Rejection> {
        match self {
            Self::Refused(reason) | Self::Rejected(reason) => Some(reason),
            Self::Retry(Retry::OutsideWindow) => Some(Rejection::OutsideWindow),
            Self::Retry(Retry::Limit | Retry::Orders) => Some(Rejection::RateLimited),
            Self::Retry(Retry::Busy) | Self::NotFound | Self::Unknown | Self::Fatal => None,
        }
    }
}

fn coded(code: i64, text: &str) -> Verdict {
    match table::meaning(code) {
        Some(Meaning::Is(verdict)) => verdict,
        Some(Meaning::DoorText) => Verdict::Refused(texts::reason(text)),
        Some(Meaning::EngineText) => Verdict::Rejected(texts::reason(text)),
        // New codes of the engine's family are its own; of the others, of the checks before it.
        None if (-2999..=-2000).contains(&code) => Verdict::Rejected(texts::reason(text)),
        None if (-1999..=-1100).contains(&code) => Verdict::Refused(texts::reason(text)),
        None => Verdict::Unknown,
    }
}

/// "Way too much request weight used; IP banned until 1659146400000."
fn banned_until(text: &str) -> Option<RetryAt> {
    let (_, rest) = text.split_once("banned until ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Stamp::read(digits.parse().ok()?).map(|at| RetryAt::At(at.0))
}

fn foreign(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(MOST_OF_A_FOREIGN_TEXT).collect()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = self.code {
            write!(f, ", {code}")?;
            if let Some(name) = table::name(code) {
                write!(f, " {name}")?;
            }
        }
        write!(f, ": {}", self.text)
    }
}

impl std::error::Error for Failure {}
