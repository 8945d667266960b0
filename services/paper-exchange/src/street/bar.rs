//! Klines: one of them, and a series of them.

use super::{span::Span, trades::Trade, units};
use domain::Interval;
use events::Candle;
use std::collections::VecDeque;

/// Klines that are kept of each interval.
pub const MOST_BARS: usize = 5_000;

/// A kline as it stands. Times in microseconds; prices and quantities in 10⁻⁸, products in 10⁻¹⁶.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    pub open_time: i64,
    /// At which the next one opens.
    pub close_time: i64,
    pub open: u64,
    pub high: u64,
    pub low: u64,
    pub close: u64,
    pub volume: u128,
    pub quote: u128,
    /// Of it by taking buyers.
    pub taker_volume: u128,
    pub taker_quote: u128,
    /// −1 where there was no trade.
    pub first: i64,
    pub last: i64,
    pub trades: u64,
    /// The finest candles that it is made of; `Second1` once there were trades.
    pub of: Interval,
}

impl Bar {
    /// Without a trade, at the price of the last one.
    pub fn empty(open_time: i64, close_time: i64, price: u64) -> Self {
        Self {
            open_time,
            close_time,
            open: price,
            high: price,
            low: price,
            close: price,
            volume: 0,
            quote: 0,
            taker_volume: 0,
            taker_quote: 0,
            first: -1,
            last: -1,
            trades: 0,
            of: Interval::Second1,
        }
    }

    /// Of a candle, to which `trades` trades from the id `first` on are ascribed, half of them by buyers.
    /// `None` if its prices are beyond what can be told.
    pub fn of_candle(candle: &Candle, open_time: i64, first: u64, trades: u64) -> Option<Self> {
        let price = |price: domain::Price| units::units(price.get());
        let (open, high, low, close) =
            (price(candle.open)?, price(candle.high)?, price(candle.low)?, price(candle.close)?);
        let volume = units::sum_units(candle.volume)?;
        let typical = (u128::from(open) + u128::from(high) + u128::from(low) + u128::from(close)) / 4;
        let quote = volume.checked_mul(typical)?;
        let trades = if volume == 0 { 0 } else { trades };
        let (first, last) = match trades {
            0 => (-1, -1),
            _ => (first as i64, (first + trades - 1) as i64),
        };
        Some(Self {
            open_time,
            close_time: open_time + super::span::micros(candle.interval),
            open,
            high,
            low,
            close,
            volume,
            quote,
            taker_volume: volume / 2,
            taker_quote: quote / 2,
            first,
            last,
            trades,
            of: candle.interval,
        })
    }

    pub fn trade(&mut self, trade: &Trade) {
        if self.trades == 0 {
            (self.open, self.high, self.low) = (trade.price, trade.price, trade.price);
            self.first = trade.id as i64;
        }
        self.high = self.high.max(trade.price);
        self.low = self.low.min(trade.price);
        self.close = trade.price;
        self.volume += u128::from(trade.quantity);
        let quote = u128::from(trade.price) * u128::from(trade.quantity);
        self.quote += quote;
        if trade.taker_buys {
            self.taker_volume += u128::from(trade.quantity);
            self.taker_quote += quote;
        }
        self.last = trade.id as i64;
        self.trades += 1;
        self.of = Interval::Second1;
    }

    /// Adds what came right after it; the times stay.
    pub fn merge(&mut self, later: &Self) {
        if later.trades == 0 && self.trades > 0 {
            return;
        }
        if self.trades == 0 {
            let (open_time, close_time) = (self.open_time, self.close_time);
            *self = Self { open_time, close_time, ..*later };
            return;
        }
        self.high = self.high.max(later.high);
        self.low = self.low.min(later.low);
        self.close = later.close;
        self.volume += later.volume;
        self.quote += later.quote;
        self.taker_volume += later.taker_volume;
        self.taker_quote += later.taker_quote;
        self.last = later.last;
        self.trades += later.trades;
        self.of = self.of.min(later.of);
    }
}

/// The klines of one interval in UTC, the last one growing. Invariant: ascending, none overlaps another.
#[derive(Debug)]
pub struct Bars {
    pub span: Span,
    pub bars: VecDeque<Bar>,
}

impl Bars {
    pub fn new(span: Span) -> Self {
        Self { span, bars: VecDeque::new() }
    }

    /// Puts a piece of history in: into the kline that it is a part of.
    /// Where a finer piece is known already, that one wins.
    pub fn learn(&mut self, piece: &Bar) {
        let open = self.span.open_of(piece.open_time, 0);
        let whole = Bar { open_time: open, close_time: self.span.close_of(open, 0), ..*piece };
        match self.bars.back_mut() {
            Some(bar) if bar.open_time == open => {
                if bar.of == piece.of {
                    bar.merge(piece);
                } else if piece.of < bar.of {
                    *bar = whole;
                }
            }
            Some(bar) if open < bar.open_time => {}
            _ => self.push(whole),
        }
    }

    /// Lets time go on until `at`: what is over is over, and empty klines follow at the last price.
    pub fn roll(&mut self, at: i64) {
        while let Some(last) = self.bars.back().filter(|last| last.close_time <= at).copied() {
            // Of a long quiet time only the end is kept.
            let skipped = self.span.length().map_or(last.close_time, |length| {
                last.close_time.max(self.span.open_of(at, 0) - (MOST_BARS as i64 - 1) * length)
            });
            self.push(Bar::empty(skipped, self.span.close_of(skipped, 0), last.close));
        }
    }

    /// Into the kline of its time, which is the last one.
    pub fn trade(&mut self, trade: &Trade) {
        match self.bars.back_mut() {
            Some(bar) if trade.at < bar.close_time => bar.trade(trade),
            Some(_) => {
                self.roll(trade.at);
                if let Some(bar) = self.bars.back_mut() {
                    bar.trade(trade);
                }
            }
            None => {
                let open = self.span.open_of(trade.at, 0);
                let mut bar = Bar::empty(open, self.span.close_of(open, 0), trade.price);
                bar.trade(trade);
                self.push(bar);
            }
        }
    }

    /// Those that open at `from` or later, in order.
    pub fn since(&self, from: i64) -> impl DoubleEndedIterator<Item = &Bar> + Clone {
        self.bars.range(self.bars.partition_point(|bar| bar.open_time < from)..)
    }

    fn push(&mut self, bar: Bar) {
        if self.bars.len() == MOST_BARS {
            self.bars.pop_front();
        }
        self.bars.push_back(bar);
    }
}
