//! Recorded candles on disk: one file or a folder of them, read blocking and in constant memory.
//!
//! Two kinds of file are known by their names, each also packed:
//! - `<SYMBOL>-<interval>.csv[.gz]`, with the header `open_time_ms,open,high,low,close,volume[,…]`;
//! - Binance's public archives `<SYMBOL>-<interval>-<YYYY-MM>[-DD].csv` or `.zip`, 12 columns, with or
//!   without a header (its repository binance-public-data says how they are made).
//!
//! Times are milliseconds or, in Binance's archives since 2025, microseconds; each row tells by itself.
//! What a row says is not judged here, only whether it can be read: candles that are out of order,
//! doubled or inconsistent are handed on for the market's gate to report.

mod ahead;
mod error;
mod exchange_info;
mod file;
mod name;
mod quote;
mod reader;
mod row;
mod scan;
mod store;

pub use ahead::Ahead;
pub use error::StoreError;
pub use exchange_info::{ExchangeInfo, ExchangeInfoError, parse_exchange_info};
pub use quote::split_symbol;
pub use reader::Candles;
pub use store::{SeriesInfo, Store};
