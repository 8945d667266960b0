//! What the name of a candle file says.

use domain::{Interval, Symbol};
use std::path::Path;

/// Orders the files of one series: the undated one first, then by the first day that they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    Undated,
    /// A month as `(year, month, 0)`, or a day.
    From(u16, u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileName {
    pub symbol: Symbol,
    pub interval: Interval,
    pub span: Span,
    pub packing: Packing,
}

impl Packing {
    /// By the name's end; with it, the name without that end.
    pub fn of(name: &str) -> Option<(Self, &str)> {
        [(".csv", Self::Plain), (".csv.gz", Self::Gzip), (".zip", Self::Zip)]
            .into_iter()
            .find_map(|(end, packing)| Some((packing, name.strip_suffix(end)?)))
    }
}

impl FileName {
    /// `None` for every other name.
    pub fn parse(path: &Path) -> Option<Self> {
        let (packing, stem) = Packing::of(path.file_name()?.to_str()?)?;
        let parts: Vec<&str> = stem.split('-').collect();
        let (series, span) = match parts.as_slice() {
            [series @ .., year, month, day] if series.len() >= 2 && is_date(year, month) => {
                (series, Span::From(year.parse().ok()?, month.parse().ok()?, number(day, 31)?))
            }
            [series @ .., year, month] if series.len() >= 2 && is_date(year, month) => {
                (series, Span::From(year.parse().ok()?, month.parse().ok()?, 0))
            }
            series => (series, Span::Undated),
        };
        let (interval, symbol) = series.split_last()?;
        // Of an undated archive nothing is known; Binance makes none.
        if packing == Packing::Zip && span == Span::Undated {
            return None;
        }
        Some(Self {
            symbol: Symbol::new(&symbol.join("-")).ok()?,
            interval: interval.parse().ok()?,
            span,
            packing,
        })
    }
}

fn is_date(year: &str, month: &str) -> bool {
    year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()) && number(month, 12).is_some()
}

/// Two digits from 1 to `most`.
fn number(text: &str, most: u8) -> Option<u8> {
    let plain = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| plain && (1..=most).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &str) {
        let told = FileName::parse(Path::new(name))
            .map(|n| format!("{} {} {:?} {:?}", n.symbol, n.interval, n.span, n.packing));
        assert_eq!(told.as_deref().unwrap_or("no"), expected, "{name}");
    }

    #[test]
    fn names_tell_symbol_interval_date_and_packing() {
        check("BTCUSDT-1h.csv", "BTCUSDT 1h Undated Plain");
        check("/a/b/BTCUSDT-1d.csv.gz", "BTCUSDT 1d Undated Gzip");
        check("BTCUSDT-1m-2024-01.csv", "BTCUSDT 1m From(2024, 1, 0) Plain");
        check("BTCUSDT-1m-2024-01.zip", "BTCUSDT 1m From(2024, 1, 0) Zip");
        check("BTCUSDT-1m-2024-12-31.zip", "BTCUSDT 1m From(2024, 12, 31) Zip");
        check("币安人生USDT-1m-2025-10.zip", "币安人生USDT 1m From(2025, 10, 0) Zip");
        check("A-B-3d.csv", "A-B 3d Undated Plain");
    }

    #[test]
    fn other_names_are_not_guessed_at() {
        for name in [
            "README.md",
            "BTCUSDT.csv",
            "BTCUSDT-1h.json",
            "BTCUSDT-1h-2024-13.zip",
            "BTCUSDT-1h-2024-01-32.zip",
            "BTCUSDT-2h30.csv",
            "BTCUSDT-1mo-2024-01.zip",
            "-1h.csv",
            "BTC USDT-1h.csv",
            "BTCUSDT-1h.zip",
            "BTCUSDT-1h-2024-01.zip.CHECKSUM",
            "BTCUSDT-1h-2024-1.zip",
        ] {
            check(name, "no");
        }
    }

    #[test]
    fn files_of_a_series_sort_by_date() {
        let mut spans =
            [Span::From(2024, 2, 0), Span::From(2024, 1, 31), Span::Undated, Span::From(2024, 1, 0)];
        spans.sort();
        assert_eq!(
            spans,
            [Span::Undated, Span::From(2024, 1, 0), Span::From(2024, 1, 31), Span::From(2024, 2, 0)]
        );
    }
}
