//! Frames of the market data streams (Binance's `web-socket-streams.md`).
//!
//! A frame comes raw or, on a combined stream, as `{"stream": "<name>", "data": …}`. Two kinds do not name
//! their type, `bookTicker` and the partial book; they are told by their fields. A partial book does not
//! even name its symbol: only the stream's name does.

mod candle;
mod depth;
mod fixed;
mod ticks;

pub use candle::{Kline, KlineFrame, kline_rows};
pub use depth::{DepthUpdate, Level, PartialDepth};
pub use fixed::Fixed;
pub use ticks::{AggregateTrade, BookTicker, MiniTicker, PublicTrade};

use crate::{
    ParseError,
    wire::{Raw, Text, wire},
};

/// What a market data stream sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame<'a> {
    /// The stream's name, on a combined stream.
    pub stream: Option<Text<'a>>,
    pub message: Message<'a>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Message<'a> {
    Kline(KlineFrame<'a>),
    DepthUpdate(DepthUpdate<'a>),
    PartialDepth(PartialDepth),
    Trade(PublicTrade<'a>),
    AggregateTrade(AggregateTrade<'a>),
    BookTicker(BookTicker<'a>),
    /// One, or those of all symbols that changed.
    MiniTickers(Vec<MiniTicker<'a>>),
    /// The server goes away within minutes: connect anew.
    ServerShutdown,
    /// The answer to a `SUBSCRIBE` and the like.
    Reply(Reply<'a>),
    /// Something that we did not subscribe to, by its type: harmless.
    Other(Text<'a>),
}

wire! {
    pub struct Reply<'a> {
        code "code": may i64,
        text "msg": may Text<'a>,
    }
}

wire! {
    pub struct Envelope<'a> {
        stream "stream": may Text<'a>,
        data "data": may Raw<'a>,
    }
}

wire! {
    /// What tells one kind of frame from another.
    pub struct Marks<'a> {
        kind "e": may Text<'a>,
        partial "lastUpdateId": may u64,
        best "B": may Raw<'a>,
        result "result": may Raw<'a>,
        id "id": may Raw<'a>,
        code "code": may i64,
        error "error": may Reply<'a>,
    }
}

/// Reads a frame, raw or of a combined stream.
///
/// # Errors
/// No JSON, no such frame, or a field that is missing or no such value.
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, ParseError> {
    if first(bytes) == Some(b'[') {
        return Ok(Frame { stream: None, message: list(bytes)? });
    }
    let envelope: Envelope = serde_json::from_slice(bytes)?;
    let message = match envelope.data.map(Raw::bytes) {
        Some(data) if first(data) == Some(b'[') => list(data)?,
        Some(data) => single(data)?,
        None => single(bytes)?,
    };
    Ok(Frame { stream: envelope.stream, message })
}

fn single(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
    let marks: Marks = serde_json::from_slice(bytes)?;
    let Some(kind) = marks.kind else { return untyped(&marks, bytes) };
    Ok(match &*kind {
        "kline" => Message::Kline(serde_json::from_slice(bytes)?),
        "depthUpdate" => Message::DepthUpdate(serde_json::from_slice(bytes)?),
        "trade" => Message::Trade(serde_json::from_slice(bytes)?),
        "aggTrade" => Message::AggregateTrade(serde_json::from_slice(bytes)?),
        "bookTicker" => Message::BookTicker(serde_json::from_slice(bytes)?),
        "24hrMiniTicker" => Message::MiniTickers(vec![serde_json::from_slice(bytes)?]),
        "serverShutdown" => Message::ServerShutdown,
        _ => Message::Other(kind),
    })
}

fn untyped<'a>(marks: &Marks<'a>, bytes: &'a [u8]) -> Result<Message<'a>, ParseError> {
    if marks.partial.is_some() {
        Ok(Message::PartialDepth(serde_json::from_slice(bytes)?))
    } else if marks.best.is_some() {
        Ok(Message::BookTicker(serde_json::from_slice(bytes)?))
    } else if let Some(error) = &marks.error {
        Ok(Message::Reply(error.clone()))
    } else if marks.code.is_some() || marks.result.is_some() || marks.id.is_some() {
        Ok(Message::Reply(serde_json::from_slice(bytes)?))
    } else {
        Err(ParseError::Malformed("it has none of `e`, `lastUpdateId`, `B`, `result`, `code`".to_owned()))
    }
}

/// All that a list stream sends at once. A list of other things than mini tickers is another's.
fn list(bytes: &[u8]) -> Result<Message<'_>, ParseError> {
    wire! {
        pub struct Kind<'a> {
            name "e": may Text<'a>,
        }
    }
    let kinds: Vec<Kind> = serde_json::from_slice(bytes)?;
    let kinds = kinds.into_iter().map(|kind| kind.name);
    match kinds.flatten().find(|kind| &**kind != "24hrMiniTicker") {
        Some(other) => Ok(Message::Other(other)),
        None => Ok(Message::MiniTickers(serde_json::from_slice(bytes)?)),
    }
}

fn first(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}
