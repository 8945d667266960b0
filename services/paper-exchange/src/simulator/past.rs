//! What was traded before the market's own way began: candles, and whatever finer ones are made of them when
//! somebody asks.
//!
//! The past is a row of pieces, none over another: the finest candle that there is of each
//! time, and where finer candles cover a coarser one only in part, what they leave of it. Every kline of the past is
//! put together from pieces or from their parts. So klines of all lengths and time zones add up to each other, and
//! never contradict.
//!
//! A piece falls apart into hours, an hour into minutes, a minute into seconds: open, high, low, close, volume and number of trades of the
//! parts are those of the whole, exactly. How a whole falls apart depends on the seed and on when it opens.

use super::{
    bar::Bar,
    random::Random,
    span::{HOUR, MINUTE, SECOND, micros},
    units,
};
use events::Candle;
use std::collections::VecDeque;

/// Pieces that are kept as they were, and as many older ones, which are put together to hours.
const MOST_PIECES: usize = 26_000;

/// Times in microseconds, prices and volume in 10⁻⁸.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from: i64,
    to: i64,
    open: u64,
    high: u64,
    low: u64,
    close: u64,
    volume: u128,
    /// The number of its first trade.
    first: u64,
}

#[derive(Debug)]
pub struct Past {
    seed: u64,
    tick: u64,
    lot: u64,
    old: VecDeque<Piece>,
    new: VecDeque<Piece>,
}

/// Cuts parts out of the past; it remembers what it has just taken apart.
pub struct Cutter<'a> {
    past: &'a Past,
    /// Of a day, an hour, a minute: when the whole opens and closes, and its parts.
    memo: [Option<(i64, i64, Vec<Bar>)>; 3],
}

impl Piece {
    fn of(candle: &Candle) -> Option<Self> {
        let price = |price: domain::Price| units::units(price.get());
        Some(Self {
            from: candle.open_time.micros(),
            to: candle.open_time.micros() + micros(candle.interval),
            open: price(candle.open)?,
            high: price(candle.high)?,
            low: price(candle.low)?,
            close: price(candle.close)?,
            volume: units::sum_units(candle.volume)?,
            first: 0,
        })
    }

    fn empty(from: i64, to: i64, price: u64) -> Self {
        Self { from, to, open: price, high: price, low: price, close: price, volume: 0, first: 0 }
    }

    /// One in a second, but none of less than a lot.
    fn trades(&self, lot: u64) -> u64 {
        let lots = u64::try_from(self.volume.div_ceil(u128::from(lot))).unwrap_or(u64::MAX);
        (((self.to - self.from) / SECOND).max(1) as u64).min(lots)
    }

    /// Half of it bought by takers.
    fn bar(&self, lot: u64) -> Bar {
        let typical =
            (u128::from(self.open) + u128::from(self.high) + u128::from(self.low) + u128::from(self.close))
                / 4;
        let quote = self.volume.saturating_mul(typical);
        let trades = self.trades(lot);
        let (first, last) = if trades == 0 { (-1, -1) } else { ends(self.first as i64, trades) };
        Bar {
            open_time: self.from,
            close_time: self.to,
            open: self.open,
            high: self.high,
            low: self.low,
            close: self.close,
            volume: self.volume,
            quote,
            taker_volume: self.volume / 2,
            taker_quote: quote / 2,
            first,
            last,
            trades,
        }
    }

    fn of_bar(bar: &Bar) -> Self {
        let Bar { open_time: from, close_time: to, open, high, low, close, volume, .. } = *bar;
        Self { from, to, open, high, low, close, volume, first: bar.first.max(0) as u64 }
    }
}

fn ends(first: i64, trades: u64) -> (i64, i64) {
    (first, first + trades as i64 - 1)
}

impl Past {
    pub fn new(seed: u64, tick: u64, lot: u64) -> Self {
        Self { seed, tick: tick.max(1), lot: lot.max(1), old: VecDeque::new(), new: VecDeque::new() }
    }

    /// When what is known begins, and when it ends.
    pub fn bounds(&self) -> Option<(i64, i64)> {
        let first = self.old.front().or(self.new.front())?;
        Some((first.from, self.new.back()?.to))
    }

    pub fn last_price(&self) -> Option<u64> {
        self.new.back().map(|piece| piece.close)
    }

    /// A candle of the past, after all finer ones of its time. What those say already holds. Answers how many trades
    /// that adds after what was known.
    pub fn learn(&mut self, candle: &Candle, next_id: u64) -> u64 {
        let Some(whole) = Piece::of(candle) else { return 0 };
        let ends = self.new.back().map_or(i64::MIN, |last| last.to);
        if whole.from >= ends {
            return self.push(whole, next_id);
        }
        let at = self.new.partition_point(|piece| piece.to <= whole.from);
        let known: Vec<Piece> = self.new.range(at..).take_while(|p| p.from < whole.to).copied().collect();
        if known.is_empty() || self.old.back().is_some_and(|old| old.to > whole.from) {
            // It lies in a hole between longer ones, or so far back that nobody can tell.
            return 0;
        }
        let left = holes(&whole, &known);
        let mut added = 0;
        for piece in left {
            if piece.from >= self.new.back().map_or(i64::MIN, |last| last.to) {
                added += self.push(piece, next_id + added);
            } else {
                let at = self.new.partition_point(|known| known.to <= piece.from);
                self.new.insert(at, piece);
            }
        }
        added
    }

    /// Behind all others.
    fn push(&mut self, piece: Piece, next_id: u64) -> u64 {
        let trades = piece.trades(self.lot);
        self.new.push_back(Piece { first: next_id, ..piece });
        self.bound();
        trades
    }

    /// A part of a candle that is not over: it is followed from there on.
    pub fn begin(&mut self, part: &Bar) {
        if self.new.back().is_none_or(|last| last.to <= part.open_time) {
            self.push(Piece::of_bar(part), 0);
        }
    }

    /// The hours of a candle.
    pub fn hours(&self, candle: &Candle) -> Vec<Bar> {
        let whole = Piece::of(candle).map(|piece| piece.bar(self.lot));
        whole.map(|whole| self.parts(&whole, HOUR)).unwrap_or_default()
    }

    fn bound(&mut self) {
        if self.new.len() <= MOST_PIECES {
            return;
        }
        let Some(oldest) = self.new.pop_front() else { return };
        let hour = |at: i64| at.div_euclid(HOUR);
        match self.old.back_mut() {
            Some(last) if hour(last.from) == hour(oldest.from) && last.to == oldest.from => {
                last.to = oldest.to;
                last.high = last.high.max(oldest.high);
                last.low = last.low.min(oldest.low);
                last.close = oldest.close;
                last.volume += oldest.volume;
            }
            _ => self.old.push_back(oldest),
        }
        if self.old.len() > MOST_PIECES {
            self.old.pop_front();
        }
    }

    /// Numbers the trades of all pieces from 0 on; how many there are.
    pub fn number(&mut self) -> u64 {
        let (lot, mut next) = (self.lot, 0);
        for piece in self.old.iter_mut().chain(&mut self.new) {
            piece.first = next;
            next += piece.trades(lot);
        }
        next
    }

    /// The pieces that reach into that time.
    fn within(&self, from: i64, to: i64) -> impl Iterator<Item = &Piece> {
        let of = |pieces: &VecDeque<Piece>| {
            let begin = pieces.partition_point(|piece| piece.to <= from);
            (begin, pieces.partition_point(|piece| piece.from < to).max(begin))
        };
        let ((a, b), (c, d)) = (of(&self.old), of(&self.new));
        self.old.range(a..b).chain(self.new.range(c..d))
    }

    /// The last piece that begins before a time.
    fn last_before(&self, at: i64) -> Option<Piece> {
        let of = |pieces: &VecDeque<Piece>| {
            let place = pieces.partition_point(|piece| piece.from < at).checked_sub(1)?;
            pieces.get(place).copied()
        };
        of(&self.new).or_else(|| of(&self.old))
    }

    /// Falls apart on the grid of `step`, which its own bounds need not lie on.
    fn parts(&self, whole: &Bar, step: i64) -> Vec<Bar> {
        let mut bounds = vec![whole.open_time];
        let mut next = (whole.open_time.div_euclid(step) + 1) * step;
        while next < whole.close_time {
            bounds.push(next);
            next += step;
        }
        bounds.push(whole.close_time);
        let random = Random::new(self.seed, 2 + step as u64, whole.open_time as u64);
        super::parts::parts(whole, &bounds, self.tick, self.lot, random)
    }
}

/// What pieces that lie in a whole leave of it: as many parts as they leave holes, so that all together have its
/// close, its high and low unless they are outside already, and its volume.
fn holes(whole: &Piece, known: &[Piece]) -> Vec<Piece> {
    let mut holes: Vec<(i64, i64)> = Vec::new();
    let mut at = whole.from;
    for piece in known {
        if piece.from > at {
            holes.push((at, piece.from));
        }
        at = at.max(piece.to);
    }
    if at < whole.to {
        holes.push((at, whole.to));
    }
    let volume: u128 = known.iter().map(|piece| piece.volume).sum();
    let left = whole.volume.saturating_sub(volume);
    let length: i64 = holes.iter().map(|(from, to)| to - from).sum();
    let longest = holes.iter().map(|(from, to)| to - from).max().unwrap_or(0);
    let high = known.iter().map(|piece| piece.high).max().unwrap_or(0);
    let low = known.iter().map(|piece| piece.low).min().unwrap_or(u64::MAX);
    let mut touched = false;
    holes
        .iter()
        .map(|&(from, to)| {
            let before = known.iter().rev().find(|piece| piece.to <= from).map(|piece| piece.close);
            let after = known.iter().find(|piece| piece.from >= to).map(|piece| piece.open);
            let open = before.unwrap_or(whole.open);
            let volume = left * (to - from) as u128 / length.max(1) as u128;
            if volume == 0 {
                return Piece::empty(from, to, open);
            }
            let close = after.unwrap_or(whole.close);
            let mut piece = Piece {
                from,
                to,
                open,
                high: open.max(close),
                low: open.min(close),
                close,
                volume,
                first: 0,
            };
            if to - from == longest && !touched {
                touched = true;
                if whole.high > high {
                    piece.high = piece.high.max(whole.high);
                }
                if whole.low < low {
                    piece.low = piece.low.min(whole.low);
                }
            }
            piece
        })
        .collect()
}

impl<'a> Cutter<'a> {
    pub fn new(past: &'a Past) -> Self {
        Self { past, memo: [const { None }; 3] }
    }

    /// What was traded from `from` until `to`; `None` where nothing is known of any of it.
    pub fn cut(&mut self, from: i64, to: i64) -> Option<Bar> {
        let past = self.past;
        let mut all: Option<Bar> = None;
        for piece in past.within(from, to) {
            if let Some(part) = self.part(piece.bar(past.lot), from, to) {
                match &mut all {
                    Some(all) => all.merge(&part),
                    None => all = Some(part),
                }
            }
        }
        all.map(|all| Bar { open_time: from, close_time: to, ..all })
    }

    /// The last price before a time, if any is known.
    pub fn price_before(&mut self, at: i64) -> Option<u64> {
        let last = self.past.last_before(at)?;
        if last.to <= at {
            return Some(last.close);
        }
        self.part(last.bar(self.past.lot), last.from, at).map(|part| part.close).or(Some(last.open))
    }

    fn part(&mut self, whole: Bar, from: i64, to: i64) -> Option<Bar> {
        if from <= whole.open_time && whole.close_time <= to {
            return Some(whole);
        }
        let length = whole.close_time - whole.open_time;
        let (level, step) = if length > HOUR {
            (0, HOUR)
        } else if length > MINUTE {
            (1, MINUTE)
        } else {
            (2, SECOND)
        };
        if length <= SECOND {
            return Some(whole);
        }
        let key = (whole.open_time, whole.close_time);
        if self.memo[level].as_ref().is_none_or(|(open, close, _)| (*open, *close) != key) {
            self.memo[level] = Some((key.0, key.1, self.past.parts(&whole, step)));
        }
        let parts = self.memo[level].as_ref().map(|(_, _, parts)| parts.as_slice()).unwrap_or_default();
        let begin = parts.partition_point(|part| part.close_time <= from);
        let parts: Vec<Bar> = parts[begin..].iter().take_while(|part| part.open_time < to).copied().collect();
        let mut all: Option<Bar> = None;
        for part in parts {
            let Some(part) = self.part(part, from, to) else { continue };
            match &mut all {
                Some(all) => all.merge(&part),
                None => all = Some(part),
            }
        }
        all
    }
}
