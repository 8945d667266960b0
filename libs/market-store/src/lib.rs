//! Recorded candles on disk: one file or a folder of them, read blocking and in constant memory.
//!
//! Files are known by their names ([`Store::open`]); what a file is packed in is told by its first bytes, and how
//! it is written by its first lines: header, delimiter, decimals, times, newest or oldest row first.
//! What can be meant in two ways is refused with what to write instead.
//!
//! What a row says is not judged here, only whether it can be read: candles that are out of order,
//! doubled or inconsistent are handed on for the market's gate to report.

mod ahead;
mod backward;
mod columns;
mod error;
mod exchange_info;
mod figure;
mod file;
mod interval;
mod layout;
mod left_out;
mod lines;
mod moment;
mod name;
mod quote;
mod reader;
mod row;
mod scan;
mod split;
mod store;

pub use ahead::Ahead;
pub use error::StoreError;
pub use exchange_info::{ExchangeInfo, ExchangeInfoError, parse_exchange_info};
pub use left_out::{LeftOut, RowPlace, WhyLeftOut};
pub use quote::split_symbol;
pub use reader::{Candles, Place};
pub use store::{Ignored, SeriesInfo, Store};
