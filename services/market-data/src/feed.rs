//! The market played step by step, in lockstep with whoever listens.

use crate::{GateState, Market, MarketError, Verdict};
use domain::{Instrument, InstrumentRules, Timestamp};
use events::{
    Candle, CandleClosed, CandleEvent, Event, InstrumentEvent, InstrumentListed, Kind, QuoteEvent, QuoteSeen,
    TimeEvent, TimePassed,
};
use serde::{Deserialize, Serialize};
use service::Steps;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, binary_heap::PeekMut},
};
use thiserror::Error;

/// What happens at one instant: one commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub now: Timestamp,
    pub events: Vec<Event>,
}

#[derive(Debug, Error)]
pub enum FeedError {
    #[error(transparent)]
    Market(#[from] MarketError),
    #[error("the feed has failed before; start it anew from the tape")]
    Failed,
}

/// Merges all series of a market into steps.
///
/// The first step lists the instruments. After that each step is the earliest of: the candles that
/// close next, with [`TimePassed`]; an instant that somebody asked to be woken at; the answer to a
/// quote, as soon as a candle opens at or after the asking. Of those at one instant, candles go first.
///
/// Invariants:
/// - The steps are a function of the market, the range and the events on the tape. A feed to which
///   everything recorded has been applied gives exactly the steps that are still to come; applying
///   to a feed what it has said itself only counts it.
/// - After a step every candle of the market that closes at or before its time is dealt with.
/// - Nothing of a candle is told before it closes, but its open once it has opened.
/// - A step that was taken must be committed, or the feed be dropped and rebuilt from the tape.
pub struct Feed {
    market: Box<dyn Market + Send>,
    rules: BTreeMap<Instrument, InstrumentRules>,
    /// Candles that close at or before this are skipped.
    from: Timestamp,
    /// No step lies beyond this.
    to: Timestamp,
    state: FeedState,
    /// Of each series: the next candle. Empty until the first step is asked for.
    heads: Vec<Option<Candle>>,
    /// Of each series: the candle behind that, where it had to be looked at.
    behind: Vec<Option<Candle>>,
    /// When the heads close, and whose they are.
    closings: BinaryHeap<Reverse<(Timestamp, usize)>>,
    by_instrument: BTreeMap<Instrument, Vec<usize>>,
    /// Instruments whose rules are not on the tape as they are now.
    unlisted: Vec<Instrument>,
    phase: Phase,
    taken: u64,
}

/// All that a feed must remember, apart from where the market is; that follows from `now`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FeedState {
    /// `None` before the first step.
    now: Option<Timestamp>,
    gates: GateState,
    wakes: BTreeSet<Timestamp>,
    /// Quotes asked for and not yet seen.
    asked: BTreeSet<Instrument>,
    listed: BTreeMap<Instrument, InstrumentRules>,
    /// When its last events were said, and how many then.
    said: (Timestamp, u64),
}

/// What lies ahead of a feed, kept with its snapshot for whoever has the tape and not the market.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outlook {
    /// No candle follows in the range that was played.
    pub over: bool,
    /// Instruments of which the whole market has no candle left.
    pub ended: BTreeSet<Instrument>,
}

impl Outlook {
    /// What a feed's snapshot says of it; `None` where it says nothing.
    pub fn of(snapshot: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Ahead {
            outlook: Option<Outlook>,
        }
        serde_json::from_slice::<Ahead>(snapshot).ok()?.outlook
    }
}

/// A snapshot.
#[derive(Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    state: &'a FeedState,
    /// `None` of a feed that has not looked into its market.
    #[serde(skip_serializing_if = "Option::is_none")]
    outlook: Option<Outlook>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No candle has been taken from the market.
    Fresh,
    Playing,
    Failed,
}

/// What comes next, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Candles(Timestamp),
    Quotes(Timestamp),
    Wake(Timestamp),
}

impl Steps for Feed {
    type Error = FeedError;

    fn hears(kind: Kind) -> bool {
        matches!(
            kind,
            Kind::CandleClosed
                | Kind::CandleMissing
                | Kind::CandleRefused
                | Kind::CandleDiffers
                | Kind::TimePassed
                | Kind::WakeAsked
                | Kind::QuoteAsked
                | Kind::QuoteSeen
                | Kind::InstrumentListed
        )
    }

    fn apply(&mut self, now: Timestamp, event: &Event) {
        if is_said_by_a_feed(event) {
            self.state.count(now);
        }
        match event {
            Event::Candle(CandleEvent::Closed(CandleClosed { candle })) => self.state.learn(candle),
            // A gate remembers only what it let through.
            Event::Candle(CandleEvent::Missing(_) | CandleEvent::Refused(_) | CandleEvent::Differs(_)) => {}
            Event::Time(TimeEvent::Passed(TimePassed { now })) => self.state.pass(*now),
            Event::Time(TimeEvent::WakeAsked(wake)) => _ = self.state.wakes.insert(wake.at),
            Event::Quote(QuoteEvent::Asked(quote)) => _ = self.state.asked.insert(quote.instrument),
            Event::Quote(QuoteEvent::Seen(quote)) => _ = self.state.asked.remove(&quote.instrument),
            Event::Instrument(InstrumentEvent::Listed(listed)) => {
                self.state.listed.insert(listed.instrument, (*listed.rules).clone());
            }
            _ => {}
        }
    }

    fn when(&mut self) -> Result<Option<Timestamp>, FeedError> {
        if self.phase == Phase::Failed {
            return Err(FeedError::Failed);
        }
        if let Err(error) = self.catch_up() {
            self.phase = Phase::Failed;
            return Err(error);
        }
        if self.state.now.is_none() || !self.unlisted.is_empty() {
            return Ok(self.state.now.or_else(|| self.start()).filter(|at| *at <= self.to));
        }
        Ok(self.state.now.and_then(|now| self.plan(now)).map(|next| match next {
            Next::Candles(at) | Next::Quotes(at) | Next::Wake(at) => at,
        }))
    }

    /// `events` is emptied before. After an error what is in it must not be committed.
    fn next_into(&mut self, events: &mut Vec<Event>) -> Result<Option<Timestamp>, FeedError> {
        events.clear();
        if self.phase == Phase::Failed {
            return Err(FeedError::Failed);
        }
        let step = self.advance(events);
        if step.is_err() {
            self.phase = Phase::Failed;
        }
        step
    }

    fn goes_on(&mut self, instrument: Option<Instrument>) -> Result<bool, FeedError> {
        self.when()?;
        let meant = match instrument {
            Some(instrument) => self.by_instrument.get(&instrument).cloned().unwrap_or_default(),
            None => (0..self.heads.len()).collect(),
        };
        for index in meant {
            if self.opens_another(index)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn ended(&self) -> usize {
        if self.phase == Phase::Fresh { 0 } else { self.heads.len() - self.closings.len() }
    }

    fn said(&self) -> (Timestamp, u64) {
        self.state.said
    }

    fn snapshot(&self) -> Vec<u8> {
        let kept = Kept { state: &self.state, outlook: self.outlook() };
        serde_json::to_vec(&kept).unwrap_or_else(|e| unreachable!("a state is written as JSON: {e}"))
    }

    /// Only before the first step. Series that the market no longer has are forgotten.
    fn restore(&mut self, snapshot: &[u8]) -> serde_json::Result<()> {
        let mut state: FeedState = serde_json::from_slice(snapshot)?;
        let mut gates = GateState::of(self.market.series());
        for series in self.market.series() {
            if let (Some(gate), Some(kept)) = (gates.get_mut(*series), state.gates.get(*series)) {
                *gate = *kept;
            }
        }
        state.gates = gates;
        self.state = state;
        Ok(())
    }
}

impl Feed {
    /// Plays `market` from `from` (its beginning) to `to` (its end), both included.
    /// The first step lists the instruments that have `rules`.
    pub fn new(
        market: Box<dyn Market + Send>,
        rules: BTreeMap<Instrument, InstrumentRules>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Self {
        let series = market.series();
        let mut by_instrument: BTreeMap<Instrument, Vec<usize>> = BTreeMap::new();
        for (index, series) in series.iter().enumerate() {
            by_instrument.entry(series.instrument).or_default().push(index);
        }
        Self {
            from: from.unwrap_or(Timestamp::ZERO),
            to: to.unwrap_or(Timestamp::MAX),
            state: FeedState { gates: GateState::of(series), ..FeedState::default() },
            heads: vec![None; series.len()],
            behind: vec![None; series.len()],
            closings: BinaryHeap::with_capacity(series.len()),
            by_instrument,
            unlisted: Vec::new(),
            phase: Phase::Fresh,
            taken: 0,
            rules,
            market,
        }
    }

    /// As [`Steps::next_into`], for whoever takes few.
    ///
    /// # Errors
    /// As there.
    pub fn next_step(&mut self) -> Result<Option<Step>, FeedError> {
        let mut events = Vec::new();
        Ok(self.next_into(&mut events)?.map(|now| Step { now, events }))
    }

    /// Whether a candle of that series opens from now on in the range. What has opened before gives no price
    /// any more, so where one is under way the one behind it is looked at.
    fn opens_another(&mut self, index: usize) -> Result<bool, FeedError> {
        if self.is_to_open(self.heads[index].as_ref()) {
            return Ok(true);
        }
        if self.heads[index].is_some() && self.behind[index].is_none() {
            let next = self.market.next(index);
            if next.is_err() {
                self.phase = Phase::Failed;
            }
            self.behind[index] = next?;
            self.taken += u64::from(self.behind[index].is_some());
        }
        Ok(self.is_to_open(self.behind[index].as_ref()))
    }

    fn is_to_open(&self, candle: Option<&Candle>) -> bool {
        let now = self.state.now.unwrap_or(Timestamp::ZERO);
        candle.is_some_and(|candle| candle.open_time >= now && candle.open_time <= self.to)
    }

    fn outlook(&self) -> Option<Outlook> {
        if self.phase != Phase::Playing {
            return None;
        }
        // One that is under way may have another behind it.
        let comes = |head: &Candle| self.is_to_open(Some(head)) || head.close_time() <= self.to;
        let over = !self.heads.iter().flatten().any(comes);
        let has_ended = |all: &[usize]| all.iter().all(|index| self.heads[*index].is_none());
        let ended = self.by_instrument.iter().filter(|(_, all)| has_ended(all)).map(|(i, _)| *i).collect();
        Some(Outlook { over, ended })
    }

    /// Raw candles taken from the market so far, those that were skipped included.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    fn advance(&mut self, events: &mut Vec<Event>) -> Result<Option<Timestamp>, FeedError> {
        self.catch_up()?;
        if let Some(now) = self.list(events) {
            return Ok(Some(now));
        }
        let Some(now) = self.state.now else { return Ok(None) };
        let (at, wakes) = match self.plan(now) {
            None => return Ok(None),
            Some(Next::Candles(at)) => {
                self.close_candles(at, events)?;
                (at, false)
            }
            Some(Next::Quotes(at)) => {
                self.answer_quotes(at, events);
                (at, false)
            }
            Some(Next::Wake(at)) => (at, true),
        };
        // Who asked to be woken at this very instant is woken at its end: after what its quotes fill.
        if at > now || wakes {
            events.push(TimePassed { now: at }.into());
            self.state.pass(at);
        }
        Ok(Some(at))
    }

    /// The earliest of what is to come; of equals the first in this order: candles, quotes, wakes.
    fn plan(&self, now: Timestamp) -> Option<Next> {
        let closing = self.closings.peek().map(|Reverse((at, _))| *at);
        // When no candle follows, the market is over: time goes on no more.
        let before_candles = |at: Timestamp| closing.map_or(at == now, |closing| at < closing);
        let quotes = self.quotes_at(now).filter(|at| before_candles(*at));
        let wake = self.state.wakes.first().map(|at| now.max(*at)).filter(|at| before_candles(*at));
        let next = match (quotes, wake) {
            (Some(quotes), Some(wake)) if wake < quotes => Next::Wake(wake),
            (Some(quotes), _) => Next::Quotes(quotes),
            (None, Some(wake)) => Next::Wake(wake),
            (None, None) => Next::Candles(closing?),
        };
        let (Next::Candles(at) | Next::Quotes(at) | Next::Wake(at)) = next;
        (at <= self.to).then_some(next)
    }

    /// Lists what is not listed; at first, that starts the clock.
    fn list(&mut self, events: &mut Vec<Event>) -> Option<Timestamp> {
        let start = self.state.now.or_else(|| self.start()).filter(|at| *at <= self.to)?;
        for instrument in std::mem::take(&mut self.unlisted) {
            let Some(rules) = self.rules.get(&instrument) else { continue };
            self.state.listed.insert(instrument, rules.clone());
            events.push(InstrumentListed { instrument, rules: Box::new(rules.clone()) }.into());
        }
        if self.state.now.is_none() {
            events.push(TimePassed { now: start }.into());
            self.state.pass(start);
        }
        (!events.is_empty()).then_some(start)
    }

    /// When the first candle opens, or where the range begins within it.
    fn start(&self) -> Option<Timestamp> {
        let first = self.heads.iter().flatten().map(|candle| candle.open_time).min()?;
        Some(first.max(self.from))
    }

    /// Takes the first candles of each series, and skips those that are done already.
    fn catch_up(&mut self) -> Result<(), FeedError> {
        if self.phase == Phase::Fresh {
            for index in 0..self.heads.len() {
                if let Some(candle) = take(&mut *self.market, index, &mut self.taken)? {
                    self.closings.push(Reverse((candle.close_time(), index)));
                    self.heads[index] = Some(candle);
                }
            }
            let listed = &self.state.listed;
            let rules = self.rules.iter();
            self.unlisted = rules.filter(|(i, r)| listed.get(*i) != Some(*r)).map(|(i, _)| *i).collect();
            self.phase = Phase::Playing;
        }
        let done = self.state.now.unwrap_or(Timestamp::ZERO).max(self.from);
        self.take_until(done, |_, _, _| {})
    }

    fn close_candles(&mut self, at: Timestamp, events: &mut Vec<Event>) -> Result<(), FeedError> {
        self.take_until(at, |gates, index, candle| gates.at_mut(index).admit(at, candle, events))
    }

    /// Hands over all candles that close at or before `until`, and looks ahead to the next ones.
    /// Behind a candle there may be older ones, if the source is out of order; they go with it.
    fn take_until(
        &mut self,
        until: Timestamp,
        mut hand: impl FnMut(&mut GateState, usize, Candle),
    ) -> Result<(), FeedError> {
        while let Some(mut closing) = self.closings.peek_mut() {
            let Reverse((at, index)) = *closing;
            if at > until {
                break;
            }
            let head = &mut self.heads[index];
            while let Some(candle) = head.take_if(|candle| candle.close_time() <= until) {
                hand(&mut self.state.gates, index, candle);
                *head = match self.behind[index].take() {
                    Some(candle) => Some(candle),
                    None => take(&mut *self.market, index, &mut self.taken)?,
                };
            }
            match head {
                Some(candle) => *closing = Reverse((candle.close_time(), index)),
                None => _ = PeekMut::pop(closing),
            }
        }
        Ok(())
    }

    /// When the first question can be answered, as far as the heads tell.
    fn quotes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let opening = |instrument| Some(self.opening(instrument, now)?.open_time);
        self.state.asked.iter().filter_map(|instrument| opening(*instrument)).min()
    }

    /// The candle of that instrument that opens first at or after `now`; of several the finest.
    ///
    /// A head that has opened before now hides the one behind it, but that opens no earlier than the
    /// head closes, and by then the head is gone. A candle that the gate will refuse gives no price.
    fn opening(&self, instrument: Instrument, now: Timestamp) -> Option<&Candle> {
        let sound = |index: usize, candle: &Candle| {
            matches!(self.state.gates.at(index).judge(candle.close_time(), candle), Verdict::Next(_))
        };
        self.by_instrument
            .get(&instrument)?
            .iter()
            .filter_map(|index| Some((*index, self.heads[*index].as_ref()?)))
            .filter(|(index, candle)| candle.open_time >= now && sound(*index, candle))
            .min_by_key(|(index, candle)| (candle.open_time, *index))
            .map(|(_, candle)| candle)
    }

    fn answer_quotes(&mut self, at: Timestamp, events: &mut Vec<Event>) {
        let mut asked = std::mem::take(&mut self.state.asked);
        asked.retain(|instrument| match self.opening(*instrument, at) {
            Some(candle) if candle.open_time == at => {
                events.push(QuoteSeen { instrument: *instrument, price: candle.open, at, best: None }.into());
                false
            }
            _ => true,
        });
        self.state.asked = asked;
    }
}

fn take(market: &mut dyn Market, index: usize, taken: &mut u64) -> Result<Option<Candle>, MarketError> {
    let candle = market.next(index)?;
    *taken += u64::from(candle.is_some());
    Ok(candle)
}

/// On a market's clock nobody else tells the time.
fn is_said_by_a_feed(event: &Event) -> bool {
    matches!(
        event,
        Event::Candle(_)
            | Event::Instrument(_)
            | Event::Time(TimeEvent::Passed(_))
            | Event::Quote(QuoteEvent::Seen(_))
    )
}

impl FeedState {
    fn count(&mut self, now: Timestamp) {
        let (at, count) = self.said;
        self.said = if at == now { (at, count + 1) } else { (now, 1) };
    }

    fn pass(&mut self, now: Timestamp) {
        self.now = self.now.max(Some(now));
        while self.wake_is_due(now) {
            self.wakes.pop_first();
        }
    }

    fn wake_is_due(&self, now: Timestamp) -> bool {
        self.wakes.first().is_some_and(|at| *at <= now)
    }

    fn learn(&mut self, candle: &Candle) {
        // What closed before now has been learnt: of a feed's own saying this is all that is done.
        if self.now.is_none_or(|now| candle.close_time() > now)
            && let Some(gate) = self.gates.get_mut(crate::Series::of(candle))
        {
            gate.learn(candle);
        }
    }
}
