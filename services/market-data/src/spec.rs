//! Which market to play, as it is written on the command line and on the tape.

use crate::{Market, Quality, Recorded, Series, Synthetic, quality::Inspector, synthetic};
use domain::{Instrument, InstrumentRules, Interval, Invalid, Symbol, Timestamp, Venue};
use events::{Uuid, ids};
use market_store::{Ignored, Store, StoreError};
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};
use thiserror::Error;

/// The venue whose instruments are played. Recorded candles are Binance's, and the synthetic market
/// imitates it; so the same edges, rules and configuration serve both.
pub const VENUE: &str = "binance";

/// Written `synthetic[:SEED[:DAYS]]`, `recorded:PATH` or `binance[:SYMBOLS[:INTERVALS]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketSpec {
    Synthetic {
        seed: u64,
        /// How long it is.
        days: u32,
    },
    /// A file or a folder.
    Recorded(PathBuf),
    /// Binance's own candles, live: each of these symbols at each of these intervals.
    Binance { symbols: Vec<Symbol>, intervals: Vec<Interval> },
}

/// What is watched if nothing is said.
const SYMBOLS: &str = "BTCUSDT,ETHUSDT";
const INTERVALS: &str = "1d";

/// Why a market cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Recorded(#[from] StoreError),
    /// The gate would refuse most candles of a series, or they are of another interval.
    #[error("{0}")]
    Unfit(String),
    #[error(
        "`{0}` is a live market: it goes on by itself and cannot be played; use synthetic or recorded:PATH"
    )]
    Live(String),
}

/// A market that is ready to be played.
pub struct Opened {
    pub market: Box<dyn Market + Send>,
    pub rules: BTreeMap<Instrument, InstrumentRules>,
    /// What the tape says of it (`TapeOpened.market`): the same wherever the files lie, another one
    /// for other series.
    pub describe: String,
    /// Raw candles in all of it, for a progress bar.
    pub candles: u64,
    /// When its first candle opens, and when its last one closes.
    pub first: Timestamp,
    pub last: Timestamp,
    pub series: Vec<Series>,
    /// Of each series of a recorded market, what the gate says of its candles.
    pub quality: Vec<Quality>,
    /// Instruments of a recorded market whose rules no exchange info told.
    pub inferred: Vec<Instrument>,
    /// What the files of a recorded market do not say and how it is taken, and the first file of which it is so.
    pub assumed: Vec<(PathBuf, &'static str)>,
    /// Files of a recorded market's folder that are not used.
    pub ignored: Vec<Ignored>,
}

/// Looks through the whole market, so that what is wrong with it is known before it is played.
///
/// # Errors
/// The recorded candles are missing, malformed or for the most part unfit; or the market is live.
pub fn open(spec: &MarketSpec) -> Result<Opened, OpenError> {
    match spec {
        MarketSpec::Synthetic { seed, days } => Ok(synthetic(*seed, *days, spec.to_string())),
        MarketSpec::Recorded(path) => recorded(path),
        MarketSpec::Binance { .. } => Err(OpenError::Live(spec.to_string())),
    }
}

impl MarketSpec {
    /// The series of a live market, ascending; `None` of one that is played.
    pub fn live(&self) -> Option<Vec<Series>> {
        let Self::Binance { symbols, intervals } = self else { return None };
        let venue = venue();
        let of = |symbol: &Symbol| {
            let instrument = Instrument::spot(venue, *symbol);
            intervals.iter().map(move |interval| Series { interval: *interval, instrument })
        };
        let mut series: Vec<Series> = symbols.iter().flat_map(of).collect();
        series.sort();
        series.dedup();
        Some(series)
    }
}

fn venue() -> Venue {
    Venue::new(VENUE).unwrap_or_else(|e| unreachable!("a valid name: {e}"))
}

fn synthetic(seed: u64, days: u32, describe: String) -> Opened {
    let market = Synthetic::new(seed, days);
    Opened {
        describe,
        rules: market.rules().clone(),
        candles: market.candles(),
        first: synthetic::START,
        last: market.end(),
        series: market.series().to_vec(),
        market: Box::new(market),
        quality: Vec::new(),
        inferred: Vec::new(),
        assumed: Vec::new(),
        ignored: Vec::new(),
    }
}

fn recorded(path: &Path) -> Result<Opened, OpenError> {
    let mut inspector = Inspector::default();
    let store = Store::open_with(path, venue(), &mut |candle, place| inspector.see(candle, place))?;
    let quality = inspector.finish(&store.series);
    if let Some(problem) = quality.iter().find_map(Quality::problem) {
        return Err(OpenError::Unfit(problem));
    }
    let first = store.series.iter().map(|s| s.first).min();
    let last = store.series.iter().map(|s| s.interval.close_of(s.last)).max();
    let market = Recorded::new(&store);
    Ok(Opened {
        describe: describe(path, &store),
        rules: store.rules().clone(),
        candles: store.rows(),
        // A store without a candle is an error.
        first: first.unwrap_or_default(),
        last: last.unwrap_or_default(),
        series: market.series().to_vec(),
        market: Box::new(market),
        quality,
        assumed: assumed(&store),
        inferred: store.inferred,
        ignored: store.ignored,
    })
}

/// Each once, with the first file of which it is so.
fn assumed(store: &Store) -> Vec<(PathBuf, &'static str)> {
    let mut all: Vec<(PathBuf, &'static str)> = Vec::new();
    for (file, words) in store.series.iter().flat_map(|series| &series.notes) {
        if all.iter().all(|(_, told)| told != words) {
            all.push((file.clone(), words));
        }
    }
    all
}

/// The name of the file or folder, whatever way leads to it, and a digest of the names of its series.
fn describe(path: &Path, store: &Store) -> String {
    let real = path.canonicalize();
    let name = real.as_deref().unwrap_or(path).file_name().unwrap_or_default().to_string_lossy();
    let series: String = store.series.iter().map(|s| format!("{} {}\n", s.instrument, s.interval)).collect();
    let digest = ids::fact(Uuid::nil(), "recorded market", &series).simple().to_string();
    format!("recorded:{name}:{}", &digest[..12])
}

impl FromStr for MarketSpec {
    type Err = Invalid;

    fn from_str(given: &str) -> Result<Self, Invalid> {
        let wrong = |why: &str| Invalid::new("market", given, why);
        let (kind, rest) = given.split_once(':').map_or((given, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("synthetic", rest) => {
                let mut parts = rest.map(|rest| rest.split(':')).into_iter().flatten();
                let seed = parts.next().map_or(Ok(synthetic::DEFAULT_SEED), str::parse);
                let days = parts.next().map_or(Ok(synthetic::DEFAULT_DAYS), str::parse);
                match (seed, days, parts.next()) {
                    (Ok(seed), Ok(days), None) if (1..=synthetic::MOST_DAYS).contains(&days) => {
                        Ok(Self::Synthetic { seed, days })
                    }
                    _ => Err(wrong(concat!(
                        "write synthetic[:SEED[:DAYS]] with whole numbers, at most 36500 days, e.g. synthetic:7 ",
                        "or synthetic:7:365"
                    ))),
                }
            }
            ("recorded", Some(path)) if !path.is_empty() => Ok(Self::Recorded(path.into())),
            ("recorded", _) => Err(wrong("name the file or folder of candles, e.g. recorded:data/candles")),
            ("binance", rest) => live(rest, &wrong),
            _ => Err(wrong("write synthetic[:SEED[:DAYS]], recorded:PATH or binance[:SYMBOLS[:INTERVALS]]")),
        }
    }
}

fn live(given: Option<&str>, wrong: &impl Fn(&str) -> Invalid) -> Result<MarketSpec, Invalid> {
    let form = |_| wrong("write binance[:SYMBOLS[:INTERVALS]], e.g. binance:BTCUSDT,ETHUSDT:1h,1d");
    let given = given.unwrap_or(SYMBOLS);
    let (symbols, intervals) = given.split_once(':').unwrap_or((given, INTERVALS));
    // Binance writes its symbols in capitals, and people do not.
    let symbols = symbols.split(',').map(|symbol| Symbol::new(&symbol.to_uppercase()).map_err(form));
    let intervals = intervals.split(',').map(|interval| {
        let is_one = !interval.is_empty() && !interval.contains(':');
        interval.parse().map_err(|why| if is_one { why } else { form(why) })
    });
    Ok(MarketSpec::Binance {
        symbols: symbols.collect::<Result<_, _>>()?,
        intervals: intervals.collect::<Result<_, _>>()?,
    })
}

impl fmt::Display for MarketSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Synthetic { seed, days: synthetic::DEFAULT_DAYS } => write!(f, "synthetic:{seed}"),
            Self::Synthetic { seed, days } => write!(f, "synthetic:{seed}:{days}"),
            Self::Recorded(path) => write!(f, "recorded:{}", path.display()),
            Self::Binance { symbols, intervals } => {
                let symbols: Vec<&str> = symbols.iter().map(|symbol| symbol.as_str()).collect();
                let intervals: Vec<&str> = intervals.iter().map(|interval| interval.as_str()).collect();
                write!(f, "binance:{}:{}", symbols.join(","), intervals.join(","))
            }
        }
    }
}
