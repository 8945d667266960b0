//! What the streams say at the full tenth of a second and at the full second.

use super::{
    Simulator, frames,
    frames::frame,
    klines::Stretch,
    market::Market,
    path::STEP,
    span::{SECOND, Span, micros},
    streams::{All, Kind, Pace},
    trades::Trade,
};
use crate::frame::MarketFrame;
use events::Candle;

impl Simulator {
    /// What is due at `at`, a multiple of 100 ms, after all that happened then.
    pub(super) fn emit(&mut self, at: i64) {
        let second = at.rem_euclid(SECOND) == 0;
        for market in &mut self.markets {
            if !market.wants.streams.is_empty() {
                market.emit(at, &mut self.frames);
            }
        }
        if second {
            for (all, name) in &self.all {
                emit_all(*all, name, &mut self.markets, at, &mut self.frames);
            }
        }
    }
}

fn emit_all(all: All, name: &str, markets: &mut [Market], at: i64, to: &mut Vec<MarketFrame>) {
    let changed = |trade: &Trade| trade.at > at - SECOND;
    let changed = markets.iter_mut().filter(|market| market.trades.last().is_some_and(changed));
    let mut stats = Vec::new();
    for market in changed {
        market.roll(at);
        let of = match all {
            All::MiniTicker => market.day(at),
            All::Window(window) => market.rolling(window.length(), at),
        };
        stats.extend(of.map(|of| (&market.quoted, of)));
    }
    if stats.is_empty() {
        return;
    }
    to.push(frame(name, |clock| {
        let each = stats.iter().map(|(symbol, stats)| match all {
            All::MiniTicker => frames::mini_ticker(symbol, &stats.bar, at, clock),
            All::Window(window) => frames::window(symbol, window, stats, at, clock),
        });
        format!("[{}]", each.collect::<Vec<_>>().join(","))
    }));
}

impl Market {
    fn emit(&mut self, at: i64, to: &mut Vec<MarketFrame>) {
        self.roll(at);
        let diffs = [true, false].map(|fast| {
            let due = if fast { at.rem_euclid(STEP) == 0 } else { at.rem_euclid(SECOND) == 0 };
            if due { self.depth.take(fast) } else { None }
        });
        let partial = self.depth.sent;
        for place in 0..self.wants.streams.len() {
            let (kind, name) = self.wants.streams[place].clone();
            let due = match kind.pace() {
                Pace::AtOnce => false,
                Pace::Tenth => at.rem_euclid(STEP) == 0,
                Pace::Second => at.rem_euclid(SECOND) == 0,
                Pace::TwoSeconds => at.rem_euclid(2 * SECOND) == 0,
            };
            match kind {
                Kind::Kline { span, zone } => {
                    self.emit_klines((span, zone), place, &name, at, due, to);
                }
                Kind::Depth { fast } => {
                    if let Some(change) = &diffs[usize::from(!fast)] {
                        let last = self.depth.update;
                        to.push(frame(&name, |clock| {
                            frames::depth_update(&self.quoted, change, last, at, clock)
                        }));
                    }
                }
                Kind::PartialDepth { levels, fast } => {
                    if due && partial[usize::from(!fast)] != self.depth.update {
                        self.depth.sent[usize::from(!fast)] = self.depth.update;
                        let text = frames::book(self.depth.update, self.depth.top(levels));
                        to.push(MarketFrame { stream: name, milli: text.clone(), micro: text });
                    }
                }
                Kind::MiniTicker | Kind::Ticker | Kind::Window(_) | Kind::AveragePrice => {
                    if due {
                        self.emit_ticker(kind, &name, at, to);
                    }
                }
                Kind::Trade | Kind::AggregateTrade | Kind::BookTicker => {}
            }
        }
    }

    /// Klines after a candle that came from outside.
    pub fn tell_candle(&mut self, candle: &Candle, at: i64, to: &mut Vec<MarketFrame>) {
        for place in 0..self.wants.streams.len() {
            let (kind, name) = self.wants.streams[place].clone();
            if let Kind::Kline { span, zone } = kind
                && span.length().is_none_or(|length| length >= micros(candle.interval))
            {
                self.emit_klines((span, zone), place, &name, at, true, to);
            }
        }
    }

    /// Those that closed since, each once, and at its time the one that grows.
    fn emit_klines(
        &mut self,
        (span, zone): (Span, i64),
        place: usize,
        name: &str,
        at: i64,
        due: bool,
        to: &mut Vec<MarketFrame>,
    ) {
        let told = self.wants.closed[place];
        let over = span.close_of(told, zone) <= at;
        if !over && !due {
            return;
        }
        for bar in self.klines(span, zone, Stretch::since(told)) {
            let closed = bar.close_time <= at;
            if closed {
                self.wants.closed[place] = bar.close_time;
            }
            if closed || due {
                to.push(frame(name, |clock| frames::kline(&self.quoted, span, &bar, closed, at, clock)));
            }
        }
    }

    /// The price that has not changed is told too.
    fn emit_ticker(&mut self, kind: Kind, name: &str, at: i64, to: &mut Vec<MarketFrame>) {
        let last = self.trades.last().map_or(at, |trade| trade.at);
        match kind {
            Kind::MiniTicker => {
                let Some(stats) = self.day(at) else { return };
                to.push(frame(name, |clock| frames::mini_ticker(&self.quoted, &stats.bar, at, clock)));
            }
            Kind::Ticker => {
                let (Some(stats), (bid, ask)) = (self.day(at), self.best_at(at)) else { return };
                to.push(frame(name, |clock| frames::ticker(&self.quoted, &stats, bid, ask, at, clock)));
            }
            Kind::Window(window) => {
                let Some(stats) = self.rolling(window.length(), at) else { return };
                to.push(frame(name, |clock| frames::window(&self.quoted, window, &stats, at, clock)));
            }
            Kind::AveragePrice => {
                let Some(average) = self.average(at) else { return };
                to.push(frame(name, |clock| frames::average_price(&self.quoted, average, last, at, clock)));
            }
            Kind::Trade
            | Kind::AggregateTrade
            | Kind::BookTicker
            | Kind::Kline { .. }
            | Kind::Depth { .. }
            | Kind::PartialDepth { .. } => {}
        }
    }
}
