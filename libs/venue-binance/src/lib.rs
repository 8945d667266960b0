//! Binance spot: what it sends, and what it is sent: pure, without clock and socket. The client that has those
//! is [`net`], a feature of its own.
//!
//! Sources: Binance's own documentation (`user-data-stream.md`, `web-socket-streams.md`, `rest-api.md`,
//! `web-socket-api.md`, `errors.md`, `enums.md`, `filters.md`) as of summer 2026.
//!
//! - Nothing is dropped silently: what cannot be told is an error that names the field, and the frame is kept.
//! - Unknown fields, unknown enum values and names outside ASCII are harmless.
//! - No answer, or one that does not say what became of a request, is *unknown*, never rejected.

pub mod book;
pub mod budget;
pub mod content;
pub mod errors;
pub mod frame;
pub mod market;
#[cfg(feature = "net")]
pub mod net;
pub mod params;
mod parse_error;
pub mod reply;
pub mod request;
pub mod rows;
pub mod rules;
pub mod sign;
pub mod wire;

pub use parse_error::ParseError;
