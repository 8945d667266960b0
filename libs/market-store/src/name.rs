//! What the name of a candle file says.

use crate::{
    interval::Word,
    quote::{is_quote, split_symbol},
};
use domain::{Asset, Interval, Symbol};
use std::path::Path;

/// Exchanges whose name other programs write in front of the symbol.
const ELSEWHERE: &[&str] = &[
    "binanceus",
    "bitfinex",
    "bitflyer",
    "bitget",
    "bitmex",
    "bitstamp",
    "bittrex",
    "bybit",
    "cexio",
    "coinbase",
    "deribit",
    "exmo",
    "ftx",
    "gate",
    "gateio",
    "gemini",
    "hitbtc",
    "htx",
    "huobi",
    "itbit",
    "kraken",
    "kucoin",
    "mexc",
    "okcoin",
    "okex",
    "okx",
    "poloniex",
    "upbit",
];
/// Words that say that a file holds futures, or prices of theirs.
const FUTURES: &[&str] = &[
    "futures",
    "future",
    "mark",
    "index",
    "premiumindex",
    "funding",
    "perp",
    "perpetual",
    "swap",
    "usdm",
    "coinm",
    "binanceusdm",
    "binancecoinm",
];

/// What a file is, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    Candles(FileName),
    /// It seems to hold candles, but cannot be taken up; why, and what to do.
    Unusable(String),
    /// Nothing of ours.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    pub symbol: Symbol,
    /// Base and quote asset, where a separator stands between them.
    pub pair: Option<(Asset, Asset)>,
    pub interval: Interval,
    /// The dates in the name; empty of an undated one. Two files of a series may not have the same.
    pub dates: String,
}

impl Named {
    pub fn of(path: &Path) -> Self {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Self::Other };
        // What a Mac leaves behind on other file systems.
        if name.starts_with('.') {
            return Self::Other;
        }
        let lower = name.to_ascii_lowercase();
        let end = [".csv.gz", ".csv.zip", ".csv", ".zip"].into_iter().find(|end| lower.ends_with(end));
        match end {
            Some(end) => parse(&name[..name.len() - end.len()]),
            None => foreign(&lower),
        }
    }
}

/// Files of candles in formats that are not read.
fn foreign(lower: &str) -> Named {
    let stem = |end: &str| lower.strip_suffix(end).map(|stem| matches!(parse(stem), Named::Candles(_)));
    for end in [".feather", ".parquet", ".json", ".json.gz", ".h5", ".pkl"] {
        if stem(end) == Some(true) {
            return Named::Unusable(format!(
                "{} is not read: write it as CSV, e.g. with pandas to_csv(…, index=False)",
                &end[1..]
            ));
        }
    }
    for end in [".xlsx", ".xls", ".ods"] {
        if stem(end).is_some() {
            return Named::Unusable("a spreadsheet is not read: save it as CSV (UTF-8)".to_owned());
        }
    }
    for end in [".csv.bz2", ".csv.xz", ".csv.zst", ".csv.7z", ".7z", ".tar.gz", ".tgz", ".gz", ".rar"] {
        if stem(end) == Some(true) {
            return Named::Unusable(format!(
                "{} is not read: unpack it, or pack it with gzip or zip",
                &end[1..]
            ));
        }
    }
    Named::Other
}

fn parse(stem: &str) -> Named {
    let words: Vec<&str> = stem.split(['-', '_', ' ', ',']).filter(|word| !word.is_empty()).collect();
    let is_futures =
        |(at, word): (usize, &&str)| at > 0 && FUTURES.contains(&word.to_ascii_lowercase().as_str());
    if words.iter().enumerate().any(is_futures) || FUTURES[9..].iter().any(|f| words.first() == Some(f)) {
        return futures();
    }
    // The last word that could be an interval: what follows it can only be dates.
    let found = words.iter().enumerate().skip(1).rev().map(|(at, word)| (at, Word::read(word)));
    let Some((at, word)) = found.into_iter().find(|(_, word)| *word != Word::No) else {
        return Named::Unusable("its name says no interval".to_owned());
    };
    let interval = match word {
        Word::Known(interval) => interval,
        Word::Month => {
            return Named::Unusable(
                "candles of a month are not played, since months differ in length (a minute is written 1m)"
                    .to_owned(),
            );
        }
        Word::MinuteOrMonth => {
            return Named::Unusable("'m' may be a minute or a month: write 1m for minutes".to_owned());
        }
        Word::Foreign | Word::No => {
            return Named::Unusable(format!("{} is none of the intervals: {}", words[at], intervals()));
        }
    };
    let (mut symbol, mut dates) = (&words[..at], words[at + 1..].to_vec());
    // CryptoDataDownload writes the year in front of the interval.
    if let [rest @ .., year] = symbol
        && dates.is_empty()
        && rest.len() > 1
        && is_year(year)
    {
        (symbol, dates) = (rest, vec![*year]);
    }
    if !are_dates(&dates) {
        let rest = dates.join("-");
        return Named::Unusable(format!("'{rest}' behind the interval is no date (2024-01 or 2024-01-31)"));
    }
    match pair(symbol) {
        Ok((symbol, pair)) => Named::Candles(FileName { symbol, pair, interval, dates: dates.join("-") }),
        Err(why) => Named::Unusable(why),
    }
}

fn futures() -> Named {
    Named::Unusable("candles of futures are not played: take those of the spot market".to_owned())
}

type Pair = (Symbol, Option<(Asset, Asset)>);

/// # Errors
/// In words: why it is no symbol of Binance's spot market.
fn pair(words: &[&str]) -> Result<Pair, String> {
    let upper: Vec<String> = words.iter().map(|word| word.to_uppercase()).collect();
    let words = match upper.iter().map(String::as_str).collect::<Vec<_>>() {
        words if words.first() == Some(&"BINANCE") && words.len() > 1 => {
            words[1..].iter().copied().filter(|word| *word != "SPOT").collect()
        }
        words => words,
    };
    if let [first, rest @ ..] = words.as_slice()
        && !rest.is_empty()
        && ELSEWHERE.contains(&first.to_ascii_lowercase().as_str())
    {
        return Err(format!(
            "its candles are of {first}, and Binance's are played: if they shall be played as such, leave {first} out"
        ));
    }
    let symbol = |name: &str| Symbol::new(name).map_err(|e| e.to_string());
    let asset = |name: &str| Asset::new(name).map_err(|e| e.to_string());
    match words.as_slice() {
        [one] if one.ends_with("PERP") || one.ends_with(".P") || one.contains(':') => {
            Err("candles of futures are not played: take those of the spot market".to_owned())
        }
        [one] => Ok((symbol(one)?, None)),
        [base, quote] if is_quote(quote) => {
            Ok((symbol(&format!("{base}{quote}"))?, Some((asset(base)?, asset(quote)?))))
        }
        // A pair, and what it is settled in.
        [_, quote, settled] if quote == settled || is_quote(quote) && is_quote(settled) => {
            Err("candles of futures are not played: take those of the spot market".to_owned())
        }
        [_, .., last] if split_symbol(last).is_some() && !is_quote(last) => {
            Err(format!("what stands in front of {last} is not understood: leave it out"))
        }
        _ => Err(format!("{} is no pair of a known quote asset", words.join("-"))),
    }
}

fn intervals() -> String {
    Interval::ALL.iter().map(|interval| interval.as_str()).collect::<Vec<_>>().join(" ")
}

/// One date or two, each a year, a month or a day.
fn are_dates(words: &[&str]) -> bool {
    let mut rest = words;
    for _ in 0..2 {
        let Some((year, more)) = rest.split_first() else { return true };
        rest = more;
        if year.len() == 8 && is_year(&year[..4]) && is_number(&year[4..6], 12) && is_number(&year[6..], 31) {
            continue;
        }
        if !is_year(year) {
            return false;
        }
        for most in [12, 31] {
            if let [part, more @ ..] = rest
                && is_number(part, most)
            {
                rest = more;
            } else {
                break;
            }
        }
    }
    rest.is_empty()
}

fn is_year(word: &str) -> bool {
    word.len() == 4
        && word.bytes().all(|b| b.is_ascii_digit())
        && (word.starts_with("19") || word.starts_with("20"))
}

/// Two digits from 1 to `most`.
fn is_number(word: &str, most: u8) -> bool {
    let plain = word.len() == 2 && word.bytes().all(|b| b.is_ascii_digit());
    plain && word.parse().is_ok_and(|n: u8| (1..=most).contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let told = match Named::of(Path::new(name)) {
            Named::Candles(n) => {
                let pair = n.pair.map_or(String::new(), |(base, quote)| format!(" {base}/{quote}"));
                format!("{}{pair} {} {}", n.symbol, n.interval, n.dates)
            }
            Named::Unusable(why) => why,
            Named::Other => "other".to_owned(),
        };
        assert!(told.trim_end().starts_with(expected), "{name}: {told}");
        assert!(
            told.trim_end() == expected || !matches!(Named::of(Path::new(name)), Named::Candles(_)),
            "{name}: {told}"
        );
    }

    #[test]
    fn names_tell_symbol_interval_and_dates() {
        check("BTCUSDT-1h.csv", "BTCUSDT 1h");
        check("/a/b/BTCUSDT-1d.csv.gz", "BTCUSDT 1d");
        check("BTCUSDT-1m-2024-01.csv", "BTCUSDT 1m 2024-01");
        check("BTCUSDT-1m-2024-01.zip", "BTCUSDT 1m 2024-01");
        check("BTCUSDT-1m-2024-12-31.zip", "BTCUSDT 1m 2024-12-31");
        check("币安人生USDT-1m-2025-10.zip", "币安人生USDT 1m 2025-10");
        check("BTCUSDT-1h.zip", "BTCUSDT 1h");
        check("BTCUSDT-1h.csv.zip", "BTCUSDT 1h");
        check("BTCUSDT-1d.CSV", "BTCUSDT 1d");
    }

    #[test]
    fn names_of_other_programs_tell_base_and_quote() {
        check("PAXG_USDT-1d.csv", "PAXGUSDT PAXG/USDT 1d");
        check("USDC-USDT-1d.csv", "USDCUSDT USDC/USDT 1d");
        check("btc-usdt-1D.csv", "BTCUSDT BTC/USDT 1d");
        check("btcusdt_1h.csv", "BTCUSDT 1h");
        check("Binance_BTCUSDT_d.csv", "BTCUSDT 1d");
        check("Binance_BTCUSDT_2023_minute.csv", "BTCUSDT 1m 2023");
        check("binance_BTC-USDT_1hour.csv", "BTCUSDT BTC/USDT 1h");
        check("BTC_USDT-1d-20230101-20231231.csv", "BTCUSDT BTC/USDT 1d 20230101-20231231");
        check("S-USDT-1d.csv", "SUSDT S/USDT 1d");
        check("PERP_USDT-1d.csv", "PERPUSDT PERP/USDT 1d");
    }

    #[test]
    fn what_cannot_be_taken_up_says_why() {
        for (name, why) in [
            ("BTC_USDT_USDT-1d-futures.csv", "candles of futures"),
            ("BTC_USDT_USDT-1d.csv", "candles of futures"),
            ("BTC_USDT_USDT-8h-funding_rate.csv", "candles of futures"),
            ("BTCUSD_PERP-1d.csv", "candles of futures"),
            ("BTCUSDTPERP-1d.csv", "candles of futures"),
            ("BTCUSDT-1M.csv", "candles of a month"),
            ("BTCUSDT-1mo-2024-01.zip", "candles of a month"),
            ("BTC_USDT-1Mo.csv", "candles of a month"),
            ("Binance_BTCUSDT_m.csv", "'m' may be a minute or a month"),
            ("BTCUSDT-10m.csv", "10m is none of the intervals: 1s 1m"),
            ("Bitstamp_BTCUSD_d.csv", "its candles are of BITSTAMP"),
            ("mine_BTCUSDT_1d.csv", "what stands in front of BTCUSDT"),
            ("A-B-3d.csv", "A-B is no pair"),
            ("BTCUSDT.csv", "its name says no interval"),
            ("BTCUSDT-1d (1).csv", "'(1)' behind the interval"),
            ("BTCUSDT-1h-2024-13.zip", "'2024-13' behind the interval"),
            ("BTCUSDT-1h-2024-01-32.zip", "'2024-01-32' behind the interval"),
            ("BTCUSDT-1h-2024-1.zip", "'2024-1' behind the interval"),
            ("BTCUSDT-2h30.csv", "its name says no interval"),
            ("BTC_USDT-1d.feather", "feather is not read"),
            ("BTC_USDT-1d.json", "json is not read"),
            ("candles.xlsx", "a spreadsheet is not read"),
            ("BTCUSDT-1d.csv.zst", "csv.zst is not read"),
        ] {
            check(name, why);
        }
        for name in ["README.md", "._BTCUSDT-1d.csv", "BTCUSDT-1h-2024-01.zip.CHECKSUM", "exchangeInfo.json"]
        {
            check(name, "other");
        }
    }
}
