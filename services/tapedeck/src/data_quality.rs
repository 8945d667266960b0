//! What is told of candles: at the start of a run, in its summary, and by `doctor`.

use crate::WrongUse;
use domain::{EdgeName, Instrument, Interval, Timestamp};
use events::CandleEvent;
use market_data::{
    Gap, LeftOut, Opened, Quality, Reason, RowPlace, Series, Span, Spot, Tally, WhyLeftOut, ends, quality,
};
use serde::Serialize;
use settings::{EdgeSettings, FeeAsset, Settings};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Counts candles while a run plays, or from a tape.
#[derive(Debug, Default)]
pub struct Candles {
    series: BTreeMap<Series, Tally>,
    known: Known,
}

/// What only the files tell.
#[derive(Debug, Clone, Default)]
pub struct Known {
    first_refused: BTreeMap<Series, Spot>,
    first_gap: BTreeMap<Series, Spot>,
    /// `None`: the files are not at hand.
    left_out: Option<BTreeMap<Series, LeftOut>>,
    /// From the first to the last candle of each series.
    spans: BTreeMap<Series, Span>,
    asked: Asked,
    judging: Vec<Judges>,
    inferred: Vec<Instrument>,
    unheard: Vec<Unheard>,
}

/// The time that was asked for with `--from` and `--to`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Asked {
    /// What is not asked for is that of all series together; `None` without a series.
    fn whole(self, spans: &BTreeMap<Series, Span>) -> Option<Span> {
        let all = Span::of_all(spans.values().copied())?;
        Some(Span { from: self.from.unwrap_or(all.from), to: self.to.unwrap_or(all.to) })
    }
}

impl Known {
    /// `settings`: what the edges need; `None` if they cannot be read.
    pub fn of(settings: Option<&Settings>, market: &Opened, asked: Asked, unheard: Vec<Unheard>) -> Self {
        let refused = |quality: &Quality| Some((quality.series, quality.first_refused.clone()?));
        let gap = |quality: &Quality| Some((quality.series, quality.first_gap.clone()?));
        Self {
            first_refused: market.quality.iter().filter_map(refused).collect(),
            first_gap: market.quality.iter().filter_map(gap).collect(),
            left_out: Some(market.quality.iter().map(|q| (q.series, q.left_out.clone())).collect()),
            spans: spans(market),
            asked,
            judging: settings.map(judging).unwrap_or_default(),
            inferred: market.inferred.clone(),
            unheard,
        }
    }

    /// Of live candles: no file is at hand.
    pub fn live(settings: &Settings, unheard: Vec<Unheard>) -> Self {
        Self { judging: judging(settings), unheard, ..Self::default() }
    }
}

fn spans(market: &Opened) -> BTreeMap<Series, Span> {
    market.quality.iter().filter_map(|quality| Some((quality.series, quality.tally.span?))).collect()
}

/// Keys of `summary.json`.
#[derive(Debug, Default, Serialize)]
pub struct DataQuality {
    /// By reason: `out_of_order`, `duplicate`, `differs`, `inconsistent`, `misaligned`, `partial`.
    pub candles_refused: BTreeMap<Reason, u64>,
    /// Between others of their series; before the first and after the last one of them.
    pub candles_missing: u64,
    pub candles_missing_before: u64,
    pub candles_missing_after: u64,
    /// By reason: `no_prices`, `some_prices`. `None` where the files are not at hand.
    pub rows_left_out: Option<BTreeMap<WhyLeftOut, u64>>,
    pub longest_gap: Option<SeriesGap>,
    pub candles_by_series: Vec<OfSeries>,
    /// Instruments whose ticks and lots are inferred from figures, since no exchange info lists them.
    pub rules_inferred: Vec<Instrument>,
    /// Edges that hear no series.
    pub edges_without_candles: Vec<EdgeName>,
    /// Which series begin late or end early.
    #[serde(skip)]
    ends: Vec<String>,
    #[serde(skip)]
    unheard: Vec<String>,
    /// What each edge needs for a signal, and what there was; for a run without any.
    #[serde(skip)]
    pub without_signal: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct SeriesGap {
    #[serde(flatten)]
    pub series: Series,
    #[serde(flatten)]
    pub gap: Gap,
}

#[derive(Debug, Serialize)]
pub struct OfSeries {
    #[serde(flatten)]
    pub series: Series,
    pub heard: u64,
    pub refused: BTreeMap<Reason, u64>,
    pub missing: u64,
    pub longest_gap: Option<Gap>,
    /// Candles that would fit between the beginning of the market and that of the series, and between their ends.
    pub missing_before: u64,
    pub missing_after: u64,
    /// Opening of the first candle that was heard, and close of the last one.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Rows of the files that are no candles, if the files are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<BTreeMap<WhyLeftOut, u64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_left_out: Option<RowPlace>,
    /// Where the first refused one stands, if the files are at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_refused: Option<Spot>,
    /// The first candle behind a gap, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_gap: Option<Spot>,
}

impl Candles {
    /// What the gate says of a market's files, before anything is played.
    pub fn of(market: &Opened, known: Known) -> Self {
        Self { series: market.quality.iter().map(|q| (q.series, q.tally.clone())).collect(), known }
    }

    pub fn see(&mut self, event: &CandleEvent) {
        let series = match event {
            CandleEvent::Closed(e) => Series::of(&e.candle),
            CandleEvent::Refused(e) => Series::of(&e.candle),
            CandleEvent::Differs(e) => Series::of(&e.second),
            CandleEvent::Missing(e) => Series { interval: e.interval, instrument: e.instrument },
        };
        self.series.entry(series).or_default().see(event);
    }

    /// Adds what only the files tell.
    pub fn know(&mut self, known: Known) {
        self.known = known;
    }

    pub fn told(&self) -> DataQuality {
        let mut told = DataQuality {
            rules_inferred: self.known.inferred.clone(),
            edges_without_candles: self.known.unheard.iter().filter(|u| u.is_deaf).map(|u| u.edge).collect(),
            unheard: self.known.unheard.iter().map(|unheard| unheard.words.clone()).collect(),
            rows_left_out: self.known.left_out.as_ref().map(in_all),
            ..DataQuality::default()
        };
        let heard = self.series.iter().filter_map(|(series, tally)| Some((*series, tally.span?)));
        let spans = if self.known.spans.is_empty() { heard.collect() } else { self.known.spans.clone() };
        let whole = self.known.asked.whole(&spans);
        told.without_signal = self.without_signal();
        told.ends = whole.map(|whole| ends::words(whole, spans.clone())).unwrap_or_default();
        // A series of which nothing was heard is one all the same.
        let silent = spans.keys().filter(|series| !self.series.contains_key(series));
        let silent: Vec<_> = silent.map(|series| (*series, Tally::default())).collect();
        let mut all: Vec<_> = self.series.iter().chain(silent.iter().map(|(s, tally)| (s, tally))).collect();
        all.sort_unstable_by_key(|(series, _)| **series);
        for (series, tally) in all {
            let at = |spots: &BTreeMap<Series, Spot>, any: bool| spots.get(series).cloned().filter(|_| any);
            for (reason, count) in &tally.refused {
                *told.candles_refused.entry(*reason).or_default() += count;
            }
            let ends = whole.zip(spans.get(series));
            let lacks = ends.map(|(whole, span)| whole.lacks(series.interval, *span)).unwrap_or_default();
            let left_out =
                self.known.left_out.as_ref().map(|all| all.get(series).cloned().unwrap_or_default());
            told.candles_missing += tally.missing;
            told.candles_missing_before += lacks.before;
            told.candles_missing_after += lacks.after;
            let longest = told.longest_gap.as_ref().map_or(0, |longest| longest.gap.candles);
            if let Some(gap) = tally.longest_gap.filter(|gap| gap.candles > longest) {
                told.longest_gap = Some(SeriesGap { series: *series, gap });
            }
            told.candles_by_series.push(OfSeries {
                series: *series,
                heard: tally.heard,
                refused: tally.refused.clone(),
                missing: tally.missing,
                longest_gap: tally.longest_gap,
                missing_before: lacks.before,
                missing_after: lacks.after,
                from: tally.span.map(|span| span.from),
                to: tally.span.map(|span| span.to),
                first_left_out: left_out.as_ref().and_then(|left_out| left_out.first.clone()),
                left_out: left_out.map(|left_out| left_out.rows),
                first_refused: at(&self.known.first_refused, tally.refused() > 0),
                first_gap: at(&self.known.first_gap, tally.missing > 0),
            });
        }
        told
    }
}

impl Candles {
    fn without_signal(&self) -> Vec<String> {
        let words = |of: &Judges| {
            let Judges { edge, interval, history, .. } = of;
            let heard = self.series.iter().filter(|(series, _)| of.hears(series));
            let longest = heard.map(|(_, tally)| tally.heard).max()?;
            Some(format!(
                "{edge} gave no signal: it needs {history} candles of {interval} before one that it can judge, and the \
                 longest series had {longest} in all"
            ))
        };
        self.known.judging.iter().filter_map(words).collect()
    }
}

fn in_all(left_out: &BTreeMap<Series, LeftOut>) -> BTreeMap<WhyLeftOut, u64> {
    let mut all = BTreeMap::new();
    for (why, rows) in left_out.values().flat_map(|left_out| &left_out.rows) {
        *all.entry(*why).or_default() += rows;
    }
    all
}

impl OfSeries {
    /// What is amiss between its first and its last candle, in a line; empty if nothing is.
    fn words(&self) -> String {
        let tally = Tally {
            heard: self.heard,
            refused: self.refused.clone(),
            missing: self.missing,
            longest_gap: self.longest_gap,
            span: None,
        };
        let left_out =
            LeftOut { rows: self.left_out.clone().unwrap_or_default(), first: self.first_left_out.clone() };
        let parts = [tally.words(self.first_refused.as_ref(), self.first_gap.as_ref()), left_out.to_string()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// A line for each series that is not whole, as in the summary.
impl fmt::Display for DataQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let amiss: Vec<_> = self
            .candles_by_series
            .iter()
            .map(|s| (s, s.words()))
            .filter(|(_, words)| !words.is_empty())
            .collect();
        for (s, words) in amiss.iter().take(SHOWN) {
            writeln!(f, "candles     {}: {words}", s.series.name())?;
        }
        match amiss.len().saturating_sub(SHOWN) {
            0 => {}
            more => writeln!(f, "candles     and {more} more such series: --json tells of all")?,
        }
        self.ends.iter().try_for_each(|words| writeln!(f, "candles     {words}"))?;
        self.unheard.iter().try_for_each(|words| writeln!(f, "edges       {words}"))
    }
}

/// What is to be said before a market is played, a line each.
pub fn warnings(market: &Opened, asked: Asked) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut lines: Vec<String> = market
        .quality
        .iter()
        .filter(|quality| !quality.words().is_empty())
        .map(|quality| format!("{}: {}", quality.name(), quality.words()))
        .collect();
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("{more} more series are not whole: `tapedeck doctor --candles` tells of all"));
    }
    lines.extend(ends(market, asked));
    lines.extend(market.assumed.iter().map(|(file, words)| format!("{}: {words}", file.display())));
    lines.extend(unused(market));
    lines.extend(quality::told_of_inferred(&market.inferred));
    lines
}

/// Which series begin late or end early.
pub fn ends(market: &Opened, asked: Asked) -> Vec<String> {
    let spans = spans(market);
    asked.whole(&spans).map(|whole| ends::words(whole, spans)).unwrap_or_default()
}

/// Files that seem to hold candles and are not used.
pub fn unused(market: &Opened) -> impl Iterator<Item = String> {
    let unused = |ignored: &market_data::Ignored| {
        ignored.why.as_ref().map(|why| format!("{} is not used: {why}", ignored.path.display()))
    };
    market.ignored.iter().filter_map(unused)
}

/// An edge that judges candles which are not there.
#[derive(Debug, Clone)]
pub struct Unheard {
    pub edge: EdgeName,
    /// It hears no candle at all.
    pub is_deaf: bool,
    pub words: String,
}

/// The edges that will hear no candle of these series, or none of an instrument that they name.
pub fn unheard(settings: &Settings, series: &[Series]) -> Vec<Unheard> {
    if series.is_empty() {
        return Vec::new();
    }
    judging(settings).into_iter().filter_map(|of| of.unheard(series)).collect()
}

/// What may surprise of these settings on a market of these series, a line each.
pub fn surprises(settings: &Settings, series: &[Series]) -> Vec<String> {
    let unheard = unheard(settings, series).into_iter().map(|unheard| unheard.words);
    unheard.chain(unpriced_fees(settings, series)).collect()
}

/// The accounts on paper that pay their fees in an asset of which this market has no price.
fn unpriced_fees<'a>(settings: &'a Settings, series: &[Series]) -> impl Iterator<Item = String> + 'a {
    let symbols: BTreeSet<String> = series.iter().map(|of| of.instrument.symbol.to_string()).collect();
    settings.trading().filter(|of| of.is_on_paper()).filter_map(move |of| {
        let (FeeAsset::Third(asset), quote) = (of.fees.asset, settings.quote) else { return None };
        let symbol = format!("{asset}{quote}");
        (!symbols.contains(&symbol)).then(|| {
            format!(
                "fee_asset = \"{asset}\": this market has no candles of {symbol}, so {} pays its fees in what it \
                 receives: add them, or write fee_asset = \"received\" in tapedeck.toml",
                of.account
            )
        })
    })
}

/// What an enabled edge judges.
#[derive(Debug, Clone)]
pub struct Judges {
    edge: EdgeName,
    interval: Interval,
    /// How many candles it must have heard before the first that it judges.
    history: u64,
    /// `None` is whatever the market brings.
    instruments: Option<BTreeSet<Instrument>>,
}

impl Judges {
    fn hears(&self, series: &Series) -> bool {
        let named = |all: &BTreeSet<Instrument>| all.contains(&series.instrument);
        series.interval == self.interval && self.instruments.as_ref().is_none_or(named)
    }

    fn unheard(self, series: &[Series]) -> Option<Unheard> {
        let Self { edge, interval, .. } = self;
        let is_deaf = !series.iter().any(|series| self.hears(series));
        let of_interval = series.iter().filter(|series| series.interval == interval);
        let there: BTreeSet<Instrument> = of_interval.map(|series| series.instrument).collect();
        let words = if there.is_empty() {
            let mut others: Vec<_> = series.iter().map(|series| series.interval).collect();
            others.sort_unstable();
            others.dedup();
            let other = others.last()?;
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!(
                "{edge} judges candles of {interval}, and this market has only those of {}, so it trades nothing: add \
                 candles of {interval}, or set interval = \"{other}\" under [edges.{edge}] in tapedeck.toml",
                others.join(", ")
            )
        } else {
            let lacking: BTreeSet<Instrument> = self.instruments?.difference(&there).copied().collect();
            if lacking.is_empty() {
                return None;
            }
            format!(
                "instruments of [edges.{edge}] in tapedeck.toml: this market has no candles of {interval} of {}, but of \
                 {}, so {edge} trades nothing{}: correct the list, or add the candles",
                symbols(&lacking),
                symbols(&there),
                if is_deaf { "" } else { " of it" },
            )
        };
        Some(Unheard { edge, is_deaf, words })
    }
}

/// The enabled edges that judge candles.
pub fn judging(settings: &Settings) -> Vec<Judges> {
    let of = |edge: &EdgeSettings| {
        let wants = &edge.signals.as_ref()?.wants;
        let (interval, history) = (wants.interval, wants.history.into());
        Some(Judges { edge: edge.name, interval, history, instruments: edge.instruments.clone() })
    };
    settings.enabled().filter_map(of).collect()
}

/// The first of them by name.
fn symbols<'a>(instruments: impl IntoIterator<Item = &'a Instrument>) -> String {
    const SHOWN: usize = 5;
    let all: Vec<&str> = instruments.into_iter().map(|instrument| instrument.symbol.as_str()).collect();
    let more = if all.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", all[..all.len().min(SHOWN)].join(", "))
}

/// Instruments that are priced in something else than the portfolio's quote asset, in a line.
///
/// # Errors
/// All are.
pub fn quotes(settings: &Settings, market: &Opened) -> Result<Option<String>, WrongUse> {
    let quote = settings.quote;
    let others: Vec<_> = market.rules.iter().filter(|(_, rules)| rules.quote != quote).collect();
    if others.is_empty() {
        return Ok(None);
    }
    if others.len() == market.rules.len() {
        let quotes: BTreeSet<String> = others.iter().map(|(_, rules)| rules.quote.to_string()).collect();
        let quotes: Vec<String> = quotes.into_iter().collect();
        return Err(WrongUse(format!(
            "quote = \"{quote}\": nothing in this market is traded in it, but in {}: set quote to that in tapedeck.toml",
            quotes.join(", ")
        )));
    }
    let names = symbols(others.iter().map(|(instrument, _)| *instrument));
    Ok(Some(format!("{names}: not traded, since quote = \"{quote}\" is not what they are priced in")))
}
