//! How good recorded candles are: what the gate says of each series, with the places in its files.

use crate::{GateState, Series, Span};
use domain::{Instrument, Interval, Timestamp};
use events::{Candle, CandleDiffers, CandleEvent, CandleFault, CandleRefused, Event};
use market_store::{LeftOut, Place, SeriesInfo};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// Why a candle was not used: [`CandleFault`], and one that differs from its first copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Partial,
    Duplicate,
    Differs,
    OutOfOrder,
    Inconsistent,
    Misaligned,
}

impl Reason {
    /// For people: "3 out of order".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Partial => "not closed",
            Self::Duplicate => "doubled",
            Self::Differs => "different from their first copies",
            Self::OutOfOrder => "out of order",
            Self::Inconsistent => "inconsistent",
            Self::Misaligned => "misaligned",
        }
    }
}

impl From<CandleFault> for Reason {
    fn from(fault: CandleFault) -> Self {
        match fault {
            CandleFault::Partial => Self::Partial,
            CandleFault::Duplicate => Self::Duplicate,
            CandleFault::OutOfOrder => Self::OutOfOrder,
            CandleFault::Inconsistent => Self::Inconsistent,
            CandleFault::Misaligned => Self::Misaligned,
        }
    }
}

/// Candles that are missing in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Open time of the first missing one, and of the next one that is there.
    pub from: Timestamp,
    pub until: Timestamp,
    pub candles: u64,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {} to {}", self.candles, self.from.minute(), self.until.minute())
    }
}

/// What a gate said of one series.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub heard: u64,
    pub refused: BTreeMap<Reason, u64>,
    pub missing: u64,
    pub longest_gap: Option<Gap>,
    /// Of those that were heard.
    pub span: Option<Span>,
}

impl Tally {
    pub fn see(&mut self, event: &CandleEvent) {
        match event {
            CandleEvent::Closed(e) => {
                self.heard += 1;
                let span = Span { from: e.candle.open_time, to: e.candle.close_time() };
                self.span = Some(self.span.map_or(span, |all| all.with(span)));
            }
            CandleEvent::Refused(CandleRefused { fault, .. }) => {
                *self.refused.entry((*fault).into()).or_default() += 1;
            }
            CandleEvent::Differs(_) => *self.refused.entry(Reason::Differs).or_default() += 1,
            CandleEvent::Missing(missing) => {
                self.missing += missing.count;
                let gap = Gap { from: missing.from, until: missing.until, candles: missing.count };
                if self.longest_gap.is_none_or(|longest| longest.candles < gap.candles) {
                    self.longest_gap = Some(gap);
                }
            }
        }
    }

    pub fn refused(&self) -> u64 {
        self.refused.values().sum()
    }

    /// `12 of 100 candles refused (10 out of order, 2 doubled)` and `5 missing, longest gap 3 from … to …`, each with
    /// the first place, where it is known.
    pub fn words(&self, refused_at: Option<&Spot>, gap_at: Option<&Spot>) -> String {
        let mut parts = Vec::new();
        let refused = self.refused();
        if refused > 0 {
            let reasons: Vec<String> =
                self.refused.iter().map(|(r, n)| format!("{n} {}", r.words())).collect();
            let place =
                refused_at.map_or_else(String::new, |spot| format!(", first at {spot}{}", spot.behind()));
            let all = self.heard + refused;
            parts.push(format!("{refused} of {all} candles refused ({}){place}", reasons.join(", ")));
        }
        if let Some(gap) = &self.longest_gap {
            let place = gap_at.map_or_else(String::new, |spot| format!(", the first before {spot}"));
            parts.push(format!("{} missing, longest gap {gap}{place}", self.missing));
        }
        parts.join("; ")
    }
}

/// One series of a recorded market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quality {
    pub series: Series,
    pub tally: Tally,
    /// Rows that are no candles.
    pub left_out: LeftOut,
    /// The first candle that was refused, and the first behind a gap.
    pub first_refused: Option<Spot>,
    pub first_gap: Option<Spot>,
    /// Where the second candle stands: what is wrong with all of them shows there at the latest.
    begins: Option<Spot>,
    /// The last candle that was used.
    used: Option<Used>,
    steps: Steps,
    /// Of misaligned candles: how many opened so many microseconds after their day began.
    offsets: BTreeMap<i64, u64>,
}

/// A line in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    pub file: PathBuf,
    pub line: u64,
    pub open_time: Timestamp,
    /// Of a candle that is out of order: when the used one before it opens, and its line. It may be the wrong one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<Used>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Used {
    pub line: u64,
    pub open_time: Timestamp,
}

impl Spot {
    fn behind(&self) -> String {
        self.behind
            .map_or_else(String::new, |b| format!(" (behind {} of line {})", b.open_time.minute(), b.line))
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", self.file.display(), self.line)
    }
}

/// From each candle to the next one, in microseconds: which step is taken how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Steps {
    last: Option<i64>,
    all: u64,
    counts: BTreeMap<i64, u64>,
}

impl Steps {
    /// Different steps that are counted; a series with more has no usual one.
    const MOST: usize = 256;

    fn take(&mut self, at: i64) {
        if let Some(last) = self.last.replace(at)
            && at > last
        {
            self.all += 1;
            if self.counts.len() < Self::MOST || self.counts.contains_key(&(at - last)) {
                *self.counts.entry(at - last).or_default() += 1;
            }
        }
    }

    /// The one that more than half of all take.
    fn usual(&self) -> Option<i64> {
        const LEAST: u64 = 3;
        let (step, count) = self.counts.iter().max_by_key(|(_, count)| **count)?;
        (self.all >= LEAST && count * 2 > self.all).then_some(*step)
    }
}

impl Quality {
    fn new(series: Series) -> Self {
        Self {
            series,
            tally: Tally::default(),
            left_out: LeftOut::default(),
            first_refused: None,
            first_gap: None,
            begins: None,
            used: None,
            steps: Steps::default(),
            offsets: BTreeMap::new(),
        }
    }

    /// `BTCUSDT 1d`.
    pub fn name(&self) -> String {
        self.series.name()
    }

    /// What is amiss, in a line; empty if nothing is.
    pub fn words(&self) -> String {
        let mut words = self.tally.words(self.first_refused.as_ref(), self.first_gap.as_ref());
        if self.left_out.all() > 0 {
            let sign = if words.is_empty() { "" } else { "; " };
            words += &format!("{sign}{}", self.left_out);
        }
        words
    }

    /// Why the series cannot be what it is named for, and what to do; a market with such a one is not played.
    pub fn problem(&self) -> Option<String> {
        const DAY: i64 = 86_400_000_000;
        let length = micros(self.series.interval);
        let interval = self.series.interval;
        let refused = self.tally.refused();
        let most = refused * 2 > self.tally.heard + refused;
        let usual = self.steps.usual().filter(|step| *step != length);
        if let Some(other) = usual.and_then(|step| Interval::ALL.iter().find(|i| micros(**i) == step)) {
            let place = self.begins.as_ref()?;
            let symbol = self.series.instrument.symbol;
            return Some(format!(
                "{place}: its candles lie {other} apart, and its name says {interval}: name it {symbol}-{other}"
            ));
        }
        if usual.is_some_and(|step| (28 * DAY..=31 * DAY).contains(&step)) {
            let place = self.begins.as_ref()?;
            return Some(format!(
                "{place}: its candles lie a month apart, and its name says {interval}: months are not played"
            ));
        }
        if !most {
            return None;
        }
        let place = self.first_refused.as_ref()?;
        let reason = self.tally.refused.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| *reason)?;
        let words = self.tally.words(None, None);
        let remedy = match reason {
            Reason::Misaligned => match self.offsets.iter().max_by_key(|(_, count)| **count) {
                Some((offset, count)) if count * 10 > refused * 9 && interval >= Interval::Day1 => format!(
                    "they open at {:02}:{:02} UTC; write times in UTC, with days that begin at 00:00",
                    offset / 3_600_000_000,
                    offset / 60_000_000 % 60
                ),
                _ => format!("open times must be whole multiples of {interval}, in UTC"),
            },
            Reason::OutOfOrder => "sort the file by open time".to_owned(),
            Reason::Duplicate | Reason::Differs => "keep each candle once".to_owned(),
            Reason::Inconsistent => {
                "each low must be the least price and each high the greatest: are the columns named rightly in the header?"
                    .to_owned()
            }
            Reason::Partial => "leave candles out that have not closed".to_owned(),
        };
        Some(format!("{place}: {words}: {remedy}"))
    }
}

const fn micros(interval: Interval) -> i64 {
    interval.length().as_micros() as i64
}

/// Puts candles through the gates of their series, as a feed does that plays the whole market.
#[derive(Debug, Default)]
pub struct Inspector {
    gates: GateState,
    series: BTreeMap<Series, Quality>,
    said: Vec<Event>,
}

impl Inspector {
    pub fn see(&mut self, candle: &Candle, place: Place<'_>) {
        let series = Series::of(candle);
        let quality = self.series.entry(series).or_insert_with(|| Quality::new(series));
        let used = quality.used;
        let here = Used { line: place.line, open_time: candle.open_time };
        let spot = || Spot {
            file: place.file.to_owned(),
            line: place.line,
            open_time: candle.open_time,
            behind: None,
        };
        quality.steps.take(candle.open_time.micros());
        if quality.steps.all <= 1 {
            quality.begins = Some(spot());
        }
        self.said.clear();
        self.gates.admit(candle.close_time(), *candle, &mut self.said);
        for event in &self.said {
            let Event::Candle(event) = event else { continue };
            quality.tally.see(event);
            match event {
                CandleEvent::Closed(_) => quality.used = Some(here),
                CandleEvent::Missing(_) => _ = quality.first_gap.get_or_insert_with(spot),
                CandleEvent::Refused(CandleRefused { fault, .. }) => {
                    let behind = used.filter(|_| *fault == CandleFault::OutOfOrder);
                    quality.first_refused.get_or_insert_with(|| Spot { behind, ..spot() });
                    if *fault == CandleFault::Misaligned {
                        let offset = candle.open_time.micros().rem_euclid(86_400_000_000);
                        *quality.offsets.entry(offset).or_default() += 1;
                    }
                }
                CandleEvent::Differs(CandleDiffers { .. }) => {
                    _ = quality.first_refused.get_or_insert_with(spot)
                }
            }
        }
    }

    /// In the order of series.
    pub fn finish(mut self, looked_at: &[SeriesInfo]) -> Vec<Quality> {
        for info in looked_at {
            let series = Series { interval: info.interval, instrument: info.instrument };
            if let Some(quality) = self.series.get_mut(&series) {
                quality.left_out.clone_from(&info.left_out);
            }
        }
        self.series.into_values().collect()
    }
}

/// Instruments whose rules were inferred, in one line; `None` if there are none.
pub fn told_of_inferred(inferred: &[Instrument]) -> Option<String> {
    const SHOWN: usize = 5;
    let names: Vec<&str> = inferred.iter().take(SHOWN).map(|i| i.symbol.as_str()).collect();
    let more = match inferred.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "ticks and lots of {}{more} are inferred from the candles' figures, and the smallest notional is taken to be 5: \
             put Binance's exchangeInfo.json beside the candles for the real rules",
            names.join(", ")
        )
    })
}
