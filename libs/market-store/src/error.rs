//! Why recorded candles cannot be read, with the place and the remedy.

use crate::ExchangeInfoError;
use std::{io, path::PathBuf};
use thiserror::Error;

/// The names by which candle files are known, as told to whoever has others.
pub(crate) const NAMES: &str = "name candle files <SYMBOL>-<interval>.csv, .csv.gz or .zip \
     (BTCUSDT-1h.csv.gz, BTC_USDT-1d.csv), or as Binance's archives <SYMBOL>-<interval>-<YYYY-MM>[-<DD>] \
     (BTCUSDT-1h-2024-01.zip)";

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("{path}: there is no such file or folder")]
    Missing { path: PathBuf },
    #[error("{path}: the folder is empty; put candle files into it; {NAMES}")]
    EmptyFolder { path: PathBuf },
    #[error("{path}: no candle file was recognised (found {found}); {NAMES}")]
    NothingRecognised { path: PathBuf, found: String },
    #[error("{path}: {why}; {NAMES}")]
    Unusable { path: PathBuf, why: String },
    #[error("{first} and {second} are of the same series; remove one of them")]
    SameTwice { first: PathBuf, second: PathBuf },
    #[error("{file}: cannot be read: {source}")]
    Unreadable { file: PathBuf, source: io::Error },
    /// Packed data that ends early, fails its checksum or is no archive at all.
    #[error("{file}: is no sound {packing} file ({why}); fetch it again")]
    Damaged { file: PathBuf, packing: &'static str, why: String },
    /// A sound archive whose content cannot be taken up.
    #[error("{file}: {why}")]
    Archive { file: PathBuf, why: String },
    #[error(
        "{file}: runs backwards, and cannot be unpacked into a temporary file ({source}); make room, or sort it by open time"
    )]
    Unpacking { file: PathBuf, source: io::Error },
    #[error("{file}, line {line}: {why}")]
    Malformed { file: PathBuf, line: u64, why: String },
    /// Neither oldest first nor newest first.
    #[error(
        "{file}, line {line}: is older than the row before it, as are many: sort the file by open time, oldest or newest first"
    )]
    MixedOrder { file: PathBuf, line: u64 },
    #[error("{file}: holds no candle; remove it or fetch it again")]
    NoCandle { file: PathBuf },
    #[error(
        "{symbol}: its quote asset is not known by its name; put Binance's exchangeInfo.json into the folder"
    )]
    UnknownQuote { symbol: String },
    #[error("{file}: {source}")]
    ExchangeInfo { file: PathBuf, source: ExchangeInfoError },
}
