//! The rest of the market: pure, and determined by its candles, its seed and the times it is moved to.
//!
//! How the desk drives it, live:
//!
//! 1. To let time pass until `to`, call [`Simulator::next_tick`]`(to)` until it answers `None`. After each tick
//!    give the matching engine its trades and what has changed of others' book, both at once, tell
//!    [`Simulator::traded`] what that filled and [`Simulator::took`] what of others' levels went, and
//!    [`Simulator::published`] our own levels.
//! 2. Only instruments that are [watched](Simulator::watch) tick, at each trade and at each full tenth of a second:
//!    those with open orders. Any other one is looked at by [`Simulator::current`] before an order goes to it.
//!    Until `watch` is called first, all of them tick, at their trades.
//! 3. After a request that may have changed a book, tell [`Simulator::took`] and [`Simulator::published`].
//!
//! Driven from outside it has no way of its own: [`Simulator::list`] and [`Simulator::learn`] feed it, and of the
//! streams only klines speak, as candles close.
//!
//! Invariants:
//! - What is traded in a candle opens, touches high and low, and closes exactly as that candle says.
//!   Where candles contradict each other, the finest wins; where there is none, the price wanders on.
//! - Nothing depends on who looks on: trades, klines and books are the same whatever is wanted or watched.
//! - There is one book: what is asked for, what streams and what is matched is the same, and asking changes nothing.
//!   What was taken of it is gone until it [comes back](others).
//! - Ids of trades and aggregates are gap-free, the same on streams and in answers.
//! - Frames come in the order of time; those of one instant after all that happened in it.

mod answers;
mod bar;
mod crowd;
mod depth;
mod emit;
mod frames;
mod klines;
mod market;
mod others;
mod parts;
mod past;
mod path;
mod random;
mod recorded;
mod span;
mod stats;
mod streams;
mod supply;
mod tape;
mod trades;
mod units;

use crate::frame::MarketFrame;
use domain::{Amount, Instrument, InstrumentRules, Interval, Price, Quantity, Side, Timestamp};
use events::Candle;
use market::Market;
use path::STEP;
use span::{HOUR, MINUTE, SECOND};
use std::collections::{BTreeMap, BTreeSet};
use streams::{All, Kind};
use supply::Supply;
use venue_paper::engine::{Book, Change};

/// Frames that are kept until they are taken; of twice as many the older half is lost.
const MOST_FRAMES: usize = 200_000;
/// The way begins so long before live ticking, so that there are trades to be asked for at once.
const WARM_UP: i64 = HOUR;

pub use tape::{Said, Tape};
pub use units::units;

/// What a simulator is made from.
pub struct Source {
    pub rules: BTreeMap<Instrument, InstrumentRules>,
    /// Raw candles, of any intervals, in the order of their close, finest first within an instant; may end.
    pub candles: Box<dyn Iterator<Item = Candle> + Send>,
    pub seed: u64,
    /// Microseconds added to every time, a whole number of days, so that the market's past ends now.
    pub shift: i64,
    /// The exchange's time at which live ticking begins.
    pub start: Timestamp,
}

/// One move of one instrument.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub at: Timestamp,
    pub instrument: Instrument,
    /// What others traded, with the side of the taker. Recorded and told already.
    pub trades: Vec<(Price, Quantity, Side)>,
    /// What has become otherwise of others' book since the last tick of this instrument, as it is after it.
    pub change: Change,
}

/// See the [module's documentation](self).
#[derive(Default)]
pub struct Simulator {
    markets: Vec<Market>,
    rules: BTreeMap<Instrument, InstrumentRules>,
    by_instrument: BTreeMap<Instrument, usize>,
    /// In capitals, as Binance has it, and in lower case, as its streams have it.
    by_name: BTreeMap<String, usize>,
    by_lower: BTreeMap<String, usize>,
    supply: Option<Supply>,
    seed: u64,
    now: i64,
    /// Until when streams have said what they say at full tenths of a second.
    emitted: i64,
    /// How often anything has to be said that way; never if none.
    pace: Option<i64>,
    all: Vec<(All, String)>,
    watched: Option<BTreeSet<Instrument>>,
    /// Who moves next.
    queue: BTreeSet<(i64, usize)>,
    frames: Vec<MarketFrame>,
}

impl Simulator {
    /// Takes in the past, and lets the way begin. Lists nothing if given by `default()`.
    pub fn new(source: Source) -> Self {
        let mut simulator = Self { seed: source.seed, ..Self::default() };
        for (instrument, rules) in &source.rules {
            simulator.list(*instrument, rules);
        }
        let start = source.start.micros();
        let begin = (start - WARM_UP).div_euclid(MINUTE) * MINUTE;
        let mut supply = Supply::new(source.candles, source.shift);
        let longest = span::micros(Interval::Week1);
        while let Some(candle) = supply.next(begin) {
            simulator.supply(&candle, begin - longest);
        }
        simulator.supply = Some(supply);
        simulator.now = begin - longest;
        (0..simulator.markets.len()).for_each(|i| simulator.begin(i, begin));
        simulator.watched = Some(BTreeSet::new());
        while simulator.next_tick(source.start).is_some() {}
        simulator.watched = None;
        simulator
    }

    /// An instrument comes to be traded; known already, nothing changes.
    pub fn list(&mut self, instrument: Instrument, rules: &InstrumentRules) {
        if self.by_instrument.contains_key(&instrument) {
            return;
        }
        let market = Market::new(instrument, rules, self.seed);
        let place = self.markets.len();
        self.rules.insert(instrument, rules.clone());
        self.by_instrument.insert(instrument, place);
        self.by_lower.entry(market.name.to_lowercase()).or_insert(place);
        self.by_name.entry(market.name.clone()).or_insert(place);
        self.markets.push(market);
    }

    /// What is traded here, with its rules.
    pub fn listings(&self) -> &BTreeMap<Instrument, InstrumentRules> {
        &self.rules
    }

    /// An instrument comes to be traded whose book and trades are recorded, from now on.
    pub fn play(&mut self, instrument: Instrument, rules: &InstrumentRules, tape: Tape) {
        self.list(instrument, rules);
        let Some(&place) = self.by_instrument.get(&instrument) else { return };
        self.markets[place].play(tape);
        self.schedule(place, self.now);
    }

    /// A candle that closed, where the market is driven from outside. One whose prices contradict
    /// themselves, or that is of an instrument not listed, is passed over.
    pub fn learn(&mut self, candle: &Candle) {
        let Some(&place) = self.by_instrument.get(&candle.instrument) else { return };
        if !candle.is_consistent() {
            return;
        }
        self.now = self.now.max(candle.close_time().micros());
        let market = &mut self.markets[place];
        market.learn(candle);
        market.settle_reach();
        market.tell_candle(candle, self.now, &mut self.frames);
    }

    /// `TRADING`, `HALT` …: nobody trades in what does not trade.
    pub fn set_status(&mut self, instrument: Instrument, status: &str) {
        if let Some(&place) = self.by_instrument.get(&instrument) {
            self.markets[place].status = status.to_owned();
        }
    }

    /// The next move until then, in order of time; `None` when the simulated market stands at `until`.
    pub fn next_tick(&mut self, until: Timestamp) -> Option<Tick> {
        let until = until.micros();
        loop {
            let next = self.queue.first().map_or(i64::MAX, |&(at, _)| at);
            if let Some(at) = self.due(next.min(until.saturating_add(1))) {
                self.now = self.now.max(at);
                self.emit(at);
                self.emitted = at;
                self.bound_frames();
                continue;
            }
            if next > until {
                self.now = self.now.max(until);
                self.emitted = self.emitted.max(until);
                return None;
            }
            let (at, place) = self.queue.pop_first()?;
            self.now = self.now.max(at);
            if let Some(tick) = self.step(place, at) {
                return Some(tick);
            }
        }
    }

    /// Others' book as it stands; the tick tells what has become otherwise of it, and no trade.
    pub fn current(&mut self, instrument: Instrument) -> Option<Tick> {
        let &place = self.by_instrument.get(&instrument)?;
        let market = &mut self.markets[place];
        market.look(self.now);
        let at = Timestamp::from_micros(self.now);
        Some(Tick { at, instrument, trades: Vec::new(), change: market.others.take_unseen() })
    }

    /// All of others' book as it stands; `None` if nothing is known of the price. Nothing is changed by that.
    pub fn book(&self, instrument: Instrument) -> Option<Book> {
        self.market(instrument)?.book(self.now)
    }

    /// The price of the last trade, ours included.
    pub fn last_price(&self, instrument: Instrument) -> Option<Price> {
        self.market(instrument)?.last_price().and_then(units::price)
    }

    /// The average price of the last five minutes, by volume; Binance's filters refer to it.
    pub fn average_price(&self, instrument: Instrument) -> Option<Price> {
        self.market(instrument)?.average(self.now).and_then(|a| u64::try_from(a).ok()).and_then(units::price)
    }

    /// Our own fills of one taker order, in order, so that public trades, klines and tickers contain them.
    /// Answers the public id of the first; the others follow it. `None` if the instrument is not listed.
    pub fn traded(
        &mut self,
        at: Timestamp,
        instrument: Instrument,
        taker: Side,
        fills: &[(Price, Quantity)],
    ) -> Option<u64> {
        let &place = self.by_instrument.get(&instrument)?;
        self.now = self.now.max(at.micros());
        let market = &mut self.markets[place];
        market.roll(self.now);
        let whole = |(p, q): &(Price, Quantity)| {
            (units::units(p.get()).unwrap_or(u64::MAX >> 1), units::units(q.get()).unwrap_or(u64::MAX >> 1))
        };
        let fills: Vec<_> = fills.iter().map(whole).collect();
        let first = market.trades.next_id();
        market.record(self.now, taker == Side::Buy, &fills, &mut self.frames);
        Some(first)
    }

    /// We have taken so much of others' levels, by the side on which they rested. The engine knows.
    pub fn took(&mut self, now: Timestamp, instrument: Instrument, taken: &[(Side, Price, Amount)]) {
        let Some(&place) = self.by_instrument.get(&instrument) else { return };
        self.now = self.now.max(now.micros());
        for wanted in [Side::Buy, Side::Sell] {
            let of_it = taken.iter().filter(|(side, ..)| *side == wanted);
            let quantity: u64 = of_it.filter_map(|(.., quantity)| units::units(*quantity)).sum();
            if quantity > 0 {
                self.markets[place].others.take(wanted, quantity, self.now);
            }
        }
    }

    /// Our visible orders of an instrument as they stand now: with others' levels they are published.
    pub fn published(&mut self, now: Timestamp, instrument: Instrument, own: &Book) {
        let Some(&place) = self.by_instrument.get(&instrument) else { return };
        self.now = self.now.max(now.micros());
        self.markets[place].publish(Some(own), &mut self.frames);
    }

    /// The instruments whose every trade, and the book after it, the desk wants to see.
    pub fn watch(&mut self, watched: BTreeSet<Instrument>) {
        let before = self.watched.replace(watched).unwrap_or_default();
        let changed = self.watched.iter().flat_map(|now| now.symmetric_difference(&before));
        let places: Vec<usize> = changed.filter_map(|one| self.by_instrument.get(one)).copied().collect();
        places.into_iter().for_each(|place| self.schedule(place, self.now));
    }

    /// The streams that anybody listens to; other names are passed over.
    pub fn want_streams(&mut self, wanted: BTreeSet<String>) {
        let mut of: BTreeMap<usize, BTreeSet<(Kind, String)>> = BTreeMap::new();
        self.all.clear();
        for name in wanted {
            match self.stream(&name) {
                Some(Named::Of(place, kind)) => _ = of.entry(place).or_default().insert((kind, name)),
                Some(Named::All(all)) => self.all.push((all, name)),
                None => {}
            }
        }
        self.pace = (!self.all.is_empty()).then_some(SECOND);
        for place in 0..self.markets.len() {
            let market = &mut self.markets[place];
            market.wants.set(of.remove(&place).unwrap_or_default(), self.now);
            market.depth.listen(market.wants.depth.0, market.wants.depth.1);
            if !market.wants.streams.is_empty() {
                let pace = if market.wants.needs_book { STEP } else { SECOND };
                self.pace = Some(self.pace.unwrap_or(pace).min(pace));
            }
            self.schedule(place, self.now);
        }
    }

    /// Whether there is such a stream, of a symbol that is listed.
    pub fn is_stream(&self, name: &str) -> bool {
        self.stream(name).is_some()
    }

    /// What has been said since this was last asked, in order; only on streams that are wanted.
    pub fn take_frames(&mut self) -> Vec<MarketFrame> {
        std::mem::take(&mut self.frames)
    }

    fn stream(&self, name: &str) -> Option<Named> {
        if let Some(all) = All::parse(name) {
            return Some(Named::All(all));
        }
        let (symbol, kind) = name.split_once('@')?;
        let place = self.by_lower.get(symbol)?;
        Some(Named::Of(*place, Kind::parse(kind)?))
    }

    fn market(&self, instrument: Instrument) -> Option<&Market> {
        self.by_instrument.get(&instrument).map(|&place| &self.markets[place])
    }

    /// The next full tenth of a second, or second, before `next` at which streams have to speak.
    fn due(&self, next: i64) -> Option<i64> {
        // Driven from outside nothing goes on by itself.
        let pace = self.pace.filter(|_| !self.queue.is_empty())?;
        let at = (self.emitted.div_euclid(pace) + 1) * pace;
        (at < next).then_some(at)
    }

    fn bound_frames(&mut self) {
        // Seldom and many at once, since the others have to move up.
        if self.frames.len() >= 2 * MOST_FRAMES {
            self.frames.drain(..self.frames.len() - MOST_FRAMES);
        }
    }

    /// Lets one market move, if it is its time; answers what the desk must see of it.
    fn step(&mut self, place: usize, at: i64) -> Option<Tick> {
        let market = &mut self.markets[place];
        let follows = market.tape.is_some();
        let trades = match market.next_at() {
            Some(next) if next <= at && follows => {
                let said = market.hear_next(&mut self.frames);
                said.and_then(|(price, quantity, buys)| trade(price, quantity, buys)).into_iter().collect()
            }
            Some(next) if next <= at => {
                let burst = market.move_on(&mut self.frames)?;
                self.go_on(place);
                let market = &self.markets[place];
                let each = burst.lots[..burst.count].iter();
                each.filter_map(|&lots| trade(burst.price, market.lots(lots), burst.taker_buys)).collect()
            }
            _ => Vec::new(),
        };
        self.schedule(place, at);
        let market = &mut self.markets[place];
        let watched = is_in(self.watched.as_ref(), market.instrument);
        let every_trade = self.watched.is_none() && (follows || !trades.is_empty());
        let seen = market.wants.needs_book || watched || every_trade;
        if !seen || market.status != "TRADING" {
            return None;
        }
        market.look(at);
        let change = market.others.take_unseen();
        Some(Tick { at: Timestamp::from_micros(at), instrument: market.instrument, trades, change })
    }

    /// The next stretch of a way that is over.
    fn go_on(&mut self, place: usize) {
        let Some(path) = &self.markets[place].path else { return };
        if path.next_at().is_some() {
            return;
        }
        let end = path.end();
        self.read_until(end);
        self.markets[place].set_out(end);
    }

    /// When it moves next: at each step while somebody follows its book or has an order on it, since others' book
    /// changes with time alone; else at its next trade.
    fn schedule(&mut self, place: usize, after: i64) {
        let market = &mut self.markets[place];
        if let Some(at) = market.moves_at.take() {
            self.queue.remove(&(at, place));
        }
        let Some(trade) = market.next_at() else { return };
        let step = (after.div_euclid(STEP) + 1) * STEP;
        let steps = market.wants.needs_book || is_in(self.watched.as_ref(), market.instrument);
        let next = if steps { trade.min(step) } else { trade };
        market.moves_at = Some(next);
        self.queue.insert((next, place));
    }

    fn read_until(&mut self, at: i64) {
        let Some(mut supply) = self.supply.take() else { return };
        while let Some(candle) = supply.next(at) {
            self.supply(&candle, i64::MIN);
        }
        self.supply = Some(supply);
    }

    /// A candle of the supply: history if it closed by then, else to come.
    fn supply(&mut self, candle: &Candle, history: i64) {
        let Some(&place) = self.by_instrument.get(&candle.instrument) else { return };
        if !candle.is_consistent() {
            return;
        }
        let market = &mut self.markets[place];
        if candle.close_time().micros() <= history {
            market.learn(candle);
            return;
        }
        market.pending.entry((candle.open_time.micros(), candle.interval)).or_insert(*candle);
        if self.supply.is_none() && market.path.is_none() && history == i64::MIN {
            // It is listed only now.
            let from = candle.open_time.micros().max(self.now.div_euclid(SECOND) * SECOND);
            market.set_out(from);
            self.schedule(place, from);
        }
    }

    /// Where its way begins: with the finest candle that holds `at`, and history before.
    fn begin(&mut self, place: usize, at: i64) {
        let market = &mut self.markets[place];
        let holds = |candle: &&Candle| candle.open_time.micros() <= at && at < candle.close_time().micros();
        let finest = market.pending.values().filter(holds).min_by_key(|candle| candle.interval).copied();
        let mut from = finest.map_or(at, |candle| candle.open_time.micros());
        // Of a long candle only the hours from there on are gone through trade by trade.
        let long = finest.filter(|candle| candle.interval > Interval::Hour1);
        if long.is_some() {
            from = from.max(at.div_euclid(HOUR) * HOUR);
        }
        let mut past: Vec<_> =
            market.pending.values().filter(|candle| candle.close_time().micros() <= from).copied().collect();
        past.sort_by_key(|candle| (candle.close_time(), candle.interval));
        past.iter().for_each(|candle| market.learn(candle));
        if let Some(candle) = long {
            market.follow_until(&candle, from);
        }
        if market.last_price().is_none() {
            let Some((&(open, _), _)) = market.pending.first_key_value() else { return };
            from = open;
        }
        market.go_live(from);
        market.set_out(from);
        self.schedule(place, from);
    }
}

fn is_in(watched: Option<&BTreeSet<Instrument>>, instrument: Instrument) -> bool {
    watched.is_some_and(|watched| watched.contains(&instrument))
}

/// What a stream's name means.
enum Named {
    Of(usize, Kind),
    All(All),
}

fn trade(price: u64, quantity: u64, taker_buys: bool) -> Option<(Price, Quantity, Side)> {
    let side = if taker_buys { Side::Buy } else { Side::Sell };
    Some((units::price(price)?, units::quantity(quantity)?, side))
}
