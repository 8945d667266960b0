//! Klines: one of them, and a series of them.

use super::{span::Span, trades::Trade};
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
        }
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
    }
}

/// The klines of one interval in UTC since the market goes its own way, the last one growing. Invariant: ascending, none overlaps another.
#[derive(Debug)]
pub struct Bars {
    pub span: Span,
    pub bars: VecDeque<Bar>,
}

impl Bars {
    pub fn new(span: Span) -> Self {
        Self { span, bars: VecDeque::new() }
    }

    /// The one that opens then.
    pub fn at(&self, open: i64) -> Option<&Bar> {
        self.since(open).next().filter(|bar| bar.open_time == open)
    }

    /// When the oldest one opens that is kept.
    pub fn oldest(&self) -> Option<i64> {
        self.bars.front().map(|bar| bar.open_time)
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

    pub fn push(&mut self, bar: Bar) {
        if self.bars.len() == MOST_BARS {
            self.bars.pop_front();
        }
        self.bars.push_back(bar);
    }
}
