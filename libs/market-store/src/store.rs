//! A file or folder of recorded candles, looked through once.

use crate::{
    Candles, ExchangeInfo, LeftOut, Place, StoreError, file,
    layout::Expected,
    lines::Source,
    name::{FileName, Named},
    parse_exchange_info,
    scan::{self, Scan},
    split_symbol,
};
use domain::{Asset, Decimal, Instrument, InstrumentRules, Interval, Timestamp, Venue};
use events::Candle;
use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Quantities of Binance's spot market have no more decimals than this.
const MOST_LOT_DECIMALS: u32 = 8;
/// Prices of any spot market have no more; a figure with more is the noise of a float.
const MOST_TICK_DECIMALS: u32 = 12;
/// In the quote asset, where no exchange info says otherwise; Binance's for USDT.
const MIN_NOTIONAL: i64 = 5;

/// Recorded candles that can be read from the first row to the last.
#[derive(Debug, Clone)]
pub struct Store {
    /// Ordered by instrument, then finest interval first.
    pub series: Vec<SeriesInfo>,
    /// What else lies in the folder.
    pub ignored: Vec<Ignored>,
    /// Instruments whose rules no exchange info told: ticks and lots are inferred from the figures.
    pub inferred: Vec<Instrument>,
    rules: BTreeMap<Instrument, InstrumentRules>,
}

/// A file that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    pub path: PathBuf,
    /// What is to be done about it, of a file that seems to hold candles.
    pub why: Option<String>,
}

/// One series: all candles of one instrument and interval.
#[derive(Debug, Clone)]
pub struct SeriesInfo {
    pub instrument: Instrument,
    pub interval: Interval,
    /// In the order in which they are read: by the time of their first candle.
    pub files: Vec<PathBuf>,
    pub rows: u64,
    /// Rows that are no candles.
    pub left_out: LeftOut,
    /// Earliest and latest open time.
    pub first: Timestamp,
    pub last: Timestamp,
    /// Decimals that at least 99 of 100 rows get by with, trailing zeros not counted.
    pub price_decimals: u32,
    pub volume_decimals: u32,
    /// What the files do not say and how it is taken, or that they run backwards; with the first such file.
    pub notes: Vec<(PathBuf, &'static str)>,
    sources: Vec<Arc<Source>>,
}

impl Store {
    /// Looks through one file or a folder (not its subfolders) and reads every row once, so that what
    /// is malformed is known before anything is traded on it.
    ///
    /// Candles are in files `<SYMBOL>-<interval>[-<date>]` with `.csv`, `.csv.gz` or `.zip`; the symbol may have
    /// a separator between base and quote (`-`, `_`), and the intervals may be written as other programs do.
    ///
    /// # Errors
    /// Nothing there or nothing recognised; a row, an archive or an exchange info that cannot be read.
    pub fn open(path: &Path, venue: Venue) -> Result<Self, StoreError> {
        Self::open_with(path, venue, &mut |_, _| {})
    }

    /// The same; `look` sees each candle on the way, and where it stands, series by series in the order
    /// in which they are read.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        path: &Path,
        venue: Venue,
        look: &mut dyn FnMut(&Candle, Place<'_>),
    ) -> Result<Self, StoreError> {
        let found = Found::at(path)?;
        let info = found.exchange_info.as_deref().map(read_exchange_info).transpose()?;
        let mut series = Vec::new();
        let mut pairs = BTreeMap::new();
        let mut ignored = found.ignored.clone();
        for ((instrument, interval), files) in found.series(venue)? {
            let told = info.as_ref().and_then(|info| info.rules.get(&instrument.symbol));
            let named = files.values().find_map(|(pair, _)| *pair).or_else(|| split(&instrument.symbol));
            let pair = told.map(|rules| (rules.base, rules.quote)).or(named);
            pairs.insert(instrument, pair);
            let paths: Vec<PathBuf> = files.into_values().map(|(_, path)| path).collect();
            let expected = Arc::new(Expected {
                symbol: instrument.symbol.chars().filter(|c| c.is_alphanumeric()).collect(),
                base: pair.map(|(base, _)| base.to_string()),
                quote: pair.map(|(_, quote)| quote.to_string()),
                interval,
            });
            let (info, empty) = SeriesInfo::scan(instrument, paths, &expected, look)?;
            series.push(info);
            ignored.extend(
                empty.into_iter().map(|path| Ignored { path, why: Some("holds no candle".to_owned()) }),
            );
        }
        let (rules, inferred) = rules(&series, &pairs, info.as_ref(), found.exchange_info.as_deref())?;
        Ok(Self { series, ignored, inferred, rules })
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
        Candles::new(self.instrument, self.interval, self.sources.clone())
    }

    /// With it, the files that hold no candle.
    fn scan(
        instrument: Instrument,
        paths: Vec<PathBuf>,
        expected: &Arc<Expected>,
        look: &mut dyn FnMut(&Candle, Place<'_>),
    ) -> Result<(Self, Vec<PathBuf>), StoreError> {
        let interval = expected.interval;
        let (mut sources, mut empty) = (Vec::new(), Vec::new());
        for path in paths {
            match Source::look_at(&path, expected)? {
                Some(source) => sources.push(Arc::new(source)),
                None => empty.push(path),
            }
        }
        // Stable: of two that begin at once, the one whose name has the earlier date.
        sources.sort_by_key(|source| source.first);
        let scan = Scan::of(Candles::new(instrument, interval, sources.clone()), look)?;
        let Some((first, last)) = scan.span else {
            return Err(StoreError::NoCandle { file: empty.into_iter().next().unwrap_or_default() });
        };
        let info = Self {
            instrument,
            interval,
            files: sources.iter().map(|source| source.path.clone()).collect(),
            rows: scan.rows,
            price_decimals: scan.price_decimals(),
            volume_decimals: scan.volume_decimals(),
            left_out: scan.left_out,
            first,
            last,
            notes: notes(&sources),
            sources,
        };
        Ok((info, empty))
    }
}

fn notes(sources: &[Arc<Source>]) -> Vec<(PathBuf, &'static str)> {
    let mut notes: Vec<(PathBuf, &'static str)> = Vec::new();
    for source in sources {
        let backwards = source.layout.backwards.then_some("runs backwards: it is read from its end");
        let assumed = source.layout.assumed.iter().map(|assumed| assumed.words());
        for words in backwards.into_iter().chain(assumed) {
            if notes.iter().all(|(_, told)| *told != words) {
                notes.push((source.path.clone(), words));
            }
        }
    }
    notes
}

type Pair = (Asset, Asset);
/// By the dates in their names: base and quote, where a name tells them, and the path.
type Files = BTreeMap<String, (Option<Pair>, PathBuf)>;

/// What lies at a path, by names alone.
#[derive(Default)]
struct Found {
    candles: Vec<(FileName, PathBuf)>,
    exchange_info: Option<PathBuf>,
    ignored: Vec<Ignored>,
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
            // What is nearly right tells more than what is expected.
            let unusable =
                found.ignored.iter().find_map(|ignored| Some((&ignored.path, ignored.why.as_ref()?)));
            return Err(match unusable {
                Some((path, why)) => StoreError::Unusable { path: path.clone(), why: why.clone() },
                None => StoreError::NothingRecognised { path: path.to_owned(), found: names(&found.ignored) },
            });
        }
        Ok(found)
    }

    fn sort_in(&mut self, path: PathBuf) {
        let name = path.file_name().and_then(|name| name.to_str());
        if matches!(name, Some("exchangeInfo.json" | "exchangeInfo.json.gz")) {
            self.exchange_info.get_or_insert(path);
            return;
        }
        match Named::of(&path) {
            _ if path.is_dir() => self.ignored.push(Ignored { path, why: None }),
            Named::Candles(name) => self.candles.push((name, path)),
            Named::Unusable(why) => self.ignored.push(Ignored { path, why: Some(why) }),
            Named::Other => self.ignored.push(Ignored { path, why: None }),
        }
    }

    /// The files of each series.
    fn series(&self, venue: Venue) -> Result<BTreeMap<(Instrument, Interval), Files>, StoreError> {
        let mut sorted: BTreeMap<(Instrument, Interval), Files> = BTreeMap::new();
        for (name, path) in &self.candles {
            let key = (Instrument::spot(venue, name.symbol), name.interval);
            let files = sorted.entry(key).or_default();
            if let Some((_, first)) = files.insert(name.dates.clone(), (name.pair, path.clone())) {
                return Err(StoreError::SameTwice { first, second: path.clone() });
            }
        }
        Ok(sorted)
    }
}

/// The first few names, for a message.
fn names(ignored: &[Ignored]) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<_> =
        ignored.iter().filter_map(|i| i.path.file_name()).map(|n| n.to_string_lossy()).collect();
    let more = names.len().saturating_sub(SHOWN);
    names.truncate(SHOWN);
    let shown = names.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

fn split(symbol: &str) -> Option<Pair> {
    let (base, quote) = split_symbol(symbol)?;
    Some((Asset::new(base).ok()?, Asset::new(quote).ok()?))
}

/// With them, whose rules were inferred.
type Rules = (BTreeMap<Instrument, InstrumentRules>, Vec<Instrument>);

fn rules(
    series: &[SeriesInfo],
    pairs: &BTreeMap<Instrument, Option<Pair>>,
    info: Option<&ExchangeInfo>,
    file: Option<&Path>,
) -> Result<Rules, StoreError> {
    let mut decimals: BTreeMap<Instrument, (u32, u32)> = BTreeMap::new();
    for s in series {
        let (price, volume) = decimals.entry(s.instrument).or_default();
        *price = s.price_decimals.max(*price);
        *volume = s.volume_decimals.max(*volume);
    }
    let (mut rules, mut inferred) = (BTreeMap::new(), Vec::new());
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
            None => {
                inferred.push(instrument);
                let unknown = || StoreError::UnknownQuote { symbol: instrument.symbol.to_string() };
                infer(pairs.get(&instrument).copied().flatten().ok_or_else(unknown)?, price, volume)
            }
        };
        rules.insert(instrument, told);
    }
    Ok((rules, inferred))
}

fn infer((base, quote): Pair, price: u32, volume: u32) -> InstrumentRules {
    let lot = scan::step(volume.min(MOST_LOT_DECIMALS));
    let price = price.min(MOST_TICK_DECIMALS);
    let mut rules = InstrumentRules::open(base, quote, scan::step(price), lot, Decimal::from(MIN_NOTIONAL));
    // An order at a whole tick is none of too many decimals.
    rules.quote_precision = rules.quote_precision.max(price);
    rules
}

fn read_exchange_info(path: &Path) -> Result<ExchangeInfo, StoreError> {
    let (mut file, packing) = file::open(path)?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(|source| file::unreadable_packed(path, packing, source))?;
    parse_exchange_info(&text).map_err(|source| StoreError::ExchangeInfo { file: path.to_owned(), source })
}
