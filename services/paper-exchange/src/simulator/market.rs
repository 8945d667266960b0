//! One symbol: its way, its trades, its klines and its book.

use super::{
    bar::{Bar, Bars},
    crowd::Look,
    depth::Published,
    frames,
    others::{self, Others},
    past::{Cutter, Past},
    path::{Burst, Path, Shape},
    random::{Random, of_name},
    span::{DAY, HOUR, SECOND, Span, micros},
    streams::{Kind, Wants},
    tape::{Said, Tape},
    trades::Trades,
    units::{self, ONE},
};
use crate::frame::MarketFrame;
use domain::{Instrument, InstrumentRules, Interval, Side};
use events::Candle;
use std::collections::BTreeMap;
use venue_paper::engine::Book;

/// By how many millionths the price goes in an hour, at most, where no candle leads it.
const WANDER: i64 = 4_000;

#[derive(Debug)]
pub struct Market {
    pub instrument: Instrument,
    /// The symbol; the same as a JSON string.
    pub name: String,
    pub quoted: String,
    pub status: String,
    seed: u64,
    /// In 10⁻⁸.
    tick: u64,
    lot: u64,
    /// The least that an order may be worth, in the quote asset.
    least_notional: u64,
    /// What is to come, by open time and interval; times shifted.
    pub pending: BTreeMap<(i64, Interval), Candle>,
    pub path: Option<Path>,
    /// A recording, which the market follows instead.
    pub tape: Option<Tape>,
    /// Of the last trade among others: its price, and whether the taker bought.
    price: Option<(u64, bool)>,
    /// The last price that a candle led to.
    anchor: u64,
    lots_an_hour: u64,
    /// The same over about a day, and what is made of it: the lots of a second, so rounded that they rarely change.
    usual_lots_an_hour: u64,
    lots_a_second: u64,
    pub past: Past,
    /// Since when the market goes its own way.
    pub live_from: Option<i64>,
    pub trades: Trades,
    /// By [`Span::index`].
    pub bars: Vec<Bars>,
    pub others: Others,
    pub depth: Published,
    pub wants: Wants,
    /// When it moves next; none if nothing is known of it.
    pub moves_at: Option<i64>,
}

impl Market {
    pub fn new(instrument: Instrument, rules: &InstrumentRules, seed: u64) -> Self {
        let name = instrument.symbol.to_string();
        let step = |step| units::units(step).filter(|&step| step > 0).unwrap_or(1);
        let seed = seed ^ of_name(&name);
        let (tick, lot) = (step(rules.tick_size), step(rules.lot_size));
        Self {
            instrument,
            quoted: serde_json::Value::from(name.as_str()).to_string(),
            status: "TRADING".to_owned(),
            seed,
            tick,
            lot,
            least_notional: units::units(rules.min_notional).unwrap_or(0),
            pending: BTreeMap::new(),
            path: None,
            tape: None,
            price: None,
            anchor: 0,
            lots_an_hour: 0,
            usual_lots_an_hour: 0,
            lots_a_second: 1,
            past: Past::new(seed, tick, lot),
            live_from: None,
            trades: Trades::default(),
            bars: Span::all().map(Bars::new).collect(),
            others: Others::new(seed, tick, lot),
            depth: Published::default(),
            wants: Wants::default(),
            moves_at: None,
            name,
        }
    }

    /// A candle of the past.
    pub fn learn(&mut self, candle: &Candle) {
        let known = self.past.bounds().map_or(i64::MIN, |bounds| bounds.1);
        let added = self.past.learn(candle, self.trades.next_id());
        self.trades.skip(added);
        if candle.close_time().micros() < known {
            return;
        }
        self.follow(candle);
        let price = |price: domain::Price| units::units(price.get());
        if let (Some(open), Some(close)) = (price(candle.open), price(candle.close)) {
            self.price = Some((close, close >= open));
        }
    }

    /// From now on the market goes its own way; what of klines lies before is theirs already.
    pub fn go_live(&mut self, from: i64) {
        let next = self.past.number();
        self.trades.begin_at(next);
        self.live_from = Some(from);
        let mut cutter = Cutter::new(&self.past);
        for bars in &mut self.bars {
            let open = bars.span.open_of(from, 0);
            let close = bars.span.close_of(open, 0);
            if open == from {
                continue;
            }
            let begun = cutter.cut(open, from).or_else(|| {
                let price = cutter.price_before(from)?;
                Some(Bar::empty(open, close, price))
            });
            if let Some(begun) = begun {
                bars.push(Bar { open_time: open, close_time: close, ..begun });
            }
        }
    }

    /// Takes over how much is traded, and where the price is.
    fn follow(&mut self, candle: &Candle) {
        let lots = units::sum_units(candle.volume).unwrap_or(0) / u128::from(self.lot);
        let hour = lots * HOUR as u128 / micros(candle.interval) as u128;
        self.lots_an_hour = u64::try_from(hour).unwrap_or(u64::MAX).min(ONE * ONE);
        self.anchor = units::units(candle.close.get()).unwrap_or(self.anchor);
        let usual = i128::from(self.usual_lots_an_hour);
        let length = i128::from(micros(candle.interval).min(DAY));
        let usual = match usual {
            0 => i128::from(self.lots_an_hour),
            usual => usual + (i128::from(self.lots_an_hour) - usual) * length / i128::from(DAY),
        };
        self.usual_lots_an_hour = u64::try_from(usual).unwrap_or(0);
        let lots = self.ordinary_lots();
        let about = self.lots_a_second..self.lots_a_second.saturating_mul(4);
        if !about.contains(&lots.saturating_mul(2)) {
            self.lots_a_second = lots.next_power_of_two();
        }
    }

    /// What is traded in a second, and enough for ten of the smallest orders.
    fn ordinary_lots(&self) -> u64 {
        let worth = u128::from(self.anchor) * u128::from(self.lot) / u128::from(ONE);
        let least = u128::from(self.least_notional) * 10 / worth.max(1);
        let second = self.usual_lots_an_hour / 3_600;
        second.max(u64::try_from(least).unwrap_or(u64::MAX)).clamp(1, ONE * ONE)
    }

    pub fn last_price(&self) -> Option<u64> {
        let last = self.trades.last().map(|trade| trade.price);
        last.or_else(|| self.price.map(|p| p.0)).or_else(|| self.past.last_price())
    }

    /// Lets klines end that are over.
    pub fn roll(&mut self, at: i64) {
        // A market that only candles tell of has no klines but theirs.
        if self.live_from.is_some() {
            self.bars.iter_mut().for_each(|bars| bars.roll(at));
        }
    }

    /// What others' book is made from at that time; `None` if nothing is known of the price.
    fn look_of(&self, at: i64) -> Option<Look> {
        let (price, taker_buys) = self.price?;
        Some(Look { price, taker_buys, at, lots: self.lots_a_second })
    }

    /// Brings others' book up to date. In a market that does not trade it stands still.
    pub fn look(&mut self, at: i64) {
        if let Some(look) = self.look_of(at).filter(|_| self.status == "TRADING") {
            self.others.look(&look);
        }
    }

    /// Others' book as of that time; it is not brought up to date by that.
    pub fn book(&self, at: i64) -> Option<Book> {
        let look = self.look_of(at)?;
        Some(others::book([Side::Buy, Side::Sell].map(|side| self.others.levels(&look, side))))
    }

    /// How far the book reaches goes by the price at which the market was when this was asked first.
    pub fn settle_reach(&mut self) {
        if self.others.about == 0 {
            self.others.about = self.last_price().unwrap_or(0);
        }
    }

    /// Sets out at `from`; what is to come must be known far enough ahead.
    pub fn set_out(&mut self, from: i64) {
        self.live_from.get_or_insert(from);
        self.settle_reach();
        self.pending.retain(|_, candle| candle.close_time().micros() > from);
        let mut random = Random::new(self.seed, 1, from as u64);
        self.path = self.next_shape(from, &mut random).map(|shape| Path::new(shape, self.tick, random));
        if self.others.about == 0 {
            self.others.about = self.anchor;
        }
    }

    /// What leads on from there: the finest candle, the rest of a coarser one, or nothing but chance.
    fn next_shape(&mut self, from: i64, random: &mut Random) -> Option<Shape> {
        let later = |from: i64| (from, Interval::Second1)..;
        let at_once = self.pending.range(later(from)).next().filter(|((open, _), _)| *open == from);
        if let Some((_, candle)) = at_once {
            let candle = *candle;
            let close = candle.close_time().micros();
            let finer = self.pending.range(later(from + 1)).take_while(|((open, _), _)| *open < close);
            if finer.clone().all(|((_, interval), _)| *interval >= candle.interval) {
                self.follow(&candle);
                return self.lead(&candle, from, true);
            }
        }
        let next = self.pending.range(later(from + 1)).next().map(|((open, _), next)| (*open, *next));
        let covering = self.pending.values().filter(|candle| candle.open_time.micros() <= from);
        if let Some(candle) = covering.min_by_key(|candle| candle.interval).copied()
            && next.is_none_or(|(open, _)| open >= candle.close_time().micros())
        {
            self.follow(&candle);
            return self.lead(&candle, from, false);
        }
        self.wander(from, next, random)
    }

    /// The hours of a candle until then are past.
    pub fn follow_until(&mut self, candle: &Candle, until: i64) {
        let hours = self.past.hours(candle);
        for hour in hours.iter().filter(|hour| hour.close_time <= until) {
            self.past.begin(hour);
            self.price = Some((hour.close, hour.close >= hour.open));
        }
    }

    /// Through the candle, or through the hour of it that holds `from`.
    fn lead(&self, candle: &Candle, from: i64, whole: bool) -> Option<Shape> {
        if candle.interval <= Interval::Hour1 {
            return self.shape_of(candle, from, whole);
        }
        let hour = self.past.hours(candle).into_iter().find(|hour| hour.close_time > from)?;
        let Bar { open_time, close_time: to, open, high, low, close, volume, .. } = hour;
        let lots = volume / u128::from(self.lot) * (to - from) as u128 / (to - open_time) as u128;
        let lots = u64::try_from(lots).unwrap_or(u64::MAX).min(ONE * ONE);
        let whole = open_time == from;
        let open = if whole { open } else { self.price.map_or(open, |price| price.0) };
        let (high, low) = (high.max(open), low.min(open));
        Some(Shape { from, to, open, high, low, close, lots, touch: whole })
    }

    fn shape_of(&self, candle: &Candle, from: i64, whole: bool) -> Option<Shape> {
        let price = |price: domain::Price| units::units(price.get());
        let (open, high, low, close) =
            (price(candle.open)?, price(candle.high)?, price(candle.low)?, price(candle.close)?);
        let to = candle.close_time().micros();
        let lots = units::sum_units(candle.volume)? / u128::from(self.lot);
        let lots = lots * (to - from) as u128 / micros(candle.interval) as u128;
        let lots = u64::try_from(lots).unwrap_or(u64::MAX).min(ONE * ONE);
        let open = if whole { open } else { self.price.map_or(open, |price| price.0) };
        let (high, low) = (high.max(open), low.min(open));
        Some(Shape { from, to, open, high, low, close, lots, touch: whole })
    }

    /// At random, at most for an hour, or until the next candle opens, to where that one does.
    fn wander(&self, from: i64, next: Option<(i64, Candle)>, random: &mut Random) -> Option<Shape> {
        let hour = (from.div_euclid(HOUR) + 1) * HOUR;
        let to = next.map_or(hour, |(open, _)| hour.min(open)).max(from + SECOND);
        let opening = next.filter(|(open, _)| *open == to).and_then(|(_, c)| units::units(c.open.get()));
        let open = self.price.map(|price| price.0).or(opening)?;
        let share = (((to - from) / SECOND) as u64 * 1_000_000 / 3_600).isqrt() as i64;
        let most = i64::try_from(u128::from(open) * (WANDER * share) as u128 / 1_000_000_000).unwrap_or(0);
        let most = most.max(self.tick as i64);
        let grid = |price: i64| price.div_euclid(self.tick as i64).max(1) as u64 * self.tick;
        let drawn = grid((open as i64).saturating_add(random.within(-most, most)));
        // It never goes to nothing or to the sky.
        let anchor = self.anchor.max(self.tick);
        let floor = (anchor / 20).max(self.tick * 10).min(open.max(self.tick));
        let close = opening.unwrap_or(drawn.clamp(floor, anchor.saturating_mul(20).max(open)));
        let high =
            grid((open.max(close) as i64).saturating_add(random.within(0, most / 2))).max(open).max(close);
        let low =
            grid((open.min(close) as i64).saturating_sub(random.within(0, most / 2))).min(open).min(close);
        let lots = u128::from(self.lots_an_hour.max(3_600)) * (to - from) as u128 / HOUR as u128;
        let lots = u64::try_from(lots).unwrap_or(u64::MAX).min(ONE * ONE);
        Some(Shape { from, to, open, high, low, close, lots, touch: true })
    }

    /// From its first message on it follows a recording.
    pub fn play(&mut self, mut tape: Tape) {
        self.live_from = Some(tape.next_at().div_euclid(SECOND) * SECOND);
        self.others.follow_recording();
        self.tape = Some(tape);
    }

    /// Whether it moves by itself, and is not driven from outside.
    pub fn goes_on(&self) -> bool {
        self.path.is_some() || self.tape.is_some()
    }

    /// When it moves next by itself.
    pub fn next_at(&mut self) -> Option<i64> {
        match &mut self.tape {
            Some(tape) => Some(tape.next_at()),
            None => self.path.as_ref().and_then(Path::next_at),
        }
    }

    /// The next message of its recording; the trade that it tells of.
    pub fn hear_next(&mut self, to: &mut Vec<MarketFrame>) -> Option<(u64, u64, bool)> {
        let (at, said) = self.tape.as_mut()?.take();
        let trade = match said {
            Said::Trade { id, price, quantity, taker_buys } => {
                if self.trades.last().is_none() {
                    self.trades.begin_at(id);
                }
                Some((price, quantity, taker_buys))
            }
            Said::Snapshot { .. } | Said::Diff { .. } | Said::Silence => None,
        };
        self.others.hear(said, at);
        let (price, quantity, taker_buys) = trade?;
        self.price = Some((price, taker_buys));
        if self.status == "TRADING" {
            self.record(at, taker_buys, &[(price, quantity)], to);
        }
        trade
    }

    /// The trades that are due on its way now.
    pub fn move_on(&mut self, to: &mut Vec<MarketFrame>) -> Option<Burst> {
        let before = self.price.map_or(0, |price| price.0);
        let burst = self.path.as_mut()?.trade(before);
        self.price = Some((burst.price, burst.taker_buys));
        if self.status == "TRADING" {
            let fills = burst.lots.map(|lots| (burst.price, lots.saturating_mul(self.lot)));
            self.record(burst.at, burst.taker_buys, &fills[..burst.count], to);
        }
        Some(burst)
    }

    /// Trades of one taker, as price and quantity in 10⁻⁸.
    pub fn record(&mut self, at: i64, taker_buys: bool, fills: &[(u64, u64)], to: &mut Vec<MarketFrame>) {
        let Self { trades, bars, wants, quoted, .. } = self;
        let mut aggregates = Vec::new();
        trades.take(
            at,
            taker_buys,
            fills,
            |trade| {
                bars.iter_mut().for_each(|bars| bars.trade(trade));
                for name in wants.names(Kind::Trade) {
                    to.push(frames::frame(name, |clock| frames::trade(quoted, trade, clock)));
                }
            },
            |one| aggregates.push(*one),
        );
        for name in wants.names(Kind::AggregateTrade) {
            let frame = |one| frames::frame(name, |clock| frames::aggregate(quoted, one, clock));
            to.extend(aggregates.iter().map(frame));
        }
    }

    /// A quantity in lots as the engine takes it.
    pub fn lots(&self, lots: u64) -> u64 {
        lots.saturating_mul(self.lot)
    }

    /// Publishes what has changed of others' book, and ours; whoever follows the best prices hears of it at once.
    /// Of a market that does not trade only ours change: what is recorded of it meanwhile waits for the matching
    /// engine.
    pub fn publish(&mut self, own: Option<&Book>, to: &mut Vec<MarketFrame>) {
        let before = self.depth.best();
        if self.status == "TRADING" {
            for (side, price, quantity) in self.others.take_unpublished() {
                self.depth.set_others(side, price, quantity);
            }
        }
        if let Some(own) = own {
            self.depth.set_own(own);
        }
        let (bid, ask) = self.depth.best();
        if (bid, ask) == before {
            return;
        }
        for name in self.wants.names(Kind::BookTicker) {
            let text = frames::book_ticker(&self.quoted, self.depth.update, bid, ask);
            to.push(frames::frame(name, |_| text.clone()));
        }
    }

    /// The best levels as of that time, zeros where there are none. Nothing is published by that.
    pub fn best_at(&self, at: i64) -> ((u64, u64), (u64, u64)) {
        let Some(look) = self.look_of(at).filter(|_| self.status == "TRADING") else {
            return self.depth.best();
        };
        let best = |side: Side| {
            let (others, own) = (self.others.best(&look, side), self.depth.best_own(side));
            match (others, own) {
                (Some(others), Some(own)) if others.0 == own.0 => (own.0, own.1.saturating_add(others.1)),
                (Some(others), Some(own)) if (others.0 > own.0) == (side == Side::Buy) => others,
                (_, Some(own)) => own,
                (others, None) => others.unwrap_or_default(),
            }
        };
        (best(Side::Buy), best(Side::Sell))
    }
}
