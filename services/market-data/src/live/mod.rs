//! Live candles of Binance: its kline streams, and REST for whatever they missed, as events on a wall-clock tape.
//!
//! Invariants:
//! - Of each series every candle is said once, in order, whatever the connection does; one that the venue
//!   does not have is said to be missing.
//! - Nothing is said twice after a restart: what the tape has is where it goes on.
//! - What is said next waits until what was said before is on the tape.
//! - A quote is said only where an order on paper is decided by it ([`Quotes`]).

mod quotes;
mod quoting;
mod sequence;

pub use quotes::Quotes;
pub use sequence::{GRACE, Sequence};

use crate::Series;
use domain::{Instrument, InstrumentRules, Symbol, Timestamp, Venue};
use events::{Candle, Event, InstrumentListed, Recorded};
use quoting::Quoting;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    future::Future,
    sync::Arc,
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use venue_binance::{
    market::{self, Message},
    net::{CallError, Delivery, Rest, Streams},
    rules::ExchangeInfo,
};

/// What to say, and whom to ask.
pub struct Live {
    pub rest: Rest,
    /// Each once.
    pub series: Vec<Series>,
    /// With how many candles a series begins of which the tape has none.
    pub history: u32,
    /// For orders on paper: what comes to the tape from now on; without it no quote is said.
    pub heard: Option<UnboundedReceiver<Recorded>>,
}

/// What the tape has already.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnTape {
    /// The last candle of each series.
    pub candles: BTreeMap<Series, Candle>,
    /// The rules that each instrument was last listed with.
    pub rules: BTreeMap<Instrument, InstrumentRules>,
    /// Which quotes it wants.
    pub quotes: Quotes,
}

/// Where events go.
pub trait Tape {
    type Error: Display;

    /// Appends them, all or none, and waits until they are there. Retrying is this one's business.
    fn append(&mut self, events: Vec<Event>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// The rules that an instrument was last listed with, by whomever.
    fn rules(
        &mut self,
        instrument: Instrument,
    ) -> impl Future<Output = Result<Option<InstrumentRules>, Self::Error>> + Send;

    /// Told after each step: why the venue does not tell everything now; `None` while it does.
    fn venue_away(&mut self, why: Option<&str>);
}

/// Why live candles ended: they do not by themselves.
#[derive(Debug, Error)]
pub enum LiveError {
    #[error("the tape took no candles: {0}; read what is on it and start again")]
    Tape(String),
    #[error("{0} is not listed at Binance; correct the symbol")]
    Unlisted(Instrument),
    #[error("{0}; play fewer series")]
    Streams(#[from] venue_binance::net::TooManyStreams),
    /// The connection's task is gone.
    #[error("the streams have ended; start again")]
    Ended,
}

/// Questions to REST at a time.
const AT_ONCE: usize = 4;
/// Events of one append.
const BATCH: usize = 500;
/// Symbols of one question; of more, all are asked for.
const NAMED: usize = 100;
/// What one question told is an answer for all instruments.
const FRESH: Duration = Duration::from_secs(1);
/// Between two looks whether REST is to be asked. With all hands busy there is nothing to be looked for.
const SHORTEST_LOOK: Duration = Duration::from_millis(5);
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// Between two attempts to reach the venue at the beginning.
const PAUSE: Duration = Duration::from_secs(2);

/// Says live candles for ever. May be dropped at any time and started again from what the tape has then.
///
/// # Errors
/// The tape refuses, or what is asked for is not there.
pub async fn run<T: Tape>(live: Live, on_tape: OnTape, mut tape: T) -> Result<(), LiveError> {
    let now = reach(&live.rest, &mut tape).await;
    let names = live.series.iter().map(stream).collect();
    let streams = Streams::open(&live.rest, names)?;
    // The one that is under way has not closed.
    let start = |series: &Series| now - series.interval.length() * live.history.saturating_add(1);
    let sequences = live
        .series
        .iter()
        .map(|series| (*series, Sequence::new(*series, on_tape.candles.get(series).copied(), start(series))));
    let rest = live.rest.clone();
    let quoting = match live.heard {
        Some(heard) => {
            let traded = live.series.iter().map(|series| series.instrument);
            Some(Quoting::open(rest.clone(), on_tape.quotes, heard, traded)?)
        }
        None => None,
    };
    let player = Player {
        sequences: sequences.collect(),
        rest: live.rest,
        rules: on_tape.rules,
        rules_at: Instant::now(),
        is_listed: false,
        fetching: JoinSet::new(),
        under_way: Vec::new(),
        streams_away: None,
        rest_away: None,
        quoting,
        tape,
    };
    tokio::select! {
        ended = player.play(streams) => ended,
        // For ever.
        () = rest.keep_clock() => Err(LiveError::Ended),
    }
}

/// The venue's time, once it answers.
async fn reach(rest: &Rest, tape: &mut impl Tape) -> Timestamp {
    while let Err(why) = rest.freshen_clock().await {
        tracing::warn!("waiting for the venue: {why}");
        tape.venue_away(Some(&why.to_string()));
        sleep(PAUSE).await;
    }
    rest.clock().now()
}

/// `btcusdt@kline_1d`.
fn stream(series: &Series) -> String {
    format!("{}@kline_{}", series.instrument.symbol.to_lowercase(), series.interval)
}

struct Player<T> {
    rest: Rest,
    sequences: BTreeMap<Series, Sequence>,
    rules: BTreeMap<Instrument, InstrumentRules>,
    rules_at: Instant,
    /// The rules were told at least once.
    is_listed: bool,
    fetching: JoinSet<Fetched>,
    under_way: Vec<Series>,
    /// Why no candles come by stream, and why REST told none when it was asked last.
    streams_away: Option<String>,
    rest_away: Option<String>,
    quoting: Option<Quoting>,
    tape: T,
}

/// Of a series: when it was asked for, and what came.
type Fetched = (Series, Timestamp, Result<Vec<Candle>, CallError>);

impl<T: Tape> Player<T> {
    async fn play(mut self, mut streams: Streams) -> Result<(), LiveError> {
        loop {
            if Instant::now() >= self.rules_at {
                self.list().await?;
            }
            let quotes_away = self.quoting.as_ref().and_then(|quoting| quoting.away.as_ref());
            let away = self.streams_away.as_ref().or(self.rest_away.as_ref()).or(quotes_away);
            self.tape.venue_away(away.map(String::as_str));
            self.ask();
            let mut said = Vec::new();
            let next = self.next_look();
            tokio::select! {
                delivery = streams.next() => self.hear(delivery.ok_or(LiveError::Ended)?, &mut said),
                Some(fetched) = self.fetching.join_next() => match fetched {
                    Ok(fetched) => self.fetched(fetched, &mut said),
                    // It panicked: which series it was about is not known; all are asked for again.
                    Err(_) => self.under_way.clear(),
                },
                quotes = quotes(&mut self.quoting) => said = quotes?,
                () = sleep_until(next) => {}
            }
            self.say(said).await?;
        }
    }

    fn hear(&mut self, delivery: Delivery, said: &mut Vec<Event>) {
        match delivery {
            Delivery::Opened(_) => {
                self.streams_away = None;
                self.sequences.values_mut().for_each(Sequence::interrupted);
            }
            Delivery::Away { why } => {
                tracing::warn!("no candles come: {why}");
                self.streams_away = Some(format!("no candles come: {why}"));
            }
            Delivery::Frame { bytes, .. } => match closed(&bytes, self.venue()) {
                Ok(Some(candle)) => {
                    let now = self.rest.clock().now();
                    if let Some(sequence) = self.sequences.get_mut(&Series::of(&candle)) {
                        sequence.heard(now, candle, said);
                    }
                }
                Ok(None) => {}
                // If it was a candle's close, REST tells it after a while.
                Err(why) => tracing::warn!("a frame of the candle streams cannot be read: {why}"),
            },
        }
    }

    fn fetched(&mut self, (series, asked, rows): Fetched, said: &mut Vec<Event>) {
        self.under_way.retain(|other| *other != series);
        let Some(sequence) = self.sequences.get_mut(&series) else { return };
        match rows {
            Ok(rows) => {
                self.rest_away = None;
                sequence.fetched(asked, rows, said);
            }
            Err(why) => {
                let told = format!("{} {}: {why}", series.instrument, series.interval);
                tracing::warn!("{told}");
                // One that answers is there, whatever it says.
                self.rest_away = (!matches!(why, CallError::Told(_))).then_some(told);
            }
        }
    }

    /// Asks REST where it is time to, the longest waiting first.
    fn ask(&mut self) {
        let now = self.rest.clock().now();
        let due =
            self.sequences.values().filter(|s| s.ask_at() <= now && !self.under_way.contains(&s.series));
        let mut due: Vec<(Timestamp, Series)> = due.map(|s| (s.ask_at(), s.series)).collect();
        due.sort();
        for (_, series) in due.into_iter().take(AT_ONCE.saturating_sub(self.under_way.len())) {
            let Some(sequence) = self.sequences.get_mut(&series) else { continue };
            sequence.asked(now);
            let (rest, from) = (self.rest.clone(), sequence.next_open());
            self.under_way.push(series);
            self.fetching.spawn(async move {
                (series, now, rest.candles(series.instrument, series.interval, from, now).await)
            });
        }
    }

    /// When nothing comes: the next question to REST. Often, since the venue's clock may be read anew meanwhile.
    fn next_look(&self) -> Instant {
        let now = self.rest.clock().now();
        let waiting = self.sequences.values().filter(|s| !self.under_way.contains(&s.series));
        let next = waiting.map(|s| s.ask_at()).min().unwrap_or(Timestamp::MAX);
        Instant::now() + next.since(now).clamp(SHORTEST_LOOK, LONGEST_LOOK)
    }

    /// Says the rules of instruments where the tape has none, or others.
    async fn list(&mut self) -> Result<(), LiveError> {
        let instruments: BTreeSet<Instrument> = self.sequences.keys().map(|s| s.instrument).collect();
        let info = loop {
            match self.info(&instruments).await {
                Ok(info) => break info,
                // Without rules no candle is of use; there may be some on the tape.
                Err(why) => {
                    tracing::warn!("exchange info: {why}");
                    self.tape.venue_away(Some(&format!("exchange info: {why}")));
                }
            }
            if instruments.iter().all(|instrument| self.rules.contains_key(instrument)) {
                self.rules_at = Instant::now() + self.rest.info_age();
                return Ok(());
            }
            sleep(PAUSE).await;
        };
        let mut said: Vec<Event> = Vec::new();
        for instrument in instruments {
            // Somebody else may have listed it since: what is on the tape is what counts.
            if let Some(rules) = self.tape.rules(instrument).await.map_err(refused)? {
                self.rules.insert(instrument, rules);
            }
            match info.listings.get(&instrument.symbol) {
                Some(listing) if self.rules.get(&instrument) == Some(&listing.rules) => {}
                Some(listing) => {
                    self.rules.insert(instrument, listing.rules.clone());
                    let rules = Box::new(listing.rules.clone());
                    said.push(InstrumentListed { instrument, rules }.into());
                }
                // It was delisted while we were at it: what it was keeps its rules.
                None if self.rules.contains_key(&instrument) => {}
                None => return Err(LiveError::Unlisted(instrument)),
            }
        }
        (self.rules_at, self.is_listed) = (Instant::now() + self.rest.info_age(), true);
        self.say(said).await
    }

    /// At first all rules, of which a copy is kept for a start while the venue is away; from then on those that are
    /// followed. One of them may be delisted, and all are asked for again.
    async fn info(&self, instruments: &BTreeSet<Instrument>) -> Result<Arc<ExchangeInfo>, CallError> {
        let symbols: Vec<Symbol> = instruments.iter().map(|instrument| instrument.symbol).collect();
        if self.is_listed && symbols.len() <= NAMED {
            match self.rest.exchange_info_of(&symbols).await {
                Ok(info) => return Ok(info),
                Err(CallError::Told(_)) => {}
                Err(why) => return Err(why),
            }
        }
        self.rest.exchange_info_within(FRESH).await
    }

    async fn say(&mut self, mut said: Vec<Event>) -> Result<(), LiveError> {
        while !said.is_empty() {
            let rest = said.split_off(said.len().min(BATCH));
            self.tape.append(said).await.map_err(refused)?;
            said = rest;
        }
        Ok(())
    }

    fn venue(&self) -> Option<Venue> {
        self.sequences.keys().next().map(|series| series.instrument.venue)
    }
}

/// Never, where nobody trades on paper.
async fn quotes(quoting: &mut Option<Quoting>) -> Result<Vec<Event>, LiveError> {
    match quoting {
        Some(quoting) => quoting.next().await,
        None => std::future::pending().await,
    }
}

fn refused(why: impl Display) -> LiveError {
    LiveError::Tape(why.to_string())
}

/// The candle, if the frame tells that one has closed.
fn closed(bytes: &[u8], venue: Option<Venue>) -> Result<Option<Candle>, venue_binance::ParseError> {
    let (Message::Kline(kline), Some(venue)) = (market::decode(bytes)?.message, venue) else {
        return Ok(None);
    };
    kline.closed(venue)
}
