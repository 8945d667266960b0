//! One symbol: its way, its trades, its klines and its book.

use super::{
    bar::{Bar, Bars},
    depth::Published,
    frames,
    outside::{Crowd, Levels, Told},
    path::{Burst, Path, Shape},
    random::{Random, of_name},
    span::{HOUR, SECOND, Span, micros},
    streams::{Kind, Wants},
    trades::Trades,
    units::{self, ONE},
};
use crate::frame::MarketFrame;
use domain::{Instrument, InstrumentRules, Interval};
use events::Candle;
use std::collections::BTreeMap;

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
    /// Of the last trade among others: its price, and whether the taker bought.
    price: Option<(u64, bool)>,
    /// The last price that a candle led to.
    anchor: u64,
    lots_an_hour: u64,
    /// Until when the history's trades have ids.
    covered: i64,
    pub trades: Trades,
    /// By [`Span::index`].
    pub bars: Vec<Bars>,
    /// The book that was last given to the desk.
    pub told: Told,
    pub depth: Published,
    /// When a book was last published.
    published_at: i64,
    pub wants: Wants,
    /// When it moves next; none if nothing is known of it.
    pub moves_at: Option<i64>,
}

impl Market {
    pub fn new(instrument: Instrument, rules: &InstrumentRules, seed: u64) -> Self {
        let name = instrument.symbol.to_string();
        let step = |step| units::units(step).filter(|&step| step > 0).unwrap_or(1);
        Self {
            instrument,
            quoted: serde_json::Value::from(name.as_str()).to_string(),
            status: "TRADING".to_owned(),
            seed: seed ^ of_name(&name),
            tick: step(rules.tick_size),
            lot: step(rules.lot_size),
            least_notional: units::units(rules.min_notional).unwrap_or(0),
            pending: BTreeMap::new(),
            path: None,
            price: None,
            anchor: 0,
            lots_an_hour: 0,
            covered: i64::MIN,
            trades: Trades::default(),
            bars: Span::all().map(Bars::new).collect(),
            told: Told::default(),
            depth: Published::default(),
            published_at: i64::MIN,
            wants: Wants::default(),
            moves_at: None,
            name,
        }
    }

    /// A candle of the past.
    pub fn learn(&mut self, candle: &Candle) {
        let open = candle.open_time.micros();
        let close = candle.close_time().micros();
        // As many trades as the way itself would have made, about.
        let trades = ((close - open) / SECOND).max(1) as u64;
        let next = self.trades.next_id();
        let news = open >= self.covered;
        let first = if news { next } else { next.saturating_sub(trades) };
        let Some(bar) = Bar::of_candle(candle, open, first, trades) else { return };
        if news {
            self.trades.skip(bar.trades);
            self.covered = close;
        }
        if close >= self.covered {
            self.follow(candle);
            self.price = Some((bar.close, bar.close >= bar.open));
        }
        // A longer one says nothing of where its parts lie, nor do weeks of another calendar of other weeks.
        if candle.interval <= Interval::Day1 {
            let length = micros(candle.interval);
            for bars in &mut self.bars {
                if bars.span.length().is_none_or(|long| long >= length && long % length == 0) {
                    bars.learn(&bar);
                }
            }
        }
    }

    /// Takes over how much is traded, and where the price is.
    fn follow(&mut self, candle: &Candle) {
        let lots = units::sum_units(candle.volume).unwrap_or(0) / u128::from(self.lot);
        let hour = lots * HOUR as u128 / micros(candle.interval) as u128;
        self.lots_an_hour = u64::try_from(hour).unwrap_or(u64::MAX).min(ONE * ONE);
        self.anchor = units::units(candle.close.get()).unwrap_or(self.anchor);
    }

    pub fn last_price(&self) -> Option<u64> {
        let close = || self.bars.iter().rev().find_map(|bars| bars.bars.back()).map(|bar| bar.close);
        self.trades.last().map(|trade| trade.price).or_else(|| self.price.map(|p| p.0)).or_else(close)
    }

    /// Lets klines end that are over.
    pub fn roll(&mut self, at: i64) {
        // A market that only candles tell of has no klines but theirs.
        if self.path.is_some() {
            self.bars.iter_mut().for_each(|bars| bars.roll(at));
        }
    }

    /// Others' levels as of that time.
    pub fn outside(&self, at: i64) -> Option<(Levels, Levels)> {
        let (price, taker_buys) = self.price?;
        let second = self.lots_an_hour / 3_600;
        // Enough for ten of the smallest orders; rounded, so that it rarely changes.
        let worth = u128::from(price) * u128::from(self.lot) / u128::from(ONE);
        let least = u128::from(self.least_notional) * 10 / worth.max(1);
        let lots =
            second.max(u64::try_from(least).unwrap_or(u64::MAX)).clamp(1, ONE * ONE).next_power_of_two();
        let crowd = Crowd { seed: self.seed, tick: self.tick, lot: self.lot, lots, price, taker_buys, at };
        Some(crowd.sides())
    }

    /// Sets out at `from`; what is to come must be known far enough ahead.
    pub fn set_out(&mut self, from: i64) {
        self.pending.retain(|_, candle| candle.close_time().micros() > from);
        let mut random = Random::new(self.seed, 1, from as u64);
        self.path = self.next_shape(from, &mut random).map(|shape| Path::new(shape, self.tick, random));
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
                return self.shape_of(&candle, from, true);
            }
        }
        let next = self.pending.range(later(from + 1)).next().map(|((open, _), next)| (*open, *next));
        let covering = self.pending.values().filter(|candle| candle.open_time.micros() <= from);
        if let Some(candle) = covering.min_by_key(|candle| candle.interval).copied()
            && next.is_none_or(|(open, _)| open >= candle.close_time().micros())
        {
            self.follow(&candle);
            return self.shape_of(&candle, from, false);
        }
        self.wander(from, next, random)
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

    /// Publishes a book; whoever follows the best prices hears of it at once.
    pub fn publish(&mut self, at: i64, bids: Levels, asks: Levels, to: &mut Vec<MarketFrame>) {
        self.published_at = at;
        if !self.depth.set(bids, asks) {
            return;
        }
        let (bid, ask) = self.best();
        for name in self.wants.names(Kind::BookTicker) {
            let text = frames::book_ticker(&self.quoted, self.depth.update, bid, ask);
            to.push(frames::frame(name, |_| text.clone()));
        }
    }

    /// The best levels as of that time: as published, if that was not before the last trade.
    pub fn best_at(&self, at: i64) -> ((u64, u64), (u64, u64)) {
        if self.trades.last().is_none_or(|trade| trade.at <= self.published_at) {
            return self.best();
        }
        let (bids, asks) = self.outside(at).unwrap_or_default();
        (bids.first().copied().unwrap_or_default(), asks.first().copied().unwrap_or_default())
    }

    /// The best levels as published, zeros where there is none.
    fn best(&self) -> ((u64, u64), (u64, u64)) {
        let best = |levels: &Levels| levels.first().copied().unwrap_or_default();
        (best(&self.depth.bids), best(&self.depth.asks))
    }
}
