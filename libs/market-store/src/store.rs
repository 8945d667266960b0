//! A file or folder of recorded candles, looked through once.

use crate::{
    Candles, ExchangeInfo, StoreError, file,
    name::{FileName, Packing, Span},
    parse_exchange_info,
    scan::{self, Scan},
    split_symbol,
};
use domain::{Asset, Decimal, Instrument, InstrumentRules, Interval, Timestamp, Venue};
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Quantities of Binance's spot market have no more decimals than this.
const MOST_LOT_DECIMALS: u32 = 8;
/// In the quote asset, where no exchange info says otherwise; Binance's for USDT.
const MIN_NOTIONAL: i64 = 5;

/// Recorded candles that can be read from the first row to the last.
#[derive(Debug, Clone)]
pub struct Store {
    /// Ordered by instrument, then finest interval first.
    pub series: Vec<SeriesInfo>,
    /// What else lies in the folder.
    pub ignored: Vec<PathBuf>,
    rules: BTreeMap<Instrument, InstrumentRules>,
}

/// One series: all candles of one instrument and interval.
#[derive(Debug, Clone)]
pub struct SeriesInfo {
    pub instrument: Instrument,
    pub interval: Interval,
    /// In the order in which they are read.
    pub files: Vec<PathBuf>,
    pub rows: u64,
    /// Earliest and latest open time.
    pub first: Timestamp,
    pub last: Timestamp,
    /// Decimals that at least 99 of 100 rows get by with, trailing zeros not counted.
    pub price_decimals: u32,
    pub volume_decimals: u32,
    packings: Vec<Packing>,
}

impl Store {
    /// Looks through one file or a folder (not its subfolders) and reads every row once, so that what
    /// is malformed is known before anything is traded on it.
    ///
    /// # Errors
    /// Nothing there or nothing recognised; a row, an archive or an exchange info that cannot be read.
    pub fn open(path: &Path, venue: Venue) -> Result<Self, StoreError> {
        let found = Found::at(path)?;
        let mut series = Vec::new();
        for ((instrument, interval), files) in found.series(venue)? {
            series.push(SeriesInfo::scan(instrument, interval, files)?);
        }
        let info = found.exchange_info.as_deref().map(read_exchange_info).transpose()?;
        let rules = rules(&series, info.as_ref(), found.exchange_info.as_deref())?;
        Ok(Self { series, ignored: found.ignored, rules })
    }

    /// The rules of each instrument: from `exchangeInfo.json` in the folder where it lists the
    /// symbol, else inferred: ticks and lots as fine as the recorded figures, nothing else limited.
    pub fn rules(&self) -> &BTreeMap<Instrument, InstrumentRules> {
        &self.rules
    }

    /// All rows of all series.
    pub fn rows(&self) -> u64 {
        self.series.iter().map(|s| s.rows).sum()
    }
}

impl SeriesInfo {
    /// The candles once more, from the first. Files are opened as they are needed.
    pub fn read(&self) -> Candles {
        let files = self.files.iter().cloned().zip(self.packings.iter().copied());
        Candles::new(self.instrument, self.interval, files.collect())
    }

    fn scan(instrument: Instrument, interval: Interval, files: Files) -> Result<Self, StoreError> {
        let scan = Scan::of(Candles::new(instrument, interval, files.clone()))?;
        let (files, packings): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let Some((first, last)) = scan.span else {
            return Err(StoreError::NoCandle { file: files.into_iter().next().unwrap_or_default() });
        };
        Ok(Self {
            instrument,
            interval,
            files,
            rows: scan.rows,
            first,
            last,
            price_decimals: scan.price_decimals(),
            volume_decimals: scan.volume_decimals(),
            packings,
        })
    }
}

type Files = Vec<(PathBuf, Packing)>;

/// What lies at a path, by names alone.
#[derive(Default)]
struct Found {
    candles: Vec<(FileName, PathBuf)>,
    exchange_info: Option<PathBuf>,
    ignored: Vec<PathBuf>,
}

impl Found {
    fn at(path: &Path) -> Result<Self, StoreError> {
        let meta = fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => StoreError::Missing { path: path.to_owned() },
            _ => StoreError::Unreadable { file: path.to_owned(), source },
        })?;
        let mut found = Self::default();
        if !meta.is_dir() {
            found.sort_in(path.to_owned());
        } else {
            let failed = |source| StoreError::Unreadable { file: path.to_owned(), source };
            let mut paths = Vec::new();
            for entry in fs::read_dir(path).map_err(failed)? {
                paths.push(entry.map_err(failed)?.path());
            }
            if paths.is_empty() {
                return Err(StoreError::EmptyFolder { path: path.to_owned() });
            }
            // The order of a folder is not the same everywhere.
            paths.sort();
            paths.into_iter().for_each(|path| found.sort_in(path));
        }
        if found.candles.is_empty() {
            return Err(StoreError::NothingRecognised {
                path: path.to_owned(),
                found: names(&found.ignored),
            });
        }
        Ok(found)
    }

    fn sort_in(&mut self, path: PathBuf) {
        let name = path.file_name().and_then(|name| name.to_str());
        match FileName::parse(&path) {
            Some(name) if !path.is_dir() => self.candles.push((name, path)),
            _ if matches!(name, Some("exchangeInfo.json" | "exchangeInfo.json.gz")) => {
                self.exchange_info.get_or_insert(path);
            }
            _ => self.ignored.push(path),
        }
    }

    /// The files of each series, in the order in which they are to be read.
    fn series(&self, venue: Venue) -> Result<BTreeMap<(Instrument, Interval), Files>, StoreError> {
        let mut dated: BTreeMap<(Instrument, Interval), BTreeMap<Span, (PathBuf, Packing)>> = BTreeMap::new();
        for (name, path) in &self.candles {
            let key = (Instrument::spot(venue, name.symbol), name.interval);
            let held = (path.clone(), name.packing);
            if let Some((first, _)) = dated.entry(key).or_default().insert(name.span, held) {
                return Err(StoreError::SameTwice { first, second: path.clone() });
            }
        }
        Ok(dated.into_iter().map(|(key, files)| (key, files.into_values().collect())).collect())
    }
}

/// The first few names, for a message.
fn names(paths: &[PathBuf]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<_> = paths.iter().filter_map(|p| p.file_name()).map(|n| n.to_string_lossy()).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let shown = names.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn rules(
    series: &[SeriesInfo],
    info: Option<&ExchangeInfo>,
    file: Option<&Path>,
) -> Result<BTreeMap<Instrument, InstrumentRules>, StoreError> {
    let mut decimals: BTreeMap<Instrument, (u32, u32)> = BTreeMap::new();
    for s in series {
        let (price, volume) = decimals.entry(s.instrument).or_default();
        *price = s.price_decimals.max(*price);
        *volume = s.volume_decimals.max(*volume);
    }
    let mut rules = BTreeMap::new();
    for (instrument, (price, volume)) in decimals {
        let told = match info {
            Some(info) => info.of(instrument.symbol).map_err(|source| StoreError::ExchangeInfo {
                file: file.unwrap_or(Path::new("")).to_owned(),
                source,
            })?,
            None => None,
        };
        let told = match told {
            Some(told) => told.clone(),
            None => inferred(instrument, price, volume)?,
        };
        rules.insert(instrument, told);
    }
    Ok(rules)
}

fn inferred(instrument: Instrument, price: u32, volume: u32) -> Result<InstrumentRules, StoreError> {
    let unknown = || StoreError::UnknownQuote { symbol: instrument.symbol.to_string() };
    let (base, quote) = split_symbol(&instrument.symbol).ok_or_else(unknown)?;
    Ok(InstrumentRules::open(
        Asset::new(base).map_err(|_| unknown())?,
        Asset::new(quote).map_err(|_| unknown())?,
        scan::step(price),
        scan::step(volume.min(MOST_LOT_DECIMALS)),
        Decimal::from(MIN_NOTIONAL),
    ))
}

fn read_exchange_info(path: &Path) -> Result<ExchangeInfo, StoreError> {
    let packing = if path.extension().is_some_and(|e| e == "gz") { Packing::Gzip } else { Packing::Plain };
    let mut text = String::new();
    file::open(path, packing)?
        .read_to_string(&mut text)
        .map_err(|source| file::unreadable(path, packing, source))?;
    parse_exchange_info(&text).map_err(|source| StoreError::ExchangeInfo { file: path.to_owned(), source })
}
